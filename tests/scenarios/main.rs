//! Conversations of several devices over a network in memory: the same scenario over both protocols and every store.
#![allow(missing_docs, reason = "the tests' names say what they show")]

#[macro_use]
mod over;

mod talk;
