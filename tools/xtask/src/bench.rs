//! Benchmarks and long simulations: they print, they do not gate.

use std::path::Path;

use anyhow::Result;

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
        step("rehearse", &mut cargo(&["run", "--release", "-q", "--", "rehearse", "-q"]))?;
        step("rehearse --real-time", &mut cargo(&["run", "--release", "-q", "--", "rehearse", "-q", "--real-time"]))?;
    }
    Ok(())
}

/// `simulate --seeds A..B`: whole runs with faults; then as many with power cuts at any moment, and as many stories told
/// twice.
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
    step("power cuts, and every seed twice", &mut sweep)
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
