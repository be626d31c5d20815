//! How an erased router becomes the proved standby of a pair: facts, preflight, plan, steps, journal, hand-off, proof.
//!
//! This crate names no transport: roads to routers come in through a trait.

pub mod ha;
