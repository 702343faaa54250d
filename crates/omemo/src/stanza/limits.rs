//! How much of everything a stanza may hold. A peer or a server can send whatever it likes; what
//! is above these limits is refused as a whole, before any work is done for it.

/// Devices on one list, our own included. Real accounts have fewer than twenty; a list is fetched
/// and searched for bundles, so that its length is work for us.
pub(crate) const MAX_LISTED_DEVICES: usize = 1_024;

/// Keys in one message. A room of some hundred members with several devices each fits; a stanza of
/// 256 KiB, where common servers close the stream, holds fewer than half of it.
pub(crate) const MAX_KEYS: usize = 4_096;

/// Bytes of one key. The largest that occurs, a legacy key exchange, has fewer than 300.
pub(crate) const MAX_KEY_BYTES: usize = 4_096;

/// Prekeys in one bundle. XEP-0384 §4.2 asks for about 100.
pub(crate) const MAX_PRE_KEYS: usize = 1_024;

/// Bytes of an encrypted payload. Common servers carry stanzas up to 512 KiB, of which base64
/// takes a quarter. Five times as much, the most that escaping makes of a text, is still within
/// [`MAX_XML_BYTES`], so that every message that can be opened can be stored.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 393_216;

/// Bytes of a key, signature or initialisation vector that stands alone: none is longer than 64.
/// A little room, so that a wrong length is told apart from an attack.
pub(crate) const MAX_SHORT_BYTES: usize = 1_024;

/// Unicode code points of a label: XEP-0384 §5.3.1 wants them under 53.
pub(crate) const MAX_LABEL_CHARS: usize = 52;

/// Keys in one trust message. A new device is told all that another one has verified.
pub(crate) const MAX_DECISIONS: usize = 1_024;

/// Characters of the reason of an opt-out that are kept: it is shown, and stored until it is answered.
pub(crate) const MAX_REASON_CHARS: usize = 1_024;

/// Items in one answer or event. We ask for one; a node that was filled by mistake held 187.
pub(crate) const MAX_ITEMS: usize = 1_024;

/// Bytes of one stanza as text, read or written. Four times what common servers carry.
pub(crate) const MAX_XML_BYTES: usize = 2 * 1_048_576;

/// How deep elements may lie in each other. Memory is freed by recursion, so that depth costs
/// stack; formatted text and forms stay below 20.
pub(crate) const MAX_DEPTH: usize = 64;

/// Attributes of one element. No specification gives an element ten.
pub(crate) const MAX_ATTRIBUTES: usize = 64;

/// Bytes of one attribute, name or namespace. The longest in use are small pictures as `data:`
/// URIs.
pub(crate) const MAX_TOKEN_BYTES: usize = 65_536;

/// Bytes of a JID (RFC 7622 §3.1).
pub(crate) const MAX_JID_BYTES: usize = 3_071;

/// Elements and texts of one stanza. Each costs some hundred bytes of memory for four on the wire.
pub(crate) const MAX_NODES: usize = 32_768;

/// Characters of an error's text that are kept: it is shown, and a server writes it.
pub(crate) const MAX_ERROR_TEXT_CHARS: usize = 256;

/// Bytes of a URI that verifies keys. A QR code holds fewer than 5,000.
pub(crate) const MAX_URI_BYTES: usize = 65_536;

/// Keys in such a URI. With the longest JID and the longest names, one of so many stays within [`MAX_URI_BYTES`], so that
/// everything that is written can be read.
pub(crate) const MAX_URI_KEYS: usize = 256;

/// Accounts that belong to a room, and occupants in it. A message to each of them would still fit into
/// a few stanzas; above that a room is refused, so that it cannot fill our memory.
pub(crate) const MAX_ROOM: usize = 2_000;

/// Bytes of an occupant's id (XEP-0421). Servers write a hash.
pub(crate) const MAX_OCCUPANT_ID_BYTES: usize = 256;
