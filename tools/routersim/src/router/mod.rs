//! One router, seen from outside: power, cables, events.

mod machine;

pub use machine::Router;
