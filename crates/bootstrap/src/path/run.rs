//! A whole run, from the survey to its last record.

use super::job::PairJob;
use super::survey::survey;
use crate::engine::{self, Engine, History, Options, RunEnd, room};
use crate::event::{Changed, Event, Failure, Sink};
use crate::exit::Exit;
use crate::journal::{Clock, Journal, JournalError, plan_of};
use crate::marker::{CHECK, Marker};
use crate::pair::Pair;
use crate::plan::{self, Plan};
use crate::preflight::{self, Check, Verdict};
use crate::store::{Lock, RunId, Store, StoreError};
use crate::trouble::{Kind, Trouble};
use tokio::sync::watch;

/// The state folder's part for plans that were shown.
pub(crate) const PLANS: &str = "plans";

/// What was found and what would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The checks.
    pub checks: Vec<Check>,
    /// The plan, unless who the routers are stands against any.
    pub plan: Option<Plan>,
    /// Another run's marker on A that was waived.
    over: Option<Marker>,
}

impl Prepared {
    /// A check failed that was not waived.
    pub fn refused(&self) -> bool {
        self.plan.is_none() || preflight::refused(&self.checks)
    }
}

/// Looks at both members and plans. Changes nothing.
///
/// # Errors
/// Trouble with a road, a login or a console.
pub async fn prepare(pair: &Pair<'_>, waived: &[String]) -> Result<Prepared, Trouble> {
    let survey = survey(pair).await?;
    let checks = preflight::bootstrap(pair.site, &survey, waived);
    let plan = plan::bootstrap(pair.site, &survey);
    let waived = checks.iter().any(|check| check.name == CHECK && check.verdict == Verdict::Waived);
    let over = survey.a_marker.map(|(marker, _)| marker).filter(|_| waived);
    Ok(Prepared { checks, plan, over })
}

/// Keeps a plan that was shown, so that a later confirmation of it can be told what moved.
///
/// # Errors
/// [`StoreError::Io`].
pub fn keep_plan(store: &mut dyn Store, plan: &Plan) -> Result<(), StoreError> {
    let json = serde_json::to_vec(plan).unwrap_or_default();
    store.keep(PLANS, &plan.fingerprint, &json)
}

/// What a person, or a script in a person's name, agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The plan's.
    pub fingerprint: String,
    /// The serial number of the router that is erased, where the plan erases one.
    pub serial: Option<String>,
}

impl Confirmation {
    /// As a script writes it: `FINGERPRINT`, or `FINGERPRINT:SERIAL` where the plan erases a router. A board without a
    /// serial number is named by the address of its HA port, which has colons of its own.
    pub fn written(text: &str) -> Self {
        match text.split_once(':') {
            Some((fingerprint, serial)) => {
                Self { fingerprint: fingerprint.to_owned(), serial: Some(serial.to_owned()) }
            }
            None => Self { fingerprint: text.to_owned(), serial: None },
        }
    }
}

/// What a run needs from the process around it.
pub struct Start<'a> {
    /// The state folder.
    pub store: &'a mut dyn Store,
    /// Wall-clock time.
    pub clock: &'a dyn Clock,
    /// Gets every record.
    pub sink: &'a mut dyn Sink,
    /// Says that the run should stop: what is under way is let go of, and looked at by the part that goes on.
    pub stop: watch::Receiver<bool>,
    /// How far it goes.
    pub options: Options,
}

