//! What a router's `:parse` makes of a text: reads it with the command tree of a version, refuses what the router refuses
//! at the same place, and writes the intermediate form that `:put [:parse ...]` shows.
//!
//! [`crate::parse`] reads without a command tree and gives a tree of its own; this is the router's reader, in which menus
//! and commands decide how the next byte is read. Facts: `docs/language.md`.

mod absent;
mod arguments;
mod command;
mod expression;
mod items;
mod outcome;
mod reader;
mod render;
mod slots;
mod strings;
mod value;

pub use absent::{Absent, of_boards};
pub(crate) use arguments::UNKNOWN_IS_LATE;
pub(crate) use command::is_path;
pub use outcome::{Late, Outcome, Used, judge};
pub(crate) use outcome::{behind_unknown, commands_of, judge_any_board};
pub use slots::{stands_alone, takes_unnamed};

#[cfg(test)]
mod tests;
