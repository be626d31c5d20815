//! Where runs, locks and generated secrets are kept: a trait, a folder on disk, and a simulated disk that fails.

mod dir;
mod sim;

pub use dir::DirStore;
pub use sim::{SimFault, SimStore};

use std::fmt;
use std::str::FromStr;

/// Runs kept of one day; the number has two digits.
const MAX_RUNS_A_DAY: u8 = 99;

/// The name of a run: its day (UTC) and its number that day, `2026-11-22-01`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The first free name of `day` (`YYYY-MM-DD`).
    ///
    /// # Errors
    /// [`StoreError::TooManyRuns`].
    pub fn next(day: &str, taken: &[RunId]) -> Result<Self, StoreError> {
        let last = taken.iter().filter_map(|id| id.0.strip_prefix(day)?.strip_prefix('-')?.parse::<u8>().ok()).max();
        let number = last.unwrap_or(0) + 1;
        if number > MAX_RUNS_A_DAY {
            return Err(StoreError::TooManyRuns);
        }
        format!("{day}-{number:02}").parse()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunId {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let fits = text.len() == 13
            && text
                .bytes()
                .enumerate()
                .all(|(i, b)| if matches!(i, 4 | 7 | 10) { b == b'-' } else { b.is_ascii_digit() });
        if fits { Ok(Self(text.to_owned())) } else { Err(StoreError::BadRunId) }
    }
}

impl TryFrom<String> for RunId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

/// What can go wrong with the state folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The folder failed.
    #[error("{path}: {why}")]
    Io {
        /// What was touched.
        path: String,
        /// The system's words.
        why: String,
        /// Nothing more fits.
        full: bool,
    },
    /// Somebody else holds it.
    #[error("{what} is locked by another run")]
    Locked {
        /// The pair or run.
        what: String,
    },
    /// No such run.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// Not a run's name.
    #[error("a run is named like 2026-11-22-01")]
    BadRunId,
    /// All numbers of the day are used.
    #[error("{MAX_RUNS_A_DAY} runs in one day are enough; remove old ones")]
    TooManyRuns,
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { full: true, .. } => "state.full",
            Self::Io { .. } => "state.io",
            Self::Locked { .. } => "state.locked",
            Self::NoRun(_) => "state.no-run",
            Self::BadRunId => "state.run-id",
            Self::TooManyRuns => "state.too-many-runs",
        }
    }
}

/// Holds a lock until dropped.
pub struct Lock(#[expect(dead_code, reason = "held for its drop")] Box<dyn std::any::Any>);

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

/// The state folder.
pub trait Store {
    /// Takes a lock that no other process holds; `what` is a pair's or run's name.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Io`].
    fn lock(&mut self, what: &str) -> Result<Lock, StoreError>;

    /// All runs, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn runs(&self) -> Result<Vec<RunId>, StoreError>;

    /// Makes an empty journal.
    ///
    /// # Errors
    /// [`StoreError::Io`], also when there is one already.
    fn create(&mut self, run: &RunId) -> Result<(), StoreError>;

    /// Adds to a journal's end. Not durable before [`Self::sync`].
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoRun`].
    fn append(&mut self, run: &RunId, bytes: &[u8]) -> Result<(), StoreError>;

    /// What was appended survives a power cut when this returns.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoRun`].
    fn sync(&mut self, run: &RunId) -> Result<(), StoreError>;

    /// A whole journal.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoRun`].
    fn read(&self, run: &RunId) -> Result<Vec<u8>, StoreError>;

    /// Cuts a torn tail off.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoRun`].
    fn truncate(&mut self, run: &RunId, len: u64) -> Result<(), StoreError>;

    /// Keeps a small file by folder and name, readable by the owner alone, durable and whole when this returns.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn keep(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), StoreError>;

    /// A kept file.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn kept(&self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a file in a run's own folder under this plain name, as [`Store::keep`] does.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn keep_with(&mut self, run: &RunId, name: &str, content: &[u8]) -> Result<(), StoreError>;

    /// A file of a run's own folder.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn kept_with(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Where a run's evidence is, for people.
    fn place(&self, run: &RunId) -> String;
}
