//! The shared secret (RFC 4253 section 8, RFC 8731), the hash over it, and the keys from both (section 7.2).

use curve25519_dalek::montgomery::MontgomeryPoint;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::algorithms::{Choice, Cipher, Exchange, Mac};
use super::cipher::Stream;
use super::keys::HostKeys;
use super::number::group;
use super::packet::Keys;
use super::random::Random;
use super::wire::{Reader, Writer};

/// `SSH_MSG_KEXDH_INIT` and `SSH_MSG_KEX_ECDH_INIT`
pub(super) const INIT: u8 = 30;
/// `SSH_MSG_KEXDH_REPLY` and `SSH_MSG_KEX_ECDH_REPLY`
const REPLY: u8 = 31;

impl Exchange {
    fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Group1Sha1 | Self::Group14Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Group14Sha256 | Self::Curve25519 => Sha256::digest(bytes).to_vec(),
        }
    }
}

/// What both sides said before the secret was made.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub client_version: Vec<u8>,
    pub client_init: Vec<u8>,
    pub server_init: Vec<u8>,
}

/// What an exchange gives.
pub(super) struct Agreed {
    /// The answer to the client.
    pub reply: Vec<u8>,
    /// The exchange hash.
    pub hash: Vec<u8>,
    exchange: Exchange,
    /// The secret, written as a number.
    secret: Vec<u8>,
}

impl std::fmt::Debug for Agreed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Agreed")
    }
}

/// Both halves as they stand in the hash, and the secret. `None`: the client's half is none.
fn halves(exchange: Exchange, client: &mut Reader<'_>, random: &mut Random) -> Option<(Writer, Writer, Vec<u8>)> {
    if exchange == Exchange::Curve25519 {
        let theirs: [u8; 32] = client.string()?.try_into().ok()?;
        let own: [u8; 32] = random.bytes(32).try_into().ok()?;
        let public = MontgomeryPoint::mul_base_clamped(own).to_bytes();
        let secret = MontgomeryPoint(theirs).mul_clamped(own).to_bytes();
        // A point of small order gives nothing that is secret (RFC 7748 section 6.1).
        if secret == [0; 32] {
            return None;
        }
        let secret = Writer::default().mpint(&BigUint::from_bytes_be(&secret)).0;
        return Some((Writer::default().string(&theirs), Writer::default().string(&public), secret));
    }
    let prime = group(exchange != Exchange::Group1Sha1);
    let theirs = client.mpint()?;
    let one = BigUint::from(1_u8);
    if theirs <= one || theirs >= &prime - &one {
        return None;
    }
    // Twice as long as the strength that is wanted of it.
    let own = BigUint::from_bytes_be(&random.bytes(64));
    let public = BigUint::from(2_u8).modpow(&own, &prime);
    let secret = Writer::default().mpint(&theirs.modpow(&own, &prime)).0;
    Some((Writer::default().mpint(&theirs), Writer::default().mpint(&public), secret))
}

/// Answers the client's half. `None`: it is none.
pub(super) fn answer(
    choice: &Choice,
    said: &Said,
    server_version: &str,
    init: &[u8],
    keys: &HostKeys,
    random: &mut Random,
) -> Option<Agreed> {
    let (theirs, own, secret) = halves(choice.exchange, &mut Reader(init.get(1..)?), random)?;
    let host_key: Vec<u8> = keys.public(choice.host_key);
    let mut hashed = Writer::default()
        .string(&said.client_version)
        .string(server_version.as_bytes())
        .string(&said.client_init)
        .string(&said.server_init)
        .string(&host_key);
    hashed.0.extend(&theirs.0);
    hashed.0.extend(&own.0);
    hashed.0.extend(&secret);
    let hash = choice.exchange.hash(&hashed.0);
    let signature = keys.sign(choice.host_key, &hash);
    let mut reply = Writer::message(REPLY).string(&host_key);
    reply.0.extend(&own.0);
    let reply = reply.string(&signature).0;
    Some(Agreed { reply, hash, exchange: choice.exchange, secret })
}

impl Agreed {
    fn derive(&self, letter: u8, session: &[u8], length: usize) -> Vec<u8> {
        let base = [&self.secret[..], &self.hash].concat();
        let mut key = self.exchange.hash(&[&base[..], &[letter], session].concat());
        while key.len() < length {
            let more = self.exchange.hash(&[&base[..], &key].concat());
            key.extend(more);
        }
        key.truncate(length);
        key
    }

    /// The keys of one direction: from the client to the server (`encrypt` is false), or back.
    pub(super) fn keys(&self, session: &[u8], cipher: Cipher, mac: Mac, encrypt: bool) -> Option<Keys> {
        let [start, key, seal] = if encrypt { *b"BDF" } else { *b"ACE" };
        let stream = Stream::new(
            cipher,
            &self.derive(key, session, cipher.key),
            &self.derive(start, session, super::cipher::BLOCK),
            encrypt,
        )?;
        Some(Keys { stream, mac, mac_key: self.derive(seal, session, mac.length()) })
    }
}
