//! The run marker: a file on the active that tells a second host, or a second state folder, that somebody is at work on the pair.
//!
//! A lock of the state folder ends with its process and is seen by no other host; this one is seen by all who reach the active,
//! and outlives a process that was killed. So whoever finds another's may waive it, and a run looks again before what can't
//! be taken back: of two that began at once one stops.

use crate::store::{RunId, Store, StoreError};

/// Its name; of those that the pair's own sync passes over.
pub const FILE: &str = "HA_jumplead_run.txt";
/// The preflight check that waives it.
pub const CHECK: &str = "no-other-run";

/// Where a state folder keeps what tells it from others.
const FOLDER: &str = "host";
const NAME: &str = "place";
/// A host's name, or a pair's: longer ones are cut.
const LONGEST: usize = 64;

/// Who makes runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    place: String,
    name: String,
}

impl Who {
    /// A place that is named elsewhere. `name` is for people, like `root@ops-1`.
    pub fn new(place: u64, name: &str) -> Self {
        Self { place: format!("{place:016x}"), name: plain(name) }
    }

    /// Who only looks, and makes no run of a pair.
    pub fn nobody() -> Self {
        Self::new(0, "nobody")
    }

    /// The owner of this state folder, which gets a name of its own from `random` the first time.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn of(store: &mut dyn Store, random: u64, name: &str) -> Result<Self, StoreError> {
        let kept = store.kept(FOLDER, NAME)?.and_then(|bytes| String::from_utf8(bytes).ok());
        let kept = kept.and_then(|kept| u64::from_str_radix(kept.trim(), 16).ok());
        if kept.is_none() {
            store.keep(FOLDER, NAME, format!("{random:016x}\n").as_bytes())?;
        }
        Ok(Self::new(kept.unwrap_or(random), name))
    }

    /// What `run` on `pair` writes at `now`.
    pub(crate) fn marker(&self, run: &RunId, pair: &str, now: jiff::Timestamp) -> Marker {
        Marker {
            run: run.to_string(),
            by: self.name.clone(),
            pair: plain(pair),
            since: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            place: self.place.clone(),
        }
    }
}

/// Any text as one word of printable ASCII.
fn plain(text: &str) -> String {
    text.chars().take(LONGEST).map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect()
}

/// What stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    run: String,
    by: String,
    pair: String,
    since: String,
    place: String,
}

impl Marker {
    /// Any content; what is missing is said to be unknown, and then it is nobody's own.
    pub(crate) fn parse(content: &[u8]) -> Self {
        let text = String::from_utf8_lossy(content);
        let word = |key: &str| {
            let found = text.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            found.filter(|found| !found.is_empty()).map_or_else(|| "unknown".to_owned(), plain)
        };
        Self { run: word("run"), by: word("by"), pair: word("pair"), since: word("since"), place: word("place") }
    }

    /// The file's content.
    pub(crate) fn text(&self) -> String {
        let Self { run, by, pair, since, place } = self;
        format!("run={run} by={by} pair={pair} since={since} place={place}\n")
    }

    /// Of the same run.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.place == other.place && self.run == other.run
    }

    /// Of a run of this state folder, whose own lock says whether it is going on.
    pub(crate) fn is_by(&self, who: &Who) -> bool {
        self.place == who.place
    }

    /// Of the same state folder.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl std::fmt::Display for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run, by, pair, since, .. } = self;
        write!(f, "run {run} of {by} on {pair}, since {since}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SimStore;

    fn now() -> jiff::Timestamp {
        "2026-11-30T20:30:00Z".parse().unwrap()
    }

    #[test]
    fn a_state_folder_keeps_its_name() {
        let mut store = SimStore::default();
        let first = Who::of(&mut store, 7, "root@ops-1").unwrap();
        assert_eq!(Who::of(&mut store, 8, "root@ops-1").unwrap(), first);
        assert_ne!(Who::of(&mut SimStore::default(), 8, "root@ops-1").unwrap(), first);
    }

    #[test]
    fn it_reads_what_it_wrote() {
        let who = Who::of(&mut SimStore::default(), 7, "root@ops 1\u{1b}[31m").unwrap();
        let run: RunId = "2026-11-30-01".parse().unwrap();
        let marker = who.marker(&run, "edge 1", now());
        assert_eq!(
            marker.text(),
            "run=2026-11-30-01 by=root@ops_1_[31m pair=edge_1 since=2026-11-30T20:30:00Z place=0000000000000007\n"
        );
        let read = Marker::parse(marker.text().as_bytes());
        assert_eq!(read, marker);
        assert!(read.is_of(&marker) && read.is_by(&who));
        let next: RunId = "2026-11-30-02".parse().unwrap();
        assert!(!read.is_of(&who.marker(&next, "edge 1", now())));
    }

    #[test]
    fn what_somebody_else_put_there_is_nobodys_own() {
        let who = Who::of(&mut SimStore::default(), 7, "root@ops-1").unwrap();
        for content in [&b""[..], b"\xff\xfe\x00", b"run=\x1b[2Jplace", b"place=", &[b'x'; 5000]] {
            let marker = Marker::parse(content);
            assert!(!marker.is_by(&who) && !marker.to_string().contains('\u{1b}'), "{marker}");
        }
    }
}
