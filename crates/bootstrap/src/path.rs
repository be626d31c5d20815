//! The bootstrap path: from an erased router B to the proved standby, step by step.

mod file;
mod handoff;
mod job;
pub(crate) mod marker;
mod quiet;
mod run;
mod steps;
mod survey;
mod users;

pub use file::{BOOTSTRAP_FILE, bootstrap_file};
pub use job::PairJob;
pub use run::{Confirmation, Prepared, Start, keep_plan, prepare, resume, run};
pub(crate) use run::{PLANS, no_journal, refusal, unconfirmed, unusable, unwritable};
pub use survey::survey;