impl std::fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Start").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Runs what was prepared, if it was confirmed. The last record is always `run_finished`.
pub async fn run(pair: &Pair<'_>, prepared: &Prepared, confirmation: &Confirmation, start: Start<'_>) -> RunEnd {
    let Start { store, clock, sink, stop, options } = start;
    let shown = store.kept(PLANS, &confirmation.fingerprint).ok().flatten();
    let _locks = match lock(store, pair) {
        Ok(locks) => locks,
        Err(error) => return no_journal(&error, clock, sink),
    };
    let journal = match Journal::create(store, clock) {
        Ok(journal) => journal,
        Err(JournalError::Store(error)) => return no_journal(&error, clock, sink),
        Err(error) => return unusable(&error),
    };
    let mut engine = Engine { journal, sink, stop };
    let opened = open(&mut engine, pair, &options, prepared);
    let end = match (opened, &prepared.plan) {
        (Err(error), _) => unwritable(&error),
        (Ok(()), Some(plan)) if !prepared.refused() => {
            match unconfirmed(plan, confirmation, shown.as_deref(), &options) {
                Some(end) => end,
                None => {
                    let marker = pair.who.marker(engine.journal.run(), &pair.site.name, clock.now());
                    let mut job = PairJob::new(pair, plan, marker, &options).over(prepared.over.clone());
                    if let Err(error) = engine.write(Event::Plan { plan: plan.clone() }) {
                        unwritable(&error)
                    } else {
                        let end = engine.run(plan, History::default(), &options, &mut job).await;
                        job.leave_b().await;
                        return end;
                    }
                }
            }
        }
        (Ok(()), _) => refused(prepared, &options),
    };
    engine.close(&end);
    end
}

/// Goes on with a run.
///
/// # Errors
/// [`JournalError`]: no such run, locked, damaged, or never confirmed.
pub async fn resume(pair: &Pair<'_>, run: RunId, start: Start<'_>) -> Result<RunEnd, JournalError> {
    let Start { store, clock, sink, stop, options } = start;
    let _locks = lock(store, pair)?;
    let (journal, records) = Journal::resume(store, clock, run)?;
    let plan = plan_of(&records)?;
    let moved = plan.moved_site(pair.site);
    if !moved.is_empty() {
        return Err(JournalError::SiteMoved { moved });
    }
    let history = History::replay(&records, &plan);
    let options = Options { resumed: true, ..options };
    let mut engine = Engine { journal, sink, stop };
    engine.write(started(pair, &options))?;

    let marker = pair.who.marker(engine.journal.run(), &pair.site.name, clock.now());
    let mut job = PairJob::new(pair, &plan, marker, &options);
    let end = engine.run(&plan, history, &options, &mut job).await;
    // A serial line has no hang-up: who comes next would be logged in.
    job.leave_b().await;
    Ok(end)
}

/// The pair and both routers: two site files may give the same routers different names.
fn lock(store: &mut dyn Store, pair: &Pair<'_>) -> Result<Vec<Lock>, StoreError> {
    let site = pair.site;
    [site.name.clone(), format!("router {}", site.a.ha_mac), format!("router {}", site.b.ha_mac)]
        .iter()
        .map(|what| store.lock(what))
        .collect()
}

