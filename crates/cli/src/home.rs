//! The folder that a device lives in: `config.json`, `archive` and `omemo.db`. Never the password.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use omemo::{Account, BareJid, Environment, Settings};
use omemo_sqlite::SqliteStore;
use omemo_tokio::Archive;
use serde::{Deserialize, Serialize};

use crate::args::{Init, Protocols};
use crate::failure::Failure;

const CONFIG: &str = "config.json";
const STORE: &str = "omemo.db";
/// The archive's id of the newest message that was read; empty: none was there yet.
const ARCHIVE: &str = "archive";

/// What `init` was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) jid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) protocols: Protocols,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
}

/// One device's folder.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    config: Config,
    jid: BareJid,
}

/// The folder that was named, or the usual one.
pub(crate) fn folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let usual = || {
        let data = absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
        Some(data.join("omemo"))
    };
    named
        .or_else(usual)
        .ok_or_else(|| Failure::told("there is no home folder: name one with --data DIR"))
}

fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(variable)?);
    path.is_absolute().then_some(path)
}

impl Home {
    /// The device that was made here.
    pub(crate) fn load(folder: PathBuf) -> Result<Self, Failure> {
        let path = folder.join(CONFIG);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::told(format!(
                "there is no device in {}: make one with omemo init JID, or name its folder with --data DIR",
                folder.display()
            )),
            _ => unreadable(&path, &error.to_string()),
        })?;
        let config: Config =
            serde_json::from_str(&text).map_err(|error| unreadable(&path, &error.to_string()))?;
        Self::new(folder, config)
    }

    /// The device that `init` makes, or makes anew with other settings.
    pub(crate) fn prepare(folder: PathBuf, init: &Init) -> Result<Self, Failure> {
        let ca_file = match &init.ca_file {
            Some(path) => Some(std::path::absolute(path).map_err(|error| {
                Failure::told(format!("the CA file {}: {error}", path.display()))
            })?),
            None => None,
        };
        let config = Config {
            jid: init.jid.to_string(),
            server: init.server.as_ref().map(ToString::to_string),
            ca_file,
            protocols: init.protocols,
            label: init.label.clone(),
        };
        if folder.join(CONFIG).exists() {
            let there = Self::load(folder.clone())?;
            if there.jid != init.jid {
                return Err(Failure::told(format!(
                    "{} is the device of {}: choose another folder with --data DIR",
                    folder.display(),
                    there.jid
                )));
            }
        }
        make_folder(&folder).map_err(|error| {
            Failure::told(format!(
                "the folder {} cannot be made: {error}",
                folder.display()
            ))
        })?;
        Self::new(folder, config)
    }

    fn new(folder: PathBuf, config: Config) -> Result<Self, Failure> {
        let jid = BareJid::parse(&config.jid)
            .map_err(|error| unreadable(&folder.join(CONFIG), &error.to_string()))?;
        Ok(Self {
            folder,
            config,
            jid,
        })
    }

    /// Keeps the configuration.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(&self.config)
            .map_err(|error| Failure::told(error.to_string()))?;
        text.push('\n');
        self.write(CONFIG, &text)
    }

    pub(crate) const fn jid(&self) -> &BareJid {
        &self.jid
    }

    pub(crate) const fn protocols(&self) -> Protocols {
        self.config.protocols
    }

    /// The label of `init` counts no more: the store has another.
    pub(crate) fn forget_label(&mut self) -> Result<(), Failure> {
        if self.config.label.take().is_none() {
            return Ok(());
        }
        self.save()
    }

    /// Removes what is left of a device whose secrets are erased.
    pub(crate) fn erase(&self) -> Result<(), Failure> {
        let journals = [format!("{STORE}-wal"), format!("{STORE}-shm")];
        let files = [STORE, ARCHIVE, CONFIG];
        for name in files.into_iter().chain(journals.iter().map(String::as_str)) {
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::told(format!(
                        "{} cannot be removed: {error}",
                        self.folder.join(name).display()
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Opens the account; the first time a device is made.
    pub(crate) fn account(&self) -> Result<Account<SqliteStore>, Failure> {
        let mut settings = Settings::default();
        settings.versions = self.config.protocols.versions();
        settings.label.clone_from(&self.config.label);
        let store = SqliteStore::open(self.folder.join(STORE))
            .map_err(|error| Failure::told(error.to_string()))?;
        Ok(Account::open(
            store,
            self.jid.clone(),
            settings,
            Environment::system(),
        )?)
    }

    /// How to connect.
    pub(crate) fn connection(&self, password: String) -> Result<omemo_tokio::Config, Failure> {
        let mut connection = omemo_tokio::Config::new(self.jid.clone(), password);
        if let Some(server) = &self.config.server {
            let server = server.parse().map_err(|error| {
                unreadable(&self.folder.join(CONFIG), &format!("server: {error}"))
            })?;
            connection.server = Some(server);
        }
        connection.ca_file.clone_from(&self.config.ca_file);
        connection.archive = self.position(ARCHIVE);
        Ok(connection)
    }

    /// Everything in the archive up to here has been read.
    pub(crate) fn archived(&self, position: &Archive) -> Result<(), Failure> {
        self.note_position(ARCHIVE, position)
    }

    /// Where to go on in the archive of a room; the first time what is said from now on counts.
    pub(crate) fn room_archive(&self, room: &BareJid) -> Archive {
        self.position(&room_archive(room))
    }

    /// Everything in the archive of a room up to here has been read.
    pub(crate) fn room_archived(&self, room: &BareJid, position: &Archive) -> Result<(), Failure> {
        self.note_position(&room_archive(room), position)
    }

    fn position(&self, file: &str) -> Archive {
        match fs::read_to_string(self.folder.join(file)) {
            Ok(id) if id.trim().is_empty() => Archive::All,
            Ok(id) => Archive::After(id.trim().to_owned()),
            Err(_) => Archive::FromNowOn,
        }
    }

    fn note_position(&self, file: &str, position: &Archive) -> Result<(), Failure> {
        match position {
            Archive::After(id) => self.write(file, id),
            Archive::All => self.write(file, ""),
            _ => Ok(()),
        }
    }

    /// Writes a file as a whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let written = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        });
        match written {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::told(format!(
                "{} cannot be written: {error}. Check that the disk has room and the folder is yours",
                path.display()
            ))),
        }
    }
}

/// A file for the position in a room's archive. Not every JID is a file's name.
fn room_archive(room: &BareJid) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_".contains(&byte);
    let name: String = room
        .as_str()
        .bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        })
        .collect();
    format!("{ARCHIVE}-{name}")
}

