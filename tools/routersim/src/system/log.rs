//! The log in RAM.

use std::collections::VecDeque;

/// Lines kept in memory: RouterOS's `memory-lines` default.
const MAX_LINES: usize = 1000;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Number of its id.
    pub id: u32,
    /// Unix time.
    pub time: u64,
    /// Topics, comma-separated.
    pub topics: String,
    /// Text.
    pub message: String,
}

/// The ring of lines.
#[derive(Debug, Default)]
pub struct LogRing {
    lines: VecDeque<LogEntry>,
    last_id: u32,
}

impl LogRing {
    /// Adds a line; the oldest goes when the ring is full.
    pub fn push(&mut self, time: u64, topics: &str, message: &str) {
        if self.lines.len() >= MAX_LINES {
            self.lines.pop_front();
        }
        self.last_id = self.last_id.wrapping_add(1);
        self.lines.push_back(LogEntry {
            id: self.last_id,
            time,
            topics: topics.to_owned(),
            message: message.to_owned(),
        });
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &LogEntry> {
        self.lines.iter()
    }
}
