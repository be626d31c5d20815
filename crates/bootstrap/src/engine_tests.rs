//! The engine against a job in memory that fails where it is told to, is killed anywhere, and goes on.

use super::*;
use crate::event::NoSink;
use crate::journal::tests::Noon;
use crate::journal::{Journal, parse};
use crate::plan::tests::shown;
use crate::preflight::tests::survey;
use crate::site::{Site, tests::EDGE_1};
use crate::state::tests::{active, erased};
use crate::store::{RunId, SimFault, SimStore, Store};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

fn plan() -> Plan {
    let site = Site::parse(EDGE_1).unwrap();
    let mut dirty = erased("7F0002", 0x0b);
    dirty.identity = "old".into();
    crate::plan::bootstrap(&site, &survey(&site, active(), dirty)).unwrap()
}

/// Routers that outlive the process: which steps took effect, how often.
#[derive(Debug, Default)]
struct World {
    done: BTreeSet<&'static str>,
    applied: Vec<&'static str>,
}

struct Fake {
    world: Rc<RefCell<World>>,
    /// Trouble at (step, before or after the effect), as often as the number says.
    trouble: Option<(&'static str, bool, Trouble, u32)>,
}

impl Fake {
    fn new(world: &Rc<RefCell<World>>) -> Self {
        Self { world: world.clone(), trouble: None }
    }

    fn fail(&mut self, step: &str, after: bool) -> Result<(), Trouble> {
        match &mut self.trouble {
            Some((at, when, trouble, left)) if *at == step && *when == after && *left > 0 => {
                *left -= 1;
                Err(trouble.clone())
            }
            _ => Ok(()),
        }
    }
}

impl Job for Fake {
    async fn probe(&mut self, step: &Step, _: &History, _: &mut Progress<'_>) -> Result<Probe, Trouble> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        // what a wait sees is never kept by the router
        let done = self.world.borrow().done.contains(step.id.id());
        Ok(if done { Probe::Done(None) } else { Probe::NotDone })
    }

    async fn apply(&mut self, step: &Step, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.fail(step.id.id(), false)?;
        self.world.borrow_mut().applied.push(step.id.id());
        progress.waiting("it", (Duration::ZERO, Duration::from_secs(1)));
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.world.borrow_mut().done.insert(step.id.id());
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.fail(step.id.id(), true)?;
        Ok(None)
    }

