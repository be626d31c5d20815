//! EC-SRP5 against plain big integers and the textbook's affine formulas in the Weierstrass form, which share nothing
//! with the Edwards group and the field that the product uses.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use curve25519_dalek::constants::EIGHT_TORSION;
use mactelnet::auth::{Client, Error, Password, PublicKey, Server, Verifier, curve};
use num_bigint::BigUint;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// A point by x (Montgomery) and y; `None` is the point at infinity.
type Point = Option<(BigUint, BigUint)>;

struct Curve {
    p: BigUint,
    r: BigUint,
    /// Montgomery to Weierstrass.
    c: BigUint,
    a: BigUint,
}

impl Curve {
    fn new() -> Self {
        let hex = |text: &str| BigUint::parse_bytes(text.as_bytes(), 16).unwrap();
        Self {
            p: hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"),
            r: hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"),
            c: hex("2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad2451"),
            a: hex("2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa984914a144"),
        }
    }

    fn sub(&self, a: &BigUint, b: &BigUint) -> BigUint {
        (a + &self.p - b) % &self.p
    }

    fn invert(&self, a: &BigUint) -> BigUint {
        a.modinv(&self.p).unwrap()
    }

    fn lift(&self, x: &BigUint, odd: bool) -> Point {
        let x = x % &self.p;
        let square = (x.modpow(&3u8.into(), &self.p) + 486_662u32 * &x * &x + &x) % &self.p;
        let mut y = square.modpow(&((&self.p + 3u8) >> 3), &self.p);
        if &y * &y % &self.p != square {
            y = y * BigUint::from(2u8).modpow(&((&self.p - 1u8) >> 2), &self.p) % &self.p;
        }
        if &y * &y % &self.p != square {
            return None;
        }
        if y.bit(0) != odd {
            y = self.sub(&BigUint::ZERO, &y);
        }
        Some((x, y))
    }

    fn add(&self, one: &Point, other: &Point) -> Point {
        let (Some((x1, y1)), Some((x2, y2))) = (one, other) else { return one.clone().or_else(|| other.clone()) };
        let p = &self.p;
        let (w1, w2) = ((x1 + &self.c) % p, (x2 + &self.c) % p);
        let slope = if w1 != w2 {
            self.sub(y2, y1) * self.invert(&self.sub(&w2, &w1)) % p
        } else if y1 == y2 && *y1 != BigUint::ZERO {
            (3u8 * &w1 * &w1 + &self.a) * self.invert(&(2u8 * y1 % p)) % p
        } else {
            return None;
        };
        let w3 = self.sub(&self.sub(&(&slope * &slope % p), &w1), &w2);
        let y3 = self.sub(&(slope * self.sub(&w1, &w3) % p), y1);
        Some((self.sub(&w3, &self.c), y3))
    }

    fn mul(&self, point: &Point, factor: &BigUint) -> Point {
        let mut out = None;
        for bit in (0..factor.bits()).rev() {
            out = self.add(&out, &out);
            if factor.bit(bit) {
                out = self.add(&out, point);
            }
        }
        out
    }

    fn base(&self) -> Point {
        self.lift(&9u8.into(), false)
    }

    fn redp1(&self, x: &BigUint, odd: bool) -> Point {
        let mut t = BigUint::from_bytes_be(&Sha256::digest(bytes(x)));
        loop {
            if let Some(point) = self.lift(&BigUint::from_bytes_be(&Sha256::digest(bytes(&t))), odd) {
                return Some(point);
            }
            t += 1u8;
        }
    }

    /// i·G and i.
    fn verifier(&self, name: &[u8], password: &[u8], salt: &[u8; 16]) -> (Point, BigUint) {
        let inner = Sha256::digest([name, b":", password].concat());
        let i = BigUint::from_bytes_be(&Sha256::digest([&salt[..], &inner].concat())) % &self.r;
        (self.mul(&self.base(), &i), i)
    }
}

