//! Opening a session: START until somebody answers.

use crate::rng::SeededRng;
use crate::stream::Rtt;
use crate::{Instant, MacAddr};

use super::error::Error;

/// How often one key is tried. The C server ignores a second START for a key it knows, so after a lost ACK only
/// another key helps; a lost START is helped by the same. \[S\]
const TRIES_PER_KEY: u32 = 3;
/// Longest wait between two STARTs. At 20 % loss both ways, one opening in 10^7 fails.
const MAX_WAIT: std::time::Duration = std::time::Duration::from_millis(500);

/// The STARTs of one opening.
#[derive(Debug)]
pub(super) struct Start {
    /// All keys tried; the newest last.
    keys: Vec<u16>,
    tries: u32,
    begun: Instant,
    last: Instant,
    deadline: Instant,
}

/// What to do when the time has come.
pub(super) enum Due {
    Nothing,
    /// Send START with this key.
    Send(u16),
    Fail(Error),
}

impl Start {
    /// The first START, with `key`, is sent now.
    pub(super) fn new(now: Instant, key: u16, rtt: &Rtt) -> Self {
        Self { keys: vec![key], tries: 1, begun: now, last: now, deadline: now + rtt.rto() }
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.deadline
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        timeout: std::time::Duration,
        peer: MacAddr,
        rng: &mut SeededRng,
    ) -> Due {
        if now < self.deadline {
            return Due::Nothing;
        }
        let waited = now.saturating_since(self.begun);
        if waited >= timeout {
            return Due::Fail(Error::NoAnswer { peer, tries: self.tries, waited });
        }
        if self.tries.is_multiple_of(TRIES_PER_KEY) {
            let key = fresh_key(rng, &self.keys);
            self.keys.push(key);
        }
        self.tries += 1;
        self.last = now;
        self.deadline = now + MAX_WAIT.min(timeout.saturating_sub(waited));
        self.keys.last().map_or(Due::Nothing, |key| Due::Send(*key))
    }

    /// An ACK for `key`: if it is one of ours, whether and how the round trip can be told, and the other keys, whose
    /// sessions the router may have opened as well.
    pub(super) fn answered(&self, now: Instant, key: u16, rtt: &mut Rtt) -> Option<Vec<u16>> {
        self.keys.contains(&key).then(|| {
            let (first, last) = (now.saturating_since(self.begun), now.saturating_since(self.last));
            if self.tries == 1 {
                rtt.sample(first)
            } else {
                rtt.ambiguous_sample(last)
            }
            self.others(key)
        })
    }

    /// All keys tried but `key`: the router may hold a session for each, if only its answers are lost.
    pub(super) fn others(&self, key: u16) -> Vec<u16> {
        self.keys.iter().copied().filter(|other| *other != key).collect()
    }

    pub(super) fn tried(&self, key: u16) -> bool {
        self.keys.contains(&key)
    }
}

/// A session key that is none of `taken`.
pub(super) fn fresh_key(rng: &mut SeededRng, taken: &[u16]) -> u16 {
    loop {
        let key = u16::from_be_bytes(rng.bytes());
        // A list of keys is short: a connect timeout holds no more than a few dozen tries.
        if !taken.contains(&key) {
            return key;
        }
    }
}
