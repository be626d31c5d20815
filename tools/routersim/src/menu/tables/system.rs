//! `/system` and below.

use super::interface::{LIST_MENU, SINGLE_MENU};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Prop, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::menu::time::{Calendar, format_duration, parse_duration};
use crate::quirks::DeviceMode;
use crate::system::{FEATURES, System};

pub(super) static MENUS: &[&Menu] = &[
    &CLOCK,
    &DEVICE_MODE,
    &HISTORY,
    &IDENTITY,
    &LICENSE,
    &LOGGING_ACTION,
    &LOGGING,
    &NOTE,
    &NTP_CLIENT,
    &PACKAGE,
    &PACKAGE_UPDATE,
    &RESOURCE,
    &ROUTERBOARD,
    &ROUTERBOARD_SETTINGS,
];

pub(super) const fn ro(name: &'static str, kind: Kind) -> Prop {
    prop(name, kind).ro()
}

pub(super) const COUNT: Kind = Kind::Num(0, i64::MAX);

static IDENTITY: Menu =
    Menu { path: "/system/identity", props: &[prop("name", Kind::Str).or("MikroTik")], ..SINGLE_MENU };

static NOTE: Menu = Menu {
    path: "/system/note",
    props: &[prop("show-at-login", Kind::Bool).or("yes"), prop("note", Kind::Str).or("")],
    ..SINGLE_MENU
};

static RESOURCE: Menu = Menu {
    path: "/system/resource",
    props: &[
        ro("uptime", Kind::Time),
        ro("version", Kind::Str),
        ro("build-time", Kind::Str),
        ro("factory-software", Kind::Str),
        ro("free-memory", Kind::Bytes),
        ro("total-memory", Kind::Bytes),
        ro("cpu", Kind::Str),
        ro("cpu-count", COUNT),
        ro("cpu-frequency", Kind::Unit("MHz")),
        ro("cpu-load", Kind::Unit("%")),
        ro("free-hdd-space", Kind::Bytes),
        ro("total-hdd-space", Kind::Bytes),
        ro("bad-blocks", Kind::Unit("%")),
        ro("architecture-name", Kind::Str),
        ro("board-name", Kind::Str),
        ro("platform", Kind::Str),
    ],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &ResourceHooks,
    ..SINGLE_MENU
};

struct ResourceHooks;

impl Hooks for ResourceHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        let board = sys.board;
        let (used, capacity) = {
            let storage = sys.storage.borrow();
            (storage.files.used(), storage.files.capacity())
        };
        row.put("uptime", format_duration(std::time::Duration::from_secs(sys.uptime().as_secs())));
        row.put("version", sys.spec.version.with_channel());
        row.put("build-time", sys.spec.version.build_time());
        row.put("factory-software", sys.storage.borrow().factory_firmware.to_string());
        row.put("free-memory", (board.memory / 8 * 7).to_string());
        row.put("total-memory", board.memory.to_string());
        row.put("cpu", board.cpu);
        row.put("cpu-count", board.cpu_count.to_string());
        row.put("cpu-frequency", "1000");
        row.put("cpu-load", "1");
        if board.routerboard {
            row.put("bad-blocks", "0");
        }
        row.put("free-hdd-space", capacity.saturating_sub(used).to_string());
        row.put("total-hdd-space", board.storage.to_string());
        row.put("architecture-name", board.architecture);
        row.put("board-name", board.name);
        row.put("platform", "MikroTik");
        true
    }
}

static ROUTERBOARD: Menu = Menu {
    path: "/system/routerboard",
    props: &[
        ro("routerboard", Kind::Bool),
        ro("board-name", Kind::Str),
        ro("model", Kind::Str),
        ro("serial-number", Kind::Str),
        ro("firmware-type", Kind::Str),
        ro("factory-firmware", Kind::Str),
        ro("current-firmware", Kind::Str),
        ro("upgrade-firmware", Kind::Str),
    ],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &RouterboardHooks,
    ..SINGLE_MENU
};

struct RouterboardHooks;

