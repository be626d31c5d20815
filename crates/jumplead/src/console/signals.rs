//! Signals that a terminal minds.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the terminal or the system says to the process.
#[derive(Debug)]
pub struct Signals {
    pub(super) window: Signal,
    pub(super) terminate: Signal,
    pub(super) hangup: Signal,
    pub(super) quit: Signal,
    pub(super) interrupt: Signal,
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            window: signal(SignalKind::window_change())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits until one asks for the end.
    pub async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.quit.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
