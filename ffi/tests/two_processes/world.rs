//! The server's side: delivers, kills, and counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use minidom::Element;
use minidom::rxml::Namespace;
use omemo::Version;
use omemo_tests::chance::Chance;
use omemo_tests::nodes::Nodes;
use omemo_tests::wire::{LEGACY, Ledger, OMEMO2};
use tempfile::TempDir;

use crate::contact::{Ahead, Contact, body};
use crate::judge::judge;
use crate::process::{Line, Process};

/// Nothing that a process does takes so long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages of the app to one contact that the server does not have yet, and messages that wait for either process.
const IN_FLIGHT: usize = 2;
const WAITING: usize = 8;

/// An app that starts again does so later than another handle's stanzas have to be left alone (two minutes).
const PAUSE_SECONDS: i64 = 130;

/// How much happens between two kills, at most, and the longest moment of work or start that is interrupted.
const WORK_LINES: u64 = 30;
const WORK_MICROSECONDS: u64 = 4_000;
const START_MICROSECONDS: u64 = 40_000;

/// How many messages an archive has that were delivered before.
const ARCHIVE: usize = 12;

pub(crate) const ALICE: &str = "alice@a.localhost";
const ALICE_FULL: &str = "alice@a.localhost/app";

/// The two processes, by position.
pub(crate) const APP: usize = 0;
pub(crate) const EXTENSION: usize = 1;
const NAMES: [&str; 2] = ["the app", "the extension"];

/// Events that may not come, by their numbers in the header: undecryptable, refused, unsent, a changed identity.
const WRONG: [&str; 4] = ["2", "4", "5", "10"];

/// A message that the app wants to be sent, until the server has it.
struct Sending {
    id: String,
    to: usize,
}

pub(crate) struct World {
    processes: [Process; 2],
    pub(crate) contacts: Vec<Contact>,
    nodes: Nodes,
    pub(crate) ledger: Ledger,
    /// Every message stanza that the app ever handed out, by id and protocol: it may come again only byte for byte.
    stanzas: BTreeMap<(String, &'static str), String>,
    /// What was delivered last, to anybody.
    archive: VecDeque<String>,
    sendings: Vec<Sending>,
    pub(crate) ids: Vec<(String, usize)>,
    lines: Receiver<Line>,
    chance: Chance,
    ahead: Ahead,
    numbers: u64,
    pub(crate) repeated: usize,
    pub(crate) twice: usize,
    pub(crate) folder: TempDir,
}

pub(crate) fn run(worker: &Path, kills: u64, seed: u64) {
    let mut world = World::begin(worker, seed);
    let mut killed = [0, 0];
    while killed[APP] + killed[EXTENSION] < kills {
        let victims: &[usize] = match world.chance.below(5) {
            0 | 1 => &[APP],
            2 | 3 => &[EXTENSION],
            _ => &[APP, EXTENSION],
        };
        let lines = 5 + world.chance.below(WORK_LINES);
        world.work(lines);
        // They have things to do now, and die somewhere among them.
        sleep(Duration::from_micros(world.chance.below(WORK_MICROSECONDS)));
        world.kill(victims);
        victims.iter().for_each(|at| killed[*at] += 1);
        if world.chance.below(3) == 0 {
            let time = world.chance.below(START_MICROSECONDS);
            world.work_for(Duration::from_micros(time));
            world.kill(victims);
            victims.iter().for_each(|at| killed[*at] += 1);
        }
        // What is handed out three times and never confirmed is given up, and no app would be killed so often in a row
        // before it gets anything done.
        victims.iter().for_each(|at| world.settle(*at));
    }
    world.end();
    judge(&world, killed);
}

impl World {
    fn begin(worker: &Path, seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let (sender, lines) = channel();
        let ahead: Ahead = Arc::new(AtomicI64::new(0));
        let start = |at, full| Process::start(at, worker, folder.path(), (ALICE, full), &sender, 0);
        // The app makes the store; its extension comes later, as on a phone.
        let app = start(APP, ALICE_FULL);
        let contacts = [
            ("bob@b.localhost/1", Version::Omemo2),
            ("carol@c.localhost/1", Version::Legacy),
        ];
        let mut world = Self {
            processes: [app, start(EXTENSION, "-")],
            contacts: contacts
                .map(|(full, version)| Contact::new(full, version, &ahead))
                .into(),
            nodes: Nodes::default(),
            ledger: Ledger::default(),
            stanzas: BTreeMap::new(),
            archive: VecDeque::new(),
            sendings: Vec::new(),
            ids: Vec::new(),
            lines,
            chance: Chance::new(seed),
            ahead,
            numbers: 0,
            repeated: 0,
            twice: 0,
            folder,
        };
        world.processes[APP].tell("caught_up");
        world.settle(APP);
        for at in 0..world.contacts.len() {
            let stanzas = world.contacts[at].begin();
            world.carry(at, stanzas);
        }
        world
    }

