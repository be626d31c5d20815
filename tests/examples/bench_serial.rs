//! Files over a simulated 115200 line: how well it is used, and in how many runs the file is exact on one that changes a byte
//! every 20,000 and breaks once; a plain sender's runs beside them. `JUMPLEAD_RUNS` says how many.

use std::sync::{Arc, Mutex};

use jumplead_tests::noisy_line::{BAUD, Loss, Noise, content, fewest_echoed, paste, put, router, used};

/// What is sent.
const SIZE: usize = 40 * 1024;
/// Bytes to a changed one, each way.
const EVERY: u64 = 20_000;
/// Bytes to the break, both ways together.
const BREAKS_AFTER: u64 = 100_000;

fn simulated<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async { test().await });
}

fn noise(seed: u64, every: u64, breaks_after: Option<u64>) -> Arc<Mutex<Noise>> {
    Arc::new(Mutex::new(Noise::new(seed, every, breaks_after)))
}

fn main() {
    for (what, text) in [("bytes of no pattern (base64)", false), ("a script (quoted)", true)] {
        simulated(|| async {
            let content = content(1, SIZE, text);
            let sent = put(&router("7.18.2", 1).await, &noise(1, 0, None), &content).await;
            let (rate, ratio) = used(&content, &sent);
            let carried = sent.took.as_secs_f64() * f64::from(BAUD) / 10.0;
            #[allow(clippy::cast_precision_loss)]
            let (filled, echoed) = (sent.echoed as f64 / carried * 100.0, sent.echoed as f64 / SIZE as f64);
            println!(
                "{what}: {SIZE} bytes in {:.1} s, {rate:.0} bytes/s: {:.1} % of what the line carries in the best listed encoding, \
                 {:.2} echoed bytes for each; ours {echoed:.2}, which fill {filled:.1} % of the line; exact: {}",
                sent.took.as_secs_f64(),
                ratio * 100.0,
                fewest_echoed(&content, sent.prompt),
                sent.exact
            );
        });
    }
    let runs = std::env::var("JUMPLEAD_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(25_u64);
    let (mut ours, mut plain, mut changed, mut took, mut losses) = (0, 0, 0, Vec::new(), Vec::new());
    for seed in 1..=runs {
        simulated(|| async {
            let content = content(seed, SIZE, seed % 2 == 0);
            let noise = noise(seed, EVERY, Some(BREAKS_AFTER));
            let sent = put(&router("7.18.2", seed).await, &noise, &content).await;
            ours += u64::from(sent.exact);
            changed += noise.lock().unwrap().changed;
            took.push(sent.took);
            if !sent.exact {
                println!("seed {seed}: {sent:?}");
            }
        });
        simulated(|| async {
            let content = content(seed, SIZE, seed % 2 == 0);
            let router = router("7.18.2", seed).await;
            let sent = paste(&router, &noise(seed, EVERY, Some(BREAKS_AFTER)), &content).await;
            plain += u64::from(sent.exact);
            losses.push(Loss::on(&router, &content).await);
        });
    }
    took.sort();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    println!(
        "a byte changed every {EVERY}, one break: exact in {ours} of {runs} (median {:.1} s, {changed} bytes changed); \
         a plain sender: exact in {plain} of {runs}",
        median.as_secs_f64()
    );
    let none = losses.iter().filter(|loss| !loss.there).count();
    losses.sort_by_key(|loss| loss.missing + loss.changed);
    if let (Some(least), Some(most)) = (losses.first(), losses.last()) {
        let middle = &losses[losses.len() / 2];
        println!(
            "what the plain sender lost, of {SIZE} bytes: no file in {none} of {runs} runs; of what came {} bytes missing and {} \
             changed in the middle run, {} and {} in the best, {} and {} in the worst",
            middle.missing, middle.changed, least.missing, least.changed, most.missing, most.changed
        );
    }
}
