//! Which functions a console runs up to its first prompt, for the linker to put them side by side: prints
//! `crates/jumplead/start.order`. Needs root, Debian's MAC-Telnet server and valgrind; build it with `--release`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a tool ends at the first surprise

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use jumplead_tests::binary::jumplead;
use jumplead_tests::c_server::MACTELNETD;
use jumplead_tests::first_prompt::TwoHosts;
use lab::netns::missing;

fn main() {
    if let Some(why) = missing(&[MACTELNETD, "valgrind", "nm", "unshare"]) {
        eprintln!("SKIPPED: start_order: {why}");
        std::process::exit(1);
    }
    let folder = tempfile::TempDir::new().unwrap();
    let out = format!("--callgrind-out-file={}/%p", folder.path().display());
    let valgrind = ["valgrind", "--tool=callgrind", "--demangle=no", &out];
    let mut program = valgrind.to_vec();
    program.push(jumplead().to_str().unwrap());
    let hosts = TwoHosts::new();
    // One that is killed leaves no file.
    hosts.prompted(hosts.ours(&program), |mut client| {
        drop(client.stdin.take());
        let _ = client.wait();
    });
    let ours = symbols(jumplead());
    println!("# Functions that a console runs up to its first prompt, for the linker to put side by side: made by");
    println!("# cargo xtask order. A name that is no longer there does no harm.");
    for name in ran(folder.path()).iter().filter(|name| ours.contains(name.as_str())) {
        println!("{name}");
    }
}

/// The functions of a binary.
fn symbols(binary: &Path) -> HashSet<String> {
    let listed = Command::new("nm").arg(binary).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let function = |line: &str| {
        let [_, "t" | "T" | "w" | "W", name] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        Some(name.to_owned())
    };
    text.lines().filter_map(function).collect()
}

/// The functions that callgrind's files name: `fn=(12) name`, and `fn=(12)` afterwards. Sorted: a change of the program
/// then changes few lines.
fn ran(folder: &Path) -> BTreeSet<String> {
    let mut parts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    let (mut names, mut ran) = (HashMap::new(), BTreeSet::new());
    for part in parts {
        for line in String::from_utf8_lossy(&std::fs::read(part).unwrap()).lines() {
            let Some(rest) = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=(")) else { continue };
            let Some((number, name)) = rest.split_once(')') else { continue };
            if let Some(name) = name.strip_prefix(' ') {
                // A function that calls itself has a number at its end.
                names.insert(number.to_owned(), name.split('\'').next().unwrap_or(name).to_owned());
            }
            ran.extend(names.get(number).cloned());
        }
    }
    ran
}
