//! The router as a process on real network interfaces (`routersim run ROUTER.toml`).

mod adapters;
mod boot_server;
mod checksum;
mod lines;
mod process;

pub use process::{Ready, RealError, run};
