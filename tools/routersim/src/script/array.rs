//! Arrays: elements in order, then elements with keys in the keys' order.

use std::collections::BTreeMap;

use super::value::Value;

/// An array. Elements without a key come first; keys are unique and sorted, as RouterOS prints them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Array {
    /// Elements without a key.
    pub items: Vec<Value>,
    /// Elements with a key.
    pub keyed: BTreeMap<Vec<u8>, Value>,
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

    /// Sets the element of a key, or the one at a number that is there already.
    pub fn set(&mut self, key: &Value, value: Value) {
        if let Value::Num(at) = key
            && let Some(slot) = usize::try_from(*at).ok().and_then(|at| self.items.get_mut(at))
        {
            *slot = value;
            return;
        }
        self.keyed.insert(key.text(), value);
    }

    /// Elements `begin..end` in order, keys kept.
    pub fn slice(&self, begin: usize, end: usize) -> Self {
        let take = end.saturating_sub(begin);
        let items: Vec<Value> = self.items.iter().skip(begin).take(take).cloned().collect();
        let skip = begin.saturating_sub(self.items.len());
        let rest = take.saturating_sub(items.len());
        let keyed = self.keyed.iter().skip(skip).take(rest).map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { items, keyed }
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self { items: values.into_iter().collect(), keyed: BTreeMap::new() }
    }
}
