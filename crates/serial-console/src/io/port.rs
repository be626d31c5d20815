//! A port of this host.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::termios::{ControlModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serialport::SerialPort as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{SerialPortBuilderExt as _, SerialStream};

use super::error::Error;
use super::identity::Identity;
use super::line::{ModemLines, Outcome};
use super::list::Sysfs;
use super::lock::Lock;
use super::termios::settings_of;
use crate::settings::{DataBits, Flow, LineSettings, ModemState, Parity, StopBits};

/// How often a port that went away is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// The settings as they were found. They come back on every way out but a kill, all but one: HUPCL would have the kernel drop
/// DTR and RTS when the port is closed, and raise them when it is opened next, which nobody asked for.
#[derive(Debug)]
struct Guard {
    file: File,
    found: Termios,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.found.control_modes.remove(ControlModes::HUPCL);
        // An adapter that is gone has no settings.
        let _ = tcsetattr(&self.file, OptionalActions::Now, &self.found);
    }
}

#[derive(Debug)]
struct Opened {
    // In this order: the line is closed, then the settings come back, then others may have it.
    stream: SerialStream,
    _guard: Guard,
    _lock: Option<Lock>,
    /// A pty has no wires.
    wires: bool,
    /// What the driver has, where that is another framing than was asked for: a pty has eight bits and no parity.
    other: Option<String>,
}

/// An open port. Dropping it closes it and restores its settings.
#[derive(Debug)]
pub struct LocalPort {
    opened: Option<Opened>,
    identity: Identity,
    settings: LineSettings,
}

impl LocalPort {
    /// Opens a port for us alone. DTR and RTS are left as the kernel makes them: nothing is pulsed.
    ///
    /// # Errors
    /// It is not there, in use (by whom), not allowed, or no serial port.
    pub fn open(path: &str, settings: LineSettings) -> Result<Self, Error> {
        let opened = open(Path::new(path), path, settings)?;
        Ok(Self { opened: Some(opened), identity: Identity::of(path, &Sysfs::default()), settings })
    }

    /// Which port it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The settings in use.
    pub fn settings(&self) -> LineSettings {
        self.settings
    }

    /// The framing that the driver has, where that is not the one that was asked for.
    pub fn taken(&self) -> Option<&str> {
        self.opened.as_ref()?.other.as_deref()
    }

    /// Waits until the same port is there again and opens it. What was said meanwhile is lost.
    ///
    /// # Errors
    /// It did not come back in time, or can't be opened.
    pub async fn reopen(&mut self, patience: Duration) -> Result<(), Error> {
        self.opened = None;
        let sysfs = Sysfs::default();
        let until = tokio::time::Instant::now() + patience;
        loop {
            let gone = Error::Gone { path: self.identity.path.clone() };
            let trouble = match self.identity.find(&sysfs) {
                None => gone,
                Some(path) => match open(&path, &self.identity.path, self.settings) {
                    Ok(opened) => {
                        self.opened = Some(opened);
                        return Ok(());
                    }
                    // udev sets owner and links a moment after the node is there.
                    Err(error) => error,
                },
            };
            if tokio::time::Instant::now() >= until {
                return Err(trouble);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn gone(&mut self) -> std::io::Error {
        // Closed at once: as long as we hold it, the kernel keeps its name from the next one.
        self.opened = None;
        Error::Gone { path: self.identity.path.clone() }.into_io()
    }

    fn stream(&mut self) -> std::io::Result<&mut SerialStream> {
        let path = &self.identity.path;
        self.opened
            .as_mut()
            .map(|opened| &mut opened.stream)
            .ok_or_else(|| Error::Gone { path: path.clone() }.into_io())
    }

    /// Starts or ends a break. A pty takes it and does nothing with it.
    ///
    /// # Errors
    /// The port is gone.
    pub fn set_break(&mut self, on: bool) -> std::io::Result<Outcome> {
        let stream = self.stream()?;
        if on {
            stream.set_break()?
        } else {
            stream.clear_break()?
        }
        Ok(if self.has_wires() { Outcome::Done } else { Outcome::NotSupported })
    }

    fn has_wires(&self) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.wires)
    }

    /// Another speed.
    ///
    /// # Errors
    /// The port is gone, or can't do it.
    pub fn set_baud(&mut self, baud: u32) -> std::io::Result<()> {
        self.stream()?.set_baud_rate(baud)?;
        self.settings.baud = baud;
        Ok(())
    }
}

impl ModemLines for LocalPort {
    fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> std::io::Result<Outcome> {
        if !self.has_wires() {
            self.stream()?;
            return Ok(Outcome::NotSupported);
        }
        let stream = self.stream()?;
        if let Some(on) = dtr {
            stream.write_data_terminal_ready(on)?;
        }
        if let Some(on) = rts {
            stream.write_request_to_send(on)?;
        }
        Ok(Outcome::Done)
    }

