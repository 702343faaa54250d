//! One schedule: who is there and what happens, all of it from a seed, so that it can be held again, and again without the
//! moves that do not matter.

use std::fmt;

use omemo::{Settings, TrustPolicy, Version};
use omemo_tests::chance::Chance;

use crate::moves::{KINDS, Move};
use crate::world::World;

pub const JULIET: &str = "juliet@capulet.example";
pub const ROMEO: &str = "romeo@montague.example";
pub const NURSE: &str = "nurse@capulet.example";
pub const MALLORY: &str = "mallory@elsewhere.example";

/// Moves of a schedule: at least, and so many more.
const MOVES: (u64, u64) = (20, 50);

/// A move, its place in the whole schedule, and the seed of everything about it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub number: usize,
    pub what: Move,
    pub seed: u64,
}

#[derive(Clone, Debug)]
pub struct Schedule {
    pub seed: u64,
    pub steps: Vec<Step>,
}

impl Schedule {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x5eed);
        let length = MOVES.0 + chance.below(MOVES.1);
        let total: u64 = KINDS.iter().map(|(_, weight)| weight).sum();
        let steps = (0..length)
            .map(|number| {
                let mut ball = chance.below(total);
                let drawn = KINDS.iter().find(|(_, weight)| {
                    let here = ball < *weight;
                    ball = ball.saturating_sub(*weight);
                    here
                });
                Step {
                    number: usize::try_from(number).unwrap(),
                    what: drawn.unwrap().0,
                    seed: chance.below(u64::MAX),
                }
            })
            .collect();
        Self { seed, steps }
    }

    /// The same with only these moves.
    pub fn only(&self, numbers: &[usize]) -> Self {
        let mut steps = self.steps.clone();
        steps.retain(|step| numbers.contains(&step.number));
        Self {
            seed: self.seed,
            steps,
        }
    }

    pub fn numbers(&self) -> Vec<usize> {
        self.steps.iter().map(|step| step.number).collect()
    }

    /// Everybody is there and has published.
    pub fn opening(&self) -> World {
        let mut chance = Chance::new(self.seed);
        let mut world = World::new(chance.below(u64::MAX));
        let mut cast = vec![JULIET, ROMEO];
        for more in [JULIET, ROMEO, NURSE] {
            if chance.percent(35) {
                cast.push(more);
            }
        }
        for jid in cast {
            let settings = settings(&mut chance);
            let at = world.add(jid, settings);
            world.go_online(at, true);
        }
        world.pushes = chance.percent(75);
        world.enlist(MALLORY, &mut chance);
        world.settle();
        // some of them know each other from a room
        if chance.percent(50) {
            for at in 0..world.devices.len() {
                let jid = world.devices[at].jid.clone();
                let given = ["member", "admin", "owner"][chance.index(3)];
                let affiliations = &mut world.server.room.affiliations;
                affiliations.insert(jid, given.into());
                world.enter(at);
            }
            world.settle();
        }
        world
    }
}

fn settings(chance: &mut Chance) -> Settings {
    let mut settings = Settings::default();
    settings.versions = match chance.below(10) {
        0..=4 => Version::ALL.to_vec(),
        5..=7 => vec![Version::Omemo2],
        _ => vec![Version::Legacy],
    };
    settings.trust = match chance.below(10) {
        0..=5 => TrustPolicy::BlindBeforeVerification,
        6..=7 => TrustPolicy::Manual,
        _ => TrustPolicy::Automatic,
    };
    settings.heal_legacy = chance.percent(30);
    settings.key_transport = chance.percent(20);
    settings
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "  {:3} {:?}", step.number, step.what)?;
        }
        let keep: Vec<_> = self.numbers().iter().map(usize::to_string).collect();
        write!(
            f,
            "  again: cargo xtask hostile --schedules 1 --seed {} --keep {}",
            self.seed,
            if keep.is_empty() {
                "none".into()
            } else {
                keep.join(",")
            }
        )
    }
}
