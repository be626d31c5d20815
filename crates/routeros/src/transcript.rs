//! What was sent and received, with secrets masked.

use crate::secret::Secret;
use crate::text::quote;
use memchr::memmem;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What stands where a secret was.
pub const MASK: &str = "[masked]";
/// Shorter secrets are masked only where this crate types them itself: everywhere else they would be any text.
pub const SHORTEST_MASKED: usize = 4;

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the router.
    Sent,
    /// From the router.
    Received,
}

/// Where transcripts go. Called in order, from the session's task; must not block.
pub trait Transcript: Send + Sync + fmt::Debug {
    /// Bytes as they passed, secrets already masked.
    fn record(&self, direction: Direction, bytes: &[u8]);
}

/// Replaces secrets in text and in streams.
#[derive(Default)]
pub struct Masker {
    /// Every form of every secret, longest first.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker(..)")
    }
}

impl Masker {
    /// Masks `secret` from here on: as it is, quoted, in `\HH`, in hex, and inside base64 at each of its three offsets.
    pub fn add(&mut self, secret: &Secret) {
        let text = secret.reveal();
        if text.len() < SHORTEST_MASKED {
            return;
        }
        let quoted = quote(text);
        let mut forms = vec![text.to_owned(), quoted.trim_matches('"').to_owned()];
        let (mut lower, mut upper, mut escaped) = (String::new(), String::new(), String::new());
        for byte in text.bytes() {
            let _ = write!(lower, "{byte:02x}");
            let _ = write!(upper, "{byte:02X}");
            let _ = write!(escaped, "\\{byte:02X}");
        }
        forms.extend([lower, upper, escaped]);
        forms.extend((0..3).map(|offset| base64_inside(text.as_bytes(), offset)));
        for form in forms {
            let form = Zeroizing::new(form.into_bytes());
            if form.len() >= SHORTEST_MASKED && !self.forms.contains(&form) {
                self.forms.push(form);
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Whether a secret is in `bytes`, in any form.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| memmem::find(bytes, form).is_some())
    }

    /// `bytes` without secrets, and how many bytes at the end may be the beginning of one.
    fn mask(&self, bytes: &[u8]) -> (Vec<u8>, usize) {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        loop {
            let hit = self
                .forms
                .iter()
                .filter_map(|form| memmem::find(rest, form).map(|at| (at, form.len())))
                .min_by_key(|(at, len)| (*at, std::cmp::Reverse(*len)));
            let Some((at, len)) = hit else { break };
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(MASK.as_bytes());
            rest = &rest[at + len..];
        }
        let open = self.forms.iter().map(|form| open_end(rest, form)).max().unwrap_or(0);
        out.extend_from_slice(rest);
        (out, open)
    }

    /// `text` without secrets.
    pub fn mask_text(&self, text: &str) -> String {
        if self.finds(text.as_bytes()) {
            String::from_utf8_lossy(&self.mask(text.as_bytes()).0).into_owned()
        } else {
            text.to_owned()
        }
    }
}

/// How many bytes at the end of `bytes` are the beginning, but not the whole, of `form`.
fn open_end(bytes: &[u8], form: &[u8]) -> usize {
    let most = bytes.len().min(form.len().saturating_sub(1));
    (1..=most).rev().find(|len| bytes.ends_with(&form[..*len])).unwrap_or(0)
}

/// The base64 characters that depend on nothing but `bytes`, when `offset` other bytes stand before them.
fn base64_inside(bytes: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    // Sextet boundaries, counted from the first bit of `bytes`: the first that is wholly inside, to the last.
    let mut at = (6 - (offset * 8) % 6) % 6;
    let mut out = String::new();
    while at + 6 <= bytes.len() * 8 {
        let index = (0..6).fold(0usize, |value, i| value << 1 | usize::from(bit(at + i)));
        out.push(char::from(ALPHABET[index]));
        at += 6;
    }
    out
}

/// A transcript that masks: holds bytes back while they may be the beginning of a secret.
#[derive(Debug)]
pub(crate) struct Masked {
    sink: Option<Arc<dyn Transcript>>,
    pub(crate) masker: Masker,
    held: [Vec<u8>; 2],
    /// Bytes withheld since the last note, while a private exchange runs.
    withheld: [usize; 2],
    private: bool,
}

impl Masked {
    pub(crate) fn new(sink: Option<Arc<dyn Transcript>>) -> Self {
        Self { sink, masker: Masker::default(), held: Default::default(), withheld: [0; 2], private: false }
    }

