//! Telnet as a carrier of bytes: nothing of its terminal but what keeps every byte intact.

mod options;
mod wire;

pub use options::{Options, Policy, Standing};
pub use wire::{Decoder, Item, Verb, begins, command, encode, negotiate, option, subnegotiation};
