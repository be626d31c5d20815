//! How a run ends, as a number that scripts read.

/// Exit codes that a run can have; the rest of the contract's are the command line's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done, or already so.
    Done,
    /// A bug.
    Bug,
    /// Nothing found, target absent.
    NotFound,
    /// Login refused, secret missing.
    Login,
    /// Preflight refused, nothing changed.
    Preflight,
    /// Timed out, nothing changed.
    TimedOut,
    /// A step failed, resume is safe.
    StepFailed,
    /// A person must act.
    Stuck,
    /// The end check failed.
    EndCheck,
    /// Locked by another run.
    Locked,
    /// The host lacks something: a right, room for the journal.
    Host,
    /// Facts moved since the plan was confirmed.
    FactsMoved,
    /// Interrupted, journal consistent.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::NotFound => 3,
            Self::Login => 4,
            Self::Preflight => 5,
            Self::TimedOut => 6,
            Self::StepFailed => 7,
            Self::Stuck => 8,
            Self::EndCheck => 9,
            Self::Locked => 10,
            Self::Host => 11,
            Self::FactsMoved => 12,
            Self::Interrupted => 130,
        }
    }
}
