//! Jumplead: the command line.

mod cli;
mod failure;
mod output;
mod term;

fn main() {}
