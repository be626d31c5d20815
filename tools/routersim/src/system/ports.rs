//! Serial ports, as the programs of one boot have them: the console, and terminals that other devices hang on.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Weak;

use super::core::System;
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::menu::Refused;
use crate::spec::Spec;

/// The port of the board itself, on which the boot loader is too.
pub const BUILT_IN: &str = "serial0";
/// Where it is said which ports have a console.
const CONSOLES: &str = "/system/console";
/// Characters that wait for the program that has the port; a tty holds 4 KB and loses the rest \[I\].
const BUFFER: usize = 4096;

/// What a program that has a port is given through.
#[derive(Debug)]
struct Taken {
    /// Which of all that had it.
    number: u64,
    sent: PipeReader,
    arrived: PipeWriter,
    breaks: u32,
}

#[derive(Debug)]
struct Port {
    /// An adapter can be unplugged; its port stays and is inactive \[I\].
    present: bool,
    taken: Option<Taken>,
}

/// All ports.
#[derive(Debug)]
pub struct Ports {
    ports: BTreeMap<String, Port>,
    opened: u64,
}

impl Ports {
    pub(super) fn of(spec: &Spec) -> Self {
        let names = std::iter::once(BUILT_IN.to_owned()).chain(spec.serial.adapters.keys().cloned());
        Self { ports: names.map(|name| (name, Port { present: true, taken: None })).collect(), opened: 0 }
    }
}

/// What a port's line gives and takes in one turn.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// To be sent.
    pub(crate) sent: Vec<u8>,
    /// Breaks to be sent behind it.
    pub(crate) breaks: u32,
    /// Characters that found no room.
    pub(crate) lost: usize,
}

/// A port that a program has until this is dropped.
pub struct OpenPort {
    sys: Weak<System>,
    name: String,
    number: u64,
    /// What arrives on the line; it ends when the port goes away.
    pub arrived: PipeReader,
    /// What is to be sent.
    pub send: PipeWriter,
}

impl fmt::Debug for OpenPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenPort({})", self.name)
    }
}

impl OpenPort {
    /// Sends a break.
    pub fn send_break(&self) {
        if let Some(sys) = self.sys.upgrade()
            && let Some(taken) = sys.ports.borrow_mut().ports.get_mut(&self.name).and_then(|port| port.taken.as_mut())
            && taken.number == self.number
        {
            taken.breaks = taken.breaks.saturating_add(1);
        }
    }
}

impl Drop for OpenPort {
    fn drop(&mut self) {
        if let Some(sys) = self.sys.upgrade()
            && let Ok(mut ports) = sys.ports.try_borrow_mut()
            && let Some(port) = ports.ports.get_mut(&self.name)
            && port.taken.as_ref().is_some_and(|taken| taken.number == self.number)
        {
            port.taken = None;
        }
    }
}

impl System {
    /// Names of the ports, the board's own first, and whether each is there.
    pub fn serial_ports(&self) -> Vec<(String, bool)> {
        let ports = self.ports.borrow();
        ports.ports.iter().map(|(name, port)| (name.clone(), port.present)).collect()
    }

    /// Whether the configuration puts a console on a port.
    pub fn has_console(&self, port: &str) -> bool {
        self.config(|config| config.items(CONSOLES).iter().any(|item| !item.disabled && item.get("port") == Some(port)))
    }

    /// Who has a port, as `/port print` says it.
    pub fn port_user(&self, port: &str) -> &'static str {
        let taken = self.ports.borrow().ports.get(port).is_some_and(|port| port.taken.is_some());
        match (self.has_console(port), self.spec.version.is_v7()) {
            (true, true) => "Serial Console(#0)",
            (true, false) => "Serial Console",
            // In no source.
            (false, _) if taken => "Serial Terminal",
            (false, _) => "",
        }
    }

    /// Takes a port. A console that has it is not shared; in what words RouterOS refuses is in no source.
    ///
    /// # Errors
    /// There is no such port, it is not there, or somebody has it.
    pub fn open_port(&self, name: &str) -> Result<OpenPort, Refused> {
        let used = !self.port_user(name).is_empty();
        let mut ports = self.ports.borrow_mut();
        let number = ports.opened + 1;
        let port = ports.ports.get_mut(name).ok_or_else(|| Refused::NoMatch("port".to_owned()))?;
        if used {
            return Err(Refused::failure("port is already used"));
        }
        if !port.present {
            return Err(Refused::failure("port is inactive"));
        }
        let (send, sent) = pipe(Some(BUFFER));
        let (arrive, arrived) = pipe(None);
        port.taken = Some(Taken { number, sent, arrived: arrive, breaks: 0 });
        ports.opened = number;
        Ok(OpenPort { sys: self.me.clone(), name: name.to_owned(), number, arrived, send })
    }

    /// An adapter is plugged in or pulled: who has its port loses it.
    pub(crate) fn set_port_present(&self, name: &str, present: bool) {
        let taken = {
            let mut ports = self.ports.borrow_mut();
            let Some(port) = ports.ports.get_mut(name) else { return };
            port.present = present;
            if present { None } else { port.taken.take() }
        };
        // Dropped here: it wakes who had it.
        drop(taken);
    }

    /// Hands over what came on a port's line and takes what may go out. `None`: nobody has it.
    pub(crate) fn pass_port(&self, name: &str, came: &[u8], room: usize) -> Option<Passed> {
        let mut ports = self.ports.borrow_mut();
        let taken = ports.ports.get_mut(name)?.taken.as_mut()?;
        let mut passed = Passed::default();
        if !came.is_empty() {
            let fits = came.len().min(BUFFER.saturating_sub(taken.arrived.unread()));
            let (kept, lost) = came.split_at(fits);
            taken.arrived.push(kept);
            passed.lost = lost.len();
        }
        // Taking nothing would still wake who has it.
        if room > 0 && taken.sent.ready() > 0 {
            passed.sent = taken.sent.take(room);
        }
        passed.breaks = std::mem::take(&mut taken.breaks);
        Some(passed)
    }
}
