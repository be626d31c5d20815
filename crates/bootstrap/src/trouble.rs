//! Why a step did not work, sorted by what the engine can do about it.

use crate::event::Failure;
use crate::proof::ProofError;
use crate::road::{RoadError, RoadTrouble};
use routeros::Class;

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Worth another try: a cable, a reboot, a busy console.
    Transient,
    /// Nobody answered for the whole time.
    Silent,
    /// User or password refused.
    Login,
    /// Another router than the one that is meant.
    WrongRouter,
    /// A person has to change something first.
    Operator,
    /// It can't work this way.
    Fatal,
    /// The end check found the pair not as it should be.
    EndCheck,
    /// This host lacks something.
    Host,
    /// Another run is at work on it.
    Locked,
    /// Somebody asked to stop.
    Interrupted,
    /// Our own mistake.
    Bug,
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// What the engine can do about it.
    pub kind: Kind,
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Why, from near to far.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
    /// Something may have been changed before it failed.
    pub acted: bool,
}

impl Trouble {
    /// Trouble before anything was changed.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), causes: Vec::new(), hints: Vec::new(), acted: false }
    }

    /// Whether somebody else has the line that leads there.
    pub fn is_busy(&self) -> bool {
        ["serial.port.busy", "serial.net.in-use"].contains(&self.code.as_str())
    }

    /// One more thing to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What lies behind it.
    #[must_use]
    pub fn cause(mut self, cause: impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// It came when something may have been changed.
    #[must_use]
    pub fn acted(mut self) -> Self {
        self.acted = true;
        self
    }

    /// As the last record of a run shows it.
    pub fn failure(&self, state: String, mut more_hints: Vec<String>) -> Failure {
        let mut hints = self.hints.clone();
        hints.append(&mut more_hints);
        Failure { code: self.code.clone(), message: self.message.clone(), causes: self.causes.clone(), state, hints }
    }
}

impl From<RoadError> for Trouble {
    fn from(error: RoadError) -> Self {
        let kind = match error.trouble {
            RoadTrouble::Silent | RoadTrouble::Transient => Kind::Transient,
            RoadTrouble::LoginRefused => Kind::Login,
            RoadTrouble::WrongRouter => Kind::WrongRouter,
            RoadTrouble::Host => Kind::Host,
            RoadTrouble::Session => Kind::Operator,
            RoadTrouble::Fatal => Kind::Fatal,
        };
        Self { hints: error.hints.clone(), ..Self::new(kind, error.code.clone(), error.to_string()) }
    }
}

impl From<routeros::Error> for Trouble {
    fn from(error: routeros::Error) -> Self {
        let (kind, acted) = match &error {
            // it was sent: nothing is done again before somebody has looked, and the engine looks before every attempt
            routeros::Error::Unknown(_) => (Kind::Transient, true),
            routeros::Error::WrongRouter { .. } => (Kind::WrongRouter, false),
            routeros::Error::LoginRejected { .. } => (Kind::Login, false),
            routeros::Error::Refused(refusal) => (Kind::Fatal, refusal.stage == routeros::Stage::Run),
            other => match other.class() {
                Class::Transient => (Kind::Transient, false),
                Class::Operator => (Kind::Operator, false),
                Class::Fatal => (Kind::Fatal, false),
                Class::Bug => (Kind::Transient, false),
            },
        };
        Self { acted, ..Self::new(kind, error.code(), error.to_string()) }
    }
}

impl From<ProofError> for Trouble {
    fn from(error: ProofError) -> Self {
        let kind = match error {
            ProofError::SerialNotConfirmed { .. } => Kind::Operator,
            _ => Kind::WrongRouter,
        };
        Self::new(kind, error.code(), error.to_string())
    }
}
