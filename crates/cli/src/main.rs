//! The omemo command: encrypted messages from the terminal.

mod args;
mod colour;
mod deactivate;
mod demo;
mod devices;
mod failure;
mod file;
mod fingerprint;
mod happening;
mod home;
mod init;
mod label;
mod listen;
mod live;
mod opt_out;
mod recover;
mod replace_session;
mod report;
mod room;
mod send;
mod trust;
mod vectors;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use omemo::Trust;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command, Devices};
use crate::failure::Failure;
use crate::home::Home;
use crate::report::Report;

/// How long threads that look up names may hold up our end.
const LINGER: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let args = Args::parse();
    let report = Report::new(args.command.is_json());
    let outcome = log().and_then(|()| run(args, report));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Told(sentence) | Failure::Offline(sentence) = &failure {
                report.error(sentence);
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(args: Args, report: Report) -> Result<(), Failure> {
    if let Command::Demo { show_stanzas } = args.command {
        return demo::demo(show_stanzas, report.palette);
    }
    if let Command::File(command) = args.command {
        return file::file(command);
    }
    if let Command::Vectors(command) = args.command {
        return vectors::vectors(command, report.palette);
    }
    let folder = home::folder(args.data)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::told(format!("the program cannot start: {error}")))?;
    let outcome = runtime.block_on(async {
        match args.command {
            Command::Demo { .. } | Command::File(_) | Command::Vectors(_) => Ok(()),
            Command::Init(options) => init::init(folder, &options, report).await,
            Command::Send { to, text, .. } => {
                send::send(&Home::load(folder)?, to, &text, report).await
            }
            Command::Listen(options) => {
                listen::listen(&Home::load(folder)?, &options, None, report).await
            }
            Command::Room(command) => room::room(&Home::load(folder)?, command, report).await,
            Command::Devices {
                command: Some(Devices::Remove { device, .. }),
                ..
            } => devices::remove(&Home::load(folder)?, device, report).await,
            Command::Devices {
                command: Some(Devices::AllowLegacy { jid, device, .. }),
                ..
            } => devices::allow_legacy(&Home::load(folder)?, jid, device, report),
            Command::Devices { of, .. } => devices::devices(&Home::load(folder)?, of, report).await,
            Command::Trust(verification) => {
                trust::trust(&Home::load(folder)?, verification, report)
            }
            Command::Distrust(decision) => {
                trust::decide(&Home::load(folder)?, &decision, Trust::Distrusted, report)
            }
            Command::Fingerprint { qr, .. } => {
                fingerprint::fingerprint(&Home::load(folder)?, qr, report)
            }
            Command::Label { text, none, .. } => {
                label::label(&Home::load(folder)?, text, none, report).await
            }
            Command::OptOut(options) => {
                opt_out::opt_out(&Home::load(folder)?, options, report).await
            }
            Command::ReplaceSession(options) => {
                replace_session::replace_session(&Home::load(folder)?, options, report).await
            }
            Command::Recover { anyway, .. } => {
                recover::recover(&Home::load(folder)?, anyway, report).await
            }
            Command::Deactivate { account, yes, .. } => {
                deactivate::deactivate(&mut Home::load_any(folder)?, account, yes, report).await
            }
        }
    });
    runtime.shutdown_timeout(LINGER);
    outcome
}

/// Logs go to standard error when `OMEMO_LOG` asks for them, such as `OMEMO_LOG=omemo_tokio=debug`.
fn log() -> Result<(), Failure> {
    let Ok(filter) = std::env::var("OMEMO_LOG") else {
        return Ok(());
    };
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| Failure::told(format!("OMEMO_LOG is no filter: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
