//! Reasons, as numbers for programs.

use omemo::{UndecryptableReason, UnsentReason, UnservedReason};

/// Why something was not done. Numbers are for ever; new ones may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_reason {
    /// There is nothing to give a reason for.
    OMEMO_REASON_NONE = 0,
    /// Of a newer version of this library: see the text.
    OMEMO_REASON_OTHER = 1,
    /// Not served: the account has no OMEMO devices.
    OMEMO_REASON_NO_DEVICES = 100,
    /// Not served: the device list cannot be had.
    OMEMO_REASON_LIST_UNAVAILABLE = 101,
    /// Not served: its bundle is missing, late or unusable.
    OMEMO_REASON_BUNDLE_UNUSABLE = 102,
    /// Not served: nobody has decided about its key.
    OMEMO_REASON_UNDECIDED = 103,
    /// Not served: its key is distrusted.
    OMEMO_REASON_DISTRUSTED = 104,
    /// Not served, or not read: it shows another identity key than before.
    OMEMO_REASON_IDENTITY_CHANGED = 105,
    /// Not served: it only speaks legacy, which carries nothing but text.
    OMEMO_REASON_CONTENT_NOT_CARRIED = 106,
    /// Not served: our own device could not be published, so that nobody could answer.
    OMEMO_REASON_NOT_PUBLISHED = 107,
    /// Not served: it spoke omemo:2 and is only listed for legacy now.
    OMEMO_REASON_DOWNGRADED = 108,
    /// Not served: nothing was heard of it for a long time.
    OMEMO_REASON_STALE = 109,
    /// Not sent: the contact has opted out of encryption.
    OMEMO_REASON_OPTED_OUT = 110,
    /// Not sent: we are not in the room, or its members are not known.
    OMEMO_REASON_NOT_IN_ROOM = 111,
    /// Not sent: the room hides who its members are.
    OMEMO_REASON_ROOM_ANONYMOUS = 112,
    /// Not sent: the store was put back to an older state.
    OMEMO_REASON_RESTORED = 113,
    /// Not sent: it is for our own account, which has no other device.
    OMEMO_REASON_NO_OTHER_DEVICE = 114,
    /// Not read: malformed.
    OMEMO_REASON_MALFORMED = 200,
    /// Not read: not encrypted for this device.
    OMEMO_REASON_NOT_FOR_THIS_DEVICE = 201,
    /// Not read: there is no session.
    OMEMO_REASON_NO_SESSION = 202,
    /// Not read: no session opens it.
    OMEMO_REASON_SESSION_REFUSED = 203,
    /// Not read: it names a prekey that is not ours, or was used before.
    OMEMO_REASON_UNKNOWN_PREKEY = 204,
    /// Not read: its key exchange is invalid.
    OMEMO_REASON_KEY_EXCHANGE_REFUSED = 205,
    /// Not read: its key was discarded after too many missing messages.
    OMEMO_REASON_TOO_OLD = 206,
    /// Not read: its payload is damaged.
    OMEMO_REASON_PAYLOAD_REFUSED = 207,
    /// Not read: its envelope contradicts the stanza.
    OMEMO_REASON_ENVELOPE_REFUSED = 208,
    /// Not read: its sender is not known for sure.
    OMEMO_REASON_SENDER_UNKNOWN = 209,
    /// Not sent: older than a day.
    OMEMO_REASON_EXPIRED = 300,
    /// Not sent: a device that it serves may no longer read it.
    OMEMO_REASON_NO_LONGER_ALLOWED = 301,
    /// Not sent: handed out three times and never confirmed.
    OMEMO_REASON_NEVER_CONFIRMED = 302,
    /// Not sent: it came back with an error.
    OMEMO_REASON_BOUNCED = 303,
    /// Not sent: this device was deactivated before it left.
    OMEMO_REASON_DEACTIVATED = 304,
}

