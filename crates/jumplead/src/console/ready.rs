//! What a terminal needs beside its link: signals, the logs, and who is there.

use std::io::IsTerminal as _;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::record::Record;
use crate::term;

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

/// What a terminal needs beside its link. The first prompt is waited for: it is made while the router makes up its mind.
#[derive(Debug)]
pub struct Ready {
    pub(super) signals: Signals,
    pub(super) record: Record,
    /// Standard output is a terminal.
    pub(super) terminal: bool,
    /// Standard input is one too: there is somebody.
    pub interactive: bool,
}

impl Ready {
    /// Listens to signals from now on.
    pub fn new(signals: Signals, record: Record) -> Self {
        Self { signals, record, terminal: std::io::stdout().is_terminal(), interactive: term::interactive() }
    }

    /// Waits until a signal asks for the end.
    pub async fn end(&mut self) {
        self.signals.end().await;
    }

    /// For a console that is no terminal.
    pub fn into_parts(self) -> (Signals, Record) {
        (self.signals, self.record)
    }
}
