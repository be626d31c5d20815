//! The wires: characters on their way, both ways, at the line's speed.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mactelnet::Instant;
use serial_console::LineSettings;

use super::noise::Noise;
use super::wave::{seen_at, seen_by};

/// Characters on their way to the router. A host's own buffers hold less; what is beyond is lost.
const MAX_INWARD: usize = 1 << 20;
/// Characters that the router may hand to its UART ahead of time; more waits in the console.
pub const MAX_OUTWARD: usize = 256;
/// Characters that arrive together: a host's driver hands them over in small portions, and time need not stop for each.
const PORTION: u32 = 16;
/// Characters that nobody took. As in a host's tty, the rest is lost.
const MAX_ARRIVED: usize = 64 * 1024;
/// Start bit, eight data bits, stop bit.
const BITS: u64 = 10;

/// How good the cable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wire {
    /// One damaged character in so many, each way; 0: none.
    pub error_every: u32,
    /// What each character takes besides its time on the wire, each way: an adapter's or a console server's.
    pub latency: Duration,
    /// Which characters are damaged.
    pub seed: u64,
}

/// One line.
#[derive(Debug)]
pub struct Line {
    baud: u32,
    latency: Duration,
    noise: [Noise; 2],
    /// Cables that are in: a new one may be plugged before the old one is out.
    plugs: u8,
    inward: VecDeque<(Instant, u8)>,
    next_in: Instant,
    outward: VecDeque<u8>,
    next_out: Instant,
    arrived: Vec<u8>,
    breaks: u32,
    waker: Option<Waker>,
}

impl Line {
    /// Nobody at the other end.
    pub fn new(baud: u32) -> Self {
        Self {
            baud,
            latency: Duration::ZERO,
            noise: [Noise::new(0, 0), Noise::new(0, 0)],
            plugs: 0,
            inward: VecDeque::new(),
            next_in: Instant::ZERO,
            outward: VecDeque::new(),
            next_out: Instant::ZERO,
            arrived: Vec::new(),
            breaks: 0,
            waker: None,
        }
    }

    /// Another cable.
    pub fn set_wire(&mut self, wire: Wire) {
        self.latency = wire.latency;
        self.noise = [Noise::new(wire.error_every, wire.seed), Noise::new(wire.error_every, !wire.seed)];
    }

    /// The router's speed.
    pub fn baud(&self) -> u32 {
        self.baud
    }

    /// The router sets another speed; characters that are being sent go out at the new one.
    pub fn set_baud(&mut self, baud: u32) {
        self.baud = baud;
    }

    /// The power is gone: what was on its way is lost, cable and host stay.
    pub fn off(&mut self) {
        self.inward.clear();
        self.outward.clear();
    }

    /// Whether there is a cable.
    pub fn is_plugged(&self) -> bool {
        self.plugs > 0
    }

    /// A cable is plugged in or pulled. The router notices nothing: a console has no carrier.
    pub fn plug(&mut self, plugged: bool) {
        self.plugs = if plugged { self.plugs.saturating_add(1) } else { self.plugs.saturating_sub(1) };
        if self.plugs == 0 {
            self.inward.clear();
            self.arrived.clear();
        }
    }

    fn character(baud: u32) -> Duration {
        Duration::from_micros(BITS * 1_000_000 / u64::from(baud.max(1)))
    }

    /// The host sends, at its own speed and framing; the router's is 8N1.
    pub fn send(&mut self, now: Instant, bytes: &[u8], line: LineSettings) {
        if self.plugs == 0 {
            return;
        }
        self.next_in = self.next_in.max(now);
        let mut arriving = Vec::new();
        for byte in seen_by(bytes, line, LineSettings::at(self.baud)) {
            self.next_in += Self::character(line.baud);
            self.noise[0].pass(byte, &mut arriving);
            for byte in arriving.drain(..).take(MAX_INWARD.saturating_sub(self.inward.len())) {
                self.inward.push_back((self.next_in + self.latency, byte));
            }
        }
    }

    /// Characters that have reached the router.
    pub fn take_in(&mut self, now: Instant) -> Vec<u8> {
        let due = self.inward.iter().take_while(|(at, _)| *at <= now).count();
        self.inward.drain(..due).map(|(_, byte)| byte).collect()
    }

    /// How many more characters the router may hand over now.
    pub fn room(&self) -> usize {
        MAX_OUTWARD.saturating_sub(self.outward.len())
    }

    /// The router sends.
    pub fn print(&mut self, now: Instant, bytes: &[u8]) {
        if self.outward.is_empty() {
            self.next_out = self.next_out.max(now);
        }
        self.outward.extend(bytes);
    }

    /// Moves what has been on the wire long enough.
    pub fn turn(&mut self, now: Instant) {
        let character = Self::character(self.baud);
        let mut moved = false;
        while self.next_out + self.latency + character <= now
            && let Some(byte) = self.outward.pop_front()
        {
            self.next_out += character;
            if self.plugs > 0 && self.arrived.len() < MAX_ARRIVED {
                self.noise[1].pass(byte, &mut self.arrived);
                moved = true;
            }
        }
        if moved && let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// When [`Line::turn`] or [`Line::take_in`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let portion = u32::try_from(self.outward.len()).unwrap_or(PORTION).min(PORTION);
        let out = (portion > 0).then(|| self.next_out + self.latency + Self::character(self.baud) * portion);
        // The end of a portion, so that a long text is not one event for each character.
        let inward = self.inward.iter().take(PORTION as usize).next_back().map(|(at, _)| *at);
        [out, inward].into_iter().flatten().min()
    }

    /// The router sends a break.
    pub fn send_break(&mut self) {
        if self.plugs > 0 {
            self.breaks = self.breaks.saturating_add(1);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    /// Breaks that have reached the other end since the last call.
    pub fn take_breaks(&mut self) -> u32 {
        std::mem::take(&mut self.breaks)
    }

    /// Characters that have reached the host, as one at `baud` reads them.
    pub fn take_out(&mut self, baud: u32) -> Vec<u8> {
        let arrived = std::mem::take(&mut self.arrived);
        seen_at(&arrived, self.baud, baud)
    }

    /// As [`Line::take_out`]; wakes when there is something, a break too: see [`Line::take_breaks`].
    pub fn poll_out(&mut self, cx: &mut Context<'_>, baud: u32) -> Poll<Vec<u8>> {
        if self.arrived.is_empty() && self.breaks == 0 {
            self.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(self.take_out(baud))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_take_their_time() {
        let mut line = Line::new(9600);
        line.plug(true);
        line.print(Instant::ZERO, &[b'x'; 96]);
        line.turn(Instant::from_millis(50));
        assert_eq!(line.take_out(9600).len(), 48);
        line.turn(Instant::from_millis(101));
        assert_eq!(line.take_out(9600).len(), 48);
        assert_eq!(line.poll_timeout(), None);
        line.send(Instant::from_millis(200), b"abc", LineSettings::at(9600));
        assert_eq!(line.take_in(Instant::from_millis(202)), b"a");
        assert_eq!(line.take_in(Instant::from_millis(300)), b"bc");
    }

    #[test]
    fn without_a_cable_everything_is_lost() {
        let mut line = Line::new(115_200);
        line.print(Instant::ZERO, b"lost");
        line.send(Instant::ZERO, b"lost", LineSettings::at(115_200));
        line.turn(Instant::from_millis(10));
        line.plug(true);
        assert_eq!((line.take_out(115_200), line.take_in(Instant::from_millis(10))), (vec![], vec![]));
    }
}
