//! Boot loaders, boots and installers as people recorded them, read line by line. The recordings are not part of this
//! repository: they are read where they lie beside it, or where `JUMPLEAD_TRANSCRIPTS` says, and skipped elsewhere.

use routeros::TermSize;
use routeros::expect::{Event, Expect, Pattern};
use routeros::wake::{State, classify};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

fn folder() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let beside = ["../../../shared/transcripts", "../../../../shared/transcripts"].map(|path| here.join(path));
    let named = std::env::var_os("JUMPLEAD_TRANSCRIPTS").map(PathBuf::from);
    named.into_iter().chain(beside).find(|folder| folder.is_dir())
}

/// The names of all states that are seen when the recording comes line by line, each line first without its end.
fn states(text: &str) -> BTreeSet<&'static str> {
    let mut engine = Expect::new(TermSize { cols: 160, rows: 4098 });
    let (mut lines, mut found) = (Vec::<String>::new(), BTreeSet::new());
    let mut at = Duration::ZERO;
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        for piece in [line, "\r\n"] {
            engine.expect(at, vec![Pattern::Quiet(Duration::ZERO)], at + Duration::from_secs(1));
            // Escapes are written out there.
            engine.on_bytes(at, piece.replace("\\e", "\x1b").as_bytes());
            at += Duration::from_millis(1);
            engine.handle_timeout(at);
            if let Some(Event::Matched { before, .. }) = engine.poll_event() {
                lines.extend(before.into_iter().map(|line| line.text));
            }
            let recent: Vec<&str> = lines.iter().rev().take(40).rev().map(String::as_str).collect();
            found.extend(classify(&recent, &engine.current()).as_ref().map(State::name));
        }
    }
    found
}

#[test]
fn recorded_consoles_are_named() {
    let Some(folder) = folder() else {
        println!("skipped: no recordings beside this repository, and JUMPLEAD_TRANSCRIPTS names none");
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for (start, wanted) in WANTED {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(path) = files.iter().find(|path| name(path).starts_with(start)) else {
            println!("skipped: no recording {start}");
            continue;
        };
        let found = states(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        println!("{} {found:?}", name(path));
        if !wanted.iter().all(|state| found.contains(state)) {
            wrong.push(format!("{}: {found:?}, not all of {wanted:?}", name(path)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What must be seen in each.
const WANTED: &[(&str, &[&str])] = &[
    ("01", &["key-window", "booting", "boot-menu"]),
    ("02", &["key-window", "booting", "boot-menu"]),
    ("03", &["key-window", "booting"]),
    ("04", &["booting"]),
    ("05", &["key-window", "booting", "boot-menu", "dead"]),
    ("06", &["key-window", "booting", "dead"]),
    ("07", &["key-window", "boot-menu"]),
    ("08", &["key-window", "boot-menu"]),
    ("09", &["boot-menu"]),
    ("10", &["key-window", "boot-menu"]),
    ("11", &["boot-menu"]),
    ("12", &["installer"]),
    ("13", &["key-window", "etherboot"]),
    ("25", &["prompt"]),
    ("29", &["installer"]),
];
