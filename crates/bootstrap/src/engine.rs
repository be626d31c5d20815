//! Runs a plan: looks, writes down what it is about to do, does it, looks again.

mod progress;

pub use progress::Progress;

use progress::{Desk, interrupted, interruptible, progress, unless_stopped};

use crate::event::{Changed, Done, Event, Failure, Record, Sink};
use crate::exit::Exit;
use crate::journal::{Journal, JournalError};
use crate::plan::{Act, Effect, Plan, Step};
use crate::store::{RunId, StoreError};
use crate::target::quoted;
use crate::trouble::{Kind, Trouble};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two attempts: long enough not to hammer a booting router, short enough not to be noticed.
const BACKOFF: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// A step that fails this often fails; the time limit comes first where attempts are slow.
const MAX_ATTEMPTS: u32 = 60;

/// What a look at the routers says about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Nothing is left to do.
    Done(Option<String>),
    /// It has to be done.
    NotDone,
    /// Something of it is done; doing it again completes it.
    Partly(String),
}

/// The work behind the steps.
#[expect(async_fn_in_trait, reason = "a run lives on one thread")]
pub trait Job {
    /// Looks, and changes nothing. Not knowing is [`Kind::Transient`] trouble.
    async fn probe(&mut self, step: &Step, history: &History, progress: &mut Progress<'_>) -> Result<Probe, Trouble>;
    /// What has to be so before it may act, and changes neither router's configuration.
    async fn begin(&mut self, _: &Step) -> Result<(), Trouble> {
        Ok(())
    }
    /// Does it. A note for people comes back.
    async fn apply(&mut self, step: &Step, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble>;
    /// Proves that it is done.
    async fn verify(&mut self, step: &Step, progress: &mut Progress<'_>) -> Result<(), Trouble>;
    /// Lets go of everything that an attempt left behind: consoles in an unknown state.
    fn forget(&mut self);
    /// The run is over, for now or for good.
    async fn end(&mut self) {}
    /// What state both routers are in, as far as was last seen; one sentence.
    fn state(&self) -> String;
}

/// What earlier parts of the run, and this one so far, wrote down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    steps: BTreeMap<&'static str, (bool, bool)>,
    changed: Changed,
}

impl History {
    /// Replays records.
    pub fn replay(records: &[Record], plan: &Plan) -> Self {
        let mut history = Self::default();
        for record in records {
            match &record.event {
                Event::StepStarted { step, .. } => {
                    if let Some(step) = plan.steps.iter().find(|s| s.id.id() == step) {
                        history.start(step);
                    }
                }
                Event::StepCompleted { step, .. } => {
                    if let Some(step) = plan.steps.iter().find(|s| s.id.id() == step) {
                        history.complete(step.id);
                    }
                }
                _ => {}
            }
        }
        history
    }

    /// The step may have acted.
    pub fn started(&self, act: Act) -> bool {
        self.steps.get(act.id()).is_some_and(|(started, _)| *started)
    }

    /// The step was seen done.
    pub fn completed(&self, act: Act) -> bool {
        self.steps.get(act.id()).is_some_and(|(_, completed)| *completed)
    }

    /// What was changed, as far as steps may have acted.
    pub fn changed(&self) -> Changed {
        self.changed
    }

    fn start(&mut self, step: &Step) {
        self.steps.entry(step.id.id()).or_default().0 = true;
        if step.effect != Effect::ReadOnly {
            self.changed = match step.member {
                Some(member) => self.changed.and(member),
                None if step.alone => Changed::Router,
                None => self.changed,
            };
        }
    }

    fn complete(&mut self, act: Act) {
        self.steps.entry(act.id()).or_default().1 = true;
    }
}

/// How far a run goes.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Stop after this step.
    pub stop_after: Option<Act>,
    /// Only look.
    pub dry_run: bool,
    /// An earlier part of the run was confirmed and ran.
    pub resumed: bool,
    /// The site file, for the journal.
    pub site_file: Option<String>,
    /// Checks that were waived: the command that comes to this plan again waives them, too.
    pub waived: Vec<String>,
    /// What to type after a run that nothing is kept of, a rehearsal, where it ended well and where it did not: it can be
    /// neither looked at nor resumed.
    pub next: Option<(String, String)>,
    /// Words behind each line that goes on with the run, as a shell takes them: a state folder of its own.
    pub typed: String,
}

impl Options {
    /// Whether a later `resume` may act: a plan that was only looked at was confirmed by nobody.
    fn may_resume(&self) -> bool {
        self.next.is_none() && (self.resumed || !self.dry_run)
    }

