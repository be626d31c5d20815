//! What a serial line is set to, and what its wires say.

use std::fmt;
use std::str::FromStr;

/// Bits of one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[allow(missing_docs)]
pub enum DataBits {
    Five,
    Six,
    Seven,
    #[default]
    Eight,
}

impl DataBits {
    /// 5 to 8.
    pub fn count(self) -> u8 {
        match self {
            Self::Five => 5,
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    /// From 5 to 8.
    pub fn from_count(count: u8) -> Option<Self> {
        Some(match count {
            5 => Self::Five,
            6 => Self::Six,
            7 => Self::Seven,
            8 => Self::Eight,
            _ => return None,
        })
    }
}

/// The parity bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Parity {
    #[default]
    None,
    Odd,
    Even,
    Mark,
    Space,
}

/// Stop bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopBits {
    /// One.
    #[default]
    One,
    /// Two.
    Two,
    /// One and a half.
    OneAndHalf,
}

/// Flow control. RouterOS consoles use none, and none is to be relied on (routeros-console.md section 0, fact 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// None.
    #[default]
    None,
    /// XON and XOFF.
    Software,
    /// RTS and CTS.
    Hardware,
}

/// Speed and framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits a second.
    pub baud: u32,
    /// Bits of a character.
    pub data: DataBits,
    /// Parity.
    pub parity: Parity,
    /// Stop bits.
    pub stop: StopBits,
    /// Flow control.
    pub flow: Flow,
}

impl Default for LineSettings {
    /// What a RouterBOARD speaks: 115200 8N1 without flow control.
    fn default() -> Self {
        Self::at(115_200)
    }
}

impl LineSettings {
    /// 8N1 without flow control.
    pub const fn at(baud: u32) -> Self {
        Self { baud, data: DataBits::Eight, parity: Parity::None, stop: StopBits::One, flow: Flow::None }
    }

    /// `8N1`
    pub fn framing(&self) -> String {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Odd => 'O',
            Parity::Even => 'E',
            Parity::Mark => 'M',
            Parity::Space => 'S',
        };
        let stop = match self.stop {
            StopBits::One => "1",
            StopBits::Two => "2",
            StopBits::OneAndHalf => "1.5",
        };
        format!("{}{parity}{stop}", self.data.count())
    }
}

impl fmt::Display for LineSettings {
    /// `115200 8N1`, and the flow control where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.baud, self.framing())?;
        match self.flow {
            Flow::None => Ok(()),
            Flow::Software => f.write_str(" xon/xoff"),
            Flow::Hardware => f.write_str(" rts/cts"),
        }
    }
}

/// How DTR and RTS are to be driven from the opening on; `None` leaves a wire as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Wires {
    pub dtr: Option<bool>,
    pub rts: Option<bool>,
}

impl Wires {
    /// Whether a wire is asked for.
    pub fn is_asked(self) -> bool {
        self != Self::default()
    }

    /// With what was asked for later.
    pub fn then(self, later: Self) -> Self {
        Self { dtr: later.dtr.or(self.dtr), rts: later.rts.or(self.rts) }
    }
}

impl fmt::Display for Wires {
    /// `DTR=1 RTS=0`, as far as they are asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = [("DTR", self.dtr), ("RTS", self.rts)].into_iter().filter_map(|(name, on)| Some((name, on?)));
        for (i, (name, on)) in asked.enumerate() {
            write!(f, "{}{name}={}", if i > 0 { " " } else { "" }, u8::from(on))?;
        }
        Ok(())
    }
}

/// Text that is no framing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a framing is written like 8N1 or 7E2")]
pub struct BadFraming;

impl FromStr for LineSettings {
    type Err = BadFraming;

    /// `115200 8N1`, or `8N1` at the usual speed.
    fn from_str(text: &str) -> Result<Self, BadFraming> {
        let (baud, framing) = match text.split_once(' ') {
            Some((baud, framing)) => (baud.parse().map_err(|_| BadFraming)?, framing),
            None => (115_200, text),
        };
        let mut chars = framing.chars();
        let data = chars.next().and_then(|c| c.to_digit(10)).and_then(|n| DataBits::from_count(u8::try_from(n).ok()?));
        let parity = match chars.next() {
            Some('N' | 'n') => Parity::None,
            Some('O' | 'o') => Parity::Odd,
            Some('E' | 'e') => Parity::Even,
            Some('M' | 'm') => Parity::Mark,
            Some('S' | 's') => Parity::Space,
            _ => return Err(BadFraming),
        };
        let stop = match chars.as_str() {
            "1" => StopBits::One,
            "2" => StopBits::Two,
            "1.5" => StopBits::OneAndHalf,
            _ => return Err(BadFraming),
        };
        Ok(Self { data: data.ok_or(BadFraming)?, parity, stop, ..Self::at(baud) })
    }
}

/// The wires that the far side drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModemState {
    /// Carrier detect.
    pub cd: bool,
    /// Ring.
    pub ri: bool,
    /// Data set ready.
    pub dsr: bool,
    /// Clear to send.
    pub cts: bool,
}

impl ModemState {
    /// From the high nibble of NOTIFY-MODEMSTATE; the low one says what changed.
    pub fn from_byte(byte: u8) -> Self {
        Self { cd: byte & 0x80 != 0, ri: byte & 0x40 != 0, dsr: byte & 0x20 != 0, cts: byte & 0x10 != 0 }
    }

    /// As the high nibble of NOTIFY-MODEMSTATE.
    pub fn to_byte(self) -> u8 {
        u8::from(self.cd) << 7 | u8::from(self.ri) << 6 | u8::from(self.dsr) << 5 | u8::from(self.cts) << 4
    }
}

/// NOTIFY-LINESTATE, as the UART's line status register has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineState(pub u8);

impl LineState {
    /// A break was received.
    pub const BREAK: u8 = 0x10;
    /// A character without its stop bit.
    pub const FRAMING: u8 = 0x08;
    /// A character with the wrong parity.
    pub const PARITY: u8 = 0x04;
    /// Characters were lost.
    pub const OVERRUN: u8 = 0x02;

    /// Whether one of `bits` is set.
    pub fn has(self, bits: u8) -> bool {
        self.0 & bits != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_as_people_write_them() {
        assert_eq!(LineSettings::default().to_string(), "115200 8N1");
        let odd =
            LineSettings { data: DataBits::Seven, parity: Parity::Even, stop: StopBits::Two, ..LineSettings::at(9600) };
        assert_eq!(odd.to_string(), "9600 7E2");
        assert_eq!("9600 7E2".parse(), Ok(odd));
        assert_eq!("8N1".parse(), Ok(LineSettings::default()));
        for wrong in ["", "9N1", "8X1", "8N3", "x 8N1", "8N"] {
            assert_eq!(wrong.parse::<LineSettings>(), Err(BadFraming), "{wrong}");
        }
    }

    #[test]
    fn modem_state_keeps_its_bits() {
        for byte in 0..=255u8 {
            assert_eq!(ModemState::from_byte(byte).to_byte(), byte & 0xf0);
        }
    }
}
