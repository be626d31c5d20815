//! What a run says: people, JSON and the journal are three renderings of these records.

use crate::plan::Plan;
use crate::preflight::Check;
use crate::store::RunId;
use crate::target::Member;
use serde::{Deserialize, Serialize};

/// The one format number of records.
pub const FORMAT: u32 = 1;

/// One record: a JSON line, a line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`].
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// Counts from 0 through all parts of a run, resumed ones included.
    pub seq: u64,
    /// When, RFC 3339 with milliseconds, UTC.
    pub t: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// How a step ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It was done.
    Success,
    /// The router was so already.
    Already,
}

/// Which routers a run has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// Neither.
    #[default]
    None,
    /// Router A.
    A,
    /// Router B.
    B,
    /// Both.
    Both,
    /// The one router of a rescue that belongs to no pair as far as is known.
    Router,
}

impl Changed {
    /// This and one more member.
    #[must_use]
    pub fn and(self, member: Member) -> Self {
        match (self, member) {
            (Self::None | Self::A, Member::A) => Self::A,
            (Self::None | Self::B, Member::B) => Self::B,
            _ => Self::Both,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run begins, or goes on.
    RunStarted {
        /// The command: `bootstrap`.
        command: String,
        /// The pair.
        pair: String,
        /// This part goes on where an earlier one stopped.
        resumed: bool,
        /// It only looks. A run that began so was never confirmed and can't be gone on with.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dry_run: bool,
        /// The site file, as a path that holds wherever `resume` is typed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site_file: Option<String>,
        /// The program's version.
        version: String,
    },
    /// The checks.
    Preflight {
        /// All of them.
        checks: Vec<Check>,
    },
    /// The plan that was confirmed.
    Plan {
        /// It.
        plan: Plan,
    },
    /// From here on the step may have acted. Written and synced before it does.
    StepStarted {
        /// The step's name, `b.reset`.
        step: String,
        /// From 1.
        attempt: u32,
    },
    /// Still waiting. Not kept in the journal.
    Waiting {
        /// The step.
        step: String,
        /// What for.
        what: String,
        /// So far.
        elapsed_ms: u64,
        /// What is usual, shortest and longest.
        usual_ms: (u64, u64),
        /// The end of patience.
        limit_ms: u64,
    },
    /// A start of a member that the run waited for, by what its road showed of it.
    BootWatched {
        /// The router.
        member: Member,
        /// The road: `serial:///dev/...`.
        road: String,
        /// How many starts it was, where the road shows them: an upgrade takes two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boots: Option<usize>,
        /// When each stretch began, from the first sign on.
        phases: Vec<PhaseAt>,
    },
    /// It did not work and is tried again.
    AttemptRetry {
        /// The step.
        step: String,
        /// Which attempt failed.
        attempt: u32,
        /// Why.
        code: String,
        /// Why, in words.
        message: String,
    },
    /// A step is done.
    StepCompleted {
        /// The step.
        step: String,
        /// How many attempts.
        attempt: u32,
        /// Done now or before.
        outcome: Done,
        /// How long it took.
        elapsed_ms: u64,
        /// More about it: `412 bytes, read back equal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A step is given up.
    StepFailed {
        /// The step.
        step: String,
        /// How many attempts.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// The last one.
    RunFinished {
        /// As the process ends.
        exit_code: u8,
        /// `jumplead resume` makes sense.
        resumable: bool,
        /// What was changed, by all parts of the run.
        changed: Changed,
        /// Why it did not end well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// What to type next.
        next: String,
    },
    /// A kind of a later version.
    #[serde(other)]
    Unknown,
}

/// A stretch of a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseAt {
    /// `going down`, `boot loader`, `network boot`, `kernel`, `system`, `login`; `silent` and `answers` where no console shows more.
    pub phase: String,
    /// Milliseconds from the first sign.
    pub at_ms: u64,
}

/// A failure, complete: what happened, what state things are in, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Why, from near to far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What state both routers are in.
    pub state: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

/// Gets every record, in order, after the journal has it.
pub trait Sink {
    /// One record.
    fn record(&mut self, record: &Record);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn record(&mut self, _: &Record) {}
}

impl Sink for Vec<Record> {
    fn record(&mut self, record: &Record) {
        self.push(record.clone());
    }
}