fn started(pair: &Pair<'_>, options: &Options) -> Event {
    Event::RunStarted {
        command: "bootstrap".into(),
        pair: pair.site.name.clone(),
        resumed: options.resumed,
        dry_run: options.dry_run,
        site_file: options.site_file.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

fn open(engine: &mut Engine<'_>, pair: &Pair<'_>, options: &Options, prepared: &Prepared) -> Result<(), JournalError> {
    engine.write(started(pair, options))?;
    engine.write(Event::Preflight { checks: prepared.checks.clone() })
}

/// Why a plan may not run yet.
pub(crate) fn unconfirmed(
    plan: &Plan,
    confirmation: &Confirmation,
    shown: Option<&[u8]>,
    options: &Options,
) -> Option<RunEnd> {
    if confirmation.fingerprint != plan.fingerprint {
        let before: Option<Plan> = shown.and_then(|json| serde_json::from_slice(json).ok());
        let moved = before.map(|before| plan.moved_since(&before)).unwrap_or_default();
        let message = format!("the plan is {} now, {} was confirmed", plan.fingerprint, confirmation.fingerprint);
        let hint = format!("look at the new plan, then:  {}", confirmed(plan, options));
        let mut end = refusal(Exit::FactsMoved, "bootstrap.plan.moved", message, &[&hint]);
        if let Some(failure) = &mut end.failure {
            failure.causes = moved;
        }
        return Some(end);
    }
    let message = match (&plan.erases, &confirmation.serial) {
        (None, None) => return None,
        (None, Some(given)) if plan.is_of_b(given) => return None,
        (Some(wanted), Some(given)) if wanted == given => return None,
        (Some(wanted), None) => format!("the plan erases router b, and the confirmation does not name it: {wanted}"),
        (Some(wanted), Some(given)) => {
            format!("the plan erases router b, {wanted}, and the confirmation names {given}")
        }
        (None, Some(given)) => format!("the confirmation names {given}, which is not router b"),
    };
    let hint = format!("look at router b first; this plan, for this router:  {}", confirmed(plan, options));
    let mut end = refusal(Exit::Preflight, "bootstrap.confirm.serial", message, &[&hint]);
    if let Some(failure) = &mut end.failure {
        failure.state = "nothing was changed: router b is as it was found".into();
    }
    Some(end)
}

/// The command that goes ahead with this plan.
fn confirmed(plan: &Plan, options: &Options) -> String {
    format!("{} --confirm {}", engine::again(plan, options), plan.confirmed_by())
}

fn refused(prepared: &Prepared, options: &Options) -> RunEnd {
    let failed: Vec<&Check> = prepared.checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
    let names: Vec<&str> = failed.iter().map(|check| check.name.as_str()).collect();
    let message = format!("preflight refused: {}", names.join(", "));
    // A run that is at work elsewhere ends: to look again is what comes next, and waiving it is for who knows that it will not.
    let mut end = match &prepared.plan {
        Some(plan) if failed.iter().all(|check| check.name == CHECK) => {
            let end = refusal(Exit::Locked, "bootstrap.marker.other", message, &[]);
            RunEnd { next: format!("{} --plan-only", engine::again(plan, options)), ..end }
        }
        _ => refusal(Exit::Preflight, "bootstrap.preflight", message, &[]),
    };
    if let Some(failure) = &mut end.failure {
        failure.causes = failed.iter().map(|check| format!("{}: {}", check.name, check.found)).collect();
        failure.hints = failed.iter().filter_map(|check| check.hint.clone()).collect();
    }
    end
}

/// The end of a run that changed nothing.
pub(crate) fn refusal(exit: Exit, code: &str, message: String, hints: &[&str]) -> RunEnd {
    let failure = Failure {
        code: code.to_owned(),
        message,
        causes: Vec::new(),
        state: "nothing was changed".into(),
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
    };
    let next = failure.hints.first().cloned().unwrap_or_else(|| "jumplead doctor".into());
    RunEnd { exit, failure: Some(failure), changed: Changed::None, resumable: false, next }
}

/// The end of a run that could not even begin.
pub(crate) fn no_journal(error: &StoreError, clock: &dyn Clock, sink: &mut dyn Sink) -> RunEnd {
    let (exit, hint) = match error {
        StoreError::Locked { .. } => (Exit::Locked, "wait until the other run is done:  jumplead runs list"),
        _ => (Exit::Host, "check the state folder, or name another with --state-dir"),
    };
    let end = refusal(exit, error.code(), error.to_string(), &[hint]);
    let day = clock.now().strftime("%Y-%m-%d").to_string();
    // a run that has no name yet: number 00 is never given
    if let Ok(run) = format!("{day}-00").parse() {
        let t = clock.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let event = Event::RunFinished {
            exit_code: end.exit.code(),
            resumable: false,
            changed: Changed::None,
            failure: end.failure.clone(),
            next: end.next.clone(),
        };
        sink.record(&crate::event::Record { format: crate::event::FORMAT, run, seq: 0, t, event });
    }
    end
}

/// Before a plan was written down there is nothing to go on with.
pub(crate) fn unwritable(error: &JournalError) -> RunEnd {
    let message = format!("the journal can't be written: {error}");
    let hint = format!("{}, or name another with --state-dir", room(error));
    refusal(Exit::Host, error.code(), message, &[&hint])
}

pub(crate) fn unusable(error: &JournalError) -> RunEnd {
    refusal(Exit::Host, error.code(), error.to_string(), &[])
}

impl From<Trouble> for RunEnd {
    /// The end of a survey that failed: nothing was changed.
    fn from(trouble: Trouble) -> Self {
        let exit = match trouble.kind {
            Kind::Login => Exit::Login,
            Kind::WrongRouter | Kind::Operator | Kind::Fatal | Kind::EndCheck => Exit::Preflight,
            Kind::Transient | Kind::Silent => Exit::TimedOut,
            Kind::Host => Exit::Host,
            Kind::Locked => Exit::Locked,
            Kind::Interrupted => Exit::Interrupted,
            Kind::Bug => Exit::Bug,
        };
        let failure = trouble.failure("nothing was changed".into(), Vec::new());
        let next = failure.hints.first().cloned().unwrap_or_else(|| "jumplead doctor".into());
        Self { exit, failure: Some(failure), changed: Changed::None, resumable: false, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NoSink;
    use crate::journal::tests::Noon;
    use crate::marker::Who;
    use crate::pair::PairSecrets;
    use crate::preflight::tests::survey;
    use crate::road::{Connection, LocalFuture, Purpose, Request, RoadError, RoadTrouble, Roads};
    use crate::site::{Site, tests::EDGE_1};
    use crate::state::tests::{active, erased};
    use crate::store::SimStore;

    /// Nobody answers; whoever is asked for counts.
    #[derive(Default)]
    struct NoRoads(std::cell::Cell<usize>, std::cell::Cell<Option<Purpose>>);

    impl Roads for NoRoads {
        fn connect<'a>(&'a self, asked: &'a Request) -> LocalFuture<'a, Result<Connection, RoadError>> {
            self.0.set(self.0.get() + 1);
            self.1.set(Some(asked.purpose));
            Box::pin(async {
                Err(RoadError {
                    trouble: RoadTrouble::Fatal,
                    code: "road.none".into(),
                    road: "-".into(),
                    message: "none".into(),
                    hints: Vec::new(),
                })
            })
        }
    }

    fn journal(store: &SimStore, dry_run: bool, plan: &Plan) -> RunId {
        let mut store = store.clone();
        let mut journal = Journal::create(&mut store, &Noon).unwrap();
        let started = Event::RunStarted {
            command: "bootstrap".into(),
            pair: plan.pair.clone(),
            resumed: false,
            dry_run,
            site_file: None,
            version: "0".into(),
        };
        journal.write(started).unwrap();
        journal.write(Event::Plan { plan: plan.clone() }).unwrap();
        journal.run().clone()
    }

    async fn resumed(store: &SimStore, roads: &NoRoads, site: &Site, run: RunId) -> Result<RunEnd, JournalError> {
        let pair = Pair { site, roads, secrets: PairSecrets::default(), seed: 1, who: Who::nobody() };
        let (_keep, stop) = watch::channel(false);
        let (mut store, mut sink) = (store.clone(), NoSink);
        let start = Start { store: &mut store, clock: &Noon, sink: &mut sink, stop, options: Options::default() };
        resume(&pair, run, start).await
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_resumed_that_was_not_confirmed_for_these_routers() {
        let site = Site::parse(EDGE_1).unwrap();
        let plan = plan::bootstrap(&site, &survey(&site, active(), erased("7F0002", 0x0b))).unwrap();
        let (store, roads) = (SimStore::default(), NoRoads::default());
        let (dry, real) = (journal(&store, true, &plan), journal(&store, false, &plan));
        assert_eq!(resumed(&store, &roads, &site, dry).await, Err(JournalError::DryRun));
        // the same pair with its members the wrong way round
        let mut swapped = site.clone();
        std::mem::swap(&mut swapped.a, &mut swapped.b);
        let refused = resumed(&store, &roads, &swapped, real.clone()).await;
        assert!(matches!(refused, Err(JournalError::SiteMoved { ref moved }) if moved.len() == 4), "{refused:?}");
        assert_eq!(roads.0.get(), 0, "nobody is asked");
        let end = resumed(&store, &roads, &site, real).await.unwrap();
        assert_eq!((end.failure.unwrap().code.as_str(), roads.0.get()), ("road.none", 1));
    }

    /// Whoever else has that address is waited for before the first login, which shows a proof of a's password.
    #[tokio::test(start_paused = true)]
    async fn the_first_login_of_a_survey_is_as_careful_as_one_for_writing() {
        let (site, roads) = (Site::parse(EDGE_1).unwrap(), NoRoads::default());
        let secrets = PairSecrets { a: Some(Default::default()), ..PairSecrets::default() };
        let pair = Pair { site: &site, roads: &roads, secrets, seed: 1, who: Who::nobody() };
        assert_eq!(prepare(&pair, &[]).await.unwrap_err().code, "road.none");
        assert_eq!((roads.0.get(), roads.1.get()), (1, Some(Purpose::Write)));
    }

    #[test]
    fn a_router_is_erased_only_by_its_name_and_a_clean_one_needs_none() {
        let site = Site::parse(EDGE_1).unwrap();
        let clean = plan::bootstrap(&site, &survey(&site, active(), erased("7F0002", 0x0b))).unwrap();
        let mut used = erased("7F0002", 0x0b);
        used.identity = "branch-office-7".into();
        let dirty = plan::bootstrap(&site, &survey(&site, active(), used)).unwrap();
        let options = Options { site_file: Some("/etc/edge-1.toml".into()), ..Options::default() };
        let asked = |plan: &Plan, written: &str| {
            let written = written.replace("FP", &plan.fingerprint);
            unconfirmed(plan, &Confirmation::written(&written), None, &options)
        };
        for plan in [&clean, &dirty] {
            assert_eq!(asked(plan, &plan.confirmed_by()), None);
            assert_eq!(asked(plan, "FP:7F0002"), None);
            assert_eq!(asked(plan, "0000-0000:7F0002").map(|end| end.exit), Some(Exit::FactsMoved));
            for wrong in ["FP:7F0001", "FP:0002", "FP:"] {
                assert_eq!(asked(plan, wrong).map(|end| end.exit), Some(Exit::Preflight), "{wrong}");
            }
        }
        assert_eq!(asked(&clean, "FP"), None);
        let refused = asked(&dirty, "FP").unwrap();
        let failure = refused.failure.as_ref().unwrap();
        assert_eq!((refused.exit, failure.code.as_str()), (Exit::Preflight, "bootstrap.confirm.serial"));
        assert!(failure.message.contains("7F0002") && failure.state.contains("nothing was changed"), "{failure:?}");
        let next = format!("jumplead bootstrap /etc/edge-1.toml --confirm {}:7F0002", dirty.fingerprint);
        assert!(refused.next.ends_with(&next), "{}", refused.next);
        // What was waived is waived by the line that is pasted, too.
        let waived = Options { waived: vec!["same-version".into()], ..options.clone() };
        let pasted = confirmed(&dirty, &waived);
        assert!(pasted.starts_with("jumplead bootstrap /etc/edge-1.toml --waive same-version --confirm "), "{pasted}");
        // A board without a serial number has an address, with colons.
        let named = Confirmation::written("3f9c-a1d2:74:4D:28:00:00:0B");
        assert_eq!(named.serial.as_deref(), Some("74:4D:28:00:00:0B"));
    }

    /// Another site file that names the same router b waits for the first one's run.
    #[tokio::test(start_paused = true)]
    async fn two_pairs_with_one_router_do_not_run_at_once() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut other = site.clone();
        other.name = "edge-2".into();
        let (mut store, roads) = (SimStore::default(), NoRoads::default());
        let pair = |site| Pair { site, roads: &roads, secrets: PairSecrets::default(), seed: 1, who: Who::nobody() };
        let held = lock(&mut store, &pair(&site)).unwrap();
        assert!(matches!(lock(&mut store, &pair(&other)), Err(StoreError::Locked { .. })));
        drop(held);
        assert!(lock(&mut store, &pair(&other)).is_ok());
    }
}
