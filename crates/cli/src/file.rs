//! `omemo file`: encrypted files, as they are shared in chats.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use omemo::xml;
use omemo_files::{
    AesgcmLink, Cipher, EncryptedFile, FileError, FileSharing, SealedFile, decrypt_file,
    encrypt_file,
};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::report::say;

/// How a link begins.
const LINK: &str = "aesgcm://";
/// Instead of a link or a file's name: read it from standard input.
const STDIN: &str = "-";

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Encrypt a file under a new key
    #[command(after_help = "\
Examples:
  omemo file encrypt photo.jpg
  omemo file encrypt photo.jpg --url https://upload.example/slot/photo.jpg
  omemo file encrypt photo.jpg -o sealed --media-type image/jpeg --json

Writes PATH.enc, which is what to upload, and prints what the recipients need: the link that most
clients understand (XEP-0454), and the element for those that know more (XEP-0448). Both hold the
key: whoever has one can read the file, so send them in an encrypted message only. No key is used
for two files.

Without --url, the end of the link is printed, to put after aesgcm:// and the place of the upload.")]
    Encrypt {
        /// The file
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// What to write, which must not exist yet [default: PATH.enc]
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
        /// Where the upload will be found: an https:// address
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Links are for the first alone
        #[arg(long, value_enum, default_value_t)]
        cipher: CipherName,
        /// What kind of file it is, such as image/jpeg, for the element
        #[arg(long, value_name = "TYPE")]
        media_type: Option<String>,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Decrypt a file that was downloaded
    #[command(after_help = "\
Examples:
  omemo file decrypt 'aesgcm://upload.example/slot/photo.jpg#8c3d05...' photo.jpg.enc -o photo.jpg
  omemo file decrypt element.xml photo.jpg.enc -o photo.jpg
  omemo file decrypt - photo.jpg.enc -o photo.jpg < link.txt

The first is a link, or a file with a link or with a <file-sharing/> element, or - for standard
input, which keeps the key out of the shell's history and out of the list of processes.

The file is read twice: nothing is written of a file that is not the sender's, and OUT appears only
when all of it is there. What an element announces (size, hashes) is checked, too.")]
    Decrypt {
        /// The link, or a file with a link or an element, or -
        #[arg(value_name = "LINK|FILE|-")]
        key: String,
        /// The encrypted file
        #[arg(value_name = "CIPHERTEXT")]
        ciphertext: PathBuf,
        /// What to write, which must not exist yet
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
}

/// The ciphers of XEP-0448.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CipherName {
    /// What every client knows
    #[default]
    #[value(name = "aes-256-gcm")]
    Aes256Gcm,
    /// With a shorter key
    #[value(name = "aes-128-gcm")]
    Aes128Gcm,
    /// Without a tag of its own: its hashes protect it
    #[value(name = "aes-256-cbc")]
    Aes256Cbc,
}

impl From<CipherName> for Cipher {
    fn from(name: CipherName) -> Self {
        match name {
            CipherName::Aes256Gcm => Self::Aes256Gcm,
            CipherName::Aes128Gcm => Self::Aes128Gcm,
            CipherName::Aes256Cbc => Self::Aes256Cbc,
        }
    }
}

pub(crate) fn file(command: FileCommand) -> Result<(), Failure> {
    match command {
        FileCommand::Encrypt {
            path,
            output,
            url,
            cipher,
            media_type,
            json,
        } => {
            // Said before the work is done.
            if url.as_ref().is_some_and(|url| !begins(url, "https://")) {
                return Err(Failure::told("the URL has to begin with https://"));
            }
            let output = output.unwrap_or_else(|| encrypted_name(&path));
            let plaintext = Counted::open(&path, 1, json)?;
            let out = Destination::new(&output)?;
            let sealed = encrypt_file(cipher.into(), plaintext, &out.file)
                .map_err(|error| failed(error, &path, &output))?;
            let told = Told::new(&sealed, &path, url, media_type)?;
            out.keep()?;
            if json {
                told.json(&sealed, &output)
            } else {
                told.people(&sealed, &output)
            }
        }
        FileCommand::Decrypt {
            key,
            ciphertext,
            output,
            json,
        } => {
            let size = decrypt(&what_is_known(&key)?, &ciphertext, &output, json)?;
            if json {
                let line = json!({"event": "decrypted", "path": output.display().to_string(), "size": size});
                return Ok(say(&line.to_string())?);
            }
            Ok(say(&format!("Wrote {}, {size} bytes.", output.display()))?)
        }
    }
}

fn encrypted_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".enc");
    name.into()
}

