//! Randomness that repeats itself.

use omemo::{Randomness, RandomnessError, Role};

/// Repeatable randomness; not for anything that matters.
pub struct Seeded(pub u64);

impl Randomness for Seeded {
    fn fill(&mut self, _role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        for byte in out {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = u8::try_from((mixed ^ (mixed >> 31)) & 0xff).unwrap_or(0);
        }
        Ok(())
    }
}
