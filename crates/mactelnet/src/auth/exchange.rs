//! The values of PASSSALT: what a client offers, what a server answers.

use std::fmt;

use super::error::Error;
use super::name;

/// Length of a salt.
pub const SALT_LEN: usize = 16;
/// Length of a key as it is sent: x and parity.
pub const KEY_LEN: usize = 33;

/// A salt.
pub type Salt = [u8; SALT_LEN];

/// An EC-SRP5 public key as it is sent. Not yet known to be a point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey {
    /// The Montgomery x coordinate, big-endian.
    pub x: [u8; 32],
    /// Whether y is odd.
    pub odd: bool,
}

impl PublicKey {
    /// x, then 00 or 01.
    pub fn to_bytes(&self) -> [u8; KEY_LEN] {
        let mut bytes = [0; KEY_LEN];
        bytes[..32].copy_from_slice(&self.x);
        bytes[32] = u8::from(self.odd);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) makes.
    ///
    /// # Errors
    /// [`Error::KeyParity`].
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Result<Self, Error> {
        let mut x = [0; 32];
        x.copy_from_slice(&bytes[..32]);
        match bytes[32] {
            parity @ (0 | 1) => Ok(Self { x, odd: parity == 1 }),
            other => Err(Error::KeyParity(other)),
        }
    }
}

/// A client's offer of EC-SRP5. One that wants MD5 sends BEGINAUTH alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    name: Vec<u8>,
    key: PublicKey,
}

impl Offer {
    /// `name` in full, console parameters included, as the C client sends it.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn new(name: &[u8], key: PublicKey) -> Result<Self, Error> {
        name::check(name)?;
        Ok(Self { name: name.to_vec(), key })
    }

    /// The login name, as it came.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The client's key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Name, zero byte, key.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(self.name.len() + 1 + KEY_LEN);
        value.extend_from_slice(&self.name);
        value.push(0);
        value.extend_from_slice(&self.key.to_bytes());
        value
    }

    /// Reads what [`to_vec`](Self::to_vec) makes.
    ///
    /// # Errors
    /// [`Error::Offer`], [`Error::Name`], [`Error::KeyParity`].
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let bad = Error::Offer(value.len());
        let (rest, key) = value.split_last_chunk::<KEY_LEN>().ok_or(bad)?;
        let (zero, name) = rest.split_last().ok_or(bad)?;
        if *zero != 0 {
            return Err(bad);
        }
        Self::new(name, PublicKey::from_bytes(key)?)
    }
}

/// Which login it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// A hash of password and salt.
    Md5,
    /// A key exchange that gives nothing away.
    EcSrp5,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "md5",
            Self::EcSrp5 => "ec-srp5",
        })
    }
}

/// A server's answer. Its length tells what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 16 bytes: MD5 is wanted. RouterOS 7.23 still sends this when asked for MD5, but never accepts the answer.
    Md5 {
        /// To be hashed with the password.
        salt: Salt,
    },
    /// 49 bytes: EC-SRP5.
    EcSrp5 {
        /// The server's key.
        key: PublicKey,
        /// To be hashed with name and password.
        salt: Salt,
    },
    /// 33 bytes, a key and no salt: there is no such user (RouterOS up to 7.6, reported).
    UnknownUser,
}

impl Answer {
    /// The login that it asks for, if it asks for one.
    pub fn method(&self) -> Option<Method> {
        match self {
            Self::Md5 { .. } => Some(Method::Md5),
            Self::EcSrp5 { .. } => Some(Method::EcSrp5),
            Self::UnknownUser => None,
        }
    }

    /// The value of the server's PASSSALT.
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Md5 { salt } => salt.to_vec(),
            Self::EcSrp5 { key, salt } => [&key.to_bytes()[..], salt].concat(),
            // The key that RouterOS sends here means nothing; so does this one.
            Self::UnknownUser => vec![0; KEY_LEN],
        }
    }

    /// Reads the value of a server's PASSSALT.
    ///
    /// # Errors
    /// [`Error::AnswerLength`], [`Error::KeyParity`].
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        if let Ok(salt) = value.try_into() {
            return Ok(Self::Md5 { salt });
        }
        let bad = Error::AnswerLength(value.len());
        let (key, salt) = value.split_first_chunk::<KEY_LEN>().ok_or(bad)?;
        if salt.is_empty() {
            return Ok(Self::UnknownUser);
        }
        let salt = salt.try_into().map_err(|_| bad)?;
        Ok(Self::EcSrp5 { key: PublicKey::from_bytes(key)?, salt })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_length_of_an_answer_decides() {
        assert_eq!(Answer::parse(&[7; 16]), Ok(Answer::Md5 { salt: [7; 16] }));
        assert_eq!(Answer::parse(&[7; 33]), Ok(Answer::UnknownUser));
        let key = PublicKey { x: [1; 32], odd: true };
        assert_eq!(Answer::parse(&[1; 49]), Ok(Answer::EcSrp5 { key, salt: [1; 16] }));
        assert_eq!(Answer::parse(&[2; 49]), Err(Error::KeyParity(2)));
        for len in (0..100).filter(|len| ![16, 33, 49].contains(len)) {
            assert_eq!(Answer::parse(&vec![0; len]), Err(Error::AnswerLength(len)));
        }
    }

    #[test]
    fn offers_that_are_none() {
        assert_eq!(Offer::parse(&[0; 33]), Err(Error::Offer(33)));
        assert_eq!(Offer::parse(&[1; 40]), Err(Error::Offer(40)));
        assert_eq!(Offer::parse(&[0; 40]), Err(Error::Name(6)));
        let mut long = vec![b'a'; 128];
        long.resize(128 + 34, 0);
        assert_eq!(Offer::parse(&long), Err(Error::Name(128)));
    }

    proptest! {
        #[test]
        fn offers_come_back(name in "[^\0]{0,30}", x: [u8; 32], odd: bool) {
            let offer = Offer::new(name.as_bytes(), PublicKey { x, odd }).unwrap();
            prop_assert_eq!(Offer::parse(&offer.to_vec()), Ok(offer));
        }

        #[test]
        fn any_bytes_are_survived(value in prop::collection::vec(0u8..3, 0..60)) {
            if let Ok(offer) = Offer::parse(&value) { prop_assert_eq!(offer.to_vec(), value.clone()); }
            match Answer::parse(&value) {
                Ok(Answer::UnknownUser) => prop_assert_eq!(value.len(), 33),
                Ok(answer) => prop_assert_eq!(answer.to_vec(), value),
                Err(_) => {}
            }
        }
    }
}
