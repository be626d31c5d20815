//! What is particular about a menu, beyond its table.

use super::config::Item;
use super::refused::Refused;
use super::row::Row;
use crate::system::{System, Who};

/// Arguments of a command: names and texts, in the order given.
pub type Named = [(String, String)];

/// The particular side of a menu. The defaults make an ordinary stored one.
pub trait Hooks: Sync {
    /// The rows of a menu that is not stored. `None`: it is.
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let _ = sys;
        None
    }

    /// Completes a stored row with what is computed; false hides it.
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let _ = (sys, item, row);
        true
    }

    /// Checks and completes an item before it is stored. `old` is what it was; none when it is added.
    fn prepare(&self, sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        let _ = (sys, item, old);
        Ok(())
    }

    /// Whether an item's `owner` is who added it, and its `policy` theirs, unless they are said.
    fn owned(&self) -> bool {
        false
    }

    /// Whether a value may be given to a property, of a new item or another one.
    fn given(&self, sys: &System, name: &str, text: &str) -> Result<(), Refused> {
        let _ = (sys, name, text);
        Ok(())
    }

    /// Whether an item may go.
    fn removing(&self, sys: &System, item: &Item) -> Result<(), Refused> {
        let _ = (sys, item);
        Ok(())
    }

    /// After an item was stored or taken away; the configuration is not borrowed.
    fn changed(&self, sys: &System, item: &Item, gone: bool) {
        let _ = (sys, item, gone);
    }

    /// After a `set` that changed nothing.
    fn set_to_the_same(&self, sys: &System) {
        let _ = sys;
    }

    /// Rows of the system's own before those that are stored. They are dynamic, and nobody can change them.
    fn dynamic(&self, sys: &System) -> Vec<Row> {
        let _ = sys;
        Vec::new()
    }

    /// `add` of a menu that is not stored.
    fn add_row(&self, sys: &System, named: &Named, who: &Who) -> Option<Result<u32, Refused>> {
        let _ = (sys, named, who);
        None
    }

    /// `set`, `enable` and `disable` of a menu that is not stored.
    fn set_row(&self, sys: &System, id: u32, named: &Named, who: &Who) -> Option<Result<(), Refused>> {
        let _ = (sys, id, named, who);
        None
    }

    /// `remove` of a menu that is not stored.
    fn remove_row(&self, sys: &System, id: u32, who: &Who) -> Option<Result<(), Refused>> {
        let _ = (sys, id, who);
        None
    }

    /// How a second item of the same name is refused. `None`: names may repeat, or there are none.
    fn duplicate(&self) -> Option<&'static str> {
        None
    }
}

/// Nothing particular.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Hooks for Plain {}

/// Nothing particular, but names are unique.
#[derive(Debug, Clone, Copy)]
pub struct UniqueName;

impl Hooks for UniqueName {
    fn duplicate(&self) -> Option<&'static str> {
        Some("failure: item with such name already exists")
    }
}
