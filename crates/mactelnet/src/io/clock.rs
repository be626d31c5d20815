//! tokio's clock, counted from the moment a driver started.

use crate::Instant;

/// Maps tokio's clock (which a test may pause) to the machines' [`Instant`].
#[derive(Debug, Clone, Copy)]
pub struct Clock(tokio::time::Instant);

impl Clock {
    /// The epoch is now.
    #[allow(clippy::new_without_default)] // a clock that starts by default would hide when its epoch is
    pub fn new() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Time since the epoch.
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.0.elapsed()
    }

    /// The point on tokio's clock.
    pub fn at(&self, instant: Instant) -> tokio::time::Instant {
        self.0 + instant.since_epoch()
    }
}
