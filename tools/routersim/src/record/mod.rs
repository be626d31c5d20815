//! What happened in a router, typed: tests look here and at the state, never at console text.

mod event;
mod recorder;

pub use event::{Event, EventKind, Outcome, Phase, SessionId, Via};
pub use recorder::Recorder;
