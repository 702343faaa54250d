//! One message to many devices, and one message received, through the account and its store: one call, one
//! transaction.

use std::cell::{LazyCell, RefCell};
use std::path::Path;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};
use omemo::store::{MemoryStore, Store};
use omemo_benches::population::{Dialogue, Population};
use omemo_benches::stopwatch::{Lap, Timed};
use omemo_benches::table;
use omemo_ratchet::Version;
use omemo_sqlite::SqliteStore;

const VERSION: Version = Version::Omemo2;

pub(crate) fn all(criterion: &mut Criterion, scratch: &Path) {
    let folder = tempfile::tempdir_in(scratch).unwrap();
    let sqlite = |name: &str| SqliteStore::open(folder.path().join(name)).unwrap();

    let mut group = criterion.benchmark_group(table::FAN_OUT);
    // One message to a thousand devices is a whole sample's work.
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    for devices in table::DEVICES {
        let name = format!("memory-{devices}");
        send(&mut group, &name, VERSION, devices, MemoryStore::new);
        let name = format!("sqlite-{devices}");
        send(&mut group, &name, VERSION, devices, || sqlite(&name));
    }
    send(
        &mut group,
        "sqlite-1000-legacy",
        Version::Legacy,
        1000,
        || sqlite("legacy"),
    );
    split(&mut group, || sqlite("split"));
    receive(&mut group, "receive-memory", MemoryStore::new);
    receive(&mut group, "receive-sqlite", || sqlite("receive"));
    group.finish();
}

fn send<S: Store + 'static>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    version: Version,
    devices: u32,
    store: impl FnOnce() -> S,
) {
    let population = LazyCell::new(|| RefCell::new(Population::new(store(), version, devices)));
    group.bench_function(name, |bencher| {
        let mut population = population.borrow_mut();
        bencher.iter_custom(|times| (0..times).map(|_| population.send()).sum());
    });
}

/// Where the time of a message to a thousand devices goes.
fn split<S: Store + 'static>(group: &mut BenchmarkGroup<'_, WallTime>, store: impl FnOnce() -> S) {
    let population = LazyCell::new(|| {
        let (store, laps) = Timed::new(store());
        (RefCell::new(Population::new(store, VERSION, 1000)), laps)
    });
    let parts = ["split-load", "split-seal", "split-write", "split-commit"];
    for (at, name) in parts.into_iter().enumerate() {
        group.bench_function(name, |bencher| {
            let (population, laps) = &*population;
            let mut population = population.borrow_mut();
            let mut once = || {
                let (all, lap) = population.send_and_read(|| laps.take());
                let Lap {
                    load,
                    write,
                    commit,
                } = lap;
                let parts = [load, all - load - write - commit, write, commit];
                parts.into_iter().nth(at).unwrap()
            };
            bencher.iter_custom(|times| (0..times).map(|_| once()).sum());
        });
    }
}

fn receive<S: Store + 'static>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    store: impl FnOnce() -> S,
) {
    let dialogue = LazyCell::new(|| RefCell::new(Dialogue::new(store(), VERSION)));
    group.bench_function(name, |bencher| {
        let mut dialogue = dialogue.borrow_mut();
        bencher.iter_custom(|times| (0..times).map(|_| dialogue.receive()).sum());
    });
}
