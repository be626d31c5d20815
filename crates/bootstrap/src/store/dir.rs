//! The state folder on disk.

use super::{Lock, RunId, Store, StoreError};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// `runs/ID/journal.jsonl`, `locks/NAME`, `secrets/NAME`; everything for the owner alone.
#[derive(Debug)]
pub struct DirStore {
    root: PathBuf,
    /// The journal being written; opened once, so that a full table of files or a moved folder can't stop a run half-way.
    open: Option<(RunId, File)>,
}

impl DirStore {
    /// Opens or makes the folder. It is not written to before something is.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), open: None }
    }

    /// The folder of one run.
    pub fn run_dir(&self, run: &RunId) -> PathBuf {
        self.root.join("runs").join(run.as_str())
    }

    fn journal(&self, run: &RunId) -> PathBuf {
        self.run_dir(run).join("journal.jsonl")
    }

    fn writer(&mut self, run: &RunId) -> Result<&mut File, StoreError> {
        if self.open.as_ref().is_none_or(|(open, _)| open != run) {
            let path = self.journal(run);
            let file = OpenOptions::new().append(true).open(&path).map_err(|error| no_run(&path, run, &error))?;
            self.open = Some((run.clone(), file));
        }
        match &mut self.open {
            Some((_, file)) => Ok(file),
            None => Err(StoreError::NoRun(run.clone())),
        }
    }
}

fn io_error(path: &Path, error: &io::Error) -> StoreError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    StoreError::Io { path: path.display().to_string(), why: error.to_string(), full }
}

fn no_run(path: &Path, run: &RunId, error: &io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::NotFound { StoreError::NoRun(run.clone()) } else { io_error(path, error) }
}

/// Makes a folder that only the owner enters.
fn private_dir(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| io_error(path, &error))
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// A new name is only durable when its folder is.
fn sync_dir(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(|error| io_error(path, &error))
}

/// Names become file names: nothing that leads elsewhere.
fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    format!("_{}", name.chars().map(safe).collect::<String>())
}

/// A name of ours, which leads nowhere else; anything that is none is not a name.
fn plain(name: &str) -> &str {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if name.bytes().all(safe) && !name.starts_with('.') && !name.is_empty() { name } else { "unnamed" }
}

fn keep_in(dir: &Path, name: &str, content: &[u8]) -> Result<(), StoreError> {
    private_dir(dir)?;
    let path = dir.join(name);
    // under another name first: a torn file would be taken for the whole one
    let part = dir.join(format!("{name}.part"));
    let write = || -> io::Result<()> {
        let mut file = private_options().create(true).truncate(true).write(true).open(&part)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&part, &path)
    };
    write().map_err(|error| io_error(&path, &error))?;
    sync_dir(dir)
}

impl DirStore {
    /// Whether a process holds this lock now.
    pub fn is_locked(&self, what: &str) -> bool {
        let file = fs::File::open(self.root.join("locks").join(file_name(what)));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn kept_in(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path, &error)),
    }
}

