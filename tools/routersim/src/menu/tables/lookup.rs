//! The list of all menus and how one is found.

use super::{file, interface, ip, other, system, tool, user};
use crate::menu::def::Menu;

/// All menus. `export` writes them in this order, so that what is referred to comes first.
pub static MENUS: &[&[&Menu]] =
    &[interface::MENUS, ip::MENUS, other::MENUS, system::MENUS, tool::MENUS, user::MENUS, file::MENUS];

/// The menu of that path (`/ip/address`), in whatever version.
pub fn by_path(path: &str) -> Option<&'static Menu> {
    MENUS.iter().flat_map(|area| area.iter()).copied().find(|menu| menu.path == path)
}
