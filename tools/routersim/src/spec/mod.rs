//! What one simulated router is: its board, RouterOS version, state on arrival, users, files, oddities.

mod board;
mod file;
mod version;

pub use board::{BOARDS, Board, PortKind};
pub use file::{AdapterSpec, Boot, BooterSpec, FileSpec, SerialSpec, Spec, SpecError, State, UserSpec};
pub use version::Version;
