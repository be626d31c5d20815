//! A password: wiped when dropped, never printed.

use std::fmt;

use zeroize::Zeroizing;

/// A password, any bytes (UTF-8 in practice), perhaps none. Compared and hashed as they are.
///
/// Cloning makes a second copy, wiped as well. There is no comparison: it would tell by its time.
#[derive(Clone, Default)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// The empty password, that of an erased router.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Takes the buffer of `bytes` over, without copying it.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. To hash or to send them, nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the empty password.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Password {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_printed() {
        assert_eq!(format!("{:?} {:#?}", Password::from("a"), Password::empty()), "Password(..) Password(..)");
        assert_eq!(Password::from(String::from("pärøl")).expose(), "pärøl".as_bytes());
    }
}
