//! A RouterOS simulator: one router, without I/O, clock or threads of its own.
//!
//! Everything inside a router that waits (a script's `:delay`, a console session, a transfer) is a
//! future on the router's own [`kernel`], which runs on virtual time.

pub mod console;
pub mod kernel;
pub mod menu;
pub mod net;
pub mod quirks;
mod raw;
#[cfg(feature = "real")]
pub mod real;
pub mod record;
pub mod router;
pub mod script;
pub mod serial;
pub mod spec;
pub mod ssh;
pub mod system;

pub use router::Router;
pub use spec::Spec;
