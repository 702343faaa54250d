//! The server's side: delivers, kills, and counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use minidom::Element;
use omemo_tests::chance::Chance;
use omemo_tests::nodes::Nodes;
use omemo_tests::wire::{LEGACY, Ledger, OMEMO2};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::worker::ANCHOR;

use self::process::{Process, copy_store, start};

mod process;
mod verdict;

/// Nothing that a process does takes so long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that a process has been told to send and that the server does not have yet.
const IN_FLIGHT: usize = 3;

/// A process that starts again does so later than another handle's stanzas have to be left alone (two minutes).
const PAUSE_SECONDS: i64 = 130;

/// How much happens between two kills, at most.
const WORK_LINES: u64 = 30;

/// The longest start that is interrupted, and the longest moment of work.
const START_MICROSECONDS: u64 = 60_000;
const WORK_MICROSECONDS: u64 = 4_000;

const ALICE: &str = "alice@a.localhost";
const BOB: &str = "bob@b.localhost";

/// What a process has printed, and in which of its lives; `None` at the end of its output.
type Line = (usize, u32, Option<String>);

/// A message that an app wants to be sent, until the server has it for everybody.
struct Sending {
    id: String,
    body: String,
    /// Protocols of recipients for which the server has no stanza yet.
    lacking: BTreeSet<&'static str>,
}

/// What the sender's disk does when its process dies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// It keeps what was written.
    Keeps,
    /// It goes back to an older state, as from a backup.
    PutsBack,
}

/// Everything, as the server sees it.
struct World {
    processes: Vec<Process>,
    nodes: Nodes,
    ledger: Ledger,
    /// Every message stanza that was ever handed out, by process, id and protocol: it may come again only byte for byte.
    stanzas: BTreeMap<(usize, String, &'static str), String>,
    sender: Sender<Line>,
    lines: Receiver<Line>,
    chance: Chance,
    pings: u64,
    repeated: usize,
    disk: Disk,
    _folder: TempDir,
}

pub(crate) fn run(kills: u32, seed: u64, disk: Disk) {
    let mut world = World::begin(seed, disk);
    for at in 0..world.processes.len() {
        world.settle(at);
    }
    for (account, node) in [
        (ALICE, "urn:xmpp:omemo:2:devices"),
        (ALICE, "eu.siacs.conversations.axolotl.devicelist"),
        (BOB, "urn:xmpp:omemo:2:devices"),
        (BOB, "eu.siacs.conversations.axolotl.devicelist"),
    ] {
        assert!(
            world.nodes.holds(account, node),
            "{account} has published nothing at {node}"
        );
    }
    let mut killed = 0;
    while killed < kills {
        let count = world.processes.len() as u64;
        let victim = usize::try_from(world.chance.below(count)).unwrap();
        let lines = 5 + world.chance.below(WORK_LINES);
        world.work(lines);
        // It has things to do now, and dies somewhere among them.
        sleep(Duration::from_micros(world.chance.below(WORK_MICROSECONDS)));
        world.kill(victim);
        killed += 1;
        if world.chance.below(3) == 0 && killed < kills {
            let time = world.chance.below(START_MICROSECONDS);
            world.work_for(Duration::from_micros(time));
            world.kill(victim);
            killed += 1;
        }
        // What is handed out three times and never confirmed is given up, and no app would be killed so often in a row
        // before it gets anything done.
        world.settle(victim);
    }
    world.end();
    world.judge(killed);
}

impl World {
    fn begin(seed: u64, disk: Disk) -> Self {
        let folder = TempDir::new().unwrap();
        let (sender, lines) = channel();
        let mut processes = Vec::new();
        for (name, full, to, protocols, serves) in [
            (
                "alice",
                "alice@a.localhost/1",
                BOB,
                "both",
                [OMEMO2, LEGACY].as_slice(),
            ),
            (
                "bob-new",
                "bob@b.localhost/2",
                ALICE,
                "omemo2",
                [OMEMO2].as_slice(),
            ),
            (
                "bob-old",
                "bob@b.localhost/3",
                ALICE,
                "legacy",
                [LEGACY].as_slice(),
            ),
        ] {
            let folder = folder.path().join(name);
            fs::create_dir(&folder).unwrap();
            if disk == Disk::Keeps {
                fs::create_dir(folder.join(ANCHOR)).unwrap();
            }
            let clock = 1_800_000_000;
            let (child, input) =
                start(processes.len(), 0, &folder, full, protocols, clock, &sender);
            processes.push(Process {
                name,
                full: full.to_owned(),
                to,
                protocols,
                serves,
                folder,
                clock,
                life: 0,
                child,
                input,
                queue: VecDeque::new(),
                sendings: Vec::new(),
                ids: Vec::new(),
            });
        }
        let mut world = Self {
            processes,
            nodes: Nodes::default(),
            ledger: Ledger::default(),
            stanzas: BTreeMap::new(),
            sender,
            lines,
            chance: Chance::new(seed),
            pings: 0,
            repeated: 0,
            disk,
            _folder: folder,
        };
        for at in 0..world.processes.len() {
            world.greet(at);
        }
        world
    }

