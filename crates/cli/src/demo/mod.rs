//! `omemo demo`: a conversation without any server, and proof of what is said about it.

mod hub;
mod script;
mod world;

use std::sync::mpsc;

use crate::colour::Palette;
use crate::failure::Failure;

/// Plays the demo in a temporary folder that is gone afterwards, also after Ctrl-C.
pub(crate) fn demo(show_stanzas: bool, palette: Palette) -> Result<(), Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::told(format!("no temporary folder can be made: {error}")))?;
    let path = folder.path().to_owned();
    let (tell, told) = mpsc::channel();
    let interrupted = tell.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::told(format!("the program cannot start: {error}")))?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            interrupted.send(Err(Failure::told("interrupted"))).ok();
        }
    });
    std::thread::spawn(move || tell.send(script::play(&path, show_stanzas, palette)));
    let outcome = told
        .recv()
        .unwrap_or_else(|_| Err(Failure::told("this is a bug in omemo, please report it")));
    folder
        .close()
        .map_err(|error| Failure::told(format!("the temporary folder stays behind: {error}")))?;
    outcome
}
