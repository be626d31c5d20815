//! Commands that are no table's: power, backup, scripts, network tools and the rest.

mod backup;
mod certificate;
mod keys;
mod language;
mod misc;
mod monitor;
mod ping;
mod power;
mod registry;
mod scripts;
mod serial;
mod transfer;
mod update;

pub use registry::{COMMANDS, Command};
