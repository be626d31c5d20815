//! Round-trip time, and from it how long to wait before resending (RFC 6298's estimator, other bounds).

use std::time::Duration;

/// Wait before the first resend while nothing is measured. Longer than the 140 ms of the worst link reported, so
/// that such a link sees no needless START.
pub const INITIAL_RTO: Duration = Duration::from_millis(250);
/// Never resend sooner than this: a router answers within a few milliseconds, but not while its CPU is busy.
pub const MIN_RTO: Duration = Duration::from_millis(30);
/// Longest wait between resends, unless the round trip itself asks for more. At 20 % loss in both directions this
/// gives some thirty tries within [`PATIENCE`]: a failure is one in 10^13.
pub const MAX_RTO: Duration = Duration::from_millis(500);
/// Longest wait ever, also while nothing is measured or what was measured is in doubt: lets links with a round trip of
/// up to a second be measured at all. (Slower ones see every packet twice, and work.)
pub const MAX_UNMEASURED_RTO: Duration = Duration::from_secs(1);
/// Doubtful answers in a row until the measurement itself is doubted. At 20 % loss one packet in sixty comes to this.
const MAX_DOUBTFUL: u32 = 4;
/// How long without progress until the peer is given up. The reference asks for 8 s at least.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// The least that is added to the mean for its spread: on a quiet wire the measured spread is zero.
const GRANULARITY: Duration = Duration::from_millis(10);

/// Mean and spread of the round-trip time, and the back-off of the packet that is being resent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rtt {
    /// Smoothed mean and mean deviation.
    measured: Option<(Duration, Duration)>,
    /// The shortest measured.
    shortest: Option<Duration>,
    backoff: u32,
    /// Answers in a row of which nobody can say what they answer.
    doubtful: u32,
}

impl Rtt {
    /// The smoothed round-trip time, if any was measured.
    pub fn smoothed(&self) -> Option<Duration> {
        self.measured.map(|(mean, _)| mean)
    }

    /// The shortest round trip measured: nothing is answered sooner.
    pub fn shortest(&self) -> Option<Duration> {
        self.shortest
    }

    /// Takes one measurement and ends the back-off.
    pub fn sample(&mut self, rtt: Duration) {
        self.backoff = 0;
        self.doubtful = 0;
        self.shortest = Some(self.shortest.map_or(rtt, |shortest| shortest.min(rtt)));
        self.measured = Some(match self.measured {
            None => (rtt, rtt / 2),
            Some((mean, spread)) => ((mean * 7 + rtt) / 8, (spread * 3 + mean.abs_diff(rtt)) / 4),
        });
    }

    /// The answer, `since_last`, to a packet that was sent more than once: nobody can say to which sending, and nothing
    /// is measured. (To take it for the answer to the first when it comes early feeds the wait back into itself: on a
    /// bad wire it grows without end.) The wait falls back to what was measured, but not for long: on a link that has
    /// become slow every packet would be resent for ever. After a few in a row it stays as long as it has grown, until
    /// a packet is answered that was sent once (Karn's rule).
    pub fn ambiguous_sample(&mut self, since_last: Duration) {
        match self.measured {
            Some(_) if self.doubtful < MAX_DOUBTFUL => self.backoff = 0,
            Some(_) => {}
            // The shortest that it can have been; if it was longer, the first waits are too short, and grow.
            None => {
                let backoff = self.backoff.min(1);
                self.sample(since_last);
                self.backoff = backoff;
            }
        }
        self.doubtful += 1;
    }

    /// Doubles the wait.
    pub fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(16);
    }

    /// How long to wait for an answer before resending.
    pub fn rto(&self) -> Duration {
        let (base, max) = match self.measured {
            Some((mean, spread)) => {
                let base = (mean + (spread * 4).max(GRANULARITY)).max(MIN_RTO);
                let sure = self.doubtful < MAX_DOUBTFUL;
                (base, if sure { MAX_RTO.max(base + base / 2) } else { MAX_UNMEASURED_RTO })
            }
            None => (INITIAL_RTO, MAX_UNMEASURED_RTO),
        };
        base.saturating_mul(1 << self.backoff).min(max).min(MAX_UNMEASURED_RTO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn wait_follows_the_wire() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.rto(), INITIAL_RTO);
        rtt.sample(ms(140));
        assert_eq!(rtt.rto(), ms(140 + 280));
        for _ in 0..40 {
            rtt.sample(ms(140));
        }
        assert!(rtt.rto() >= ms(149) && rtt.rto() < ms(152), "{:?}", rtt.rto());
        for _ in 0..80 {
            rtt.sample(ms(1));
        }
        assert_eq!(rtt.rto(), MIN_RTO);
    }

    #[test]
    fn back_off_is_bounded_and_ends_with_a_measurement() {
        let mut rtt = Rtt::default();
        rtt.sample(ms(2));
        let waits: Vec<_> = (0..7)
            .map(|_| {
                let wait = rtt.rto();
                rtt.back_off();
                wait.as_millis()
            })
            .collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 500, 500]);
        rtt.sample(ms(2));
        assert_eq!(rtt.rto(), MIN_RTO);
    }

    #[test]
    fn a_wrong_measurement_is_forgotten_on_a_bad_wire_too() {
        // A second was measured, because of losses; in truth it is a millisecond, and every third packet is lost once.
        let mut rtt = Rtt::default();
        rtt.sample(ms(1000));
        for n in 0..60 {
            if n % 3 == 0 {
                rtt.back_off();
                rtt.ambiguous_sample(ms(1));
            } else {
                rtt.sample(ms(1));
            }
        }
        assert!(rtt.rto() < ms(100), "{:?}", rtt.rto());
    }

    /// Sends packets over a link of this round trip without loss: how often each was sent.
    fn tries(rtt: &mut Rtt, real: Duration, packets: usize) -> Vec<u32> {
        (0..packets)
            .map(|_| {
                let (mut sent, mut tries) = (Duration::ZERO, 1_u32);
                while sent + rtt.rto() < real {
                    sent += rtt.rto();
                    rtt.back_off();
                    tries += 1;
                }
                if tries == 1 {
                    rtt.sample(real)
                } else {
                    rtt.ambiguous_sample(real - sent)
                }
                tries
            })
            .collect()
    }

    #[test]
    fn a_link_that_becomes_slow_is_no_storm_for_long() {
        for slow in [45, 100, 255, 300, 700] {
            for fast in [0, 1, 20, 200] {
                let mut rtt = Rtt::default();
                tries(&mut rtt, ms(fast), 20);
                let tries = tries(&mut rtt, ms(slow), 30);
                assert!(tries[12..].iter().all(|n| *n == 1), "{fast} to {slow}: {tries:?}");
            }
        }
    }

    #[test]
    fn a_link_slower_than_the_first_wait_is_measured_in_the_end() {
        for real in [260, 400, 700] {
            let tries = tries(&mut Rtt::default(), ms(real), 20);
            assert!(tries[12..].iter().all(|n| *n == 1), "{real}: {tries:?}");
        }
    }
}
