//! Why a login cannot go on.

use super::name::MAX_LEN;

/// What is wrong with the peer's part of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key that is no point of the curve.
    #[error("the peer's key is no point of the curve")]
    KeyOffCurve,
    /// A key, or what it makes of ours, that has one of eight known values.
    #[error("the peer's key is of small order")]
    KeySmallOrder,
    /// A key's parity byte that is neither 0 nor 1.
    #[error("the peer's key has the parity {0}")]
    KeyParity(u8),
    /// A server's answer of a length other than 16, 33 and 49 bytes.
    #[error("an answer of {0} bytes fits no known login")]
    AnswerLength(usize),
    /// A client's offer that is not name, zero, key and parity; its length.
    #[error("an offer of {0} bytes that is no name and key")]
    Offer(usize),
    /// A login name that is too long, or holds a zero byte; its length.
    #[error("a login name of {0} bytes; at most {MAX_LEN}, without a zero byte")]
    Name(usize),
    /// The proof does not fit: another password, or another name.
    #[error("the proof of the password does not fit")]
    Rejected,
}

impl Error {
    /// A stable name, for logs and machine-readable output.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyOffCurve => "mactelnet.auth.key-off-curve",
            Self::KeySmallOrder => "mactelnet.auth.key-small-order",
            Self::KeyParity(_) => "mactelnet.auth.key-parity",
            Self::AnswerLength(_) => "mactelnet.auth.answer-length",
            Self::Offer(_) => "mactelnet.auth.offer",
            Self::Name(_) => "mactelnet.auth.name",
            Self::Rejected => "mactelnet.auth.rejected",
        }
    }
}
