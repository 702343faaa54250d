//! Two federated XMPP servers on loopback, with names, certificates and accounts of their own.
//!
//! ```text
//! a.localhost   Prosody   127.x.y.1 ─┐
//!                                    ├─ STARTTLS with certificates of the lab's own authority
//! b.localhost   Prosody   127.x.y.2 ─┘
//! names: a DNS stub on 127.x.y.9, a thread of this process
//! ```
//!
//! Every lab takes a loopback network of its own (`x.y` is drawn until a free one is found), so that any number of them
//! run at the same time. Everything lives in one temporary folder; a warden ends all processes and removes
//! the folder when the harness goes, however it goes.

mod certificates;
mod names;
mod network;
mod prosody;
mod warden;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::capture::Capture;
use network::Network;
use prosody::Prosody;
use warden::Warden;

/// The servers' domains: [`Domain::A`] and [`Domain::B`] are different servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// `a.localhost`
    A,
    /// `b.localhost`
    B,
}

impl Domain {
    /// Both, in the order of their addresses.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The domain as it stands in a JID.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a.localhost",
            Self::B => "b.localhost",
        }
    }
}

/// An account that exists on a server of the lab.
#[derive(Clone, Debug)]
pub struct Account {
    user: String,
    domain: Domain,
    /// The bare JID.
    pub jid: String,
    /// Its password.
    pub password: String,
    /// Where its server listens for clients (STARTTLS).
    pub server: SocketAddr,
    /// The certificate authority that vouches for the server.
    pub ca_file: PathBuf,
}

/// The running servers. Dropping it ends them.
#[derive(Debug)]
pub struct Lab {
    servers: [Prosody; 2],
    ca_file: PathBuf,
    // Registration runs a program that reads and writes the server's data: one at a time.
    registration: Mutex<()>,
    secrets: Mutex<Vec<String>>,
    nobody: SocketAddr,
    warden: Warden,
}

impl Lab {
    /// The password of every account.
    pub const PASSWORD: &'static str = "lab-password";

    /// Starts the servers; they accept clients when this returns. With `keep`, the folder stays for a look at it.
    ///
    /// # Panics
    ///
    /// When a server does not start; the message holds its log.
    #[must_use]
    pub fn start(keep: bool) -> Self {
        let warden = Warden::post(keep);
        let network = Network::find();
        names::serve(&network);
        let certificates = warden.folder().join("certificates");
        let ca_file = certificates::issue(&certificates, &Domain::ALL.map(Domain::name));
        let servers =
            Domain::ALL.map(|domain| Prosody::start(domain, &network, &certificates, &warden));
        for server in &servers {
            server.wait_until_ready();
        }
        Self {
            servers,
            ca_file,
            registration: Mutex::new(()),
            secrets: Mutex::default(),
            nobody: network.nobody(),
            warden,
        }
    }

    /// Makes a new account.
    ///
    /// # Panics
    ///
    /// When the server's own program cannot register it.
    #[must_use]
    pub fn account(&self, user: &str, domain: Domain) -> Account {
        let _one_at_a_time = self
            .registration
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let server = self.server(domain);
        server.register(user, Self::PASSWORD);
        Account {
            user: user.to_owned(),
            domain,
            jid: format!("{user}@{}", domain.name()),
            password: Self::PASSWORD.to_owned(),
            server: server.c2s,
            ca_file: self.ca_file.clone(),
        }
    }

    /// Makes two accounts contacts of each other, as most people are that write to each other: each sees the other's
    /// presence, and hears of changes in the other's device lists. To be done before they first log in.
    pub fn befriend(&self, one: &Account, other: &Account) {
        for (owner, contact) in [(one, other), (other, one)] {
            self.server(owner.domain)
                .add_contact(&owner.user, &contact.jid);
        }
    }

    /// A text that nobody else writes, to be sent encrypted: after all tests it must not be found with the servers.
    #[must_use]
    pub fn secret(&self, text: &str) -> String {
        let secret = format!("{text} {:016x}", RandomState::new().build_hasher().finish());
        self.secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(secret.clone());
        secret
    }

    /// All texts that were to be sent encrypted.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A folder of its own for something that a test starts; a process that runs there is ended with the lab.
    ///
    /// # Panics
    ///
    /// When the folder exists already.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        self.warden.subfolder(name)
    }

    /// Has the process `id`, which runs in the folder `name`, ended with the lab.
    pub fn watch(&self, name: &str, id: u32) {
        self.warden.watch(name, id);
    }

    /// Where everything of this lab lies.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.warden.folder()
    }

    /// Everything that the servers have read and written so far.
    #[must_use]
    pub fn captured(&self) -> Vec<Capture> {
        self.servers
            .iter()
            .flat_map(|server| Capture::read_all(&server.capture_file()))
            .collect()
    }

    /// The folders in which the servers keep their data, archives included.
    #[must_use]
    pub fn server_folders(&self) -> Vec<PathBuf> {
        self.servers
            .iter()
            .map(|server| server.folder.clone())
            .collect()
    }

    /// An address at which nobody listens.
    #[must_use]
    pub fn nobody(&self) -> SocketAddr {
        self.nobody
    }

    fn server(&self, domain: Domain) -> &Prosody {
        match domain {
            Domain::A => &self.servers[0],
            Domain::B => &self.servers[1],
        }
    }
}

/// Why no lab can be started here, if it cannot.
#[must_use]
pub fn lacking() -> Option<String> {
    let missing = |program: &&str| {
        let result = Command::new(program)
            .arg("--help")
            .stdin(Stdio::null())
            .output();
        matches!(result, Err(error) if error.kind() == ErrorKind::NotFound)
    };
    if let Some(program) = ["openssl", "prosody", "prosodyctl"]
        .iter()
        .find(|program| missing(program))
    {
        return Some(format!("{program} is not installed"));
    }
    // Without it Prosody asks the system's resolver, which knows nothing of the lab's names.
    let about = Command::new("prosodyctl")
        .arg("about")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let about = String::from_utf8_lossy(&about.stdout).into_owned();
    let resolver = about
        .lines()
        .any(|line| line.starts_with("luaunbound:") && line.contains(|c: char| c.is_ascii_digit()));
    (!resolver).then(|| "lua-unbound is not installed".to_owned())
}
