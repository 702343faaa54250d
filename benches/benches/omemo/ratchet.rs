//! The ratchet's hot path, in both protocols.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion};
use omemo_benches::pairs::{self, Device, PRE_KEYS, Pair};
use omemo_benches::table;
use omemo_ratchet::{IdentityKeyPair, Inbound, MessageKey, Session, SystemRandomness, Version};

pub(crate) fn all(criterion: &mut Criterion) {
    for version in Version::ALL {
        let mut group = criterion.benchmark_group(table::group(version));
        beginnings(&mut group, version);
        in_order(&mut group, version);
        out_of_order(&mut group, version);
        stored(&mut group, version);
        group.finish();
    }
}

/// New devices and new sessions.
fn beginnings(group: &mut BenchmarkGroup<'_, WallTime>, version: Version) {
    let rng = &mut SystemRandomness;
    let key = pairs::key(version);
    let ours = IdentityKeyPair::generate(rng).unwrap();
    let device = Device::generate(version, PRE_KEYS);
    let bundle = device.bundle();
    let verified = bundle.verify(version).unwrap();

    group.bench_function("new-device", |bencher| {
        bencher.iter(|| Device::generate(version, PRE_KEYS));
    });
    group.bench_function("verify-bundle", |bencher| {
        bencher.iter(|| black_box(&bundle).verify(version).unwrap());
    });
    group.bench_function("initiate", |bencher| {
        bencher.iter(|| {
            let rng = &mut SystemRandomness;
            let mut session =
                Session::initiate(version, &ours, 27183, black_box(&verified), rng).unwrap();
            let sealed = session.seal(&key).unwrap();
            (session, sealed)
        });
    });
    group.bench_function("respond", |bencher| {
        let slim = Device::generate(version, 1);
        let bundle = slim.bundle().verify(version).unwrap();
        let rng = &mut SystemRandomness;
        let mut session = Session::initiate(version, &ours, 27183, &bundle, rng).unwrap();
        let first = session.seal(&key).unwrap().bytes;
        bencher.iter(|| slim.respond(&pairs::key_exchange(version, black_box(&first))));
    });
}

/// Messages that arrive as they were sent.
fn in_order(group: &mut BenchmarkGroup<'_, WallTime>, version: Version) {
    let key = pairs::key(version);

    group.bench_function("encrypt", |bencher| {
        let Pair { mut ours, .. } = Pair::meet(version);
        bencher.iter(|| ours.seal(black_box(&key)).unwrap());
    });
    group.bench_function("parse", |bencher| {
        let Pair { mut ours, .. } = Pair::meet(version);
        let bytes = ours.seal(&key).unwrap().bytes;
        bencher.iter(|| Inbound::parse(version, black_box(&bytes)).unwrap());
    });
    group.bench_function("decrypt", |bencher| {
        let Pair {
            mut ours,
            mut theirs,
        } = turned(version);
        bencher.iter_batched(
            || pairs::message(version, &ours.seal(&key).unwrap().bytes),
            |message| {
                let opened = theirs
                    .open(black_box(&message), None, &mut SystemRandomness)
                    .unwrap();
                let (plaintext, step) = opened.into_parts();
                (plaintext, theirs.apply(step), message)
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("ping-pong", |bencher| {
        let mut pair = Pair::meet(version);
        bencher.iter(|| ping_pong(&mut pair, &key));
    });
}

/// One message each way.
pub(crate) fn ping_pong(pair: &mut Pair, key: &[u8]) {
    let Pair { ours, theirs } = pair;
    let ping = ours.seal(black_box(key)).unwrap();
    pairs::receive(theirs, &ping.bytes);
    let pong = theirs.seal(black_box(key)).unwrap();
    pairs::receive(ours, &pong.bytes);
}

/// Messages that arrive too early or too late.
fn out_of_order(group: &mut BenchmarkGroup<'_, WallTime>, version: Version) {
    let key = pairs::key(version);

    group.bench_function("skip-1000", |bencher| {
        let Pair { mut ours, theirs } = turned(version);
        for _ in 0..1000 {
            ours.seal(&key).unwrap();
        }
        let message = pairs::message(version, &ours.seal(&key).unwrap().bytes);
        // Opening alone leaves the session as it is, and entering the step is a move.
        bencher.iter_with_large_drop(|| {
            let opened = theirs.open(black_box(&message), None, &mut SystemRandomness);
            opened.unwrap()
        });
    });
    group.bench_function("late", |bencher| {
        let Pair { mut ours, theirs } = turned(version);
        let late = pairs::message(version, &ours.seal(&key).unwrap().bytes);
        let next = pairs::message(version, &ours.seal(&key).unwrap().bytes);
        let rng = &mut SystemRandomness;
        let opened = theirs.open(&next, None, rng).unwrap();
        let skipped = *opened.step().skipped().first().unwrap().key.to_bytes();
        bencher.iter(|| {
            let key = MessageKey::from_bytes(*black_box(&skipped));
            theirs
                .open(black_box(&late), Some(key), &mut SystemRandomness)
                .unwrap()
        });
    });
}

/// Sessions on their way to and from the disk.
fn stored(group: &mut BenchmarkGroup<'_, WallTime>, version: Version) {
    let Pair { ours, .. } = Pair::meet(version);
    let bytes = ours.to_bytes();
    group.bench_function("load", |bencher| {
        bencher.iter(|| Session::from_bytes(black_box(&bytes)).unwrap());
    });
    group.bench_function("store", |bencher| {
        bencher.iter(|| black_box(&ours).to_bytes());
    });
}

/// A pair in which the Diffie-Hellman ratchet has just turned for us: what we send next, they open without a step.
pub(crate) fn turned(version: Version) -> Pair {
    let Pair {
        mut ours,
        mut theirs,
    } = Pair::meet(version);
    let first = ours.seal(&pairs::key(version)).unwrap();
    pairs::receive(&mut theirs, &first.bytes);
    Pair { ours, theirs }
}
