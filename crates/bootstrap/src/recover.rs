//! Rescue of one router: what is seen, which procedure fits, a plan, steps that probe, act and verify, a report. In the same
//! engine, with the same journal, as a bootstrap.

mod access;
mod address;
mod boards;
mod find;
mod forgotten;
mod job;
mod known;
mod loader;
mod netinstall;
mod password;
mod plan;
mod procedure;
mod reappear;
mod restart;
mod router;
mod run;
mod standby;

pub use access::{Access, Lines, NoTools, ToolEnd, Tools};
pub use boards::ARCHITECTURES;
pub use find::{Found, PATIENCE, find};
pub use forgotten::{Seen, look};
pub use job::RouterJob;
pub use known::{Earlier, Who};
pub use plan::{Asked, Before, Login, Subject};
pub use procedure::{Procedure, fitting, offered};
pub use reappear::reappears;
pub use run::{Rescue, prepare, resume, run};
