//! `/system script` and `/system scheduler`: what runs by itself, and what it has left.

use super::interface::LIST_MENU;
use super::system::{COUNT, ro};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::menu::time::{Calendar, format_clock, format_duration, parse_duration};
use crate::system::{Policy, System, Who};

pub(super) static MENUS: &[&Menu] = &[&SCHEDULER, &SCRIPT, &JOB, &ENVIRONMENT];

/// What a script may do when its entry does not say: everything a script has.
pub const ALL_POLICIES: &str = "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon";

const POLICY: Kind = Kind::List(&Kind::Enum(&[
    "dude",
    "ftp",
    "password",
    "policy",
    "read",
    "reboot",
    "romon",
    "sensitive",
    "sniff",
    "test",
    "write",
    "api",
    "local",
    "rest-api",
    "ssh",
    "telnet",
    "tikapp",
    "web",
    "winbox",
]));

static SCRIPT: Menu = Menu {
    path: "/system/script",
    props: &[
        prop("name", Kind::Str),
        prop("owner", Kind::Str),
        prop("policy", POLICY).or(ALL_POLICIES).always(),
        prop("dont-require-permissions", Kind::Bool).or("no").always(),
        ro("last-started", Kind::Str),
        ro("run-count", COUNT),
        prop("source", Kind::Str).or(""),
    ],
    flags: &[flag('I', "invalid")],
    columns: &["name", "owner", "last-started", "run-count"],
    printed: Style::Detail,
    verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE).and(Verbs::COMMENT),
    id_space: "/system/script",
    hooks: &ScriptHooks,
    ..LIST_MENU
};

fn put_runs(sys: &System, menu: &'static str, row: &mut Row) -> bool {
    let runs = sys.volatile.borrow().runs.get(&(menu, row.id)).copied();
    row.put("run-count", runs.map_or(0, |(count, _)| count).to_string());
    if let Some((_, last)) = runs {
        let when = Calendar::from_unix(last);
        row.put("last-started", format!("{} {}", when.date(sys.spec.version.is_v7()), when.time()));
    }
    true
}

/// A set, whatever order it was given in.
fn in_order(item: &mut Item) {
    if let Some(given) = item.get("policy") {
        let ordered = Policy::from_list(given).names();
        item.put("policy", ordered);
    }
}

/// `script1`: the first number that is free in the menu.
fn numbered(sys: &System, menu: &str, item: &mut Item, stem: &str) {
    if item.get("name").is_none() {
        let name = (1_u32..)
            .map(|n| format!("{stem}{n}"))
            .find(|name| sys.config(|config| config.by_name(menu, name).is_none()));
        item.put("name", name.unwrap_or_else(|| stem.to_owned()));
    }
}

struct ScriptHooks;

impl Hooks for ScriptHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        put_runs(sys, SCRIPT.path, row)
    }

    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        numbered(sys, SCRIPT.path, item, "script");
        in_order(item);
        Ok(())
    }

    fn duplicate(&self) -> Option<&'static str> {
        UniqueName.duplicate()
    }

    fn owned(&self) -> bool {
        true
    }
}

static JOB: Menu = Menu {
    path: "/system/script/job",
    props: &[
        ro("script", Kind::Str),
        ro("owner", Kind::Str),
        ro("policy", POLICY),
        ro("type", Kind::Str),
        ro("started", Kind::Str),
    ],
    columns: &["script", "owner", "type", "started"],
    verbs: Verbs::REMOVE,
    export: Export::No,
    hooks: &JobHooks,
    ..LIST_MENU
};

struct JobHooks;

impl Hooks for JobHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let v7 = sys.spec.version.is_v7();
        let volatile = sys.volatile.borrow();
        let rows = volatile.jobs.list().map(|job| {
            let when = Calendar::from_unix(job.started);
            let mut row = Row::new(job.id)
                .with("owner", job.owner.as_str())
                .with("type", job.kind)
                .with("started", format!("{} {}", when.date(v7), when.time()));
            if let Some(script) = &job.script {
                row.put("script", script.as_str());
            }
            row
        });
        Some(rows.collect())
    }

    fn remove_row(&self, sys: &System, id: u32, _who: &Who) -> Option<Result<(), Refused>> {
        Some(if sys.end_job(id) { Ok(()) } else { Err(Refused::NoSuchItem) })
    }
}

static ENVIRONMENT: Menu = Menu {
    path: "/system/script/environment",
    props: &[ro("name", Kind::Str), ro("user", Kind::Str), ro("value", Kind::Str)],
    columns: &["name", "value"],
    verbs: Verbs::REMOVE,
    export: Export::No,
    hooks: &EnvironmentHooks,
    ..LIST_MENU
};

struct EnvironmentHooks;

impl Hooks for EnvironmentHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let rows =
            sys.globals().into_iter().zip(1..).map(|((user, name, value), id)| {
                Row::new(id).with("name", name).with("user", user).with("value", value)
            });
        Some(rows.collect())
    }

    fn remove_row(&self, sys: &System, id: u32, _who: &Who) -> Option<Result<(), Refused>> {
        Some(if sys.forget_global(id) { Ok(()) } else { Err(Refused::NoSuchItem) })
    }
}

static SCHEDULER: Menu = Menu {
    path: "/system/scheduler",
    props: &[
        prop("name", Kind::Str),
        prop("start-date", Kind::Date),
        prop("start-time", Kind::TimeOr(&["startup"])),
        prop("interval", Kind::Time).or("0s"),
        prop("on-event", Kind::Str).or(""),
        prop("owner", Kind::Str).ro(),
        prop("policy", POLICY).or(ALL_POLICIES).always(),
        ro("run-count", COUNT),
        ro("next-run", Kind::Str),
    ],
    flags: &[flag('X', "disabled")],
    columns: &["name", "start-date", "start-time", "interval", "on-event", "run-count"],
    id_space: "/system/scheduler",
    hooks: &SchedulerHooks,
    ..LIST_MENU
};

struct SchedulerHooks;

impl Hooks for SchedulerHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        if row.get("start-time") == Some("startup") {
            row.values.remove("start-date");
        } else if let Some(date) = row.get("start-date").and_then(Calendar::parse_date) {
            row.put("start-date", date.date(sys.spec.version.is_v7()));
        }
        if let Some(time) = row.get("start-time").and_then(parse_duration) {
            row.put("start-time", format_clock(time));
        }
        if let Some(due) = sys.due(row.id) {
            let when = Calendar::from_unix(due);
            row.put("next-run", format!("{} {}", when.date(sys.spec.version.is_v7()), when.time()));
        }
        put_runs(sys, SCHEDULER.path, row)
    }

    fn prepare(&self, sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        if !sys.device_allows("scheduler") && old.is_none() {
            return Err(Refused::failure("not allowed by device-mode"));
        }
        numbered(sys, SCHEDULER.path, item, "schedule");
        in_order(item);
        let now = Calendar::from_unix(sys.unix_time());
        if item.get("start-time").is_none() {
            item.put("start-time", format_duration(std::time::Duration::from_secs(now.second)));
        }
        if item.get("start-date").is_none() {
            item.put("start-date", now.date(true));
        }
        Ok(())
    }

    fn changed(&self, sys: &System, item: &Item, gone: bool) {
        sys.reschedule(item.id, gone);
    }

    fn duplicate(&self) -> Option<&'static str> {
        UniqueName.duplicate()
    }

    fn owned(&self) -> bool {
        true
    }
}
