//! Randomness from a seed: the machines draw keys, salts and private scalars from here, never from the system.

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// A generator of unpredictable bytes, as good as its seed: SHA-256 over seed and a counter.
///
/// The same seed gives the same bytes for ever; simulated runs depend on it. Drivers of the real world seed it
/// from the operating system.
pub struct SeededRng {
    /// The purpose's own, once something was drawn; the caller's before.
    seed: [u8; 32],
    /// Until the first draw: the first hash of a process asks the processor what it can do, which takes a virtual
    /// machine 40 us, and a session that draws nothing needs none.
    purpose: Option<String>,
    counter: u64,
}

impl SeededRng {
    /// A generator for `seed` and one `purpose`: two purposes never share bytes.
    pub fn new(seed: &[u8; 32], purpose: &str) -> Self {
        Self { seed: *seed, purpose: Some(purpose.to_owned()), counter: 0 }
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        if let Some(purpose) = self.purpose.take() {
            self.seed = derive(&self.seed, &purpose, &[]);
        }
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let block = Sha256::new().chain_update(self.seed).chain_update(self.counter.to_be_bytes()).finalize();
            self.counter = self.counter.wrapping_add(1);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        out
    }

    /// A number below `bound` (0 if `bound` is 0). The bias is below one in 2^32 for the small bounds used here.
    pub fn below(&mut self, bound: u32) -> u32 {
        let wide = u64::from_be_bytes(self.bytes());
        u32::try_from(wide % u64::from(bound.max(1))).unwrap_or(0)
    }
}

impl Drop for SeededRng {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl std::fmt::Debug for SeededRng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeededRng")
    }
}

/// 32 bytes that depend on all three, and that nobody without the seed can foresee.
pub fn derive(seed: &[u8; 32], purpose: &str, name: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(seed)
        .chain_update((purpose.len() as u64).to_be_bytes())
        .chain_update(purpose)
        .chain_update(name)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_bytes_and_purposes_differ() {
        let bytes = |seed, purpose| SeededRng::new(&[seed; 32], purpose).bytes::<70>();
        assert_eq!(bytes(1, "a"), bytes(1, "a"));
        assert_ne!(bytes(1, "a"), bytes(2, "a"));
        assert_ne!(bytes(1, "a"), bytes(1, "b"));
        assert_ne!(derive(&[0; 32], "ab", b"c"), derive(&[0; 32], "a", b"bc"));
        let mut rng = SeededRng::new(&[7; 32], "below");
        assert!((0..1000).all(|_| rng.below(10) < 10));
    }
}
