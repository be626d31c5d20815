//! Login names and the console parameters behind them, as in `admin+ct200w`.

use super::error::Error;

/// The longest name, in bytes, parameters included. mactelnetd 0.6.3 keeps 32 for its users and copies what it gets
/// into 128 without a check; what RouterOS takes is unknown.
pub const MAX_LEN: usize = 127;

/// The name without console parameters: up to the first `+`. This is what EC-SRP5 hashes.
pub fn without_parameters(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == b'+').next().unwrap_or_default()
}

/// Whether a name can be sent: at most [`MAX_LEN`] bytes, no zero byte (it ends the name in an offer).
///
/// # Errors
/// [`Error::Name`].
pub fn check(name: &[u8]) -> Result<(), Error> {
    if name.len() > MAX_LEN || name.contains(&0) { Err(Error::Name(name.len())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_cut_at_the_first_plus() {
        for (name, bare) in [("admin", "admin"), ("admin+ct200w", "admin"), ("a+b+c", "a"), ("+ct", ""), ("", "")] {
            assert_eq!(without_parameters(name.as_bytes()), bare.as_bytes());
        }
        assert_eq!(check(&[b'a'; MAX_LEN + 1]), Err(Error::Name(128)));
        assert_eq!(check(b"a\0b"), Err(Error::Name(3)));
        assert_eq!(check(&[0xff; MAX_LEN]), Ok(()));
    }
}
