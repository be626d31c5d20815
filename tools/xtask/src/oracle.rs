//! `parse-oracle DIR`: how far our reading of scripts agrees with captures of routers' `:parse`.
//!
//! A folder of pairs, searched with its subfolders: `FILE.rsc` with `FILE.rsc.vVERSION.parseil` (what
//! `:put [:parse ...]` of a router of that version printed) or `FILE.parse` (of the version given); or files of JSON
//! lines with the fields `source`, `result` and, if known, `version`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use routeros_script::{Outcome, Version, judge};
use serde_json::Value;

use crate::run::say;

/// The version of captures that don't say theirs.
const DEFAULT: Version = Version::new(7, 22, 1);

struct Capture {
    name: String,
    version: Version,
    source: Vec<u8>,
    result: String,
}

/// Measures the captures of a folder: `DIR [--version V] [--verbose]`.
pub fn oracle(words: &[&str]) -> Result<()> {
    let mut folder = None;
    let mut version = DEFAULT;
    let mut verbose = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--version" => version = words.next().context("--version wants a version")?.parse()?,
            "--verbose" => verbose = true,
            path if folder.is_none() => folder = Some(path),
            _ => bail!("usage: cargo xtask parse-oracle DIR [--version V] [--verbose]"),
        }
    }
    let folder = folder.context("usage: cargo xtask parse-oracle DIR [--version V] [--verbose]")?;
    for (version, score) in measure(Path::new(folder), version, verbose)? {
        say(&format!("RouterOS {version}: {score}"));
    }
    Ok(())
}

/// The scores of a folder, by version. What doesn't agree is said.
fn measure(folder: &Path, version: Version, verbose: bool) -> Result<BTreeMap<Version, Score>> {
    let mut captures = Vec::new();
    gather(folder, version, &mut captures)?;
    captures.sort_by(|a, b| (a.version, &a.name).cmp(&(b.version, &b.name)));
    if captures.is_empty() {
        bail!("no captures in {}", folder.display());
    }
    let mut by_version: BTreeMap<Version, Score> = BTreeMap::new();
    for capture in &captures {
        by_version.entry(capture.version).or_default().add(capture, verbose);
    }
    Ok(by_version)
}

