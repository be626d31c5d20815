//! Packages and boot firmware: what a start installs, and how many starts that takes.

use super::core::Storage;
use crate::menu::kind::Kind;
use crate::spec::{Board, Version};

/// The first bytes of an `.npk` file.
pub const PACKAGE_MAGIC: &[u8; 4] = b"\x1E\xF1\xD0\xBA";

/// What a start does before the system comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Packages of that version are put in.
    Packages(Version),
    /// RouterBOOT writes itself anew.
    Firmware(Version),
}

/// Name and contents of a system package, as a test puts it on a router.
pub fn package_file(version: Version, board: &Board) -> (String, Vec<u8>) {
    let name = match (version.is_v7(), board.architecture) {
        (_, "x86_64" | "x86") => format!("routeros-{version}.npk"),
        (true, architecture) => format!("routeros-{version}-{architecture}.npk"),
        (false, architecture) => format!("routeros-{architecture}-{version}.npk"),
    };
    let mut contents = PACKAGE_MAGIC.to_vec();
    contents.extend(format!("routeros {version} {}", board.architecture).bytes());
    (name, contents)
}

/// The version in a system package's name, if it is one for that board.
pub fn package_version(name: &str, board: &Board) -> Option<Version> {
    let stem = name.strip_prefix("routeros-")?.strip_suffix(".npk")?;
    let number = stem.split('-').find_map(|part| part.parse().ok())?;
    (package_file(number, board).0 == name).then_some(number)
}

impl Storage {
    /// Takes packages that lie in the root: a newer version, or with `downgrade` an older one. Whoever is not taken
    /// stays, and the next log says why.
    pub fn stage_packages(&mut self, running: Version, board: &Board) {
        let found: Vec<(String, Option<Version>, bool)> = self
            .files
            .list()
            .filter(|(name, file)| name.ends_with(".npk") && !name.contains('/') && !file.directory)
            .map(|(name, file)| {
                (name.to_owned(), package_version(name, board), file.contents.starts_with(PACKAGE_MAGIC))
            })
            .collect();
        let mut best: Option<(String, Version)> = None;
        for (name, version, whole) in found {
            let reason = match version {
                None => "wrong architecture",
                Some(_) if !whole => "broken package",
                Some(version) if version > running || (self.downgrade && version < running) => {
                    if best.as_ref().is_none_or(|(_, best)| version > *best) {
                        best = Some((name, version));
                    }
                    continue;
                }
                Some(_) => continue,
            };
            // Looked at when it goes down and when it starts: told once.
            let note = ("system,error".to_owned(), format!("can not install {name}: {reason}"));
            if !self.boot_notes.contains(&note) {
                self.boot_notes.push(note);
            }
        }
        self.downgrade = false;
        if let Some((name, version)) = best {
            self.files.take(&name);
            self.installing = Some(version);
        }
    }

    /// What the start that has just loaded the kernel has to do first; after it the board starts once more.
    pub fn next_update(&mut self, running: Version) -> Option<Update> {
        if let Some(version) = self.firmware_next.take() {
            self.firmware = version;
            return Some(Update::Firmware(version));
        }
        let version = self.installing.take()?;
        self.boot_notes.push(("system,info".to_owned(), format!("installed routeros-{version}, was {running}")));
        let auto = self.config.items("/system/routerboard/settings").first();
        if auto.is_some_and(|item| item.get("auto-upgrade") == Some("yes")) {
            self.firmware_next = Some(version);
        }
        Some(Update::Packages(version))
    }
}

/// `channel` of `/system package update`.
pub const CHANNELS: Kind = Kind::Enum(&["development", "long-term", "stable", "testing"]);
