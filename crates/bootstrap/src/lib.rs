//! How an erased router becomes the proved standby of a pair: facts, preflight, plan, steps, journal, hand-off, proof.
//!
//! This crate names no transport: roads to routers come in through [`road::Roads`].

pub mod diagnosis;
pub mod engine;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod facts;
pub mod ha;
pub mod ha_export;
pub mod journal;
pub mod mac;
pub mod marker;
pub mod pair;
pub mod path;
pub mod plan;
pub mod preflight;
pub mod proof;
pub mod recover;
pub mod render;
pub mod road;
pub mod secret;
pub mod signs;
pub mod site;
pub mod state;
pub mod store;
pub mod target;
pub mod trouble;
