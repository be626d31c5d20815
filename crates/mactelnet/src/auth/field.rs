//! The field of integers modulo 2^255 - 19: what fiat-crypto (verified) lacks, inverses and square roots.
//!
//! Nothing here branches on, or indexes by, a value.

use fiat_crypto::curve25519_64 as fiat;
use fiat_crypto::curve25519_64::{fiat_25519_loose_field_element as Loose, fiat_25519_tight_field_element as Tight};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::DefaultIsZeroes;

/// An element, in fiat-crypto's tight form (five limbs of 51 bits).
#[derive(Clone, Copy)]
pub(super) struct Fe([u64; 5]);

/// The coefficient of the Montgomery form v² = u³ + Au² + u.
pub(super) const A: Fe = Fe([486_662, 0, 0, 0, 0]);
pub(super) const ZERO: Fe = Fe([0; 5]);
pub(super) const ONE: Fe = Fe([1, 0, 0, 0, 0]);
/// The even root of -486664: x = C·u/v takes a point to the Edwards form, and (9, even) to its base point.
pub(super) const C: Fe =
    Fe([0x6_04aa_ff45_7e06, 0x2_296f_a350_598d, 0x7_f13d_fb16_874f, 0x3_5de9_3d84_6e01, 0x0_f26e_df46_0a00]);
/// The Edwards coefficient, -121665/121666.
pub(super) const D: Fe =
    Fe([0x3_4dca_1359_78a3, 0x1_a828_3b15_6ebd, 0x5_e7a2_6001_c029, 0x7_39c6_63a0_3cbb, 0x5_2036_cee2_b6ff]);
/// 2^((p-1)/4), a root of -1.
const SQRT_M1: Fe =
    Fe([0x6_1b27_4a0e_a0b0, 0x0_d5a5_fc8f_189d, 0x7_ef5e_9cbd_0c60, 0x7_8595_a680_4c9e, 0x2_b832_4804_fc1d]);

impl Default for Fe {
    fn default() -> Self {
        ZERO
    }
}

impl DefaultIsZeroes for Fe {}

impl ConditionallySelectable for Fe {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(<[u64; 5]>::conditional_select(&a.0, &b.0, choice))
    }
}

impl ConstantTimeEq for Fe {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.to_le().ct_eq(&other.to_le())
    }
}

impl Fe {
    /// A little-endian number below 2^255.
    fn from_le(bytes: &[u8; 32]) -> Self {
        let mut out = Tight([0; 5]);
        fiat::fiat_25519_from_bytes(&mut out, bytes);
        Self(out.0)
    }

    /// A big-endian number of 256 bits, reduced: 2^255 counts as 19.
    pub(super) fn from_be(bytes: &[u8; 32]) -> Self {
        let mut le = *bytes;
        le.reverse();
        let high = le[31] >> 7;
        le[31] &= 0x7f;
        Self::from_le(&le).add(&Self([u64::from(high) * 19, 0, 0, 0, 0]))
    }

    /// The one representation in [0, p), little-endian.
    pub(super) fn to_le(self) -> [u8; 32] {
        let mut out = [0; 32];
        fiat::fiat_25519_to_bytes(&mut out, &Tight(self.0));
        out
    }

    /// The one representation in [0, p), big-endian.
    pub(super) fn to_be(self) -> [u8; 32] {
        let mut out = self.to_le();
        out.reverse();
        out
    }

    /// Whether the representation in [0, p) is odd.
    pub(super) fn is_odd(&self) -> Choice {
        Choice::from(self.to_le()[0] & 1)
    }

    /// Every tight form is a loose one as well: its bounds are the narrower.
    fn loose(&self) -> Loose {
        Loose(self.0)
    }

    fn carry(loose: &Loose) -> Self {
        let mut out = Tight([0; 5]);
        fiat::fiat_25519_carry(&mut out, loose);
        Self(out.0)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let mut out = Loose([0; 5]);
        fiat::fiat_25519_add(&mut out, &Tight(self.0), &Tight(other.0));
        Self::carry(&out)
    }

    pub(super) fn sub(&self, other: &Self) -> Self {
        let mut out = Loose([0; 5]);
        fiat::fiat_25519_sub(&mut out, &Tight(self.0), &Tight(other.0));
        Self::carry(&out)
    }

    pub(super) fn neg(&self) -> Self {
        ZERO.sub(self)
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        let mut out = Tight([0; 5]);
        fiat::fiat_25519_carry_mul(&mut out, &self.loose(), &other.loose());
        Self(out.0)
    }

    pub(super) fn square(&self) -> Self {
        let mut out = Tight([0; 5]);
        fiat::fiat_25519_carry_square(&mut out, &self.loose());
        Self(out.0)
    }

    /// self^(2^times).
    fn square_times(&self, times: usize) -> Self {
        let mut out = *self;
        for _ in 0..times {
            out = out.square();
        }
        out
    }

    /// self^(2^250 - 1) and self^11, the common part of the two powers below.
    fn pow_common(&self) -> (Self, Self) {
        let x2 = self.square();
        let x9 = x2.square_times(2).mul(self);
        let x11 = x9.mul(&x2);
        let ones5 = x11.square().mul(&x9);
        let ones10 = ones5.square_times(5).mul(&ones5);
        let ones20 = ones10.square_times(10).mul(&ones10);
        let ones40 = ones20.square_times(20).mul(&ones20);
        let ones50 = ones40.square_times(10).mul(&ones10);
        let ones100 = ones50.square_times(50).mul(&ones50);
        let ones200 = ones100.square_times(100).mul(&ones100);
        (ones200.square_times(50).mul(&ones50), x11)
    }

