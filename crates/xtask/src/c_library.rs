//! Builds and installs the C library: header, shared and static library, and what pkg-config needs to know.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::report::{Step, Verdict};
use crate::workspace::Workspace;

const PACKAGE: &str = "omemo-ffi";
/// The number in the shared library's name, as `ffi/build.rs` gives it to the linker.
const INTERFACE: &str = "0";
/// Optimised as a whole, on two slow cores, from nothing.
const BUILD_LIMIT: Duration = Duration::from_secs(25 * 60);
const STRIP_LIMIT: Duration = Duration::from_secs(60);

/// A library that was compiled.
#[derive(Debug)]
pub(crate) struct Library {
    folder: PathBuf,
    /// What has to be linked beside the static library.
    private: String,
}

/// Where an installed library is.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) prefix: PathBuf,
    pub(crate) header: PathBuf,
    pub(crate) shared: PathBuf,
    pub(crate) archive: PathBuf,
}

impl Library {
    /// Compiles it as it is shipped; with SQLCipher, if stores are to be encrypted.
    pub(crate) fn build(
        workspace: &Workspace,
        sqlcipher: bool,
        step: &Step,
    ) -> Result<Self, String> {
        let mut command = workspace.cargo();
        command.args(["rustc", "--package", PACKAGE, "--lib", "--profile", "ffi"]);
        if sqlcipher {
            command.args(["--features", "sqlcipher"]);
        }
        command.args(["--", "--print", "native-static-libs"]);
        let finished = step.run(&mut command, BUILD_LIMIT);
        if !finished.ok {
            return Err(finished.output);
        }
        Ok(Self {
            folder: workspace.target().join("ffi"),
            private: native_libraries(&finished.output)?,
        })
    }

    /// The one that the step `build` has left, which is not optimised.
    pub(crate) fn for_development(workspace: &Workspace, step: &Step) -> Result<Self, String> {
        // Asking cargo what it is linked with would compile it again, and it is what rustc says of an empty library.
        let nothing = workspace.logs().join("nothing");
        let source = nothing.with_extension("rs");
        fs::create_dir_all(workspace.logs())
            .and_then(|()| fs::write(&source, ""))
            .map_err(|error| format!("{}: {error}", source.display()))?;
        let mut command = Command::new("rustc");
        command
            .args(["--crate-type", "staticlib", "--print", "native-static-libs"])
            .arg(&source)
            .arg("-o")
            .arg(nothing.with_extension("a"));
        let finished = step.run(&mut command, STRIP_LIMIT);
        Ok(Self {
            folder: workspace.built(""),
            private: native_libraries(&finished.output)?,
        })
    }

