//! One ejabberd server.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::network::{C2S_PORT, HTTP_PORT, Network, S2S_PORT, TLS_PORT};
use super::warden::Warden;
use super::{Domain, Server};
use crate::patience::{PATIENCE, wait_for};
use crate::process::{run, tail};

const CONFIGURATION: &str = include_str!("../../lab/ejabberd.yml");
const CAPTURE_MODULE: &str = include_str!("../../lab/mod_lab_capture.erl");

/// Without a name the Erlang machine is no node of a cluster: no cookie, and no further program that listens. One
/// scheduler is enough, which sleeps when there is nothing to do; and it dies when it is told to.
const MACHINE: &str = "+S 1 +sbwt none -noinput -eval os:set_signal(sigterm,default)";

#[derive(Debug)]
pub(super) struct Ejabberd {
    domain: Domain,
    folder: PathBuf,
    address: IpAddr,
    /// Ended by the warden.
    process: Mutex<Child>,
    ready: OnceLock<()>,
}

impl Ejabberd {
    /// Starts it, where it is installed; nobody waits for it here.
    pub(super) fn start(
        domain: Domain,
        network: &Network,
        certificates: &Path,
        warden: &Warden,
    ) -> Option<Self> {
        if lacking().is_some() {
            return None;
        }
        let libraries = libraries()?;
        let folder = warden.subfolder(domain.name());
        let address = IpAddr::from(network.server(domain.number()));
        let mut configuration = CONFIGURATION.to_owned();
        for (word, value) in [
            ("@DIR@", folder.display().to_string()),
            ("@CERTIFICATES@", certificates.display().to_string()),
            ("@DOMAIN@", domain.name().to_owned()),
            ("@ADDRESS@", address.to_string()),
            ("@C2S_PORT@", C2S_PORT.to_string()),
            ("@TLS_PORT@", TLS_PORT.to_string()),
            ("@S2S_PORT@", S2S_PORT.to_string()),
            ("@HTTP_PORT@", HTTP_PORT.to_string()),
        ] {
            configuration = configuration.replace(word, &value);
        }
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("a file for the server");
        };
        write("ejabberd.yml", &configuration);
        write("inetrc", &resolver(network.dns_address()));
        write("mod_lab_capture.erl", CAPTURE_MODULE);
        write("capture", "");
        let output =
            fs::File::create(folder.join("output")).expect("a file for the server's output");
        run(Command::new("erlc")
            .arg("mod_lab_capture.erl")
            .current_dir(&folder));
        let process = Command::new("erl")
            .args(MACHINE.split_whitespace())
            .args(["-mnesia", "dir"])
            .arg(format!("{:?}", folder.join("spool").display().to_string()))
            .args(["-pa", ".", "-s", "ejabberd"])
            .env("ERL_LIBS", libraries)
            .env("ERL_INETRC", folder.join("inetrc"))
            .env("ERL_CRASH_DUMP", folder.join("crash"))
            .env("EJABBERD_CONFIG_PATH", folder.join("ejabberd.yml"))
            .env("EJABBERD_LOG_PATH", folder.join("ejabberd.log"))
            .env("HOME", &folder)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stderr(output.try_clone().expect("a second handle of the output"))
            .stdout(output)
            .spawn()
            .unwrap_or_else(|error| panic!("erl does not start: {error}; is it installed?"));
        warden.watch(domain.name(), process.id());
        Some(Self {
            domain,
            folder,
            address,
            process: Mutex::new(process),
            ready: OnceLock::new(),
        })
    }

    fn expect_ready(&self) {
        for port in [C2S_PORT, S2S_PORT, HTTP_PORT] {
            let address = SocketAddr::from((self.address, port));
            let state = wait_for(PATIENCE, || {
                if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                    return Some("ready".to_owned());
                }
                let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
                let status = process.try_wait().expect("a child's status")?;
                Some(format!("has ended: {status}"))
            });
            assert!(
                state.as_deref() == Some("ready"),
                "ejabberd of {} does not listen on {address} {}:\n{}",
                self.domain.name(),
                state.unwrap_or_default(),
                self.story(),
            );
        }
    }

    /// One of ejabberd's own commands.
    fn command(&self, name: &str, arguments: &Value) {
        let body = arguments.to_string();
        let request = format!(
            "POST /api/{name} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.domain.name(),
            body.len()
        );
        let mut answer = String::new();
        let result = TcpStream::connect((self.address, HTTP_PORT)).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            stream.read_to_string(&mut answer)
        });
        assert!(
            result.is_ok() && answer.starts_with("HTTP/1.1 200"),
            "ejabberd refuses {name} {arguments}: {result:?} {answer}\n{}",
            self.story()
        );
    }
}

impl Server for Ejabberd {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn c2s(&self) -> SocketAddr {
        SocketAddr::from((self.address, C2S_PORT))
    }

    fn wait_until_ready(&self) {
        self.ready.get_or_init(|| self.expect_ready());
    }

    fn register(&self, user: &str, password: &str) {
        let account = json!({"user": user, "host": self.domain.name(), "password": password});
        self.command("register", &account);
    }

    fn add_contact(&self, user: &str, contact: &str) {
        let (contact, server) = contact.split_once('@').expect("a bare JID");
        let item = json!({
            "localuser": user, "localhost": self.domain.name(), "user": contact, "host": server, "nick": "", "group": "",
            "subs": "both",
        });
        self.command("add_rosteritem", &item);
    }

    fn story(&self) -> String {
        tail(&self.folder.join("output"), 30) + &tail(&self.folder.join("ejabberd.log"), 30)
    }
}

/// Why there is no ejabberd here, if there is none.
pub(super) fn lacking() -> Option<String> {
    if libraries().is_none() {
        return Some("ejabberd is not installed".to_owned());
    }
    super::missing(&["erl", "erlc"])
}

/// Where packages put it: the folder that holds `ejabberd-VERSION`, below `/usr/lib` or the machine's part of it.
fn libraries() -> Option<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let root = PathBuf::from("/usr/lib");
    let mut candidates = below(&root);
    candidates.insert(0, root);
    candidates.into_iter().find(|folder| {
        below(folder)
            .iter()
            .any(|library| library.join("ebin/ejabberd_app.beam").exists())
    })
}

/// Erlang's own resolver asks the lab's DNS stub only. An empty name for the system's file is needed: from a file, even an
/// empty one, Erlang reads again later and forgets the name server.
fn resolver(dns: SocketAddr) -> String {
    let ip = dns.ip().to_string().replace('.', ",");
    format!(
        "{{resolv_conf, \"\"}}.\n{{lookup, [dns]}}.\n{{nameserver, {{{ip}}}, {}}}.\n",
        dns.port()
    )
}
