//! The arrows between crates, and that the cores do no I/O: proved, not promised.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{cargo, output, say};

/// Who may depend on whom. ARCHITECTURE.md draws the same picture.
const ARROWS: &[(&str, &[&str])] = &[
    ("mactelnet", &[]),
    ("routeros-script", &[]),
    ("serial-console", &[]),
    ("routeros", &["routeros-script"]),
    ("bootstrap", &["routeros", "routeros-script"]),
    ("routersim", &["mactelnet", "routeros-script", "serial-console"]),
    ("lab", &["routersim", "mactelnet"]),
    ("jumplead", &["bootstrap", "routeros", "routeros-script", "mactelnet", "lab", "routersim", "serial-console"]),
    ("xtask", &["routeros-script"]),
    (
        "jumplead-tests",
        &["mactelnet", "routeros-script", "routeros", "bootstrap", "routersim", "lab", "jumplead", "serial-console"],
    ),
];

/// What a core without I/O may not reach, by crate name.
const IO_CRATES: &[&str] =
    &["tokio", "mio", "socket2", "pnet", "pnet_datalink", "rustix", "libc", "getrandom", "serialport", "tokio-serial"];

/// Cores, as (package, its features): nothing of [`IO_CRATES`] in their normal dependency tree.
const CORES: &[&str] = &["mactelnet", "routeros-script", "serial-console"];

/// Fails with the arrow or the crate that should not be there.
pub fn check() -> Result<()> {
    let metadata: Value =
        serde_json::from_str(&output(&mut cargo(&["metadata", "--format-version=1", "--no-deps", "--locked"]))?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, to)| (*name, to.iter().copied().collect())).collect();
    let members: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some(allowed) = allowed.get(name) else {
            bail!("{name} is not in the picture: add it to ARROWS and to ARCHITECTURE.md")
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if members.contains(to) && !allowed.contains(to) {
                bail!("{name} must not depend on {to}");
            }
        }
    }
    for core in CORES {
        let tree = output(&mut cargo(&[
            "tree",
            "--locked",
            "-p",
            core,
            "--no-default-features",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]))?;
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            if IO_CRATES.contains(&name) {
                bail!("the core {core} reaches {name}: it may do no I/O");
            }
        }
    }
    say("== graph: ok, every arrow is allowed and the cores do no I/O");
    Ok(())
}
