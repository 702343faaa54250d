//! Test vectors for OMEMO.

mod case;
mod implementation;
mod ours;
mod run;
mod serve;
mod shim;

pub use case::{Case, Expected, FORMAT, FileError, Flag, Step, VectorFile, read_file, read_folder};
pub use implementation::{Answer, Broken, Implementation, Operation, Request};
pub use ours::Ours;
pub use run::{Count, FileReport, Outcome, Reasons, run_case, run_file};
pub use serve::serve;
pub use shim::{Hello, Shim};
