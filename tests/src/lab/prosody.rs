//! One Prosody server.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::network::{C2S_PORT, Network, S2S_PORT, TLS_PORT};
use super::warden::Warden;
use super::{Domain, Server};
use crate::patience::{PATIENCE, wait_for};
use crate::process::{run, tail};

const CONFIGURATION: &str = include_str!("../../lab/prosody.cfg.lua");
const CAPTURE_MODULE: &str = include_str!("../../lab/mod_lab_capture.lua");

#[derive(Debug)]
pub(super) struct Prosody {
    domain: Domain,
    folder: PathBuf,
    c2s: SocketAddr,
    s2s: SocketAddr,
    // Ended by the warden.
    _process: Child,
}

impl Prosody {
    pub(super) fn start(
        domain: Domain,
        network: &Network,
        certificates: &Path,
        warden: &Warden,
    ) -> Self {
        let folder = warden.subfolder(domain.name());
        for subfolder in ["data", "plugins"] {
            fs::create_dir(folder.join(subfolder)).expect("a folder for a server");
        }
        fs::write(folder.join("plugins/mod_lab_capture.lua"), CAPTURE_MODULE)
            .expect("the capture module");
        let address = network.server(domain.number());
        let mut configuration = CONFIGURATION.to_owned();
        for (word, value) in [
            ("@DIR@", folder.display().to_string()),
            ("@PLUGINS@", folder.join("plugins").display().to_string()),
            ("@CERTIFICATES@", certificates.display().to_string()),
            ("@DOMAIN@", domain.name().to_owned()),
            ("@ADDRESS@", address.to_string()),
            ("@C2S_PORT@", C2S_PORT.to_string()),
            ("@TLS_PORT@", TLS_PORT.to_string()),
            ("@S2S_PORT@", S2S_PORT.to_string()),
            // Prosody writes ADDRESS@PORT, so that the middle one of three at signs stays.
            ("@DNS_ADDRESS@", network.dns_address().ip().to_string()),
            ("@DNS_PORT@", network.dns_address().port().to_string()),
        ] {
            configuration = configuration.replace(word, &value);
        }
        fs::write(folder.join("prosody.cfg.lua"), configuration)
            .expect("the server's configuration");
        let output =
            fs::File::create(folder.join("output")).expect("a file for the server's output");
        let process = Command::new("prosody")
            .arg("--config")
            .arg(folder.join("prosody.cfg.lua"))
            .arg("-F")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stderr(output.try_clone().expect("a second handle of the output"))
            .stdout(output)
            .spawn()
            .unwrap_or_else(|error| panic!("prosody does not start: {error}; is it installed?"));
        warden.watch(domain.name(), process.id());
        let c2s = SocketAddr::from((address, C2S_PORT));
        Self {
            domain,
            folder,
            c2s,
            s2s: SocketAddr::from((address, S2S_PORT)),
            _process: process,
        }
    }
}

impl Server for Prosody {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn c2s(&self) -> SocketAddr {
        self.c2s
    }

    fn wait_until_ready(&self) {
        for address in [self.c2s, self.s2s] {
            let ready = wait_for(PATIENCE, || {
                TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
            });
            assert!(
                ready.is_some(),
                "Prosody of {} does not listen on {address}:\n{}",
                self.domain.name(),
                self.story(),
            );
        }
    }

    fn register(&self, user: &str, password: &str) {
        run(Command::new("prosodyctl")
            .arg("--config")
            .arg(self.folder.join("prosody.cfg.lua"))
            .args(["register", user, self.domain.name(), password]));
    }

    /// Writes a contact into the server's own storage. The server reads it when the owner logs in.
    fn add_contact(&self, user: &str, contact: &str) {
        let folder = self
            .folder
            .join("data")
            .join(file_name(self.domain.name()))
            .join("roster");
        fs::create_dir_all(&folder).expect("a folder for rosters");
        let file = folder.join(format!("{}.dat", file_name(user)));
        let roster = fs::read_to_string(&file)
            .unwrap_or_else(|_| "return { [false] = { version = 1 }; };\n".to_owned());
        let contact =
            format!("return {{ [\"{contact}\"] = {{ subscription = \"both\", groups = {{}} }};");
        fs::write(&file, roster.replacen("return {", &contact, 1)).expect("a roster");
    }

    fn story(&self) -> String {
        tail(&self.folder.join("output"), 30) + &tail(&self.folder.join("prosody.log"), 30)
    }
}

/// As Prosody names files: everything but letters and digits is escaped.
fn file_name(name: &str) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02x}")
        }
    };
    name.bytes().map(escape).collect()
}
