//! The list of all menus and how one is found.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use routeros_script::Version;

use super::{
    certificate, file, firewall, hardware, interface, ip, log, routing, script, services, stored, system, tool, tunnel,
    user,
};
use crate::menu::def::Menu;

/// All menus. `export` writes them in this order, so that what is referred to comes first.
pub static MENUS: &[&[&Menu]] = &[
    interface::MENUS,
    tunnel::MENUS,
    interface::MEMBERS,
    ip::MENUS,
    firewall::MENUS,
    certificate::MENUS,
    services::MENUS,
    routing::MENUS,
    log::MENUS,
    hardware::MENUS,
    system::MENUS,
    script::MENUS,
    tool::MENUS,
    user::MENUS,
    file::MENUS,
];

/// One for all routers of a process: where a path differs by version, both menus stand there.
static BY_PATH: LazyLock<BTreeMap<&'static str, Vec<&'static Menu>>> = LazyLock::new(|| {
    let mut index: BTreeMap<&'static str, Vec<&'static Menu>> = BTreeMap::new();
    for menu in MENUS.iter().flat_map(|area| area.iter()).copied() {
        index.entry(menu.path).or_default().push(menu);
    }
    index
});

/// The menus of that path (`/ip/address`), in whatever version.
pub fn all_by_path(path: &str) -> &'static [&'static Menu] {
    BY_PATH.get(path).map_or(&[], Vec::as_slice)
}

/// Whether there is a table of that path, in whatever version.
pub(super) fn has_table(path: &str) -> bool {
    BY_PATH.contains_key(path)
}

/// The first menu of that path, in whatever version: the only one of all but a few paths. Where there is no table, what the
/// newest tree has, or 6.x.
pub fn by_path(path: &str) -> Option<&'static Menu> {
    let stored = |version| stored::of(version, true).menu(path);
    let newest = || stored(Version::new(u16::MAX, 0, 0));
    all_by_path(path).first().copied().or_else(newest).or_else(|| stored(Version::new(6, 0, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_counts_the_menus() {
        let page = include_str!("../../../../../docs/simulator.md");
        let said = format!("**Menus**: {} of", BY_PATH.len());
        assert!(page.contains(&said), "{said}");
    }
}
