//! Variables: globals that outlive scripts, and scopes that don't.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::value::Value;

/// One environment of global variables; clones are the same one. Who shares it is the router's decision.
#[derive(Clone, Default, Debug)]
pub struct Globals(Rc<RefCell<BTreeMap<Vec<u8>, Value>>>);

impl Globals {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a variable, if it is there.
    pub fn get(&self, name: &[u8]) -> Option<Value> {
        self.0.borrow().get(name).cloned()
    }

    /// Sets or makes a variable.
    pub fn set(&self, name: &[u8], value: Value) {
        self.0.borrow_mut().insert(name.to_vec(), value);
    }

    /// Makes a variable without a value unless it is there.
    pub fn declare(&self, name: &[u8]) {
        self.0.borrow_mut().entry(name.to_vec()).or_default();
    }

    /// Forgets a variable.
    pub fn remove(&self, name: &[u8]) -> bool {
        self.0.borrow_mut().remove(name).is_some()
    }

    /// Forgets all, as a reboot or a console crash does.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// All variables, by name.
    pub fn all(&self) -> Vec<(Vec<u8>, Value)> {
        self.0.borrow().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

#[derive(Debug, Clone)]
enum Slot {
    Local(Value),
    /// `:global name` makes a global visible here.
    Global,
}

/// The variables visible in one block; looks outward through its parents.
#[derive(Debug)]
pub(super) struct Scope {
    slots: RefCell<BTreeMap<Vec<u8>, Slot>>,
    parent: Option<Rc<Scope>>,
    globals: Globals,
    /// At the prompt every global is visible without being declared.
    prompt: bool,
    /// Holds a call's arguments.
    call: bool,
}

impl Scope {
    pub(super) fn root(globals: Globals, prompt: bool) -> Rc<Self> {
        Rc::new(Self { slots: RefCell::default(), parent: None, globals, prompt, call: false })
    }

    /// The scope of a call, which knows nothing of its caller's.
    pub(super) fn call(globals: Globals) -> Rc<Self> {
        Rc::new(Self { slots: RefCell::default(), parent: None, globals, prompt: false, call: true })
    }

    pub(super) fn inside(self: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self {
            slots: RefCell::default(),
            parent: Some(Rc::clone(self)),
            globals: self.globals.clone(),
            prompt: false,
            call: false,
        })
    }

    pub(super) fn globals(&self) -> &Globals {
        &self.globals
    }

    /// Declares a local variable. Behind a `:global` of the same name and block it is never seen: the first kind wins.
    pub(super) fn local(&self, name: &[u8], value: Value) {
        let mut slots = self.slots.borrow_mut();
        if !matches!(slots.get(name), Some(Slot::Global)) {
            slots.insert(name.to_vec(), Slot::Local(value));
        }
    }

    /// Makes a global visible; behind a `:local` of the same name and block only its value is set.
    pub(super) fn global(&self, name: &[u8]) {
        self.slots.borrow_mut().entry(name.to_vec()).or_insert(Slot::Global);
        self.globals.declare(name);
    }

    /// The value of a visible variable.
    pub(super) fn get(&self, name: &[u8]) -> Option<Value> {
        match self.slots.borrow().get(name) {
            Some(Slot::Local(value)) => return Some(value.clone()),
            Some(Slot::Global) => return Some(self.globals.get(name).unwrap_or_default()),
            None => {}
        }
        match &self.parent {
            Some(parent) => parent.get(name),
            None if self.prompt => self.globals.get(name),
            None => None,
        }
    }

    /// Takes a visible variable's value, and a global one out of the environment; whether there is one.
    pub(super) fn unset(&self, name: &[u8]) -> bool {
        match self.slots.borrow_mut().get_mut(name) {
            Some(Slot::Local(slot)) => {
                *slot = Value::Nothing;
                return true;
            }
            Some(Slot::Global) => {
                self.globals.remove(name);
                return true;
            }
            None => {}
        }
        match &self.parent {
            Some(parent) => parent.unset(name),
            None => self.prompt && self.globals.remove(name),
        }
    }

    /// Sets a visible variable; whether there is one.
    pub(super) fn set(&self, name: &[u8], value: Value) -> bool {
        match self.slots.borrow_mut().get_mut(name) {
            Some(Slot::Local(slot)) => {
                *slot = value;
                return true;
            }
            Some(Slot::Global) => {
                self.globals.set(name, value);
                return true;
            }
            None => {}
        }
        match &self.parent {
            Some(parent) => parent.set(name, value),
            // An argument that was not given becomes one.
            None if self.call && name.iter().all(u8::is_ascii_digit) => {
                self.slots.borrow_mut().insert(name.to_vec(), Slot::Local(value));
                true
            }
            None if self.prompt && self.globals.get(name).is_some() => {
                self.globals.set(name, value);
                true
            }
            None => false,
        }
    }
}
