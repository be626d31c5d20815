//! One module a command.

pub mod config;
pub mod discover;
pub mod doctor;
pub mod ping;
pub mod runs;
