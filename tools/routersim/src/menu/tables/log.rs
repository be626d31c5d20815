//! `/log`.

use super::interface::LIST_MENU;
use super::ip::DYNAMIC_ID;
use crate::menu::def::{Export, Menu, Verbs, prop};
use crate::menu::hooks::Hooks;
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::row::Row;
use crate::menu::time::Calendar;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[&LOG];

static LOG: Menu = Menu {
    path: "/log",
    props: &[
        prop("time", Kind::Str).ro(),
        prop("buffer", Kind::Str).ro(),
        prop("topics", Kind::List(&Kind::Word)).ro(),
        prop("message", Kind::Str).ro(),
    ],
    columns: &["time", "topics", "message"],
    printed: Style::Lines,
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
                .with("buffer", line.buffer.as_str())
                .with("topics", line.topics.as_str())
                .with("message", line.message.as_str())
        });
        Some(rows.collect())
    }
}
