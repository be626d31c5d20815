//! One router, seen from outside: power, cables, events.

mod arrival;
mod machine;
mod netboot;
mod ports;
mod probe;
mod serial;
#[cfg(test)]
mod tests;

pub use machine::Router;
pub use netboot::{Installation, Keep, Told};
pub use probe::Running;
