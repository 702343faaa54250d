//! Test vectors for OMEMO.

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