    /// Traffic, until so many lines were handled.
    fn work(&mut self, lines: u64) {
        for _ in 0..lines {
            self.top_up();
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("nothing moves\n{}", self.state()));
            self.handle(line);
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

    /// Gives everybody something to do.
    fn top_up(&mut self) {
        for to in 0..self.contacts.len() {
            let waiting = self.sendings.iter().filter(|sending| sending.to == to);
            for _ in waiting.count()..IN_FLIGHT {
                let id = format!("alice-{}", self.ids.len());
                self.ids.push((id.clone(), to));
                self.sendings.push(Sending { id, to });
                let last = self.sendings.len() - 1;
                self.tell_send(last);
            }
        }
        let waiting = |process: &Process| process.waiting.len();
        if self.processes.iter().map(waiting).max() < Some(WAITING) {
            let from = self.chance.index(self.contacts.len());
            let stanzas = self.contacts[from].send(ALICE);
            self.carry(from, stanzas);
        }
        if self.chance.percent(5) {
            let at = self.chance.index(2);
            self.processes[at].tell("inbox");
        }
        if self.chance.percent(5) {
            self.processes[EXTENSION].tell("reopen");
        }
    }

    fn tell_send(&mut self, sending: usize) {
        let Sending { id, to } = &self.sendings[sending];
        let command = format!("send {id} {} {}", self.contacts[*to].bare(), body(id));
        self.processes[APP].tell(&command);
    }

    /// Lets things happen until a process has nothing left to do.
    fn settle(&mut self, at: usize) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.numbers += 1;
            let answer = format!("pong {}", self.numbers);
            let ping = format!("ping {}", self.numbers);
            self.processes[at].tell(&ping);
            let mut quiet = true;
            loop {
                let rest = end.saturating_duration_since(Instant::now());
                let line = self
                    .lines
                    .recv_timeout(rest)
                    .unwrap_or_else(|_| panic!("no rest\n{}", self.state()));
                let ours = line.0 == at && line.1 == self.processes[at].life;
                if ours && line.2.as_ref() == Some(&answer) {
                    break;
                }
                quiet &= !ours;
                self.handle(line);
            }
            if quiet && self.processes[at].waiting.is_empty() {
                return;
            }
        }
    }

