//! One item as a reader sees it: own values, defaults, what is computed, flags.

use std::collections::BTreeMap;

/// A row of a menu. Flags are values `yes` and `no` under their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Number of its id.
    pub id: u32,
    /// Values by property, flags included.
    pub values: BTreeMap<String, String>,
}

impl Row {
    /// An empty row.
    pub fn new(id: u32) -> Self {
        Self { id, values: BTreeMap::new() }
    }

    /// With one value.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.put(name, value);
        self
    }

    /// Sets one value.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Sets a flag.
    pub fn flag(&mut self, name: &str, on: bool) {
        self.put(name, if on { "yes" } else { "no" });
    }

    /// A value, or nothing when it is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A value, empty when it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// Whether a flag is on.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some("yes")
    }
}
