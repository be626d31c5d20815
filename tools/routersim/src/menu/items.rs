//! The generic menu engine: rows, choosing items, adding, setting, removing, moving.

use super::config::{Item, MAX_ITEMS};
use super::def::{Menu, Prop, Shape, UNSET, Verbs};
use super::kind::{Kind, References};
use super::refused::Refused;
use super::row::Row;
use super::tables;
use crate::record::EventKind;
use crate::system::{Change, Placed, Policy, System, Who};

/// A command's arguments by name, as text.
pub type Args = Vec<(String, String)>;

impl References for System {
    fn interface_exists(&self, name: &str) -> bool {
        let stored = || {
            let mut menus = self.stored().all();
            menus.any(|menu| {
                menu.path.starts_with("/interface/") && self.config(|config| config.by_name(menu.path, name).is_some())
            })
        };
        self.interface_names().iter().any(|known| known == name) || stored()
    }

    fn item_exists(&self, menu: &str, name: &str) -> bool {
        tables::by_path(menu).is_some_and(|menu| self.rows(menu).iter().any(|row| row.get("name") == Some(name)))
    }

    fn name_of(&self, menu: &str, id: &str) -> Option<String> {
        let id = u32::from_str_radix(id.strip_prefix('*')?, 16).ok()?;
        self.row(tables::by_path(menu)?, id)?.get("name").map(str::to_owned)
    }
}

