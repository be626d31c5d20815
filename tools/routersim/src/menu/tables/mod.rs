//! All menus, by area.

mod address_list;
mod certificate;
pub mod defaults;
mod file;
mod firewall;
mod hardware;
mod interface;
mod ip;
mod log;
mod lookup;
mod routing;
mod script;
mod services;
mod short;
pub mod stored;
mod system;
mod tool;
mod tunnel;
mod user;

pub use address_list::EXPIRING_MENUS;
pub use interface::{INTERFACE_MENUS, INTERFACES};
pub use lookup::{MENUS, all_by_path, by_path};
pub use script::ALL_POLICIES;
