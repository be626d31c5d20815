//! `docs/conformance.md`: what programs of others did with the simulated router, from what their tests claimed.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{cargo, root, say};

/// The tests that claim something.
const TESTS: &[&str] = &["peers_routersim", "peers_ssh", "peers_vrrp", "peers_automation"];
/// The variable that names the file for the claims.
const FILE: &str = "JUMPLEAD_CONFORMANCE";

const HEAD: &str = "\
# Conformance of the simulated router

Programs that others wrote, unmodified, against the simulated router as a process on a real interface. Written by
`cargo xtask conformance` from what the tests claimed and whether the claim held; a program that isn't installed is not in
the table, and in CI all of them are required.

| program | version | did | RouterOS | result |
|---|---|---|---|---|
";

/// Runs the tests and writes the table; fails if a claim did.
pub fn write() -> Result<()> {
    let claims = root().join("target/conformance.jsonl");
    // What an earlier run claimed counts no more.
    let _ = std::fs::remove_file(&claims);
    let mut command = cargo(&["test", "--locked", "-p", "jumplead-tests", "--no-fail-fast"]);
    command.args(TESTS.iter().flat_map(|test| ["--test", *test])).env(FILE, &claims);
    say("== conformance");
    let passed = command.status()?.success();

    let mut rows: BTreeMap<[String; 3], BTreeMap<String, String>> = BTreeMap::new();
    for line in std::fs::read_to_string(&claims).context("no test claimed anything")?.lines() {
        let claim: Value = serde_json::from_str(line)?;
        let field = |name: &str| claim[name].as_str().unwrap_or_default().replace('|', "\\|");
        let key = [field("tool"), field("version"), field("did")];
        rows.entry(key).or_default().insert(field("against"), field("result"));
    }
    let mut table = HEAD.to_owned();
    for ([tool, version, did], against) in &rows {
        let mut results: Vec<&str> = against.values().map(String::as_str).collect();
        results.dedup();
        let versions: Vec<&str> = against.keys().map(String::as_str).collect();
        writeln!(table, "| {tool} | {version} | {did} | {} | {} |", versions.join(", "), results.join(", "))?;
    }
    std::fs::write(root().join("docs/conformance.md"), table)?;
    say(&format!("== conformance: {} rows in docs/conformance.md", rows.len()));
    if !passed {
        bail!("a test failed");
    }
    Ok(())
}
