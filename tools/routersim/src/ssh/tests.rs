use std::rc::Rc;

use num_bigint::BigUint;
use proptest::prelude::*;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::algorithms::{Cipher, HostKey, Mac};
use super::cipher::Stream;
use super::packet::{Keys, Opener, Sealer};
use super::random::Random;
use super::wire::Reader;
use super::*;

/// Primes of 512 bits: quick to find, and nothing here depends on the size.
fn keys() -> Rc<HostKeys> {
    Rc::new(HostKeys::from_text("test", 1024))
}

#[test]
fn the_same_text_is_the_same_host() {
    let (one, two, other) = (keys(), keys(), HostKeys::from_text("other", 1024));
    for kind in [HostKey::RsaSha1, HostKey::RsaSha256, HostKey::Dss] {
        assert_eq!(one.public(kind), two.public(kind));
        assert_eq!(one.sign(kind, b"x"), two.sign(kind, b"x"));
        assert_ne!(one.public(kind), other.public(kind));
    }
}

#[test]
fn signatures_hold_against_the_public_keys() {
    let keys = keys();
    for kind in [HostKey::RsaSha1, HostKey::RsaSha256] {
        let (public, signature) = (keys.public(kind), keys.sign(kind, b"data"));
        let (mut public, mut signature) = (Reader(&public), Reader(&signature));
        assert_eq!(public.string(), Some(&b"ssh-rsa"[..]));
        let (exponent, modulus) = (public.mpint().unwrap(), public.mpint().unwrap());
        assert_eq!(modulus.bits(), 1024);
        signature.string().unwrap();
        let signed = signature.string().unwrap();
        assert_eq!(signed.len(), 128);
        let message = BigUint::from_bytes_be(signed).modpow(&exponent, &modulus).to_bytes_be();
        let digest =
            if kind == HostKey::RsaSha1 { Sha1::digest(b"data").to_vec() } else { Sha256::digest(b"data").to_vec() };
        assert!(message.starts_with(&[1, 0xff, 0xff]) && message.ends_with(&digest));
    }
    let (public, signature) = (keys.public(HostKey::Dss), keys.sign(HostKey::Dss, b"data"));
    let (mut public, mut signature) = (Reader(&public), Reader(&signature));
    assert_eq!(public.string(), Some(&b"ssh-dss"[..]));
    let [p, q, g, y] = std::array::from_fn(|_| public.mpint().unwrap());
    assert_eq!((q.bits(), g.modpow(&q, &p)), (160, BigUint::from(1_u8)));
    signature.string().unwrap();
    let (r, s) = signature.string().unwrap().split_at(20);
    let (r, w) = (BigUint::from_bytes_be(r), BigUint::from_bytes_be(s).modinv(&q).unwrap());
    let digest = BigUint::from_bytes_be(&Sha1::digest(b"data"));
    let v = g.modpow(&(digest * &w % &q), &p) * y.modpow(&(&r * &w % &q), &p) % &p % &q;
    assert_eq!(v, r);
}

fn direction(kind: Cipher, mac: Mac, encrypt: bool) -> Option<Keys> {
    let key = vec![7; kind.key];
    Some(Keys { stream: Stream::new(kind, &key, &[9; 16], encrypt).unwrap(), mac, mac_key: vec![3; mac.length()] })
}

proptest! {
    /// Whatever is sealed is opened, however the bytes come; a changed bit is found.
    #[test]
    fn packets_come_through(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..5),
        chained: bool,
        piece in 1_usize..40,
        flip in any::<prop::sample::Index>(),
    ) {
        let kind = Cipher { key: 32, chained };
        let mut sealer = Sealer::default();
        sealer.keys = direction(kind, Mac::Sha256, true);
        let mut random = Random::new(&[1; 32], "test");
        let bytes: Vec<u8> = payloads.iter().flat_map(|payload| sealer.seal(payload, &mut random)).collect();
        let mut opener = Opener::default();
        opener.keys = direction(kind, Mac::Sha256, false);
        let mut opened = Vec::new();
        for piece in bytes.chunks(piece) {
            opener.push(piece);
            while let Some(payload) = opener.next().unwrap() {
                opened.push(payload);
            }
        }
        prop_assert_eq!(&opened, &payloads);

        let mut changed = bytes.clone();
        changed[flip.index(bytes.len())] ^= 1;
        let mut opener = Opener::default();
        opener.keys = direction(kind, Mac::Sha256, false);
        opener.push(&changed);
        let survived = std::iter::from_fn(|| opener.next().ok().flatten()).count();
        prop_assert!(survived < payloads.len());
    }

    /// Nothing that a client sends makes the server panic, and the same bytes give the same answer.
    #[test]
    fn any_bytes_are_answered_or_refused(rest in prop::collection::vec(any::<u8>(), 0..400), init: bool) {
        let keys = Rc::new(HostKeys::empty());
        let answer = || {
            let mut server = Server::new(Offer::of(true, false), Rc::clone(&keys), [5; 32]);
            server.handle_bytes(b"SSH-2.0-x\r\n");
            if init {
                let mut sealer = Sealer::default();
                let message = Offer::of(true, false).message(&[0; 16]);
                server.handle_bytes(&sealer.seal(&message, &mut Random::new(&[2; 32], "test")));
            }
            server.handle_bytes(&rest);
            (server.take_output(), server.over())
        };
        prop_assert_eq!(answer(), answer());
    }
}
