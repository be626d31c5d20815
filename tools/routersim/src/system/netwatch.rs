//! `/tool netwatch`: a host is asked by an echo, and a script runs when its answer changes.
//!
//! Of the types of 7.x `simple` and `icmp` ask so; of an item of another type nothing is found out. When scripts of an item
//! run that was never looked at before is not known: here they do \[verify\].

use std::rc::Rc;
use std::time::Duration;

use super::core::System;
use super::who::{Policy, Who};
use crate::menu::Item;
use crate::menu::time::parse_duration;
use crate::net::{PingOptions, PingOutcome};
use crate::record::{Phase, Via};

const MENU: &str = "/tool/netwatch";
/// What its scripts may do (MikroTik manual, Netwatch).
const POLICY: &str = "read,write,test,reboot";

/// What is known of one host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched {
    /// A job of an older one ends.
    generation: u64,
    /// Whether it answered last.
    pub up: Option<bool>,
    /// Since when, in seconds of the clock.
    pub since: u64,
}

fn duration(item: &Item, name: &str, or: u64) -> Duration {
    let given = item.get(name).and_then(parse_duration).unwrap_or(Duration::from_secs(or));
    given.max(Duration::from_millis(100))
}

impl System {
    /// With every start of the system.
    pub(crate) fn start_netwatch(self: &Rc<Self>) {
        let items = self.config(|config| config.items(MENU).to_vec());
        items.iter().for_each(|item| self.watch(item));
    }

    /// After an item was added, changed or removed.
    pub(crate) fn watch_anew(&self, id: u32, gone: bool) {
        let item = self.config(|config| config.item(MENU, id).cloned());
        if let (Some(sys), Phase::Up) = (self.rc(), self.phase()) {
            match item {
                Some(item) if !gone => sys.watch(&item),
                _ => _ = self.volatile.borrow_mut().watched.remove(&id),
            }
        }
    }

    fn watch(self: &Rc<Self>, item: &Item) {
        let generation = {
            let mut volatile = self.volatile.borrow_mut();
            let known = volatile.watched.entry(item.id).or_default();
            *known = Watched { generation: known.generation + 1, up: None, since: 0 };
            known.generation
        };
        let asked = matches!(item.get("type"), None | Some("simple" | "icmp"));
        let (true, false, Some(host)) = (asked, item.disabled, item.get("host").and_then(|host| host.parse().ok()))
        else {
            return;
        };
        let (sys, item) = (Rc::clone(self), item.clone());
        let v7 = self.spec.version.is_v7();
        let every = duration(&item, "interval", if v7 { 10 } else { 60 });
        let options = PingOptions {
            count: 1,
            interval: duration(&item, "timeout", if v7 { 3 } else { 1 }),
            ..PingOptions::default()
        };
        self.kernel.spawn(format!("netwatch *{:X}", item.id), async move {
            loop {
                let next = sys.kernel.now() + every;
                let Some(net) = sys.net() else { return };
                let reply = net.ping_once(host, 0, &options).await;
                let up = matches!(reply.outcome, PingOutcome::Reply { .. });
                let Some(changed) = sys.noticed(item.id, generation, up) else { return };
                if changed {
                    sys.netwatch_event(&item, up);
                }
                sys.kernel.sleep_until(next).await;
            }
        });
    }

    /// Whether this is a change; `None`: the item is another one by now.
    fn noticed(&self, id: u32, generation: u64, up: bool) -> Option<bool> {
        let since = self.unix_time();
        let mut volatile = self.volatile.borrow_mut();
        let known = volatile.watched.get_mut(&id).filter(|known| known.generation == generation)?;
        let changed = known.up != Some(up);
        if changed {
            *known = Watched { up: Some(up), since, ..*known };
        }
        Some(changed)
    }

    fn netwatch_event(self: &Rc<Self>, item: &Item, up: bool) {
        let word = if up { "up" } else { "down" };
        let host = item.get("host").unwrap_or_default();
        if self.spec.version.is_v7() {
            let kind = item.get("type").unwrap_or("simple");
            self.log("netwatch,info", &format!("event {word} [ type: {kind}, host: {host} ]"));
        }
        let Some(script) = item.get(&format!("{word}-script")).filter(|script| !script.is_empty()) else { return };
        let who = Who { policy: Policy::from_list(POLICY), ..Who::system(Via::Netwatch) };
        self.spawn_event(&format!("netwatch {host}"), script.to_owned(), who);
    }
}
