//! What programs that others wrote did with the simulated router: each test claims it, and `cargo xtask conformance`
//! makes the table of `docs/conformance.md` out of what came of the claims.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

/// Where the claims go; without it they go nowhere.
pub const FILE: &str = "JUMPLEAD_CONFORMANCE";

/// One program and one thing that it is to do. Dropped without [`Claim::holds`], it failed.
#[derive(Debug)]
pub struct Claim {
    tool: String,
    version: String,
    did: String,
    against: String,
    result: &'static str,
}

impl Claim {
    /// `tool` (of `version`) is to do this with a router of RouterOS `against`.
    pub fn new(tool: &str, version: impl Into<String>, did: &str, against: &str) -> Self {
        let text = |text: &str| text.to_owned();
        Self { tool: text(tool), version: version.into(), did: text(did), against: text(against), result: "fails" }
    }

    /// It did.
    pub fn holds(mut self) {
        self.result = "passes";
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(path) = std::env::var_os(FILE) else { return };
        let line = serde_json::json!({
            "tool": self.tool, "version": self.version, "did": self.did, "against": self.against, "result": self.result,
        });
        // One write for one line: other tests write to the same file.
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).expect("the claim can be written");
    }
}

/// The first thing that looks like a version in what a program says of itself.
pub fn version_of(program: &str, argument: &str) -> String {
    let Ok(output) = Command::new(program).arg(argument).output() else { return String::new() };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let words = said.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '_'));
    let words = words.map(|word| word.trim_start_matches('v').trim_end_matches('.'));
    let numbers: Vec<&str> = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect();
    let version = numbers.iter().find(|word| word.contains('.')).or(numbers.first());
    version.copied().unwrap_or_default().to_owned()
}
