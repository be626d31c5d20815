//! The journal: the records of a run as JSON lines, each with its own checksum, written before each act.

use crate::event::{Event, FORMAT, Record};
use crate::store::{RunId, Store, StoreError};

/// What ends a line: `,"crc":"0123abcd"}`, the CRC-32 of the line without it.
const TAIL: usize = r#","crc":"01234567"}"#.len();
/// A journal longer than this is none of ours: 24 steps with all retries stay far below.
const MAX_LEN: usize = 16 * 1024 * 1024;

/// Wall-clock time, from the caller.
pub trait Clock {
    /// Now.
    fn now(&self) -> jiff::Timestamp;
}

/// A journal that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The state folder failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line in the middle is damaged: not what a power cut leaves.
    #[error("line {line} of the journal is damaged, and others follow it")]
    Corrupt {
        /// From 1.
        line: usize,
    },
    /// It holds no plan: the run stopped before anything was confirmed.
    #[error("the run stopped before a plan was confirmed")]
    NoPlan,
    /// It only looked, and its plan was never confirmed.
    #[error("it was a dry run: its plan was never confirmed")]
    DryRun,
    /// The site file means other routers than the confirmed plan.
    #[error("the site file was changed since the plan was confirmed: {}", moved.join("; "))]
    SiteMoved {
        /// What differs.
        moved: Vec<String>,
    },
}

impl JournalError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Corrupt { .. } => "journal.corrupt",
            Self::NoPlan => "journal.no-plan",
            Self::DryRun => "journal.dry-run",
            Self::SiteMoved { .. } => "journal.site-moved",
        }
    }
}

/// One line, line end included.
pub fn encode(record: &Record) -> String {
    let json = serde_json::to_string(record).unwrap_or_default();
    let crc = crc32fast::hash(json.as_bytes());
    let body = json.strip_suffix('}').unwrap_or(&json);
    format!("{body},\"crc\":\"{crc:08x}\"}}\n")
}

/// The record of a line without its line end; `None` where the checksum or the form is wrong.
pub fn decode(line: &[u8]) -> Option<Record> {
    let line = std::str::from_utf8(line).ok()?;
    let (body, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let crc = tail.strip_prefix(",\"crc\":\"")?.strip_suffix("\"}")?;
    let json = format!("{body}}}");
    if u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(json.as_bytes()) {
        return None;
    }
    serde_json::from_str(&json).ok()
}

/// All whole records, and how many bytes they take. A damaged last line is what a power cut leaves and is left out.
///
/// # Errors
/// [`JournalError::Corrupt`].
pub fn parse(bytes: &[u8]) -> Result<(Vec<Record>, usize), JournalError> {
    let mut records = Vec::new();
    let mut good = 0;
    for (index, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        match line.strip_suffix(b"\n").and_then(decode) {
            Some(record) => {
                good += line.len();
                records.push(record);
            }
            None if good + line.len() == bytes.len() => break,
            None => return Err(JournalError::Corrupt { line: index + 1 }),
        }
    }
    Ok((records, good))
}

/// The plan that was confirmed.
///
/// # Errors
/// [`JournalError::NoPlan`], [`JournalError::DryRun`].
pub fn plan_of(records: &[Record]) -> Result<crate::plan::Plan, JournalError> {
    if records.iter().any(|record| matches!(record.event, Event::RunStarted { resumed: false, dry_run: true, .. })) {
        return Err(JournalError::DryRun);
    }
    let plan = records.iter().find_map(|record| match &record.event {
        Event::Plan { plan } => Some(plan.clone()),
        _ => None,
    });
    plan.ok_or(JournalError::NoPlan)
}

/// The journal of one run, being written.
pub struct Journal<'a> {
    store: &'a mut dyn Store,
    clock: &'a dyn Clock,
    run: RunId,
    seq: u64,
    len: usize,
}

impl std::fmt::Debug for Journal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("run", &self.run).field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl<'a> Journal<'a> {
    /// Starts a new run, named after today.
    ///
    /// # Errors
    /// [`JournalError::Store`].
    pub fn create(store: &'a mut dyn Store, clock: &'a dyn Clock) -> Result<Self, JournalError> {
        let day = clock.now().strftime("%Y-%m-%d").to_string();
        let run = RunId::next(&day, &store.runs()?)?;
        store.create(&run)?;
        Ok(Self { store, clock, run, seq: 0, len: 0 })
    }