    /// Traffic, until so many lines were handled.
    fn work(&mut self, lines: u64) {
        let mut handled = 0;
        while handled < lines {
            self.top_up();
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("nothing moves\n{}", self.state()));
            handled += u64::from(self.handle(line));
        }
    }

    /// Traffic for some time.
    fn work_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(line) = self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.handle(line);
        }
    }

    /// Gives everybody something to send.
    fn top_up(&mut self) {
        for process in &mut self.processes {
            while process.sendings.len() < IN_FLIGHT {
                let id = format!("{}-{}", process.name, process.ids.len());
                let body = format!("the text of {id}");
                process.tell(&json!({"send": id, "to": process.to, "body": body}));
                let lacking = process.serves.iter().copied().collect();
                process.ids.push(id.clone());
                process.sendings.push(Sending { id, body, lacking });
            }
        }
    }

    /// Lets things happen until a process has nothing left to do.
    fn settle(&mut self, at: usize) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.pings += 1;
            let ping = self.pings;
            let answer = json!({"pong": ping}).to_string();
            self.processes[at].tell(&json!({"ping": ping}));
            let mut quiet = true;
            loop {
                let rest = end.saturating_duration_since(Instant::now());
                let line = self
                    .lines
                    .recv_timeout(rest)
                    .unwrap_or_else(|_| panic!("no rest\n{}", self.state()));
                let ours = line.0 == at && line.1 == self.processes[at].life;
                let pong = line.2.as_deref() == Some(answer.as_str());
                if ours && pong {
                    break;
                }
                quiet &= !ours;
                self.handle(line);
            }
            if quiet && self.processes[at].queue.is_empty() {
                if self.disk == Disk::PutsBack && at == 0 {
                    copy_store(&self.processes[at].folder, "omemo.db", "backup.db");
                }
                return;
            }
        }
    }

    /// Kills a process; what it said before may arrive or not; starts it again.
    fn kill(&mut self, at: usize) {
        let process = &mut self.processes[at];
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let life = process.life;
        let mut last_words = Vec::new();
        loop {
            match self
                .lines
                .recv_timeout(PATIENCE)
                .expect("the end of a killed process's output")
            {
                (from, when, text) if (from, when) == (at, life) => match text {
                    Some(text) => last_words.push(text),
                    None => break,
                },
                line => drop(self.handle(line)),
            }
        }
        // Whoever listens on the line has seen all of it; the server has the beginning.
        let arrived = self.chance.below(last_words.len() as u64 + 1);
        for (number, text) in (0..).zip(last_words) {
            let value: Value = serde_json::from_str(&text).expect("whole lines");
            if number < arrived {
                self.handle((at, life, Some(text)));
            } else if let Some(stanza) = value["stanza"].as_str() {
                self.see(at, stanza);
            }
        }
        if self.disk == Disk::PutsBack && at == 0 {
            copy_store(&self.processes[at].folder, "backup.db", "omemo.db");
        }
        let process = &mut self.processes[at];
        process.life += 1;
        process.clock += PAUSE_SECONDS + i64::from(process.life % 2);
        let (child, input) = start(
            at,
            process.life,
            &process.folder,
            &process.full,
            process.protocols,
            process.clock,
            &self.sender,
        );
        process.child = child;
        process.input = input;
        self.greet(at);
    }

    /// A new stream: what waits for the process, and what its app repeats, since it has not noted it as sent.
    fn greet(&mut self, at: usize) {
        let sends_early = self.chance.coin();
        let process = &mut self.processes[at];
        let repeat = |process: &mut Process| {
            let sends: Vec<_> = process
                .sendings
                .iter()
                .map(|sending| json!({"send": sending.id, "to": process.to, "body": sending.body}))
                .collect();
            for send in sends {
                process.tell(&send);
            }
        };
        if sends_early {
            repeat(process);
        }
        for stanza in process.queue.clone() {
            process.tell(&json!({"stanza": stanza, "queued": true}));
        }
        process.tell(&json!({"caught_up": true}));
        if !sends_early {
            repeat(process);
        }
    }

    /// Takes one line; says whether it was more than an end of output.
    fn handle(&mut self, (at, life, text): Line) -> bool {
        let Some(text) = text else {
            assert!(
                life < self.processes[at].life,
                "{} has died by itself",
                self.processes[at].name
            );
            return false;
        };
        assert_eq!(
            life, self.processes[at].life,
            "a line of a life that is over"
        );
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        if let Some(stanza) = value["stanza"].as_str() {
            self.see(at, stanza);
            self.route(at, stanza);
            if let Some(ticket) = value["ticket"].as_u64() {
                self.processes[at].tell(&json!({"got": ticket}));
            }
        } else if value["handled"] == true {
            self.processes[at]
                .queue
                .pop_front()
                .expect("a stanza that was delivered");
        } else if let Some(event) = value["event"].as_str() {
            let wrong = [
                "partly sealed",
                "refused",
                "unsent",
                "undecryptable",
                "restored",
                "anchor failed",
            ];
            let wrong = wrong.contains(&event);
            assert!(
                !wrong || self.disk == Disk::PutsBack,
                "{}: {event}: {}\n{}",
                self.processes[at].name,
                value["details"],
                self.state()
            );
        }
        true
    }

    /// What anybody on the line sees.
    fn see(&mut self, at: usize, text: &str) {
        let stanza: Element = text.parse().unwrap();
        let process = &self.processes[at];
        if let Err(reuse) = self.ledger.enter(&stanza, &process.full) {
            panic!("{}: {reuse}\n{text}", process.name);
        }
        let readable = process
            .sendings
            .iter()
            .find(|sending| text.contains(&sending.body));
        assert!(readable.is_none(), "a text can be read on the line: {text}");
        if let (Some(id), Some(protocol)) = (stanza.attr("id"), protocol(&stanza)) {
            let known = self
                .stanzas
                .entry((at, id.to_owned(), protocol))
                .or_insert_with(|| text.to_owned());
            // A store that is put back breaks this, too; the control is about keys.
            assert!(
                known == text || self.disk == Disk::PutsBack,
                "a stanza went out again, but not byte for byte:\n{known}\n{text}"
            );
        }
    }

    fn route(&mut self, at: usize, text: &str) {
        let mut stanza: Element = text.parse().unwrap();
        if stanza.name() == "iq" {
            let own = self.processes[at].account().to_owned();
            let answer = self.nodes.answer(&own, &stanza);
            self.processes[at].tell(&json!({"stanza": String::from(&answer.reply)}));
            if let Some(push) = answer.push {
                for process in &mut self.processes {
                    process.tell(&json!({"stanza": String::from(&push)}));
                }
            }
            return;
        }
        let from = self.processes[at].full.clone();
        stanza.set_attr(
            minidom::rxml::Namespace::NONE,
            "from".try_into().unwrap(),
            from,
        );
        let delivered = String::from(&stanza);
        let to = stanza.attr("to").expect("a message to somebody").to_owned();
        for process in &mut self.processes {
            if process.account() == to {
                process.queue.push_back(delivered.clone());
                process.tell(&json!({"stanza": delivered, "queued": true}));
            }
        }
        let (Some(id), Some(protocol)) = (stanza.attr("id"), protocol(&stanza)) else {
            return;
        };
        let sendings = &mut self.processes[at].sendings;
        match sendings.iter_mut().find(|sending| sending.id == id) {
            Some(sending) => self.repeated += usize::from(!sending.lacking.remove(protocol)),
            None => {
                self.repeated += usize::from(
                    id.contains('-') && self.processes[at].ids.iter().any(|known| known == id),
                )
            }
        }
        self.processes[at]
            .sendings
            .retain(|sending| !sending.lacking.is_empty());
    }

    /// Lets everything arrive.
    fn end(&mut self) {
        let end = Instant::now() + PATIENCE;
        while self
            .processes
            .iter()
            .any(|process| !process.sendings.is_empty() || !process.queue.is_empty())
        {
            assert!(
                Instant::now() < end,
                "not everything arrives\n{}",
                self.state()
            );
            for at in 0..self.processes.len() {
                self.settle(at);
            }
        }
        for process in &mut self.processes {
            process.child.kill().unwrap();
            process.child.wait().unwrap();
        }
    }

    fn state(&self) -> String {
        let describe = |process: &Process| {
            let sendings: Vec<_> = process
                .sendings
                .iter()
                .map(|sending| (&sending.id, &sending.lacking))
                .collect();
            format!(
                "{}: life {}, {} waiting, to send {sendings:?}\n",
                process.name,
                process.life,
                process.queue.len()
            )
        };
        self.processes.iter().map(describe).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

fn protocol(stanza: &Element) -> Option<&'static str> {
    [OMEMO2, LEGACY]
        .into_iter()
        .find(|protocol| stanza.get_child("encrypted", *protocol).is_some())
}
