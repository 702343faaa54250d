//! One random conversation. All that is random in it follows from its seed, so that it can be held again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use omemo_tests::chance::Chance;
use omemo_tests::wire::Frame;
use omemo_vectors::{Implementation, Step};

use crate::device::{Device, Wrong, hex};
use crate::oracle::Oracle;
use crate::tally::Tally;

/// The sides, as indices.
pub(crate) const OURS: usize = 0;
pub(crate) const THEIRS: usize = 1;

/// How many sessions one side begins at most: our side keeps four of a peer, and drops the oldest.
const MOST_SESSIONS: usize = 2;
/// Some implementations jump ahead in their chain at each restart (wacore-libsignal by up to 64), and each jump is as many
/// skipped keys.
const MOST_RESTARTS: usize = 6;

/// What became of it.
pub(crate) struct Held {
    pub(crate) tally: Tally,
    /// What our side was asked, and what it answered.
    pub(crate) steps: Vec<Step>,
    /// Which side began, and whether it was the only session.
    pub(crate) first: usize,
    pub(crate) single: bool,
    /// How many times our side restarted.
    pub(crate) our_restarts: usize,
    /// What went wrong, with the newest answers.
    pub(crate) wrong: Option<String>,
}

/// Holds the conversation of a seed.
pub(crate) fn hold(
    oracle: &Oracle,
    seed: u64,
    ours: &mut dyn Implementation,
    theirs: &mut dyn Implementation,
) -> Held {
    let mut chance = oracle.chance(seed);
    let devices = Device::begin("ours", ours, oracle.version, &mut chance).and_then(|ours| {
        let theirs = Device::begin(oracle.name, theirs, oracle.version, &mut chance)?;
        Ok([ours, theirs])
    });
    let mut tally = Tally {
        conversations: 1,
        ..Tally::default()
    };
    let (first, plan) = (chance.index(2), Plan::draw(oracle, &mut chance));
    let devices = match devices {
        Ok(devices) => devices,
        Err(wrong) => {
            tally.failures = 1;
            return Held {
                tally,
                steps: Vec::new(),
                first,
                single: true,
                our_restarts: 0,
                wrong: Some(wrong),
            };
        }
    };
    let mut conversation = Conversation {
        oracle,
        chance,
        plan,
        sides: devices.map(Side::new),
        tally,
        sealed: 0,
        began: [0, 0],
        restarts: [0, 0],
    };
    let went = conversation.run(first);
    let Conversation {
        sides: [ours, theirs],
        mut tally,
        began,
        restarts,
        ..
    } = conversation;
    let wrong = went.err().map(|wrong| {
        tally.failures = 1;
        let at = ours.device.steps.len() + theirs.device.steps.len();
        format!(
            "after {at} steps: {wrong}\n  ours, step {}: {}\n  {}, step {}: {}",
            ours.device.steps.len(),
            ours.device.last,
            oracle.name,
            theirs.device.steps.len(),
            theirs.device.last
        )
    });
    Held {
        tally,
        steps: ours.device.steps,
        first,
        single: began.iter().sum::<usize>() == 1,
        our_restarts: restarts[OURS],
        wrong,
    }
}

/// How rough it is, in percent of the chances.
struct Plan {
    messages: usize,
    lose: u64,
    reorder: u64,
    /// Messages that are kept back for long.
    straggle: u64,
    talkative: u64,
    /// Both begin before either hears of the other.
    both_begin: bool,
    begin_again: bool,
    rotate: bool,
}

impl Plan {
    fn draw(oracle: &Oracle, chance: &mut Chance) -> Self {
        let several = oracle.habits.several_sessions;
        Self {
            messages: 10 + chance.index(51),
            lose: chance.below(15),
            reorder: chance.below(70),
            straggle: chance.below(12),
            talkative: 20 + chance.below(60),
            both_begin: chance.percent(15) && several,
            begin_again: chance.percent(15) && several,
            rotate: chance.percent(40),
        }
    }
}

/// A message on its way, or after it.
#[derive(Clone)]
struct Flight {
    bytes: Vec<u8>,
    plaintext: Vec<u8>,
    frame: Frame,
}

struct Side<'a> {
    device: Device<'a>,
    /// Has a session.
    met: bool,
    incoming: VecDeque<Flight>,
    /// What comes some other time.
    kept_back: Vec<Flight>,
    opened: Vec<Flight>,
    /// The peer's ratchet keys, in the order in which they were heard of.
    chains: Vec<Vec<u8>>,
    /// The highest counter of each ratchet key that this side has sealed with.
    sealed: BTreeMap<Vec<u8>, u32>,
    /// Names of the message keys that it has sealed with.
    used: BTreeSet<(Vec<u8>, u32)>,
    /// Own prekeys: offered and not heard of yet, and heard of.
    awaited: Vec<(u32, u32)>,
    answered: Vec<(u32, u32)>,
}

impl<'a> Side<'a> {
    const fn new(device: Device<'a>) -> Self {
        Self {
            device,
            met: false,
            incoming: VecDeque::new(),
            kept_back: Vec::new(),
            opened: Vec::new(),
            chains: Vec::new(),
            sealed: BTreeMap::new(),
            used: BTreeSet::new(),
            awaited: Vec::new(),
            answered: Vec::new(),
        }
    }
}

