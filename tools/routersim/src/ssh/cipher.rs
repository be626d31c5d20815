//! AES in the two chains that SSH knows it in, and HMAC.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use sha1::Digest as _;

use super::algorithms::{Cipher, Mac};

/// Bytes of a block.
pub(super) const BLOCK: usize = 16;

enum Aes {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl Aes {
    fn encrypt(&self, block: &mut [u8; BLOCK]) {
        let mut array = Array::from(*block);
        match self {
            Self::Short(aes) => aes.encrypt_block(&mut array),
            Self::Middle(aes) => aes.encrypt_block(&mut array),
            Self::Long(aes) => aes.encrypt_block(&mut array),
        }
        *block = array.into();
    }

    fn decrypt(&self, block: &mut [u8; BLOCK]) {
        let mut array = Array::from(*block);
        match self {
            Self::Short(aes) => aes.decrypt_block(&mut array),
            Self::Middle(aes) => aes.decrypt_block(&mut array),
            Self::Long(aes) => aes.decrypt_block(&mut array),
        }
        *block = array.into();
    }
}

fn xor(left: [u8; BLOCK], right: [u8; BLOCK]) -> [u8; BLOCK] {
    (u128::from_be_bytes(left) ^ u128::from_be_bytes(right)).to_be_bytes()
}

/// One direction's cipher, at its place in the stream.
pub(super) struct Stream {
    aes: Aes,
    chained: bool,
    encrypt: bool,
    state: [u8; BLOCK],
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Stream {
    /// `None`: key or start have not the length that the cipher wants.
    pub(super) fn new(kind: Cipher, key: &[u8], start: &[u8], encrypt: bool) -> Option<Self> {
        let aes = match kind.key {
            16 => Aes::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Aes::Middle(Box::new(Aes192::new_from_slice(key).ok()?)),
            _ => Aes::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
        };
        Some(Self { aes, chained: kind.chained, encrypt, state: start.try_into().ok()? })
    }

    /// The next bytes of the stream, whole blocks; what is over stays as it is.
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        let (blocks, _) = bytes.as_chunks_mut::<BLOCK>();
        for block in blocks {
            let given = *block;
            if !self.chained {
                let mut key = self.state;
                self.aes.encrypt(&mut key);
                *block = xor(given, key);
                self.state = u128::from_be_bytes(self.state).wrapping_add(1).to_be_bytes();
            } else if self.encrypt {
                *block = xor(given, self.state);
                self.aes.encrypt(block);
                self.state = *block;
            } else {
                self.aes.decrypt(block);
                *block = xor(*block, self.state);
                self.state = given;
            }
        }
    }
}

impl Mac {
    /// Length of key and of result, bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::compute(bytes).0.to_vec(),
            Self::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
        }
    }

    /// HMAC (RFC 2104). All three hashes work on 64 bytes, and no key here is longer.
    pub(super) fn of(self, key: &[u8], sequence: u32, packet: &[u8]) -> Vec<u8> {
        let pad = |with: u8| (0..64).map(move |at| key.get(at).copied().unwrap_or(0) ^ with);
        let mut inner: Vec<u8> = pad(0x36).collect();
        inner.extend(sequence.to_be_bytes());
        inner.extend(packet);
        let mut outer: Vec<u8> = pad(0x5c).collect();
        outer.extend(self.hash(&inner));
        self.hash(&outer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// NIST SP 800-38A, F.2.1 and F.5.1: the first two blocks.
    #[test]
    fn aes_is_nists() {
        let key = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let plain: Vec<u8> =
            [0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128, 0xae2d_8a57_1e03_ac9c_9eb7_6fac_45af_8e51]
                .iter()
                .flat_map(|block| block.to_be_bytes())
                .collect();
        for (chained, start, expected) in [
            (
                true,
                0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128,
                "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
            ),
            (
                false,
                0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff,
                "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff",
            ),
        ] {
            let kind = Cipher { key: 16, chained };
            let mut bytes = plain.clone();
            Stream::new(kind, &key, &start.to_be_bytes(), true).unwrap().apply(&mut bytes);
            assert_eq!(hex(&bytes), expected);
            Stream::new(kind, &key, &start.to_be_bytes(), false).unwrap().apply(&mut bytes);
            assert_eq!(bytes, plain);
        }
        assert!(Stream::new(Cipher { key: 16, chained: true }, &key[1..], &key, true).is_none());
    }

    /// RFC 2202 and RFC 4231, test case 2 with the first four bytes of the data as the sequence number.
    #[test]
    fn hmac_is_the_rfcs() {
        let (start, rest) = b"what do ya want for nothing?".split_at(4);
        let sequence = u32::from_be_bytes(start.try_into().unwrap());
        let of = |mac: Mac| hex(&mac.of(b"Jefe", sequence, rest));
        assert_eq!(of(Mac::Md5), "750c783e6ab0b503eaa86e310a5db738");
        assert_eq!(of(Mac::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(of(Mac::Sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
