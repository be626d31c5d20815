//! `/tool` and below.

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::ip::LIST_NAME;
use super::short::{count, list, no, single, text, time, word, yes};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::Hooks;
use crate::menu::row::Row;
use crate::menu::time::{Calendar, format_duration};
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[
    &MAC_SERVER,
    &MAC_WINBOX,
    &MAC_PING,
    &MAC_SESSIONS,
    &ROMON,
    &ROMON_PORT,
    &BANDWIDTH,
    &EMAIL,
    &NETWATCH,
    &GRAPHING,
    &SNIFFER,
];

single!(MAC_SERVER, "/tool/mac-server", [prop("allowed-interface-list", LIST_NAME).or("all")]);
single!(MAC_WINBOX, "/tool/mac-server/mac-winbox", [prop("allowed-interface-list", LIST_NAME).or("all")]);
single!(MAC_PING, "/tool/mac-server/ping", [yes("enabled")]);

/// MAC-Telnet sessions that are in.
struct Sessions;

impl Hooks for Sessions {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let now = sys.unix_time();
        let volatile = sys.volatile.borrow();
        let open = volatile.sessions.iter().filter(|open| open.via == "mac-telnet");
        Some(
            open.zip(1..)
                .map(|(open, id)| {
                    Row::new(id)
                        .with("src-address", open.from.as_str())
                        .with("uptime", format_duration(std::time::Duration::from_secs(now.saturating_sub(open.since))))
                })
                .collect(),
        )
    }
}

list!(MAC_SESSIONS, "/tool/mac-server/sessions", [word("interface").ro(), word("src-address").ro(), time("uptime").ro()],
    columns ["interface", "src-address", "uptime"], verbs: Verbs::READ, export: Export::No, hooks: &Sessions);
single!(ROMON, "/tool/romon", [no("enabled"), word("id").or("00:00:00:00:00:00"), text("secrets").or("").secret()]);
list!(ROMON_PORT, "/tool/romon/port", [
    word("interface").or("all"),
    no("forbid"),
    count("cost").or("100"),
    text("secrets").or("").secret(),
], columns ["interface", "forbid", "cost"], flags: &[flag('X', "disabled"), flag('D', "dynamic"), flag('*', "default")],
    export: Export::AddOrDefault, hooks: &super::services::Default);
single!(
    BANDWIDTH,
    "/tool/bandwidth-server",
    [yes("enabled"), yes("authenticate"), count("allocate-udp-ports-from").or("2000"), count("max-sessions").or("100"),]
);
single!(
    EMAIL,
    "/tool/e-mail",
    [
        word("address").or("0.0.0.0").when(V6),
        word("server").or("0.0.0.0").when(V7),
        count("port").or("25"),
        word("start-tls").or("no").when(V6),
        word("tls").or("no").when(V7),
        text("from").or("<>"),
        text("user").or(""),
        text("password").or("").secret(),
        text("last-status").ro(),
    ],
    hooks: &Mail
);

/// How the last attempt to send one ended.
struct Mail;

impl Hooks for Mail {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        if sys.volatile.borrow().mail_failed {
            row.put("last-status", "failed");
        }
        true
    }
}
list!(NETWATCH, "/tool/netwatch", [
    text("name").when(V7),
    word("host").req(),
    word("type").or("simple").when(V7),
    time("interval").or("1m").when(V6),
    time("interval").or("10s").when(V7),
    time("timeout").or("1s").when(V6),
    time("timeout").or("3s").when(V7),
    word("status").or("unknown").ro(),
    text("up-script").or(""),
    text("down-script").or(""),
    word("since").ro(),
], columns ["host", "timeout", "interval", "status"], hooks: &NetwatchHooks);

struct NetwatchHooks;

impl Hooks for NetwatchHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let known = sys.volatile.borrow().watched.get(&item.id).copied().unwrap_or_default();
        if let Some(up) = known.up {
            row.put("status", if up { "up" } else { "down" });
            let when = Calendar::from_unix(known.since);
            row.put("since", format!("{} {}", when.date(sys.spec.version.is_v7()), when.time()));
        }
        true
    }

    fn changed(&self, sys: &System, item: &Item, gone: bool) {
        sys.watch_anew(item.id, gone);
    }
}
single!(GRAPHING, "/tool/graphing", [time("store-every").or("5m"), count("page-refresh").or("300")]);
single!(SNIFFER, "/tool/sniffer", [
    no("only-headers"),
    word("memory-limit").or("100KiB"),
    yes("memory-scroll"),
    text("file-name").or(""),
    word("filter-interface").or("").quiet(),
], export: Export::Single);
