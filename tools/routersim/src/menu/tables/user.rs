//! `/user` and below.

use super::interface::{LIST_MENU, SINGLE_MENU};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Plain};
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::menu::time::Calendar;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[&USER, &GROUP, &SETTINGS, &AAA, &ACTIVE];

static USER: Menu = Menu {
    path: "/user",
    props: &[
        prop("name", Kind::Str).req(),
        prop("password", Kind::Str).write_only(),
        prop("group", Kind::Ref("/user/group", &[])).req(),
        prop("address", Kind::List(&Kind::Net)).or(""),
        prop("last-logged-in", Kind::Str).ro(),
    ],
    flags: &[flag('X', "disabled")],
    columns: &["name", "group", "address", "last-logged-in"],
    id_space: "/user",
    export: Export::No,
    hooks: &UserHooks,
    ..LIST_MENU
};

struct UserHooks;

impl Hooks for UserHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let last = sys.storage.borrow().last_logins.get(item.get("name").unwrap_or_default()).copied();
        if let Some(last) = last {
            let when = Calendar::from_unix(last);
            row.put("last-logged-in", format!("{} {}", when.date(sys.spec.version.is_v7()), when.time()));
        }
        true
    }

    fn given(&self, sys: &System, name: &str, text: &str) -> Result<(), Refused> {
        // also one that the user has already: rules may have been made stricter since
        if name == "password" { sys.check_password(text).map_err(Refused::failure) } else { Ok(()) }
    }

    fn removing(&self, sys: &System, item: &Item) -> Result<(), Refused> {
        let others = sys.config(|config| {
            let users = config.items("/user");
            users
                .iter()
                .filter(|user| user.id != item.id && user.get("group") == Some("full") && !user.disabled)
                .count()
        });
        if item.get("group") == Some("full") && others == 0 {
            return Err(Refused::failure("can't remove last user with full permissions"));
        }
        Ok(())
    }

    fn duplicate(&self) -> Option<&'static str> {
        Some("failure: user with the same name already exists")
    }
}

static GROUP: Menu = Menu {
    path: "/user/group",
    props: &[
        prop("name", Kind::Str).req(),
        prop("policy", Kind::List(&Kind::Str)).or(""),
        prop("skin", Kind::Str).or("default"),
    ],
    columns: &["name", "policy", "skin"],
    printed: Style::Detail,
    verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE).and(Verbs::COMMENT),
    id_space: "/user/group",
    export: Export::AddOrSet("name"),
    hooks: &Plain,
    ..LIST_MENU
};

static AAA: Menu = Menu {
    path: "/user/aaa",
    props: &[
        prop("use-radius", Kind::Bool).or("no"),
        prop("accounting", Kind::Bool).or("yes"),
        prop("interim-update", Kind::Time).or("0s"),
        prop("default-group", Kind::Ref("/user/group", &[])).or("read"),
        prop("exclude-groups", Kind::Word).or(""),
    ],
    ..SINGLE_MENU
};

static SETTINGS: Menu = Menu {
    path: "/user/settings",
    props: &[prop("minimum-password-length", Kind::Num(0, 127)), prop("minimum-categories", Kind::Num(0, 4))],
    when: |v, _| v.is_v7(),
    hooks: &SettingsHooks,
    ..SINGLE_MENU
};

struct SettingsHooks;

impl Hooks for SettingsHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        for (name, own) in [
            ("minimum-password-length", sys.quirks.password_length),
            ("minimum-categories", sys.quirks.password_categories),
        ] {
            let value = item.get(name).map_or_else(|| own.to_string(), str::to_owned);
            row.put(name, value);
        }
        true
    }
}

static ACTIVE: Menu = Menu {
    path: "/user/active",
    props: &[
        prop("when", Kind::Str).ro(),
        prop("name", Kind::Str).ro(),
        prop("address", Kind::Str).ro(),
        prop("via", Kind::Str).ro(),
    ],
    columns: &["when", "name", "address", "via"],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &ActiveHooks,
    ..LIST_MENU
};

struct ActiveHooks;

impl Hooks for ActiveHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let v7 = sys.spec.version.is_v7();
        let volatile = sys.volatile.borrow();
        let rows = volatile.sessions.iter().map(|open| {
            let when = Calendar::from_unix(open.since);
            Row::new(u32::try_from(open.session.0).unwrap_or(0))
                .with("when", format!("{} {}", when.date(v7), when.time()))
                .with("name", open.user.as_str())
                .with("address", open.from.as_str())
                .with("via", open.via)
        });
        Some(rows.collect())
    }
}
