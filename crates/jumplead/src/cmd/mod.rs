//! One module a command.

pub mod discover;
pub mod doctor;
pub mod ping;