    fn modem(&mut self) -> Option<ModemState> {
        if !self.has_wires() {
            return None;
        }
        let stream = self.stream().ok()?;
        Some(ModemState {
            cd: stream.read_carrier_detect().ok()?,
            ri: stream.read_ring_indicator().ok()?,
            dsr: stream.read_data_set_ready().ok()?,
            cts: stream.read_clear_to_send().ok()?,
        })
    }
}

/// `name` is what people wrote.
fn open(path: &Path, name: &str, settings: LineSettings) -> Result<Opened, Error> {
    let sysfs = Sysfs::default();
    let busy_by = |holders| Error::Busy { path: name.to_owned(), holders };
    let busy = || busy_by(others(sysfs.holders(path)));
    // Asked before it is opened, which may raise DTR on a line that is somebody else's.
    let lockers = others(sysfs.lockers(path));
    if !lockers.is_empty() {
        return Err(busy_by(lockers));
    }
    let flags = rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).map_err(|error| match error
        .kind()
    {
        std::io::ErrorKind::NotFound => Error::Missing { path: name.to_owned() },
        std::io::ErrorKind::PermissionDenied => Error::Permission { path: name.to_owned(), group: group(path) },
        std::io::ErrorKind::ResourceBusy => busy(),
        _ => Error::Unusable { path: name.to_owned(), why: error.to_string() },
    })?;
    let unusable = |why: String| Error::Unusable { path: name.to_owned(), why };
    let found = tcgetattr(&file).map_err(|_| unusable("it is no terminal".into()))?;
    // Not everybody locks what he reads (screen, cat, a getty): two readers would each get a part of the bytes.
    let openers = others(sysfs.holders(path));
    if !openers.is_empty() {
        return Err(busy_by(openers));
    }
    let builder = tokio_serial::new(path.to_string_lossy(), settings.baud)
        .data_bits(match settings.data {
            DataBits::Five => serialport::DataBits::Five,
            DataBits::Six => serialport::DataBits::Six,
            DataBits::Seven => serialport::DataBits::Seven,
            DataBits::Eight => serialport::DataBits::Eight,
        })
        .parity(match settings.parity {
            Parity::None => serialport::Parity::None,
            Parity::Odd => serialport::Parity::Odd,
            Parity::Even => serialport::Parity::Even,
            Parity::Mark | Parity::Space => return Err(unusable("mark and space parity are not supported".into())),
        })
        .stop_bits(match settings.stop {
            StopBits::One => serialport::StopBits::One,
            StopBits::Two => serialport::StopBits::Two,
            StopBits::OneAndHalf => return Err(unusable("one and a half stop bits are not supported".into())),
        })
        .flow_control(match settings.flow {
            Flow::None => serialport::FlowControl::None,
            Flow::Software => serialport::FlowControl::Software,
            Flow::Hardware => serialport::FlowControl::Hardware,
        });
    let opened = builder.open_native_async();
    // Whoever has it keeps the settings that it has.
    if let Err(error) = &opened
        && matches!(
            error.kind,
            serialport::ErrorKind::NoDevice | serialport::ErrorKind::Io(std::io::ErrorKind::WouldBlock)
        )
    {
        return Err(busy());
    }
    let guard = Guard { file, found };
    let mut stream = opened.map_err(|error| unusable(error.description.clone()))?;
    // At once, for a process that is killed.
    let mut set = tcgetattr(&guard.file).map_err(|error| unusable(error.to_string()))?;
    if set.control_modes.contains(ControlModes::HUPCL) {
        set.control_modes.remove(ControlModes::HUPCL);
        tcsetattr(&guard.file, OptionalActions::Now, &set).map_err(|error| unusable(error.to_string()))?;
    }
    let wires = stream.read_clear_to_send().is_ok();
    let got = settings_of(&set).framing();
    let other = (got != settings.framing()).then_some(got);
    let device = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = (!sysfs.is_pseudo(&device)).then(|| Lock::take(&sysfs.lock, &device, |pid| sysfs.alive(pid))).flatten();
    Ok(Opened { stream, _guard: guard, _lock: lock, wires, other })
}

/// All but us.
fn others(holders: Vec<super::Holder>) -> Vec<super::Holder> {
    let own = std::process::id();
    holders.into_iter().filter(|holder| holder.pid != own).collect()
}

/// The group that may open a device.
fn group(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok()?;
    if data.mode() & 0o060 == 0 {
        return None;
    }
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(data.gid())).then(|| name.to_owned())
    })
}

impl AsyncRead for LocalPort {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(self.stream()?).poll_read(cx, buf) {
            Poll::Pending => Poll::Pending,
            // An unplugged adapter gives "nothing" for ever, and a pty without its far end an error.
            Poll::Ready(Ok(())) if buf.filled().len() == before => Poll::Ready(Err(self.gone())),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(_)) => Poll::Ready(Err(self.gone())),
        }
    }
}

impl AsyncWrite for LocalPort {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match Pin::new(self.stream()?).poll_write(cx, bytes) {
            Poll::Ready(Err(_)) => Poll::Ready(Err(self.gone())),
            Poll::Ready(Ok(0)) if !bytes.is_empty() => Poll::Ready(Err(self.gone())),
            other => other,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        // What the driver took is on its way. tcdrain would block the thread, for ever where flow control holds it.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