fn bytes(number: &BigUint) -> [u8; 32] {
    let short = number.to_bytes_be();
    let mut out = [0; 32];
    out[32 - short.len()..].copy_from_slice(&short);
    out
}

fn key(point: &Point) -> PublicKey {
    let (x, y) = point.as_ref().unwrap();
    PublicKey { x: bytes(x), odd: y.bit(0) }
}

proptest! {
    // Each is five multiplications in big integers.
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// A whole login, each end against the oracle's; the server's key moved by a torsion point as a hostile one may.
    #[test]
    fn logins(
        name in "[^+]{0,12}", password: Vec<u8>, salt: [u8; 16], random_a: [u8; 32], random_b: [u8; 32], torsion in 0usize..8,
    ) {
        let oracle = Curve::new();
        let secret = Password::new(password.clone());
        let (v, i) = oracle.verifier(name.as_bytes(), &password, &salt);
        let verifier = Verifier::new(name.as_bytes(), &secret, &salt);
        prop_assert_eq!(verifier.stored(), &key(&v).to_bytes());

        let a = BigUint::from_bytes_be(&random_a) % &oracle.r;
        let b = BigUint::from_bytes_be(&random_b) % &oracle.r;
        let client = Client::new(&random_a);
        let a_point = oracle.mul(&oracle.base(), &a);
        prop_assert_eq!(client.public_key(), key(&a_point));
        let x_v = v.clone().unwrap().0;
        let b_point = oracle.add(&oracle.mul(&oracle.base(), &b), &oracle.redp1(&x_v, false));
        let server = Server::new(&verifier, &random_b).unwrap();
        prop_assert_eq!(server.public_key(), key(&b_point));

        // The oracle's client, against the server.
        let proof_of = |client_key: &PublicKey, server_key: &PublicKey| -> ([u8; 32], BigUint, [u8; 32]) {
            let h: [u8; 32] = Sha256::digest([client_key.x, server_key.x].concat()).into();
            let factor = (&i * BigUint::from_bytes_be(&h) + &a) % &oracle.r;
            let lifted = oracle.lift(&BigUint::from_bytes_be(&server_key.x), server_key.odd);
            let shared = oracle.mul(&oracle.add(&lifted, &oracle.redp1(&x_v, true)), &factor);
            let z = shared.map(|(x, _)| x).unwrap_or_default();
            (Sha256::digest([h, bytes(&z)].concat()).into(), z, h)
        };
        let (proof, ..) = proof_of(&client.public_key(), &server.public_key());
        prop_assert_eq!(client.prove(name.as_bytes(), &secret, &server.public_key(), &salt), Ok(proof));
        prop_assert_eq!(server.verify(&client.public_key(), &proof), Ok(()));

        let honest = curve::lift(&server.public_key().x, server.public_key().odd).unwrap();
        let moved = curve::encode(&(honest + EIGHT_TORSION[torsion]));
        let (proof, ..) = proof_of(&client.public_key(), &moved);
        prop_assert_eq!(client.prove(name.as_bytes(), &secret, &moved, &salt), Ok(proof));
    }

    /// Any key at all: lifted as the oracle lifts it, or refused where it does.
    #[test]
    fn keys(x: [u8; 32], odd: bool, high in prop::option::of(Just([0xffu8; 31]))) {
        let mut x = x;
        if let Some(high) = high { x[..31].copy_from_slice(&high); }
        let oracle = Curve::new();
        let expected = oracle.lift(&BigUint::from_bytes_be(&x), odd);
        match curve::lift_key(&PublicKey { x, odd }) {
            Ok(point) => {
                prop_assert_eq!(curve::encode(&point), key(&expected));
                // Of either sign, of all eight cosets: a multiple by a small number agrees as well.
                let five = oracle.mul(&expected, &5u8.into());
                prop_assert_eq!(curve::encode(&(point + point + point + point + point)), key(&five));
            }
            Err(Error::KeyOffCurve) => prop_assert_eq!(expected, None),
            Err(_) => prop_assert_eq!(oracle.mul(&expected, &8u8.into()), None),
        }
    }
}