impl Hooks for RouterboardHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        row.flag("routerboard", sys.board.routerboard);
        if sys.board.routerboard {
            row.put("board-name", sys.board.name);
            row.put("model", sys.board.name);
            row.put("serial-number", sys.spec.serial_number.as_str());
            row.put("firmware-type", if sys.board.architecture == "tile" { "tilegx" } else { sys.board.architecture });
            let storage = sys.storage.borrow();
            row.put("factory-firmware", storage.factory_firmware.to_string());
            row.put("current-firmware", storage.firmware.to_string());
            row.put("upgrade-firmware", sys.spec.version.to_string());
        }
        true
    }
}

/// RouterBOOT's settings lie in the board, not in the configuration: a reset leaves them.
static ROUTERBOARD_SETTINGS: Menu = Menu {
    path: "/system/routerboard/settings",
    props: &[
        prop("auto-upgrade", Kind::Bool).or("no"),
        prop("baud-rate", Kind::Str).or("115200"),
        prop("boot-delay", Kind::Str).or("2s"),
        prop("enter-setup-on", Kind::Enum(&["any-key", "delete-key"])).or("any-key"),
        prop("boot-device", Kind::Str).or("nand-if-fail-then-ethernet"),
        prop("boot-protocol", Kind::Enum(&["bootp", "dhcp"])).or("bootp"),
        prop("force-backup-booter", Kind::Bool).or("no"),
        prop("silent-boot", Kind::Bool).or("no"),
        prop("protected-routerboot", Kind::Enum(&["disabled", "enabled"])).or("disabled"),
    ],
    export: Export::No,
    hooks: &SettingsHooks,
    ..SINGLE_MENU
};

struct SettingsHooks;

impl Hooks for SettingsHooks {
    fn prepare(&self, sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        if !sys.board.routerboard {
            return Err(Refused::NoSuchItem);
        }
        let others = |item: &Item| Item { values: item.values.clone(), ..Item::default() };
        let (mut new, mut old) = (others(item), old.map(others).unwrap_or_default());
        new.values.remove("auto-upgrade");
        old.values.remove("auto-upgrade");
        if sys.quirks.routerboard_locked && new != old && !sys.device_allows("routerboard") {
            return Err(Refused::failure("not allowed by device-mode"));
        }
        Ok(())
    }
}

static LICENSE: Menu = Menu {
    path: "/system/license",
    props: &[ro("software-id", Kind::Str), ro("nlevel", COUNT), ro("features", Kind::Str)],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &LicenseHooks,
    ..SINGLE_MENU
};

struct LicenseHooks;

impl Hooks for LicenseHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        row.put("software-id", sys.software_id());
        row.put("nlevel", "6");
        row.put("features", "");
        true
    }
}

static PACKAGE: Menu = Menu {
    path: "/system/package",
    props: &[ro("name", Kind::Str), ro("version", Kind::Str), ro("build-time", Kind::Str), ro("scheduled", Kind::Str)],
    flags: &[flag('X', "disabled")],
    columns: &["name", "version", "build-time", "scheduled"],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &PackageHooks,
    ..LIST_MENU
};

struct PackageHooks;

impl Hooks for PackageHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let version = sys.spec.version;
        let names: Vec<String> = if version.is_v7() {
            vec!["routeros".to_owned()]
        } else {
            let bundle = format!("routeros-{}", sys.board.architecture);
            std::iter::once(bundle)
                .chain(["system", "security", "dhcp", "routing", "advanced-tools"].map(str::to_owned))
                .collect()
        };
        let rows = names.into_iter().zip(1..).map(|(name, id)| {
            let mut row = Row::new(id)
                .with("name", name)
                .with("version", version.to_string())
                .with("build-time", version.build_time())
                .with("scheduled", "");
            row.flag("disabled", false);
            row
        });
        Some(rows.collect())
    }
}

