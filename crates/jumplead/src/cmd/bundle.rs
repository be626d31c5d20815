//! `bundle`: what a router says of its trouble, or both of a pair, and what the last runs did there, in one file for a
//! colleague. Secrets are masked, nothing in it moves a terminal's cursor, and nothing is changed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bootstrap::evidence::{Evidence, Redactor, USUAL};
use bootstrap::recover::{Access, Found, find};
use bootstrap::store::{DirStore, Store as _};
use serde_json::json;

use super::change::from_trouble;
use super::runs;
use crate::access::{Wants, with_access};
use crate::cli::Global;
use crate::failure::{Exit, Failure, Result};
use crate::folders;
use crate::output::Output;
use crate::reach;

/// How long a router that does not answer is tried: the other one's evidence is worth more than that it is complete.
const PATIENCE: Duration = Duration::from_secs(20);
/// Journals of so many runs are taken along, the newest.
const RUNS: usize = 5;

/// What was read of one router.
struct Part {
    text: String,
    summary: String,
    /// It was read at all.
    there: bool,
}

pub async fn run(
    out: &Output,
    global: &Global,
    target: &str,
    output: Option<&Path>,
    member_of: Option<&str>,
) -> Result {
    // PAIR alone means both; the one that is not there is said so.
    let single = reach::target(target).is_ok();
    let targets: Vec<String> =
        if single { vec![target.to_owned()] } else { ["a", "b"].map(|member| format!("{target}/{member}")).into() };
    let now = jiff::Timestamp::now();
    let place = match output {
        Some(path) if path == Path::new("-") && out.json => {
            return Err(Failure::new(
                Exit::Usage,
                "usage.output",
                "standard output is either the bundle or the JSON object",
            )
            .hint("name a file:  --output FILE"));
        }
        Some(path) if path == Path::new("-") => None,
        Some(path) => Some(Place::take(path.to_path_buf())?),
        None => Some(Place::take(format!("jumplead-bundle-{}.txt", now.strftime("%Y%m%d-%H%M%SZ")).into())?),
    };
    let mut text = format!(
        "jumplead {} bundle of {}, {}\nSecrets are masked: those that the site file names, and whatever stands where RouterOS keeps one.\n         Names, addresses and serial numbers are not. Look through it before you send it.\n\n",
        env!("CARGO_PKG_VERSION"),
        bootstrap::evidence::escape(target),
        now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    );
    let (mut summaries, mut last, mut secrets) = (Vec::new(), None, Vec::new());
    for target in &targets {
        let part = with_access(out, global, target, member_of, Wants::All { new_ha: None }, async |access| {
            secrets.extend(access.secrets());
            Ok(part(access).await)
        });
        let part = match part.await {
            Ok(Ok(part)) => part,
            Ok(Err(failure)) | Err(failure) => {
                let said = Part {
                    text: format!("not read: {failure} [{}]\n", failure.code),
                    summary: "not read".into(),
                    there: false,
                };
                last = Some(failure);
                said
            }
        };
        let _ = writeln!(text, "######## {target}\n\n{}", part.text);
        summaries.push((target.clone(), part.summary, part.there));
    }
    if let Some(failure) = last.filter(|_| summaries.iter().all(|(_, _, there)| !there)) {
        return Err(failure);
    }
    let pair = member_of.unwrap_or(target);
    let pair = pair.split_once('/').filter(|_| !pair.contains("://")).map_or(pair, |(pair, _)| pair);
    let journals = journals(global, &[target, pair], &Redactor::new(&secrets))?;
    text.push_str(&journals);
    let path = match place {
        Some(place) => place.write(&text)?.display().to_string(),
        None => {
            out.bytes(text.as_bytes(), false);
            String::new()
        }
    };
    for (target, summary, _) in &summaries {
        out.say(format!("{target}: {summary}"));
    }
    if path.is_empty() {
        return Ok(());
    }
    let parts: Vec<_> =
        summaries.iter().map(|(t, s, there)| json!({"target": t, "summary": s, "read": there})).collect();
    out.object(json!({"file": path, "bytes": text.len(), "parts": parts}), &[]);
    if !out.json {
        out.data(path);
    }
    Ok(())
}

async fn part(access: &Access<'_>) -> Result<Part> {
    let redactor = Redactor::new(&access.secrets());
    let found = find(access, PATIENCE).await.map_err(|trouble| from_trouble(&trouble))?;
    let diagnosis = found.diagnosis().clone();
    let evidence = match found {
        Found::Router { connection, .. } => {
            let evidence = Evidence::collect(&connection.shell, &redactor, USUAL).await;
            access.roads.give_back(connection).await;
            evidence
        }
        Found::Line { seen, board, .. } => {
            let board: Vec<(String, String)> = board.values.into_iter().collect();
            Evidence::of_line(&seen, &board, &redactor)
        }
    };
    let mut text = format!("state: {:?}, {}\n", diagnosis.state, diagnosis.says);
    for line in &diagnosis.evidence {
        let _ = writeln!(text, "seen: {line}");
    }
    let text = format!("{}\n{}", redactor.text(&text), evidence.to_text());
    // every section was masked as it came; what the whole of them holds would be a mistake of ours
    if redactor.finds(text.as_bytes()) {
        return Err(Failure::new(Exit::Bug, "bundle.secret", "a secret was left in the bundle, which was not written"));
    }
    Ok(Part { summary: format!("{:?}, {}", diagnosis.state, evidence.summary()), text, there: true })
}

/// What the last runs for these names wrote down, a record a line.
fn journals(global: &Global, names: &[&str], redactor: &Redactor) -> Result<String> {
    let store = DirStore::new(folders::state(global.state_dir.as_deref())?);
    let mut all = store.runs().map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    all.reverse();
    let mut parts = Vec::new();
    for run in all {
        if parts.len() == RUNS {
            break;
        }
        let mut text = match runs::records(&store, &run) {
            Ok(records) => {
                let of = runs::pair(&records);
                if !names
                    .iter()
                    .any(|name| of == *name || of.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
                {
                    continue;
                }
                let lines = records.iter().filter_map(|record| serde_json::to_string(record).ok());
                lines.fold(String::new(), |text, line| text + &line + "\n")
            }
            // whose it was nobody knows
            Err(failure) => format!("not read: {failure} [{}]\n", failure.code),
        };
        text = redactor.text(&text);
        if redactor.finds(text.as_bytes()) {
            return Err(Failure::new(
                Exit::Bug,
                "bundle.secret",
                "a secret was left in the bundle, which was not written",
            ));
        }
        parts.push(format!("######## run {run}\n\n{text}\n"));
    }
    Ok(parts.concat())
}

/// The bundle's file, made before anybody is asked: what can't be written is known before the minutes that reading takes. It is
/// taken away again where nothing comes of it.
struct Place {
    path: PathBuf,
    file: Option<std::fs::File>,
}

impl Place {
    fn take(path: PathBuf) -> Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => Ok(Self { path, file: Some(file) }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Failure::new(Exit::Usage, "bundle.exists", format!("{} is there already", path.display()))
                    .hint("name another:  --output FILE"))
            }
            Err(error) => Err(unwritten(&path, error)),
        }
    }

    fn write(mut self, text: &str) -> Result<PathBuf> {
        if let Some(file) = &mut self.file {
            let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| unwritten(&self.path, error))?;
        }
        self.file = None;
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Exit::LacksRight, "bundle.write", format!("{} can't be written", path.display()))
        .cause(error)
        .state("no bundle was written")
}
