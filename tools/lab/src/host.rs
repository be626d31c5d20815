//! A host's end of a wire.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use mactelnet::Instant;
use tokio::sync::Notify;

/// Frames that wait to be read or carried; beyond that they are lost, as on a socket's buffer.
const MAX_QUEUE: usize = 4096;

#[derive(Default)]
struct Queues {
    outgoing: VecDeque<Vec<u8>>,
    incoming: VecDeque<(Instant, Vec<u8>)>,
}

/// A host's Ethernet port in a world; clones are the same one.
#[derive(Clone)]
pub struct HostPort {
    queues: Rc<RefCell<Queues>>,
    world: Rc<Notify>,
    arrived: Rc<Notify>,
}

impl fmt::Debug for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostPort")
    }
}

impl HostPort {
    pub(crate) fn new(world: Rc<Notify>) -> Self {
        Self { queues: Rc::default(), world, arrived: Rc::new(Notify::new()) }
    }

    /// Puts a frame on the wire, as soon as the world runs.
    pub fn send(&self, frame: Vec<u8>) {
        let mut queues = self.queues.borrow_mut();
        if queues.outgoing.len() < MAX_QUEUE {
            queues.outgoing.push_back(frame);
        }
        self.world.notify_one();
    }

    /// The next frame that lies ready, and when it arrived.
    pub fn try_recv(&self) -> Option<(Instant, Vec<u8>)> {
        self.queues.borrow_mut().incoming.pop_front()
    }

    /// Waits for a frame. One reader at a time.
    pub async fn recv(&self) -> (Instant, Vec<u8>) {
        loop {
            if let Some(frame) = self.try_recv() {
                return frame;
            }
            self.arrived.notified().await;
        }
    }

    pub(crate) fn has_outgoing(&self) -> bool {
        !self.queues.borrow().outgoing.is_empty()
    }

    pub(crate) fn take_outgoing(&self) -> Option<Vec<u8>> {
        self.queues.borrow_mut().outgoing.pop_front()
    }

    pub(crate) fn put_incoming(&self, now: Instant, frame: Vec<u8>) {
        let mut queues = self.queues.borrow_mut();
        if queues.incoming.len() < MAX_QUEUE {
            queues.incoming.push_back((now, frame));
        }
        self.arrived.notify_one();
    }
}
