//! What the router says first after END_AUTH: that is where a refusal hides.

/// How a refusal begins, from every server known. \[M\]\[R\]
const REFUSAL: &[u8] = b"Login failed";
/// Longest text that can be one: the known text has 46 bytes.
const MAX_REFUSAL: usize = 80;

/// The first bytes of output.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    kept: Vec<u8>,
    total: usize,
}

impl Greeting {
    /// More output came.
    pub(super) fn add(&mut self, data: &[u8]) {
        self.total = self.total.saturating_add(data.len());
        let room = MAX_REFUSAL.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(data.get(..room).unwrap_or(data));
    }

    /// Whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The refusal, if all that was said so far is one.
    pub(super) fn refusal(&self) -> Option<&[u8]> {
        let said = self.kept.trim_ascii();
        (self.total <= MAX_REFUSAL && said.starts_with(REFUSAL)).then_some(said)
    }

    /// Whether it may yet become a refusal.
    pub(super) fn undecided(&self) -> bool {
        let said = self.kept.trim_ascii_start();
        let common = said.len().min(REFUSAL.len());
        self.total <= MAX_REFUSAL && said.get(..common) == REFUSAL.get(..common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_all_that_was_said() {
        let mut greeting = Greeting::default();
        assert!(greeting.is_empty() && greeting.undecided() && greeting.refusal().is_none());
        greeting.add(b"Login fai");
        assert!(greeting.undecided() && greeting.refusal().is_none());
        greeting.add(b"led, incorrect username or password\r\n");
        assert_eq!(greeting.refusal(), Some(&b"Login failed, incorrect username or password"[..]));
        greeting.add(&[b'x'; 100]);
        assert!(greeting.refusal().is_none() && !greeting.undecided());
        let mut greeting = Greeting::default();
        greeting.add(b"\r\nMMM  Login failed: 3 since");
        assert!(!greeting.undecided());
    }
}