static DEVICE_MODE: Menu = Menu {
    path: "/system/device-mode",
    props: &[
        ro("mode", Kind::Str),
        ro("scheduler", Kind::Bool),
        ro("fetch", Kind::Bool),
        ro("smb", Kind::Bool),
        ro("email", Kind::Bool),
        ro("sniffer", Kind::Bool),
        ro("bandwidth-test", Kind::Bool),
        ro("romon", Kind::Bool),
        ro("proxy", Kind::Bool),
        ro("hotspot", Kind::Bool),
        ro("socks", Kind::Bool),
        ro("container", Kind::Bool),
        ro("traffic-gen", Kind::Bool),
        ro("routerboard", Kind::Bool),
        ro("partitions", Kind::Bool),
        ro("install-any-version", Kind::Bool),
        ro("flagged", Kind::Bool),
        ro("attempt-count", Kind::Num(0, 255)),
    ],
    verbs: Verbs::READ,
    when: V7,
    export: Export::No,
    hooks: &DeviceModeHooks,
    ..SINGLE_MENU
};

struct DeviceModeHooks;

impl Hooks for DeviceModeHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        let device = sys.storage.borrow().device.clone();
        row.put(
            "mode",
            match device.mode {
                DeviceMode::Advanced => "advanced",
                DeviceMode::Basic => "basic",
                DeviceMode::Home => "home",
                DeviceMode::Rose => "rose",
            },
        );
        for (feature, _) in FEATURES {
            row.flag(feature, device.allows(feature));
        }
        row.flag("flagged", false);
        row.put("attempt-count", device.attempts.to_string());
        true
    }
}

static CLOCK: Menu = Menu {
    path: "/system/clock",
    props: &[
        // Types measured on 7.21 by others.
        prop("time", Kind::Time),
        prop("date", Kind::Str),
        prop("time-zone-autodetect", Kind::Bool).or("yes"),
        prop("time-zone-name", Kind::Str).or("manual"),
        ro("gmt-offset", Kind::Offset),
    ],
    hooks: &ClockHooks,
    ..SINGLE_MENU
};

/// Time zones have names only: the clock shows UTC in all of them.
struct ClockHooks;

impl Hooks for ClockHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        let now = Calendar::from_unix(sys.unix_time());
        row.put("time", now.time());
        row.put("date", now.date(sys.spec.version.is_v7()));
        row.put("gmt-offset", "+00:00");
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        let mut now = Calendar::from_unix(sys.unix_time());
        let before = now.to_unix();
        if let Some(date) = item.values.remove("date") {
            let date = Calendar::parse_date(&date).ok_or_else(|| Refused::InvalidValue("date".to_owned()))?;
            now = Calendar { second: now.second, ..date };
        }
        if let Some(time) = item.values.remove("time") {
            let time = parse_duration(&time).ok_or_else(|| Refused::InvalidValue("time".to_owned()))?;
            now.second = time.as_secs() % 86_400;
        }
        let shift = i64::try_from(now.to_unix()).unwrap_or(0) - i64::try_from(before).unwrap_or(0);
        sys.storage.borrow_mut().clock_offset += shift;
        Ok(())
    }
}

static NTP_CLIENT: Menu = Menu {
    path: "/system/ntp/client",
    props: &[
        prop("enabled", Kind::Bool).or("no"),
        prop("primary-ntp", Kind::Ip).or("0.0.0.0").when(V6),
        prop("secondary-ntp", Kind::Ip).or("0.0.0.0").when(V6),
        prop("server-dns-names", Kind::Str).or("").when(V6),
        prop("mode", Kind::Enum(&["unicast", "broadcast", "multicast", "manycast"])).or("unicast"),
        prop("servers", Kind::List(&Kind::Str)).or("").when(V7),
        prop("vrf", Kind::Str).or("main").when(V7),
        ro("status", Kind::Str).when(V7),
    ],
    ..SINGLE_MENU
};

/// Rules of what is logged where.
static LOGGING: Menu = Menu {
    path: "/system/logging",
    props: &[
        prop("topics", Kind::List(&Kind::Word)).or("info"),
        prop("prefix", Kind::Str).or(""),
        prop("action", Kind::Ref("/system/logging/action", &[])).or("memory"),
    ],
    flags: &[flag('X', "disabled"), flag('I', "invalid"), flag('*', "default")],
    columns: &["topics", "action", "prefix"],
    id_space: "/system/logging",
    hooks: &LoggingHooks,
    ..LIST_MENU
};