fn gather(path: &Path, version: Version, captures: &mut Vec<Capture>) -> Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, version, captures)?;
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        if let Some((source, tail)) = name.strip_suffix(".parseil").and_then(|name| name.split_once(".rsc.v")) {
            pair(&path, Path::new(&format!("{source}.rsc")), tail.parse()?, captures)?;
        } else if let Some(source) = name.strip_suffix(".parse") {
            pair(&path, Path::new(&format!("{source}.rsc")), version, captures)?;
        } else if name.ends_with(".jsonl") {
            for (at, line) in std::fs::read_to_string(&path)?.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
                let capture: Value = serde_json::from_str(line).with_context(|| format!("{name}:{}", at + 1))?;
                let field = |field: &str| capture.get(field).and_then(Value::as_str);
                captures.push(Capture {
                    name: field("name").map_or_else(|| format!("{name}:{}", at + 1), str::to_owned),
                    version: field("version").map_or(Ok(version), str::parse)?,
                    source: field("source").unwrap_or_default().as_bytes().to_vec(),
                    result: field("result").unwrap_or_default().to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn pair(result: &Path, source: &Path, version: Version, captures: &mut Vec<Capture>) -> Result<()> {
    let Ok(source_text) = std::fs::read(source) else { return Ok(()) };
    let result = String::from_utf8_lossy(&std::fs::read(result)?).trim_end_matches(['\r', '\n']).to_owned();
    captures.push(Capture { name: source.display().to_string(), version, source: source_text, result });
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Late,
    Fatal,
}

fn verdict(result: &str) -> Verdict {
    let alone = !result.starts_with(['(', '/']) && result.ends_with(')') && result.contains(" (line ");
    if alone {
        Verdict::Fatal
    } else if result.contains("bad command name ") || result.contains("bad parameter ") {
        Verdict::Late
    } else {
        Verdict::Accepted
    }
}

/// A form without white space and without the lists of a menu's properties before conditions.
fn plain(form: &str) -> String {
    let mut text: String = form.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("where=$")).map(|at| at + from + "where=".len()) {
        let rest = text.get(at..).unwrap_or_default();
        let mut end = 0;
        while let Some(next) = rest.get(end..).filter(|rest| rest.starts_with('$')).and_then(|rest| rest.find(';')) {
            let name = rest.get(end + 1..end + next).unwrap_or_default();
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) {
                break;
            }
            end += next + 1;
        }
        // A bare property behind the list is the condition.
        const LAST: &str = "$.about;";
        if let Some(last) = rest.get(..end).and_then(|list| list.rfind(LAST)) {
            text.replace_range(at..at + last + LAST.len(), "");
        }
        from = at;
    }
    text
}

#[derive(Debug, Default)]
struct Score {
    all: usize,
    verdicts: usize,
    fatal: usize,
    errors: usize,
    accepted: usize,
    forms: usize,
}

impl Score {
    fn add(&mut self, capture: &Capture, verbose: bool) {
        let outcome = judge(&capture.source, capture.version);
        let ours = outcome.text();
        let theirs = verdict(&capture.result);
        let mine = match &outcome {
            Outcome::Refused(_) => Verdict::Fatal,
            Outcome::Accepted { late, .. } if late.is_empty() => Verdict::Accepted,
            Outcome::Accepted { .. } => Verdict::Late,
        };
        self.all += 1;
        self.verdicts += usize::from(mine == theirs);
        let agrees = match theirs {
            Verdict::Fatal => {
                self.fatal += 1;
                let equal = ours == capture.result;
                self.errors += usize::from(equal);
                equal
            }
            Verdict::Accepted | Verdict::Late => {
                self.accepted += 1;
                let equal = plain(ours) == plain(&capture.result);
                self.forms += usize::from(equal);
                equal
            }
        };
        if !agrees {
            let kind = if mine == theirs { "differs" } else { "VERDICT" };
            let short = |text: &str| text.chars().take(if verbose { usize::MAX } else { 110 }).collect::<String>();
            let (mut a, mut b) = (plain(&capture.result), plain(ours));
            if theirs != Verdict::Fatal && mine != Verdict::Fatal {
                let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(30);
                a = String::from_utf8_lossy(a.as_bytes().get(same..).unwrap_or_default()).into_owned();
                b = String::from_utf8_lossy(b.as_bytes().get(same..).unwrap_or_default()).into_owned();
            }
            say(&format!("{kind} {}\n  router {}\n  ours   {}", capture.name, short(&a), short(&b)));
        }
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |part: usize, all: usize| if all == 0 { 100.0 } else { 100.0 * part as f64 / all as f64 };
        write!(
            f,
            "{} captures; verdict {:.1} %; text and place of refusals {:.1} % of {}; form {:.1} % of {}",
            self.all,
            share(self.verdicts, self.all),
            share(self.errors, self.fatal),
            self.fatal,
            share(self.forms, self.accepted),
            self.accepted
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No share here: each line is a fact, and one that doesn't hold any more is a mistake.
    #[test]
    fn every_fact_of_our_own_agrees() {
        let scores = measure(&crate::run::root().join("fixtures/parse"), DEFAULT, true).unwrap();
        let all = |count: fn(&Score) -> usize| scores.values().map(count).sum::<usize>();
        assert!(all(|score| score.fatal) >= 6 && all(|score| score.accepted) >= 20, "{scores:?}");
        for (version, score) in scores {
            let agreed = (score.verdicts, score.errors, score.forms);
            assert_eq!(agreed, (score.all, score.fatal, score.accepted), "{version}: {score}");
        }
    }

    #[test]
    fn what_does_not_agree_is_counted() {
        let capture = |source: &str, result: &str| Capture {
            name: source.to_owned(),
            version: DEFAULT,
            source: source.as_bytes().to_vec(),
            result: result.to_owned(),
        };
        let mut score = Score::default();
        score.add(&capture(":put a", "(evl /putmessage=b)"), false);
        score.add(&capture(":put \"a", "syntax error (line 1 column 8)"), false);
        score.add(&capture(":put a", "syntax error (line 1 column 1)"), false);
        assert_eq!((score.all, score.verdicts, score.errors, score.forms), (3, 2, 0, 0));
    }

    #[test]
    fn forms_compare_without_lists_and_blanks() {
        let router = "(evl /ip/address/findwhere=$address;$.id;$.about;(= $a b);5)";
        assert_eq!(plain(router), "(evl/ip/address/findwhere=(=$ab);5)");
        assert_eq!(plain("(evl /x/findwhere=$a;$.about;$running;5)"), "(evl/x/findwhere=$running;5)");
        assert_eq!(plain("(evl  /x/findwhere=(= $a b);5)"), "(evl/x/findwhere=(=$ab);5)");
        assert_eq!(plain("(evl /x/findwhere=$a;5)"), "(evl/x/findwhere=$a;5)");
    }

    #[test]
    fn verdicts_are_read_from_the_text() {
        assert_eq!(verdict("syntax error (line 1 column 9)"), Verdict::Fatal);
        assert_eq!(verdict("(evl /putmessage=a)"), Verdict::Accepted);
        assert_eq!(verdict("(<%% bad command name x (line 1 column 1) x)"), Verdict::Late);
        assert_eq!(verdict(""), Verdict::Accepted);
    }
}
