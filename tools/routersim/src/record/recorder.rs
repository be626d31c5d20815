//! Collects events until somebody takes them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use mactelnet::Instant;

use super::{Event, EventKind};

/// Events kept for a reader that does not come: a whole rehearsal makes some 20,000.
const MAX_EVENTS: usize = 1 << 18;

/// The event queue of one router; survives its reboots.
#[derive(Debug, Default)]
pub struct Recorder {
    queue: RefCell<VecDeque<Event>>,
    dropped: Cell<u64>,
}

impl Recorder {
    /// Notes an event. The oldest goes when [`MAX_EVENTS`] lie unread.
    pub fn note(&self, at: Instant, kind: EventKind) {
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= MAX_EVENTS {
            queue.pop_front();
            self.dropped.set(self.dropped.get() + 1);
        }
        queue.push_back(Event { at, kind });
    }

    /// Takes the oldest event.
    pub fn poll(&self) -> Option<Event> {
        self.queue.borrow_mut().pop_front()
    }

    /// Events that were lost because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}
