//! A device's life, from an app's side: what to call, and what to show.
//!
//! The [front page](crate) has a whole conversation. This page is about everything else.
//!
//! ```
//! use omemo::store::MemoryStore; // SqliteStore of the crate omemo-sqlite keeps it on disk
//! use omemo::{Account, BareJid, Environment, Settings, TrustPolicy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = Settings::default();
//! settings.label = Some("Balcony".into());
//! settings.trust = TrustPolicy::Automatic;
//! let jid = BareJid::parse("juliet@capulet.example")?;
//! let mut account = Account::open(MemoryStore::new(), jid, settings, Environment::system())?;
//! # let _ = account.label()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Every day
//!
//! - A stream is up: [`Account::online`], and [`Account::caught_up`] when the archive (XEP-0313) has been
//!   read. Whatever arrives goes into [`Account::receive`], with its carbon or archive around it; whatever
//!   an [`Output`](crate::Output) holds is sent. Its `wake` says when [`Account::tick`] is due.
//! - A message is in the app's database: [`Account::acknowledge`]. The server has a stanza:
//!   [`Account::sent`]. These two are all that has to be kept in order.
//! - After a crash: show [`Account::unacknowledged`], and send again, with the same ids, whatever was not
//!   noted as sent or refused.
//! - The roster is there: [`Account::known`] for each contact, so that key exchanges of theirs are
//!   answered. Strangers get no answers, which would tell them that we are online.
//!
//! # Whom to trust
//!
//! A send never waits for a person. With [`TrustPolicy::BlindBeforeVerification`](crate::TrustPolicy) keys are
//! trusted as they come until one of that account was verified; with `Manual` each waits for a decision;
//! with `Automatic` devices that have verified each other tell each other what was decided (XEP-0450).
//!
//! People compare fingerprints in eight groups ([`Account::devices`], [`Account::decide`]), or scan a code:
//! one device shows [`Account::uri`], the other calls [`Account::verify`], even before the first message.
//! [`Account::inspect`] fetches what there is to compare.
//!
//! | event | what a person should see |
//! | --- | --- |
//! | [`NewDevice`](crate::Event::NewDevice) | that a contact has another device |
//! | [`NewKey`](crate::Event::NewKey), undecided | a question: compare, and trust or not |
//! | [`IdentityChanged`](crate::Event::IdentityChanged) | a warning: somebody shows another key under a known id; it was refused |
//! | [`SharedKey`](crate::Event::SharedKey) | a warning: one key, two accounts; at most one has it by right |
//! | [`Downgraded`](crate::Event::Downgraded) | a question: may it get messages in the weaker protocol? [`Account::allow_downgrade`] |
//! | [`TrustChanged`](crate::Event::TrustChanged) | which device has decided, for a log |
//! | [`Sealed`](crate::Event::Sealed), [`Refused`](crate::Event::Refused) | who cannot read the message, and why |
//! | [`Undecryptable`](crate::Event::Undecryptable) | that a message is missing, and why |
//! | [`Duplicate`](crate::Event::Duplicate) | nothing |
//!
//! Each received message says how far its sender was trusted when it was decrypted
//! ([`Message::trust`](crate::Message::trust)): show it.
//!
//! # Rooms
//!
//! [`Account::enter`], then the app's own join presence (XEP-0045), again in each stream that was not resumed.
//! From [`RoomReady`](crate::Event::RoomReady) on messages to [`Chat::Room`](crate::Chat::Room) are sealed for
//! all members, offline ones too; earlier ones wait. A room that hides real JIDs is refused
//! ([`RoomRefused`](crate::Event::RoomRefused)). Who wrote a message is the real JID in
//! [`Message::from`](crate::Message::from), never a nick.
//!
//! # Plain text
//!
//! Nothing here ever sends it. A contact may ask for it ([`OptedOut`](crate::Event::OptedOut), XEP-0384 §5.7); then
//! messages are refused until a person has decided: [`Account::answer_opt_out`]. [`Account::opt_out`] asks a
//! contact.
//!
//! # What breaks
//!
//! - *A contact cannot read us, or we cannot read it.* A person may have sessions made anew:
//!   [`Account::replace_sessions`]. It happens by itself for a session that does not exist, and never because a
//!   message failed; in legacy an app may want it ([`Settings::heal_legacy`](crate::Settings::heal_legacy)).
//! - *The store came back from a backup.* See [Backups](crate#backups): give an
//!   [`Anchor`](crate::Anchor), and call [`Account::recover`] on [`Restored`](crate::Event::Restored), once
//!   what the server holds is received. Who knows of it without any proof calls
//!   [`Account::put_back`](crate::Account::put_back) first.
//! - *A device of ours is lost.* [`Account::remove_device`], and distrust its key. One that is silent for months
//!   is left out by itself ([`Settings::stale`](crate::Settings::stale)).
//!
//! # The end
//!
//! [`Account::deactivate`] takes this device, or the whole account, off the server and erases every secret;
//! [`Deactivated`](crate::Event::Deactivated) says that it is done.
//!
//! [`Account::acknowledge`]: crate::Account::acknowledge
//! [`Account::allow_downgrade`]: crate::Account::allow_downgrade
//! [`Account::answer_opt_out`]: crate::Account::answer_opt_out
//! [`Account::caught_up`]: crate::Account::caught_up
//! [`Account::deactivate`]: crate::Account::deactivate
//! [`Account::decide`]: crate::Account::decide
//! [`Account::devices`]: crate::Account::devices
//! [`Account::enter`]: crate::Account::enter
//! [`Account::inspect`]: crate::Account::inspect
//! [`Account::known`]: crate::Account::known
//! [`Account::online`]: crate::Account::online
//! [`Account::opt_out`]: crate::Account::opt_out
//! [`Account::receive`]: crate::Account::receive
//! [`Account::recover`]: crate::Account::recover
//! [`Account::remove_device`]: crate::Account::remove_device
//! [`Account::replace_sessions`]: crate::Account::replace_sessions
//! [`Account::sent`]: crate::Account::sent
//! [`Account::tick`]: crate::Account::tick
//! [`Account::unacknowledged`]: crate::Account::unacknowledged
//! [`Account::uri`]: crate::Account::uri
//! [`Account::verify`]: crate::Account::verify
