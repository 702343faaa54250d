//! The abstract network: who is there, what was sealed for whom, what is under way. It knows no cryptography and no XML, and
//! no more of the library than what it promises.

use std::collections::{BTreeMap, BTreeSet};

use omemo::Version;
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::transition::{Fate, Parcel, Text, Transition};

/// How long the outbox tries.
const OUTBOX_LIFE: i64 = 86_400;
/// How often it tries.
const OUTBOX_TRIES: u32 = 3;
/// How long a restart takes: another handle's stanzas are left to it for two minutes.
pub const RESTART: i64 = 121;
/// More sessions than these with one device are not kept, so that more than these are not discarded either.
const MOST_FORGOTTEN: usize = 2;

/// One device.
#[derive(Debug, Clone)]
pub struct Device {
    pub account: usize,
    /// What it speaks, best first.
    pub versions: Vec<Version>,
    pub alive: bool,
    pub online: bool,
    pub catching_up: bool,
    /// What it will seal with the next stream.
    pub waiting: Vec<(Text, usize)>,
    /// What the network has and it does not know of: how often it went out.
    pub unconfirmed: Vec<(Text, u32)>,
}

/// A message that was encrypted.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub from: usize,
    pub to: usize,
    pub at: i64,
    /// The devices that there were.
    pub served: BTreeMap<usize, Version>,
    /// Those of them that had discarded the session when it was sealed, or did before they had it.
    pub doubtful: BTreeSet<usize>,
}

/// Everything.
#[derive(Debug, Clone)]
pub struct Network {
    pub now: i64,
    pub accounts: usize,
    pub devices: Vec<Device>,
    pub texts: BTreeMap<Text, Sealed>,
    /// How many copies of what wait for whom; the network keeps no order.
    pub under_way: BTreeMap<Parcel, usize>,
    /// What has reached a device that it was sealed for.
    pub delivered: BTreeSet<(usize, Text)>,
    /// What the outbox gave up.
    pub unsent: BTreeSet<Text>,
    /// Who discarded its sessions with whom, and has not been heard by them since.
    pub estranged: BTreeSet<(usize, usize)>,
    /// The same, for ever.
    pub forgotten: Vec<(usize, usize)>,
    next_text: Text,
}

impl Network {
    /// Devices that have just come online, by account and protocols.
    pub fn new(devices: &[(usize, &[Version])]) -> Self {
        let devices: Vec<Device> = devices
            .iter()
            .map(|(account, versions)| Device::new(*account, versions.to_vec()))
            .collect();
        Self {
            now: 0,
            accounts: devices
                .iter()
                .map(|device| device.account + 1)
                .max()
                .unwrap(),
            devices,
            texts: BTreeMap::new(),
            under_way: BTreeMap::new(),
            delivered: BTreeSet::new(),
            unsent: BTreeSet::new(),
            estranged: BTreeSet::new(),
            forgotten: Vec::new(),
            next_text: 0,
        }
    }

    /// Whether a transition makes sense now. Shrinking takes some away, and others lose their ground.
    pub fn allows(&self, transition: &Transition) -> bool {
        let online = |device: usize| self.is_alive(device) && self.devices[device].online;
        match transition {
            Transition::Send { from, to, text, .. } => {
                self.is_alive(*from) && self.devices[*from].account != *to && self.is_new(*text)
            }
            Transition::DieSending { from, to, text } => {
                online(*from) && self.devices[*from].account != *to && self.is_new(*text)
            }
            Transition::Deliver(parcel) | Transition::DieReading(parcel) => {
                self.under_way.contains_key(parcel) && online(parcel.0)
            }
            Transition::Archive(device) => {
                online(*device) && self.under_way.keys().any(|parcel| parcel.0 == *device)
            }
            Transition::Lose(parcel) | Transition::Double(parcel) => {
                self.under_way.contains_key(parcel)
            }
            Transition::Automatic { to, fate, .. } => {
                self.is_alive(*to) && (*fate != Fate::Delivered || online(*to))
            }
            Transition::Offline(device) => online(*device),
            Transition::Online { device, .. } => {
                self.is_alive(*device) && !self.devices[*device].online
            }
            Transition::CaughtUp(device) => online(*device) && self.devices[*device].catching_up,
            Transition::Restart(device) | Transition::Move(device) => self.is_alive(*device),
            Transition::Replace(device) => self.is_alive(*device) && self.devices.len() < 8,
            Transition::Forget { device, peer } => self.may_forget(*device, *peer),
            Transition::Pass(_) => true,
        }
    }

    /// Only when nothing of the device is on its way to the peer that could lead it back into an old session.
    fn may_forget(&self, device: usize, peer: usize) -> bool {
        let pairs = [(device, peer), (peer, device)];
        let from_device = |text: &Text| self.texts[text].from == device;
        let on_its_way = self
            .under_way
            .keys()
            .any(|(to, text, _)| *to == peer && from_device(text));
        self.is_alive(device)
            && self.is_alive(peer)
            && device != peer
            && !on_its_way
            && self.devices[device].unconfirmed.is_empty()
            && self.forgotten.len() < MOST_FORGOTTEN
            && pairs.iter().all(|pair| !self.estranged.contains(pair))
    }

