//! Bytes that are as good as their seed, and the same for the same seed.

use mactelnet::rng::SeededRng;
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

/// [`SeededRng`], for numbers of any size.
#[derive(Debug)]
pub(super) struct Random(SeededRng);

impl Random {
    pub(super) fn new(seed: &[u8; 32], purpose: &str) -> Self {
        Self(SeededRng::new(seed, purpose))
    }

    /// From a text, for what must always come out of it the same.
    pub(super) fn from_text(purpose: &str, text: &str) -> Self {
        Self::new(&Sha256::digest(text).into(), purpose)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 32);
        while bytes.len() < count {
            bytes.extend(self.0.bytes::<32>());
        }
        bytes.truncate(count);
        bytes
    }

    /// A number below `bound`; the bias is below one in 2^64.
    pub(super) fn below(&mut self, bound: &BigUint) -> BigUint {
        let bytes = usize::try_from(bound.bits() / 8).unwrap_or(0) + 9;
        BigUint::from_bytes_be(&self.bytes(bytes)) % bound
    }
}
