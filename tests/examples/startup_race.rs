//! `cargo xtask startup-race [BOOTS]`: the startup race over many seeded starts, in the quiet way and, to show that the harness
//! sees a window, in the way of a backup. A second number is the first seed, to repeat one that was wrong.

use jumplead_tests::startup_race::{Made, Sum, Way, boot, prepare};
use routersim::spec::Version;

fn main() {
    let boots: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let first: u64 = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(0);
    let versions = [Version::new(6, 44, 6), Version::new(7, 22, 1)];
    let mut failed = false;
    let ways = [
        (Way::QuietSync, 2),
        (Way::Restart(Made::Quiet), 8),
        (Way::Restart(Made::Backup), 8),
        (Way::OwnBackup(Made::Quiet), 8),
        (Way::OwnBackup(Made::Backup), 8),
        (Way::BackupSync, 20),
    ];
    for (way, share) in ways {
        for version in versions {
            let kept = prepare(version, way);
            let count = (boots / share / 2).max(1);
            let mut sum = Sum::default();
            for seed in first..first + count {
                sum.add(seed, &boot(&kept, seed));
            }
            println!("{way:?}, RouterOS {version}\n{sum}");
            let leaks = way != Way::BackupSync && sum.leaking > 0;
            let blind = way == Way::BackupSync && sum.leaking == 0;
            failed |= leaks || blind || !sum.wrong.is_empty();
        }
    }
    if failed {
        println!("FAILED");
        std::process::exit(1);
    }
    println!("quiet in all of them");
}
