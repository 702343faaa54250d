//! The figures of one run as tables in Markdown, with ratios to the primitives of the same run and what became of the
//! goals. All of them are medians that criterion has estimated; nothing is measured here.

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

const RATCHET: &[(&str, &str, Option<Goal>)] = &[
    ("encrypt", "encrypt", Some(Goal::HMACS)),
    ("decrypt", "decrypt (open and apply)", Some(Goal::HMACS)),
    ("parse", "read a message's bytes", None),
    ("late", "decrypt a late message", None),
    ("skip-1000", "decrypt after 1,000 lost messages", None),
    (
        "ping-pong",
        "one message each way, both ends",
        Some(Goal::PING_PONG),
    ),
    ("initiate", "new session and first message", None),
    ("respond", "answer a new session", None),
    ("verify-bundle", "verify a bundle of 100 prekeys", None),
    ("new-device", "new device with 100 prekeys", None),
    ("load", "load a session", None),
    ("store", "store a session", None),
];

const PARTS: &[(&str, &str)] = &[
    ("split-load", "begin and load rows"),
    ("split-seal", "seal and build the stanzas"),
    ("split-write", "write rows"),
    ("split-commit", "commit"),
];

/// At most so many times a primitive.
#[derive(Clone, Copy)]
struct Goal {
    most: f64,
    primitive: &'static str,
    unit: &'static str,
}

impl Goal {
    /// 2 µs where HMAC-SHA-256 of a short input takes 0.18 µs.
    const HMACS: Self = Self {
        most: 11.1,
        primitive: "hmac-sha256",
        unit: "HMAC",
    };
    const PING_PONG: Self = Self {
        most: 5.2,
        primitive: "x25519",
        unit: "X25519",
    };
}

/// The group of a protocol's ratchet.
#[must_use]
pub const fn group(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => "omemo2",
        Version::Legacy => "legacy",
    }
}

/// The tables of what was measured since `began`; `None` if nothing was.
#[must_use]
pub fn read(results: &Path, began: SystemTime) -> Option<String> {
    let figures = Figures { results, began };
    let tables = [
        figures.primitives(),
        figures.ratchet(),
        figures.fan_out(),
        figures.split(),
    ];
    let tables: Vec<_> = tables.into_iter().flatten().collect();
    (!tables.is_empty()).then(|| tables.join("\n"))
}

struct Figures<'a> {
    results: &'a Path,
    began: SystemTime,
}

impl Figures<'_> {
    /// The median in nanoseconds, if this run has measured it.
    fn median(&self, group: &str, name: &str) -> Option<f64> {
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
            for (name, label, goal) in RATCHET {
                let Some(median) = self.median(group(version), name) else {
                    continue;
                };
                let _infallible = writeln!(
                    rows,
                    "| {} | {label} | {} | {} | {} | {} |",
                    group(version),
                    time(median),
                    self.ratio(median, "x25519"),
                    self.ratio(median, "hmac-sha256"),
                    goal.map_or_else(String::new, |goal| self.verdict(median, goal)),
                );
            }
        }
        titled(
            "| protocol | operation | time | ÷ X25519 | ÷ HMAC | goal |\n|---|---|---:|---:|---:|---|\n",
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

    fn verdict(&self, median: f64, goal: Goal) -> String {
        let Goal {
            most,
            primitive,
            unit,
        } = goal;
        let verdict = match self.median("primitives", primitive) {
            Some(unit) if median / unit <= most => "met",
            Some(_) => "missed",
            None => "not judged: the primitive was not measured",
        };
        format!("≤ {most} {unit}: {verdict}")
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

fn titled(title: &str, rows: String) -> Option<String> {
    (!rows.is_empty()).then(|| format!("{title}{rows}"))
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}
