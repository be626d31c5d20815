//! What every command that changes a router shares: prepare, show the plan, confirm once, run, say how it ended.

use std::io::{IsTerminal, Write};

use bootstrap::engine::{self, Options, RunEnd};
use bootstrap::event::{Changed, Event, Record, Sink};
use bootstrap::journal::{Clock, JournalError};
use bootstrap::pair::Pair;
use bootstrap::path::{self, Confirmation, Prepared, Start};
use bootstrap::plan::{Act, Effect, Plan};
use bootstrap::render::{self, Line, Renderer, Tone};
use bootstrap::road::NO_PORT;
use bootstrap::store::{RunId, Store, StoreError};
use bootstrap::target::quoted;
use bootstrap::trouble::Trouble;
use tokio::sync::watch;

use crate::cli::{Change, Global};
use crate::failure::{Exit, Failure, Result};
use crate::output::{CYAN, DIM, GREEN, Output, RED, YELLOW, cut, wrap};
use crate::term;

/// Off a terminal, a wait is told of once in so many milliseconds of it.
const WAIT_LINE_MS: u64 = 30_000;

/// Shows records as they come: lines for people, or JSON lines.
#[derive(Debug)]
pub struct Screen {
    out: Output,
    renderer: Renderer,
    live: bool,
    /// A waiting line stands on the screen and is to be overwritten.
    waiting: bool,
    told_ms: u64,
    mute: bool,
    /// The run, once it may have acted, its plan, and the step under way.
    begun: Option<(RunId, String)>,
    plan: Option<Plan>,
    changed: Changed,
}

impl Screen {
    pub fn new(out: &Output) -> Self {
        let live = std::io::stderr().is_terminal() && !out.quiet && !out.json;
        Self {
            out: out.clone(),
            renderer: Renderer::new(),
            live,
            waiting: false,
            told_ms: 0,
            mute: false,
            begun: None,
            plan: None,
            changed: Changed::None,
        }
    }

    /// Of a run that is gone on with, whose plan was told when it began.
    pub fn of(out: &Output, plan: Option<&Plan>) -> Self {
        let renderer = plan.map_or_else(Renderer::new, Renderer::of);
        Self { renderer, plan: plan.cloned(), ..Self::new(out) }
    }

    /// Shows nothing at all.
    pub fn mute(self) -> Self {
        Self { mute: true, live: false, ..self }
    }

    /// What a run that is left at once leaves behind.
    pub fn left_at_once(&self, kept: &str) -> Failure {
        let failure = Failure::new(Exit::Interrupted, "bootstrap.interrupted", "stopped at once, as asked twice");
        match &self.begun {
            None => failure,
            Some((run, step)) => Failure { changed: Some(self.changed), ..failure }
                .state(format!("step {step} was under way: whether it took effect is looked at when the run goes on"))
                .hint(format!("go on with:  jumplead resume {run}{kept}")),
        }
    }

    fn note(&mut self, record: &Record) {
        match &record.event {
            Event::Plan { plan } => self.plan = Some(plan.clone()),
            Event::StepStarted { step, .. } => {
                self.begun = Some((record.run.clone(), step.clone()));
                let steps = self.plan.iter().flat_map(|plan| &plan.steps);
                let acts = steps.filter(|s| s.id.id() == step && s.effect != Effect::ReadOnly);
                self.changed = acts.filter_map(|s| s.member).fold(self.changed, Changed::and);
            }
            _ => {}
        }
    }

