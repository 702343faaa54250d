//! What may happen: to honest people, and what a server and villains do to them.

mod answers;
mod bundles;
mod floods;
mod life;
mod lists;
mod messages;
mod rooms;

use omemo_tests::chance::Chance;

use crate::world::World;

/// One kind of move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A person writes to another account, mallory's too.
    Write,
    /// A few stanzas arrive at one device.
    Deliver,
    /// Everything that is under way arrives.
    Settle,
    /// A stream breaks, resumes, or begins anew; the archive is read or not.
    Stream,
    /// A process dies.
    Restart,
    /// Time passes: seconds, hours, days.
    Pass,
    /// The network stops saying what it has, or goes on.
    Confirm,
    /// A person decides about a key.
    Decide,
    /// A person looks at a contact's devices, or vouches for a contact.
    Look,
    /// A person makes sessions anew, or believes that the store was put back.
    Renew,
    /// A list is shown as it is not: to those who ask.
    LieAboutList,
    /// A list is pushed that is not true, or not from there.
    PushList,
    /// What was published is taken away.
    Forget,
    /// The list of omemo:2 is emptied, that of legacy stays.
    Downgrade,
    /// A bundle is shown as it is not.
    LieAboutBundle,
    /// Questions are answered badly.
    Answer,
    /// Answers to no question.
    UnaskedAnswers,
    /// What waits for a device is lost, doubled, shuffled.
    Shuffle,
    /// A message is damaged.
    Damage,
    /// A message is handed on as something else: to others, from others, in copies.
    Misdirect,
    /// A message comes again, somewhere.
    Replay,
    /// A message comes back as an error.
    Bounce,
    /// People come into a room, talk there, and leave.
    Room,
    /// A room lies, or somebody pretends to be it.
    LieAboutRoom,
    /// A villain writes, as mallory or in somebody's name.
    Villain,
    /// Key exchanges, many.
    KeyExchanges,
    /// A villain's counters jump, again and again.
    Skips,
    /// A stanza that no client would send.
    Huge,
}

/// Every move, and how often it comes.
pub const KINDS: &[(Move, u64)] = &[
    (Move::Write, 16),
    (Move::Deliver, 10),
    (Move::Settle, 8),
    (Move::Stream, 4),
    (Move::Restart, 3),
    (Move::Pass, 5),
    (Move::Confirm, 2),
    (Move::Decide, 4),
    (Move::Look, 2),
    (Move::Renew, 2),
    (Move::LieAboutList, 5),
    (Move::PushList, 5),
    (Move::Forget, 2),
    (Move::Downgrade, 2),
    (Move::LieAboutBundle, 6),
    (Move::Answer, 4),
    (Move::UnaskedAnswers, 2),
    (Move::Shuffle, 5),
    (Move::Damage, 5),
    (Move::Misdirect, 6),
    (Move::Replay, 5),
    (Move::Bounce, 2),
    (Move::Room, 8),
    (Move::LieAboutRoom, 6),
    (Move::Villain, 8),
    (Move::KeyExchanges, 1),
    (Move::Skips, 1),
    (Move::Huge, 1),
];

impl Move {
    pub fn make(self, world: &mut World, seed: u64) {
        let chance = &mut Chance::new(seed);
        match self {
            Self::Write => life::write(world, chance),
            Self::Deliver => life::deliver(world, chance),
            Self::Settle => world.settle(),
            Self::Stream => life::stream(world, chance),
            Self::Restart => life::restart(world, chance),
            Self::Pass => life::pass(world, chance),
            Self::Confirm => life::confirm(world, chance),
            Self::Decide => life::decide(world, chance),
            Self::Look => life::look(world, chance),
            Self::Renew => life::renew(world, chance),
            Self::LieAboutList => lists::lie(world, chance),
            Self::PushList => lists::push(world, chance),
            Self::Forget => lists::forget(world, chance),
            Self::Downgrade => lists::downgrade(world, chance),
            Self::LieAboutBundle => bundles::lie(world, chance),
            Self::Answer => answers::spoil(world, chance),
            Self::UnaskedAnswers => answers::unasked(world, chance),
            Self::Shuffle => messages::shuffle(world, chance),
            Self::Damage => messages::damage(world, chance),
            Self::Misdirect => messages::misdirect(world, chance),
            Self::Replay => messages::replay(world, chance),
            Self::Bounce => messages::bounce(world, chance),
            Self::Room => rooms::life(world, chance),
            Self::LieAboutRoom => rooms::lie(world, chance),
            Self::Villain => floods::villain(world, chance),
            Self::KeyExchanges => floods::key_exchanges(world, chance),
            Self::Skips => floods::skips(world, chance),
            Self::Huge => floods::huge(world, chance),
        }
    }
}

/// One of these.
fn pick<T: Clone>(chance: &mut Chance, of: &[T]) -> Option<T> {
    (!of.is_empty()).then(|| of[chance.index(of.len())].clone())
}
