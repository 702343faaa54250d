//! The shared library carries the name under which programs look for it: it only changes when the interface breaks. Elsewhere, as
//! on Android, names have no numbers.

/// The number in the name. Functions are only added as long as it stays.
const INTERFACE: &str = "0";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(target.as_str(), "linux" | "freebsd" | "netbsd" | "openbsd") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libomemo.so.{INTERFACE}");
    }
}
