//! The fuzz targets. They stand outside the workspace: they need a nightly compiler.

use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{output, root, step, works};

fn rustup_cargo() -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").current_dir(root());
    // The toolchain that runs this must not leak into the other one.
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_MANIFEST_DIR", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    command
}

/// Whether this machine can fuzz.
pub fn available() -> bool {
    root().join("fuzz/Cargo.toml").exists() && works(rustup_cargo().args(["fuzz", "--version"]))
}

/// `fuzz [SECONDS] [TARGET]`
pub fn fuzz(words: &[&str]) -> Result<()> {
    if !available() {
        bail!("fuzzing needs a nightly compiler and cargo-fuzz (cargo install cargo-fuzz)");
    }
    let (seconds, only) = match words {
        [] => (60, None),
        [seconds] => (seconds.parse::<u32>()?, None),
        [seconds, target, ..] => (seconds.parse::<u32>()?, Some(*target)),
    };
    let list = output(rustup_cargo().args(["fuzz", "list"]))?;
    for target in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if only.is_some_and(|only| only != target) {
            continue;
        }
        let limit = format!("-max_total_time={seconds}");
        step(
            &format!("fuzz {target}"),
            rustup_cargo().args([
                "fuzz",
                "run",
                target,
                "--",
                &limit,
                "-verbosity=0",
                "-timeout=10",
                "-rss_limit_mb=1024",
            ]),
        )?;
    }
    Ok(())
}
