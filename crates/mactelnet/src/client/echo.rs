//! The C server answers each ACK with an ACK of the same counter, which is a place in *its* stream, not in ours. \[M\]
//!
//! Such an echo must not be taken for an acknowledgement when the two counters happen to be equal, and it tells what
//! kind of server this is: one that never resends, and goes on after any ACK. There a repeated ACK frees a server
//! whose packet arrived while our ACK was lost.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Instant;

/// ACK counters remembered: an echo comes one round trip later, and few ACKs are on their way in one.
const MAX_SENT: usize = 8;
/// When the last ACK is repeated to a server that echoes, counted from the last data; then the keepalive takes over.
const NUDGES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3)];

/// What is known of the server's echoes.
#[derive(Debug, Default)]
pub(super) struct Echo {
    /// ACK counters sent and how often each has not come back yet.
    sent: VecDeque<(u32, u32)>,
    seen: bool,
    nudges: usize,
    last_data: Instant,
}

impl Echo {
    /// An ACK is sent.
    pub(super) fn sent(&mut self, counter: u32) {
        if let Some((last, count)) = self.sent.back_mut()
            && *last == counter
        {
            *count = count.saturating_add(1);
            return;
        }
        if self.sent.len() >= MAX_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back((counter, 1));
    }

    /// Data arrived.
    pub(super) fn data(&mut self, now: Instant) {
        self.nudges = 0;
        self.last_data = now;
    }

    /// An ACK arrived; `ours` says whether its counter could be in our stream, `idle` whether nothing of ours is on
    /// its way. Whether it is an echo.
    pub(super) fn received(&mut self, counter: u32, ours: bool) -> bool {
        let Some((_, count)) = self.sent.iter_mut().find(|(sent, count)| *sent == counter && *count > 0) else {
            return false;
        };
        if !ours {
            *count -= 1;
            self.seen = true;
            return true;
        }
        // Either. From a server that echoes, take it for the echo: if it was not, the resend tells.
        if self.seen {
            *count -= 1;
        }
        self.seen
    }

    /// When the next repetition is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let wait = NUDGES.get(self.nudges).filter(|_| self.seen)?;
        Some(self.last_data + *wait)
    }

    /// Whether the last ACK is to be repeated now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.poll_timeout().is_some_and(|at| at <= now);
        self.nudges += usize::from(due);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_known_and_a_doubtful_one_is_taken_for_one() {
        let mut echo = Echo::default();
        echo.sent(365);
        // Before any echo was seen, an ACK that may be ours is ours.
        assert!(!echo.received(365, true));
        assert!(echo.received(365, false));
        assert!(!echo.received(365, false));
        echo.sent(400);
        echo.sent(400);
        assert!(echo.received(400, true) && echo.received(400, true));
        assert!(!echo.received(400, true), "the third answers a resend");
        assert!(echo.handle_timeout(Instant::from_millis(250)));
        assert!(!echo.handle_timeout(Instant::from_millis(250)));
        assert_eq!(echo.poll_timeout(), Some(Instant::from_millis(1000)));
    }
}
