//! What was sent and received, with secrets masked.

use std::fmt;

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the router.
    Sent,
    /// From the router.
    Received,
}

/// Where transcripts go. Called in order, from the session's task; must not block.
pub trait Transcript: Send + Sync + fmt::Debug {
    /// Bytes as they passed, secrets already masked.
    fn record(&self, direction: Direction, bytes: &[u8]);
}
