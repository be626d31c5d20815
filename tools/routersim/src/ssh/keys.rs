//! Host keys. The configuration holds a text, which export and import carry about; the keys follow from it, so
//! two routers with the same text are the same host to a client.

use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::algorithms::HostKey;
use super::number::{hex, prime};
use super::random::Random;
use super::wire::Writer;

/// Public exponent of RSA.
const EXPONENT: u32 = 65_537;

// One group of DSA for all: made by `openssl genpkey -genparam`, 1024 and 160 bits.
const DSA_P: &[u8] = b"B1A7062A6D970E54606F82754754D43055DFE04ED36C1266B008FEC229F567042062EA4520E22D6CF9709BF9650A\
1353B2957F8A080AD32D1B0E51F480564D98A66CC68955C558770A8935F48683FC3572048A8E8AEDF8E5C715C9A9A16D1C71FE4B3CF229C4D28\
12D6BCA830D4284D0E7B0EB4EBF1A522276C6B2AF0F7CCF59";
const DSA_Q: &[u8] = b"A4D196402C32A9EDA023E1CFF64492E5035ED0F3";
const DSA_G: &[u8] = b"27EBCAC8FD6703745116AF83638B4DB50402BEBD8175EB4695282A7CB2E3B9CD1D47F391844F2B5F85D5FA0313A8\
30A78510A46FACB6671AB5B50F256AEA896D4BBA650D08FE1FD661896516A9423C5D4C72D1486B18698DF905097F8A3FCBE038F0B22A5626D18\
D4D4236F9209E778E2E62F8E71E2B1AF849644BFE7AB28054";

/// The begin of a SHA-1 digest's ASN.1 form (RFC 8017 section 9.2).
pub(super) const SHA1_INFO: &[u8] =
    &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
/// The begin of a SHA-256 digest's ASN.1 form.
pub(super) const SHA256_INFO: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// The keys by which a router proves that it is itself.
pub struct HostKeys {
    modulus: BigUint,
    private: BigUint,
    dsa: BigUint,
}

impl std::fmt::Debug for HostKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostKeys")
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): a digest filled up to the length of a modulus.
pub(super) fn encoded(info: &[u8], digest: &[u8], length: usize) -> Vec<u8> {
    let mut message = vec![0x00, 0x01];
    message.resize(length.saturating_sub(info.len() + digest.len() + 1), 0xff);
    message.push(0x00);
    message.extend(info);
    message.extend(digest);
    message
}

impl HostKeys {
    /// The keys that follow from a text; RSA of `bits` (`host-key-size`; what is not between 1024 and 4096 counts as
    /// the nearer of both, and the size of a key that was imported is this one's too).
    pub fn from_text(text: &str, bits: usize) -> Self {
        let mut random = Random::from_text("ssh host key", text);
        let half = bits.clamp(1024, 4096) / 16 * 8;
        let one = BigUint::from(1_u8);
        let p = prime(half, EXPONENT, &mut random);
        let mut q = prime(half, EXPONENT, &mut random);
        while q == p {
            q = prime(half, EXPONENT, &mut random);
        }
        let order = (&p - &one) * (&q - &one);
        // `prime` sees to it that the exponent has an inverse.
        let private = BigUint::from(EXPONENT).modinv(&order).unwrap_or_default();
        let dsa = random.below(&(hex(DSA_Q) - &one)) + &one;
        Self { modulus: p * q, private, dsa }
    }

    /// Keys that prove nothing, for tests that never get to them.
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        Self { modulus: BigUint::from(1_u8), private: BigUint::ZERO, dsa: BigUint::ZERO }
    }

    /// The public key's blob (RFC 4253 section 6.6).
    pub(super) fn public(&self, kind: HostKey) -> Vec<u8> {
        let writer = Writer::default();
        match kind {
            HostKey::RsaSha1 | HostKey::RsaSha256 => {
                writer.string(b"ssh-rsa").mpint(&BigUint::from(EXPONENT)).mpint(&self.modulus).0
            }
            HostKey::Dss => {
                let (p, q, g) = (hex(DSA_P), hex(DSA_Q), hex(DSA_G));
                let public = g.modpow(&self.dsa, &p);
                writer.string(b"ssh-dss").mpint(&p).mpint(&q).mpint(&g).mpint(&public).0
            }
        }
    }

    /// Signs `data`.
    pub(super) fn sign(&self, kind: HostKey, data: &[u8]) -> Vec<u8> {
        let (name, signature) = match kind {
            HostKey::RsaSha1 => (&b"ssh-rsa"[..], self.rsa(SHA1_INFO, &Sha1::digest(data))),
            HostKey::RsaSha256 => (&b"rsa-sha2-256"[..], self.rsa(SHA256_INFO, &Sha256::digest(data))),
            HostKey::Dss => (&b"ssh-dss"[..], self.dsa(data)),
        };
        Writer::default().string(name).string(&signature).0
    }

    /// RSASSA-PKCS1-v1_5.
    fn rsa(&self, info: &[u8], digest: &[u8]) -> Vec<u8> {
        let length = usize::try_from(self.modulus.bits().div_ceil(8)).unwrap_or(0);
        let message = encoded(info, digest, length);
        padded(&BigUint::from_bytes_be(&message).modpow(&self.private, &self.modulus), length)
    }

    /// FIPS 186. The number that must never be used twice follows from key and data.
    fn dsa(&self, data: &[u8]) -> Vec<u8> {
        let (p, q, g) = (hex(DSA_P), hex(DSA_Q), hex(DSA_G));
        let digest = Sha1::digest(data);
        let mut random = Random::from_text("ssh dsa", &format!("{:x} {digest:x?}", self.dsa));
        loop {
            let once = random.below(&(&q - 1_u8)) + 1_u8;
            let r = g.modpow(&once, &p) % &q;
            let Some(inverse) = once.modinv(&q) else { continue };
            let s = inverse * (BigUint::from_bytes_be(&digest) + &self.dsa * &r) % &q;
            if r != BigUint::ZERO && s != BigUint::ZERO {
                return [padded(&r, 20), padded(&s, 20)].concat();
            }
        }
    }
}

/// Exactly `length` bytes, zeros in front.
fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut padded = vec![0; length.saturating_sub(bytes.len())];
    padded.extend(bytes);
    padded
}
