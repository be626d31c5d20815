//! One module a command.

pub mod bootstrap;
pub mod bundle;
pub mod change;
pub mod config;
pub mod console;
pub mod diagnose;
pub mod discover;
pub mod doctor;
pub mod exec;
pub mod explain;
pub mod ha;
pub mod lint;
pub mod made;
mod picked_up;
pub mod ping;
pub mod ports;
pub mod recover;
pub mod rehearse;
pub mod runs;
pub mod theatre;
pub mod wires;
