//! A bad wire: characters that arrive as others, twice, or not at all.

/// One direction of a wire that damages a character now and then. The same seed damages the same characters.
#[derive(Debug, Clone)]
pub struct Noise {
    every: u32,
    left: u64,
    state: u64,
}

impl Noise {
    /// One character in `every` on average; 0: none.
    pub fn new(every: u32, seed: u64) -> Self {
        let mut noise = Self { every, left: 0, state: seed };
        noise.rest();
        noise
    }

    fn random(&mut self) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn rest(&mut self) {
        self.left = self.random() % (2 * u64::from(self.every)).max(1);
    }

    /// What arrives of `byte`: it mostly, another one where a bit was read wrongly, a NUL behind it where its stop bit was,
    /// or it twice or not at all.
    pub fn pass(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.every == 0 || self.left > 0 {
            self.left = self.left.saturating_sub(1);
            return out.push(byte);
        }
        self.rest();
        let drawn = self.random();
        let flipped = byte ^ 1 << (drawn >> 8 & 7);
        match drawn % 8 {
            0 => out.extend([byte, byte]),
            1 => {}
            2 | 3 => out.extend([flipped, 0]),
            _ => out.push(flipped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Noise;

    fn after(every: u32, seed: u64, sent: &[u8]) -> Vec<u8> {
        let (mut noise, mut seen) = (Noise::new(every, seed), Vec::new());
        for byte in sent {
            noise.pass(*byte, &mut seen);
        }
        seen
    }

    #[test]
    fn errors_come_as_often_as_was_said_and_the_same_for_the_same_seed() {
        let sent: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        assert_eq!(after(0, 7, &sent), sent);
        let seen = after(1000, 7, &sent);
        assert_eq!(seen, after(1000, 7, &sent));
        assert_ne!(seen, after(1000, 8, &sent));
        // Counted where neither a loss nor a doubling shifts the rest.
        let (mut noise, mut wrong) = (Noise::new(1000, 7), 0);
        for byte in &sent {
            let mut out = Vec::new();
            noise.pass(*byte, &mut out);
            wrong += usize::from(out != [*byte]);
        }
        assert!((70..140).contains(&wrong), "{wrong}");
    }
}
