//! One router, seen from outside: power, cables, events.

mod arrival;
mod machine;
mod ports;
mod probe;
mod serial;
#[cfg(test)]
mod tests;

pub use machine::Router;
pub use probe::Running;