    async fn verify(&mut self, _: &Step, _: &mut Progress<'_>) -> Result<(), Trouble> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    fn forget(&mut self) {}

    fn state(&self) -> String {
        "a is untouched and active; b is whatever it is".into()
    }
}

async fn start(store: &SimStore, job: &mut Fake, sink: &mut dyn Sink, options: &Options) -> RunEnd {
    let (_keep, stop) = watch::channel(false);
    let mut store = store.clone();
    let runs = store.runs().unwrap();
    match runs.last().cloned() {
        Some(run) => {
            let (journal, records) = Journal::resume(&mut store, &Noon, run).unwrap();
            let history = History::replay(&records, &plan());
            Engine { journal, sink, stop }.run(&plan(), history, options, job).await
        }
        None => {
            let journal = Journal::create(&mut store, &Noon).unwrap();
            Engine { journal, sink, stop }.run(&plan(), History::default(), options, job).await
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_in_order() {
    let (store, world, mut records) = (SimStore::default(), Rc::default(), Vec::new());
    let end = start(&store, &mut Fake::new(&world), &mut records, &Options::default()).await;
    assert_eq!(end.exit, Exit::Done);
    assert_eq!(end.changed, Changed::B);
    let ids: Vec<&str> = plan().steps.iter().map(|s| s.id.id()).collect();
    assert_eq!(world.borrow().applied, ids);
    assert!(matches!(records.last().unwrap().event, Event::RunFinished { exit_code: 0, .. }));
    // everything but waiting is on the journal, in the same order
    let bytes = store.read(&"2026-11-22-01".parse::<RunId>().unwrap()).unwrap();
    let (kept, _) = parse(&bytes).unwrap();
    records.retain(|r| !matches!(r.event, Event::Waiting { .. }));
    assert_eq!(kept, records);
    let _ = shown(&plan());
}

/// The process is killed after every 50 ms of its life, the disk loses what was not synced, and a new process goes on: every
/// step takes effect, and what can't be taken back is never done twice once its end was seen.
#[tokio::test(start_paused = true)]
async fn killed_anywhere_it_goes_on() {
    for cut in 1..120u64 {
        let (store, world) = (SimStore::default(), Rc::<RefCell<World>>::default());
        let (mut first, mut sink, options) = (Fake::new(&world), NoSink, Options::default());
        let first = start(&store, &mut first, &mut sink, &options);
        let finished = tokio::time::timeout(Duration::from_millis(cut * 50 - 1), first).await.is_ok();
        store.crash(usize::try_from(cut % 37).unwrap());
        let end = start(&store, &mut Fake::new(&world), &mut NoSink, &Options::default()).await;
        assert_eq!(end.exit, Exit::Done, "cut at {cut}");
        let world = world.borrow();
        for step in &plan().steps {
            assert!(world.done.contains(step.id.id()));
            let times = world.applied.iter().filter(|id| **id == step.id.id()).count();
            // twice only when it was killed between the act and its effect, which the probe then saw missing
            assert!(times == 1 || (times == 2 && !finished), "{} {times} times, cut at {cut}", step.id.id());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn transient_trouble_is_tried_again_after_a_look() {
    let (store, world, mut records) = (SimStore::default(), Rc::default(), Vec::new());
    let mut job = Fake::new(&world);
    job.trouble = Some(("b.reset", true, Trouble::new(Kind::Transient, "x.y", "the cable").acted(), 1));
    let end = start(&store, &mut job, &mut records, &Options::default()).await;
    assert_eq!(end.exit, Exit::Done);
    // the effect was there: it was not done again
    assert_eq!(world.borrow().applied.iter().filter(|id| **id == "b.reset").count(), 1);
    assert!(records.iter().any(|r| matches!(&r.event, Event::AttemptRetry { step, .. } if step == "b.reset")));
}

#[tokio::test(start_paused = true)]
async fn ends_by_kind_of_trouble_and_what_was_changed() {
    use Kind::{Fatal, Host, Interrupted, Login, Operator, Silent, Transient, WrongRouter};
    let first = "b.bootstrap-file";
    let cases = [
        (first, WrongRouter, Exit::StepFailed),
        (first, Fatal, Exit::StepFailed),
        ("b.wait-reset", Transient, Exit::StepFailed),
        ("b.wait-reset", Silent, Exit::StepFailed),
        ("b.wait-reset", Fatal, Exit::Stuck),
        ("b.import", Operator, Exit::Stuck),
        ("a.push", WrongRouter, Exit::Stuck),
        ("a.push", Login, Exit::StepFailed),
        ("a.push", Host, Exit::StepFailed),
        ("pair.verify", Kind::EndCheck, Exit::EndCheck),
        ("a.reach-b", Interrupted, Exit::Interrupted),
    ];
    for (step, kind, exit) in cases {
        let (store, world) = (SimStore::default(), Rc::default());
        let mut job = Fake::new(&world);
        job.trouble = Some((step, false, Trouble::new(kind, "x.y", "it failed"), u32::MAX));
        let end = start(&store, &mut job, &mut NoSink, &Options::default()).await;
        assert_eq!(end.exit, exit, "{step} {kind:?}");
        let failure = end.failure.unwrap();
        assert!(!failure.state.is_empty() && !failure.hints.is_empty());
        assert!(end.resumable);
        // the same run goes on when the cause is gone
        let end = start(&store, &mut Fake::new(&world), &mut NoSink, &Options::default()).await;
        assert_eq!(end.exit, Exit::Done, "{step} {kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_that_could_not_be_written_down() {
    for limit in (0..6000).step_by(50) {
        let (store, world) = (SimStore::default(), Rc::<RefCell<World>>::default());
        let mut writer = store.clone();
        let (_keep, stop) = watch::channel(false);
        let Ok(journal) = Journal::create(&mut writer, &Noon) else { continue };
        store.set_fault(SimFault::FullAt(limit));
        let mut job = Fake::new(&world);
        let mut records = Vec::new();
        let mut engine = Engine { journal, sink: &mut records, stop };
        let end = engine.run(&plan(), History::default(), &Options::default(), &mut job).await;
        let (kept, _) = parse(&store.read(&"2026-11-22-01".parse().unwrap()).unwrap()).unwrap();
        let history = History::replay(&kept, &plan());
        for step in &plan().steps {
            let applied = world.borrow().applied.contains(&step.id.id());
            assert!(!applied || history.started(step.id), "{} was not written down first", step.id.id());
        }
        if end.exit != Exit::Done {
            assert_eq!(end.failure.unwrap().code, "state.full");
        }
        assert!(matches!(records.last().unwrap().event, Event::RunFinished { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_to_stop_is_heard_in_the_middle_of_a_step_and_can_be_resumed() {
    let (store, world) = (SimStore::default(), Rc::<RefCell<World>>::default());
    let (ask, stop) = watch::channel(false);
    let mut writer = store.clone();
    let journal = Journal::create(&mut writer, &Noon).unwrap();
    let mut job = Fake::new(&world);
    let mut sink = NoSink;
    let mut engine = Engine { journal, sink: &mut sink, stop };
    let (plan, options) = (plan(), Options::default());
    let run = engine.run(&plan, History::default(), &options, &mut job);
    let asked = async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        ask.send(true).unwrap();
    };
    let began = Instant::now();
    let (end, ()) = tokio::join!(run, asked);
    assert_eq!(began.elapsed(), Duration::from_millis(250), "at once, not when the step is done");
    assert_eq!(end.exit, Exit::Interrupted);
    assert_eq!(world.borrow().applied, ["b.bootstrap-file"]);
    assert!(world.borrow().done.is_empty());
    let said = end.failure.unwrap().message;
    assert!(said.contains("in the middle of b.bootstrap-file"), "{said}");
    assert!(end.resumable && end.next.contains("resume 2026-11-22-01"));
    assert_eq!(end.changed, Changed::B, "it may have acted");
}

/// A dry run confirms nothing and did nothing: it says so, and no `resume` can turn it into a real run.
#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing_and_is_never_gone_on_with() {
    for trouble in [None, Some(("b.bootstrap-file", false))] {
        let (store, world, mut records) = (SimStore::default(), Rc::<RefCell<World>>::default(), Vec::new());
        world.borrow_mut().done.extend(trouble.is_none().then_some("b.bootstrap-file"));
        let mut job = Fake::new(&world);
        let options = Options { dry_run: true, ..Options::default() };
        let end = start(&store, &mut job, &mut records, &options).await;
        assert!(world.borrow().applied.is_empty());
        assert_eq!((end.exit, end.changed, end.resumable), (Exit::Done, Changed::None, false));
        let said = end.failure.unwrap().message;
        assert!(said.contains("would be next"), "{said}");
        assert!(!end.next.contains("resume"), "{}", end.next);
        // no step is written down as done that was not
        for step in &plan().steps {
            let done = world.borrow().done.contains(step.id.id());
            assert_eq!(done, History::replay(&records, &plan()).completed(step.id), "{}", step.id.id());
        }
    }
}
