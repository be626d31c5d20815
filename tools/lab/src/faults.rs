//! What a wire does to frames beside carrying them.

use std::time::Duration;

/// A seeded sequence (SplitMix64): good enough to vary a simulation, no secret.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// True `permille` times in a thousand.
    pub fn chance(&mut self, permille: u16) -> bool {
        permille > 0 && self.draw() % 1000 < u64::from(permille)
    }

    /// From zero to just below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw() % bound }
    }
}

/// Faults of one direction of a wire; each is drawn on its own for each frame, in permille.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Frames that vanish.
    pub loss: u16,
    /// Frames that arrive twice.
    pub duplicate: u16,
    /// Frames that are held back so that later ones overtake them.
    pub reorder: u16,
    /// Frames of which one bit is turned. A real wire loses these (the frame check); this is for what parses them.
    pub corrupt: u16,
    /// Added to the latency, from zero to this, drawn for each frame; order is kept.
    pub jitter: Duration,
}

/// How long a frame is held back to be overtaken, in latencies (but at least [`MIN_HOLD`]).
const HOLD: u32 = 3;
/// So that overtaking happens on a wire of no latency, too.
const MIN_HOLD: Duration = Duration::from_millis(2);

/// One copy of a frame that arrives, and how much later than sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub after: Duration,
    /// May be overtaken: its arrival doesn't push later ones back.
    pub held: bool,
    pub frame: Vec<u8>,
}

impl Faults {
    /// What becomes of a frame.
    pub(crate) fn draw(&self, random: &mut Random, latency: Duration, frame: Vec<u8>) -> Vec<Arrival> {
        // Every draw is made for every frame, so that one probability doesn't shift the others' sequence.
        let (lost, twice) = (random.chance(self.loss), random.chance(self.duplicate));
        let (held, damaged) = (random.chance(self.reorder), random.chance(self.corrupt));
        let spread = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        let late = Duration::from_micros(random.below(spread));
        let bit = random.draw();
        if lost {
            return Vec::new();
        }
        let mut frame = frame;
        if damaged && !frame.is_empty() {
            let at = usize::try_from(bit >> 3).unwrap_or(0) % frame.len();
            frame[at] ^= 1 << (bit & 7);
        }
        let hold = if held { (latency * HOLD).max(MIN_HOLD) } else { Duration::ZERO };
        let first = Arrival { after: latency + late + hold, held, frame };
        let mut arrivals = vec![first.clone()];
        if twice {
            arrivals.push(Arrival { held: true, ..first });
        }
        arrivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_comes_as_often_as_asked_and_the_same_each_time() {
        let faults = Faults { loss: 100, duplicate: 50, reorder: 30, corrupt: 20, jitter: Duration::from_millis(1) };
        let run = || {
            let mut random = Random::new(5);
            let latency = Duration::from_millis(1);
            (0..10_000).map(|_| faults.draw(&mut random, latency, vec![0; 64])).collect::<Vec<_>>()
        };
        let all = run();
        assert_eq!(all, run());
        let lost = all.iter().filter(|arrivals| arrivals.is_empty()).count();
        let twice = all.iter().filter(|arrivals| arrivals.len() == 2).count();
        let bad = all.iter().filter(|a| a.first().is_some_and(|a| a.frame.iter().any(|byte| *byte != 0))).count();
        assert!((900..1100).contains(&lost) && (350..550).contains(&twice) && (120..240).contains(&bad));
    }
}
