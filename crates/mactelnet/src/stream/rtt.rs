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
/// Longest wait while nothing is measured: lets links with a round trip of up to two seconds be measured at all.
pub const MAX_UNMEASURED_RTO: Duration = Duration::from_secs(2);
/// How long without progress until the peer is given up. The reference asks for 8 s at least.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// The least that is added to the mean for its spread: on a quiet wire the measured spread is zero.
const GRANULARITY: Duration = Duration::from_millis(10);

/// Mean and spread of the round-trip time, and the back-off of the packet that is being resent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rtt {
    /// Smoothed mean and mean deviation.
    measured: Option<(Duration, Duration)>,
    backoff: u32,
}

impl Rtt {
    /// The smoothed round-trip time, if any was measured.
    pub fn smoothed(&self) -> Option<Duration> {
        self.measured.map(|(mean, _)| mean)
    }

    /// Takes one measurement and ends the back-off.
    pub fn sample(&mut self, rtt: Duration) {
        self.backoff = 0;
        self.measured = Some(match self.measured {
            None => (rtt, rtt / 2),
            Some((mean, spread)) => ((mean * 7 + rtt) / 8, (spread * 3 + mean.abs_diff(rtt)) / 4),
        });
    }

    /// The answer to a packet that was sent more than once. Which of them it answers is told by when it came: soon
    /// after the last can only mean the first. Unclear cases measure nothing (Karn's rule).
    pub fn ambiguous_sample(&mut self, since_first: Duration, since_last: Duration) {
        match self.measured {
            Some((mean, _)) if since_last < mean / 2 => self.sample(since_first),
            Some(_) => self.backoff = 0,
            // The wait stays long until something is measured.
            None => {}
        }
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
                (base, MAX_RTO.max(base * 2))
            }
            None => (INITIAL_RTO, MAX_UNMEASURED_RTO),
        };
        base.saturating_mul(1 << self.backoff).min(max)
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
    fn an_answer_right_after_a_resend_measures_the_first() {
        let mut rtt = Rtt::default();
        rtt.sample(ms(100));
        rtt.ambiguous_sample(ms(320), ms(10));
        assert!(rtt.smoothed().unwrap() > ms(120));
        let before = rtt.smoothed();
        rtt.ambiguous_sample(ms(500), ms(130));
        assert_eq!(rtt.smoothed(), before);
    }

    #[test]
    fn a_link_slower_than_the_first_wait_is_measured_in_the_end() {
        // Nothing measured: every ACK stays ambiguous until the wait has doubled past the round trip.
        let mut rtt = Rtt::default();
        let real = ms(900);
        for _ in 0..5 {
            let (mut sent, mut tries) = (Duration::ZERO, 1);
            while sent + rtt.rto() < real {
                sent += rtt.rto();
                rtt.back_off();
                tries += 1;
            }
            if tries == 1 { rtt.sample(real) } else { rtt.ambiguous_sample(real, real - sent) }
        }
        assert_eq!(rtt.smoothed(), Some(real));
    }
}
