//! The serial console's line: what is on its wires from the first byte of the boot loader to the last of a session.
//!
//! | module | what it does |
//! |---|---|
//! | `wave` | characters as a UART at another speed sees them |
//! | `line` | the wires, both ways, at their speed |
//! | `noise` | a wire that damages characters |
//! | `booter`, `menus` | RouterBOOT: banner, key window, menus |
//!
//! Texts are those of transcripts 01-13 (single lines quoted as data). Inferred: when in the boot each line is printed;
//! that BREAK has no effect on either RouterBOOT or RouterOS; that what is typed while the kernel starts is lost.

mod booter;
mod line;
mod menus;
mod noise;
mod wave;

pub use booter::{Board, Booter, Exit, Netboot, Settings};
pub use line::{Line, Wire};
pub use noise::Noise;
pub use serial_console::LineSettings;
pub use wave::{seen_at, seen_by};
