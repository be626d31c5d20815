//! What CI runs, in the order that finds faults soonest.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};

use crate::run::{cargo, root, say, step, works};
use crate::{fuzz, graph, order};

/// Tests of real programs in real time: what they do most is wait, so they run beside all the others; the files of a list one
/// after the other, with as many tests at once.
const APART: [(&[&str], u8); 3] = [
    (&["e2e_bad_day", "e2e_bootstrap", "e2e_serial"], 2),
    (&["recover_on_lines", "recover_processes"], 8),
    (&["rescue_pages"], 1),
];

fn apart() -> impl Iterator<Item = &'static str> {
    APART.iter().flat_map(|(names, _)| names.iter().copied())
}

/// Everything. A check that this machine cannot do is named, never passed over in silence.
pub fn ci() -> Result<()> {
    let mut skipped = Vec::new();
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    graph::check()?;
    step("build", &mut cargo(&["build", "--locked", "--workspace", "--all-targets", "--features", "routersim/real"]))?;
    step(
        "lints",
        &mut cargo(&[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--features",
            "routersim/real",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    step("release", &mut cargo(&["build", "--locked", "--release", "-p", "jumplead"]))?;
    order::check()?;
    rehearse()?;
    tests()?;
    step(
        "docs",
        cargo(&["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
    )?;
    if works(&mut cargo(&["deny", "--version"])) {
        step("licences", &mut cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    } else {
        skipped.push("licences (cargo-deny is not installed)");
    }
    if fuzz::available() {
        fuzz::fuzz(&["5"])?;
    } else {
        skipped.push("fuzzing (no nightly compiler, or cargo-fuzz is not installed)");
    }
    for check in &skipped {
        say(&format!("SKIPPED: {check}"));
    }
    say(&format!("ci: ok, {} checks skipped", skipped.len()));
    Ok(())
}

/// The longest that a rehearsal may take (docs/contract.md, section 8), and how often it may try: others are at work, too.
const REHEARSAL: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;

/// The README's first command, as it was built for users.
fn rehearse() -> Result<()> {
    for more in [&[][..], &["--dirty"]] {
        let mut took = Vec::new();
        while took.len() < TRIES as usize && !took.iter().any(|took| *took < REHEARSAL) {
            let began = Instant::now();
            let mut command = cargo(&["run", "--locked", "--release", "-q", "-p", "jumplead", "--", "-q", "rehearse"]);
            step("rehearse", command.args(more))?;
            took.push(began.elapsed());
        }
        if !took.iter().any(|took| *took < REHEARSAL) {
            return Err(anyhow!("rehearse {more:?} takes more than {REHEARSAL:?}: {took:?}"));
        }
    }
    Ok(())
}

/// `cargo test` over the whole workspace: other packages would mean other features, and everything built again.
fn test() -> Command {
    cargo(&["test", "--locked", "--workspace", "--features", "routersim/real"])
}

/// All tests.
fn tests() -> Result<()> {
    // All are built first: who builds locks out who wants to.
    step("tests, built", test().arg("--no-run"))?;
    let mut beside = Vec::new();
    for (names, at_once) in APART {
        let mut command = test();
        // One run names all that is wrong.
        command.arg("--no-fail-fast").env("RUST_TEST_THREADS", at_once.to_string());
        for name in names {
            command.args(["--test", name]);
        }
        say(&format!("== tests beside the others: {}", names.join(", ")));
        beside.push(command.spawn().context("the tests beside the others could not be started")?);
    }
    let mut others = test();
    others.args(["--no-fail-fast", "--lib", "--bins"]);
    for name in test_files()?.iter().filter(|name| !apart().any(|apart| apart == name.as_str())) {
        others.args(["--test", name]);
    }
    let mut ended = step("tests", &mut others).and_then(|()| step("tests in docs", test().arg("--doc")));
    for mut command in beside {
        let status = command.wait()?;
        if ended.is_ok() && !status.success() {
            ended = Err(anyhow!("tests beside the others failed ({status})"));
        }
    }
    ended
}

/// Names of the members' test files: `tests/NAME.rs` and `tests/NAME/main.rs`.
fn test_files() -> Result<Vec<String>> {
    let mut names = Vec::new();
    let members = ["crates", "tools"].map(|group| root().join(group).read_dir());
    let members = members.into_iter().flatten().flatten().flatten().map(|member| member.path());
    for member in members.chain([root().join("tests")]) {
        let Ok(files) = member.join("tests").read_dir() else { continue };
        for file in files {
            let path = file?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").exists() {
                names.push(name.to_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_file_is_found() {
        let names = test_files().unwrap();
        // A file of this package, a folder of another, and those that run apart.
        for name in ["cli", "machines", "vectors", "dialogues"].into_iter().chain(apart()) {
            assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
        }
        assert!(!names.iter().any(|name| name == "common"), "no test of its own");
    }
}
