//! `/log`.

use super::interface::LIST_MENU;
use crate::menu::def::{Export, Menu, Verbs, prop};
use crate::menu::hooks::Hooks;
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::row::Row;
use crate::menu::time::Calendar;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[&LOG];

/// Where the numbers of lines on the disk begin.
const DISK_ID: u32 = 0x4000_0000;

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
        let (volatile, storage) = (sys.volatile.borrow(), sys.storage.borrow());
        // those of disk actions, of earlier boots too, have numbers of their own
        let kept = storage.disk_log.lines().map(|line| (DISK_ID, line));
        let lines = kept.chain(volatile.log.lines().map(|line| (0, line)));
        let rows = lines.map(|(space, line)| {
            let when = Calendar::from_unix(line.time);
            let time = if v7 {
                format!("{} {}", when.date(true), when.time())
            } else if line.time / 86_400 == today {
                when.time()
            } else {
                format!("{}/{:02} {}", when.month_name(), when.day, when.time())
            };
            Row::new(space + line.id % DISK_ID)
                .with("time", time)
                .with("buffer", line.buffer.as_str())
                .with("topics", line.topics.as_str())
                .with("message", line.message.as_str())
        });
        Some(rows.collect())
    }
}
