//! What was learnt about routers, kept between runs: it decides whether an MD5 login is a downgrade, and whether several
//! packets may be on their way to one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use mactelnet::MacAddr;
use serde::{Deserialize, Serialize};

/// What is known of one router, by the MAC that it was reached at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// It has logged somebody in by EC-SRP5 here: an MD5 login would be a downgrade.
    pub ec_srp5: bool,
    /// What a proof showed of how it acknowledges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Proof>,
}

/// What came of a proof (`mactelnet::proof`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// It keeps its acknowledgement at a gap.
    pub holds: bool,
    /// The version that it announced then: another one may behave in another way.
    pub version: String,
}

/// The file of known routers in the state folder.
#[derive(Debug)]
pub struct KnownRouters {
    path: PathBuf,
    routers: BTreeMap<String, Known>,
    /// Who was asked for a proof since the file was opened.
    asked: BTreeSet<MacAddr>,
}

impl KnownRouters {
    /// Reads the file; a missing one is empty. A damaged one is an error: guessing here could allow a downgrade.
    pub fn open(state_dir: &Path) -> std::io::Result<Self> {
        let path = state_dir.join("routers.json");
        let routers = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, routers, asked: BTreeSet::new() })
    }

    pub fn get(&self, mac: MacAddr) -> Known {
        self.routers.get(&mac.to_string()).cloned().unwrap_or_default()
    }

    /// The session that asked came to nothing: the next one asks again.
    pub fn not_answered(&mut self, mac: MacAddr) {
        self.asked.remove(&mac);
    }

    /// Whether this router has not been asked for a proof yet; from now on it has.
    pub fn first_question(&mut self, mac: MacAddr) -> bool {
        self.asked.insert(mac)
    }

    /// Changes what is known of a router and writes the file, whole or not at all.
    pub fn update(&mut self, mac: MacAddr, change: impl Fn(&mut Known)) -> std::io::Result<()> {
        let mac = mac.to_string();
        let mut known = self.routers.get(&mac).cloned().unwrap_or_default();
        let before = known.clone();
        change(&mut known);
        if known == before {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        crate::folders::make_private(folder)?;
        // What another run has learnt meanwhile must not be lost: forgetting an EC-SRP5 login allows a downgrade.
        self.routers = Self::open(folder)?.routers;
        change(self.routers.entry(mac).or_default());
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &self.routers)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_survives_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mac: MacAddr = "74:4D:28:00:00:0B".parse().unwrap();
        let mut known = KnownRouters::open(folder.path()).unwrap();
        assert_eq!(known.get(mac), Known::default());
        known.update(mac, |router| router.ec_srp5 = true).unwrap();
        assert!(KnownRouters::open(folder.path()).unwrap().get(mac).ec_srp5);
        // two runs at once, each with its own copy
        let mut other = KnownRouters::open(folder.path()).unwrap();
        let far: MacAddr = "74:4D:28:00:00:0C".parse().unwrap();
        known.update(far, |router| router.ec_srp5 = true).unwrap();
        other.update("74:4D:28:00:00:0D".parse().unwrap(), |router| router.ec_srp5 = true).unwrap();
        assert!(KnownRouters::open(folder.path()).unwrap().get(far).ec_srp5);
        // also of the same router
        let proof = Proof { holds: true, version: "7.18.2 (stable)".into() };
        other.update(far, |router| router.gap = Some(proof.clone())).unwrap();
        let both = KnownRouters::open(folder.path()).unwrap().get(far);
        assert_eq!(both, Known { ec_srp5: true, gap: Some(proof) });
        std::fs::write(folder.path().join("routers.json"), "{").unwrap();
        assert!(KnownRouters::open(folder.path()).is_err());
    }

    #[test]
    fn the_folder_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state/jumplead");
        let mac: MacAddr = "74:4D:28:00:00:0B".parse().unwrap();
        KnownRouters::open(&state).unwrap().update(mac, |router| router.ec_srp5 = true).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join("routers.json"))), (0o700, 0o600));
    }
}
