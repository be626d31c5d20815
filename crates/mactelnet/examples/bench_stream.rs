//! Client and server of ours on bad wires in virtual time: is every run exact, and how fast is it?
//!
//! `cargo run --release -p mactelnet --example bench_stream [SEEDS]` prints a table; exit status 1 if a run was not
//! exact. `bench_stream one|proved WIRE SEED` runs one of them. The C pair is measured by `bench_peers`, over a wire of 2 ms.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/common/pair.rs"]
mod pair;

use std::time::Duration;

use mactelnet::client::GapPolicy;
use mactelnet::faults::Faults;

const DOWN: usize = 200_000;
const UP: usize = 50_000;

fn main() {
    if let (Some(name), Some(seed)) = (std::env::args().nth(2), std::env::args().nth(3)) {
        // One run, to be looked at with JUMPLEAD_TRACE=1.
        let faults = pair::conditions().into_iter().find(|(other, _)| *other == name).unwrap().1;
        let gap = if std::env::args().nth(1).unwrap() == "one" { GapPolicy::OneOutstanding } else { GapPolicy::Prove };
        println!("{:?}", pair::transfer(seed.parse().unwrap(), faults, gap, DOWN, UP));
        return;
    }
    let crowd = pair::crowd(1000);
    println!(
        "{} of 1000 sessions of one process exact, {} KB each at most, client and what it typed and all; the server counts {} KB (goal 64)\n",
        crowd.exact,
        crowd.grown / 1000 / 1024,
        crowd.counted / 1000 / 1024
    );
    let seeds: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1000);
    let mut conditions = pair::conditions();
    conditions.insert(1, ("2 ms", Faults::delay(Duration::from_millis(1))));
    println!("{DOWN} bytes down and {UP} up, {seeds} seeds each; medians, virtual time\n");
    println!("| wire | window | exact | login ms | down KB/s | up KB/s | sent again % | proved down/up % |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut failed = Vec::new();
    for (name, faults) in conditions {
        for gap in [GapPolicy::OneOutstanding, GapPolicy::Prove] {
            let mut runs = Vec::new();
            for seed in 0..seeds {
                match pair::transfer(seed, faults, gap, DOWN, UP) {
                    Ok(run) => runs.push(run),
                    Err(why) => failed.push(format!("{name}, {gap:?}, seed {seed}: {why}")),
                }
            }
            let median = |of: &dyn Fn(&pair::Transfer) -> f64| {
                let mut values: Vec<f64> = runs.iter().map(of).collect();
                values.sort_by(f64::total_cmp);
                values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
            };
            let percent = |of: &dyn Fn(&pair::Transfer) -> bool| {
                100 * runs.iter().filter(|run| of(run)).count() / runs.len().max(1)
            };
            let (packets, resent) = runs.iter().fold((0, 0), |sum, run| (sum.0 + run.packets, sum.1 + run.resent));
            println!(
                "| {name} | {} | {}/{seeds} | {:.1} | {:.0} | {:.0} | {:.1} | {} |",
                if gap == GapPolicy::Prove { "proved" } else { "one" },
                runs.len(),
                median(&|run| run.login.as_secs_f64() * 1e3),
                median(&|run| DOWN as f64 / 1e3 / run.down.as_secs_f64()),
                median(&|run| UP as f64 / 1e3 / run.up.as_secs_f64()),
                100.0 * resent as f64 / (packets as f64).max(1.0),
                if gap == GapPolicy::Prove {
                    format!("{}/{}", percent(&|run| run.proved.1), percent(&|run| run.proved.0))
                } else {
                    "-".to_owned()
                },
            );
        }
    }
    for why in &failed {
        println!("NOT EXACT: {why}");
    }
    if !failed.is_empty() {
        std::process::exit(1);
    }
}
