//! Records as lines for people. Text only: where it goes and in which colours is the caller's.

use crate::event::{Changed, Done, Event, Failure, PhaseAt, Record};
use crate::plan::{Effect, Plan};
use crate::preflight::{Check, Verdict};
use crate::target::Member;
use std::fmt::Write as _;

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Plain.
    Plain,
    /// It went well.
    Good,
    /// Somebody should know.
    Warn,
    /// It failed.
    Bad,
    /// What to do.
    Hint,
    /// Beside the matter: what a rehearsal shows of its routers.
    Dim,
    /// Replaced by the next line on a terminal: still waiting.
    Live,
}

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

fn line(tone: Tone, text: impl Into<String>) -> Line {
    Line { tone, text: text.into() }
}

/// The width of step titles.
const TITLE: usize = 48;

/// Turns the records of one run into lines.
#[derive(Debug, Clone, Default)]
pub struct Renderer {
    plan: Option<Plan>,
    /// The run was cut off, and is gone on with.
    resumed: bool,
    /// Of a rescue: what was done, and by which step's words it was proved.
    done: Vec<(String, Done, Option<String>)>,
}

impl Renderer {
    /// Before the first record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a run that is gone on with, whose plan was told when it began.
    pub fn of(plan: &Plan) -> Self {
        Self { plan: Some(plan.clone()), ..Self::default() }
    }

    /// The lines of one record; often none.
    pub fn record(&mut self, record: &Record) -> Vec<Line> {
        match &record.event {
            Event::RunStarted { command, pair, resumed, .. } => {
                self.resumed = *resumed;
                let verb = if *resumed { "goes on" } else { "starts" };
                let what = if command == "recover" { "" } else { "pair " };
                vec![line(Tone::Plain, format!("Run {} {verb}: {what}{pair}", record.run))]
            }
            Event::Preflight { .. } | Event::StepStarted { .. } | Event::Unknown => Vec::new(),
            Event::Plan { plan } => {
                self.plan = Some(plan.clone());
                Vec::new()
            }
            Event::Waiting { step, what, elapsed_ms, usual_ms, limit_ms } => {
                let usual = match (usual_ms.0 / 1000, usual_ms.1 / 1000) {
                    (0, to) => format!("usual up to {to} s"),
                    (from, to) => format!("usual {from}-{to} s"),
                };
                let elapsed = elapsed_ms / 1000;
                let text = format!(
                    "{}waiting for {}: {elapsed} s, {usual}, limit {} s",
                    self.place(step),
                    clean(what),
                    limit_ms / 1000
                );
                vec![line(Tone::Live, text)]
            }
            Event::BootWatched { member, road, boots, phases } => {
                vec![line(Tone::Dim, format!("{:9}{}", "", start(*member, road, *boots, phases)))]
            }
            Event::AttemptRetry { step, attempt, message, .. } => {
                vec![line(Tone::Warn, format!("{}attempt {attempt} failed: {}", self.place(step), clean(message)))]
            }
            Event::StepCompleted { step, outcome, elapsed_ms, note, .. } => {
                let again = *outcome == Done::Already && self.done.iter().any(|(done, ..)| done == step);
                if !again {
                    self.done.push((step.clone(), *outcome, note.clone()));
                }
                let sent = self.effect(step) == Some(Effect::PointOfNoReturn);
                let word = match outcome {
                    Done::Already => "done before",
                    Done::Success if sent => "sent",
                    Done::Success => "ok",
                };
                let mut text =
                    format!("{}{:TITLE$}  {word:4} {:>9}", self.place(step), self.title(step), took(*elapsed_ms));
                if let Some(note) = note {
                    let _ = write!(text, "   {}", clean(note));
                }
                vec![line(Tone::Good, text)]
            }
            Event::StepFailed { step, .. } => {
                vec![line(Tone::Bad, format!("{}{:TITLE$}  failed", self.place(step), self.title(step)))]
            }
            Event::RunFinished { exit_code, changed, failure, next, .. } => {
                self.finished(record, *exit_code, *changed, failure.as_ref(), next)
            }
        }
    }

