//! A whole rescue, from the first look to its last record.

use super::access::Access;
use super::find::{Found, PATIENCE, find};
use super::job::RouterJob;
use super::known::{Earlier, Who};
use super::plan::{Asked, Before, Subject, plan};
use super::procedure::{Procedure, offered};
use super::router::{FAILURES, SAME_START, boot, failures};
use crate::diagnosis::{Diagnosis, Name, StartupLog};
use crate::engine::{Engine, History, Options, RunEnd};
use crate::event::Event;
use crate::exit::Exit;
use crate::facts;
use crate::journal::{Clock, Journal, JournalError};
use crate::pair::Users;
use crate::path::marker;
use crate::path::{Confirmation, PLANS, Start, no_journal, refusal, unconfirmed, unusable, unwritable};
use crate::plan::Plan;
use crate::road::Purpose;
use crate::store::{Lock, RunId, Store, StoreError};
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use std::time::Duration;

/// The file that ha_report_startup writes 65 s after a start \[code\]: before that it is the last start's.
const BOOT_LOG: &str = "HA_boot_log.txt";
/// For the other member to be asked. At a bad time it does not answer.
const ASKING_OTHER: Duration = Duration::from_secs(15);
const BOOT_LOG_AGE: Duration = Duration::from_secs(65);

/// What was found, what fits, and the plan of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescue {
    /// What state it is in.
    pub diagnosis: Diagnosis,
    /// Procedures that fit, the gentlest first.
    pub fits: Vec<Procedure>,
    /// It failed at the same step before.
    pub twice: bool,
    /// The plan, where a procedure was asked for.
    pub plan: Option<Plan>,
}

/// Looks and plans. Changes nothing.
///
/// # Errors
/// Trouble with the road or the login, or a procedure that does not fit.
pub async fn prepare(
    access: &Access<'_>,
    store: &mut dyn Store,
    clock: &dyn Clock,
    procedure: Option<Procedure>,
    asked: &Asked,
) -> Result<Rescue, Trouble> {
    let mut found = find(access, PATIENCE).await?;
    if let Found::Router { connection, facts, .. } = &mut found
        && procedure.is_some()
        && access.has_line()
    {
        // Asked for the plan's sake alone; a board that does not say is one that speaks.
        facts.silent_boot = facts::silent_boot(&connection.shell).await.unwrap_or_default();
    }
    if procedure.is_some_and(|procedure| procedure != Procedure::Leave) {
        nobody_at_work(access).await?;
    }
    let before = before(access, &found, store, clock).await;
    let fits = offered(&found, &before);
    let plan = procedure.map(|procedure| plan(access, &found, &before, procedure, asked));
    let mut diagnosis = found.diagnosis().clone();
    if access.pair_name.is_some() {
        diagnosis = diagnosis.of_pair(&access.pair_word());
    }
    if let Found::Router { connection, .. } = found {
        access.roads.give_back(connection).await;
    }
    Ok(Rescue { diagnosis, fits, twice: before.twice, plan: plan.transpose()? })
}

/// A run of another host at work on the pair has its marker on the other member. Runs of this host lock each other out. One that
/// does not answer says nothing: a rescue may have to go on without it.
async fn nobody_at_work(access: &Access<'_>) -> Result<(), Trouble> {
    let Some((pair, member)) = access.pair else { return Ok(()) };
    let other = member.other();
    let asked = async {
        let connection = pair.open(other, Purpose::Read, Users::OfA).await.ok()?;
        let found = marker::on(&connection.shell).await;
        pair.roads.give_back(connection).await;
        found.ok().flatten()
    };
    match tokio::time::timeout(ASKING_OTHER, asked).await {
        Ok(Some(found)) if !found.is_by(&pair.who) => Err(Trouble::new(
            Kind::Locked,
            "bootstrap.marker.other",
            format!("{other} holds the marker of another run: {found}"),
        )
        .hint(format!(
            "ask who that is; if nobody is at work, on {other}:  /file remove [find name=\"{}\"]",
            crate::marker::FILE
        ))),
        _ => Ok(()),
    }
}

/// What earlier runs, files on the router and the other member know.
async fn before(access: &Access<'_>, found: &Found, store: &mut dyn Store, clock: &dyn Clock) -> Before {
    let mut before = Before::default();
    if let Found::Router { connection, facts, log, diagnosis } = found
        && diagnosis.state == Name::F1
        && let Some(signature) = log.signature()
    {
        let interface = facts.ha.as_ref().map_or(access.ha_interface(), |ha| ha.interface.as_str());
        let mac = facts.port(interface).and_then(|port| port.orig_mac);
        let key = mac.map_or_else(|| access.target.clone(), |mac| mac.to_string());
        let this = boot(clock.now(), facts.uptime);
        let known = failures(store.kept(FAILURES, &key).ok().flatten());
        before.twice = known.iter().any(|one| one.signature == signature && (one.boot - this).abs() >= SAME_START);
        if !before.twice && facts.uptime < BOOT_LOG_AGE && facts.files.iter().any(|file| file == BOOT_LOG) {
            let last = connection.shell.read_file(BOOT_LOG).await.unwrap_or_default();
            before.twice = StartupLog::of(&String::from_utf8_lossy(&last)).signature() == Some(signature);
        }
    }
    if found.diagnosis().state == Name::F8 {
        let site = access.pair.map(|(pair, member)| pair.site.member(member));
        let told = match found {
            Found::Line { board, .. } => board.get("serial number").map(str::to_owned),
            Found::Router { facts, .. } => facts.serial.clone(),
        };
        let serial = told.or_else(|| site?.serial_number.clone());
        let mac = site.map(|entry| entry.ha_mac.to_string());
        let who = Who { serial: serial.as_deref(), mac: mac.as_deref(), target: &access.target };
        before.earlier = Earlier::find(store, &who);
    }
    let wants_peer = matches!(found.diagnosis().state, Name::F2 | Name::F8);
    if let Some((pair, member)) = access.pair.filter(|_| wants_peer)
        && let Ok(look) = pair.look(member.other(), Purpose::Read, Users::OfA).await
    {
        before.active_board = Some(look.facts.board.clone());
        before.active_version = look.facts.version.split_whitespace().next().map(str::to_owned);
        let of_member = look.facts.ha.as_ref().and_then(|ha| if member == Member::A { ha.mac_a } else { ha.mac_b });
        before.peer_mac = of_member.filter(|mac| *mac != pair.site.member(member).ha_mac);
        pair.roads.give_back(look.connection).await;
    }
    before
}

