//! `omemo demo`: a conversation without any server.
use crate::colour::Palette;
use crate::failure::Failure;

pub(crate) fn demo(_show_stanzas: bool, _palette: Palette) -> Result<(), Failure> {
    Err(Failure::told("not yet"))
}