    /// What to type after `run`, where it isn't to be resumed.
    fn look(&self, run: &RunId, well: bool) -> String {
        match &self.next {
            Some((next, _)) if well => next.clone(),
            Some((_, next)) => next.clone(),
            None => format!("jumplead runs show {run}{}", self.typed),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// As the process ends.
    pub exit: Exit,
    /// Why, when it did not end well.
    pub failure: Option<Failure>,
    /// What was changed.
    pub changed: Changed,
    /// `resume` makes sense.
    pub resumable: bool,
    /// What to type next.
    pub next: String,
}

/// Stopped on request after the step had begun: whether it took effect is not known, and is looked at by the part of the
/// run that goes on.
fn in_the_middle(step: &Step, trouble: Trouble) -> Trouble {
    if trouble.kind != Kind::Interrupted || step.effect == Effect::ReadOnly {
        return trouble;
    }
    let message = format!(
        "stopped on request in the middle of {}: whether it took effect is looked at when the run goes on",
        step.id.id()
    );
    Trouble { message, ..trouble }.acted()
}

/// One run of one plan.
pub struct Engine<'a> {
    /// The journal, opened.
    pub journal: Journal<'a>,
    /// Gets every record.
    pub sink: &'a mut dyn Sink,
    /// Says that the run should stop: what is under way is let go of, and looked at by the part that goes on.
    pub stop: watch::Receiver<bool>,
}

impl std::fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// It is done.
    Done,
    /// It is not, and this run only looks.
    WouldRun,
}

/// Why a step ended the run.
enum Stop {
    Journal(JournalError),
    Trouble(Trouble, u32),
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Engine<'_> {
    /// Writes an event down and shows it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn write(&mut self, event: Event) -> Result<(), JournalError> {
        let record = self.journal.write(event)?;
        self.sink.record(&record);
        Ok(())
    }

    /// Shows an event that the journal has from before.
    pub fn show(&mut self, event: Event) {
        let record = self.journal.stamp(event);
        self.sink.record(&record);
    }

    /// Runs the plan to its end. The last record is always `run_finished`, on the journal as long as that can be written.
    pub async fn run<J: Job>(&mut self, plan: &Plan, mut history: History, options: &Options, job: &mut J) -> RunEnd {
        let mut end = None;
        for step in &plan.steps {
            if *self.stop.borrow() {
                end = Some(self.finish_interrupted(&history, options, job));
                break;
            }
            match self.step(step, &mut history, options, job).await {
                Ok(Looked::WouldRun) => {
                    // what comes behind it depends on what it does: looking further would only find it missing
                    end = Some(self.finish_dry(Some(step), plan, &history, options, job));
                    break;
                }
                Ok(Looked::Done) if options.stop_after == Some(step.id) => {
                    end = Some(self.finish_stopped(step, &history, options, job));
                    break;
                }
                Ok(Looked::Done) => {}
                Err(stop) => {
                    end = Some(self.finish_failed(step, stop, plan, &history, options, job));
                    break;
                }
            }
        }
        if options.dry_run && end.is_none() {
            end = Some(self.finish_dry(None, plan, &history, options, job));
        }
        let end = end.unwrap_or_else(|| RunEnd {
            exit: Exit::Done,
            failure: None,
            changed: history.changed(),
            resumable: false,
            next: options.look(self.journal.run(), true),
        });
        job.end().await;
        self.close(&end);
        end
    }

    /// The last record.
    pub fn close(&mut self, end: &RunEnd) {
        let event = Event::RunFinished {
            exit_code: end.exit.code(),
            resumable: end.resumable,
            changed: end.changed,
            failure: end.failure.clone(),
            next: end.next.clone(),
        };
        let record = match self.journal.write(event.clone()) {
            Ok(record) => record,
            // people and readers of the output still get it
            Err(_) => self.journal.stamp(event),
        };
        self.sink.record(&record);
    }