    /// One line, over a waiting one if there is one.
    pub fn line(&mut self, line: &Line) {
        let style = match line.tone {
            Tone::Good => GREEN,
            Tone::Warn => YELLOW,
            Tone::Bad => RED,
            Tone::Hint => CYAN,
            Tone::Plain => anstyle::Style::new(),
            Tone::Dim | Tone::Live => DIM,
        };
        let columns = self.live.then(term::columns).flatten();
        let mut err = anstream::stderr().lock();
        if self.waiting {
            let _ = write!(err, "\r\x1b[K");
            self.waiting = false;
        }
        if line.tone == Tone::Live && self.live {
            // One that broke over two lines could not be overwritten.
            let text = columns.map_or_else(|| line.text.clone(), |columns| cut(&line.text, columns.saturating_sub(1)));
            let _ = write!(err, "{style}{text}{style:#}");
            let _ = err.flush();
            self.waiting = true;
        } else {
            // What a router's console shows is cut as a rehearsal's aside; a command to type stays on its line, to be copied.
            let text = match (columns, line.tone) {
                (None, _) | (_, Tone::Hint) => line.text.clone(),
                (Some(columns), Tone::Dim) => cut(&line.text, columns),
                (Some(columns), _) => wrap(&line.text, columns),
            };
            let _ = writeln!(err, "{style}{text}{style:#}");
        }
    }
}

impl Sink for Screen {
    fn record(&mut self, record: &Record) {
        self.note(record);
        if self.mute {
            return;
        }
        if self.out.json {
            self.out.event(record);
            return;
        }
        if let Event::Waiting { elapsed_ms, .. } = &record.event
            && !self.live
        {
            if *elapsed_ms < self.told_ms + WAIT_LINE_MS && self.told_ms <= *elapsed_ms {
                return;
            }
            self.told_ms = *elapsed_ms;
        } else if !matches!(record.event, Event::Waiting { .. }) {
            self.told_ms = 0;
        }
        let quiet = self.out.quiet && !matches!(record.event, Event::StepFailed { .. } | Event::RunFinished { .. });
        for line in self.renderer.record(record) {
            if !quiet {
                self.line(&line);
            }
        }
    }
}

/// What a person, or a script in a person's name, answers to a plan.
pub enum Answer {
    /// Go on; the serial number where the plan erases a router.
    Yes { serial: Option<String> },
    /// No.
    No,
    /// Nobody can be asked.
    Nobody,
}

/// Everything around a run.
pub struct Surroundings<'a> {
    pub out: &'a Output,
    pub store: &'a mut dyn Store,
    pub clock: &'a dyn Clock,
    pub sink: &'a mut dyn Sink,
    pub stop: watch::Receiver<bool>,
    /// The pair as the operator wrote it: what a hint repeats.
    pub typed: &'a str,
    /// Where its site file is, for a later `resume`.
    pub site_file: Option<String>,
    /// What to type after a run that nothing is kept of.
    pub next: Option<(String, String)>,
    /// Words that each hint repeats, see [`repeated`].
    pub kept: String,
}

/// What was said besides the command's own words, and has to be said again: where runs are kept, and whose session may be ended.
pub fn repeated(global: &Global) -> String {
    let folder = global.state_dir.as_ref().map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.clone()));
    let folder = folder.map(|folder| format!(" --state-dir {}", quoted(&folder.display().to_string())));
    folder.unwrap_or_default() + if global.take_over { " --take-over" } else { "" }
}

/// A state folder that can't be written, before a run has begun.
pub fn unkept(error: &StoreError) -> Failure {
    let made = engine::room(&error.clone().into());
    Failure::new(Exit::LacksRight, error.code(), error.to_string())
        .state("nothing was changed")
        .hint(format!("{made}, or name another:  --state-dir DIR"))
}

/// The command as it was typed: without what it waives it would come to a refusal.
fn again(typed: &str, change: &Change, kept: &str) -> String {
    let waived: String = change.waive.iter().map(|check| format!(" --waive {}", quoted(check))).collect();
    format!("jumplead bootstrap {}{waived}{kept}", quoted(typed))
}

