//! A conversation that is being written down from one side.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Disagreement;
use super::layer::{Layer, Script};
use super::party::{Alive, Party, text};
use super::protocols;
use super::seed::Seed;
use crate::implementation::Operation;

/// A case whose device talks with others. Only the device's own steps enter the case; the others live outside.
#[derive(Debug)]
pub(super) struct Talk<'a> {
    script: Script<'a>,
    device: Party,
    others: BTreeMap<String, (Party, Alive)>,
    seed: Seed,
    steps: usize,
}

impl<'a> Talk<'a> {
    /// Begins a case with a device of its own, which everything is seen from.
    pub(super) fn begin(layer: &'a mut Layer, id: &str, about: &str) -> Result<Self, Disagreement> {
        let seed = layer.seed(id);
        let device = Party::new(layer.version, seed.part("device"), 27_183);
        let mut script = layer.case(id, about);
        script.accept(Operation::Device, device.device())?;
        Ok(Self {
            script,
            device,
            others: BTreeMap::new(),
            seed,
            steps: 0,
        })
    }

    pub(super) fn end(self) {
        self.script.end();
    }

    pub(super) fn flag(mut self, flag: crate::case::Flag) -> Self {
        self.script = self.script.flag(flag);
        self
    }

    fn step(&mut self) -> usize {
        self.steps += 1;
        self.steps
    }

    /// Bytes for the next message: as many as a payload's key and tag.
    pub(super) fn plaintext(&mut self) -> String {
        let step = self.step();
        self.seed.part("plaintext").part(step).hex(48)
    }

    /// Another device, by name. It comes into being when it is first named.
    pub(super) fn other(&mut self, name: &str) -> Result<&mut Alive, Disagreement> {
        if !self.others.contains_key(name) {
            let party = Party::new(self.script.version(), self.seed.part(name), 31_415);
            let alive = party.alive()?;
            self.others.insert(name.to_owned(), (party, alive));
        }
        match self.others.get_mut(name) {
            Some((_, alive)) => Ok(alive),
            None => Err(self.script.lost(name)),
        }
    }

    /// The bundle of another device.
    pub(super) fn bundle(&mut self, name: &str) -> Result<Value, Disagreement> {
        self.other(name)?;
        let party = self.others.get(name).map(|(party, _)| party.bundle(1, 1));
        party.ok_or_else(|| self.script.lost(name))
    }

    /// A further signed prekey of the device's.
    pub(super) fn signed_pre_key(&self, id: u32) -> Value {
        self.device.signed_pre_key(id)
    }

    /// The device begins a session.
    pub(super) fn we_initiate(&mut self, name: &str) -> Result<(), Disagreement> {
        let bundle = self.bundle(name)?;
        let step = self.step();
        let randomness = self.device.randomness(step);
        let input = json!({"peer": name, "bundle": bundle, "randomness": randomness});
        self.script.accept(Operation::Initiate, input).map(drop)
    }

    /// The device does not begin a session with the owner of this bundle.
    pub(super) fn we_refuse_bundle(
        &mut self,
        reason: &str,
        name: &str,
        bundle: &Value,
    ) -> Result<(), Disagreement> {
        let step = self.step();
        let randomness = self.device.randomness(step);
        let input = json!({"peer": name, "bundle": bundle, "randomness": randomness});
        self.script.refuse(reason, Operation::Initiate, input)
    }

    /// Another one begins a session, with these prekeys of the device's.
    pub(super) fn they_initiate(
        &mut self,
        name: &str,
        signed: u32,
        one_time: u32,
    ) -> Result<(), Disagreement> {
        let bundle = self.device.bundle(signed, one_time);
        self.other(name)?.initiate(&bundle)
    }

    pub(super) fn we_seal(&mut self, name: &str) -> Result<Vec<u8>, Disagreement> {
        let plaintext = self.plaintext();
        let input = json!({"peer": name, "plaintext": plaintext});
        let output = self.script.accept(Operation::Seal, input)?;
        let frame = hex::decode(text(&output, "frame")).unwrap_or_default();
        let key_exchange = output.get("key_exchange") == Some(&true.into());
        let frames = protocols::of(self.script.version()).frames;
        if let Some(bare) = frames.without_ornaments(&frame).filter(|_| key_exchange) {
            self.script.or("frame", hex::encode(bare).into());
        }
        Ok(frame)
    }

    pub(super) fn they_seal(&mut self, name: &str) -> Result<Vec<u8>, Disagreement> {
        let plaintext = self.plaintext();
        self.other(name)?.seal(&plaintext)
    }

    pub(super) fn they_open(&mut self, name: &str, frame: &[u8]) -> Result<(), Disagreement> {
        self.other(name)?.open(frame)
    }

    pub(super) fn we_open(&mut self, name: &str, frame: &[u8]) -> Result<(), Disagreement> {
        let input = self.opening(name, frame);
        self.script.accept(Operation::Open, input).map(drop)
    }

    pub(super) fn we_refuse(
        &mut self,
        reason: &str,
        name: &str,
        frame: &[u8],
    ) -> Result<(), Disagreement> {
        let input = self.opening(name, frame);
        self.script.refuse(reason, Operation::Open, input)
    }

    /// Refuses for whatever reason is found first.
    pub(super) fn we_refuse_somehow(
        &mut self,
        name: &str,
        frame: &[u8],
    ) -> Result<(), Disagreement> {
        let input = self.opening(name, frame);
        self.script.refuse_somehow(Operation::Open, input)
    }

    fn opening(&mut self, name: &str, frame: &[u8]) -> Value {
        let step = self.step();
        let ratchet_key = self.device.randomness(step);
        let ratchet_key = ratchet_key.get("ratchet-key").cloned().unwrap_or_default();
        json!({"peer": name, "frame": hex::encode(frame), "randomness": {"ratchet-key": ratchet_key}})
    }

    /// A message from there, opened here.
    pub(super) fn hear(&mut self, name: &str) -> Result<(), Disagreement> {
        let frame = self.they_seal(name)?;
        self.we_open(name, &frame)
    }

    /// A message from here, opened there.
    pub(super) fn tell(&mut self, name: &str) -> Result<(), Disagreement> {
        let frame = self.we_seal(name)?;
        self.they_open(name, &frame)
    }

    /// A step of the device that only has to go well.
    pub(super) fn we(&mut self, operation: Operation, input: Value) -> Result<(), Disagreement> {
        self.script.accept(operation, input).map(drop)
    }
}
