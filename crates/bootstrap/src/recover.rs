//! Rescue of one router: what is seen, which procedure fits, a plan, steps that probe, act and verify, a report. In the same
//! engine, with the same journal, as a bootstrap.

mod access;
mod address;
mod find;
mod job;
mod loader;
mod password;
mod plan;
mod procedure;
mod restart;
mod router;
mod run;

pub use access::{Access, Lines, NoTools, ToolEnd, Tools};
pub use find::{Found, PATIENCE, find};
pub use job::RouterJob;
pub use plan::{Asked, Before, Subject};
pub use procedure::{Procedure, architecture, fitting, password_says};
pub use run::{Rescue, prepare, resume, run};
