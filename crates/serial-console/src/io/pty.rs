//! A line offered as a pseudo terminal: what programs open as if it were a port.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

use super::termios::settings_of;
use crate::settings::LineSettings;

/// How often a pty that nobody has open is looked at: it is "readable" all the time, with an error.
const LOOK: Duration = Duration::from_millis(30);
/// One read.
const READ: usize = 4096;

/// The master side. A link that it made goes with it.
#[derive(Debug)]
pub struct Pty {
    /// Registered anew whenever somebody opens the far side: a readiness that once said "closed" says it for ever.
    master: Option<AsyncFd<OwnedFd>>,
    path: PathBuf,
    link: Option<PathBuf>,
    attached: bool,
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            let _ = std::fs::remove_file(link);
        }
    }
}

impl Pty {
    /// A raw one of this speed; `link` is a name that lasts while it is there.
    ///
    /// # Errors
    /// The host has no pty left, or the link can't be made.
    pub fn open(baud: u32, link: Option<&Path>) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        // Opened and closed once: it gets its settings, and from now on it is known that nobody is there.
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        settings.set_speed(baud)?;
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        drop(slave);
        rustix::io::ioctl_fionbio(&master, true)?;
        if let Some(link) = link {
            // What a process that was killed left behind.
            if link.is_symlink() {
                std::fs::remove_file(link)?;
            }
            symlink(&path, link)?;
        }
        let link = link.map(Path::to_owned);
        Ok(Self { master: Some(register(master)?), path, link, attached: false })
    }

    /// What programs open.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }

    /// What whoever has it open set.
    pub fn settings(&self) -> LineSettings {
        let settings = self.master.as_ref().and_then(|master| tcgetattr(master.get_ref()).ok());
        settings.map_or(LineSettings::at(0), |settings| settings_of(&settings))
    }

    /// The speed that whoever has it open set.
    pub fn baud(&self) -> u32 {
        self.settings().baud
    }

    /// Waits for bytes; cancel-safe. Never ends: who closes it may come back.
    ///
    /// # Errors
    /// The pty broke.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut space = vec![0; READ];
        loop {
            let master = self.master.as_ref().ok_or(io::ErrorKind::NotConnected)?;
            if !self.attached {
                let first = rustix::io::read(master.get_ref(), &mut space[..]);
                if first == Err(Errno::IO) {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                if let Some(master) = self.master.take() {
                    self.master = Some(register(master.into_inner())?);
                }
                self.attached = true;
                match first {
                    Ok(count) => {
                        space.truncate(count);
                        return Ok(space);
                    }
                    Err(Errno::AGAIN) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            let mut ready = master.readable().await?;
            match rustix::io::read(ready.get_inner(), &mut space[..]) {
                Ok(count) => {
                    space.truncate(count);
                    return Ok(space);
                }
                // Closed and opened again in between. The readiness that said so can't be cleared: waited for, it would be there at
                // once, for ever, and nothing else would get its turn.
                Err(Errno::AGAIN) if ready.ready().is_read_closed() => {
                    drop(ready);
                    self.attached = false;
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::IO) => {
                    drop(ready);
                    self.attached = false;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives bytes to who has it open; how many were taken. As on a wire, all of them are lost when nobody has.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        if !self.attached {
            return bytes.len();
        }
        let Some(master) = &self.master else { return bytes.len() };
        match rustix::io::write(master.get_ref(), bytes) {
            Ok(count) => count,
            Err(Errno::AGAIN) => 0,
            Err(_) => bytes.len(),
        }
    }
}

fn register(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // Deprecated because any type that has a descriptor is taken; an OwnedFd keeps it open, which is all that is asked.
    #[allow(deprecated)]
    AsyncFd::new(master)
}
