//! What CI runs, in the order that finds faults soonest.

use anyhow::Result;

use crate::run::{cargo, say, step, works};
use crate::{fuzz, graph};

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
    step("tests", &mut cargo(&["test", "--locked", "--workspace", "--features", "routersim/real"]))?;
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