struct Conversation<'a> {
    oracle: &'a Oracle,
    chance: Chance,
    plan: Plan,
    sides: [Side<'a>; 2],
    tally: Tally,
    sealed: usize,
    /// How many sessions each side has begun.
    began: [usize; 2],
    restarts: [usize; 2],
}

const fn other(side: usize) -> usize {
    1 - side
}

impl Conversation<'_> {
    fn run(&mut self, first: usize) -> Result<(), Wrong> {
        self.begin(first)?;
        if self.plan.both_begin {
            self.begin(other(first))?;
        }
        let mut speaker = first;
        while self.sealed < self.plan.messages {
            if !self.chance.percent(self.plan.talkative) {
                speaker = other(speaker);
            }
            self.act(speaker)?;
        }
        // What is still on its way arrives.
        for side in &mut self.sides {
            side.incoming.extend(side.kept_back.drain(..));
        }
        loop {
            let waiting = [OURS, THEIRS].map(|side| !self.sides[side].incoming.is_empty());
            match waiting {
                [false, false] => return Ok(()),
                [true, true] => {
                    let side = self.chance.index(2);
                    self.deliver(side)?;
                }
                [true, false] => self.deliver(OURS)?,
                [false, true] => self.deliver(THEIRS)?,
            }
        }
    }

    /// Anything may happen next.
    fn act(&mut self, side: usize) -> Result<(), Wrong> {
        match self.chance.below(100) {
            0..46 => self.seal(side),
            46..84 => self.deliver(side),
            84..89 => self.deliver_again(side),
            89..94 => self.forge(side),
            94..97 => self.restart(side),
            97 => self.forget(side),
            98 => {
                self.remember(side);
                Ok(())
            }
            _ if self.plan.begin_again && self.began[side] < MOST_SESSIONS => self.begin(side),
            _ => Ok(()),
        }
    }

    /// A side fetches the other's bundle and makes a session, around which the other may change its signed prekey.
    fn begin(&mut self, side: usize) -> Result<(), Wrong> {
        let rotate = self.plan.rotate.then(|| self.chance.coin());
        if rotate == Some(true) {
            self.sides[other(side)].device.rotate(&mut self.chance)?;
        }
        let signed_pre_key = self.sides[other(side)].device.current_signed_pre_key();
        let Some(bundle) = self.sides[other(side)].device.bundle(&mut self.chance)? else {
            return Ok(());
        };
        let pre_key = bundle["pre_key_id"].as_u64().unwrap_or_default();
        let pre_key = u32::try_from(pre_key).expect("an id");
        self.sides[other(side)]
            .awaited
            .push((pre_key, signed_pre_key));
        if rotate == Some(false) {
            self.sides[other(side)].device.rotate(&mut self.chance)?;
        }
        self.sides[side]
            .device
            .initiate(&bundle, &mut self.chance)?;
        self.sides[side].met = true;
        self.began[side] += 1;
        Ok(())
    }

    fn seal(&mut self, side: usize) -> Result<(), Wrong> {
        if !self.sides[side].met {
            return Ok(());
        }
        // What OMEMO sends: a key and a tag. Now and then anything.
        let length = match self.chance.below(10) {
            0..4 => 48,
            4..8 => 32,
            _ => self.chance.index(601),
        };
        let plaintext = self.chance.bytes(length);
        let sealing = &mut self.sides[side];
        let (bytes, key_exchange) = sealing.device.seal(&plaintext)?;
        let frame = self.oracle.read(&bytes, key_exchange);
        let name = (frame.ratchet_key.clone(), frame.counter);
        if !sealing.used.insert(name) {
            return Err(format!("{} used a key twice", sealing.device.name));
        }
        let highest = sealing.sealed.entry(frame.ratchet_key.clone()).or_default();
        *highest = frame.counter.max(*highest);
        self.sealed += 1;
        let flight = Flight {
            bytes,
            plaintext,
            frame,
        };
        let receiving = &mut self.sides[other(side)];
        if self.chance.percent(self.plan.lose) {
            self.tally.lost += 1;
        } else if self.chance.percent(self.plan.straggle) {
            receiving.kept_back.push(flight);
        } else {
            receiving.incoming.push_back(flight);
        }
        Ok(())
    }

    /// One of the messages that were kept back is on its way now.
    fn remember(&mut self, side: usize) {
        let kept_back = &mut self.sides[side].kept_back;
        if !kept_back.is_empty() {
            let flight = kept_back.swap_remove(self.chance.index(kept_back.len()));
            self.sides[side].incoming.push_front(flight);
        }
    }

    fn deliver(&mut self, side: usize) -> Result<(), Wrong> {
        let waiting = self.sides[side].incoming.len();
        if waiting == 0 {
            return Ok(());
        }
        let reorder = self.chance.percent(self.plan.reorder);
        let at = if reorder {
            self.chance.index(waiting)
        } else {
            0
        };
        let flight = self.sides[side].incoming.remove(at).expect("it waits");
        if self.comes_too_late(side, &flight.frame) {
            self.tally.lost += 1;
            return Ok(());
        }
        let turns = self.turns_since(side, &flight.frame);
        let receiving = &mut self.sides[side];
        let name = receiving.device.name;
        let kind = if flight.frame.pre_keys.is_some() {
            "key exchange"
        } else {
            "message"
        };
        let words = |what: &str| {
            format!(
                "{name} {what} a {kind}, ratchet key {}, counter {}",
                hex(&flight.frame.ratchet_key),
                flight.frame.counter
            )
        };
        match receiving.device.open(&flight.bytes, &mut self.chance)? {
            Ok(plaintext) if plaintext == flight.plaintext => {}
            Ok(_) => return Err(words("read something else in")),
            Err(reason) => return Err(format!("{}: {reason}", words("refuses"))),
        }
        receiving.met = true;
        if !receiving.chains.contains(&flight.frame.ratchet_key) {
            receiving.chains.push(flight.frame.ratchet_key.clone());
        }
        if let Some((pre_key, signed_pre_key)) = flight.frame.pre_keys {
            receiving.awaited.retain(|(id, _)| *id != pre_key);
            if !receiving.answered.contains(&(pre_key, signed_pre_key)) {
                receiving.answered.push((pre_key, signed_pre_key));
                self.tally.key_exchanges += 1;
            }
        }
        receiving.opened.push(flight);
        self.tally.arrived[other(side)] += 1;
        self.tally.reordered += usize::from(at > 0);
        self.tally.late += usize::from(turns > 0);
        Ok(())
    }

    /// How many chains the receiver has heard of since this one, in all sessions together: more than in any of them.
    fn turns_since(&self, side: usize, frame: &Frame) -> usize {
        let chains = &self.sides[side].chains;
        let at = chains.iter().position(|chain| *chain == frame.ratchet_key);
        at.map_or(0, |at| chains.len() - 1 - at)
    }

    /// Whether it is within the receiver's rights to know nothing of this message any more ([`crate::oracle::Habits`]).
    fn comes_too_late(&self, side: usize, frame: &Frame) -> bool {
        let newer = self.turns_since(side, frame);
        let habits = self.oracle.habits;
        if side == THEIRS {
            return habits.receiving_chains.is_some_and(|most| newer >= most);
        }
        let last = self.sides[THEIRS].sealed.get(&frame.ratchet_key) == Some(&frame.counter);
        habits.short_previous && last && newer >= 2
    }

    /// What was read once is not read again.
    fn deliver_again(&mut self, side: usize) -> Result<(), Wrong> {
        let opened = self.sides[side].opened.len();
        if opened == 0 {
            return Ok(());
        }
        let at = self.chance.index(opened);
        let receiving = &mut self.sides[side];
        let bytes = receiving.opened[at].bytes.clone();
        self.tally.duplicates += 1;
        match receiving.device.open(&bytes, &mut self.chance)? {
            Ok(_) => Err(format!("{} opened a message twice", receiving.device.name)),
            Err(_) => Ok(()),
        }
    }

    /// A flipped bit in the message of the ratchet is noticed, and does no harm: the message itself comes later.
    fn forge(&mut self, side: usize) -> Result<(), Wrong> {
        let waiting = self.sides[side].incoming.len();
        if waiting == 0 {
            return Ok(());
        }
        let at = self.chance.index(waiting);
        let flight = self.sides[side].incoming[at].clone();
        if self.comes_too_late(side, &flight.frame) {
            return Ok(());
        }
        let inner = &flight.frame.message;
        let start = flight
            .bytes
            .windows(inner.len())
            .position(|part| part == inner)
            .expect("the message stands in its frame");
        let bit = self.chance.index(8 * inner.len());
        let mut bytes = flight.bytes;
        bytes[start + bit / 8] ^= 1 << (bit % 8);
        let receiving = &mut self.sides[side];
        self.tally.forged += 1;
        match receiving.device.open(&bytes, &mut self.chance)? {
            Ok(_) => Err(format!(
                "{} accepted a message of which bit {bit} of {} was flipped",
                receiving.device.name,
                8 * inner.len()
            )),
            Err(_) => Ok(()),
        }
    }

    fn restart(&mut self, side: usize) -> Result<(), Wrong> {
        if self.restarts[side] < MOST_RESTARTS {
            self.restarts[side] += 1;
            self.tally.restarts += 1;
            self.sides[side].device.restart()?;
        }
        Ok(())
    }

    /// Keys that have served are forgotten; further key exchanges of the same session must go on without them.
    fn forget(&mut self, side: usize) -> Result<(), Wrong> {
        let side = &mut self.sides[side];
        let Some((pre_key, signed_pre_key)) = side.answered.last().copied() else {
            return Ok(());
        };
        side.device.forget_pre_key(pre_key)?;
        let still = side.device.current_signed_pre_key() == signed_pre_key
            || side.awaited.iter().any(|(_, id)| *id == signed_pre_key);
        if still {
            Ok(())
        } else {
            side.device.forget_signed_pre_key(signed_pre_key)
        }
    }
}
