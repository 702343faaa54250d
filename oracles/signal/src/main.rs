//! Two implementations of Signal's protocol behind the shim protocol (`test-vectors/PROTOCOL.md`), for legacy OMEMO, which is
//! that protocol with a bundle of its own.
//!
//! `oracle-signal libsignal-protocol` is Signal's old C library, `oracle-signal wacore-libsignal` a descendant of today's Rust
//! library.

mod device;
mod hex;
mod libsignal;
mod request;
mod wacore;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use device::Oracle;
use request::Shim;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let answered = match name.as_str() {
        "libsignal-protocol" => serve::<libsignal::CLibrary>(),
        "wacore-libsignal" => serve::<wacore::Wacore>(),
        _ => {
            eprintln!("usage: oracle-signal libsignal-protocol|wacore-libsignal");
            return ExitCode::FAILURE;
        }
    };
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers one line after another until the input ends.
fn serve<O: Oracle>() -> io::Result<()> {
    let mut shim = Shim::<O>::new();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let mut answer = json!({"id": request.get("id").cloned().unwrap_or(Value::Null)});
        let (key, value) = shim.answer(&request).into_field();
        if let Some(fields) = answer.as_object_mut() {
            fields.insert(key.to_owned(), value);
        }
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}