    /// self^(p-2): the inverse, and 0 of 0.
    pub(super) fn invert(&self) -> Self {
        let (ones250, x11) = self.pow_common();
        ones250.square_times(5).mul(&x11)
    }

    /// self^((p-5)/8).
    fn pow_p58(&self) -> Self {
        self.pow_common().0.square_times(2).mul(self)
    }

    /// A root of `u`/`v`, and whether there is one; of 0 it is 0. For `v` = 0 there is none, unless `u` is 0 too.
    pub(super) fn sqrt_ratio(u: &Self, v: &Self) -> (Self, Choice) {
        let v3 = v.square().mul(v);
        let v7 = v3.square().mul(v);
        Self::choose_root(u, v, &u.mul(&v3).mul(&u.mul(&v7).pow_p58()))
    }

    /// A root, and whether there is one.
    pub(super) fn sqrt(&self) -> (Self, Choice) {
        // p = 5 mod 8: a^((p+3)/8) is a root of a or of -a.
        Self::choose_root(self, &ONE, &self.mul(&self.pow_p58()))
    }

    /// `root` is one of `u`/`v`, of its negative, or of neither times the root of -1.
    fn choose_root(u: &Self, v: &Self, root: &Self) -> (Self, Choice) {
        let check = v.mul(&root.square());
        let right = check.ct_eq(u);
        let turned = check.ct_eq(&u.neg());
        (Self::conditional_select(root, &root.mul(&SQRT_M1), turned), right | turned)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    fn p() -> BigUint {
        (BigUint::from(1u8) << 255u32) - 19u8
    }

    fn oracle(bytes: &[u8; 32]) -> BigUint {
        BigUint::from_bytes_be(bytes) % p()
    }

    fn value(fe: Fe) -> BigUint {
        BigUint::from_bytes_be(&fe.to_be())
    }

    fn is_square(n: &BigUint) -> bool {
        n.modpow(&((p() - 1u8) >> 1), &p()) <= BigUint::from(1u8)
    }

    #[test]
    fn constants() {
        let minus = |n: u32| p() - n;
        assert_eq!(value(C.square()), minus(486_664));
        assert!(!bool::from(C.is_odd()));
        assert_eq!(value(SQRT_M1.square()), minus(1));
        assert_eq!(value(D) * 121_666u32 % p(), minus(121_665));
    }

    #[test]
    fn edges() {
        let ff = [0xff; 32];
        assert_eq!(value(Fe::from_be(&ff)), oracle(&ff));
        let mut p_itself = [0xff; 32];
        (p_itself[0], p_itself[31]) = (0x7f, 0xed);
        assert_eq!(Fe::from_be(&p_itself).to_be(), [0; 32]);
        assert_eq!(ZERO.invert().to_be(), [0; 32]);
        let (root, is) = ZERO.sqrt();
        assert!(bool::from(is) && root.to_be() == [0; 32]);
    }

    /// Random numbers, and those around 0, p and 2^256.
    fn number() -> impl Strategy<Value = [u8; 32]> {
        let near = |high: u8| {
            any::<u8>().prop_map(move |low| {
                let mut bytes = [if high == 0 { 0 } else { 0xff }; 32];
                (bytes[0], bytes[31]) = (high, low);
                bytes
            })
        };
        prop_oneof![4 => any::<[u8; 32]>(), 1 => near(0), 1 => near(0x7f), 1 => near(0xff)]
    }

    proptest! {
        #[test]
        fn agrees_with_plain_big_integers(a in number(), b in number()) {
            let (x, y) = (Fe::from_be(&a), Fe::from_be(&b));
            let (m, n) = (oracle(&a), oracle(&b));
            prop_assert_eq!(value(x), m.clone());
            prop_assert_eq!(value(x.add(&y)), (&m + &n) % p());
            prop_assert_eq!(value(x.sub(&y)), (&m + p() - &n) % p());
            prop_assert_eq!(value(x.neg()), (p() - &m) % p());
            prop_assert_eq!(value(x.mul(&y)), &m * &n % p());
            prop_assert_eq!(value(x.square()), &m * &m % p());
            prop_assert_eq!(value(x.invert()), m.modpow(&(p() - 2u8), &p()));
            prop_assert_eq!(bool::from(x.is_odd()), m.bit(0));
            prop_assert_eq!(bool::from(x.ct_eq(&y)), m == n);
            let (root, is) = x.sqrt();
            prop_assert_eq!(bool::from(is), is_square(&m));
            if is.into() { prop_assert_eq!(value(root.square()), m.clone()); }
            if n != BigUint::ZERO {
                let (root, is) = Fe::sqrt_ratio(&x, &y);
                let ratio = &m * n.modpow(&(p() - 2u8), &p()) % p();
                prop_assert_eq!(bool::from(is), is_square(&ratio));
                if is.into() { prop_assert_eq!(value(root.square()), ratio); }
            }
        }
    }
}
