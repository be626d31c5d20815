//! `runs`: past runs, read from their journals.

use std::collections::BTreeSet;
use std::path::Path;

use bootstrap::event::{Event, Record};
use bootstrap::journal;
use bootstrap::store::{DirStore, RunId, Store};
use serde_json::json;

use crate::cli::Runs;
use crate::failure::{Exit, Failure, Result};
use crate::output::{Output, clean};

pub fn run(out: &Output, state_dir: &Path, what: &Runs) -> Result {
    let store = DirStore::new(state_dir);
    match what {
        Runs::List => list(out, &store),
        Runs::Show { run } => show(out, &store, run),
        Runs::Replay { run } => {
            for record in records(&store, &find(&store, run)?)? {
                replay_line(out, &record);
            }
            Ok(())
        }
        Runs::Export { run } => {
            for record in records(&store, &find(&store, run)?)? {
                out.event(&record);
            }
            Ok(())
        }
    }
}

/// How a run ended that wrote nothing of its end: killed, or going on.
const CUT_OFF: &str = "cut off";

/// The run with this name.
pub fn find(store: &DirStore, name: &str) -> Result<RunId> {
    let run: RunId = name.parse().map_err(|error: bootstrap::store::StoreError| {
        Failure::new(Exit::Usage, error.code(), error.to_string()).hint("list them:  jumplead runs list")
    })?;
    let all = store.runs().map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    if all.contains(&run) {
        Ok(run)
    } else {
        Err(Failure::new(Exit::NotFound, "state.no-run", format!("there is no run {run}"))
            .hint("list them:  jumplead runs list"))
    }
}

/// The newest run that can be resumed.
pub fn newest_resumable(store: &DirStore) -> Result<RunId> {
    let runs = store.runs().map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    for run in runs.into_iter().rev() {
        if records(store, &run).is_ok_and(|records| ending(&records).1) {
            return Ok(run);
        }
    }
    Err(Failure::new(Exit::NotFound, "state.no-run", "there is no run that could be resumed")
        .hint("list them:  jumplead runs list"))
}

/// The newest run of this pair or target, where it was cut off: it can be gone on with, and a new one may not be what is wanted.
pub fn cut_off(store: &DirStore, of: &str) -> Option<RunId> {
    for run in store.runs().ok()?.into_iter().rev() {
        let Ok(records) = records(store, &run) else { continue };
        if pair(&records) == of {
            let (end, resumable) = ending(&records);
            return (resumable && end != "bootstrap.dry-run").then_some(run);
        }
    }
    None
}

/// Says so.
pub fn warn_of_cut_off(out: &Output, store: &DirStore, of: &str, kept: &str) {
    if let Some(run) = cut_off(store, of) {
        out.warn(format!("run {run} of {of} was cut off; what goes on with it:  jumplead resume {run}{kept}"));
    }
}

/// What a run wrote down. A torn tail, as a power cut leaves it, is left out.
pub fn records(store: &DirStore, run: &RunId) -> Result<Vec<Record>> {
    let bytes = store.read(run).map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    journal::parse(&bytes)
        .map(|(records, _)| records)
        .map_err(|error| Failure::new(Exit::Stuck, error.code(), error.to_string()))
}

/// How a run stands: its last word, and whether it can be gone on with.
pub fn ending(records: &[Record]) -> (String, bool) {
    for record in records.iter().rev() {
        match &record.event {
            Event::RunFinished { exit_code: 0, failure: None, .. } => return ("done".to_owned(), false),
            Event::RunFinished { resumable, failure, .. } => {
                let why = failure.as_ref().map_or_else(|| "stopped".to_owned(), |failure| failure.code.clone());
                return (why, *resumable);
            }
            Event::RunStarted { .. } => break,
            _ => {}
        }
    }
    // Without a plan nothing was confirmed, and a dry run confirms nothing.
    let planned = records.iter().any(|record| matches!(record.event, Event::Plan { .. }));
    let dry =
        records.iter().any(|record| matches!(record.event, Event::RunStarted { resumed: false, dry_run: true, .. }));
    (CUT_OFF.to_owned(), planned && !dry)
}

/// The site file that a run was last started with.
pub fn site_file(records: &[Record]) -> Option<&str> {
    records.iter().rev().find_map(|record| match &record.event {
        Event::RunStarted { site_file, .. } => site_file.as_deref(),
        _ => None,
    })
}

