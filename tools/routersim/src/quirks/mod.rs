//! Oddities of real routers, named one by one, each with the source that it comes from.
//!
//! A version has its own set; a specification overrides single ones. The rest of the simulator asks
//! [`Quirks`], never the version number, where the reference calls something an oddity.

mod kinds;
mod listing;
mod table;

pub use kinds::{DeviceMode, Globals, IdleLogout, LoginMethod, PortOrder};
pub use listing::{Described, describe, listing};
pub use table::{QuirkOverrides, Quirks};
