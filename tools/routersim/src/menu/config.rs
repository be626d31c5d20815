//! The stored configuration: items of all menus, as they lie on the storage and in backups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Items of one menu that can exist, enough for any real configuration and small enough to simulate.
pub const MAX_ITEMS: usize = 4096;

/// A stored item. Values are canonical text; what is absent has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The number behind `*` in its id, there in hexadecimal. Zero for the one item of a menu of one.
    pub id: u32,
    /// Its values.
    pub values: BTreeMap<String, String>,
    /// Whether it is disabled.
    #[serde(default)]
    pub disabled: bool,
    /// Whether the system made it and it can't be changed.
    #[serde(default)]
    pub builtin: bool,
}

impl Item {
    /// One of its own values.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets one value.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// With one value.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.put(name, value);
        self
    }
}

/// All menus' items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    tables: BTreeMap<String, Vec<Item>>,
    last_ids: BTreeMap<String, u32>,
}

impl Config {
    /// The items of a menu, in order.
    pub fn items(&self, menu: &str) -> &[Item] {
        self.tables.get(menu).map_or(&[], Vec::as_slice)
    }

    /// The same, to change.
    pub fn items_mut(&mut self, menu: &str) -> &mut Vec<Item> {
        self.tables.entry(menu.to_owned()).or_default()
    }

    /// All menus that have items.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = (&String, &mut Vec<Item>)> {
        self.tables.iter_mut()
    }

    /// The item with that number.
    pub fn item(&self, menu: &str, id: u32) -> Option<&Item> {
        self.items(menu).iter().find(|item| item.id == id)
    }

    /// The same, to change.
    pub fn item_mut(&mut self, menu: &str, id: u32) -> Option<&mut Item> {
        self.tables.get_mut(menu)?.iter_mut().find(|item| item.id == id)
    }

    /// The item of a menu of one, which is made when it is not there yet.
    pub fn single_mut(&mut self, menu: &str) -> &mut Item {
        let items = self.items_mut(menu);
        if items.is_empty() {
            items.push(Item::default());
        }
        // `items` has one by the lines above.
        &mut items[0]
    }

    /// The first item whose `name` value is `name`.
    pub fn by_name(&self, menu: &str, name: &str) -> Option<&Item> {
        self.items(menu).iter().find(|item| item.get("name") == Some(name))
    }

    /// The next number of an id space.
    pub fn next_id(&mut self, space: &str) -> u32 {
        let last = self.last_ids.entry(space.to_owned()).or_insert(0);
        *last += 1;
        *last
    }

    /// Puts an item in, with a new number of `space`, at `at` or at the end.
    pub fn insert(&mut self, menu: &str, space: &str, mut item: Item, at: Option<usize>) -> u32 {
        item.id = self.next_id(space);
        let id = item.id;
        let items = self.items_mut(menu);
        let at = at.unwrap_or(items.len()).min(items.len());
        items.insert(at, item);
        id
    }

    /// Takes an item out.
    pub fn remove(&mut self, menu: &str, id: u32) -> Option<Item> {
        let items = self.tables.get_mut(menu)?;
        let at = items.iter().position(|item| item.id == id)?;
        Some(items.remove(at))
    }

    /// Replaces a menu's items by another configuration's.
    pub fn take_menu(&mut self, menu: &str, from: &Config) {
        match from.tables.get(menu) {
            Some(items) => self.tables.insert(menu.to_owned(), items.clone()),
            None => self.tables.remove(menu),
        };
        for (space, last) in &from.last_ids {
            let mine = self.last_ids.entry(space.clone()).or_insert(0);
            *mine = (*mine).max(*last);
        }
    }
}
