//! Curve25519 as EC-SRP5 uses it: points written by their Montgomery x, big-endian, and the parity of y.
//!
//! The group is curve25519-dalek's, whose Edwards addition is complete for all 8r points; the usual formulas for
//! Weierstrass curves are not on a curve of cofactor 8, and most points that come from hashes lie outside the prime
//! subgroup. Between the two forms: x = C·u/v, y = (u-1)/(u+1).

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::error::Error;
use super::exchange::PublicKey;
use super::field::{self, Fe};

/// Tries that [`hash_to_point`] always makes. One in two hits, so how many were needed tells a little of the password;
/// that 32 do not suffice happens once in 2^32 passwords, and is then seen in the time.
pub const HASH_TRIES: usize = 32;

/// The point with this Montgomery x (reduced modulo p) and parity of y.
///
/// # Errors
/// [`Error::KeyOffCurve`] if there is none.
pub fn lift(x: &[u8; 32], odd: bool) -> Result<EdwardsPoint, Error> {
    lift_element(&Fe::from_be(x), Choice::from(u8::from(odd))).ok_or(Error::KeyOffCurve)
}

/// As [`lift`], for the key of a peer.
///
/// # Errors
/// [`Error::KeyOffCurve`], and [`Error::KeySmallOrder`] for one of the eight points that make every product known.
pub fn lift_key(key: &PublicKey) -> Result<EdwardsPoint, Error> {
    let point = lift(&key.x, key.odd)?;
    if point.is_small_order() { Err(Error::KeySmallOrder) } else { Ok(point) }
}

/// u³ + Au² + u, which is v².
fn right_side(u: &Fe) -> Fe {
    u.add(&field::A).mul(u).add(&field::ONE).mul(u)
}

fn lift_element(u: &Fe, odd: Choice) -> Option<EdwardsPoint> {
    let (root, found) = right_side(u).sqrt();
    let v = Fe::conditional_select(&root, &root.neg(), root.is_odd() ^ odd);
    // u = -1 is on no point: 486660 is no square. v = 0 only with u = 0, the point of order 2: x = 0 then.
    let above = u.add(&field::ONE);
    let inverse = v.mul(&above).invert();
    let x = field::C.mul(u).mul(&above).mul(&inverse);
    let y_denominator = Fe::conditional_select(&v.mul(&inverse), &field::ONE, u.ct_eq(&field::ZERO));
    let y = u.sub(&field::ONE).mul(&y_denominator);
    let mut compressed = CompressedEdwardsY(y.to_le());
    compressed.0[31] |= x.is_odd().unwrap_u8() << 7;
    let point = compressed.decompress();
    compressed.zeroize();
    point.filter(|_| found.into())
}

/// The Montgomery x of `point`, big-endian; 0 for the identity too.
pub fn encode_x(point: &EdwardsPoint) -> [u8; 32] {
    let mut x = point.to_montgomery().to_bytes();
    x.reverse();
    x
}

/// x and parity of `point`; 0, even for the identity too, which has none.
pub fn encode(point: &EdwardsPoint) -> PublicKey {
    let CompressedEdwardsY(mut bytes) = point.compress();
    let sign = Choice::from(bytes[31] >> 7);
    bytes[31] &= 0x7f;
    bytes.reverse();
    let y = Fe::from_be(&bytes);
    bytes.zeroize();
    // x² = (y² - 1)/(dy² + 1), u = (1 + y)/(1 - y), v = C·u/x, with one inverse for both.
    let y2 = y.square();
    let (root, _) = Fe::sqrt_ratio(&y2.sub(&field::ONE), &field::D.mul(&y2).add(&field::ONE));
    let x = Fe::conditional_select(&root, &root.neg(), root.is_odd() ^ sign);
    let below = field::ONE.sub(&y);
    let inverse = x.mul(&below).invert();
    let u = y.add(&field::ONE).mul(&x).mul(&inverse);
    let v = field::C.mul(&u).mul(&below).mul(&inverse);
    PublicKey { x: u.to_be(), odd: v.is_odd().into() }
}

/// `redp1`: hashes 32 bytes to a point. t = SHA-256(m); the first of SHA-256(t), SHA-256(t+1), ... that is an x.
///
/// Makes [`HASH_TRIES`] tries whatever the result, and picks without a branch.
pub fn hash_to_point(m: &[u8; 32], odd: bool) -> EdwardsPoint {
    let (chosen, _) = first_x(m);
    // What was chosen is an x.
    lift_element(&chosen, Choice::from(u8::from(odd))).unwrap_or_default()
}

/// The x that `m` is hashed to, and how many tries were made.
fn first_x(m: &[u8; 32]) -> (Zeroizing<Fe>, usize) {
    let mut t: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(m).into());
    let mut chosen = Zeroizing::new(field::ZERO);
    let mut found = Choice::from(0);
    let mut tries = 0;
    while tries < HASH_TRIES || !bool::from(found) {
        let candidate = Zeroizing::new(Fe::from_be(&Sha256::digest(t.as_slice()).into()));
        let (_, is_x) = right_side(&candidate).sqrt();
        chosen.conditional_assign(&candidate, is_x & !found);
        found |= is_x;
        increment(&mut t);
        tries += 1;
    }
    (chosen, tries)
}