    /// What happens then.
    pub fn apply(&mut self, transition: &Transition) {
        match transition {
            Transition::Send {
                from,
                to,
                text,
                confirmed,
            } => {
                self.next_text = self.next_text.max(text + 1);
                if self.devices[*from].online {
                    self.seal(*from, *to, *text, *confirmed);
                } else {
                    self.devices[*from].waiting.push((*text, *to));
                }
            }
            Transition::DieSending { from, to, text } => {
                self.next_text = self.next_text.max(text + 1);
                self.restart(*from);
                self.seal(*from, *to, *text, true);
            }
            Transition::Deliver(parcel) => self.deliver(*parcel),
            Transition::Archive(device) => {
                let ours = |parcel: &&Parcel| parcel.0 == *device;
                while let Some(parcel) = self.under_way.keys().find(ours).copied() {
                    self.deliver(parcel);
                }
            }
            Transition::DieReading(parcel) => {
                self.deliver(*parcel);
                self.restart(parcel.0);
            }
            Transition::Lose(parcel) => self.take(*parcel),
            Transition::Double(parcel) => *self.under_way.get_mut(parcel).unwrap() += 1,
            Transition::Offline(device) => self.devices[*device].online = false,
            Transition::Online { device, confirmed } => self.new_stream(*device, *confirmed),
            Transition::CaughtUp(device) => self.devices[*device].catching_up = false,
            Transition::Restart(device) | Transition::Move(device) => self.restart(*device),
            Transition::Replace(device) => self.replace(*device),
            Transition::Forget { device, peer } => self.forget(*device, *peer),
            Transition::Pass(seconds) => self.now += seconds,
            Transition::Automatic { .. } => {}
        }
    }

    /// The number of the next message.
    pub const fn fresh_text(&self) -> Text {
        self.next_text
    }

    /// Whether messages between two devices go over this protocol, in both directions.
    pub fn is_used(&self, one: usize, other: usize, version: Version) -> bool {
        let serves = |from: usize, to: usize| {
            self.texts
                .values()
                .rev()
                .any(|sealed| sealed.from == from && sealed.served.get(&to) == Some(&version))
        };
        serves(one, other) && serves(other, one)
    }

    /// Any of these, in these proportions.
    pub fn transitions(&self, weigh: fn(&Transition) -> u32) -> BoxedStrategy<Transition> {
        let mut kinds: Vec<(u32, Vec<Transition>)> = Vec::new();
        for kind in self.candidates() {
            let kind: Vec<Transition> = kind
                .into_iter()
                .filter(|transition| self.allows(transition))
                .collect();
            if let Some(first) = kind.first() {
                kinds.push((weigh(first), kind));
            }
        }
        kinds.retain(|(weight, _)| *weight > 0);
        let kinds = kinds
            .into_iter()
            .map(|(weight, kind)| (weight, proptest::sample::select(kind).boxed()));
        Union::new_weighted(kinds.collect()).boxed()
    }

    fn candidates(&self) -> Vec<Vec<Transition>> {
        let text = self.next_text;
        let devices = || 0..self.devices.len();
        let sends = || devices().flat_map(|from| (0..self.accounts).map(move |to| (from, to)));
        let parcels = || self.under_way.keys().copied();
        let send = |confirmed: bool| {
            move |(from, to)| Transition::Send {
                from,
                to,
                text,
                confirmed,
            }
        };
        let online = |confirmed: bool| move |device| Transition::Online { device, confirmed };
        let automatic = |fate: Fate| {
            move |to| (0..3).map(move |which| Transition::Automatic { to, which, fate })
        };
        let forget = |device| devices().map(move |peer| Transition::Forget { device, peer });
        vec![
            sends().map(send(true)).collect(),
            sends().map(send(false)).collect(),
            sends()
                .map(|(from, to)| Transition::DieSending { from, to, text })
                .collect(),
            parcels().map(Transition::Deliver).collect(),
            devices().map(Transition::Archive).collect(),
            parcels().map(Transition::DieReading).collect(),
            parcels().map(Transition::Lose).collect(),
            parcels().map(Transition::Double).collect(),
            devices().flat_map(automatic(Fate::Delivered)).collect(),
            devices().flat_map(automatic(Fate::Lost)).collect(),
            devices().flat_map(automatic(Fate::Doubled)).collect(),
            devices().map(Transition::Offline).collect(),
            devices().map(online(true)).collect(),
            devices().map(online(false)).collect(),
            devices().map(Transition::CaughtUp).collect(),
            devices().map(Transition::Restart).collect(),
            devices().map(Transition::Move).collect(),
            devices().map(Transition::Replace).collect(),
            devices().flat_map(forget).collect(),
            // from a moment to more than a period of rotation
            [30, 700, 4_000, 90_000, 4 * 86_400, 8 * 86_400]
                .map(Transition::Pass)
                .to_vec(),
        ]
    }

    fn is_alive(&self, device: usize) -> bool {
        self.devices.get(device).is_some_and(|device| device.alive)
    }

