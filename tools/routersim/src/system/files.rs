//! The router's files: what is stored, what lies in RAM, and what a power cut takes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mactelnet::Instant;

/// Files a router holds; real storages hold a few thousand.
const MAX_FILES: usize = 4096;

/// One file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Number of its id in `/file`; a file that is replaced keeps it.
    pub id: u32,
    /// Contents, empty for a directory.
    pub contents: Vec<u8>,
    /// Whether it is a directory.
    pub directory: bool,
    /// Unix time of its last change.
    pub time: u64,
}

/// What a write that is not yet on the storage did.
#[derive(Debug, Clone)]
struct Pending {
    at: Instant,
    name: String,
    file: Option<File>,
}

/// Why the storage refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A directory on the way, or the file itself, is not there.
    NotFound,
    /// A directory where a file was meant, or the other way round.
    WrongKind,
    /// No room.
    NoSpace,
}

/// All files of one router. Names are as in `/file`: no leading slash, directories separated by `/`.
#[derive(Debug, Clone, Default)]
pub struct Files {
    live: BTreeMap<String, File>,
    durable: BTreeMap<String, File>,
    pending: VecDeque<Pending>,
    last_id: u32,
    write_back: Duration,
    flash: bool,
    capacity: u64,
}

impl Files {
    /// An empty storage of `capacity` bytes. Writes reach it after `write_back`; with `flash`, only those below
    /// `flash/` ever do.
    pub fn new(capacity: u64, write_back: Duration, flash: bool) -> Self {
        let mut files = Self { write_back, flash, capacity, ..Self::default() };
        if flash {
            let _ = files.make_directory(Instant::ZERO, 0, "flash");
        }
        files
    }

    /// The storage is made anew: nothing is left on it.
    pub fn format(&mut self) {
        self.live.clear();
        self.durable.clear();
        self.pending.clear();
        if self.flash {
            let _ = self.make_directory(Instant::ZERO, 0, "flash");
        }
    }

    fn stored(&self, name: &str) -> bool {
        !self.flash || name == "flash" || name.starts_with("flash/")
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.live.values().map(|file| file.contents.len() as u64).sum()
    }

    /// Bytes of the storage.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// All files and directories by name, directories before what is in them.
    pub fn list(&self) -> impl Iterator<Item = (&str, &File)> {
        self.live.iter().map(|(name, file)| (name.as_str(), file))
    }

    /// A file or directory.
    pub fn get(&self, name: &str) -> Option<&File> {
        self.live.get(name)
    }

    /// By the number of its id.
    pub fn by_id(&self, id: u32) -> Option<(&str, &File)> {
        self.list().find(|(_, file)| file.id == id)
    }

    /// Whether there is such a directory; the root is the empty name.
    pub fn is_directory(&self, name: &str) -> bool {
        name.is_empty() || self.live.get(name).is_some_and(|file| file.directory)
    }

    /// Makes or replaces a file.
    pub fn write(&mut self, now: Instant, unix: u64, name: &str, contents: Vec<u8>) -> Result<(), Refusal> {
        let name = clean(name).ok_or(Refusal::NotFound)?;
        let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
        if !self.is_directory(parent) {
            return Err(Refusal::NotFound);
        }
        let old = self.live.get(name);
        if old.is_some_and(|file| file.directory) {
            return Err(Refusal::WrongKind);
        }
        let freed = old.map_or(0, |file| file.contents.len() as u64);
        if self.used() - freed + contents.len() as u64 > self.capacity || self.live.len() >= MAX_FILES {
            return Err(Refusal::NoSpace);
        }
        let id = old.map(|file| file.id);
        let id = id.unwrap_or_else(|| self.next_id());
        self.put(now, name, Some(File { id, contents, directory: false, time: unix }));
        Ok(())
    }

    /// Makes a directory and those on the way to it.
    pub fn make_directory(&mut self, now: Instant, unix: u64, name: &str) -> Result<(), Refusal> {
        let name = clean(name).ok_or(Refusal::NotFound)?.to_owned();
        let ends: Vec<usize> = name.match_indices('/').map(|(at, _)| at).chain(std::iter::once(name.len())).collect();
        for end in ends {
            let part = &name[..end];
            match self.live.get(part) {
                Some(file) if file.directory => {}
                Some(_) => return Err(Refusal::WrongKind),
                None => {
                    let id = self.next_id();
                    self.put(now, part, Some(File { id, contents: Vec::new(), directory: true, time: unix }));
                }
            }
        }
        Ok(())
    }

