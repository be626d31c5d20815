//! The MD5 login: `00 || MD5(00 || password || salt)`.
//!
//! Whoever hears salt and answer can try passwords at leisure, so an answer is a thing to be careful with. The crate
//! `md5` keeps the last block it hashed in a context that it does not wipe; the buffer given to it is wiped here.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::exchange::{SALT_LEN, Salt};
use super::password::Password;

/// Length of the answer.
pub const RESPONSE_LEN: usize = 17;
/// How much of a password the C tools hash; both of their ends do, so a longer one still fits there (read in their source).
pub const C_TOOLS_PASSWORD_LEN: usize = 82;

/// The value of PASSWORD that answers `salt`.
pub fn response(password: &Password, salt: &Salt) -> [u8; RESPONSE_LEN] {
    hash(password.expose(), salt)
}

/// The same as the C tools make it. Differs for passwords over [`C_TOOLS_PASSWORD_LEN`] only.
pub fn response_of_c_tools(password: &Password, salt: &Salt) -> [u8; RESPONSE_LEN] {
    let bytes = password.expose();
    hash(bytes.get(..C_TOOLS_PASSWORD_LEN).unwrap_or(bytes), salt)
}

/// Whether `value` answers `salt`, whole or as the C tools cut it.
pub fn verify(password: &Password, salt: &Salt, value: &[u8]) -> bool {
    let fits = response(password, salt).ct_eq(value) | response_of_c_tools(password, salt).ct_eq(value);
    fits.into()
}

fn hash(password: &[u8], salt: &Salt) -> [u8; RESPONSE_LEN] {
    let mut input = Zeroizing::new(Vec::with_capacity(1 + password.len() + SALT_LEN));
    input.push(0);
    input.extend_from_slice(password);
    input.extend_from_slice(salt);
    let mut value = [0; RESPONSE_LEN];
    value[1..].copy_from_slice(&::md5::compute(input.as_slice()).0);
    value
}
