//! Arrays: elements in order, then elements with keys in the keys' order.

use std::collections::BTreeMap;

use super::error::Error;
use super::value::Value;

/// How deep arrays may nest, so that printing, comparing and dropping them stays within the stack.
const MAX_DEPTH: usize = 64;
/// How much an array may weigh (see [`Array::weight`]), shared parts counted each time: what a script can build by joining
/// an array with itself would take no memory here and for ever to print.
const MAX_WEIGHT: usize = 16 << 20;

/// An array. Elements without a key come first; keys are unique and sorted, as RouterOS prints them.
#[derive(Debug, Clone, Default)]
pub struct Array {
    items: Vec<Value>,
    keyed: BTreeMap<Vec<u8>, Value>,
    /// At least how deep the elements nest.
    depth: usize,
    /// About how many bytes its text has.
    weight: usize,
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items && self.keyed == other.keyed
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.len() + 1,
        Value::Array(array) => array.weight.saturating_add(1),
        // Every other value prints in about so many bytes.
        _ => 16,
    }
}

impl Array {
    /// How many elements of both kinds there are.
    pub fn len(&self) -> usize {
        self.items.len() + self.keyed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every element has no key.
    pub fn is_list(&self) -> bool {
        self.keyed.is_empty()
    }

    fn count(&mut self, value: &Value) {
        self.weight = self.weight.saturating_add(weight(value));
        if let Value::Array(array) = value {
            self.depth = self.depth.max(array.depth + 1);
        }
    }

    /// Adds an element without a key.
    pub fn push(&mut self, value: Value) {
        self.count(&value);
        self.items.push(value);
    }

    /// Adds or replaces the element of a key.
    pub fn insert(&mut self, key: Vec<u8>, value: Value) {
        self.count(&value);
        self.weight = self.weight.saturating_add(key.len());
        if let Some(before) = self.keyed.insert(key, value) {
            self.weight = self.weight.saturating_sub(weight(&before));
        }
    }

    /// Adds all elements of another array.
    pub fn extend(&mut self, other: &Self) {
        other.items.iter().for_each(|value| self.push(value.clone()));
        other.keyed.iter().for_each(|(key, value)| self.insert(key.clone(), value.clone()));
    }

    /// The array, unless it nests too deep or holds too much.
    pub(super) fn checked(self) -> Result<Self, Error> {
        if self.depth > MAX_DEPTH || self.weight > MAX_WEIGHT {
            return Err(Error::limit("array too big"));
        }
        Ok(self)
    }

    /// Each element with its key (a number for those without one), in order.
    pub fn pairs(&self) -> impl Iterator<Item = (Value, &Value)> {
        let numbered = self.items.iter().enumerate();
        let numbered = numbered.map(|(at, value)| (Value::Num(i64::try_from(at).unwrap_or(i64::MAX)), value));
        numbered.chain(self.keyed.iter().map(|(key, value)| (Value::str(key), value)))
    }

    /// The elements in order, without keys.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.items.iter().chain(self.keyed.values())
    }

    /// The element of a key, or the one at a number.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        if let Some(found) = self.keyed.get(&key.text()) {
            return Some(found);
        }
        match key {
            Value::Num(at) => usize::try_from(*at).ok().and_then(|at| self.items.get(at)),
            _ => None,
        }
    }

    /// Sets the element of a key, or the one at a number: the number behind a list's last element makes the list longer. Whether
    /// that was done: what other numbers do that are not there is not known.
    #[must_use]
    pub fn set(&mut self, key: &Value, value: Value) -> bool {
        let Value::Num(at) = key else {
            self.insert(key.text(), value);
            return true;
        };
        let text = key.text();
        if self.keyed.contains_key(&text) {
            self.insert(text, value);
            return true;
        }
        let Ok(at) = usize::try_from(*at) else { return false };
        match self.items.get(at).map(weight) {
            Some(before) => {
                self.count(&value);
                self.weight = self.weight.saturating_sub(before);
                if let Some(slot) = self.items.get_mut(at) {
                    *slot = value;
                }
                true
            }
            None if at == self.items.len() && self.is_list() => {
                self.push(value);
                true
            }
            None => false,
        }
    }

    /// Elements `begin..end` in order, keys kept.
    pub fn slice(&self, begin: usize, end: usize) -> Self {
        let mut part = Self::default();
        for (at, (key, value)) in self.pairs().enumerate().skip(begin).take(end.saturating_sub(begin)) {
            if at < self.items.len() {
                part.push(value.clone());
            } else {
                part.insert(key.text(), value.clone());
            }
        }
        part
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let mut array = Self::default();
        values.into_iter().for_each(|value| array.push(value));
        array
    }
}
