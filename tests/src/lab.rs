//! Three federated XMPP servers on loopback, with names, certificates and accounts of their own.
//!
//! ```text
//! a.localhost   Prosody   127.x.y.1 ─┐
//! b.localhost   Prosody   127.x.y.2 ─┼─ STARTTLS with certificates of the lab's own authority
//! e.localhost   ejabberd  127.x.y.3 ─┘
//! names: a DNS stub on 127.x.y.9, a thread of this process
//! ```
//!
//! ejabberd is there where it is installed ([`lacking_ejabberd`]); only who needs it waits for it.
//!
//! Every lab takes a loopback network of its own (`x.y` is drawn until a free one is found), so that any number of them
//! run at the same time. Everything lives in one temporary folder; a warden ends all processes and removes
//! the folder when the harness goes, however it goes.

mod certificates;
mod ejabberd;
mod names;
mod network;
mod prosody;
mod warden;

use std::env;
use std::fmt::Debug;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::capture::Capture;
use ejabberd::Ejabberd;
use network::Network;
use prosody::Prosody;
use warden::Warden;

/// The servers' domains: each is a server of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// `a.localhost`
    A,
    /// `b.localhost`
    B,
    /// `e.localhost`, which is ejabberd's
    E,
}

impl Domain {
    /// All, in the order of their addresses.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::E];

    /// The domain as it stands in a JID.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a.localhost",
            Self::B => "b.localhost",
            Self::E => "e.localhost",
        }
    }

    /// The last part of its server's address.
    const fn number(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
            Self::E => 3,
        }
    }
}

/// What a lab asks of a server, whoever wrote it.
trait Server: Debug + Send + Sync {
    /// Where it keeps all of its data.
    fn folder(&self) -> &Path;

    /// Where it listens for clients.
    fn c2s(&self) -> SocketAddr;

    /// Returns when it accepts clients, and fails with its log when it does not.
    fn wait_until_ready(&self);

    fn register(&self, user: &str, password: &str);

    /// Adds a contact with a subscription in both directions, before the owner first logs in.
    fn add_contact(&self, user: &str, contact: &str);

    /// The last that it has logged.
    fn story(&self) -> String;
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
    servers: Vec<(Domain, Box<dyn Server>)>,
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
        let mut servers: Vec<(Domain, Box<dyn Server>)> = Vec::new();
        for domain in [Domain::A, Domain::B] {
            let prosody = Prosody::start(domain, &network, &certificates, &warden);
            servers.push((domain, Box::new(prosody)));
        }
        let ejabberd = Ejabberd::start(Domain::E, &network, &certificates, &warden);
        for (_, server) in &servers {
            server.wait_until_ready();
        }
        // It takes some seconds more, which the tests of the others need not wait.
        if let Some(ejabberd) = ejabberd {
            servers.push((Domain::E, Box::new(ejabberd)));
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
        let server = self.server(domain);
        server.wait_until_ready();
        let _one_at_a_time = self
            .registration
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        server.register(user, Self::PASSWORD);
        Account {
            user: user.to_owned(),
            domain,
            jid: format!("{user}@{}", domain.name()),
            password: Self::PASSWORD.to_owned(),
            server: server.c2s(),
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
            .flat_map(|(_, server)| Capture::read_all(&server.folder().join("capture")))
            .collect()
    }

    /// The folders in which the servers keep their data, archives included.
    #[must_use]
    pub fn server_folders(&self) -> Vec<PathBuf> {
        self.servers
            .iter()
            .map(|(_, server)| server.folder().to_owned())
            .collect()
    }

    /// An address at which nobody listens.
    #[must_use]
    pub fn nobody(&self) -> SocketAddr {
        self.nobody
    }

    fn server(&self, domain: Domain) -> &dyn Server {
        let server = self.servers.iter().find(|(its, _)| *its == domain);
        let (_, server) =
            server.unwrap_or_else(|| panic!("no server of {} runs in this lab", domain.name()));
        &**server
    }
}

/// Why no lab can be started here, if it cannot.
#[must_use]
pub fn lacking() -> Option<String> {
    if let Some(reason) = missing(&["openssl", "prosody", "prosodyctl"]) {
        return Some(reason);
    }
    // Without it Prosody asks the system's resolver, which knows nothing of the lab's names.
    // With a configuration that anybody may read: the system's is for root and its own user.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let configuration = folder.path().join("prosody.cfg.lua");
    fs::write(&configuration, "VirtualHost \"localhost\"\n").expect("a configuration");
    let about = Command::new("prosodyctl")
        .arg("--config")
        .arg(configuration)
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

/// Why [`Domain::E`] has no server here, if it has none.
#[must_use]
pub fn lacking_ejabberd() -> Option<String> {
    ejabberd::lacking()
}

/// Says which of these programs is not there, if one is not.
fn missing(programs: &[&str]) -> Option<String> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let is_missing =
        |program: &&&str| !env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    let program = programs.iter().find(is_missing)?;
    Some(format!("{program} is not installed"))
}