    /// Goes on with a run: what was written before, torn end cut off.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn resume(
        store: &'a mut dyn Store,
        clock: &'a dyn Clock,
        run: RunId,
    ) -> Result<(Self, Vec<Record>), JournalError> {
        let bytes = store.read(&run)?;
        let (records, len) = parse(&bytes)?;
        if len < bytes.len() {
            store.truncate(&run, len as u64)?;
        }
        let seq = records.last().map_or(0, |record| record.seq + 1);
        Ok((Self { store, clock, run, seq, len }, records))
    }

    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Where its evidence is.
    pub fn place(&self) -> String {
        self.store.place(&self.run)
    }

    /// Keeps a file in the run's folder. Where that is comes back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(&mut self, name: &str, content: &[u8]) -> Result<String, StoreError> {
        self.store.keep_with(&self.run, name, content)?;
        Ok(format!("{}/{name}", self.place()))
    }

    /// A file of the run's folder, if it is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.kept_with(&self.run, name)
    }

    /// The state folder.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store
    }

    /// Now.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Stamps an event without writing it: for those that only people see.
    pub fn stamp(&mut self, event: Event) -> Record {
        let t = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let record = Record { format: FORMAT, run: self.run.clone(), seq: self.seq, t, event };
        self.seq += 1;
        record
    }

    /// Writes an event; it survives a power cut when this returns.
    ///
    /// # Errors
    /// [`JournalError::Store`]. Then nothing may be done that the event announces.
    pub fn write(&mut self, event: Event) -> Result<Record, JournalError> {
        let record = self.stamp(event);
        let line = encode(&record);
        if self.len + line.len() > MAX_LEN {
            return Err(StoreError::Io { path: self.place(), why: "the journal is too long".into(), full: true }.into());
        }
        let written = self.store.append(&self.run, line.as_bytes()).and_then(|()| self.store.sync(&self.run));
        if let Err(error) = written {
            // half a line would make everything behind it unreadable; where even that fails, no line may follow
            if self.store.truncate(&self.run, self.len as u64).is_err() {
                self.len = MAX_LEN;
            }
            return Err(error.into());
        }
        self.len += line.len();
        Ok(record)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::{SimFault, SimStore};
    use proptest::prelude::*;

    /// A clock that stands still.
    #[derive(Debug)]
    pub(crate) struct Noon;

    impl Clock for Noon {
        fn now(&self) -> jiff::Timestamp {
            "2026-11-22T12:00:00Z".parse().unwrap()
        }
    }

    fn started(attempt: u32) -> Event {
        Event::StepStarted { step: "b.reset".into(), attempt }
    }

    #[test]
    fn a_line_is_json_with_a_checksum() {
        let mut store = SimStore::default();
        let mut journal = Journal::create(&mut store, &Noon).unwrap();
        let record = journal.write(started(1)).unwrap();
        insta::assert_snapshot!(encode(&record).trim_end(), @r#"{"format":1,"run":"2026-11-22-01","seq":0,"t":"2026-11-22T12:00:00.000Z","event":"step_started","step":"b.reset","attempt":1,"crc":"b86efdc0"}"#);
        // a kind of a later version is no damage
        let json = r#"{"format":1,"run":"2026-11-22-01","seq":0,"t":"x","event":"soon","more":1}"#;
        let later: Record = serde_json::from_str(json).unwrap();
        assert_eq!(later.event, Event::Unknown);
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_a_journal_that_can_be_read() {
        for limit in 0..300 {
            let mut store = SimStore::default();
            store.set_fault(SimFault::FullAt(limit));
            let disk = store.clone();
            let mut written = 0;
            if let Ok(mut journal) = Journal::create(&mut store, &Noon) {
                while journal.write(started(written)).is_ok() {
                    written += 1;
                }
                let run = journal.run().clone();
                let (records, _) = parse(&disk.read(&run).unwrap()).unwrap();
                assert_eq!(records.len(), usize::try_from(written).unwrap());
            }
        }
    }

    proptest! {
        /// Whatever a power cut leaves behind the synced end, all synced records come back and the run goes on.
        #[test]
        fn synced_records_survive(count in 1u32..8, keep in 0usize..200, garbage in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut store = SimStore::default();
            let disk = store.clone();
            let mut journal = Journal::create(&mut store, &Noon).unwrap();
            for n in 0..count {
                journal.write(started(n)).unwrap();
            }
            let run = journal.run().clone();
            let mut raw = disk.clone();
            // an append that was on its way: no line end in it, or it would be a line
            let torn: Vec<u8> = garbage.into_iter().filter(|b| *b != b'\n').collect();
            raw.append(&run, &torn).unwrap();
            disk.crash(keep);
            let mut again = disk.clone();
            let (mut journal, records) = Journal::resume(&mut again, &Noon, run.clone()).unwrap();
            prop_assert_eq!(records.len(), count as usize);
            journal.write(started(99)).unwrap();
            let (records, _) = parse(&disk.read(&run).unwrap()).unwrap();
            prop_assert_eq!(records.len(), count as usize + 1);
            prop_assert_eq!(records.last().unwrap().seq, u64::from(count));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn one_turned_bit_is_noticed(bit in 0usize..600) {
            let mut store = SimStore::default();
            let mut journal = Journal::create(&mut store, &Noon).unwrap();
            let line = encode(&journal.stamp(started(1)));
            let mut bytes = line.trim_end().as_bytes().to_vec();
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let unchanged = decode(&bytes).is_some();
            // upper and lower case of the checksum's own digits are the same number
            prop_assert!(!unchanged || bit / 8 >= bytes.len() - TAIL);
        }
    }
}