    /// Removes a file, or an empty directory.
    pub fn remove(&mut self, now: Instant, name: &str) -> Result<(), Refusal> {
        let file = self.live.get(name).ok_or(Refusal::NotFound)?;
        if file.directory {
            let below = format!("{name}/");
            if self.live.keys().any(|other| other.starts_with(&below)) {
                return Err(Refusal::WrongKind);
            }
        }
        self.put(now, name, None);
        Ok(())
    }

    /// Takes a file away at once, also from the storage: what an installation does with its packages.
    pub fn take(&mut self, name: &str) {
        self.live.remove(name);
        self.durable.remove(name);
        self.pending.retain(|pending| pending.name != name);
    }

    /// Gives a file another name; it keeps its id.
    pub fn rename(&mut self, now: Instant, from: &str, to: &str) -> Result<(), Refusal> {
        let to = clean(to).ok_or(Refusal::NotFound)?.to_owned();
        let file = self.live.get(from).cloned().ok_or(Refusal::NotFound)?;
        if file.directory || self.live.contains_key(&to) {
            return Err(Refusal::WrongKind);
        }
        self.put(now, from, None);
        self.put(now, &to, Some(file));
        Ok(())
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    fn put(&mut self, now: Instant, name: &str, file: Option<File>) {
        match &file {
            Some(file) => self.live.insert(name.to_owned(), file.clone()),
            None => self.live.remove(name),
        };
        if self.stored(name) {
            self.settle(now);
            self.pending.push_back(Pending { at: now, name: name.to_owned(), file });
        }
    }

    /// Brings to the storage what has waited long enough.
    fn settle(&mut self, now: Instant) {
        while self.pending.front().is_some_and(|pending| pending.at + self.write_back <= now) {
            if let Some(pending) = self.pending.pop_front() {
                Self::store(&mut self.durable, pending);
            }
        }
    }

    fn store(durable: &mut BTreeMap<String, File>, pending: Pending) {
        match pending.file {
            Some(file) => durable.insert(pending.name, file),
            None => durable.remove(&pending.name),
        };
    }

    /// An orderly stop: everything is written, RAM is forgotten.
    pub fn shut_down(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            Self::store(&mut self.durable, pending);
        }
        self.live.clone_from(&self.durable);
    }

    /// The power is gone: what had not reached the storage is lost. How many writes that were.
    pub fn power_cut(&mut self, now: Instant) -> usize {
        self.settle(now);
        let lost = self.pending.len();
        self.pending.clear();
        self.live.clone_from(&self.durable);
        lost
    }
}

/// A name without leading slash; `None` if it names nothing.
pub fn clean(name: &str) -> Option<&str> {
    let name = name.strip_prefix('/').unwrap_or(name);
    (!name.is_empty() && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_power_cut_takes_what_is_not_written_back() {
        let mut files = Files::new(1000, Duration::from_secs(40), false);
        files.write(at(0), 0, "old", b"1".to_vec()).unwrap();
        files.write(at(50), 0, "old", b"2".to_vec()).unwrap();
        files.write(at(50), 0, "new", b"3".to_vec()).unwrap();
        assert_eq!(files.power_cut(at(60)), 2);
        assert_eq!(files.get("old").unwrap().contents, b"1");
        assert!(files.get("new").is_none());
        files.write(at(70), 0, "new", b"3".to_vec()).unwrap();
        files.shut_down();
        assert_eq!(files.power_cut(at(71)), 0);
        assert!(files.get("new").is_some());
    }

    #[test]
    fn only_flash_outlives_a_reboot_where_there_is_one() {
        let mut files = Files::new(1000, Duration::ZERO, true);
        files.write(at(0), 0, "a", b"1".to_vec()).unwrap();
        files.write(at(0), 0, "flash/a", b"1".to_vec()).unwrap();
        files.shut_down();
        let names: Vec<&str> = files.list().map(|(name, _)| name).collect();
        assert_eq!(names, ["flash", "flash/a"]);
    }

    #[test]
    fn directories_must_exist_and_be_empty_to_go() {
        let mut files = Files::new(10, Duration::ZERO, false);
        assert_eq!(files.write(at(0), 0, "d/a", vec![]), Err(Refusal::NotFound));
        files.make_directory(at(0), 0, "d/e").unwrap();
        files.write(at(0), 0, "d/e/a", vec![1]).unwrap();
        assert_eq!(files.remove(at(0), "d"), Err(Refusal::WrongKind));
        assert_eq!(files.write(at(0), 0, "d", vec![]), Err(Refusal::WrongKind));
        assert_eq!(files.write(at(0), 0, "big", vec![0; 11]), Err(Refusal::NoSpace));
        assert_eq!(files.write(at(0), 0, "../x", vec![]), Err(Refusal::NotFound));
        files.rename(at(0), "d/e/a", "b").unwrap();
        files.remove(at(0), "d/e").unwrap();
        files.remove(at(0), "d").unwrap();
    }
}
