//! Lock files in the way of UUCP: how programs that take no kernel lock (minicom, cu, ser2net) say that a port is theirs.
//!
//! `/var/lock/LCK..ttyUSB0` holds the process id, ten characters and a line end (the HDB form; the program's name may follow), or
//! four bytes of the old form. One whose process is gone counts for nothing. An empty one neither: its program died while it
//! made it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// Longer than any lock file is.
const LONGEST: u64 = 128;

/// A lock file's content. Everybody may write where it lies: what is no file is not waited for, and what is no lock file not read.
fn content(file: &Path) -> Option<Vec<u8>> {
    let opened =
        rustix::fs::open(file, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
    let opened = File::from(opened.ok()?);
    if !opened.metadata().ok()?.is_file() {
        return None;
    }
    let mut content = Vec::new();
    opened.take(LONGEST).read_to_end(&mut content).ok()?;
    Some(content)
}

/// What a file says of its owner.
fn pid(content: &[u8]) -> Option<u32> {
    if let Ok(bytes) = <[u8; 4]>::try_from(content) {
        // Digits and a line end are four bytes, too.
        if !bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
            return Some(u32::from_ne_bytes(bytes));
        }
    }
    std::str::from_utf8(content).ok()?.split_whitespace().next()?.parse().ok()
}

/// The names that programs give the lock file of a device: by its last part, or by all behind `/dev/` with `_` for `/`.
fn names(device: &Path) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(last) = device.file_name() {
        names.push(format!("LCK..{}", last.to_string_lossy()));
    }
    if let Ok(below) = device.strip_prefix("/dev") {
        let whole = format!("LCK..{}", below.to_string_lossy().replace('/', "_"));
        if !names.contains(&whole) {
            names.push(whole);
        }
    }
    names
}

/// The lock files of a device in `folder`, and whose they are by their own words. `device` is no link.
pub(super) fn owners(folder: &Path, device: &Path) -> Vec<(PathBuf, u32)> {
    let files = names(device).into_iter().map(|name| folder.join(name));
    files.filter_map(|file| Some((file.clone(), pid(&content(&file)?)?))).collect()
}

/// Ours, for as long as it lives. It is for other programs: between two of us the kernel's lock decides.
#[derive(Debug)]
pub(super) struct Lock {
    file: PathBuf,
}

impl Lock {
    /// Whole or not at all: it gets its name when it is written, so nobody ever reads an empty one. `None`: the folder is not
    /// there or not ours to write, or the lock of somebody who is `alive` is there.
    pub(super) fn take(folder: &Path, device: &Path, alive: impl Fn(u32) -> bool) -> Option<Self> {
        let file = folder.join(names(device).into_iter().next()?);
        if let Some(content) = content(&file)
            && !pid(&content).is_some_and(alive)
        {
            let _ = fs::remove_file(&file);
        }
        let mut made = tempfile::NamedTempFile::new_in(folder).ok()?;
        writeln!(made, "{:>10}", std::process::id()).ok()?;
        // Others have to read it, and a temporary file is nobody's but ours.
        let readable = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        rustix::fs::fchmod(&made, readable).ok()?;
        made.persist_noclobber(&file).ok()?;
        Some(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let ours = content(&self.file).is_some_and(|content| pid(&content) == Some(std::process::id()));
        if ours {
            let _ = fs::remove_file(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_lock_file_is() {
        for (content, whose) in [
            (&b"      4711\n"[..], Some(4711)),
            (b"      4711 minicom root\n", Some(4711)),
            (b"4711", Some(4711)),
            (b"471\n", Some(471)),
            (&4711_u32.to_ne_bytes(), Some(4711)),
            (b"", None),
            (b"      \n", None),
            (b"minicom\n", None),
            (b"99999999999\n", None),
            (b"-1\n", None),
        ] {
            assert_eq!(pid(content), whose, "{content:?}");
        }
        assert_eq!(names(Path::new("/dev/ttyUSB0")), ["LCK..ttyUSB0"]);
        assert_eq!(names(Path::new("/dev/usb/tts/0")), ["LCK..0", "LCK..usb_tts_0"]);
    }

    #[test]
    fn ours_is_whole_takes_the_place_of_a_dead_one_and_goes_with_us() {
        let folder = tempfile::tempdir().unwrap();
        let device = Path::new("/dev/ttyUSB0");
        fs::write(folder.path().join("LCK..ttyUSB0"), "").unwrap();
        let lock = Lock::take(folder.path(), device, |_| false).unwrap();
        assert_eq!(fs::read_to_string(&lock.file).unwrap(), format!("{:>10}\n", std::process::id()));
        assert_eq!(owners(folder.path(), device), [(lock.file.clone(), std::process::id())]);
        drop(lock);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // Somebody else's that took its place meanwhile stays.
        let lock = Lock::take(folder.path(), device, |_| false).unwrap();
        fs::write(&lock.file, "         1\n").unwrap();
        let file = lock.file.clone();
        drop(lock);
        assert!(Lock::take(folder.path(), device, |pid| pid == 1).is_none() && file.exists());
        // What would block whoever reads it, or fill his memory, is none.
        let trap = folder.path().join("LCK..trap");
        rustix::fs::mkfifoat(rustix::fs::CWD, &trap, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(owners(folder.path(), Path::new("/dev/trap")), []);
        assert!(Lock::take(folder.path(), Path::new("/dev/trap"), |_| false).is_none() && trap.exists());
        assert!(Lock::take(Path::new("/nowhere"), device, |_| false).is_none());
    }
}
