//! A running router: its state, users, files, scripts, and how it starts and ends.

mod backup;
mod core;
mod crash;
mod exec;
mod factory;
mod files;
mod history;
mod jobs;
mod log;
mod nethost;
mod network;
mod remember;
mod reset;
mod scheduler;
mod scripts;
mod sessions;
mod shell;
mod start;
mod storage;
mod undo;
mod users;
mod who;

pub use backup::BackupError;
pub use core::{Pending, PowerAction, Socket, Storage, System, Volatile};
pub use factory::{BOARD_MENUS, USER_MENUS, arrival, defaults, erased};
pub use files::{File, Files, Refusal};
pub use history::{Action, Change, History, Placed};
pub use jobs::{Job, Jobs};
pub use log::{LogEntry, LogRing};
pub use reset::Reset;
pub use scripts::{Caller, Collect};
pub use sessions::Open;
pub(crate) use shell::QUIT;
pub use start::Boot;
pub use who::{POLICIES, Policy, Who};
