//! `explain`: what an error code means. The text is docs/errors.md, so that book and program can't differ.

use serde_json::json;

use crate::failure::{Exit, Failure, Result};
use crate::output::Output;

const CATALOGUE: &str = include_str!("../../../../docs/errors.md");

/// Code and text of every entry, in the order of the book.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    CATALOGUE
        .split("\n## ")
        .skip(1)
        .filter_map(|entry| entry.split_once('\n'))
        .map(|(code, text)| (code.trim(), text.trim()))
}

/// The entry of a code: its own, or that of the nearest family.
fn find(code: &str) -> Option<(&'static str, &'static str)> {
    entries().find(|(name, _)| *name == code).or_else(|| {
        entries()
            .filter(|(name, _)| name.strip_suffix('*').is_some_and(|family| code.starts_with(family)))
            .max_by_key(|(name, _)| name.len())
    })
}

pub fn run(out: &Output, code: Option<&str>) -> Result {
    let Some(code) = code else {
        let all: Vec<&str> = entries().map(|(name, _)| name).collect();
        if out.json {
            out.object(json!({"codes": all}), &[]);
        } else {
            all.iter().for_each(|name| out.data(name));
        }
        return Ok(());
    };
    // People paste the whole bracket.
    let code = code.trim().trim_start_matches("error").trim_matches(['[', ']', ':']);
    let (name, text) = find(code).ok_or_else(|| {
        Failure::new(Exit::Usage, "usage.code", format!("there is no error code `{code}`"))
            .hint("list them:  jumplead explain")
    })?;
    if out.json {
        out.object(json!({"code": code, "entry": name, "text": text}), &[]);
    } else {
        let family =
            if name == code { String::new() } else { format!(" (it has no entry of its own; this is {name})") };
        out.data(format!("{code}{family}\n\n{text}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Every text in the sources that has the form of a code must be explained.
    #[test]
    fn every_code_has_an_entry() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut unexplained = Vec::new();
        let mut files = vec![crates];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path.to_string_lossy().contains("/src/")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                for word in text.split('"').skip(1).step_by(2) {
                    let family = word.split('.').next().unwrap_or_default();
                    let known = [
                        "bootstrap",
                        "bundle",
                        "console",
                        "diagnose",
                        "discover",
                        "exec",
                        "host",
                        "journal",
                        "mactelnet",
                        "ping",
                        "recover",
                        "rehearse",
                        "road",
                        "routeros",
                        "script",
                        "secret",
                        "site",
                        "state",
                        "usage",
                    ];
                    let fits = word.contains('.')
                        && known.contains(&family)
                        && word.split('.').all(|part| {
                            !part.is_empty()
                                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                        })
                        && ![".toml", ".jsonl"].iter().any(|file| word.ends_with(file));
                    if fits && find(word).is_none() {
                        unexplained.push(format!("{word} ({})", path.display()));
                    }
                }
            }
        }
        assert!(unexplained.is_empty(), "not in docs/errors.md: {unexplained:#?}");
        assert!(entries().count() > 50);
    }

    #[test]
    fn the_book_is_sorted_and_names_each_code_once() {
        let order: Vec<String> = entries().map(|(code, _)| code.replace('*', "~")).collect();
        for pair in order.windows(2) {
            assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn the_nearest_family_explains() {
        assert_eq!(find("mactelnet.auth.rejected").unwrap().0, "mactelnet.auth.rejected");
        assert_eq!(find("mactelnet.auth.key-parity").unwrap().0, "mactelnet.auth.*");
        assert!(find("nonsense").is_none());
    }
}