    async fn step<J: Job>(
        &mut self,
        step: &Step,
        history: &mut History,
        options: &Options,
        job: &mut J,
    ) -> Result<Looked, Stop> {
        let began = Instant::now();
        let limit = Duration::from_secs(step.limit_s);
        // what can't be taken back is never done twice by one run, whatever the router looks like now
        if step.effect == Effect::PointOfNoReturn && history.completed(step.id) {
            self.completed(step, 0, Done::Already, began, None)?;
            return Ok(Looked::Done);
        }
        let mut attempt = 1;
        loop {
            match self.attempt(step, attempt, began, history, options, job).await {
                Ok(Looked::Done) => {
                    history.complete(step.id);
                    return Ok(Looked::Done);
                }
                Ok(would_run) => return Ok(would_run),
                Err(Stop::Trouble(trouble, _)) => {
                    job.forget();
                    let again = trouble.kind == Kind::Transient && attempt < MAX_ATTEMPTS && began.elapsed() < limit;
                    if !again {
                        return Err(Stop::Trouble(trouble, attempt));
                    }
                    self.write(Event::AttemptRetry {
                        step: step.id.id().to_owned(),
                        attempt,
                        code: trouble.code,
                        message: trouble.message,
                    })?;
                    let index = usize::try_from(attempt - 1).unwrap_or(usize::MAX).min(BACKOFF.len() - 1);
                    let pause = BACKOFF.get(index).copied().unwrap_or_default();
                    let slept = interruptible(&mut self.stop, tokio::time::sleep(pause)).await;
                    slept.map_err(|trouble| Stop::Trouble(trouble, attempt))?;
                    attempt += 1;
                }
                Err(journal) => return Err(journal),
            }
        }
    }

    /// Looks, acts, looks.
    async fn attempt<J: Job>(
        &mut self,
        step: &Step,
        attempt: u32,
        began: Instant,
        history: &mut History,
        options: &Options,
        job: &mut J,
    ) -> Result<Looked, Stop> {
        let trouble = |t| Stop::Trouble(t, attempt);
        let probe = {
            let mut stop = self.stop.clone();
            let mut desk = Desk { journal: &mut self.journal, sink: &mut *self.sink };
            let mut progress = progress(&mut desk, stop.clone(), step, began);
            unless_stopped(&mut stop, job.probe(step, history, &mut progress)).await.map_err(trouble)?
        };
        if let Probe::Done(note) = probe {
            return self.completed(step, attempt, Done::Already, began, note);
        }
        if options.dry_run {
            return Ok(Looked::WouldRun);
        }
        if step.effect != Effect::ReadOnly {
            unless_stopped(&mut self.stop.clone(), job.begin(step)).await.map_err(trouble)?;
        }
        // from here on the step may have acted: on disk before it does
        self.write(Event::StepStarted { step: step.id.id().to_owned(), attempt })?;
        let before = history.clone();
        history.start(step);
        let note = {
            let mut stop = self.stop.clone();
            let mut desk = Desk { journal: &mut self.journal, sink: &mut *self.sink };
            let mut progress = progress(&mut desk, stop.clone(), step, began);
            let note = match unless_stopped(&mut stop, job.apply(step, &mut progress)).await {
                Ok(note) => note,
                Err(error) => {
                    let error = in_the_middle(step, error);
                    // refused before it did anything: nobody has to act on a router that is as it was. Small steps may have
                    // written a part of a file, so they count.
                    if !error.acted && step.effect >= Effect::Destructive {
                        *history = before;
                    }
                    return Err(trouble(error));
                }
            };
            let verified = unless_stopped(&mut stop, job.verify(step, &mut progress)).await;
            verified.map_err(|error| trouble(in_the_middle(step, error)))?;
            note
        };
        self.completed(step, attempt, Done::Success, began, note)
    }

    fn completed(
        &mut self,
        step: &Step,
        attempt: u32,
        outcome: Done,
        began: Instant,
        note: Option<String>,
    ) -> Result<Looked, Stop> {
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.write(Event::StepCompleted { step: step.id.id().to_owned(), attempt, outcome, elapsed_ms, note })?;
        Ok(Looked::Done)
    }

    fn resume_hint(&self, options: &Options) -> String {
        format!("jumplead resume {}{}", self.journal.run(), options.typed)
    }

    fn finish_interrupted<J: Job>(&self, history: &History, options: &Options, job: &J) -> RunEnd {
        let failure = interrupted().failure(job.state(), vec![]);
        self.end(Exit::Interrupted, Some(failure), history.changed(), options.may_resume(), options)
    }

    /// A look at every step up to the first that is not done.
    fn finish_dry<J: Job>(
        &self,
        next: Option<&Step>,
        plan: &Plan,
        history: &History,
        options: &Options,
        job: &J,
    ) -> RunEnd {
        let message = match next {
            Some(step) => {
                let done = plan.steps.iter().take_while(|other| other.id != step.id).count();
                let (id, total) = (step.id.id(), plan.steps.len());
                format!("dry run: {done} of {total} steps are done already, {id} would be next")
            }
            None => "dry run: every step is done already".to_owned(),
        };
        let trouble = Trouble::new(Kind::Interrupted, "bootstrap.dry-run", message);
        let failure = Some(trouble.failure(job.state(), vec![]));
        let mut end = self.end(Exit::Done, failure, history.changed(), options.may_resume(), options);
        if !end.resumable {
            end.next = again(plan, options);
        }
        end
    }

