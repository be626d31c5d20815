//! The router's serial ports by name: what is on their lines, whoever has them.

use std::task::{Context, Poll};

use mactelnet::Instant;
use serial_console::LineSettings;

use super::machine::Router;
use crate::record::EventKind;
use crate::serial::Line;
use crate::spec::Spec;
use crate::system::{BUILT_IN, System};

/// The speed of a port that nobody has set; "auto" means this one in practice (routeros-console.md section 7).
const BAUD: u32 = 115_200;

/// A serial adapter in a USB socket.
#[derive(Debug)]
pub(super) struct Adapter {
    name: String,
    line: Line,
    /// Whether it is in its socket.
    present: bool,
}

impl Adapter {
    pub(super) fn all(spec: &Spec) -> Vec<Self> {
        let new = |name: &String| Self { name: name.clone(), line: Line::new(BAUD), present: true };
        spec.serial.adapters.keys().map(new).collect()
    }

    /// No power.
    pub(super) fn off(&mut self) {
        self.line.off();
    }

    /// Tells a system that starts.
    pub(super) fn tell(&self, system: &System) {
        system.set_port_present(&self.name, self.present);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.line.poll_timeout()
    }
}

/// Moves what is between a port's line and whoever has it: characters that found no room, and whether something moved.
/// `None`: nobody has it.
pub(super) fn pass(system: &System, name: &str, line: &mut Line, now: Instant, came: &[u8]) -> Option<(usize, bool)> {
    let passed = system.pass_port(name, came, line.room())?;
    line.print(now, &passed.sent);
    (0..passed.breaks).for_each(|_| line.send_break());
    Some((passed.lost, !came.is_empty() || !passed.sent.is_empty()))
}

impl Router {
    fn line(&self, port: &str) -> Option<&Line> {
        if port == BUILT_IN {
            return Some(&self.serial.line);
        }
        self.adapters.iter().find(|adapter| adapter.name == port).map(|adapter| &adapter.line)
    }

    fn line_mut(&mut self, port: &str) -> Option<&mut Line> {
        if port == BUILT_IN {
            return Some(&mut self.serial.line);
        }
        self.adapters.iter_mut().find(|adapter| adapter.name == port).map(|adapter| &mut adapter.line)
    }

    /// Plugs a cable into a port, or pulls it. A port that the router does not have has nothing of it.
    pub fn plug_port(&mut self, now: Instant, port: &str, plugged: bool) {
        self.pump(now);
        if port == BUILT_IN && plugged {
            // What a host's cable in its place still carries belongs to nobody.
            self.serial.cables += 1;
        }
        if let Some(line) = self.line_mut(port) {
            line.plug(plugged);
        }
        self.pump(now);
    }

    /// Plugs an adapter into its USB socket, or pulls it: whoever has its port loses it.
    pub fn plug_adapter(&mut self, now: Instant, port: &str, plugged: bool) {
        self.pump(now);
        if let Some(adapter) = self.adapters.iter_mut().find(|adapter| adapter.name == port) {
            adapter.present = plugged;
            adapter.line.off();
        }
        if let (Some(system), false) = (self.system(), port == BUILT_IN) {
            system.set_port_present(port, plugged);
        }
        self.pump(now);
    }

    /// What is at the other end sends, at `baud` bits a second.
    pub fn port_send(&mut self, now: Instant, port: &str, bytes: &[u8], baud: u32) {
        self.pump(now);
        if let Some(line) = self.line_mut(port) {
            line.send(now, bytes, LineSettings::at(baud));
        }
        self.pump(now);
    }

    /// What has come to the other end of a port, as one who listens at `baud` bits a second gets it; wakes when there is
    /// something, breaks too.
    pub fn poll_port(&mut self, cx: &mut Context<'_>, port: &str, baud: u32) -> Poll<(Vec<u8>, u32)> {
        let Some(line) = self.line_mut(port) else { return Poll::Pending };
        line.poll_out(cx, baud).map(|bytes| (bytes, line.take_breaks()))
    }

    /// The speed of a port.
    pub fn port_baud(&self, port: &str) -> u32 {
        self.line(port).map_or(BAUD, Line::baud)
    }

    /// Moves what is on the lines of adapters. True when something came of it.
    pub(super) fn turn_adapters(&mut self, now: Instant) -> bool {
        let system = self.system().cloned();
        let (mut moved, mut lost) = (false, 0);
        for adapter in &mut self.adapters {
            adapter.line.turn(now);
            let came = adapter.line.take_in(now);
            let Some(system) = system.as_ref().filter(|_| adapter.present) else { continue };
            if let Some((over, some)) = pass(system, &adapter.name, &mut adapter.line, now, &came) {
                lost += over;
                moved |= some;
            }
        }
        self.note_lost(now, lost);
        moved
    }

    pub(super) fn note_lost(&self, now: Instant, bytes: usize) {
        if bytes > 0 {
            self.note(now, EventKind::SerialLost { bytes });
        }
    }
}
