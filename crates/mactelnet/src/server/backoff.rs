//! Refused logins cost their source time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Instant, MacAddr};

/// Refusals that cost nothing: a person mistypes.
const FREE: u32 = 3;
/// Longest wait for a verdict.
const MAX_DELAY: Duration = Duration::from_secs(8);
/// After this long without another refusal a source starts afresh.
const FORGET: Duration = Duration::from_secs(60);
/// Sources remembered; beyond it the quietest is forgotten. MACs can be invented, so this slows honest software
/// that tries passwords, and bounds memory against the rest.
const MAX_SOURCES: usize = 256;

/// Refusals by source.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    sources: BTreeMap<MacAddr, (u32, Instant)>,
}

impl Backoff {
    /// How long `source` waits for its next verdict, right or wrong: a quicker yes would tell them apart.
    pub(super) fn delay(&self, now: Instant, source: MacAddr) -> Duration {
        match self.sources.get(&source) {
            Some((refusals, last)) if *refusals > FREE && now.saturating_since(*last) < FORGET => {
                let doublings = (refusals - FREE - 1).min(8);
                (Duration::from_secs(1) * (1 << doublings)).min(MAX_DELAY)
            }
            _ => Duration::ZERO,
        }
    }

    /// A login of `source` was refused.
    pub(super) fn refused(&mut self, now: Instant, source: MacAddr) {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&source) {
            let quietest = self.sources.iter().min_by_key(|(_, (_, last))| *last).map(|(mac, _)| *mac);
            quietest.and_then(|mac| self.sources.remove(&mac));
        }
        let entry = self.sources.entry(source).or_insert((0, now));
        if now.saturating_since(entry.1) >= FORGET {
            entry.0 = 0;
        }
        *entry = (entry.0.saturating_add(1), now);
    }

    /// A login of `source` was right.
    pub(super) fn accepted(&mut self, source: MacAddr) {
        self.sources.remove(&source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_is_bounded_and_ends() {
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let mut backoff = Backoff::default();
        let mut now = Instant::ZERO;
        let delays: Vec<u64> = (0..9)
            .map(|_| {
                now += Duration::from_secs(1);
                backoff.refused(now, mac);
                backoff.delay(now, mac).as_secs()
            })
            .collect();
        assert_eq!(delays, [0, 0, 0, 1, 2, 4, 8, 8, 8]);
        assert_eq!(backoff.delay(now + FORGET, mac), Duration::ZERO);
        for n in 0..1000u16 {
            let [a, b] = n.to_be_bytes();
            backoff.refused(now + Duration::from_millis(n.into()), MacAddr([4, 0, 0, 0, a, b]));
        }
        assert_eq!(backoff.sources.len(), MAX_SOURCES);
        backoff.accepted(mac);
        assert_eq!(backoff.delay(now, mac), Duration::ZERO);
    }
}
