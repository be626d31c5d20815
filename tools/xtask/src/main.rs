//! The one entry for checks: CI and people run the same thing.

mod automation;
mod bench;
mod ci;
mod conformance;
mod fuzz;
mod graph;
mod oracle;
mod order;
mod run;
mod tree;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask ci                       everything CI runs: lints, graph, build, tests, docs, a short fuzz
cargo xtask fuzz [SECONDS] [TARGET]  every fuzz target (60 s each), needs a nightly compiler and cargo-fuzz
cargo xtask bench                    the table of docs/benchmarks.md
cargo xtask automation               Netmiko and Ansible from PyPI into target/automation, for the tests with them
cargo xtask conformance              docs/conformance.md: programs of others against the simulated router
cargo xtask simulate --seeds A..B    whole runs on simulated pairs, with faults and power cuts
cargo xtask startup-race [BOOTS]     what a standby says while it starts, over 10,000 seeded starts
cargo xtask order                    crates/jumplead/start.order: what the linker puts side by side, from a start under valgrind
cargo xtask graph                    the arrows between crates, and that the cores do no I/O
cargo xtask parse-oracle DIR         how far our reading of scripts agrees with captures of routers' `:parse`
cargo xtask tree DIR                 the command tree of routeros-script, from the inspect-VERSION.json files in DIR";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ci"] => ci::ci(),
        ["fuzz", rest @ ..] => fuzz::fuzz(rest),
        ["bench", rest @ ..] => bench::bench(rest),
        ["startup-race", rest @ ..] => bench::startup_race(rest),
        ["simulate", rest @ ..] => bench::simulate(rest),
        ["automation"] => automation::fetch(),
        ["conformance"] => conformance::write(),
        ["order"] => order::write(),
        ["graph"] => graph::check(),
        ["parse-oracle", rest @ ..] => oracle::oracle(rest),
        ["tree", rest @ ..] => tree::tree(rest),
        _ => bail!("usage:\n{USAGE}"),
    }
}