    fn is_new(&self, text: Text) -> bool {
        let waits = |device: &Device| device.waiting.iter().any(|(known, _)| *known == text);
        !self.texts.contains_key(&text) && !self.devices.iter().any(waits)
    }

    /// Whom a message from this device serves, and in which protocol: the sender's best that both speak, and for its own
    /// account's devices rather one that the message needs anyway.
    fn serve(&self, from: usize, to: usize) -> BTreeMap<usize, Version> {
        let sender = &self.devices[from];
        let mut served = BTreeMap::new();
        for (at, device) in self.others(from, to) {
            let common = |version: &&Version| device.versions.contains(*version);
            if let Some(version) = sender.versions.iter().find(common) {
                served.insert(at, *version);
            }
        }
        let used: BTreeSet<Version> = served.values().copied().collect();
        let (mut order, rest): (Vec<Version>, Vec<Version>) = sender
            .versions
            .iter()
            .partition(|version| used.contains(version));
        order.extend(rest);
        for (at, device) in self.others(from, sender.account) {
            if let Some(version) = order
                .iter()
                .find(|version| device.versions.contains(version))
            {
                served.insert(at, *version);
            }
        }
        served
    }

    fn others(&self, from: usize, account: usize) -> impl Iterator<Item = (usize, &Device)> {
        self.devices
            .iter()
            .enumerate()
            .filter(move |(at, device)| *at != from && device.alive && device.account == account)
    }

    fn seal(&mut self, from: usize, to: usize, text: Text, confirmed: bool) {
        let served = self.serve(from, to);
        let doubtful = served
            .keys()
            .copied()
            .filter(|device| self.estranged.contains(&(*device, from)))
            .collect();
        let at = self.now;
        let sealed = Sealed {
            from,
            to,
            at,
            served,
            doubtful,
        };
        self.texts.insert(text, sealed);
        self.post(text);
        if !confirmed {
            self.devices[from].unconfirmed.push((text, 1));
        }
    }

    /// One stanza a protocol, to every device of both accounts.
    fn post(&mut self, text: Text) {
        let sealed = &self.texts[&text];
        let (from, to) = (sealed.from, sealed.to);
        let versions: BTreeSet<Version> = sealed.served.values().copied().collect();
        let own = self.devices[from].account;
        let reached = self.others(from, to).chain(self.others(from, own));
        let reached: Vec<usize> = reached.map(|(at, _)| at).collect();
        for at in reached {
            for version in &versions {
                *self.under_way.entry((at, text, *version)).or_default() += 1;
            }
        }
    }

    fn take(&mut self, parcel: Parcel) {
        let copies = self.under_way.get_mut(&parcel).unwrap();
        *copies -= 1;
        if *copies == 0 {
            self.under_way.remove(&parcel);
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        self.take(parcel);
        let (to, text, version) = parcel;
        let sealed = &self.texts[&text];
        if sealed.served.get(&to) == Some(&version) {
            self.delivered.insert((to, text));
            if !sealed.doubtful.contains(&to) {
                self.estranged.remove(&(sealed.from, to));
            }
        }
    }

    /// What was not confirmed goes out again, once; then what waited.
    fn new_stream(&mut self, at: usize, confirmed: bool) {
        let device = &mut self.devices[at];
        device.online = true;
        device.catching_up = true;
        let waiting = std::mem::take(&mut device.waiting);
        for (text, tries) in std::mem::take(&mut device.unconfirmed) {
            let late = self.now - self.texts[&text].at >= OUTBOX_LIFE;
            if late || tries >= OUTBOX_TRIES {
                self.unsent.insert(text);
                continue;
            }
            self.post(text);
            if !confirmed {
                self.devices[at].unconfirmed.push((text, tries + 1));
            }
        }
        for (text, to) in waiting {
            self.seal(at, to, text, confirmed);
        }
    }

    /// Whatever the app had asked for it asks for again.
    fn restart(&mut self, at: usize) {
        self.now += RESTART;
        if self.devices[at].online {
            self.new_stream(at, true);
        }
    }

    fn replace(&mut self, at: usize) {
        let (account, versions) = {
            let device = &mut self.devices[at];
            device.alive = false;
            device.online = false;
            (device.account, device.versions.clone())
        };
        self.under_way.retain(|(to, _, _), _| *to != at);
        self.estranged
            .retain(|(one, other)| *one != at && *other != at);
        self.devices.push(Device::new(account, versions));
    }

    fn forget(&mut self, device: usize, peer: usize) {
        self.estranged.insert((device, peer));
        self.forgotten.push((device, peer));
        let delivered = &self.delivered;
        for (text, sealed) in &mut self.texts {
            let pending = !delivered.contains(&(device, *text));
            if sealed.from == peer && sealed.served.contains_key(&device) && pending {
                sealed.doubtful.insert(device);
            }
        }
        self.restart(device);
    }
}

impl Device {
    fn new(account: usize, versions: Vec<Version>) -> Self {
        Self {
            account,
            versions,
            alive: true,
            online: true,
            catching_up: false,
            waiting: Vec::new(),
            unconfirmed: Vec::new(),
        }
    }
}
