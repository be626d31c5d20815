//! `/system backup`: an opaque snapshot of the configuration.
//!
//! In it: everything that `/export` has, users with passwords, scripts, schedulers, Ethernet addresses. Not in
//! it: files, globals, history, what lies in the board (script-subset.md section 5.4).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::core::{Pending, System};
use super::factory::BOARD_MENUS;
use crate::kernel::Kernel;
use crate::menu::Config;
use crate::record::EventKind;
use crate::spec::Version;

/// First bytes of a backup that has a password, and of one that has none.
const SEALED: &[u8; 4] = b"\xEF\xA8\x91\x72";
const PLAIN: &[u8; 4] = b"\x88\xAC\xA1\xB1";
const SALT: usize = 16;
const DIGEST: usize = 32;

/// Why a backup is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// No such file.
    #[error("failure: backup file not found")]
    NotFound,
    /// Not a backup, or not whole.
    #[error("failure: backup file is broken")]
    Broken,
    /// The password is not its.
    #[error("failure: wrong password")]
    Password,
    /// Made on another board.
    #[error("failure: backup is from another board")]
    Board,
    /// Made by another RouterOS version.
    #[error("failure: backup is from another version")]
    Version,
    /// No room for the file.
    #[error("failure: no space left")]
    NoSpace,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    board: String,
    version: Version,
    config: Config,
}

fn file_name(name: &str) -> String {
    if name.ends_with(".backup") { name.to_owned() } else { format!("{name}.backup") }
}

fn key(password: &str, salt: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(password.as_bytes()).finalize().into()
}

/// A keystream over `bytes`; the same call takes it off again.
fn veil(key: &[u8; 32], bytes: &mut [u8]) {
    for (block, counter) in bytes.chunks_mut(32).zip(0_u64..) {
        let pad = Sha256::new().chain_update(key).chain_update(counter.to_be_bytes()).finalize();
        for (byte, pad) in block.iter_mut().zip(pad) {
            *byte ^= pad;
        }
    }
}

fn digest(key: &[u8; 32], body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(b"digest").chain_update(key).chain_update(body).finalize().into()
}

/// Salt, digest and the veiled bytes.
pub(super) fn seal(kernel: &Kernel, password: &str, mut body: Vec<u8>) -> Vec<u8> {
    let mut salt = [0; SALT];
    for chunk in salt.chunks_mut(8) {
        chunk.copy_from_slice(&kernel.random().to_be_bytes()[..chunk.len()]);
    }
    let key = key(password, &salt);
    let digest = digest(&key, &body);
    veil(&key, &mut body);
    let mut sealed = Vec::with_capacity(SALT + DIGEST + body.len());
    sealed.extend(salt);
    sealed.extend(digest);
    sealed.extend(body);
    sealed
}

/// What [`seal`] made, opened; `None` with another password.
pub(super) fn unseal(password: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (salt, rest) = sealed.split_at_checked(SALT)?;
    let (sum, body) = rest.split_at_checked(DIGEST)?;
    let key = key(password, salt);
    let mut body = body.to_vec();
    veil(&key, &mut body);
    (digest(&key, &body) == sum).then_some(body)
}

impl System {
    /// Writes a backup; gives the file's name.
    pub fn save_backup(&self, name: &str, password: &str) -> Result<String, BackupError> {
        let mut config = self.config(Clone::clone);
        for menu in BOARD_MENUS {
            config.items_mut(menu).clear();
        }
        for item in config.items_mut("/interface/ethernet") {
            if item.get("mac-address").is_none()
                && let Some(socket) = item.get("default-name").and_then(|name| self.socket(name))
            {
                item.put("mac-address", socket.mac.to_string());
            }
        }
        if !self.quirks.backup_keeps_certificates {
            config.items_mut("/certificate").clear();
        }
        let snapshot = Snapshot { board: self.board.name.to_owned(), version: self.spec.version, config };
        let body = serde_json::to_vec(&snapshot).map_err(|_| BackupError::Broken)?;
        let mut file = (if password.is_empty() { PLAIN } else { SEALED }).to_vec();
        file.extend(seal(&self.kernel, password, body));
        let name = file_name(name);
        self.write_file(&name, file).map_err(|_| BackupError::NoSpace)?;
        self.note(EventKind::BackupSaved { name: name.clone() });
        Ok(name)
    }

    fn read_backup(&self, name: &str, password: &str) -> Result<Snapshot, BackupError> {
        let file = self.read_file(name).or_else(|| self.read_file(&file_name(name))).ok_or(BackupError::NotFound)?;
        let (magic, rest) = file.split_at_checked(4).ok_or(BackupError::Broken)?;
        if rest.len() < SALT + DIGEST {
            return Err(BackupError::Broken);
        }
        // An unsealed backup takes whatever password is given.
        let password = match magic {
            magic if magic == PLAIN => "",
            magic if magic == SEALED => password,
            _ => return Err(BackupError::Broken),
        };
        let closed = if magic == SEALED { BackupError::Password } else { BackupError::Broken };
        let body = unseal(password, rest).ok_or(closed)?;
        serde_json::from_slice(&body).map_err(|_| BackupError::Broken)
    }

    /// Checks a backup and takes it for the next start.
    pub fn load_backup(&self, name: &str, password: &str) -> Result<(), BackupError> {
        let snapshot = self.read_backup(name, password)?;
        if snapshot.board != self.board.name {
            return Err(BackupError::Board);
        }
        if self.quirks.backup_wants_version && snapshot.version != self.spec.version {
            return Err(BackupError::Version);
        }
        self.storage.borrow_mut().pending = Some(Pending::Restore { name: file_name(name), config: snapshot.config });
        Ok(())
    }
}
