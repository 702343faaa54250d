//! The figures of one run as tables in Markdown, with ratios to the primitives of the same run. All of them are
//! medians that criterion has estimated; nothing is measured here.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use omemo_ratchet::Version;

/// The group of fan-out and receiving.
pub const FAN_OUT: &str = "account";
/// How many devices a message goes to.
pub const DEVICES: [u32; 4] = [1, 10, 100, 1000];

const PRIMITIVES: &[(&str, &str)] = &[
    ("x25519", "X25519"),
    ("x25519-key-generation", "X25519 key generation"),
    ("ed25519-verify", "Ed25519 verify"),
    ("hmac-sha256", "HMAC-SHA-256 of a short input"),
    ("hkdf-sha256-80", "HKDF-SHA-256, 80 bytes"),
    ("aes-256-cbc-48", "AES-256-CBC, 48 bytes"),
];

const RATCHET: &[(&str, &str)] = &[
    ("encrypt", "encrypt"),
    ("decrypt", "decrypt (open and apply)"),
    ("parse", "read a message's bytes"),
    ("late", "decrypt a late message"),
    ("skip-1000", "decrypt after 1,000 lost messages"),
    ("ping-pong", "one message each way, both ends"),
    ("initiate", "new session and first message"),
    ("respond", "answer a new session"),
    ("verify-bundle", "verify a bundle of 100 prekeys"),
    ("new-device", "new device with 100 prekeys"),
    ("load", "load a session"),
    ("store", "store a session"),
];

const PARTS: &[(&str, &str)] = &[
    ("split-load", "begin and load rows"),
    ("split-seal", "seal and build the stanzas"),
    ("split-write", "write rows"),
    ("split-commit", "commit"),
];

/// The group of a protocol's ratchet.
#[must_use]
pub const fn group(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => "omemo2",
        Version::Legacy => "legacy",
    }
}

/// The results of one run.
pub struct Figures<'a> {
    results: &'a Path,
    began: SystemTime,
}

impl<'a> Figures<'a> {
    /// What criterion has left in this directory since `began`.
    #[must_use]
    pub const fn new(results: &'a Path, began: SystemTime) -> Self {
        Self { results, began }
    }

    /// The tables of what was measured; empty if nothing was.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        let tables = [
            self.primitives(),
            self.ratchet(),
            self.fan_out(),
            self.split(),
        ];
        tables.into_iter().flatten().collect()
    }

    /// The median in nanoseconds, if this run has measured it.
    #[must_use]
    pub fn median(&self, group: &str, name: &str) -> Option<f64> {
        let file = self
            .results
            .join(group)
            .join(name)
            .join("new/estimates.json");
        if fs::metadata(&file).ok()?.modified().ok()? < self.began {
            return None;
        }
        let estimates: serde_json::Value = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
        estimates.pointer("/median/point_estimate")?.as_f64()
    }

    fn primitives(&self) -> Option<String> {
        let rows: String = PRIMITIVES
            .iter()
            .filter_map(|(name, label)| {
                Some(format!(
                    "| {label} | {} |\n",
                    time(self.median("primitives", name)?)
                ))
            })
            .collect();
        titled("| primitive | time |\n|---|---:|\n", rows)
    }

    fn ratchet(&self) -> Option<String> {
        let mut rows = String::new();
        for version in Version::ALL {
            for (name, label) in RATCHET {
                let Some(median) = self.median(group(version), name) else {
                    continue;
                };
                let _infallible = writeln!(
                    rows,
                    "| {} | {label} | {} | {} | {} |",
                    group(version),
                    time(median),
                    self.ratio(median, "x25519"),
                    self.ratio(median, "hmac-sha256"),
                );
            }
        }
        titled(
            "| protocol | operation | time | ÷ X25519 | ÷ HMAC |\n|---|---|---:|---:|---:|\n",
            rows,
        )
    }

    fn ratio(&self, median: f64, primitive: &str) -> String {
        match self.median("primitives", primitive) {
            Some(unit) if median / unit >= 0.05 => format!("{:.1}", median / unit),
            Some(_) => "< 0.1".to_owned(),
            None => String::new(),
        }
    }

    fn fan_out(&self) -> Option<String> {
        let mut rows = String::new();
        let mut row = |label: &str, devices: u32, memory: &str, sqlite: &str| {
            let memory = self.median(FAN_OUT, memory);
            let sqlite = self.median(FAN_OUT, sqlite);
            if memory.is_none() && sqlite.is_none() {
                return;
            }
            let each = |median: Option<f64>| match median {
                Some(median) if devices > 1 => {
                    format!(
                        "{} ({} each)",
                        time(median),
                        time(median / f64::from(devices))
                    )
                }
                Some(median) => time(median),
                None => String::new(),
            };
            let _infallible = writeln!(rows, "| {label} | {} | {} |", each(memory), each(sqlite));
        };
        for devices in DEVICES {
            let plural = if devices == 1 { "" } else { "s" };
            row(
                &format!("send to {devices} device{plural}"),
                devices,
                &format!("memory-{devices}"),
                &format!("sqlite-{devices}"),
            );
        }
        row(
            "send to 1000 devices, legacy",
            1000,
            "",
            "sqlite-1000-legacy",
        );
        row("receive", 1, "receive-memory", "receive-sqlite");
        titled(
            "| one message, one transaction | memory | SQLite |\n|---|---:|---:|\n",
            rows,
        )
    }

    fn split(&self) -> Option<String> {
        let parts: Option<Vec<_>> = PARTS
            .iter()
            .map(|(name, label)| Some((label, self.median(FAN_OUT, name)?)))
            .collect();
        let parts = parts?;
        let all: f64 = parts.iter().map(|(_, median)| median).sum();
        let rows = parts
            .iter()
            .map(|(label, median)| {
                format!(
                    "| {label} | {} | {:.0} % |\n",
                    time(*median),
                    100.0 * median / all
                )
            })
            .collect();
        titled(
            "| 1,000 devices, SQLite | time | share |\n|---|---:|---:|\n",
            rows,
        )
    }
}

/// A table, unless it has no rows.
#[must_use]
pub fn titled(title: &str, rows: String) -> Option<String> {
    (!rows.is_empty()).then(|| format!("{title}{rows}"))
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}