    /// Kills processes; what they said before may arrive or not; starts them again.
    fn kill(&mut self, victims: &[usize]) {
        victims.iter().for_each(|at| self.processes[*at].kill());
        let mut last_words = [Vec::new(), Vec::new()];
        let mut open: BTreeSet<usize> = victims.iter().copied().collect();
        while !open.is_empty() {
            let line = self.lines.recv_timeout(PATIENCE);
            let (at, life, text) = line.expect("the end of a killed process's output");
            if !open.contains(&at) || life != self.processes[at].life {
                self.handle((at, life, text));
            } else if let Some(text) = text {
                last_words[at].push(text);
            } else {
                open.remove(&at);
            }
        }
        for at in victims {
            // Whoever listens on the line has seen all of it; the server has the beginning.
            let words = std::mem::take(&mut last_words[*at]);
            let arrived = self.chance.index(words.len() + 1);
            for (number, text) in words.into_iter().enumerate() {
                if number < arrived {
                    self.handle((*at, self.processes[*at].life, Some(text)));
                } else if let Some((_, stanza)) = as_stanza(&text) {
                    self.see(stanza);
                } else {
                    assert!(!text.starts_with("failed"), "{}: {text}", NAMES[*at]);
                }
            }
        }
        if victims.contains(&APP) {
            let life = i64::from(self.processes[APP].life);
            self.ahead
                .fetch_add(PAUSE_SECONDS + life % 2, Ordering::Relaxed);
        }
        let ahead = self.ahead.load(Ordering::Relaxed);
        for at in [APP, EXTENSION] {
            if victims.contains(&at) {
                self.processes[at].start_again(ahead);
                self.greet(at);
            } else {
                self.processes[at].tell(&format!("clock {ahead}"));
            }
        }
    }

    /// What a process is given at its start: what waits for it; and the app the archive, and what it repeats, since it has not
    /// noted it as sent.
    fn greet(&mut self, at: usize) {
        if at == EXTENSION {
            self.processes[at].deliver_again();
            return;
        }
        let sends_early = self.chance.coin();
        if sends_early {
            (0..self.sendings.len()).for_each(|sending| self.tell_send(sending));
        }
        if self.chance.coin() {
            // Some of it the extension has decrypted, some it is just decrypting, and some it never will.
            for stanza in &self.archive {
                self.processes[at].tell(&format!("receive 0 {stanza}"));
            }
        }
        self.processes[at].deliver_again();
        self.processes[at].tell("caught_up");
        if !sends_early {
            (0..self.sendings.len()).for_each(|sending| self.tell_send(sending));
        }
    }

    fn handle(&mut self, (at, life, text): Line) {
        let Some(text) = text else {
            let process = &self.processes[at];
            assert!(life < process.life, "{} has died by itself", NAMES[at]);
            return;
        };
        assert_eq!(
            life, self.processes[at].life,
            "a line of a life that is over"
        );
        if let Some((ticket, stanza)) = as_stanza(&text) {
            assert_eq!(at, APP, "a process without a stream sends {stanza}");
            self.see(stanza);
            self.route(stanza);
            if ticket != "-" {
                self.processes[at].tell(&format!("got {ticket}"));
            }
            return;
        }
        let (kind, rest) = text.split_once(' ').unwrap();
        match kind {
            "handled" => {
                let number: u64 = rest.parse().unwrap();
                self.processes[at]
                    .waiting
                    .retain(|waiting| waiting.number != number);
            }
            "event" => {
                let event = rest.split(' ').next().unwrap();
                assert!(
                    !WRONG.contains(&event),
                    "{}: {text}\n{}",
                    NAMES[at],
                    self.state()
                );
            }
            // Of a process that was killed before it was heard.
            "pong" => {}
            _ => panic!("{}: {text}", NAMES[at]),
        }
    }

    /// What anybody on the line sees of the app.
    fn see(&mut self, text: &str) {
        let stanza: Element = text.parse().unwrap();
        if let Err(reuse) = self.ledger.enter(&stanza, ALICE_FULL) {
            panic!("{reuse}\n{text}");
        }
        let readable = |sending: &Sending| text.contains(&body(&sending.id));
        assert!(
            !self.sendings.iter().any(readable),
            "a text can be read: {text}"
        );
        if let (Some(id), Some(protocol)) = (stanza.attr("id"), protocol(&stanza)) {
            let known = self.stanzas.entry((id.to_owned(), protocol));
            let known = known.or_insert_with(|| text.to_owned());
            assert_eq!(
                known, text,
                "a stanza went out again, but not byte for byte"
            );
        }
    }