    fn finish_stopped<J: Job>(&self, step: &Step, history: &History, options: &Options, job: &J) -> RunEnd {
        let message = format!("stopped after step {}, as asked", step.id.id());
        let trouble = Trouble::new(Kind::Interrupted, "bootstrap.stopped-after", message);
        self.end(
            Exit::Done,
            Some(trouble.failure(job.state(), vec![])),
            history.changed(),
            options.may_resume(),
            options,
        )
    }

    fn finish_failed<J: Job>(
        &mut self,
        step: &Step,
        stop: Stop,
        plan: &Plan,
        history: &History,
        options: &Options,
        job: &J,
    ) -> RunEnd {
        let changed = history.changed();
        let past = plan.steps.iter().any(|s| s.effect >= Effect::Destructive && history.started(s.id));
        let (exit, failure, attempt, resumable) = match stop {
            Stop::Journal(error) => {
                // nothing was done that is not written down, so what stands in the journal is enough to go on from
                let resumable = options.may_resume();
                let mut hints = vec![room(&error).to_owned()];
                if resumable {
                    hints.push(format!("then:  {}", self.resume_hint(options)));
                }
                let trouble = Trouble::new(Kind::Host, error.code(), format!("the journal can't be written: {error}"));
                (Exit::Host, trouble.failure(job.state(), hints), 0, resumable)
            }
            Stop::Trouble(trouble, attempt) => {
                let exit = exit_of(&trouble, changed, past);
                let resumable = options.may_resume() && !matches!(exit, Exit::Bug | Exit::Preflight);
                let mut hints = Vec::new();
                if resumable {
                    hints.push(match trouble.kind {
                        Kind::Interrupted => format!("go on with:  {}", self.resume_hint(options)),
                        _ => format!("when the cause is gone:  {}", self.resume_hint(options)),
                    });
                }
                (exit, trouble.failure(job.state(), hints), attempt, resumable)
            }
        };
        // a journal that can't be written must not hide the end
        let _ = self.write(Event::StepFailed { step: step.id.id().to_owned(), attempt, failure: failure.clone() });
        self.end(exit, Some(failure), changed, resumable, options)
    }

    fn end(
        &self,
        exit: Exit,
        failure: Option<Failure>,
        changed: Changed,
        resumable: bool,
        options: &Options,
    ) -> RunEnd {
        let next =
            if resumable { self.resume_hint(options) } else { options.look(self.journal.run(), exit == Exit::Done) };
        RunEnd { exit, failure, changed, resumable, next }
    }
}

/// The command that looks anew.
pub(crate) fn again(plan: &Plan, options: &Options) -> String {
    match &plan.subject {
        Some(subject) => format!("{}{}", subject.again(), options.typed),
        None => {
            let waived: String = options.waived.iter().map(|check| format!(" --waive {}", quoted(check))).collect();
            let pair = quoted(options.site_file.as_ref().unwrap_or(&plan.pair));
            format!("jumplead bootstrap {pair}{waived}{}", options.typed)
        }
    }
}

/// What makes a state folder that can't be written one that can.
pub fn room(error: &JournalError) -> &'static str {
    match error {
        JournalError::Store(StoreError::Io { full: true, .. }) => "make room in the state folder",
        _ => "make the state folder writable again",
    }
}

/// Shows what happens within a step. A wait is not kept; what was learned is.
fn tell(journal: &mut Journal<'_>, sink: &mut dyn Sink, event: Event) {
    let record = match event {
        Event::Waiting { .. } => journal.stamp(event),
        // A disk that is full says so at the step's own record, which must not be lost.
        event => match journal.write(event.clone()) {
            Ok(record) => record,
            Err(_) => journal.stamp(event),
        },
    };
    sink.record(&record);
}

/// The documented number for trouble in a step.
fn exit_of(trouble: &Trouble, changed: Changed, past_no_return: bool) -> Exit {
    let untouched = changed == Changed::None;
    match trouble.kind {
        Kind::Interrupted => Exit::Interrupted,
        Kind::EndCheck => Exit::EndCheck,
        Kind::Locked => Exit::Locked,
        Kind::Bug => Exit::Bug,
        Kind::Login if untouched => Exit::Login,
        Kind::WrongRouter if untouched => Exit::Preflight,
        Kind::Host if untouched => Exit::Host,
        Kind::Transient | Kind::Silent if untouched => Exit::TimedOut,
        Kind::WrongRouter | Kind::Operator | Kind::Fatal if past_no_return => Exit::Stuck,
        _ => Exit::StepFailed,
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