fn unreadable(path: &Path, reason: &str) -> Failure {
    Failure::told(format!("{} cannot be read: {reason}", path.display()))
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(jid: &str) -> Init {
        Init {
            jid: BareJid::parse(jid).unwrap(),
            server: Some("127.0.0.1:5222".parse().unwrap()),
            ca_file: None,
            label: Some("Balcony".into()),
            protocols: Protocols::Legacy,
            json: false,
        }
    }

    #[test]
    fn a_configuration_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::prepare(folder.path().join("new"), &init("a@b.example")).unwrap();
        home.save().unwrap();
        let again = Home::load(folder.path().join("new")).unwrap();
        assert_eq!(again.config, home.config);
        home.archived(&Archive::After("id-7".into())).unwrap();
        let connection = again.connection("secret".into()).unwrap();
        assert_eq!(connection.archive, Archive::After("id-7".into()));
        for file in fs::read_dir(folder.path().join("new")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains("secret"));
        }
    }

    #[test]
    fn a_folder_belongs_to_one_account() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        Home::prepare(path.clone(), &init("a@b.example"))
            .unwrap()
            .save()
            .unwrap();
        assert!(Home::prepare(path.clone(), &init("a@b.example")).is_ok());
        let refused = Home::prepare(path, &init("c@b.example")).unwrap_err();
        assert!(refused.to_string().contains("a@b.example"), "{refused}");
    }

    #[test]
    fn a_missing_device_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Home::load(folder.path().to_owned()).unwrap_err();
        assert!(refused.to_string().contains("omemo init"), "{refused}");
    }
}
