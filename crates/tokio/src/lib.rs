//! Runs an [`omemo::Account`] over live connections to its server, with tokio-xmpp underneath.
//!
//! ```no_run
//! use omemo::{Account, BareJid, Chat, Environment, Outgoing, Settings};
//! use omemo_tokio::{Config, Driver, Event};
//!
//! # async fn run(store: omemo::store::MemoryStore) -> Result<(), Box<dyn std::error::Error>> {
//! let jid = BareJid::parse("juliet@capulet.example")?;
//! let account = Account::open(store, jid.clone(), Settings::default(), Environment::system())?;
//! let (driver, client, mut events) = Driver::new(account, Config::new(jid, "her password"))?;
//! let running = tokio::spawn(driver.run());
//!
//! while let Some(event) = events.recv().await {
//!     match event {
//!         Event::CaughtUp => {
//!             let romeo = Chat::Direct(BareJid::parse("romeo@montague.example")?);
//!             client.send(Outgoing::text("m1", romeo, "Good night")).await?;
//!         }
//!         Event::Account(omemo::Event::Message(message)) => {
//!             println!("{}: {:?}", message.from, message.body());
//!             client.acknowledge(vec![message.inbox_id]).await?;
//!         }
//!         Event::Sent { id } if id == "m1" => client.quit().await,
//!         _ => {}
//!     }
//! }
//! running.await??; // why it ended, as a sentence that says what to do
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! - connects by STARTTLS or by TLS from the first byte, to a given server or by SRV records; the
//!   certificate must be valid for the account's domain, by the system's authorities or a file's;
//! - ends with an [`Error`] that says what to do where trying again is no use, such as a wrong
//!   password; connects again, with growing pauses, when a connection that stood is lost;
//! - tells the account that a stanza was sent when the server says so: by stream management
//!   (XEP-0198), with resumption; without it by the answer to a ping, or an orderly end;
//! - does what each client does: presence with capabilities, carbons, the roster, the archive;
//! - is in the rooms that the app has [joined](Client::join), on every new stream again, and reads their
//!   archives.
//!
//! What it does not know: OMEMO. Every stanza goes to the account first.
//!
//! # How it is built
//!
//! [`Driver::run`] is the loop. It looks after a *line*, which is up (a *link*), being made
//! (*dialed*) or waited for. A link is one bound stream with its *ledger* of what the server has.
//! A *session* does what follows a login, and its *archive reader* turns the pages.

mod archive;
mod backoff;
mod caps;
mod client;
mod config;
mod dial;
mod driver;
mod error;
mod event;
mod flight;
mod ledger;
mod line;
mod link;
mod requests;
mod rooms;
mod session;
mod stanza;
mod tls;

pub use client::Client;
pub use config::{Archive, Config, Security, Server, ServerError};
pub use driver::Driver;
pub use error::{Error, JoinError};
pub use event::Event;
