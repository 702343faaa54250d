//! Compiles programs in C and links them with the library that this package has just built.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// The folder of the package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a program can be started. Where it cannot, the test is skipped, and says so; with `OMEMO_STRICT` it fails.
pub(crate) fn there_is(program: &str) -> bool {
    let asked = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let found = asked.is_ok_and(|status| status.success());
    if !found {
        println!("SKIPPED: there is no {program}");
        assert!(
            env::var_os("OMEMO_STRICT").is_none_or(|strict| strict != "1"),
            "there is no {program}, and nothing may be skipped"
        );
    }
    found
}

/// Compiles sources of `tests/c` into one program of that name.
pub(crate) fn compile(name: &str, sources: &[&str], flags: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("program");
    let library = library(&folder);
    let mut command = Command::new("cc");
    command
        .args([
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-g",
        ])
        .args(flags)
        .arg("-I")
        .arg(package().join("include"))
        .arg("-o")
        .arg(&program)
        .args(
            sources
                .iter()
                .map(|source| package().join("tests/c").join(source)),
        )
        .arg(library)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-pthread");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    program
}

/// The shared library, in a folder under each name by which a linker or a loader may ask for it.
fn library(folder: &Path) -> PathBuf {
    let name = format!("{DLL_PREFIX}omemo_ffi{DLL_SUFFIX}");
    let built = env::current_exe().unwrap().with_file_name(&name);
    assert!(
        built.is_file(),
        "{} was not built with this test",
        built.display()
    );
    for alias in [name.as_str(), "libomemo.so", "libomemo.so.0"] {
        let link = folder.join(alias);
        let _none_yet = fs::remove_file(&link);
        std::os::unix::fs::symlink(&built, &link).unwrap();
    }
    folder.join(name)
}
