//! Benchmarks and long simulations: they print, they do not gate.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, root, say, step};

/// Every benchmark, in one run. Those that need root or a peer say that they were skipped.
pub fn bench(words: &[&str]) -> Result<()> {
    for (package, example) in [
        ("routeros-script", "bench_script"),
        ("mactelnet", "bench_auth"),
        ("mactelnet", "bench_stream"),
        ("jumplead-tests", "bench_peers"),
        ("jumplead-tests", "bench_simulator"),
        ("jumplead-tests", "bench_serial"),
        ("jumplead-tests", "bench_lines"),
    ] {
        if words.first().is_some_and(|only| *only != example) {
            continue;
        }
        if !example_exists(package, example) {
            say(&format!("SKIPPED: {example} is not there"));
            continue;
        }
        step(example, &mut cargo(&["run", "--release", "-q", "-p", package, "--all-features", "--example", example]))?;
    }
    if words.is_empty() || words == ["rehearse"] {
        // Twice with a reset, by either road; then a clean one on the wall clock, which takes the minutes that routers take.
        for more in [&["--dirty"][..], &["--dirty", "--road", "mac"], &["--real-time"]] {
            rehearsal(more)?;
        }
    }
    Ok(())
}

/// What a rehearsal says at its end, and the rows of docs/benchmarks.md are taken from.
const END: [&str; 3] = ["Our own part of the waits", "The pair is proved", "Logins at router a"];

/// One whole run, of which only the end is shown.
fn rehearsal(more: &[&str]) -> Result<()> {
    say(&format!("== rehearse {}", more.join(" ")));
    let run = cargo(&["run", "--release", "-q", "-p", "jumplead", "--", "rehearse"]).args(more).output()?;
    let said = String::from_utf8_lossy(&run.stderr);
    if !run.status.success() {
        bail!("rehearse {more:?} failed ({}):\n{said}", run.status);
    }
    for wanted in END {
        let line = said.lines().find(|line| line.starts_with(wanted));
        say(&format!("  {}", line.with_context(|| format!("a rehearsal does not say any more: {wanted}"))?));
    }
    Ok(())
}

/// `simulate --seeds A..B`: whole runs with faults; then as many with power cuts at any moment, and as many stories told
/// twice; last the hop cut at every byte of every line, where the tests leave some out.
pub fn simulate(words: &[&str]) -> Result<()> {
    let mut args = vec!["run", "--release", "-q", "--", "rehearse", "-q", "--faults", "all"];
    args.extend_from_slice(words);
    step("simulate", &mut cargo(&args))?;
    let seeds = words.iter().find_map(|word| {
        let (from, to) = word.split_once("..")?;
        to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)
    });
    let mut sweep = cargo(&["test", "--release", "-q", "-p", "jumplead-tests", "--test", "bootstrap_power_on_sim"]);
    sweep.args(["--", "--nocapture"]).env("JUMPLEAD_SEEDS", seeds.unwrap_or(1).to_string());
    step("power cuts, and every seed twice", &mut sweep)?;
    let mut cuts = cargo(&["test", "--release", "-q", "-p", "jumplead-tests", "--test", "hop_cut_on_sim"]);
    step("the hop cut at every byte", cuts.env("JUMPLEAD_EVERY_BYTE", "1"))
}

/// `startup-race [BOOTS]`: what a standby's data ports say while it starts.
pub fn startup_race(words: &[&str]) -> Result<()> {
    let mut args = vec!["run", "--release", "-q", "-p", "jumplead-tests", "--example", "startup_race", "--"];
    args.extend_from_slice(words);
    step("startup-race", &mut cargo(&args))
}

fn example_exists(package: &str, example: &str) -> bool {
    let folder = if package == "jumplead-tests" { "tests".to_owned() } else { format!("crates/{package}") };
    Path::new(&root()).join(folder).join(format!("examples/{example}.rs")).exists()
}
