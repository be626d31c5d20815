//! What a URL sets of a line: `?baud=9600&framing=7e1&dtr=off&rts=on`.

use std::fmt;
use std::str::FromStr;

use super::Query;

/// The speed of a RouterBOARD's console unless the URL says another.
pub const DEFAULT_BAUD: u32 = 115_200;
/// The speeds that a UART may have at all.
pub const SPEEDS: std::ops::RangeInclusive<u32> = 300..=4_000_000;
/// The words that set a line.
pub(super) const KEYS: &[&str] = &["baud", "framing", "dtr", "rts"];

/// Parity, as a RouterOS port may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Parity {
    #[default]
    None,
    Even,
    Odd,
}

/// Data bits, parity and stop bits: what RouterOS's `/port` can be set to (7 or 8; none, even or odd; 1 or 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Framing {
    /// Seven data bits, not eight.
    pub seven: bool,
    /// Parity.
    pub parity: Parity,
    /// Two stop bits, not one.
    pub two_stops: bool,
}

impl FromStr for Framing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("framing `{text}` is none of 8n1, 7e1 and the like: 7 or 8, then n, e or o, then 1 or 2");
        let [data, parity, stop] = text.as_bytes() else { return Err(fail()) };
        Ok(Self {
            seven: match data {
                b'7' => true,
                b'8' => false,
                _ => return Err(fail()),
            },
            parity: match parity.to_ascii_lowercase() {
                b'n' => Parity::None,
                b'e' => Parity::Even,
                b'o' => Parity::Odd,
                _ => return Err(fail()),
            },
            two_stops: match stop {
                b'1' => false,
                b'2' => true,
                _ => return Err(fail()),
            },
        })
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'n',
            Parity::Even => 'e',
            Parity::Odd => 'o',
        };
        write!(f, "{}{parity}{}", 8 - u8::from(self.seven), 1 + u8::from(self.two_stops))
    }
}

/// All of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineOptions {
    /// Bits a second.
    pub baud: u32,
    /// Framing.
    pub framing: Framing,
    /// DTR from the opening on; `None` leaves it as it is.
    pub dtr: Option<bool>,
    /// RTS likewise.
    pub rts: Option<bool>,
}

impl Default for LineOptions {
    fn default() -> Self {
        Self { baud: DEFAULT_BAUD, framing: Framing::default(), dtr: None, rts: None }
    }
}

impl LineOptions {
    pub(super) fn parse(query: &Query<'_>) -> Result<Self, String> {
        let usual = Self::default();
        let baud = query.get("baud").map(|text| {
            let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
            speed.ok_or_else(|| format!("`{text}` is no baud rate, which is {} to {}", SPEEDS.start(), SPEEDS.end()))
        });
        Ok(Self {
            baud: baud.transpose()?.unwrap_or(usual.baud),
            framing: query.get("framing").map(str::parse).transpose()?.unwrap_or_default(),
            dtr: wire(query, "dtr")?,
            rts: wire(query, "rts")?,
        })
    }
}

fn wire(query: &Query<'_>, name: &str) -> Result<Option<bool>, String> {
    match query.get(name) {
        None | Some("keep") => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(text) => Err(format!("{name} `{text}` is none of on, off and keep")),
    }
}

impl fmt::Display for LineOptions {
    /// The query, `?` included; nothing where all is as usual.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = |on: Option<bool>| on.map(|on| if on { "on" } else { "off" }.to_owned());
        let said = [
            ("baud", (self.baud != DEFAULT_BAUD).then(|| self.baud.to_string())),
            ("framing", (self.framing != Framing::default()).then(|| self.framing.to_string())),
            ("dtr", wire(self.dtr)),
            ("rts", wire(self.rts)),
        ];
        let said = said.into_iter().filter_map(|(key, value)| Some((key, value?)));
        for (i, (key, value)) in said.enumerate() {
            write!(f, "{}{key}={value}", if i == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}
