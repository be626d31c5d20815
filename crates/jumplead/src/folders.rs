//! Where runs, secrets and site files are.

use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};

use crate::failure::{Exit, Failure, Result};

/// The state folder: `--state-dir`, or the user's own.
pub fn state(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = given {
        return Ok(folder.to_path_buf());
    }
    let strategy = choose_base_strategy().map_err(no_home)?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("jumplead"))
}

/// Who runs this, for people on other hosts: `root@ops-1`.
pub fn operator() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}@{}", named.as_deref().unwrap_or("somebody"), host.trim())
}

/// Makes a folder of ours that only the owner enters; one that is there stays as it is.
pub fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The folder of site files that are named without a path.
pub fn config() -> Result<PathBuf> {
    Ok(choose_base_strategy().map_err(no_home)?.config_dir().join("jumplead"))
}

fn no_home(error: etcetera::HomeDirError) -> Failure {
    Failure::new(Exit::Usage, "host.home.none", "this user has no home folder")
        .cause(error)
        .hint("name the state folder:  --state-dir DIR")
}

/// The site file that PAIR means: a path if it looks like one or exists, else a name in the configuration folder.
pub fn site_file(pair: &str) -> Result<PathBuf> {
    let path = Path::new(pair);
    if pair.contains('/') || pair.ends_with(".toml") || path.is_file() {
        return Ok(path.to_path_buf());
    }
    Ok(config()?.join(format!("{pair}.toml")))
}
