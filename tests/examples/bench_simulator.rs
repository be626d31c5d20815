//! What the simulated world costs: an hour of a pair in CPU time, a router in memory. Linux only.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program that prints

use std::time::Duration;

use jumplead_tests::ha_pair::Pair;
use routersim::spec::Version;

/// Goals: CPU of an hour of a pair, memory of a router.
const HOUR_GOAL: Duration = Duration::from_secs(2);
const ROUTER_GOAL: f64 = 4.0;
/// Pairs that memory is measured on, after the first, which loads what all of them share.
const PAIRS: u64 = 8;

/// CPU time of this thread so far; the simulated world has no other.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Resident memory of the process, MiB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn main() {
    for version in [Version::new(6, 44, 6), Version::new(7, 22, 1)] {
        let pair = Pair::ready(version);
        let start = cpu();
        pair.wait(3600);
        let used = cpu() - start;
        let verdict = if used <= HOUR_GOAL { "ok" } else { "missed" };
        println!(
            "an hour of a pair in sync, {version}: {:.2} s of CPU (goal {HOUR_GOAL:?}): {verdict}",
            used.as_secs_f64()
        );
    }
    let version = Version::new(7, 22, 1);
    let start = memory();
    let pairs: Vec<Pair> = (0..PAIRS).map(|_| Pair::ready(version)).collect();
    let each = (memory() - start) / (2 * pairs.len()) as f64;
    let verdict = if each <= ROUTER_GOAL { "ok" } else { "missed" };
    println!(
        "a router of a pair in sync, wires and recorders and all: {each:.2} MiB (goal {ROUTER_GOAL} MiB): {verdict}"
    );
}