/// The router under its address and its place; two runs at one line would type into each other's.
fn lock(store: &mut dyn Store, access: &Access<'_>, subject: &Subject) -> Result<Vec<Lock>, StoreError> {
    let mut names = vec![format!("target {}", access.target)];
    names.extend(subject.mac.map(|mac| format!("router {mac}")));
    if let Some((pair, _)) = access.pair {
        names.push(pair.site.name.clone());
    }
    names.iter().map(|what| store.lock(what)).collect()
}

fn started(access: &Access<'_>, options: &Options) -> Event {
    Event::RunStarted {
        command: "recover".into(),
        pair: access.target.clone(),
        resumed: options.resumed,
        dry_run: options.dry_run,
        site_file: options.site_file.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// Runs a plan, if it was confirmed. The last record is always `run_finished`.
pub async fn run(access: &Access<'_>, plan: &Plan, confirmation: &Confirmation, start: Start<'_>) -> RunEnd {
    let Start { store, clock, sink, stop, options } = start;
    let Some(subject) = plan.subject.as_ref() else {
        return refusal(Exit::Bug, "bootstrap.bug", "a rescue without its router".into(), &[]);
    };
    let shown = store.kept(PLANS, &confirmation.fingerprint).ok().flatten();
    let _locks = match lock(store, access, subject) {
        Ok(locks) => locks,
        Err(error) => return no_journal(&error, clock, sink),
    };
    let journal = match Journal::create(store, clock) {
        Ok(journal) => journal,
        Err(JournalError::Store(error)) => return no_journal(&error, clock, sink),
        Err(error) => return unusable(&error),
    };
    let mut engine = Engine { journal, sink, stop };
    let opened = engine.write(started(access, &options));
    let refused = match opened {
        Err(error) => Some(unwritable(&error)),
        Ok(()) => unconfirmed(plan, confirmation, shown.as_deref(), &options),
    };
    let refused = match refused {
        None => engine.write(Event::Plan { plan: plan.clone() }).err().map(|error| unwritable(&error)),
        some => some,
    };
    if let Some(end) = refused {
        engine.close(&end);
        return end;
    }
    let mut job = RouterJob::new(access, subject);
    let end = engine.run(plan, History::default(), &options, &mut job).await;
    job.close().await;
    end
}

/// Goes on with a rescue.
///
/// # Errors
/// [`JournalError`]: no such run, locked, damaged, or never confirmed.
pub async fn resume(access: &Access<'_>, run: RunId, start: Start<'_>) -> Result<RunEnd, JournalError> {
    let Start { store, clock, sink, stop, options } = start;
    let (journal, records) = {
        let records = crate::journal::parse(&store.read(&run)?)?.0;
        let plan = crate::journal::plan_of(&records)?;
        let subject = plan.subject.clone().ok_or(JournalError::NoPlan)?;
        let moved: Vec<String> = moved(access, &subject);
        if !moved.is_empty() {
            return Err(JournalError::SiteMoved { moved });
        }
        let locks = lock(store, access, &subject)?;
        let (journal, records) = Journal::resume(store, clock, run)?;
        (journal, (records, plan, locks))
    };
    let (records, plan, _locks) = records;
    let Some(subject) = plan.subject.as_ref() else { return Err(JournalError::NoPlan) };
    let history = History::replay(&records, &plan);
    let options = Options { resumed: true, ..options };
    let mut engine = Engine { journal, sink, stop };
    engine.write(started(access, &options))?;
    // the report at the end is made of it
    engine.show(Event::Plan { plan: plan.clone() });
    let mut job = RouterJob::new(access, subject);
    let end = engine.run(&plan, history, &options, &mut job).await;
    job.close().await;
    Ok(end)
}

/// What the site file means by now, where it is not what the plan was made for.
fn moved(access: &Access<'_>, subject: &Subject) -> Vec<String> {
    let Some((pair, member)) = access.pair else { return Vec::new() };
    let (entry, mut moved) = (pair.site.member(member), Vec::new());
    if let Some(mac) = subject.mac.filter(|mac| *mac != entry.ha_mac) {
        moved.push(format!("{member} mac: was {mac}, is {}", entry.ha_mac));
    }
    if subject.mac.is_some() && pair.site.ha_interface != subject.ha_interface {
        moved.push(format!("ha interface: was {}, is {}", subject.ha_interface, pair.site.ha_interface));
    }
    moved
}
