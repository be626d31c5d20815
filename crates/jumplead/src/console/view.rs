//! What is shown of what came: as it is, with the time before each line, or in hexadecimal.

use std::time::Duration;

/// Bytes in a row of hexadecimal.
const ROW: usize = 16;

/// What stands before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Times {
    /// Nothing
    #[default]
    Off,
    /// Time of day
    Clock,
    /// Date and time with its zone
    Iso,
    /// Since the line before
    Delta,
}

impl Times {
    /// The next one round.
    pub fn next(self) -> Self {
        match self {
            Self::Off => Self::Clock,
            Self::Clock => Self::Iso,
            Self::Iso => Self::Delta,
            Self::Delta => Self::Off,
        }
    }
}

/// A moment, as the view needs it.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Since some beginning.
    pub since: Duration,
    /// On everybody's wall.
    pub time: jiff::Timestamp,
    /// Where the wall is; this host's own zone is looked for when a time is shown, not before.
    pub zone: Option<jiff::tz::TimeZone>,
}

impl Moment {
    /// Now, in a session that has begun then.
    pub fn of(begun: std::time::Instant) -> Self {
        Self { since: begun.elapsed(), time: jiff::Timestamp::now(), zone: None }
    }

    /// On the wall.
    pub fn wall(&self) -> jiff::Zoned {
        self.time.to_zoned(self.zone.clone().unwrap_or_else(jiff::tz::TimeZone::system))
    }
}

/// The view.
#[derive(Debug, Default)]
pub struct View {
    pub times: Times,
    hex: bool,
    /// The next character begins a line. Not so before the first one: what stands there is in the middle of something.
    fresh: bool,
    last: Option<Duration>,
    column: usize,
}

impl View {
    pub fn new(times: Times, hex: bool) -> Self {
        Self { times, hex, fresh: true, ..Self::default() }
    }

    pub fn is_hex(&self) -> bool {
        self.hex
    }

    pub fn set_hex(&mut self, on: bool) {
        (self.hex, self.column) = (on, 0);
    }

    fn stamp(&mut self, at: &Moment) -> String {
        let last = self.last.replace(at.since).unwrap_or(at.since);
        match self.times {
            Times::Off => String::new(),
            Times::Clock => at.wall().strftime("[%H:%M:%S%.3f] ").to_string(),
            Times::Iso => at.wall().strftime("[%Y-%m-%dT%H:%M:%S%.3f%:z] ").to_string(),
            Times::Delta => format!("[+{:9.3}] ", at.since.saturating_sub(last).as_secs_f64()),
        }
    }

    /// What of `bytes` goes to the terminal.
    pub fn show(&mut self, at: &Moment, bytes: &[u8]) -> Vec<u8> {
        if self.hex {
            return self.hexadecimal(at, bytes);
        }
        if self.times == Times::Off {
            self.fresh = bytes.last() == Some(&b'\n');
            return bytes.to_vec();
        }
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.fresh && !matches!(byte, b'\r' | b'\n') {
                self.fresh = false;
                out.extend(self.stamp(at).into_bytes());
            }
            self.fresh |= byte == b'\n';
            out.push(byte);
        }
        out
    }

    fn hexadecimal(&mut self, at: &Moment, bytes: &[u8]) -> Vec<u8> {
        let mut out = String::new();
        for byte in bytes {
            if self.column == 0 {
                out += &self.stamp(at);
            }
            out += &format!("{byte:02x} ");
            self.column += 1;
            if self.column == ROW {
                out += "\r\n";
                self.column = 0;
            }
        }
        out.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        let time = jiff::Timestamp::from_millisecond(1_767_323_045_000 + i64::try_from(millis).unwrap()).unwrap();
        Moment { since: Duration::from_millis(millis), time, zone: Some(jiff::tz::TimeZone::UTC) }
    }

    fn shown(view: &mut View, millis: u64, bytes: &[u8]) -> String {
        String::from_utf8(view.show(&at(millis), bytes)).unwrap()
    }

    #[test]
    fn each_line_has_the_time_of_its_first_character() {
        let mut view = View::new(Times::Clock, false);
        assert_eq!(shown(&mut view, 7, b"ab"), "[03:04:05.007] ab");
        assert_eq!(shown(&mut view, 9, b"c\r\n"), "c\r\n");
        assert_eq!(shown(&mut view, 1500, b"\r\nd"), "\r\n[03:04:06.500] d");
        view.times = Times::Iso;
        assert_eq!(shown(&mut view, 1500, b"\ne"), "\n[2026-01-02T03:04:06.500+00:00] e");
        view.times = Times::Delta;
        assert_eq!(shown(&mut view, 3500, b"\nf"), "\n[+    2.000] f");
        view.times = view.times.next();
        assert_eq!(shown(&mut view, 9000, b"\ng\xff".get(..2).unwrap()), "\ng");
    }

    #[test]
    fn times_are_those_of_the_wall() {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(5));
        let moment = Moment { zone: Some(zone), ..at(7) };
        let mut view = View::new(Times::Iso, false);
        assert_eq!(view.show(&moment, b"a"), b"[2026-01-02T08:04:05.007+05:00] a");
    }

    #[test]
    fn hexadecimal_shows_every_byte() {
        let mut view = View::new(Times::Off, true);
        let all: Vec<u8> = (0..=255).collect();
        let text = shown(&mut view, 0, &all);
        assert_eq!(text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect::<Vec<_>>(), all);
        assert_eq!(text.matches("\r\n").count(), 16);
        view.set_hex(false);
        assert_eq!(shown(&mut view, 0, b"x"), "x");
    }
}
