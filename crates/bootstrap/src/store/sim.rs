//! A disk in memory that loses what was not synced, tears what was half written, and fills up.

use super::{Lock, RunId, Store, StoreError};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What the disk does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SimFault {
    /// Nothing.
    #[default]
    None,
    /// No byte fits behind this many.
    FullAt(usize),
    /// Nothing can be written.
    ReadOnly,
}

#[derive(Debug, Default)]
struct Journal {
    bytes: Vec<u8>,
    synced: usize,
}

#[derive(Debug, Default)]
struct Disk {
    runs: BTreeMap<RunId, Journal>,
    kept: BTreeMap<(String, String), Vec<u8>>,
    locks: BTreeSet<String>,
    fault: SimFault,
    written: usize,
}

/// A simulated state folder; clones see the same disk, as two processes do.
#[derive(Debug, Clone, Default)]
pub struct SimStore(Rc<RefCell<Disk>>);

impl SimStore {
    /// Makes the disk fail from now on.
    pub fn set_fault(&self, fault: SimFault) {
        self.0.borrow_mut().fault = fault;
    }

    /// The host loses power: of what was not synced, `keep` bytes a journal reach the disk, the last of them torn (its bits
    /// turned). All locks are gone.
    pub fn crash(&self, keep: usize) {
        let mut disk = self.0.borrow_mut();
        disk.locks.clear();
        for journal in disk.runs.values_mut() {
            let unsynced = journal.bytes.len() - journal.synced;
            journal.bytes.truncate(journal.synced + keep.min(unsynced));
            if journal.bytes.len() > journal.synced
                && let Some(last) = journal.bytes.last_mut()
            {
                *last ^= 0xff;
            }
            journal.synced = journal.bytes.len();
        }
    }

    fn room(&self, path: &str, len: usize) -> Result<(), StoreError> {
        let disk = self.0.borrow();
        let fail = |why: &str, full| Err(StoreError::Io { path: path.to_owned(), why: why.to_owned(), full });
        match disk.fault {
            SimFault::ReadOnly => fail("Read-only file system", false),
            SimFault::FullAt(limit) if disk.written + len > limit => fail("No space left on device", true),
            _ => Ok(()),
        }
    }
}

struct Held(SimStore, String);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.borrow_mut().locks.remove(&self.1);
    }
}

impl Store for SimStore {
    fn lock(&mut self, what: &str) -> Result<Lock, StoreError> {
        self.room(what, 0)?;
        if !self.0.borrow_mut().locks.insert(what.to_owned()) {
            return Err(StoreError::Locked { what: what.to_owned() });
        }
        Ok(Lock(Box::new(Held(self.clone(), what.to_owned()))))
    }

    fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        Ok(self.0.borrow().runs.keys().cloned().collect())
    }

    fn create(&mut self, run: &RunId) -> Result<(), StoreError> {
        self.room(run.as_str(), 1)?;
        let mut disk = self.0.borrow_mut();
        if disk.runs.contains_key(run) {
            return Err(StoreError::Io { path: run.to_string(), why: "File exists".into(), full: false });
        }
        disk.runs.insert(run.clone(), Journal::default());
        Ok(())
    }

    fn append(&mut self, run: &RunId, bytes: &[u8]) -> Result<(), StoreError> {
        let full = self.room(run.as_str(), bytes.len());
        let mut disk = self.0.borrow_mut();
        // as a disk does it: what fits of it is written
        let fits = match (&full, disk.fault) {
            (Ok(()), _) => bytes.len(),
            (Err(_), SimFault::FullAt(limit)) => limit.saturating_sub(disk.written).min(bytes.len()),
            (Err(_), _) => 0,
        };
        disk.written += fits;
        let journal = disk.runs.get_mut(run).ok_or_else(|| StoreError::NoRun(run.clone()))?;
        journal.bytes.extend(bytes.iter().take(fits));
        full
    }

    fn sync(&mut self, run: &RunId) -> Result<(), StoreError> {
        self.room(run.as_str(), 0)?;
        let mut disk = self.0.borrow_mut();
        let journal = disk.runs.get_mut(run).ok_or_else(|| StoreError::NoRun(run.clone()))?;
        journal.synced = journal.bytes.len();
        Ok(())
    }

    fn read(&self, run: &RunId) -> Result<Vec<u8>, StoreError> {
        let disk = self.0.borrow();
        disk.runs.get(run).map(|journal| journal.bytes.clone()).ok_or_else(|| StoreError::NoRun(run.clone()))
    }

    fn truncate(&mut self, run: &RunId, len: u64) -> Result<(), StoreError> {
        self.room(run.as_str(), 0)?;
        let mut disk = self.0.borrow_mut();
        let journal = disk.runs.get_mut(run).ok_or_else(|| StoreError::NoRun(run.clone()))?;
        journal.bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        journal.synced = journal.bytes.len();
        Ok(())
    }

    fn keep(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.room(name, content.len())?;
        self.0.borrow_mut().kept.insert((folder.to_owned(), name.to_owned()), content.to_vec());
        Ok(())
    }

    fn kept(&self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.borrow().kept.get(&(folder.to_owned(), name.to_owned())).cloned())
    }

    fn keep_with(&mut self, run: &RunId, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.keep(&self.place(run), name, content)
    }

    fn kept_with(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept(&self.place(run), name)
    }

    fn place(&self, run: &RunId) -> String {
        format!("runs/{run}")
    }
}