    fn finished(
        &self,
        record: &Record,
        exit_code: u8,
        changed: Changed,
        failure: Option<&Failure>,
        next: &str,
    ) -> Vec<Line> {
        match failure {
            None if self.plan.as_ref().is_some_and(|plan| plan.subject.is_some()) => self.report(record, next),
            None => {
                let pair = self.plan.as_ref().map_or("the pair", |plan| plan.pair.as_str());
                vec![
                    line(Tone::Good, format!("Done: {pair} is an HA pair. Run {}", record.run)),
                    line(Tone::Hint, format!("next:  {next}")),
                ]
            }
            Some(failure) if exit_code == 0 => {
                vec![
                    line(Tone::Plain, clean(&failure.message)),
                    line(Tone::Plain, format!("  state     {}", clean(&failure.state))),
                    line(Tone::Hint, format!("next:  {next}")),
                ]
            }
            Some(shown) => {
                let mut lines = failure_lines(shown);
                let changed = match changed {
                    Changed::None => "nothing was changed",
                    Changed::A => "router a was changed",
                    Changed::B => "router b was changed",
                    Changed::Both => "both routers were changed",
                    Changed::Router => "the router was changed",
                };
                lines.insert(lines.len() - shown.hints.len(), line(Tone::Plain, format!("  changed   {changed}")));
                lines
            }
        }
    }

    /// The end of a rescue: seen, done, proved.
    fn report(&self, record: &Record, next: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        let seen = self.plan.as_ref().and_then(|plan| plan.subject.as_ref()).map(|subject| subject.seen.as_slice());
        for (number, text) in seen.unwrap_or_default().iter().enumerate() {
            let head = if number == 0 { "Seen  " } else { "      " };
            lines.push(line(Tone::Plain, format!("{head} {}", clean(text))));
        }
        let acted = |step: &str| self.effect(step).is_some_and(|effect| effect != Effect::ReadOnly);
        let mut head = "Done  ";
        for (step, outcome, _) in self.done.iter().filter(|(step, ..)| acted(step)) {
            let before = match outcome {
                // By this very run, before it was cut off, or by somebody meanwhile.
                Done::Already if self.resumed => " (it was so when the run was gone on with)",
                Done::Already => " (it was so)",
                _ => "",
            };
            lines.push(line(Tone::Plain, format!("{head} {}{before}", self.title(step))));
            head = "      ";
        }
        if head == "Done  " {
            lines.push(line(Tone::Plain, "Done   nothing was changed on the router"));
        }
        let last =
            self.done.last().and_then(|(_, _, note)| note.as_deref()).unwrap_or("every step was looked at again");
        lines.push(line(Tone::Good, format!("Proved {}", clean(last))));
        let after =
            self.plan.as_ref().and_then(|plan| plan.subject.as_ref()).map(|subject| subject.afterwards.as_slice());
        for (number, text) in after.unwrap_or_default().iter().enumerate() {
            let head = if number == 0 { "Then  " } else { "      " };
            lines.push(line(Tone::Warn, format!("{head} {}", clean(text))));
        }
        lines.push(line(Tone::Plain, format!("Run {}", record.run)));
        lines.push(line(Tone::Hint, format!("next:  {next}")));
        lines
    }

    fn index(&self, step: &str) -> Option<(usize, &Plan)> {
        let plan = self.plan.as_ref()?;
        Some((plan.steps.iter().position(|s| s.id.id() == step)?, plan))
    }

    /// `[ 2/ 9] b  `
    fn place(&self, step: &str) -> String {
        match self.index(step) {
            Some((index, plan)) => {
                let member = plan.steps.get(index).and_then(|s| s.member);
                let member = member.map_or_else(|| "-".to_owned(), |m| m.to_string());
                format!("[{:>2}/{:>2}] {member}  ", index + 1, plan.steps.len())
            }
            None => format!("{} ", clean(step)),
        }
    }