/// The pair of a run.
pub fn pair(records: &[Record]) -> &str {
    records
        .iter()
        .find_map(|record| match &record.event {
            Event::RunStarted { pair, .. } => Some(pair.as_str()),
            _ => None,
        })
        .unwrap_or("-")
}

/// What a run of this pair or target holds: a rescue of a member keeps the pair's others out, too.
fn locks(of: &str) -> Vec<String> {
    let pair = of.strip_suffix("/a").or_else(|| of.strip_suffix("/b")).unwrap_or(of);
    vec![pair.to_owned(), format!("target {of}")]
}

fn list(out: &Output, store: &DirStore) -> Result {
    let mut runs = store.runs().map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    runs.reverse();
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for run in runs {
        // A damaged journal must not hide the others.
        match records(store, &run) {
            Ok(records) => {
                let (mut end, mut resumable) = ending(&records);
                // Of one pair or target one runs at a time: the newest.
                let of = pair(&records).to_owned();
                let locks = locks(&of);
                let newest = locks.iter().all(|lock| !seen.contains(lock));
                let held = || locks.iter().any(|lock| store.is_locked(lock));
                if end == CUT_OFF && newest && held() {
                    (end, resumable) = ("running".to_owned(), false);
                }
                seen.extend(locks);
                rows.push(json!({"run": run.as_str(), "pair": of, "ended": end, "resumable": resumable}));
            }
            Err(failure) => {
                rows.push(json!({"run": run.as_str(), "pair": "-", "ended": failure.code, "resumable": false}))
            }
        }
    }
    if out.json {
        out.object(json!({"runs": rows}), &[]);
        return Ok(());
    }
    if rows.is_empty() {
        out.say("no runs yet");
    }
    for row in rows {
        let resume = if row["resumable"] == true { "  resumable" } else { "" };
        out.data(format!(
            "{}  {}  {}{resume}",
            row["run"].as_str().unwrap_or("-"),
            row["pair"].as_str().unwrap_or("-"),
            row["ended"].as_str().unwrap_or("-")
        ));
    }
    Ok(())
}

fn show(out: &Output, store: &DirStore, name: &str) -> Result {
    let run = find(store, name)?;
    let records = records(store, &run)?;
    let (end, resumable) = ending(&records);
    if out.json {
        out.object(json!({"run": run.as_str(), "ended": end, "resumable": resumable, "records": records}), &[]);
        return Ok(());
    }
    out.data(format!("{run}  {}  {end}", pair(&records)));
    for record in &records {
        replay_line(out, record);
    }
    out.say(format!("journal: {}", store.place(&run)));
    if resumable {
        out.say(format!("Next:  jumplead resume {run}"));
    }
    Ok(())
}

/// One record as a line, with its time: what a log shows.
fn replay_line(out: &Output, record: &Record) {
    if out.json {
        out.event(record);
        return;
    }
    let text = match &record.event {
        Event::RunStarted { command, pair, resumed, .. } => {
            format!("{command} {pair}{}", if *resumed { " (resumed)" } else { "" })
        }
        Event::Preflight { checks } => format!("preflight: {} checks", checks.len()),
        Event::Plan { plan } => format!("plan {}: {} steps", plan.fingerprint, plan.steps.len()),
        Event::StepStarted { step, attempt } => {
            format!("{step} started{}", if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() })
        }
        Event::Waiting { step, what, .. } => format!("{step} waiting for {what}"),
        Event::BootWatched { member, road, boots, phases } => bootstrap::render::start(*member, road, *boots, phases),
        Event::AttemptRetry { step, attempt, message, .. } => format!("{step} attempt {attempt} failed: {message}"),
        Event::StepCompleted { step, elapsed_ms, note, .. } => {
            let note = note.as_ref().map_or_else(String::new, |note| format!("   {note}"));
            format!("{step} ok, {:.1} s{note}", *elapsed_ms as f64 / 1e3)
        }
        Event::StepFailed { step, failure, .. } => format!("{step} FAILED [{}]: {}", failure.code, failure.message),
        Event::RunFinished { exit_code, next, .. } => format!("finished, exit code {exit_code}. Next:  {next}"),
        Event::Unknown => "an event of a later version".to_owned(),
    };
    out.data(format!("{}  {}", record.t, clean(&text)));
}