/// `bootstrap`: from the survey to the proved pair.
pub async fn bootstrap(
    around: Surroundings<'_>,
    pair: &Pair<'_>,
    change: &Change,
    ask: impl AsyncFnOnce(&Plan) -> Answer,
) -> Result {
    let options = Options {
        site_file: around.site_file.clone(),
        next: around.next.clone(),
        typed: around.kept.clone(),
        ..options(change)?
    };
    let again = again(around.typed, change, &around.kept);
    let mut stop = around.stop.clone();
    let prepared = unless_stopped(&mut stop, path::prepare(pair, &change.waive)).await?;
    let prepared = prepared.map_err(|trouble| from_trouble(&trouble))?;
    let out = around.out;
    for waived in change.waive.iter().filter(|waived| prepared.checks.iter().all(|check| check.name != **waived)) {
        out.warn(format!("--waive {waived}: there is no such check here"));
    }
    if !out.json {
        show(out, &prepared, change.plan_only);
    }
    let Some(plan) = prepared.plan.clone().filter(|_| !prepared.refused()) else {
        let confirmation = Confirmation { fingerprint: String::new(), serial: None };
        return refused_before(around, pair, &prepared, &confirmation, options).await;
    };
    path::keep_plan(around.store, &plan).map_err(|error| unkept(&error))?;
    if change.plan_only {
        if out.json {
            out.object(serde_json::json!({"plan": plan, "checks": prepared.checks}), &[]);
        }
        out.say(format!("Nothing was changed. Next:  {again} --confirm {}", plan.confirmed_by()));
        return Ok(());
    }
    let confirmation = match &change.confirm {
        // A dry run erases nothing, so that nobody has to name what.
        None if change.dry_run => Confirmation { fingerprint: plan.fingerprint.clone(), serial: plan.erases.clone() },
        Some(written) => Confirmation::written(written),
        None => match unless_stopped(&mut stop, ask(&plan)).await? {
            Answer::Yes { serial } => Confirmation { fingerprint: plan.fingerprint.clone(), serial },
            Answer::No => {
                return Err(Failure::new(
                    Exit::PreflightRefused,
                    "bootstrap.confirm.refused",
                    "the plan was not confirmed",
                )
                .hint(format!("when you are sure:  {again}")));
            }
            Answer::Nobody => {
                return Err(Failure::new(
                    Exit::Usage,
                    "bootstrap.confirm.missing",
                    "a plan has to be confirmed, and there is nobody to ask",
                )
                .hint(format!("go ahead with exactly this plan:  {again} --confirm {}", plan.confirmed_by())));
            }
        },
    };
    let start = Start { store: around.store, clock: around.clock, sink: around.sink, stop: around.stop, options };
    finish(path::run(pair, &prepared, &confirmation, start).await)
}

