//! What the ratchet has promised, as ratios to primitives, and whether it is so.

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use omemo_benches::pairs::{self, Pair};
use omemo_benches::side_by_side::{ratio, timed};
use omemo_benches::table::{self, Figures};
use omemo_ratchet::{SystemRandomness, Version};

use crate::{primitives, ratchet};

/// 2 µs where HMAC-SHA-256 of a short input takes 0.18 µs.
const HMACS: f64 = 11.1;
/// Four Diffie-Hellman operations and two new keys, and next to nothing else.
const PING_PONG: f64 = 5.2;

/// Measures what this run has looked at once more, side by side with its primitive.
pub(crate) fn judge(figures: &Figures<'_>) -> Option<String> {
    let mut rows = String::new();
    for version in Version::ALL {
        let group = table::group(version);
        let mut row = |name: &str, unit: &str, most: f64, measure: &dyn Fn() -> f64| {
            if figures.median(group, name).is_none() {
                return;
            }
            let measured = measure();
            let verdict = if measured <= most { "met" } else { "missed" };
            let _infallible = writeln!(
                rows,
                "| {group} | {name} | {measured:.1} {unit} | ≤ {most} | {verdict} |"
            );
        };
        row("encrypt", "HMAC", HMACS, &|| encrypt(version));
        row("decrypt", "HMAC", HMACS, &|| decrypt(version));
        row("ping-pong", "X25519", PING_PONG, &|| ping_pong(version));
    }
    table::titled(
        "| protocol | operation | side by side | goal | |\n|---|---|---:|---:|---|\n",
        rows,
    )
}

fn encrypt(version: Version) -> f64 {
    let Pair { mut ours, .. } = Pair::meet(version);
    let key = pairs::key(version);
    let mut encrypt = timed(move || ours.seal(black_box(&key)).unwrap());
    ratio(&mut encrypt, &mut timed(primitives::hmac))
}

fn decrypt(version: Version) -> f64 {
    let Pair {
        mut ours,
        mut theirs,
    } = ratchet::turned(version);
    let key = pairs::key(version);
    let mut decrypt = |times| -> Duration {
        let messages: Vec<_> = (0..times)
            .map(|_| pairs::message(version, &ours.seal(&key).unwrap().bytes))
            .collect();
        let start = Instant::now();
        for message in &messages {
            let opened = theirs.open(message, None, &mut SystemRandomness).unwrap();
            let (plaintext, step) = opened.into_parts();
            black_box((plaintext, theirs.apply(step)));
        }
        start.elapsed()
    };
    ratio(&mut decrypt, &mut timed(primitives::hmac))
}

fn ping_pong(version: Version) -> f64 {
    let mut pair = Pair::meet(version);
    let key = pairs::key(version);
    let mut ping_pong = timed(move || ratchet::ping_pong(&mut pair, &key));
    ratio(&mut ping_pong, &mut timed(primitives::x25519()))
}