    /// Puts it below `prefix`; in `destdir`, if a package is being made.
    pub(crate) fn install(
        &self,
        workspace: &Workspace,
        prefix: &Path,
        destdir: Option<&Path>,
        step: &Step,
    ) -> Result<Installed, String> {
        let version = version(workspace)?;
        let below = |folder: &str| below(destdir, &prefix.join(folder));
        let (include, lib) = (below("include"), below("lib"));
        let pkgconfig = lib.join("pkgconfig");
        for folder in [&include, &pkgconfig] {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let soname = format!("libomemo.so.{INTERFACE}");
        let installed = Installed {
            prefix: prefix.to_owned(),
            header: include.join("omemo.h"),
            shared: lib.join(format!("libomemo.so.{version}")),
            archive: lib.join("libomemo.a"),
        };
        put(
            &workspace.root().join("ffi/include/omemo.h"),
            &installed.header,
            0o644,
        )?;
        put(
            &self.folder.join("libomemo_ffi.so"),
            &installed.shared,
            0o755,
        )?;
        put(
            &self.folder.join("libomemo_ffi.a"),
            &installed.archive,
            0o644,
        )?;
        link(&format!("libomemo.so.{version}"), &lib.join(&soname))?;
        link(&soname, &lib.join("libomemo.so"))?;
        let description = pkgconfig.join("omemo.pc");
        fs::write(&description, self.description(prefix, &version))
            .map_err(|error| format!("{}: {error}", description.display()))?;
        // Of each file in it the archive has what debuggers and link-time optimisers of the same Rust want: more than the code.
        let mut command = Command::new("objcopy");
        command
            .args(["--strip-debug", "--remove-section=.llvmbc"])
            .arg("--remove-section=.llvmcmd")
            .arg(&installed.archive);
        let stripped = step.run(&mut command, STRIP_LIMIT);
        if !stripped.ok {
            return Err(stripped.output);
        }
        Ok(installed)
    }

    fn description(&self, prefix: &Path, version: &str) -> String {
        let (prefix, private) = (prefix.display(), &self.private);
        format!(
            "prefix={prefix}\n\
             includedir=${{prefix}}/include\n\
             libdir=${{prefix}}/lib\n\
             \n\
             Name: omemo\n\
             Description: End-to-end encryption for XMPP clients, in both OMEMO protocols in use\n\
             Version: {version}\n\
             Cflags: -I${{includedir}}\n\
             Libs: -L${{libdir}} -lomemo\n\
             Libs.private: {private}\n"
        )
    }
}

/// The chore `install`.
pub(crate) fn install(
    workspace: &Workspace,
    prefix: &Path,
    destdir: Option<&Path>,
    sqlcipher: bool,
    step: &Step,
) -> Verdict {
    if !prefix.is_absolute() {
        return Verdict::failed("--prefix has to be an absolute path");
    }
    let installed = Library::build(workspace, sqlcipher, step)
        .and_then(|library| library.install(workspace, prefix, destdir, step));
    match installed {
        Ok(installed) => {
            for file in [&installed.header, &installed.shared, &installed.archive] {
                step.note(&file.display().to_string());
            }
            Verdict::PASSED
        }
        Err(output) => Verdict::failed(output),
    }
}

/// What rustc says a static library needs beside it.
fn native_libraries(output: &str) -> Result<String, String> {
    output
        .lines()
        .filter_map(|line| line.split_once("native-static-libs: "))
        .map(|(_, libraries)| libraries.trim().to_owned())
        .next_back()
        .ok_or_else(|| {
            format!("rustc did not say what the static library is linked with:\n{output}")
        })
}

fn version(workspace: &Workspace) -> Result<String, String> {
    let text = |package: &Value, name: &str| {
        let text = package.get(name).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    let mut packages = workspace.packages().iter();
    packages
        .find(|package| text(package, "name").as_deref() == Some(PACKAGE))
        .and_then(|package| text(package, "version"))
        .ok_or_else(|| format!("{PACKAGE} has no version"))
}

/// Where a path is while a package is being made.
fn below(destdir: Option<&Path>, path: &Path) -> PathBuf {
    match destdir {
        Some(destdir) => destdir.join(path.strip_prefix("/").unwrap_or(path)),
        None => path.to_owned(),
    }
}

/// Copies a file to a new one, so that programs that use the old one keep it.
fn put(from: &Path, to: &Path, mode: u32) -> Result<(), String> {
    replace(to)
        .and_then(|()| fs::copy(from, to).map(|_| ()))
        .and_then(|()| fs::set_permissions(to, fs::Permissions::from_mode(mode)))
        .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

fn link(target: &str, path: &Path) -> Result<(), String> {
    replace(path)
        .and_then(|()| symlink(target, path))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn replace(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_static_library_is_linked_with() {
        let output = "   Compiling x\nnote: native-static-libs: -lm -lc\n\n    Finished\n";
        assert_eq!(native_libraries(output).as_deref(), Ok("-lm -lc"));
        assert!(native_libraries("    Finished\n").is_err());
    }

    #[test]
    fn a_package_is_made_in_a_folder_of_its_own() {
        let path = Path::new("/usr/lib");
        assert_eq!(below(None, path), path);
        assert_eq!(
            below(Some(Path::new("/made")), path),
            Path::new("/made/usr/lib")
        );
    }
}
