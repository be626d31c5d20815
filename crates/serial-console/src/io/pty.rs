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

/// How often a pty that nobody has open is looked at: it is "readable" all the time, with an error.
const LOOK: Duration = Duration::from_millis(30);
/// One read.
const READ: usize = 4096;

/// The master side. A link that it made goes with it.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
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
        // Deprecated because any type that has a descriptor is taken; an OwnedFd keeps it open, which is all that is asked.
        #[allow(deprecated)]
        let master = AsyncFd::new(master)?;
        Ok(Self { master, path, link: link.map(Path::to_owned), attached: false })
    }

    /// What programs open.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }

    /// The speed that whoever has it open set.
    pub fn baud(&self) -> u32 {
        tcgetattr(self.master.get_ref()).map_or(0, |settings| settings.output_speed())
    }

    /// Waits for bytes; cancel-safe. Never ends: who closes it may come back.
    ///
    /// # Errors
    /// The pty broke.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut space = vec![0; READ];
        loop {
            if !self.attached {
                match rustix::io::read(self.master.get_ref(), &mut space[..]) {
                    Err(Errno::IO) => {
                        tokio::time::sleep(LOOK).await;
                        continue;
                    }
                    Ok(count) => {
                        self.attached = true;
                        space.truncate(count);
                        return Ok(space);
                    }
                    Err(Errno::AGAIN) => self.attached = true,
                    Err(error) => return Err(error.into()),
                }
            }
            let mut ready = self.master.readable().await?;
            match rustix::io::read(ready.get_inner(), &mut space[..]) {
                Ok(count) => {
                    space.truncate(count);
                    return Ok(space);
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
        match rustix::io::write(self.master.get_ref(), bytes) {
            Ok(count) => count,
            Err(Errno::AGAIN) => 0,
            Err(_) => bytes.len(),
        }
    }
}
