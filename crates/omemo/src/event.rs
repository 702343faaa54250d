//! What happened, for a person or a program to be told.

use omemo_ratchet::{Fingerprint, Version};

use crate::{
    Address, BareJid, Chat, DeviceId, Message, Served, TransportedKey, UndecryptableReason,
    UnsentReason, Unserved, UnservedReason,
};

/// How it is known that a store is older than what was sent from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreProof {
    /// The anchor has seen a later generation of the store.
    #[error("the anchor has seen a later state of the store")]
    Anchor,
    /// The anchor belongs to another device of this account.
    #[error("the anchor belongs to another store")]
    OtherStore,
    /// The store had an anchor once, and there is none.
    #[error("the anchor of the store is gone")]
    AnchorGone,
    /// A message of ours, which this store has not sealed yet, was seen.
    #[error("a message of this device was seen that this store has not sealed")]
    OwnMessage,
    /// The store went back while it was open.
    #[error("the store went back to an earlier state while it was open")]
    WentBack,
    /// A person or the app said so ([`Account::put_back`](crate::Account::put_back)).
    #[error("it was said that the store was put back from a copy")]
    Said,
}

/// What happened. Messages stay in the inbox until acknowledged; everything else is a hint whose
/// state can be asked for at any time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A decrypted message.
    Message(Box<Message>),
    /// A message for us that cannot be read.
    Undecryptable {
        /// The account it came from.
        from: BareJid,
        /// The device it names; `None` when not even that could be read.
        device: Option<DeviceId>,
        /// In which protocol.
        version: Version,
        /// The `id` of the stanza.
        id: Option<String>,
        /// Why.
        reason: UndecryptableReason,
    },
    /// A message was sealed and stands in the outbox.
    Sealed {
        /// The app's id of it.
        id: String,
        /// The conversation.
        chat: Chat,
        /// Who can read it.
        served: Vec<Served>,
        /// Who cannot, and why.
        unserved: Vec<Unserved>,
    },
    /// A key was handed over, in the message that the [`Event::Sealed`] of the same id is about. It is
    /// told this once and kept nowhere: whoever loses it hands over another.
    KeySealed {
        /// The app's id of the message.
        id: String,
        /// The conversation.
        chat: Chat,
        /// The key and the initialization vector.
        key: TransportedKey,
    },
    /// A message was given up: no device of the recipient can be served. Nothing was sent.
    Refused {
        /// The app's id of it.
        id: String,
        /// The conversation.
        chat: Chat,
        /// Why, for each.
        unserved: Vec<Unserved>,
    },
    /// A sealed stanza was dropped from the outbox. Send the message again under a new id, if it
    /// still matters.
    Unsent {
        /// The app's id of the message.
        id: String,
        /// Why.
        reason: UnsentReason,
        /// It was handed out before, so it may have arrived all the same.
        maybe_delivered: bool,
    },
    /// Our device is published, or its bundle was renewed.
    Published {
        /// In which protocol.
        version: Version,
    },
    /// A protocol is off for this stream.
    ProtocolOff {
        /// Which.
        version: Version,
        /// What the server refused.
        reason: String,
    },
    /// The server breaks a requirement of XEP-0384 §7; what we did about it is in the text.
    ServerLacks {
        /// In which protocol it was met.
        version: Version,
        /// Which requirement, and what follows.
        requirement: String,
    },
    /// An identity key was seen for the first time.
    NewKey {
        /// Of which device.
        device: Address,
        /// The key.
        fingerprint: Fingerprint,
        /// What the policy made of it.
        trust: crate::Trust,
    },
    /// A device shows another identity key than before. It was refused.
    IdentityChanged {
        /// Which device.
        device: Address,
        /// In which protocol.
        version: Version,
    },
    /// An account's list changed.
    DevicesChanged {
        /// Whose.
        jid: BareJid,
        /// In which protocol.
        version: Version,
    },
    /// An account's list was refused; the known one stays in force.
    ListRefused {
        /// Whose.
        jid: BareJid,
        /// In which protocol.
        version: Version,
        /// Why.
        reason: String,
    },
    /// [`Account::inspect`](crate::Account::inspect) has learnt all it can.
    Inspected {
        /// Whose devices.
        jid: BareJid,
    },
    /// Nobody closed the catch-up for an hour, so it was closed now.
    CatchUpExpired,
    /// A device is on a list for the first time.
    NewDevice {
        /// Which.
        device: Address,
        /// In which protocol.
        version: Version,
    },
    /// One identity key was shown by several accounts: at most one of them has it by right.
    SharedKey {
        /// The key.
        fingerprint: Fingerprint,
        /// All accounts that have shown it.
        accounts: Vec<BareJid>,
    },
    /// What a URI did ([`Account::verify`](crate::Account::verify)).
    Verified {
        /// Whose keys.
        jid: BareJid,
        /// The keys that are verified now, or distrusted where the URI says so.
        decided: Vec<Fingerprint>,
        /// Keys that were not met yet, as they were written: it is done when they are met.
        held: Vec<Fingerprint>,
        /// Devices that are known with another key than the URI gives them. Nothing was changed for them:
        /// the URI is old or wrong, or somebody else's key is published.
        contradicted: Vec<Address>,
    },
    /// The trust in a key changed without a decision made here (XEP-0450).
    TrustChanged {
        /// Whose key.
        jid: BareJid,
        /// The key.
        fingerprint: Fingerprint,
        /// The new level.
        trust: crate::Trust,
        /// The device that said so. `None` when it follows from a decision that was made here: one
        /// about a key that had not been met yet, or the end of blind trust with the first key of an
        /// account that is verified.
        told_by: Option<Address>,
    },
    /// A device that spoke omemo:2 is only listed for legacy now. It is unserved until
    /// [`Account::allow_downgrade`](crate::Account::allow_downgrade).
    Downgraded {
        /// Which.
        device: Address,
    },
    /// A device that only spoke legacy is listed for omemo:2 now.
    Upgraded {
        /// Which.
        device: Address,
    },
    /// A message that was opened and acknowledged before came again. There is nothing to show.
    Duplicate {
        /// The device that wrote it.
        device: Address,
        /// In which protocol.
        version: Version,
        /// The `id` of the stanza.
        id: Option<String>,
    },
    /// A contact would like plain text from now on (XEP-0384 §5.7). Messages to it are refused until
    /// a person has decided: [`Account::answer_opt_out`](crate::Account::answer_opt_out).
    OptedOut {
        /// Who.
        jid: BareJid,
        /// Why, in the contact's words.
        reason: Option<String>,
    },
    /// A contact that had opted out writes encrypted messages again.
    OptedIn {
        /// Who.
        jid: BareJid,
    },
    /// The members of a room are known: messages can be sent.
    RoomReady {
        /// Which.
        room: BareJid,
        /// Who gets them, offline members too; ourselves left out.
        members: Vec<BareJid>,
        /// Which lists of members the room does not give, and why. Who stands there alone, and is
        /// not present, gets no message.
        lacking: Vec<String>,
    },
    /// Somebody became a member of a room, or is none any more.
    MemberChanged {
        /// Which room.
        room: BareJid,
        /// Who.
        jid: BareJid,
        /// Whether messages are encrypted for this account from now on.
        member: bool,
    },
    /// No encrypted message can be sent to a room.
    RoomRefused {
        /// Which.
        room: BareJid,
        /// Why.
        reason: UnservedReason,
    },
    /// We are in a room no more.
    RoomLeft {
        /// Which.
        room: BareJid,
    },
    /// The store is older than what was sent from it. Nothing is encrypted before
    /// [`Account::recover`](crate::Account::recover).
    Restored {
        /// How that is known.
        proof: RestoreProof,
    },
    /// The account has recovered: new keys are published and sessions made anew.
    Recovered,
    /// The anchor could not be written: until it can, a restored store may not be noticed.
    AnchorFailed {
        /// Why.
        reason: String,
    },
    /// A session was made anew, on demand or to heal a broken one.
    SessionReplaced {
        /// With which device.
        device: Address,
        /// In which protocol.
        version: Version,
    },
    /// A session could not be made anew.
    SessionNotReplaced {
        /// With which device.
        device: Address,
        /// In which protocol.
        version: Version,
        /// Why.
        reason: String,
    },
    /// Another device of ours was taken off the list, its bundle with it.
    DeviceRemoved {
        /// Which.
        device: DeviceId,
        /// What the server refused to do.
        incomplete: Vec<String>,
    },
    /// [`Account::repair`](crate::Account::repair) has looked at the bundles of our own account.
    Repaired {
        /// In which protocol.
        version: Version,
        /// Bundles that were on no list for a day: the server was asked to remove them.
        removed: Vec<DeviceId>,
        /// Bundles that are on no list: they go when they still are not in a day.
        orphans: Vec<DeviceId>,
        /// Devices on the list whose bundle is not there: nobody can begin to write to them.
        without_bundle: Vec<DeviceId>,
        /// Why nothing could be looked at.
        failure: Option<String>,
    },
    /// This device is off the server and its secrets are erased.
    Deactivated {
        /// What the server refused to do, and what this machine did.
        incomplete: Vec<String>,
    },
    /// The device list or bundle of ours had been taken away and was published again.
    Reannounced {
        /// In which protocol.
        version: Version,
    },
}
