//! What automates routers in the field, fetched from PyPI into `target/automation`: a virtual environment with Netmiko and
//! ansible-core, and of the package `ansible`, which carries a hundred collections, the three that are wanted.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{output, root, say};

/// The release of the package `ansible` from which the collections come.
const ANSIBLE: &str = "ansible==12.3.0";
/// The collection for routers, and what it stands on.
const COLLECTIONS: &[&str] = &["community/routeros", "ansible/netcommon", "ansible/utils"];
/// Takes the collections out of the package.
const UNPACK: &str = "\
import pathlib, sys, zipfile
target, download, *wanted = sys.argv[1:]
archive = zipfile.ZipFile(next(pathlib.Path(download).glob('ansible-*.whl')))
names = [n for n in archive.namelist() if any(n.startswith(f'ansible_collections/{w}/') for w in wanted)]
archive.extractall(target, names)
";

/// Fetches it, once: a folder whose mark says what lies in it stays as it is.
pub fn fetch() -> Result<()> {
    let folder = root().join("target/automation");
    let requirements = root().join("tests/automation/requirements.txt");
    let wanted = format!("{}{ANSIBLE} {}\n", std::fs::read_to_string(&requirements)?, COLLECTIONS.join(" "));
    let mark = folder.join("fetched");
    if std::fs::read_to_string(&mark).is_ok_and(|fetched| fetched == wanted) {
        say("== automation: ok, it is there");
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let python = folder.join("bin/python");
    let download = folder.join("download");
    if !Command::new("python3").args(["-m", "venv"]).arg(&folder).status()?.success() {
        bail!("no virtual environment (Debian: apt install python3-venv)");
    }
    let pip = |arguments: &[&str], path: &Path| {
        output(Command::new(&python).args(["-m", "pip", "--disable-pip-version-check", "-q"]).args(arguments).arg(path))
    };
    pip(&["install", "-r"], &requirements)?;
    pip(&["download", "--no-deps", ANSIBLE, "-d"], &download)?;
    output(
        Command::new(&python).args(["-c", UNPACK]).arg(folder.join("collections")).arg(&download).args(COLLECTIONS),
    )?;
    std::fs::remove_dir_all(&download)?;
    std::fs::write(&mark, wanted)?;
    say("== automation: ok, fetched into target/automation");
    Ok(())
}