struct LoggingHooks;

impl Hooks for LoggingHooks {
    fn fill(&self, _sys: &System, item: &Item, row: &mut Row) -> bool {
        row.flag("default", item.builtin);
        true
    }
}

/// Where a line can go. What is sent to a server is seen by nobody here.
static LOGGING_ACTION: Menu = Menu {
    path: "/system/logging/action",
    props: &[
        prop("name", Kind::Str).req(),
        prop("target", Kind::Enum(&["disk", "echo", "email", "memory", "remote"])).or("memory"),
        prop("memory-lines", Kind::Num(1, 65_535)).or("1000").quiet(),
        prop("memory-stop-on-full", Kind::Bool).or("no").quiet(),
        prop("disk-file-name", Kind::Str).or("log").quiet(),
        prop("disk-lines-per-file", Kind::Num(1, 65_535)).or("1000").quiet(),
        prop("disk-file-count", Kind::Num(1, 65_535)).or("2").quiet(),
        prop("disk-stop-on-full", Kind::Bool).or("no").quiet(),
        prop("remember", Kind::Bool).or("yes").quiet(),
        prop("remote", Kind::Word).or("0.0.0.0").quiet(),
        prop("remote-port", Kind::Num(0, 65_535)).or("514").quiet(),
        prop("src-address", Kind::Ip).or("0.0.0.0").quiet(),
        prop("bsd-syslog", Kind::Bool).or("no").quiet(),
        prop("syslog-facility", Kind::Word).or("daemon").quiet(),
        prop("syslog-severity", Kind::Word).or("auto").quiet(),
        prop("email-to", Kind::Str).or("").quiet(),
    ],
    flags: &[flag('*', "default")],
    columns: &["name", "target", "remote"],
    verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE),
    id_space: "/system/logging/action",
    export: Export::AddOrSet("name"),
    hooks: &ActionHooks,
    ..LIST_MENU
};

struct ActionHooks;

impl Hooks for ActionHooks {
    fn fill(&self, _sys: &System, item: &Item, row: &mut Row) -> bool {
        row.flag("default", item.builtin);
        true
    }

    fn duplicate(&self) -> Option<&'static str> {
        UniqueName.duplicate()
    }
}

static PACKAGE_UPDATE: Menu = Menu {
    path: "/system/package/update",
    props: &[prop("channel", crate::system::CHANNELS).or("stable"), ro("installed-version", Kind::Word)],
    export: Export::No,
    hooks: &PackageUpdateHooks,
    ..SINGLE_MENU
};

struct PackageUpdateHooks;

impl Hooks for PackageUpdateHooks {
    fn fill(&self, sys: &System, _item: &Item, row: &mut Row) -> bool {
        row.put("installed-version", sys.spec.version.to_string());
        true
    }
}

static HISTORY: Menu = Menu {
    path: "/system/history",
    props: &[
        ro("action", Kind::Str),
        ro("by", Kind::Str),
        ro("policy", Kind::List(&Kind::Str)),
        ro("time", Kind::Str),
        ro("redo", Kind::Str).when(V7),
        ro("undo", Kind::Str).when(V7),
    ],
    flags: &[flag('U', "undoable"), flag('R', "redoable"), flag('F', "floating-undo")],
    columns: &["action", "by", "policy"],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &HistoryHooks,
    ..LIST_MENU
};

struct HistoryHooks;

impl Hooks for HistoryHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let v7 = sys.spec.version.is_v7();
        let volatile = sys.volatile.borrow();
        let rows = volatile.history.actions().map(|action| {
            let when = Calendar::from_unix(action.time);
            let mut row = Row::new(action.id)
                .with("action", action.action.as_str())
                .with("by", action.by.as_str())
                .with("policy", "write")
                .with("time", format!("{} {}", when.date(v7), when.time()));
            if sys.quirks.history_undo_text {
                row.put("redo", action.redo.as_str());
                row.put("undo", action.undo.as_str());
            }
            row.flag("undoable", !action.undone);
            row.flag("redoable", action.undone);
            row.flag("floating-undo", action.floating.is_some());
            row
        });
        Some(rows.collect())
    }
}
