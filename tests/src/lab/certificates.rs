//! The lab's own certificate authority, and one certificate for each server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;

/// Issues certificates into a new folder; returns the authority's.
pub(super) fn issue(folder: &Path, domains: &[&str]) -> PathBuf {
    fs::create_dir(folder).expect("a folder for certificates");
    openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=Lab -keyout ca.key -out ca.crt \
         -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
    );
    for domain in domains {
        // A server is a client of the other one, too.
        let extensions = format!(
            "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{domain},DNS:rooms.{domain}\n"
        );
        fs::write(folder.join(format!("{domain}.ext")), extensions)
            .expect("extensions of a certificate");
        openssl(
            folder,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={domain} -keyout {domain}.key \
                 -out {domain}.csr"
            ),
        );
        openssl(
            folder,
            &format!(
                "x509 -req -days 30 -in {domain}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile {domain}.ext \
                 -out {domain}.crt"
            ),
        );
    }
    folder.join("ca.crt")
}

fn openssl(folder: &Path, arguments: &str) {
    run(Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder));
}