/// Before a run begins nothing has been changed, so it can be left at any point.
pub async fn unless_stopped<T>(stop: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Result<T> {
    tokio::select! {
        biased;
        Ok(_) = stop.wait_for(|stop| *stop) => {
            Err(Failure::new(Exit::Interrupted, "bootstrap.interrupted", "stopped on request"))
        }
        done = work => Ok(done),
    }
}

async fn refused_before(
    around: Surroundings<'_>,
    pair: &Pair<'_>,
    prepared: &Prepared,
    confirmation: &Confirmation,
    options: Options,
) -> Result {
    let start = Start { store: around.store, clock: around.clock, sink: around.sink, stop: around.stop, options };
    finish(path::run(pair, prepared, confirmation, start).await)
}

/// What `resume` is asked beside to go on: to show the plan of the run alone, or to make sure that it is the one that was
/// confirmed. False: that was all.
pub fn goes_on(out: &Output, plan: &Plan, run: &RunId, resumable: bool, change: &Change, kept: &str) -> Result<bool> {
    if let Some(check) = change.waive.first() {
        let failure = Failure::new(
            Exit::Usage,
            "usage.waive",
            format!("--waive {check}: a run that goes on has its checks behind it"),
        );
        // A rescue has no checks to waive.
        return Err(match &plan.subject {
            Some(_) => failure,
            None => failure.hint(format!(
                "a check is waived for a new plan:  jumplead bootstrap {} --waive {check}{kept}",
                quoted(&plan.pair)
            )),
        });
    }
    if let Some(written) = &change.confirm {
        let confirmed = Confirmation::written(written);
        let other = confirmed.serial.is_some() && confirmed.serial != plan.erases;
        if confirmed.fingerprint != plan.fingerprint || other {
            return Err(Failure::new(
                Exit::FactsMoved,
                "bootstrap.plan.moved",
                format!("run {run} has the plan {}, {written} was confirmed", plan.confirmed_by()),
            )
            .hint(format!("look at its plan:  jumplead resume {run} --plan-only{kept}")));
        }
    }
    if !change.plan_only {
        return Ok(true);
    }
    if out.json {
        out.object(serde_json::json!({"run": run.as_str(), "plan": plan, "resumable": resumable}), &[]);
    } else {
        render::plan(plan).iter().for_each(|line| out.data(&line.text));
    }
    out.say(format!("Nothing was changed. What it has done:  jumplead runs show {run}{kept}"));
    out.say(if resumable {
        format!("It goes on with:  jumplead resume {run}{kept}")
    } else {
        "It has ended: there is nothing to go on with.".to_owned()
    });
    Ok(false)
}

/// `resume`: goes on with a run that stopped.
pub async fn resume(around: Surroundings<'_>, pair: &Pair<'_>, run: RunId, change: &Change) -> Result {
    let options = Options { site_file: around.site_file, typed: around.kept.clone(), ..options(change)? };
    let start = Start { store: around.store, clock: around.clock, sink: around.sink, stop: around.stop, options };
    let typed = around.typed;
    match path::resume(pair, run, start).await {
        Ok(end) => finish(end),
        Err(error) => {
            let anew = format!("jumplead bootstrap {} --plan-only{}", quoted(typed), around.kept);
            Err(not_resumed(&error, &anew, &around.kept))
        }
    }
}

/// Why a run can't be gone on with. `anew` looks anew.
/// `kept`: where runs are kept, as it was typed.
pub fn not_resumed(error: &JournalError, anew: &str, kept: &str) -> Failure {
    let exit = match error {
        JournalError::Store(StoreError::Locked { .. }) => Exit::Locked,
        JournalError::Store(StoreError::NoRun(_)) => Exit::NotFound,
        JournalError::Store(_) => Exit::LacksRight,
        JournalError::Corrupt { .. } => Exit::Stuck,
        JournalError::NoPlan | JournalError::DryRun => Exit::Usage,
        JournalError::SiteMoved { .. } => Exit::FactsMoved,
    };
    let failure =
        Failure::new(exit, error.code(), error.to_string()).state("this command changed nothing on the routers");
    match error {
        JournalError::NoPlan | JournalError::DryRun | JournalError::SiteMoved { .. } => {
            failure.hint(format!("look anew:  {anew}"))
        }
        JournalError::Store(StoreError::Io { .. }) => {
            failure.hint(format!("{}, then:  jumplead resume{kept}", engine::room(error)))
        }
        _ => failure.hint(format!("see what there is:  jumplead runs list{kept}")),
    }
}

fn options(change: &Change) -> Result<Options> {
    let stop_after = match &change.stop_after {
        None => None,
        Some(name) => match Act::ALL.iter().find(|act| act.id() == name) {
            Some(act) => Some(*act),
            None => {
                let names: Vec<&str> = Act::ALL.iter().map(|act| act.id()).collect();
                return Err(Failure::new(Exit::Usage, "usage.step", format!("there is no step `{name}`"))
                    .hint(format!("steps are {}", names.join(", "))));
            }
        },
    };
    Ok(Options { stop_after, dry_run: change.dry_run, waived: change.waive.clone(), ..Options::default() })
}

fn show(out: &Output, prepared: &Prepared, as_data: bool) {
    let mut lines = render::checks(&prepared.checks);
    if let Some(plan) = &prepared.plan {
        lines.extend(render::plan(plan));
    }
    let mut screen = Screen::new(out);
    for line in lines {
        if as_data {
            out.data(&line.text);
        } else if !out.quiet {
            screen.line(&line);
        }
    }
}

/// The run's last record has said everything; what is left is the exit code.
pub fn finish(end: RunEnd) -> Result {
    let exit = Exit::from_code(i32::from(end.exit.code()));
    if exit == Exit::Done {
        return Ok(());
    }
    let (code, message) =
        end.failure.map_or_else(|| ("bootstrap".to_owned(), String::new()), |failure| (failure.code, failure.message));
    let mut failure = Failure::new(exit, code, message);
    failure.shown = true;
    Err(failure)
}

/// Trouble before anything was changed.
pub fn from_trouble(trouble: &Trouble) -> Failure {
    use bootstrap::trouble::Kind;
    let exit = match trouble.kind {
        // Worth waiting for in a run, and in vain where one asks.
        Kind::Transient if trouble.is_busy() => Exit::TimedOut,
        Kind::Silent | Kind::Transient => Exit::NotFound,
        Kind::Login => Exit::LoginRefused,
        Kind::Fatal if trouble.code == NO_PORT => Exit::NotFound,
        Kind::WrongRouter | Kind::Operator => Exit::PreflightRefused,
        Kind::Host => Exit::LacksRight,
        Kind::Locked => Exit::Locked,
        Kind::Interrupted => Exit::Interrupted,
        Kind::EndCheck => Exit::EndCheckFailed,
        Kind::Fatal => Exit::PreflightRefused,
        Kind::Bug => Exit::Bug,
    };
    let mut failure = Failure::new(exit, trouble.code.clone(), trouble.message.clone());
    failure.causes.clone_from(&trouble.causes);
    failure.hints.clone_from(&trouble.hints);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By every command, whether its way is a run's or its own.
    #[test]
    fn a_serial_port_that_the_router_on_the_way_does_not_have_is_a_target_that_is_not_there() {
        let absent = routeros::Error::NoPort { port: "usb7".into(), has: vec!["serial0".into(), "usb1".into()] };
        let error = bootstrap::road::RoadError::from_console("via:a?port=usb7", &absent);
        for failure in [from_trouble(&error.clone().into()), crate::reach::failure(error)] {
            assert_eq!((failure.exit, failure.code.as_str()), (Exit::NotFound, NO_PORT));
            assert!(failure.message.ends_with("there is no serial port usb7, but serial0, usb1"), "{failure:?}");
        }
    }

    #[test]
    fn what_was_waived_is_on_the_line_that_is_pasted() {
        let waive = vec!["same-version".to_owned(), "no-other-run".to_owned()];
        let change = Change { waive, ..Change::default() };
        assert_eq!(again("edge-1", &change, ""), "jumplead bootstrap edge-1 --waive same-version --waive no-other-run");
        let kept = " --state-dir /srv/runs";
        assert_eq!(again("a b.toml", &Change::default(), kept), "jumplead bootstrap 'a b.toml' --state-dir /srv/runs");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_or_a_survey_that_lasts_for_ever_can_be_left() {
        let (ask, mut stop) = watch::channel(false);
        let asked = async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            ask.send(true).unwrap();
        };
        let (left, ()) = tokio::join!(unless_stopped(&mut stop, std::future::pending::<()>()), asked);
        assert_eq!(left.unwrap_err().exit, Exit::Interrupted);
        // nobody who could ask: the work goes on
        let (gone, mut stop) = watch::channel(false);
        drop(gone);
        assert_eq!(unless_stopped(&mut stop, async { 7 }).await.unwrap(), 7);
    }
}
