//! All benchmarks in one program, so that the primitives are measured in the same run as what is made of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot be set up says so by panicking"
)]

mod fan_out;
mod goals;
mod primitives;
mod ratchet;

use std::path::Path;
use std::time::{Duration, SystemTime};

use criterion::Criterion;
use omemo_benches::table::Figures;

fn main() {
    let began = SystemTime::now();
    // Below the target directory, whatever it is called, and on its disk: a commit to a file in memory costs nothing.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let results = scratch.with_file_name("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&results)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50)
        .configure_from_args();
    primitives::all(&mut criterion);
    ratchet::all(&mut criterion);
    fan_out::all(&mut criterion, scratch);
    criterion.final_summary();
    let figures = Figures::new(&results, began);
    for table in figures.tables().iter().chain(&goals::judge(&figures)) {
        print!("\n{table}");
    }
}
