//! Any order of delivery: every message opens exactly once, whatever is lost, repeated or late, and whether or not the
//! sessions went through the store in between.

use omemo_ratchet::Version;
use proptest::prelude::*;

use crate::common::{Device, Peer};

#[derive(Debug, Clone)]
enum Event {
    Send(bool),
    /// One of the messages under way to this side, and whether it stays under way as a duplicate.
    Deliver(bool, prop::sample::Index, bool),
    Lose(bool, prop::sample::Index),
    Restore(bool),
}

fn event() -> impl Strategy<Value = Event> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => any::<bool>().prop_map(Event::Send),
        5 => (any::<bool>(), at(), any::<bool>()).prop_map(|(side, at, again)| Event::Deliver(side, at, again)),
        1 => (any::<bool>(), at()).prop_map(|(side, at)| Event::Lose(side, at)),
        2 => any::<bool>().prop_map(Event::Restore),
    ]
}

/// A message under way: its bytes, its text, and whether it has arrived before.
#[derive(Clone)]
struct Underway {
    bytes: Vec<u8>,
    text: Vec<u8>,
    arrived: bool,
}

/// Juliet, who begins, is side `true`.
struct World {
    romeo_device: Device,
    juliet: Peer,
    romeo: Option<Peer>,
    to_juliet: Vec<Underway>,
    to_romeo: Vec<Underway>,
    counter: u32,
    always_restore: bool,
}

impl World {
    fn new(version: Version, always_restore: bool) -> Self {
        let romeo_device = Device::new(version, "romeo");
        let juliet = Device::new(version, "juliet").initiate(&romeo_device.bundle());
        Self {
            romeo_device,
            juliet,
            romeo: None,
            to_juliet: Vec::new(),
            to_romeo: Vec::new(),
            counter: 0,
            always_restore,
        }
    }

    fn enact(&mut self, event: &Event) {
        match event {
            Event::Send(side) => self.send(*side),
            Event::Deliver(side, at, again) => {
                let length = self.queue(*side).len();
                if length > 0 {
                    self.deliver(*side, at.index(length), *again);
                }
            }
            Event::Lose(side, at) => {
                let queue = self.queue(*side);
                if !queue.is_empty() {
                    let at = at.index(queue.len());
                    queue.remove(at);
                }
            }
            Event::Restore(true) => self.juliet.restore(),
            Event::Restore(false) => self.romeo.iter_mut().for_each(Peer::restore),
        }
        if self.always_restore {
            self.juliet.restore();
            self.romeo.iter_mut().for_each(Peer::restore);
        }
    }

    fn queue(&mut self, to_juliet: bool) -> &mut Vec<Underway> {
        if to_juliet {
            &mut self.to_juliet
        } else {
            &mut self.to_romeo
        }
    }

    fn send(&mut self, by_juliet: bool) {
        self.counter += 1;
        let text = format!("message {}", self.counter).into_bytes();
        let sender = if by_juliet {
            Some(&mut self.juliet)
        } else {
            self.romeo.as_mut()
        };
        if let Some(sender) = sender {
            let bytes = sender.send(&text).bytes;
            self.queue(!by_juliet).push(Underway {
                bytes,
                text,
                arrived: false,
            });
        }
    }

    fn deliver(&mut self, to_juliet: bool, at: usize, again: bool) {
        let queue = self.queue(to_juliet);
        let underway = queue[at].clone();
        if again {
            queue[at].arrived = true;
        } else {
            queue.remove(at);
        }
        let receiver = if to_juliet {
            Some(&mut self.juliet)
        } else {
            self.romeo.as_mut()
        };
        let Some(receiver) = receiver else {
            let (romeo, text) = self.romeo_device.respond(&underway.bytes).unwrap();
            assert_eq!(text, underway.text);
            self.romeo = Some(romeo);
            return;
        };
        let before = receiver.state();
        match receiver.receive(&underway.bytes) {
            Ok((text, _)) => {
                assert!(!underway.arrived, "opened twice");
                assert_eq!(text, underway.text);
            }
            Err(error) => {
                assert!(underway.arrived, "not opened: {error}");
                assert_eq!(receiver.state(), before);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a15_every_message_opens_exactly_once_in_any_order(
        events in prop::collection::vec(event(), 1..80),
        always_restore: bool,
    ) {
        for version in Version::ALL {
            let mut world = World::new(version, always_restore);
            for event in &events {
                world.enact(event);
            }
            // What is still under way arrives at last, newest first.
            while !world.to_romeo.is_empty() || !world.to_juliet.is_empty() {
                for side in [true, false] {
                    if let Some(last) = world.queue(side).len().checked_sub(1) {
                        world.deliver(side, last, false);
                    }
                }
            }
        }
    }
}