    fn title(&self, step: &str) -> String {
        self.index(step)
            .and_then(|(index, plan)| plan.steps.get(index))
            .map_or_else(|| clean(step), |s| s.title.clone())
    }

    fn effect(&self, step: &str) -> Option<Effect> {
        self.index(step).and_then(|(index, plan)| plan.steps.get(index)).map(|s| s.effect)
    }
}

/// A start that was watched, in one line.
pub fn start(member: Member, road: &str, boots: Option<usize>, phases: &[PhaseAt]) -> String {
    let starts = match boots {
        Some(1) | None => "start".to_owned(),
        Some(n) => format!("{n} starts"),
    };
    let at = |phase: &PhaseAt| format!("{} at {}", clean(&phase.phase), took(phase.at_ms));
    let list: Vec<String> = phases.iter().map(at).collect();
    format!("{member}'s {starts} on {}: {}", clean(road), list.join(", "))
}

/// A failure in full: what happened, why, what state things are in, what to type.
pub fn failure_lines(failure: &Failure) -> Vec<Line> {
    let mut lines = vec![line(Tone::Bad, format!("error[{}]: {}", failure.code, clean(&failure.message)))];
    lines.extend(failure.causes.iter().map(|cause| line(Tone::Plain, format!("  because   {}", clean(cause)))));
    lines.push(line(Tone::Plain, format!("  state     {}", clean(&failure.state))));
    lines.extend(failure.hints.iter().map(|hint| line(Tone::Hint, format!("hint: {}", clean(hint)))));
    lines
}

/// The checks: those that passed in one line, the others one by one.
pub fn checks(checks: &[Check]) -> Vec<Line> {
    let passed: Vec<&str> =
        checks.iter().filter(|check| check.verdict == Verdict::Pass).map(|check| check.name.as_str()).collect();
    let mut lines: Vec<Line> =
        wrap(&passed, 68).into_iter().map(|names| line(Tone::Good, format!("           ok    {names}"))).collect();
    for check in checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        let (tone, word) = match check.verdict {
            Verdict::Fail => (Tone::Bad, "fail"),
            Verdict::Waived => (Tone::Warn, "waived"),
            _ => (Tone::Warn, "warn"),
        };
        lines.push(line(tone, format!("           {word:5} {}: {}", check.name, clean(&check.found))));
        if let Some(hint) = &check.hint {
            lines.push(line(Tone::Hint, format!("                 {hint}")));
        }
    }
    if let Some(first) = lines.first_mut() {
        first.text.replace_range(..9, "Preflight");
    }
    lines
}

/// The plan, a line a step.
pub fn plan(plan: &Plan) -> Vec<Line> {
    let minutes = plan.usual_s().div_ceil(60);
    let returns = match plan.points_of_no_return() {
        0 => "no point of no return".to_owned(),
        1 => "1 point of no return".to_owned(),
        n => format!("{n} points of no return"),
    };
    let steps = if plan.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", plan.steps.len()) };
    let head = format!("Plan {}: {steps}, about {minutes} min, {returns}", plan.fingerprint);
    let mut lines = vec![line(Tone::Plain, head)];
    for (index, step) in plan.steps.iter().enumerate() {
        let member = step.member.map_or_else(|| "-".to_owned(), |m| m.to_string());
        let tone = if step.effect == Effect::PointOfNoReturn { Tone::Warn } else { Tone::Plain };
        lines.push(line(tone, format!("  {:>2} {member}  {:TITLE$}  {}", index + 1, step.title, step.effect)));
    }
    lines.extend(plan.notes.iter().map(|note| line(Tone::Plain, format!("       {note}"))));
    lines
}

/// Names, in lines of at most `width`.
fn wrap(names: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(last) if last.len() + name.len() + 2 <= width => {
                last.push_str(", ");
                last.push_str(name);
            }
            _ => lines.push((*name).to_owned()),
        }
    }
    lines
}

