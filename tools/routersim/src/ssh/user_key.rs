//! Public keys of users (RFC 4252 section 7, RFC 8332, RFC 8709): checking what a client signed.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use super::keys::{SHA1_INFO, SHA256_INFO, encoded};
use super::wire::Reader;

/// The longest modulus that is worked with; one too long costs the router time, not the client.
const MAX_MODULUS_BITS: u64 = 8192;

/// Whether `signature` is one over `data` by the key in `blob`.
pub(super) fn verify(blob: &[u8], data: &[u8], signature: &[u8]) -> bool {
    checked(blob, data, signature).unwrap_or(false)
}

fn checked(blob: &[u8], data: &[u8], signature: &[u8]) -> Option<bool> {
    let (mut blob, mut signature) = (Reader(blob), Reader(signature));
    let (kind, algorithm) = (blob.string()?, signature.string()?);
    let signature = signature.string()?;
    match (kind, algorithm) {
        (b"ssh-rsa", b"ssh-rsa") => rsa(&mut blob, signature, SHA1_INFO, &Sha1::digest(data)),
        (b"ssh-rsa", b"rsa-sha2-256") => rsa(&mut blob, signature, SHA256_INFO, &Sha256::digest(data)),
        (b"ssh-ed25519", b"ssh-ed25519") => ed25519(blob.string()?, data, signature),
        _ => None,
    }
}

fn rsa(blob: &mut Reader<'_>, signature: &[u8], info: &[u8], digest: &[u8]) -> Option<bool> {
    let (exponent, modulus) = (blob.mpint()?, blob.mpint()?);
    if modulus.bits() < 512 || modulus.bits() > MAX_MODULUS_BITS {
        return None;
    }
    let length = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
    let message = BigUint::from_bytes_be(signature).modpow(&exponent, &modulus);
    Some(message == BigUint::from_bytes_be(&encoded(info, digest, length)))
}

/// RFC 8032 section 5.1.7.
fn ed25519(public: &[u8], data: &[u8], signature: &[u8]) -> Option<bool> {
    let key = CompressedEdwardsY(public.try_into().ok()?).decompress()?;
    let (r, s) = signature.split_at_checked(32)?;
    let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
    let hash = Sha512::new().chain_update(r).chain_update(public).chain_update(data).finalize();
    let wide: [u8; 64] = hash.as_slice().try_into().ok()?;
    let h = Scalar::from_bytes_mod_order_wide(&wide);
    let point = EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, &-key, &s);
    Some(point.compress().as_bytes().as_slice() == r)
}

#[cfg(test)]
mod tests {
    use super::super::number::hex;
    use super::super::wire::Writer;
    use super::*;

    /// RFC 8032 section 7.1, test 2.
    #[test]
    fn the_example_of_the_rfc_holds() {
        let public = hex(b"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").to_bytes_be();
        let signature = hex(b"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        .to_bytes_be();
        let blob = Writer::default().string(b"ssh-ed25519").string(&public).0;
        let signed = Writer::default().string(b"ssh-ed25519").string(&signature).0;
        assert!(verify(&blob, &[0x72], &signed));
        assert!(!verify(&blob, &[0x73], &signed));
        assert!(!verify(&blob, &[0x72], &signed[..40]));
        assert!(!verify(&[], &[], &[]));
    }
}
