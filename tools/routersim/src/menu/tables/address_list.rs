//! Address lists. An entry with a timeout is dynamic: it lies in RAM, counts down and vanishes.

use std::time::Duration;

use super::interface::LIST_MENU;
use super::short::{list, time, word};
use crate::menu::config::Item;
use crate::menu::def::{Menu, flag};
use crate::menu::hooks::Hooks;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::menu::time::{format_duration, parse_duration};
use crate::system::System;

/// Menus whose items with a timeout end with a boot.
pub const EXPIRING_MENUS: &[&str] = &["/ip/firewall/address-list", "/ipv6/firewall/address-list"];

list!(pub(super) LIST, "/ip/firewall/address-list", [
    word("list").req(),
    word("address").req(),
    word("creation-time").ro(),
    time("timeout"),
], columns ["list", "address", "creation-time", "timeout"],
    flags: &[flag('X', "disabled"), flag('D', "dynamic")], hooks: &Expiring("/ip/firewall/address-list"));
list!(pub(super) IPV6_LIST, "/ipv6/firewall/address-list", [
    word("list").req(),
    word("address").req(),
    word("creation-time").ro(),
    time("timeout"),
], columns ["list", "address", "creation-time", "timeout"],
    flags: &[flag('X', "disabled"), flag('D', "dynamic")], hooks: &Expiring("/ipv6/firewall/address-list"));

struct Expiring(&'static str);

impl Hooks for Expiring {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let volatile = sys.volatile.borrow();
        if let Some((_, at)) = volatile.expiring.get(&(self.0, item.id)) {
            let left = at.saturating_since(sys.kernel.now()).as_secs();
            row.put("timeout", format_duration(Duration::from_secs(left)));
            row.flag("dynamic", true);
        }
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        // None is what a timeout of nothing is [verify].
        if item.get("timeout").and_then(parse_duration).is_some_and(|time| time.is_zero()) {
            item.values.remove("timeout");
        }
        let same = |other: &Item| {
            other.id != item.id && ["list", "address"].iter().all(|name| other.get(name) == item.get(name))
        };
        if sys.config(|config| config.items(self.0).iter().any(same)) {
            return Err(Refused::failure("already have such entry"));
        }
        if old.is_none() {
            item.put("creation-time", sys.stamp_of(sys.kernel.now()));
        }
        Ok(())
    }

    fn changed(&self, sys: &System, item: &Item, gone: bool) {
        let key = (self.0, item.id);
        let wanted = item.get("timeout").filter(|_| !gone);
        let mut volatile = sys.volatile.borrow_mut();
        if volatile.expiring.get(&key).map(|(timeout, _)| timeout.as_str()) == wanted {
            return; // something else was set
        }
        volatile.expiring.remove(&key);
        let (Some(timeout), Some(sys)) = (wanted, sys.rc()) else { return };
        let at = sys.kernel.now() + parse_duration(timeout).unwrap_or_default();
        volatile.expiring.insert(key, (timeout.to_owned(), at));
        let kernel = sys.kernel.clone();
        kernel.clone().spawn("address-list", async move {
            kernel.sleep_until(at).await;
            let due = sys.volatile.borrow().expiring.get(&key).is_some_and(|(_, due)| *due == at);
            if due {
                sys.volatile.borrow_mut().expiring.remove(&key);
                sys.config_mut(|config| config.remove(key.0, key.1));
            }
        });
    }
}
