//! Menus that the pair only reads or switches, and the log.

use super::interface::LIST_MENU;
use super::ip::DYNAMIC_ID;
use crate::menu::def::{Export, Menu, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Plain, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::row::Row;
use crate::menu::time::Calendar;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[&PPP_SECRET, &BGP_PEER, &BGP_CONNECTION, &LOG];

static PPP_SECRET: Menu = Menu {
    path: "/ppp/secret",
    props: &[
        prop("name", Kind::Str).req(),
        prop("service", Kind::Enum(&["any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp"])).or("any"),
        prop("password", Kind::Str).or("").secret(),
        prop("profile", Kind::Str).or("default"),
        prop("remote-address", Kind::Str),
    ],
    flags: &[flag('X', "disabled")],
    columns: &["name", "service", "profile", "remote-address"],
    id_space: "/ppp/secret",
    hooks: &UniqueName,
    ..LIST_MENU
};

static BGP_PEER: Menu = Menu {
    path: "/routing/bgp/peer",
    props: &[
        prop("name", Kind::Str),
        prop("remote-address", Kind::Ip).req(),
        prop("remote-as", Kind::Num(0, 4_294_967_295)).req(),
    ],
    flags: &[flag('X', "disabled"), flag('E', "established")],
    columns: &["name", "remote-address", "remote-as"],
    when: V6,
    id_space: "/routing/bgp/peer",
    hooks: &Plain,
    ..LIST_MENU
};

static BGP_CONNECTION: Menu = Menu {
    path: "/routing/bgp/connection",
    props: &[prop("name", Kind::Str).req(), prop("remote.address", Kind::Str), prop("as", Kind::Num(0, 4_294_967_295))],
    flags: &[flag('X', "disabled"), flag('I', "inactive")],
    columns: &["name", "remote.address"],
    when: V7,
    id_space: "/routing/bgp/connection",
    hooks: &Plain,
    ..LIST_MENU
};

static LOG: Menu = Menu {
    path: "/log",
    props: &[
        prop("time", Kind::Str).ro(),
        prop("buffer", Kind::Str).ro(),
        prop("topics", Kind::List(&Kind::Str)).ro(),
        prop("message", Kind::Str).ro(),
    ],
    columns: &["time", "topics", "message"],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &LogHooks,
    ..LIST_MENU
};

struct LogHooks;

impl Hooks for LogHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let today = sys.unix_time() / 86_400;
        let v7 = sys.spec.version.is_v7();
        let volatile = sys.volatile.borrow();
        let rows = volatile.log.lines().map(|line| {
            let when = Calendar::from_unix(line.time);
            let time = if v7 {
                format!("{} {}", when.date(true), when.time())
            } else if line.time / 86_400 == today {
                when.time()
            } else {
                format!("{}/{:02} {}", when.month_name(), when.day, when.time())
            };
            Row::new(line.id % DYNAMIC_ID)
                .with("time", time)
                .with("buffer", "memory")
                .with("topics", line.topics.as_str())
                .with("message", line.message.as_str())
        });
        Some(rows.collect())
    }
}