    pub(crate) fn record(&mut self, direction: Direction, bytes: &[u8]) {
        let Some(sink) = &self.sink else { return };
        let slot = direction as usize;
        if self.private {
            self.withheld[slot] += bytes.len();
            return;
        }
        let held = &mut self.held[slot];
        held.extend_from_slice(bytes);
        let (mut masked, open) = self.masker.mask(held);
        masked.truncate(masked.len() - open);
        held.drain(..held.len() - open);
        if !masked.is_empty() {
            sink.record(direction, &masked);
        }
    }

    /// Records that something of our own was sent that must not be shown at all.
    pub(crate) fn record_masked(&mut self) {
        if let Some(sink) = &self.sink {
            sink.record(Direction::Sent, MASK.as_bytes());
        }
    }

    /// Withholds both directions, or records them again; says how much was withheld.
    pub(crate) fn set_private(&mut self, private: bool) {
        if private == self.private {
            return;
        }
        self.flush();
        self.private = private;
        if let (false, Some(sink)) = (private, &self.sink) {
            for (direction, withheld) in [Direction::Sent, Direction::Received].into_iter().zip(&mut self.withheld) {
                if *withheld > 0 {
                    sink.record(direction, format!("[{withheld} bytes withheld]").as_bytes());
                    *withheld = 0;
                }
            }
        }
    }

    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// Lets held bytes go: what follows is not their continuation. An opened secret is dropped, not shown.
    fn flush(&mut self) {
        for (direction, held) in [Direction::Sent, Direction::Received].into_iter().zip(&mut self.held) {
            if let (false, Some(sink)) = (held.is_empty(), &self.sink) {
                let shown: &[u8] = if held.len() < SHORTEST_MASKED { held } else { b"[cut]" };
                sink.record(direction, shown);
            }
            held.clear();
        }
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        self.set_private(false);
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Mutex;

    #[derive(Debug, Default)]
    struct Log(Mutex<Vec<(Direction, Vec<u8>)>>);

    impl Transcript for Log {
        fn record(&self, direction: Direction, bytes: &[u8]) {
            self.0.lock().unwrap().push((direction, bytes.to_vec()));
        }
    }

    fn received(log: &Log) -> String {
        let log = log.0.lock().unwrap();
        let all: Vec<u8> =
            log.iter().filter(|(way, _)| *way == Direction::Received).flat_map(|(_, b)| b.clone()).collect();
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn every_form_is_masked() {
        let mut masker = Masker::default();
        masker.add(&"S3cr$t\"x".into());
        // base64 by coreutils: printf 'S3cr$t"x' | base64, and with one and two bytes in front.
        for form in [
            "S3cr$t\"x",
            r#"S3cr\$t\"x"#,
            r"\53\33\63\72\24\74\22\78",
            "5333637224742278",
            "533363722474 2278".replace(' ', "").as_str(),
            "UzNjciR0Ing=",
            "YVMzY3IkdCJ4",
            "YWFTM2NyJHQieA==",
        ] {
            let masked = masker.mask_text(&format!("<{form}>"));
            assert!(masked.contains(MASK), "{form} -> {masked}");
            assert!(!masker.finds(masked.as_bytes()));
        }
    }

    #[test]
    fn private_exchanges_are_counted_not_shown() {
        let log = Arc::new(Log::default());
        let mut masked = Masked::new(Some(log.clone()));
        masked.record(Direction::Received, b"before ");
        masked.set_private(true);
        masked.record(Direction::Received, b"part of a key");
        masked.set_private(false);
        masked.record(Direction::Received, b" after");
        assert_eq!(received(&log), "before [13 bytes withheld] after");
    }

    proptest! {
        #[test]
        fn no_cut_lets_a_secret_through(
            before in "[a-e]{0,12}", after in "[a-e]{0,12}", cuts in prop::collection::vec(0usize..6, 0..20),
        ) {
            let log = Arc::new(Log::default());
            let mut masked = Masked::new(Some(log.clone()));
            masked.masker.add(&"abcabd".into());
            let text = format!("{before}abcabd{after}");
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                masked.record(Direction::Received, head);
                rest = tail;
            }
            masked.record(Direction::Received, rest);
            drop(masked);
            let shown = received(&log);
            prop_assert!(!shown.contains("abcabd"), "{shown}");
            prop_assert!(shown.contains(MASK));
        }
    }
}
