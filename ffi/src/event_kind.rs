//! The kinds of events.

/// What kind of event it is. The comment of each names what can be asked of it; everything else is NULL, 0 or false. New kinds
/// may be added: ignore those that you do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_event_kind {
    /// Of a newer version of this library.
    OMEMO_EVENT_OTHER = 0,
    /// A decrypted message: `message`. It stays in the inbox until it is acknowledged, and is handed out again, with the same
    /// inbox id, if its stanza arrives again before that.
    OMEMO_EVENT_MESSAGE = 1,
    /// A message for us that cannot be read: `jid`, `device` (0 if unknown), `protocol`, `id` (of the stanza), `reason`,
    /// `text`.
    OMEMO_EVENT_UNDECRYPTABLE = 2,
    /// A message was sealed and stands in the outbox: `id` (the app's), `jid` (the chat), `served`, `unserved`.
    OMEMO_EVENT_SEALED = 3,
    /// A message was given up, since no device of the recipient can be served; nothing was sent: `id`, `jid`, `unserved`.
    OMEMO_EVENT_REFUSED = 4,
    /// A sealed stanza was dropped from the outbox: `id`, `reason`, `text`, `maybe_delivered`. If the message still matters,
    /// send it again under a new id.
    OMEMO_EVENT_UNSENT = 5,
    /// Our device is published, or its bundle was renewed: `protocol`. It comes in each stream that was not resumed, also if
    /// nothing had to be done: from now on others can write to this device.
    OMEMO_EVENT_PUBLISHED = 6,
    /// A protocol is off for this stream: `protocol`, `text`.
    OMEMO_EVENT_PROTOCOL_OFF = 7,
    /// The server breaks a requirement of XEP-0384 §7: `protocol`, `text`.
    OMEMO_EVENT_SERVER_LACKS = 8,
    /// An identity key was seen for the first time: `jid`, `device`, `fingerprint`, `trust`.
    OMEMO_EVENT_NEW_KEY = 9,
    /// A device shows another identity key than before, which was refused: `jid`, `device`, `protocol`.
    OMEMO_EVENT_IDENTITY_CHANGED = 10,
    /// An account's device list changed: `jid`, `protocol`.
    OMEMO_EVENT_DEVICES_CHANGED = 11,
    /// An account's device list was refused; the known one stays in force: `jid`, `protocol`, `text`.
    OMEMO_EVENT_LIST_REFUSED = 12,
    /// `omemo_account_inspect` has learnt all it can: `jid`.
    OMEMO_EVENT_INSPECTED = 13,
    /// Nobody closed the catch-up for an hour, so it was closed now.
    OMEMO_EVENT_CATCH_UP_EXPIRED = 14,
    /// Our device list or bundle had been taken away and was published again: `protocol`.
    OMEMO_EVENT_REANNOUNCED = 15,
    /// A device is on a list for the first time: `jid`, `device`, `protocol`.
    OMEMO_EVENT_NEW_DEVICE = 16,
    /// One identity key was shown by several accounts, of which at most one has it by right: `fingerprint`, `accounts`.
    OMEMO_EVENT_SHARED_KEY = 17,
    /// The trust in a key changed without a decision made now (XEP-0450): `jid`, `fingerprint`, `trust`, `text` (the verified
    /// device that said so; `NULL` when it follows from a decision made here before).
    OMEMO_EVENT_TRUST_CHANGED = 18,
    /// A device that spoke omemo:2 is only listed for legacy now, and unserved until `omemo_account_allow_downgrade`: `jid`,
    /// `device`.
    OMEMO_EVENT_DOWNGRADED = 19,
    /// A device that only spoke legacy is listed for omemo:2 now: `jid`, `device`.
    OMEMO_EVENT_UPGRADED = 20,
    /// A message that was opened and acknowledged before came again; there is nothing to show: `jid`, `device`, `protocol`, `id`.
    OMEMO_EVENT_DUPLICATE = 21,
    /// A contact would like plain text; messages to it are refused until `omemo_account_answer_opt_out`: `jid`, `text` (why, in the
    /// contact's words).
    OMEMO_EVENT_OPTED_OUT = 22,
    /// A contact that had opted out writes encrypted messages again: `jid`.
    OMEMO_EVENT_OPTED_IN = 23,
    /// The members of a room are known, and messages can be sent: `jid` (the room), `accounts` (who gets them), `text` (which
    /// lists of members the room does not give, and why).
    OMEMO_EVENT_ROOM_READY = 24,
    /// Somebody became a member of a room: `jid` (the room), `accounts` (who).
    OMEMO_EVENT_MEMBER_JOINED = 25,
    /// Somebody is no member of a room any more: `jid` (the room), `accounts` (who).
    OMEMO_EVENT_MEMBER_LEFT = 26,
    /// No encrypted message can be sent to a room: `jid`, `reason`, `text`.
    OMEMO_EVENT_ROOM_REFUSED = 27,
    /// We are in a room no more: `jid`.
    OMEMO_EVENT_ROOM_LEFT = 28,
    /// The store is older than what was sent from it; nothing is encrypted before `omemo_account_recover`: `text`.
    OMEMO_EVENT_RESTORED = 29,
    /// The account has recovered.
    OMEMO_EVENT_RECOVERED = 30,
    /// The anchor could not be written; until it can, a restored store may not be noticed: `text`.
    OMEMO_EVENT_ANCHOR_FAILED = 31,
    /// A session was made anew: `jid`, `device`, `protocol`.
    OMEMO_EVENT_SESSION_REPLACED = 32,
    /// A session could not be made anew: `jid`, `device`, `protocol`, `text`.
    OMEMO_EVENT_SESSION_NOT_REPLACED = 33,
    /// Another device of ours was taken off the list: `device`, `text` (what the server refused to do, if anything).
    OMEMO_EVENT_DEVICE_REMOVED = 34,
    /// This device is off the server and its secrets are erased: `text` (what the server refused to do, if anything).
    OMEMO_EVENT_DEACTIVATED = 35,
    /// Keys were verified by a URI: `jid`, `key` (those that are decided now), `held_key` (those that were not met yet), `unserved`
    /// (devices that are known with another key, and were left as they are).
    OMEMO_EVENT_VERIFIED = 36,
    /// A key was handed over, in the message that the `OMEMO_EVENT_SEALED` of the same id is about: `id`, `jid`, `transported`. It is
    /// told once.
    OMEMO_EVENT_KEY_SEALED = 37,
    /// `omemo_account_repair` has looked: `protocol`, `text` (which bundles were removed, which will be, and which are missing, in words
    /// for people; NULL if everything fits together).
    OMEMO_EVENT_REPAIRED = 38,
}