    /// Takes what the app has sent.
    fn route(&mut self, text: &str) {
        let mut stanza: Element = text.parse().unwrap();
        if stanza.name() == "iq" {
            let answer = self.nodes.answer(ALICE, &stanza);
            let reply = String::from(&answer.reply);
            self.processes[APP].tell(&format!("receive 0 {reply}"));
            self.push(answer.push);
            return;
        }
        set_from(&mut stanza, ALICE_FULL);
        let to = stanza.attr("to").expect("a message to somebody").to_owned();
        let is_to = |contact: &Contact| contact.bare() == to;
        let at = self.contacts.iter().position(is_to).unwrap();
        let stanzas = self.contacts[at].receive(&stanza);
        let id = stanza.attr("id").unwrap_or_default();
        let before = self.sendings.len();
        self.sendings.retain(|sending| sending.id != id);
        let known = self.ids.iter().any(|(known, _)| known == id);
        self.repeated += usize::from(known && before == self.sendings.len());
        self.carry(at, stanzas);
    }

    /// Takes what a contact has sent, and what follows from that.
    fn carry(&mut self, from: usize, stanzas: Vec<Element>) {
        let mut stanzas = VecDeque::from(stanzas);
        while let Some(mut stanza) = stanzas.pop_front() {
            let full = self.contacts[from].full.clone();
            if stanza.name() == "iq" {
                let answer = self.nodes.answer(self.contacts[from].bare(), &stanza);
                stanzas.extend(self.contacts[from].receive(&answer.reply));
                self.push(answer.push);
            } else {
                self.ledger.enter(&stanza, &full).unwrap();
                set_from(&mut stanza, &full);
                self.deliver(&String::from(&stanza));
            }
        }
    }

    /// Delivers a message to the account with the two processes: to one of them, or to both.
    fn deliver(&mut self, stanza: &str) {
        self.numbers += 1;
        let to: &[usize] = match self.chance.below(3) {
            0 => &[APP],
            1 => &[EXTENSION],
            _ => &[APP, EXTENSION],
        };
        self.twice += usize::from(to.len() == 2);
        for at in to {
            self.processes[*at].deliver(self.numbers, stanza);
        }
        self.archive.push_back(stanza.to_owned());
        if self.archive.len() > ARCHIVE {
            self.archive.pop_front();
        }
    }

    /// A device list for everybody who has a stream.
    fn push(&mut self, push: Option<Element>) {
        let Some(push) = push else { return };
        let text = String::from(&push);
        self.processes[APP].tell(&format!("receive 0 {text}"));
        for at in 0..self.contacts.len() {
            let stanzas = self.contacts[at].receive(&push);
            self.carry(at, stanzas);
        }
    }

    /// Lets everything arrive.
    fn end(&mut self) {
        let end = Instant::now() + PATIENCE;
        let waits = |process: &Process| !process.waiting.is_empty();
        while !self.sendings.is_empty() || self.processes.iter().any(waits) {
            assert!(
                Instant::now() < end,
                "not everything arrives\n{}",
                self.state()
            );
            self.settle(APP);
            self.settle(EXTENSION);
        }
        self.processes[APP].tell("inbox");
        self.settle(APP);
        self.processes.iter_mut().for_each(Process::kill);
    }

    fn state(&self) -> String {
        let ids = |sending: &Sending| sending.id.clone();
        let sendings: Vec<_> = self.sendings.iter().map(ids).collect();
        let [app, extension] = &self.processes;
        format!(
            "the app: life {}, {} waiting; the extension: life {}, {} waiting; to send: {sendings:?}",
            app.life,
            app.waiting.len(),
            extension.life,
            extension.waiting.len()
        )
    }
}

/// Ticket and stanza of a line that has them.
fn as_stanza(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("stanza ")?.split_once(' ')
}

fn set_from(stanza: &mut Element, full: &str) {
    stanza.set_attr(Namespace::NONE, "from".try_into().unwrap(), full);
}

fn protocol(stanza: &Element) -> Option<&'static str> {
    [OMEMO2, LEGACY]
        .into_iter()
        .find(|protocol| stanza.get_child("encrypted", *protocol).is_some())
}