/// Of several sources, the one that the ciphertext is from.
fn decrypt(
    files: &[EncryptedFile],
    path: &Path,
    output: &Path,
    quiet: bool,
) -> Result<u64, Failure> {
    let mut outcome = Err(Failure::told("there is no key"));
    for file in files {
        let ciphertext = Counted::open(path, 2, quiet)?;
        let out = Destination::new(output)?;
        outcome = decrypt_file(file, ciphertext, &out.file)
            .map_err(|error| failed(error, path, output))
            .and_then(|size| out.keep().map(|()| size));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// What a link or an element tells.
fn what_is_known(key: &str) -> Result<Vec<EncryptedFile>, Failure> {
    let text = if key == STDIN {
        io::read_to_string(io::stdin())
            .map_err(|error| Failure::told(format!("the standard input cannot be read: {error}")))?
    } else if begins(key, LINK) {
        key.to_owned()
    } else {
        fs::read_to_string(key)
            .map_err(|error| Failure::told(format!("{key} cannot be read: {error}")))?
    };
    let text = text.trim();
    if begins(text, LINK) {
        let link = AesgcmLink::parse(text).map_err(|error| Failure::told(error.to_string()))?;
        return Ok(vec![link.file()]);
    }
    let element = xml::parse(text).map_err(|error| {
        Failure::told(format!("neither an {LINK} link nor an element: {error}"))
    })?;
    let sharing = FileSharing::parse(&element).map_err(|error| Failure::told(error.to_string()))?;
    let sources = &sharing.sources;
    if let ([], [reason, ..]) = (&sources.encrypted[..], &sources.refused[..]) {
        return Err(Failure::told(reason.to_string()));
    }
    let files = sources.encrypted.iter();
    let files: Vec<_> = files.map(|one| sharing.encrypted_file(one)).collect();
    if files.is_empty() {
        return Err(Failure::told("the element names no encrypted source"));
    }
    Ok(files)
}

/// Whether a text begins with a scheme, whose letters may be of either case.
fn begins(text: &str, scheme: &str) -> bool {
    let beginning = text.get(..scheme.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
}

fn failed(error: FileError, from: &Path, to: &Path) -> Failure {
    Failure::told(match error {
        FileError::Read(error) => format!("{} cannot be read: {error}", from.display()),
        FileError::Write(error) => format!("{} cannot be written: {error}", to.display()),
        error => format!("{}: {error}", from.display()),
    })
}

/// What the recipients need.
struct Told {
    /// From `#` on.
    fragment: Option<String>,
    link: Option<String>,
    element: String,
}

impl Told {
    fn new(
        sealed: &SealedFile,
        path: &Path,
        url: Option<String>,
        media_type: Option<String>,
    ) -> Result<Self, Failure> {
        let told = |error: &dyn ToString| Failure::told(error.to_string());
        let any_place = url.as_deref().unwrap_or("https://host/path");
        // Another cipher's key can stand in no link.
        let link = (sealed.key.cipher() == Cipher::Aes256Gcm)
            .then(|| AesgcmLink::new(any_place, sealed.key.clone()))
            .transpose()
            .map_err(|error| told(&error))?;
        let mut sharing = FileSharing::of(sealed, url.iter().cloned().collect());
        let name = path.file_name().map(|name| name.to_string_lossy());
        sharing.file.name = name.map(|name| name.into_owned());
        sharing.file.media_type = media_type;
        let element = xml::to_text(&sharing.to_element()).map_err(|error| told(&error))?;
        Ok(Self {
            fragment: link.as_ref().map(|link| format!("#{}", *link.fragment())),
            link: link
                .filter(|_| url.is_some())
                .map(|link| link.to_text().to_string()),
            element,
        })
    }

    fn json(&self, sealed: &SealedFile, output: &Path) -> Result<(), Failure> {
        let line = json!({
            "event": "encrypted",
            "path": output.display().to_string(),
            "size": sealed.size,
            "ciphertext_size": sealed.ciphertext_size,
            "cipher": sealed.key.cipher().namespace(),
            "fragment": self.fragment,
            "link": self.link,
            "element": self.element,
        });
        Ok(say(&line.to_string())?)
    }

    fn people(&self, sealed: &SealedFile, output: &Path) -> Result<(), Failure> {
        let mut text = format!(
            "Wrote {}, {} bytes: upload it as it is. Whoever has what follows can read it, so send that encrypted.",
            output.display(),
            sealed.ciphertext_size
        );
        match (&self.link, &self.fragment) {
            (Some(link), _) => text += &format!("\n\nThe link, as a message of its own:\n{link}"),
            (None, Some(fragment)) => {
                text += &format!(
                    "\n\nThe end of the link, to follow {LINK} and the place of the upload:\n{fragment}"
                );
            }
            (None, None) => text += "\n\nThere is no link with this cipher.",
        }
        Ok(say(&format!("{text}\n\nThe element:\n{}", self.element))?)
    }
}

/// A file that gets its name when it is finished, and never that of another one.
struct Destination<'a> {
    file: NamedTempFile,
    path: &'a Path,
}

impl<'a> Destination<'a> {
    fn new(path: &'a Path) -> Result<Self, Failure> {
        if path.exists() {
            return Err(Failure::told(format!("{} exists already", path.display())));
        }
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        let file = file.map_err(|error| unwritable(path, &error))?;
        Ok(Self { file, path })
    }

    fn keep(self) -> Result<(), Failure> {
        let kept = self.file.persist_noclobber(self.path);
        kept.map_err(|error| unwritable(self.path, &error.error))?;
        Ok(())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::told(format!("{} cannot be written: {error}", path.display()))
}

/// A file that shows how far it has been read: so many times in all.
struct Counted {
    file: File,
    bar: ProgressBar,
}

impl Counted {
    fn open(path: &Path, times: u64, quiet: bool) -> Result<Self, Failure> {
        let unreadable =
            |error| Failure::told(format!("{} cannot be read: {error}", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            // On standard error, and only if that is a terminal.
            ProgressBar::new(size.saturating_mul(times))
        };
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {bytes_per_sec}, {eta}");
        Ok(Self {
            file,
            bar: match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            },
        })
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.bar.inc(length as u64);
        Ok(length)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
