//! Groups for Diffie-Hellman, and primes for RSA.

use num_bigint::BigUint;

use super::random::Random;

/// The prime of 1024 bits, Oakley group 2 (RFC 2409 section 6.2).
const GROUP_1: &[u8] =
    b"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F241\
17C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF";

/// The prime of 2048 bits, Oakley group 14 (RFC 3526 section 3).
const GROUP_14: &[u8] = b"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404D\
DEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24\
117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966\
D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CE\
A956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";

/// Small divisors that most candidates fall to.
const SMALL: u32 = 2000;
/// Rounds of Miller and Rabin: for random numbers of this size far more than enough.
const ROUNDS: usize = 8;

/// From hexadecimal digits that stand in this program; zero if they are none.
pub(super) fn hex(digits: &[u8]) -> BigUint {
    BigUint::parse_bytes(digits, 16).unwrap_or_default()
}

/// The prime of a group of key exchange, whose generator is 2.
pub(super) fn group(large: bool) -> BigUint {
    hex(if large { GROUP_14 } else { GROUP_1 })
}

fn small_primes() -> Vec<u32> {
    (3..SMALL).step_by(2).filter(|n| (3..).step_by(2).take_while(|d| d * d <= *n).all(|d| n % d != 0)).collect()
}

fn is_probably_prime(candidate: &BigUint, random: &mut Random) -> bool {
    let one = BigUint::from(1_u8);
    let less = candidate - &one;
    let twos = less.trailing_zeros().unwrap_or(0);
    let odd = &less >> twos;
    let bases = candidate - BigUint::from(3_u8);
    (0..ROUNDS).all(|_| {
        let mut power = (random.below(&bases) + 2_u8).modpow(&odd, candidate);
        if power == one || power == less {
            return true;
        }
        for _ in 1..twos {
            power = &power * &power % candidate;
            if power == less {
                return true;
            }
        }
        false
    })
}

/// A prime of `bits` (a multiple of 8, at least 64) whose two highest bits are set, and that is one more than no
/// multiple of `exponent`.
pub(super) fn prime(bits: usize, exponent: u32, random: &mut Random) -> BigUint {
    let small = small_primes();
    let mut bytes = random.bytes(bits / 8);
    if let Some(first) = bytes.first_mut() {
        *first |= 0xC0;
    }
    if let Some(last) = bytes.last_mut() {
        *last |= 1;
    }
    let mut candidate = BigUint::from_bytes_be(&bytes);
    // Primes lie some hundreds apart at these sizes: this ends soon, and long before the number grows a bit.
    loop {
        let lone = small.iter().all(|p| &candidate % *p != BigUint::ZERO);
        let fits = &candidate % exponent != BigUint::from(1_u8);
        if lone && fits && is_probably_prime(&candidate, random) {
            return candidate;
        }
        candidate += 2_u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_safe_primes() {
        let mut random = Random::new(&[1; 32], "test");
        for (large, bits) in [(false, 1024), (true, 2048)] {
            let prime = group(large);
            assert_eq!(prime.bits(), bits);
            assert!(is_probably_prime(&prime, &mut random));
            assert!(is_probably_prime(&(&prime >> 1_u8), &mut random));
        }
        assert!(!is_probably_prime(&(group(true) - 2_u8), &mut random));
    }

    #[test]
    fn primes_are_prime_and_always_the_same() {
        let one = prime(256, 65_537, &mut Random::new(&[7; 32], "test"));
        assert_eq!(one, prime(256, 65_537, &mut Random::new(&[7; 32], "test")));
        assert_eq!(one.bits(), 256);
        let two = BigUint::from(2_u8);
        assert_eq!(two.modpow(&(&one - 1_u8), &one), BigUint::from(1_u8), "Fermat");
    }
}
