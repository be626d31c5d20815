//! How a shell logs in and how long it waits.

use crate::proof::Proof;
use crate::secret::Secret;
use crate::transcript::Transcript;
use std::sync::Arc;
use std::time::Duration;

/// Columns and rows of the terminal that we claim to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermSize {
    /// Columns.
    pub cols: u16,
    /// Rows; many, so that nothing is paged.
    pub rows: u16,
}

/// What goes behind the login name to ask for a plain console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    /// `+ct511w4098h`: no colours, no probing, a fixed size.
    Network,
    /// `+ct999w4098h`, on a line that says nothing by itself. Every prompt is padded to the width, but a line that is longer
    /// than the width is repainted at every half of it, and a file's pieces cost least in long lines. A driver of 6.49 asks
    /// for that width (transcript 18).
    Serial,
    /// None: the router probes, and the emulator answers.
    Plain,
}

impl Suffix {
    /// The size that it asks for, and that the emulator has.
    pub fn size(self) -> TermSize {
        let cols = if self == Self::Serial { 999 } else { 511 };
        TermSize { cols, rows: 4098 }
    }

    /// The text behind the name.
    pub fn text(self) -> &'static str {
        match self {
            Self::Network => "+ct511w4098h",
            Self::Serial => "+ct999w4098h",
            Self::Plain => "",
        }
    }
}

/// What to do when the router asks for a new password after login.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NewPassword {
    /// Ctrl-C leaves the question and the password as it is.
    #[default]
    Skip,
    /// Sets this one.
    Set(Secret),
}

/// The budgets, each its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte awaited to the prompt, for each password tried. Holds the ten seconds of a probe that fails.
    pub login: Duration,
    /// A command, unless it says otherwise.
    pub command: Duration,
    /// For the hop to answer at all.
    pub hop: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { login: Duration::from_secs(30), command: Duration::from_secs(30), hop: Duration::from_secs(20) }
    }
}

/// Everything that a login needs.
#[derive(Debug, Clone)]
pub struct LoginOptions {
    /// The user, without suffix.
    pub user: String,
    /// Tried in this order at a `Password:` prompt (given, empty, the label's). A link that has authenticated uses none.
    pub passwords: Vec<Secret>,
    /// The plain-console suffix.
    pub suffix: Suffix,
    /// The new-password question.
    pub new_password: NewPassword,
    /// The link is a serial line, which says nothing by itself and may show a boot: it is listened to for so long, then
    /// poked with Enter.
    pub wake: Option<Duration>,
    /// Somebody else's session on such a line, with its safe mode and its half-typed line, is left as it is, and is an error.
    /// False: it is ended.
    pub guest: bool,
    /// Who must answer. Checked before the login counts as done.
    pub proof: Option<Proof>,
    /// Budgets.
    pub timeouts: Timeouts,
    /// Makes the markers of this session unlike those of others.
    pub seed: u64,
    /// Gets the masked bytes of both directions.
    pub transcript: Option<Arc<dyn Transcript>>,
    /// More secrets to mask in transcripts and errors; passwords of this login are already.
    pub secrets: Vec<Secret>,
}

impl LoginOptions {
    /// `admin` with the empty password of an erased router, over a network.
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            passwords: vec![Secret::default()],
            suffix: Suffix::Network,
            new_password: NewPassword::Skip,
            wake: None,
            guest: false,
            proof: None,
            timeouts: Timeouts::default(),
            seed: 0,
            transcript: None,
            secrets: Vec::new(),
        }
    }

    /// The name that is given to the router, by the link's own login too: user and suffix.
    pub fn login_name(&self) -> String {
        format!("{}{}", self.user, self.suffix.text())
    }
}
