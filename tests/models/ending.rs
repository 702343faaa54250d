//! How every history ends: everybody is there, everything that is under way arrives, and everybody talks to everybody. Then
//! nothing may be missing and each two devices share one session.

use omemo::Version;
use omemo_tests::hub::At;
use omemo_tests::stores::Stores;
use omemo_tests::wire::{LEGACY, OMEMO2};

use crate::network::Network;
use crate::play::Play;
use crate::transition::{Fate, Transition};

/// Rounds in which everybody writes to everybody: one to be heard again, one to answer, and one that is judged.
const ROUNDS: usize = 3;

impl<S: Stores + Default> Play<S> {
    /// Ends the history.
    pub fn end(&mut self, mut network: Network) {
        for at in 0..network.devices.len() {
            let online = Transition::Online {
                device: at,
                confirmed: true,
            };
            self.step_if_allowed(&mut network, &online);
            self.step_if_allowed(&mut network, &Transition::CaughtUp(at));
        }
        self.settle(&mut network);
        for round in 1..=ROUNDS {
            for from in 0..network.devices.len() {
                for to in 0..network.accounts {
                    let text = network.fresh_text();
                    let send = Transition::Send {
                        from,
                        to,
                        text,
                        confirmed: true,
                    };
                    if network.allows(&send) {
                        self.step(&mut network, &send);
                        self.settle(&mut network);
                        if round == ROUNDS {
                            self.check_read_by_all(&network, text);
                        }
                    }
                }
            }
        }
        self.check_sessions(&network);
        let protocols = [OMEMO2, LEGACY];
        let keys: usize = protocols.iter().map(|name| self.ledger.keys(name)).sum();
        assert!(keys > 0, "a ledger without keys has checked nothing");
    }

    fn step(&mut self, network: &mut Network, transition: &Transition) {
        network.apply(transition);
        self.apply(network, transition);
        self.check(network);
    }

    fn step_if_allowed(&mut self, network: &mut Network, transition: &Transition) {
        if network.allows(transition) {
            self.step(network, transition);
        }
    }

    /// Delivers until nothing is under way.
    fn settle(&mut self, network: &mut Network) {
        for _ in 0..10_000 {
            if let Some(parcel) = network.under_way.keys().next().copied() {
                self.step(network, &Transition::Deliver(parcel));
                continue;
            }
            let busy = (0..network.devices.len())
                .find(|at| network.devices[*at].alive && !self.hub.mailbox(At(*at)).is_empty());
            let Some(to) = busy else {
                return;
            };
            let (which, fate) = (0, Fate::Delivered);
            self.step(network, &Transition::Automatic { to, which, fate });
        }
        panic!("the network never comes to rest");
    }

    /// No excuse counts any more, and nobody begins anew.
    fn check_read_by_all(&self, network: &Network, text: u32) {
        let from = network.texts[&text].from;
        for at in network.texts[&text].served.keys() {
            if self.is_stuck(from, *at) {
                continue;
            }
            let body = format!("text-{text}-");
            assert!(
                self.hub.bodies(At(*at)).contains(&body),
                "device {at} cannot be reached in the end"
            );
            assert!(
                !self.proof.is_key_exchange(text, self.ids[*at]),
                "device {at} has still not answered"
            );
        }
    }

    /// Whether one has discarded its sessions with the other, and its new key exchange came too late to be read: then each
    /// sends what the other cannot open, and nothing but a new session made by hand helps.
    fn is_stuck(&self, one: usize, other: usize) -> bool {
        self.unheard.contains(&(one, other)) || self.unheard.contains(&(other, one))
    }

    /// What each sends over is what the other sends over.
    fn check_sessions(&mut self, network: &Network) {
        let alive: Vec<usize> = (0..network.devices.len())
            .filter(|at| network.devices[*at].alive)
            .collect();
        let dumps: Vec<Vec<String>> = alive.iter().map(|at| self.hub.dump(At(*at))).collect();
        for (one, dump) in alive.iter().zip(&dumps) {
            for (other, other_dump) in alive.iter().zip(&dumps) {
                for version in Version::ALL {
                    let ours = self.session(dump, *other, version);
                    let theirs = self.session(other_dump, *one, version);
                    if network.is_used(*one, *other, version) && !self.is_stuck(*one, *other) {
                        assert!(ours.is_some(), "no session of {one} with {other}");
                        assert_eq!(ours, theirs, "{one} and {other} use two sessions");
                    }
                }
            }
        }
    }

    /// The ephemeral key of the session in force with a device: the first line about it.
    fn session<'d>(&self, dump: &'d [String], with: usize, version: Version) -> Option<&'d str> {
        let jid = &self.hub.devices[with].jid;
        let head = format!("session {version:?} {jid}:{} ", self.ids[with]);
        let line = dump.iter().find_map(|line| line.strip_prefix(&head))?;
        line.split("])").next()
    }
}
