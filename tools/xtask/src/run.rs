//! Running other programs, seen.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `cargo WORDS...` at the root of the workspace.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(root());
    // cargo hands its own package's variables to what it runs; a nested cargo must not see them.
    command.env_remove("CARGO_MANIFEST_DIR");
    command
}

/// Runs a command with its output shown, prints what was run and how long it took.
pub fn step(name: &str, command: &mut Command) -> Result<()> {
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
    say(&format!("== {name}: cargo {}", args.join(" ")));
    let start = Instant::now();
    let status = command.status().with_context(|| format!("{name}: could not be started"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    say(&format!("== {name}: ok, {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// The standard output of a command that must succeed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{command:?} failed ({})", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a command exists and says yes.
pub fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// One line to the person who watches.
#[allow(clippy::print_stderr)]
pub fn say(line: &str) {
    eprintln!("{line}");
}