impl System {
    /// The property of that name, in this version.
    pub fn prop(&self, menu: &'static Menu, name: &str) -> Option<&'static Prop> {
        menu.prop(name, self.spec.version, &self.quirks)
    }

    /// The properties of a menu in this version.
    pub fn props(&self, menu: &'static Menu) -> impl Iterator<Item = &'static Prop> {
        let (version, quirks) = (self.spec.version, &self.quirks);
        menu.props.iter().filter(move |prop| (prop.when)(version, quirks))
    }

    /// All rows of a menu, in order.
    pub fn rows(&self, menu: &'static Menu) -> Vec<Row> {
        if let Some(rows) = menu.hooks.rows(self) {
            return rows;
        }
        let mut items = self.config(|config| config.items(menu.path).to_vec());
        if items.is_empty() && menu.shape == Shape::Single {
            items.push(Item::default());
        }
        let mut rows = menu.hooks.dynamic(self);
        rows.extend(items.iter().filter_map(|item| self.stored_row(menu, item)));
        rows
    }

    /// A stored item as a reader sees it; `None` while it is hidden.
    pub fn stored_row(&self, menu: &'static Menu, item: &Item) -> Option<Row> {
        let mut row = Row::new(item.id);
        for prop in self.props(menu) {
            if prop.write_only {
                continue;
            }
            let default = prop.default.filter(|_| !prop.quiet);
            if let Some(value) = item.get(prop.name).or(default).filter(|value| *value != UNSET) {
                row.put(prop.name, value);
            }
        }
        if let Some(comment) = item.get("comment") {
            row.put("comment", comment);
        }
        for flag in menu.flags {
            row.flag(flag.name, false);
        }
        if menu.can_disable() {
            row.flag("disabled", item.disabled);
        }
        menu.hooks.fill(self, item, &mut row).then_some(row)
    }

    /// The row with that number.
    pub fn row(&self, menu: &'static Menu, id: u32) -> Option<Row> {
        if let Some(rows) = menu.hooks.rows(self) {
            return rows.into_iter().find(|row| row.id == id);
        }
        // Scripts ask for one property of one item after the other.
        match self.config(|config| config.item(menu.path, id).cloned()) {
            Some(item) => self.stored_row(menu, &item),
            None => self.rows(menu).into_iter().find(|row| row.id == id),
        }
    }

    /// The items that a text names: ids, numbers in the order of `print`, or names; several with commas.
    pub fn pick(&self, menu: &'static Menu, text: &str) -> Result<Vec<u32>, Refused> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let id = |text: &str| u32::from_str_radix(text.strip_prefix('*')?, 16).ok();
        if let Some(id) = id(text) {
            return self.row(menu, id).map(|row| vec![row.id]).ok_or(Refused::NoSuchItem);
        }
        let rows = self.rows(menu);
        if let Some(row) = rows.iter().find(|row| row.get("name") == Some(text)) {
            return Ok(vec![row.id]);
        }
        let mut ids = Vec::new();
        for part in text.split([',', ';']).filter(|part| !part.is_empty()) {
            let found = if part.starts_with('*') {
                id(part).filter(|id| rows.iter().any(|row| row.id == *id))
            } else if let Ok(number) = part.parse::<usize>() {
                rows.get(number).map(|row| row.id)
            } else {
                rows.iter().find(|row| row.get("name") == Some(part)).map(|row| row.id)
            };
            ids.push(found.ok_or(Refused::NoSuchItem)?);
        }
        Ok(ids)
    }

    fn want(&self, menu: &'static Menu, verb: Verbs, word: &'static str, who: &Who) -> Result<(), Refused> {
        if !menu.verbs.has(verb) {
            return Err(Refused::BadCommand(word.to_owned()));
        }
        let policy = if menu.path.starts_with("/user") { "write,policy" } else { "write" };
        if who.policy.covers(Policy::from_list(policy)) { Ok(()) } else { Err(Refused::NotPermitted) }
    }

    /// `add`: the new item's number.
    pub fn add(&self, menu: &'static Menu, args: &Args, who: &Who) -> Result<u32, Refused> {
        self.want(menu, Verbs::ADD, "add", who)?;
        if let Some(result) = menu.hooks.add_row(self, args, who) {
            return result.inspect(|id| self.note_change(menu, "add", *id, args, who, Vec::new()));
        }
        let mut item = Item::default();
        let mut at = None;
        for (name, text) in args {
            match name.as_str() {
                "place-before" if menu.shape == Shape::Ordered => {
                    let before = self.pick(menu, text)?;
                    let before = before.first().copied();
                    if before.is_some_and(|id| self.is_systems_own(menu, id)) {
                        return Err(Refused::failure("cannot move builtin"));
                    }
                    at = self.config(|config| config.items(menu.path).iter().position(|item| Some(item.id) == before));
                }
                "copy-from" => {
                    let from = self.pick(menu, text)?.first().copied().ok_or(Refused::NoSuchItem)?;
                    let from = self.config(|config| config.item(menu.path, from).cloned());
                    let from = from.ok_or(Refused::NoSuchItem)?;
                    item = Item { id: 0, builtin: false, ..from };
                }
                _ => self.put_value(menu, &mut item, name, text)?,
            }
        }
        let missing: Vec<&'static str> = self
            .props(menu)
            .filter(|prop| prop.required && item.get(prop.name).is_none())
            .map(|prop| prop.name)
            .collect();
        if !missing.is_empty() {
            return Err(Refused::Missing(missing));
        }
        if menu.hooks.owned() {
            if item.get("owner").is_none() {
                item.put("owner", who.user.as_ref());
            }
            let all = Policy::from_list(tables::ALL_POLICIES);
            if item.get("policy").is_none() && !who.policy.covers(all) {
                item.put("policy", who.policy.and(all).names());
            }
        }
        menu.hooks.prepare(self, &mut item, None)?;
        self.check_name(menu, &item)?;
        if self.config(|config| config.items(menu.path).len()) >= MAX_ITEMS {
            return Err(Refused::failure("too many items"));
        }
        let id = self.config_mut(|config| config.insert(menu.path, menu.id_space, item.clone(), at));
        item.id = id;
        let change = self.change_of(menu, id, None);
        self.after(menu, &item, false);
        self.note_change(menu, "add", id, args, who, vec![change]);
        Ok(id)
    }

    /// `set`, also with `disabled` and `comment`.
    pub fn set(&self, menu: &'static Menu, ids: &[u32], args: &Args, who: &Who) -> Result<(), Refused> {
        self.want(menu, Verbs::SET, "set", who)?;
        for id in ids {
            self.change(menu, *id, "set", args, who)?;
        }
        Ok(())
    }

    /// `enable` and `disable`.
    pub fn enable(&self, menu: &'static Menu, ids: &[u32], on: bool, who: &Who) -> Result<(), Refused> {
        let verb = if on { "enable" } else { "disable" };
        self.want(menu, Verbs::ENABLE, verb, who)?;
        let args = vec![("disabled".to_owned(), if on { "no" } else { "yes" }.to_owned())];
        for id in ids {
            self.change(menu, *id, verb, &args, who)?;
        }
        Ok(())
    }

    fn change(&self, menu: &'static Menu, id: u32, verb: &'static str, args: &Args, who: &Who) -> Result<(), Refused> {
        if let Some(result) = menu.hooks.set_row(self, id, args, who) {
            return result.inspect(|()| self.note_change(menu, verb, id, args, who, Vec::new()));
        }
        if self.is_systems_own(menu, id) {
            return Err(Refused::failure("cannot change builtin"));
        }
        let old = if menu.shape == Shape::Single {
            self.config_mut(|config| config.single_mut(menu.path).clone())
        } else {
            self.config(|config| config.item(menu.path, id).cloned()).ok_or(Refused::NoSuchItem)?
        };
        let mut item = old.clone();
        for (name, text) in args {
            self.put_value(menu, &mut item, name, text)?;
        }
        menu.hooks.prepare(self, &mut item, Some(&old))?;
        if item.get("name") != old.get("name") {
            self.check_name(menu, &item)?;
        }
        if item == old {
            menu.hooks.set_to_the_same(self);
            return Ok(());
        }
        let before = self.placed(menu.path, id);
        self.config_mut(|config| {
            if let Some(place) = config.item_mut(menu.path, id) {
                place.clone_from(&item);
            }
        });
        if let (Some(from), Some(to)) = (old.get("name"), item.get("name"))
            && from != to
        {
            self.rename_references(menu, from, to);
        }
        let change = self.change_of(menu, id, before);
        self.after(menu, &item, false);
        self.note_change(menu, verb, id, args, who, vec![change]);
        Ok(())
    }

    /// `unset`: the property goes back to its default, or to nothing.
    pub fn unset(&self, menu: &'static Menu, ids: &[u32], name: &str, who: &Who) -> Result<(), Refused> {
        self.want(menu, Verbs::SET, "unset", who)?;
        match self.prop(menu, name) {
            None if name != "comment" => return Err(self.no_property(menu, "unset", name, &who.user)),
            Some(prop) if prop.read_only || prop.required => return Err(Refused::NoMatch("value-name".to_owned())),
            _ => {}
        }
        for id in ids {
            let before = self.placed(menu.path, *id);
            let item = self.config_mut(|config| {
                let item = config.item_mut(menu.path, *id)?;
                item.values.remove(name);
                Some(item.clone())
            });
            let item = item.ok_or(Refused::NoSuchItem)?;
            let change = self.change_of(menu, *id, before);
            self.after(menu, &item, false);
            self.note_change(menu, "unset", *id, &vec![(name.to_owned(), String::new())], who, vec![change]);
        }
        Ok(())
    }

    /// `remove`.
    pub fn remove(&self, menu: &'static Menu, ids: &[u32], who: &Who) -> Result<(), Refused> {
        self.want(menu, Verbs::REMOVE, "remove", who)?;
        for id in ids {
            if let Some(result) = menu.hooks.remove_row(self, *id, who) {
                result?;
                self.note_change(menu, "remove", *id, &Args::new(), who, Vec::new());
                continue;
            }
            if self.is_systems_own(menu, *id) {
                return Err(Refused::failure("cannot remove builtin"));
            }
            let item = self.config(|config| config.item(menu.path, *id).cloned()).ok_or(Refused::NoSuchItem)?;
            if item.builtin {
                return Err(Refused::failure("can not remove builtin item"));
            }
            let mut changes = self.with_it(menu, &item);
            menu.hooks.removing(self, &item)?;
            let before = self.placed(menu.path, *id);
            self.config_mut(|config| config.remove(menu.path, *id));
            changes.push(self.change_of(menu, *id, before));
            self.after(menu, &item, true);
            self.note_change(menu, "remove", *id, &Args::new(), who, changes);
        }
        Ok(())
    }

    /// `move`: `ids` go before `before`, or to the end.
    pub fn move_items(&self, menu: &'static Menu, ids: &[u32], before: Option<u32>, who: &Who) -> Result<(), Refused> {
        self.want(menu, Verbs::SET, "move", who)?;
        if menu.shape != Shape::Ordered {
            return Err(Refused::BadCommand("move".to_owned()));
        }
        if before.iter().chain(ids).any(|id| self.is_systems_own(menu, *id)) {
            return Err(Refused::failure("cannot move builtin"));
        }
        for id in ids.iter().filter(|id| Some(**id) != before) {
            let placed = self.placed(menu.path, *id);
            let moved = self.config_mut(|config| {
                let item = config.remove(menu.path, *id)?;
                let items = config.items_mut(menu.path);
                let at = items.iter().position(|other| Some(other.id) == before).unwrap_or(items.len());
                items.insert(at, item.clone());
                Some(item)
            });
            let item = moved.ok_or(Refused::NoSuchItem)?;
            let change = self.change_of(menu, *id, placed);
            self.after(menu, &item, false);
            self.note_change(menu, "move", *id, &Args::new(), who, vec![change]);
        }
        Ok(())
    }

    /// One of the rows of [`Hooks::dynamic`](super::hooks::Hooks::dynamic).
    fn is_systems_own(&self, menu: &'static Menu, id: u32) -> bool {
        menu.hooks.dynamic(self).iter().any(|row| row.id == id)
    }

    /// Checks one argument and stores it in `item`.
    fn put_value(&self, menu: &'static Menu, item: &mut Item, name: &str, text: &str) -> Result<(), Refused> {
        if let Some(name) = name.strip_prefix('!') {
            return self.take_value(menu, item, name);
        }
        match name {
            "disabled" if menu.can_disable() => {
                item.disabled = Kind::Bool.parse(name, text, self)? == "yes";
            }
            "comment" if menu.verbs.has(Verbs::COMMENT) => {
                if text.is_empty() {
                    item.values.remove(name);
                } else {
                    item.put(name, text);
                }
            }
            _ => {
                let prop = self.prop(menu, name).filter(|prop| !prop.read_only);
                let prop = prop.ok_or_else(|| Refused::BadParameter(name.to_owned()))?;
                menu.hooks.given(self, name, text)?;
                item.put(name, prop.kind.parse(name, text, self)?);
            }
        }
        Ok(())
    }

    /// `!name`: the property has no value.
    fn take_value(&self, menu: &'static Menu, item: &mut Item, name: &str) -> Result<(), Refused> {
        if name == "comment" && menu.verbs.has(Verbs::COMMENT) {
            item.values.remove(name);
            return Ok(());
        }
        let prop = self.prop(menu, name).filter(|prop| !prop.read_only);
        let prop = prop.ok_or_else(|| Refused::BadParameter(name.to_owned()))?;
        match prop.default {
            // What an item is called by, no item is without.
            _ if prop.required || name == "name" => return Err(Refused::InvalidValue(name.to_owned())),
            Some(default) if !default.is_empty() && !prop.quiet => item.put(name, UNSET),
            _ => {
                item.values.remove(name);
            }
        }
        Ok(())
    }

    fn check_name(&self, menu: &'static Menu, item: &Item) -> Result<(), Refused> {
        let Some(name) = item.get("name") else { return Ok(()) };
        if menu.id_space == tables::INTERFACES {
            let taken = self.config(|config| {
                tables::INTERFACE_MENUS.iter().any(|path| {
                    config.items(path).iter().any(|other| other.id != item.id && other.get("name") == Some(name))
                })
            });
            return if taken { Err(Refused::failure("already have interface with such name")) } else { Ok(()) };
        }
        let Some(words) = menu.hooks.duplicate() else { return Ok(()) };
        let taken = self.config(|config| {
            config.items(menu.path).iter().any(|other| other.id != item.id && other.get("name") == Some(name))
        });
        if taken { Err(Refused::text(words)) } else { Ok(()) }
    }

    /// References to an item follow its new name.
    pub(crate) fn rename_references(&self, renamed: &'static Menu, from: &str, to: &str) {
        let interfaces = renamed.id_space == tables::INTERFACES;
        self.config_mut(|config| {
            for (path, items) in config.tables_mut() {
                let Some(menu) = tables::by_path(path) else { continue };
                for prop in menu.props.iter().filter(|prop| prop.kind.refers_to(renamed.path, interfaces)) {
                    for item in items.iter_mut() {
                        let Some(value) = item.get(prop.name) else { continue };
                        let renamed: Vec<String> = value
                            .split(',')
                            .map(|name| match name.strip_prefix('!') {
                                Some(name) if name == from => format!("!{to}"),
                                None if name == from => to.to_owned(),
                                _ => name.to_owned(),
                            })
                            .collect();
                        let renamed = renamed.join(",");
                        item.put(prop.name, renamed);
                    }
                }
            }
        });
    }

    fn after(&self, menu: &'static Menu, item: &Item, gone: bool) {
        menu.hooks.changed(self, item, gone);
        self.reconfigure();
    }

    /// What became of an item that was `before`.
    fn change_of(&self, menu: &'static Menu, id: u32, before: Option<Placed>) -> Change {
        Change { menu: menu.path, id, before, after: self.placed(menu.path, id) }
    }

    /// The ports that a bridge takes with it when it goes.
    fn with_it(&self, menu: &'static Menu, item: &Item) -> Vec<Change> {
        const PORTS: &str = "/interface/bridge/port";
        if menu.path != "/interface/bridge" {
            return Vec::new();
        }
        let ports = self.config(|config| config.items(PORTS).to_vec());
        let mine = ports.into_iter().enumerate().filter(|(_, port)| port.get("bridge") == item.get("name"));
        // Undone from the last one, so that each finds its place.
        mine.map(|(at, item)| Change { menu: PORTS, id: item.id, before: Some(Placed { at, item }), after: None })
            .collect()
    }

    fn note_change(
        &self,
        menu: &'static Menu,
        verb: &'static str,
        id: u32,
        args: &Args,
        who: &Who,
        changes: Vec<Change>,
    ) {
        let item = if menu.shape == Shape::Single { String::new() } else { format!("*{id:X}") };
        self.note(EventKind::Config {
            menu: menu.path.to_owned(),
            verb,
            item: item.clone(),
            properties: args.iter().map(|(name, _)| name.clone()).collect(),
            user: who.user.to_string(),
        });
        self.remember(menu, verb, &item, args, who, changes);
    }
}