/// Adds 1 to a big-endian number; the carry runs through all bytes.
fn increment(t: &mut [u8; 32]) {
    let mut carry = 1;
    for byte in t.iter_mut().rev() {
        let total = u16::from(*byte) + carry;
        *byte = (total & 0xff) as u8;
        carry = total >> 8;
    }
}

/// A big-endian number of 256 bits, modulo the group's order.
pub fn scalar(bytes: &[u8; 32]) -> Scalar {
    let mut le = *bytes;
    le.reverse();
    let scalar = Scalar::from_bytes_mod_order(le);
    le.zeroize();
    scalar
}

/// As [`scalar`], for a private key: 1 in place of 0, which comes once in 2^252.
pub fn private_scalar(bytes: &[u8; 32]) -> Scalar {
    let scalar = scalar(bytes);
    let zero = scalar.ct_eq(&Scalar::ZERO);
    Scalar::conditional_select(&scalar, &Scalar::ONE, zero)
}

/// x of a point that both ends computed, refused if it is one of the eight that anybody knows.
pub(super) fn shared_x(point: &EdwardsPoint) -> Result<Zeroizing<[u8; 32]>, Error> {
    if point.is_small_order() {
        return Err(Error::KeySmallOrder);
    }
    Ok(Zeroizing::new(encode_x(point)))
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use proptest::prelude::*;

    use super::*;

    fn x_of(low: u8) -> [u8; 32] {
        let mut x = [0; 32];
        x[31] = low;
        x
    }

    #[test]
    fn the_base_point_is_nine_even() {
        assert_eq!(lift(&x_of(9), false), Ok(ED25519_BASEPOINT_POINT));
        assert_eq!(lift(&x_of(9), true), Ok(-ED25519_BASEPOINT_POINT));
        assert_eq!(encode(&-ED25519_BASEPOINT_POINT), PublicKey { x: x_of(9), odd: true });
    }

    #[test]
    fn the_eight_points_that_anybody_knows_are_refused() {
        let mut refused = 0;
        for point in EIGHT_TORSION {
            let key = encode(&point);
            assert_eq!(lift_key(&key), Err(Error::KeySmallOrder), "{key:?}");
            assert_eq!(shared_x(&point), Err(Error::KeySmallOrder));
            // The identity has no x: it is written as the point of order 2 is.
            refused += usize::from(lift(&key.x, key.odd) == Ok(point));
        }
        assert_eq!(refused, 7);
        // u = -1, where the map to the Edwards form has a hole, is on no point.
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0x7f, 0xec);
        assert_eq!(lift(&minus_one, false), Err(Error::KeyOffCurve));
        assert_eq!(lift(&x_of(2), false), Err(Error::KeyOffCurve));
    }

    #[test]
    fn a_number_is_counted_up_through_all_bytes() {
        let mut t = [0xff; 32];
        increment(&mut t);
        assert_eq!(t, [0; 32]);
        t[31] = 0xff;
        increment(&mut t);
        assert_eq!((t[30], t[31]), (1, 0));
    }

    /// About half of all hashes are found by the first try: whoever stopped there would tell so by the time it takes.
    #[test]
    fn as_many_tries_are_made_whatever_is_hashed() {
        let mut early = 0;
        for n in 0..=255 {
            let m = [n; 32];
            let (x, tries) = first_x(&m);
            assert_eq!(tries, HASH_TRIES, "{n}");
            let first = Fe::from_be(&Sha256::digest(Sha256::digest(m)).into());
            early += u32::from(bool::from(x.ct_eq(&first)));
        }
        assert!((96..160).contains(&early), "{early} of 256 would have been found at once");
    }

    #[test]
    fn a_private_key_is_never_zero() {
        assert_eq!(private_scalar(&[0; 32]), Scalar::ONE);
        assert_eq!(private_scalar(&x_of(7)), Scalar::from(7u8));
    }

    proptest! {
        /// Points of all eight cosets of the prime subgroup.
        #[test]
        fn points_come_back(bytes: [u8; 32], torsion in 0usize..8) {
            let point = EdwardsPoint::mul_base(&scalar(&bytes)) + EIGHT_TORSION[torsion];
            let key = encode(&point);
            prop_assert_eq!(key.x, encode_x(&point));
            prop_assert_eq!(lift(&key.x, key.odd), Ok(point));
            prop_assert_eq!(lift(&key.x, !key.odd), Ok(-point));
        }

        #[test]
        fn what_is_lifted_is_encoded_the_same(x: [u8; 32], odd: bool) {
            if let Ok(point) = lift(&x, odd) {
                prop_assert_eq!(encode(&point), PublicKey { x: Fe::from_be(&x).to_be(), odd });
            }
        }

        /// E with odd y is the negative of E with even y, which is what lets the client take the server's blind off.
        #[test]
        fn hashes_to_either_parity_cancel(m: [u8; 32]) {
            let (even, odd) = (hash_to_point(&m, false), hash_to_point(&m, true));
            prop_assert_eq!(even + odd, EdwardsPoint::default());
            prop_assert!(!encode(&even).odd && encode(&odd).odd);
        }
    }
}