impl Store for DirStore {
    fn lock(&mut self, what: &str) -> Result<Lock, StoreError> {
        let dir = self.root.join("locks");
        private_dir(&dir)?;
        let path = dir.join(file_name(what));
        let file = private_options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| io_error(&path, &error))?;
        let mut locked = file.try_lock();
        // Who only looks whether it is held holds it for a moment.
        for _ in 0..200 {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::yield_now();
            locked = file.try_lock();
        }
        match locked {
            // the system drops it with the process, however that ends
            Ok(()) => Ok(Lock(Box::new(file))),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { what: what.to_owned() }),
            Err(TryLockError::Error(error)) => Err(io_error(&path, &error)),
        }
    }

    fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        let dir = self.root.join("runs");
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&dir, &error)),
        };
        let mut runs: Vec<RunId> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        runs.sort();
        Ok(runs)
    }

    fn create(&mut self, run: &RunId) -> Result<(), StoreError> {
        let dir = self.run_dir(run);
        private_dir(&dir)?;
        let path = self.journal(run);
        let file =
            private_options().append(true).create_new(true).open(&path).map_err(|error| io_error(&path, &error))?;
        sync_dir(&dir)?;
        sync_dir(&self.root.join("runs"))?;
        self.open = Some((run.clone(), file));
        Ok(())
    }

    fn append(&mut self, run: &RunId, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.journal(run);
        self.writer(run)?.write_all(bytes).map_err(|error| io_error(&path, &error))
    }

    fn sync(&mut self, run: &RunId) -> Result<(), StoreError> {
        let path = self.journal(run);
        self.writer(run)?.sync_data().map_err(|error| io_error(&path, &error))
    }

    fn read(&self, run: &RunId) -> Result<Vec<u8>, StoreError> {
        let path = self.journal(run);
        fs::read(&path).map_err(|error| no_run(&path, run, &error))
    }

    fn truncate(&mut self, run: &RunId, len: u64) -> Result<(), StoreError> {
        let path = self.journal(run);
        self.open = None;
        let file = OpenOptions::new().write(true).open(&path).map_err(|error| no_run(&path, run, &error))?;
        file.set_len(len).and_then(|()| file.sync_all()).map_err(|error| io_error(&path, &error))
    }

    fn keep(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), StoreError> {
        keep_in(&self.root.join(folder), &file_name(name), content)
    }

    fn kept(&self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        kept_in(&self.root.join(folder).join(file_name(name)))
    }

    fn keep_with(&mut self, run: &RunId, name: &str, content: &[u8]) -> Result<(), StoreError> {
        keep_in(&self.run_dir(run), plain(name), content)
    }

    fn kept_with(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        kept_in(&self.run_dir(run).join(plain(name)))
    }

    fn place(&self, run: &RunId) -> String {
        self.run_dir(run).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_locks_and_secrets_on_a_real_disk() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = DirStore::new(dir.path().join("state"));
        assert_eq!(store.runs().unwrap(), []);
        let run = RunId::next("2026-11-22", &store.runs().unwrap()).unwrap();
        assert_eq!(run.as_str(), "2026-11-22-01");
        store.create(&run).unwrap();
        assert!(store.create(&run).is_err(), "a run is made once");
        store.append(&run, b"one\n").unwrap();
        store.sync(&run).unwrap();
        let mut other = DirStore::new(dir.path().join("state"));
        other.append(&run, b"two\n").unwrap();
        assert_eq!(store.read(&run).unwrap(), b"one\ntwo\n");
        store.truncate(&run, 4).unwrap();
        assert_eq!(store.read(&run).unwrap(), b"one\n");
        assert_eq!(RunId::next("2026-11-22", &store.runs().unwrap()).unwrap().as_str(), "2026-11-22-02");

        let held = store.lock("edge-1").unwrap();
        assert_eq!(other.lock("edge-1").unwrap_err().code(), "state.locked");
        assert!(other.is_locked("edge-1") && !other.is_locked("edge-2"));
        drop(held);
        assert!(!other.is_locked("edge-1"));
        other.lock("edge-1").unwrap();

        assert!(store.kept("secrets", "edge-1.ha").unwrap().is_none());
        store.keep("secrets", "edge-1.ha", b"abc").unwrap();
        assert_eq!(other.kept("secrets", "edge-1.ha").unwrap().unwrap(), b"abc");
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(dir.path().join("state/secrets/_edge-1.ha")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        store.keep_with(&run, "evidence.txt", b"log").unwrap();
        assert_eq!(other.kept_with(&run, "evidence.txt").unwrap().unwrap(), b"log");
        assert!(other.kept_with(&run, "other.txt").unwrap().is_none());
        let mode = fs::metadata(store.run_dir(&run).join("evidence.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        store.keep_with(&run, "../../x", b"log").unwrap();
        assert!(store.run_dir(&run).join("unnamed").exists(), "a name leads nowhere else");
        assert!("2026-11-22-1".parse::<RunId>().is_err() && "../../etc/pass".parse::<RunId>().is_err());
    }
}