/// `1.4 s`, `1 m 34 s`
fn took(ms: u64) -> String {
    match ms {
        0..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} m {:02} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// Text that came from a router never moves a terminal's cursor.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{b7}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests as plans;
    use crate::preflight::{self, tests::survey};
    use crate::site::{Site, tests::EDGE_1};
    use crate::state::tests::{active, erased};

    fn text(lines: &[Line]) -> String {
        let tone = |tone| match tone {
            Tone::Plain => ' ',
            Tone::Good => '+',
            Tone::Warn => '!',
            Tone::Bad => '#',
            Tone::Hint => '>',
            Tone::Dim => ' ',
            Tone::Live => '~',
        };
        lines.iter().map(|l| format!("{}|{}", tone(l.tone), l.text)).collect::<Vec<_>>().join("\n")
    }

    fn dirty() -> (Site, Plan, Vec<Check>) {
        let site = Site::parse(EDGE_1).unwrap();
        let mut b = erased("7F0002", 0x0b);
        b.identity = "old\u{1b}[2J".into();
        let survey = survey(&site, active(), b);
        let plan = crate::plan::bootstrap(&site, &survey).unwrap();
        let checks = preflight::bootstrap(&site, &survey, &[]);
        (site, plan, checks)
    }

    #[test]
    fn what_is_shown_before_anything_is_done() {
        let (_, plan, list) = dirty();
        let mut lines = checks(&list);
        lines.extend(super::plan(&plan));
        insta::assert_snapshot!(text(&lines).replace(&crate::ha::build(), "BUILD"));
        let _ = plans::shown(&plan);
    }

    #[test]
    fn a_run_that_ends_badly() {
        let (_, plan, _) = dirty();
        let events = vec![
            Event::RunStarted {
                command: "bootstrap".into(),
                pair: "edge-1".into(),
                resumed: false,
                dry_run: false,
                site_file: None,
                version: "0".into(),
            },
            Event::Plan { plan },
            Event::StepStarted { step: "b.bootstrap-file".into(), attempt: 1 },
            Event::StepCompleted {
                step: "b.bootstrap-file".into(),
                attempt: 1,
                outcome: Done::Success,
                elapsed_ms: 6012,
                note: Some("412 bytes, read back equal".into()),
            },
            Event::StepCompleted {
                step: "b.reset".into(),
                attempt: 1,
                outcome: Done::Success,
                elapsed_ms: 900,
                note: Some("no way back from here".into()),
            },
            Event::Waiting {
                step: "b.wait-reset".into(),
                what: "b to come back".into(),
                elapsed_ms: 22_000,
                usual_ms: (60_000, 110_000),
                limit_ms: 300_000,
            },
            Event::AttemptRetry {
                step: "b.wait-reset".into(),
                attempt: 1,
                code: "x.y".into(),
                message: "silent\u{7}".into(),
            },
            Event::StepFailed { step: "b.wait-reset".into(), attempt: 2, failure: failure() },
            Event::RunFinished {
                exit_code: 7,
                resumable: true,
                changed: Changed::B,
                failure: Some(failure()),
                next: "jumplead resume 2026-11-22-01".into(),
            },
        ];
        let mut renderer = Renderer::new();
        let mut lines = Vec::new();
        for event in events {
            let run = "2026-11-22-01".parse().unwrap();
            lines.extend(renderer.record(&Record { format: 1, run, seq: 0, t: String::new(), event }));
        }
        insta::assert_snapshot!(text(&lines));
    }

    fn failure() -> Failure {
        Failure {
            code: "bootstrap.wait.no-answer".into(),
            message: "router b did not come back erased after its reset".into(),
            causes: vec!["via:a: no answer".into()],
            state: "a is active; b was reset and may still be booting".into(),
            hints: vec!["when the cause is gone:  jumplead resume 2026-11-22-01".into()],
        }
    }
}
