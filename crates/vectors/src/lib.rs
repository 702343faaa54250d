//! Test vectors for OMEMO: their format, and a runner for any implementation.
//!
//! The vectors lie in `test-vectors/` of the project's repository, as JSON, with a page for people who have never seen the
//! project. A [`Case`] is a few [`Step`]s, each an [`Operation`] with its input and what must come of it: an output, or a
//! refusal with its reason. An [`Implementation`] performs them: [`Ours`] is this project's library, driven through its
//! public functions, and a [`Shim`] is any other one behind a small program. Applications need none of this.
//!
//! # One case, run
//!
//! ```
//! use omemo_vectors::{Deviations, Judge, Ours, Outcome, Reasons, VectorFile, run_case};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file: VectorFile = serde_json::from_str(r#"{
//!   "format": "omemo-test-vectors-1", "layer": "payloads", "protocol": "legacy", "about": "An example.",
//!   "cases": [{
//!     "id": "key-without-tag", "about": "A key without authentication tag.",
//!     "steps": [{
//!       "operation": "open-payload",
//!       "input": {
//!         "key": "00000000000000000000000000000000", "iv": "000000000000000000000000", "payload": "00"
//!       },
//!       "refused": "payload-key-length"
//!     }]
//!   }]
//! }"#)?;
//! let judge = Judge { reasons: Reasons::Exact, deviations: Deviations::default() };
//! let outcome = run_case(&mut Ours::new(), ("example", &file), &file.cases[0], &judge)?;
//! assert_eq!(outcome, Outcome::Passed);
//! # Ok(())
//! # }
//! ```
//!
//! # Architecture
//!
//! `case` is the format, `implementation` the questions and answers, `run` the judgement. `ours` answers with this
//! project's library; `shim` asks another program and `serve` is such a program. `generate` writes this project's
//! vectors: one file there for each layer. `deviation` is what is known of others.

mod case;
mod deviation;
mod generate;
mod implementation;
mod ours;
mod run;
mod serve;
mod shim;
mod text;

pub use case::{Case, Expected, FORMAT, FileError, Flag, Step, VectorFile, read_file, read_folder};
pub use deviation::{Deviation, Deviations};
pub use generate::{Disagreement, generate};
pub use implementation::{Answer, Broken, Implementation, Operation, Request};
pub use ours::Ours;
pub use run::{Count, FileReport, Judge, Outcome, Reasons, run_case, run_file};
pub use serve::serve;
pub use shim::{Hello, Shim};
pub use text::to_text;
