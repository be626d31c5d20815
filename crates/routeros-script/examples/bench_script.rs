//! How long a megabyte of script takes to read: twice the size must take twice the time.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark reads a clock and prints")]

use std::time::Instant;

use routeros_script::{Version, judge, lint, parse};

const PIECE: &str = "\
:local name \"text $a and \\\"more\\\"\"
/ip firewall filter add chain=input action=accept src-address=10.0.0.0/8 comment=\"one of many\"
:foreach i in=[/ip address find where interface=ether1] do={ :if ($i > (1 + 2 * 3)) do={ :put [:pick $name 0 3] } }
/ip/route
add dst-address=0.0.0.0/0 gateway=10.0.0.1 \\
    distance=1
";

/// Texts that a reader may take the square of their length for: a statement that is `[...]` takes all before it into
/// itself, a chain of operators its left side, and every finding has a place.
const UNFRIENDLY: &[(&str, &str)] = &[
    ("brackets", "[:put a]\n"),
    ("blocks", ":if (1-1-1-1=1) do={[:put a] b\n[:put c]}\n"),
    ("questions", "/system reboot\n"),
    ("unknown names", "/ip zzz\n"),
    ("tabs", "\t\n"),
];

fn main() {
    let version = Version::new(7, 22, 1);
    // The tree is read once a process.
    let start = Instant::now();
    judge(b":put a", version);
    println!("command tree read in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for size in [256 << 10, 512 << 10, 1 << 20] {
        let text = PIECE.repeat(size / PIECE.len());
        let parse_ms = best(|| assert!(parse(text.as_bytes(), version).is_ok()));
        let mut form = 0;
        let judge_ms = best(|| form = judge(text.as_bytes(), version).text().len());
        let size = text.len() >> 10;
        println!("{size:>5} KiB   parse {parse_ms:>6.1} ms   judge {judge_ms:>6.1} ms, {form} bytes of form");
    }
    for (name, piece) in UNFRIENDLY {
        let times: Vec<String> = [256 << 10, 512 << 10, 1 << 20]
            .map(|size| piece.repeat(size / piece.len()))
            .map(|text| best(|| drop(lint(text.as_bytes(), version))))
            .map(|ms| format!("{ms:.1}"))
            .into();
        println!("256 KiB, 512 KiB, 1 MiB of {name}: lint {} ms", times.join(", "));
    }
}

/// The best of seven, in milliseconds: other work on the machine only adds.
fn best(mut work: impl FnMut()) -> f64 {
    (0..7).fold(f64::MAX, |best, _| {
        let start = Instant::now();
        work();
        best.min(start.elapsed().as_secs_f64() * 1e3)
    })
}
