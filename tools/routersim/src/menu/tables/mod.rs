//! All menus, by area.

mod file;
mod interface;
mod ip;
mod lookup;
mod other;
mod system;
mod tool;
mod user;

pub use interface::{INTERFACE_MENUS, INTERFACES};
pub use lookup::{MENUS, by_path};
pub use system::ALL_POLICIES;
