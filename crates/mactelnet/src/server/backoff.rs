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

/// How far ahead verdicts of one source may queue. Whoever comes behind it hears none: its login ends sooner
/// (`LOGIN_TIMEOUT`). Without a bound, whoever sends wrong passwords in another's name would shut that one out for hours.
const MAX_QUEUE: Duration = Duration::from_secs(30);

/// Refusals by source.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    sources: BTreeMap<MacAddr, (u32, Instant)>,
    /// When the last verdict of a source is told that was put off.
    told: BTreeMap<MacAddr, Instant>,
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

    /// A proof of `source` is judged: how long its verdict waits. Verdicts of several sessions at once queue behind each
    /// other, or so many sessions would be so many guesses in the time of one.
    pub(super) fn judged(&mut self, now: Instant, source: MacAddr, refused: bool) -> Duration {
        let delay = self.delay(now, source);
        if refused {
            self.refused(now, source);
        }
        if delay.is_zero() {
            return delay;
        }
        self.told.retain(|_, at| *at > now);
        let at = self.told.get(&source).copied().unwrap_or(now) + delay;
        let wait = at.saturating_since(now);
        if wait > MAX_QUEUE {
            return wait;
        }
        if self.told.len() < MAX_SOURCES {
            self.told.insert(source, at);
        }
        wait
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
        self.told.remove(&source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_of_one_source_queue_up_to_a_bound() {
        let [mac, other] = [1, 2].map(|last| MacAddr([2, 0, 0, 0, 0, last]));
        let mut backoff = Backoff::default();
        let now = Instant::from_millis(5000);
        let waits: Vec<u64> = (0..10).map(|_| backoff.judged(now, mac, true).as_secs()).collect();
        // What is behind the bound is not told, and holds up nobody.
        assert_eq!(waits, [0, 0, 0, 0, 1, 3, 7, 15, 23, 31]);
        assert_eq!(backoff.judged(now, mac, true).as_secs(), 31);
        assert_eq!(backoff.judged(now, other, true), Duration::ZERO);
        assert_eq!(backoff.judged(now + Duration::from_secs(10), mac, false).as_secs(), 21, "right or wrong");
        backoff.accepted(mac);
        assert_eq!(backoff.judged(now, mac, false), Duration::ZERO);
    }

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