impl omemo_reason {
    pub(crate) const fn of_unserved(reason: &UnservedReason) -> Self {
        match reason {
            UnservedReason::NoDevices => Self::OMEMO_REASON_NO_DEVICES,
            UnservedReason::ListUnavailable(_) => Self::OMEMO_REASON_LIST_UNAVAILABLE,
            UnservedReason::BundleUnusable(_) => Self::OMEMO_REASON_BUNDLE_UNUSABLE,
            UnservedReason::Undecided(_) => Self::OMEMO_REASON_UNDECIDED,
            UnservedReason::Distrusted(_) => Self::OMEMO_REASON_DISTRUSTED,
            UnservedReason::IdentityChanged => Self::OMEMO_REASON_IDENTITY_CHANGED,
            UnservedReason::ContentNotCarried => Self::OMEMO_REASON_CONTENT_NOT_CARRIED,
            UnservedReason::NotPublished => Self::OMEMO_REASON_NOT_PUBLISHED,
            UnservedReason::Downgraded => Self::OMEMO_REASON_DOWNGRADED,
            UnservedReason::Stale => Self::OMEMO_REASON_STALE,
            UnservedReason::OptedOut => Self::OMEMO_REASON_OPTED_OUT,
            UnservedReason::NotInRoom(_) => Self::OMEMO_REASON_NOT_IN_ROOM,
            UnservedReason::RoomAnonymous => Self::OMEMO_REASON_ROOM_ANONYMOUS,
            UnservedReason::NoOtherDevice => Self::OMEMO_REASON_NO_OTHER_DEVICE,
            UnservedReason::Restored => Self::OMEMO_REASON_RESTORED,
            _ => Self::OMEMO_REASON_OTHER,
        }
    }

    pub(crate) const fn of_undecryptable(reason: &UndecryptableReason) -> Self {
        match reason {
            UndecryptableReason::Malformed(_) => Self::OMEMO_REASON_MALFORMED,
            UndecryptableReason::NotForThisDevice => Self::OMEMO_REASON_NOT_FOR_THIS_DEVICE,
            UndecryptableReason::NoSession => Self::OMEMO_REASON_NO_SESSION,
            UndecryptableReason::SessionRefused(_) => Self::OMEMO_REASON_SESSION_REFUSED,
            UndecryptableReason::UnknownPreKey => Self::OMEMO_REASON_UNKNOWN_PREKEY,
            UndecryptableReason::IdentityChanged => Self::OMEMO_REASON_IDENTITY_CHANGED,
            UndecryptableReason::KeyExchangeRefused(_) => Self::OMEMO_REASON_KEY_EXCHANGE_REFUSED,
            UndecryptableReason::TooOld => Self::OMEMO_REASON_TOO_OLD,
            UndecryptableReason::PayloadRefused(_) => Self::OMEMO_REASON_PAYLOAD_REFUSED,
            UndecryptableReason::EnvelopeRefused(_) => Self::OMEMO_REASON_ENVELOPE_REFUSED,
            UndecryptableReason::SenderUnknown => Self::OMEMO_REASON_SENDER_UNKNOWN,
            _ => Self::OMEMO_REASON_OTHER,
        }
    }

    pub(crate) const fn of_unsent(reason: &UnsentReason) -> Self {
        match reason {
            UnsentReason::Expired => Self::OMEMO_REASON_EXPIRED,
            UnsentReason::NoLongerAllowed(_) => Self::OMEMO_REASON_NO_LONGER_ALLOWED,
            UnsentReason::NeverConfirmed => Self::OMEMO_REASON_NEVER_CONFIRMED,
            UnsentReason::Bounced(_) => Self::OMEMO_REASON_BOUNCED,
            UnsentReason::OptedOut => Self::OMEMO_REASON_OPTED_OUT,
            UnsentReason::Restored => Self::OMEMO_REASON_RESTORED,
            UnsentReason::Deactivated => Self::OMEMO_REASON_DEACTIVATED,
            _ => Self::OMEMO_REASON_OTHER,
        }
    }
}
