//! The folder that a device lives in: `config.json`, `archive` and `omemo.db`. Never the password.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use omemo::{Account, BareJid, Environment, Settings};
use omemo_sqlite::{FileAnchor, SqliteStore};
use omemo_tokio::Archive;
use serde::{Deserialize, Serialize};

use crate::args::{Init, Policy, Protocols};
use crate::failure::Failure;

const CONFIG: &str = "config.json";
const STORE: &str = "omemo.db";
const STORE_WAL: &str = "omemo.db-wal";
const STORE_SHM: &str = "omemo.db-shm";
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
    #[serde(default)]
    pub(crate) policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) anchor: Option<PathBuf>,
    /// `omemo deactivate` has begun: nothing else may be done here, or a new device would be made.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) given_up: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "this is how serde asks")]
const fn is_false(value: &bool) -> bool {
    !*value
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
        let home = Self::load_any(folder)?;
        if home.config.given_up {
            return Err(Failure::told(format!(
                "the device in {} is given up: omemo deactivate --yes takes it off the server",
                home.folder.display()
            )));
        }
        Ok(home)
    }

    /// The device that was made here, even if it is given up.
    pub(crate) fn load_any(folder: PathBuf) -> Result<Self, Failure> {
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

    /// The device that `init` makes, or makes anew with other settings. The policy and the anchor of a
    /// device stay where none is named: nobody loses them by a shorter command line.
    pub(crate) fn prepare(folder: PathBuf, init: &Init) -> Result<Self, Failure> {
        let there = match folder.join(CONFIG).exists() {
            true => Some(Self::load(folder.clone())?),
            false => None,
        };
        if let Some(there) = there.as_ref().filter(|there| there.jid != init.jid) {
            return Err(Failure::told(format!(
                "{} is the device of {}: choose another folder with --data DIR",
                folder.display(),
                there.jid
            )));
        }
        let known = there.map(|there| there.config);
        let anchor = match &init.anchor {
            Some(path) => Some(anchor(path, &folder)?),
            None => known.as_ref().and_then(|known| known.anchor.clone()),
        };
        let ca_file = init.ca_file.as_ref();
        let config = Config {
            jid: init.jid.to_string(),
            server: init.server.as_ref().map(ToString::to_string),
            ca_file: ca_file.map(|path| absolute_file(path)).transpose()?,
            protocols: init.protocols,
            policy: init
                .policy
                .or(known.as_ref().map(|known| known.policy))
                .unwrap_or_default(),
            anchor,
            given_up: false,
        };
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

    /// From here on nothing but `omemo deactivate` may be done with this device.
    pub(crate) fn give_up(&mut self) -> Result<(), Failure> {
        self.config.given_up = true;
        self.save()
    }

    /// Removes what is left of a device whose secrets are erased: the configuration last, for as long as
    /// it is there this can be done again.
    pub(crate) fn erase(&self) -> Result<(), Failure> {
        let here = [STORE, STORE_WAL, STORE_SHM, CONFIG].map(|name| self.folder.join(name));
        let archives = self.archives();
        for file in self.config.anchor.iter().chain(&archives).chain(&here) {
            match fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::told(format!(
                        "{} cannot be removed: {error}",
                        file.display()
                    )));
                }
                _ => {}
            }
        }
        // unless somebody keeps something else there
        fs::remove_dir(&self.folder).ok();
        Ok(())
    }

    /// The files with positions in archives, of our account and of rooms.
    fn archives(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        files
            .filter(|file| file.file_name().to_string_lossy().starts_with(ARCHIVE))
            .map(|file| file.path())
            .collect()
    }

    /// Opens the account; the first time a device is made.
    pub(crate) fn account(&self) -> Result<Account<SqliteStore>, Failure> {
        let mut settings = Settings::default();
        settings.versions = self.config.protocols.versions();
        settings.trust = self.config.policy.policy();
        let mut environment = Environment::system();
        if let Some(path) = &self.config.anchor {
            environment = environment.with_anchor(FileAnchor::new(path));
        }
        let store = SqliteStore::open(self.folder.join(STORE))
            .map_err(|error| Failure::told(error.to_string()))?;
        Ok(Account::open(
            store,
            self.jid.clone(),
            settings,
            environment,
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

fn absolute_file(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::told(format!("the file {}: {error}", path.display())))
}

/// Where a device in this folder may have its anchor.
fn anchor(path: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let (path, folder) = (absolute_file(path)?, absolute_file(folder)?);
    if path.starts_with(&folder) {
        return Err(Failure::told(format!(
            "the anchor must not lie in {}: whoever copies the keys would copy it with them",
            folder.display()
        )));
    }
    let is_new = !folder.join(STORE).exists();
    if is_new && path.exists() {
        return Err(Failure::told(format!(
            "{} is the anchor of another device: name another file, or delete it if that device is gone",
            path.display()
        )));
    }
    Ok(path)
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
            policy: None,
            anchor: None,
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
    fn policy_and_anchor_stay_where_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device");
        let kept = folder.path().join("anchor");
        let named = Init {
            policy: Some(Policy::Manual),
            anchor: Some(kept.clone()),
            ..init("a@b.example")
        };
        Home::prepare(path.clone(), &named).unwrap().save().unwrap();
        let again = Home::prepare(path.clone(), &init("a@b.example")).unwrap();
        assert_eq!(again.config.policy, Policy::Manual);
        assert_eq!(again.config.anchor, Some(kept.clone()));
        // the device is made, and its anchor written: no other device may have it
        again.account().unwrap();
        assert!(kept.exists());
        assert!(Home::prepare(path, &named).is_ok());
        let other = folder.path().join("other");
        let refused = Home::prepare(other, &named).unwrap_err();
        assert!(refused.to_string().contains("another device"), "{refused}");
    }

    #[test]
    fn an_anchor_lies_outside() {
        let folder = tempfile::tempdir().unwrap();
        let inside = Init {
            anchor: Some(folder.path().join("anchor")),
            ..init("a@b.example")
        };
        let refused = Home::prepare(folder.path().to_owned(), &inside).unwrap_err();
        assert!(refused.to_string().contains("must not lie"), "{refused}");
    }

    #[test]
    fn what_is_given_up_makes_no_new_device() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device");
        let mut home = Home::prepare(path.clone(), &init("a@b.example")).unwrap();
        home.give_up().unwrap();
        for refused in [
            Home::load(path.clone()).unwrap_err(),
            Home::prepare(path.clone(), &init("a@b.example")).unwrap_err(),
        ] {
            assert!(refused.to_string().contains("deactivate"), "{refused}");
        }
        let room = BareJid::parse("orchard@rooms.example").unwrap();
        home.room_archived(&room, &Archive::All).unwrap();
        Home::load_any(path.clone()).unwrap().erase().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_missing_device_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Home::load(folder.path().to_owned()).unwrap_err();
        assert!(refused.to_string().contains("omemo init"), "{refused}");
    }
}
