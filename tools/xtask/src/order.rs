//! `crates/jumplead/start.order`: the functions that the linker puts side by side.

use std::collections::HashSet;

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, root, say};

const LIST: &str = "crates/jumplead/start.order";
const BINARY: &str = "target/release/jumplead";

/// Makes the list anew. The functions of a generic kind have a hash of everything that they are made of in their names, so
/// it falls behind by itself.
pub fn write() -> Result<()> {
    let mut command =
        cargo(&["run", "--locked", "--release", "-q", "-p", "jumplead-tests", "--example", "start_order"]);
    let made = command.output().context("cargo can't be started")?;
    if !made.status.success() {
        bail!("no list was made: {}", String::from_utf8_lossy(&made.stderr).trim());
    }
    std::fs::write(root().join(LIST), made.stdout).context(LIST)?;
    say(&format!("{LIST} is written; it counts at the next release build"));
    Ok(())
}

/// Says how much of the list is still in the release binary. A list that is behind costs time, and nothing else.
pub fn check() -> Result<()> {
    let list = std::fs::read_to_string(root().join(LIST)).context(LIST)?;
    let wanted: HashSet<&[u8]> = list.lines().filter(|line| !line.starts_with('#')).map(str::as_bytes).collect();
    let binary = std::fs::read(root().join(BINARY)).context(BINARY)?;
    // Names stand in the binary's table of strings, each with a zero behind it.
    let there: HashSet<&[u8]> = binary.split(|byte| *byte == 0).filter(|name| wanted.contains(name)).collect();
    say(&format!("{LIST}: {} of {} functions are in the release binary", there.len(), wanted.len()));
    if there.len() * 10 < wanted.len() * 8 {
        say("it has fallen behind: cargo xtask order (root, valgrind and Debian's MAC-Telnet server)");
    }
    Ok(())
}
