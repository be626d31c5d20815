//! The log: rules say which lines go to which action, actions say where that is.

use std::collections::{BTreeSet, VecDeque};

use super::core::System;
use crate::console::Notice;
use crate::menu::Config;
use crate::raw;
use crate::record::EventKind;

/// Lines kept in a memory buffer unless its action says otherwise \[doc\].
const MEMORY_LINES: usize = 1000;
/// Lines of one file of a disk action unless it says otherwise \[doc\].
const DISK_LINES: usize = 1000;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Number of its id.
    pub id: u32,
    /// Unix time.
    pub time: u64,
    /// The action in whose memory it lies.
    pub buffer: String,
    /// Topics, comma-separated.
    pub topics: String,
    /// Text.
    pub message: String,
}

/// The lines of buffers: those in memory, or those of disk actions.
#[derive(Debug, Clone, Default)]
pub struct LogRing {
    lines: VecDeque<LogEntry>,
    last_id: u32,
}

impl LogRing {
    /// Adds a line to a buffer that holds `most`: its oldest goes, or with `stop` the new one.
    fn push(&mut self, entry: LogEntry, most: usize, stop: bool) {
        let mut held = self.lines.iter().filter(|line| line.buffer == entry.buffer).count();
        if stop && held >= most {
            return;
        }
        while held >= most.max(1) {
            let oldest = self.lines.iter().position(|line| line.buffer == entry.buffer);
            oldest.and_then(|at| self.lines.remove(at));
            held -= 1;
        }
        self.last_id = self.last_id.wrapping_add(1);
        self.lines.push_back(LogEntry { id: self.last_id, ..entry });
    }

    /// Forgets the lines of a buffer.
    pub fn clear(&mut self, buffer: &str) {
        self.lines.retain(|line| line.buffer != buffer);
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &LogEntry> {
        self.lines.iter()
    }
}

/// Where a line goes by one rule.
enum Target {
    Memory {
        buffer: String,
        lines: usize,
        stop: bool,
    },
    Disk {
        action: String,
        file: String,
        lines: usize,
        files: usize,
    },
    Echo,
    /// A server far away, or a target of a later version: nothing here sees it.
    Elsewhere,
}

/// Whether a rule's topics fit: all are there, and none of those with `!`.
fn fits(rule: &str, topics: &BTreeSet<&str>) -> bool {
    rule.split(',').filter(|topic| !topic.is_empty()).all(|topic| match topic.strip_prefix('!') {
        Some(unwanted) => !topics.contains(unwanted),
        None => topics.contains(topic),
    })
}

/// Prefix and target of each rule that fits; an action takes a line once.
fn targets(config: &Config, topics: &str) -> Vec<(String, Target)> {
    let topics: BTreeSet<&str> = topics.split(',').collect();
    let mut taken = BTreeSet::new();
    let mut targets = Vec::new();
    for rule in config.items("/system/logging").iter().filter(|rule| !rule.disabled) {
        let name = rule.get("action").unwrap_or("memory");
        if !fits(rule.get("topics").unwrap_or("info"), &topics) || !taken.insert(name) {
            continue;
        }
        let action = config.by_name("/system/logging/action", name);
        let value = |name: &str| action.and_then(|action| action.get(name));
        let number = |name: &str, or: usize| value(name).and_then(|text| text.parse().ok()).unwrap_or(or);
        let target = match value("target").unwrap_or(name) {
            "memory" => Target::Memory {
                buffer: name.to_owned(),
                lines: number("memory-lines", MEMORY_LINES),
                stop: value("memory-stop-on-full") == Some("yes"),
            },
            "disk" => Target::Disk {
                action: name.to_owned(),
                file: value("disk-file-name").unwrap_or("log").to_owned(),
                lines: number("disk-lines-per-file", DISK_LINES),
                files: number("disk-file-count", 2),
            },
            "echo" => Target::Echo,
            _ => Target::Elsewhere,
        };
        targets.push((rule.get("prefix").unwrap_or_default().to_owned(), target));
    }
    targets
}

impl System {
    /// Logs a line, as far as the rules want it.
    pub fn log(&self, topics: &str, message: &str) {
        self.note(EventKind::Log { topics: topics.to_owned(), message: message.to_owned() });
        let time = self.unix_time();
        for (prefix, target) in self.config(|config| targets(config, topics)) {
            let message = if prefix.is_empty() { message.to_owned() } else { format!("{prefix}: {message}") };
            match target {
                Target::Memory { buffer, lines, stop } => {
                    let entry = LogEntry { id: 0, time, buffer, topics: topics.to_owned(), message };
                    self.volatile.borrow_mut().log.push(entry, lines, stop);
                }
                Target::Disk { action, file, lines, files } => {
                    let entry =
                        LogEntry { id: 0, time, buffer: action, topics: topics.to_owned(), message: message.clone() };
                    self.log_to_disk(&file, (lines, files), time, topics, &message);
                    self.storage.borrow_mut().disk_log.push(entry, lines, false);
                }
                Target::Echo => self.notices.publish(Notice::Log(self.log_line(time, topics, &message))),
                Target::Elsewhere => {}
            }
        }
    }

    /// `NAME.0.txt` is written until it is full, then becomes `NAME.1.txt`.
    fn log_to_disk(&self, stem: &str, (lines, files): (usize, usize), time: u64, topics: &str, message: &str) {
        let name = |at: usize| format!("{stem}.{at}.txt");
        let mut text = self.read_file(&name(0)).unwrap_or_default();
        if text.iter().filter(|byte| **byte == b'\n').count() >= lines.max(1) {
            for at in (1..files).rev() {
                if let Some(older) = self.read_file(&name(at - 1)) {
                    // A full storage loses log lines, nothing else.
                    let _ = self.write_file(&name(at), older);
                }
            }
            text.clear();
        }
        let line = self.log_line(time, topics, message);
        text.extend(raw::bytes(&format!("{} {topics} {message}\r\n", line.stamp)));
        let _ = self.write_file(&name(0), text);
    }
}
