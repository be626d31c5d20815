//! Faults of a wire: seeded loss, duplication, reordering, delay and corruption.

use std::time::Duration;

use crate::Instant;

/// How bad a wire is, one direction. Chances are in percent, each drawn on its own.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Frames that vanish.
    pub loss: f64,
    /// Frames that arrive twice, the copy after another draw of the delay.
    pub duplication: f64,
    /// Frames that are held back by [`Faults::hold`], so that later ones overtake them.
    pub reordering: f64,
    /// Frames of which one bit is flipped.
    pub corruption: f64,
    /// Every frame takes this long.
    pub delay: Duration,
    /// And up to this much longer.
    pub jitter: Duration,
    /// How long a reordered frame is held.
    pub hold: Duration,
}

impl Faults {
    /// A wire that only takes `delay`.
    pub fn delay(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }
}

/// One direction of a bad wire.
#[derive(Debug, Clone)]
pub struct FaultyWire {
    faults: Faults,
    state: u64,
    /// Frames that vanished.
    pub lost: u64,
    /// Frames that passed, copies not counted.
    pub passed: u64,
}

impl FaultyWire {
    /// The same seed and the same frames give the same faults.
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self { faults, state: seed ^ 0x5DEE_CE66_D1CE_4E5B, lost: 0, passed: 0 }
    }

    /// Changes how bad it is, from the next frame on.
    pub fn set(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// What becomes of a frame sent at `now`: when and in which form it arrives, if it does.
    pub fn pass(&mut self, now: Instant, frame: &[u8]) -> Vec<(Instant, Vec<u8>)> {
        if self.chance(self.faults.loss) {
            self.lost += 1;
            return Vec::new();
        }
        self.passed += 1;
        let mut frame = frame.to_vec();
        if self.chance(self.faults.corruption) && !frame.is_empty() {
            let bit = self.below(frame.len() as u64 * 8);
            if let Some(byte) = frame.get_mut((bit / 8) as usize) {
                *byte ^= 1 << (bit % 8);
            }
        }
        let copies = if self.chance(self.faults.duplication) { 2 } else { 1 };
        (0..copies)
            .map(|_| {
                let mut at = now + self.faults.delay;
                let jitter = u64::try_from(self.faults.jitter.as_micros()).unwrap_or(0);
                if jitter > 0 {
                    at += Duration::from_micros(self.below(jitter + 1));
                }
                if self.chance(self.faults.reordering) {
                    at += self.faults.hold;
                }
                (at, frame.clone())
            })
            .collect()
    }

    fn chance(&mut self, percent: f64) -> bool {
        // Always draw: switching one fault on must not move the others.
        let drawn = self.below(1_000_000) as f64 / 10_000.0;
        drawn < percent
    }

    /// SplitMix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_near_what_was_asked_and_repeat_with_the_seed() {
        let faults = Faults { loss: 20.0, duplication: 10.0, ..Faults::default() };
        let run = |seed| {
            let mut wire = FaultyWire::new(faults, seed);
            (0..10_000u32).map(|n| wire.pass(Instant::ZERO, &n.to_be_bytes()).len()).collect::<Vec<_>>()
        };
        let first = run(3);
        assert_eq!(first, run(3));
        assert_ne!(first, run(4));
        let lost = first.iter().filter(|n| **n == 0).count();
        let twice = first.iter().filter(|n| **n == 2).count();
        assert!((1_800..2_200).contains(&lost), "{lost}");
        assert!((650..950).contains(&twice), "{twice}");
    }
}
