//! Requests and their bytes.

use crate::settings::{DataBits, Flow, Parity, StopBits};

/// Codes of the client's commands; a server's answer has 100 more.
#[allow(missing_docs)]
pub mod code {
    pub const SIGNATURE: u8 = 0;
    pub const SET_BAUDRATE: u8 = 1;
    pub const SET_DATASIZE: u8 = 2;
    pub const SET_PARITY: u8 = 3;
    pub const SET_STOPSIZE: u8 = 4;
    pub const SET_CONTROL: u8 = 5;
    pub const NOTIFY_LINESTATE: u8 = 6;
    pub const NOTIFY_MODEMSTATE: u8 = 7;
    pub const FLOWCONTROL_SUSPEND: u8 = 8;
    pub const FLOWCONTROL_RESUME: u8 = 9;
    pub const SET_LINESTATE_MASK: u8 = 10;
    pub const SET_MODEMSTATE_MASK: u8 = 11;
    pub const PURGE_DATA: u8 = 12;
    /// From a command to its answer.
    pub const ANSWER: u8 = 100;
}

/// Which buffers to empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// What the server received from the line.
    Receive,
    /// What it has to send to the line.
    Transmit,
    /// Both.
    Both,
}

/// What a client asks for. `None` and `Query` ask how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Who are you?
    Signature,
    /// A client says who it is.
    Told(Vec<u8>),
    /// Bits a second.
    Baud(Option<u32>),
    /// Data bits.
    Data(Option<DataBits>),
    /// Parity.
    Parity(Option<Parity>),
    /// Stop bits.
    Stop(Option<StopBits>),
    /// Flow control, both ways.
    Flow(Option<Flow>),
    /// Break on or off.
    Break(Option<bool>),
    /// DTR on or off.
    Dtr(Option<bool>),
    /// RTS on or off.
    Rts(Option<bool>),
    /// Flow control towards the client, by the number of RFC 2217 (13 to 19).
    InboundFlow(u8),
    /// Send nothing for now.
    Suspend,
    /// Go on.
    Resume,
    /// Which changes of the line state are told.
    LineMask(u8),
    /// Which changes of the modem state are told.
    ModemMask(u8),
    /// Empty buffers.
    Purge(Purge),
}

impl Request {
    /// From the data of a client's subnegotiation. `None`: it is no request that RFC 2217 knows.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let (&code, value) = data.split_first()?;
        let first = value.first().copied();
        Some(match code {
            code::SIGNATURE if value.is_empty() => Self::Signature,
            code::SIGNATURE => Self::Told(value.to_vec()),
            code::SET_BAUDRATE => {
                let baud = u32::from_be_bytes(value.get(..4)?.try_into().ok()?);
                Self::Baud((baud != 0).then_some(baud))
            }
            code::SET_DATASIZE => Self::Data(match first? {
                0 => None,
                count => Some(DataBits::from_count(count)?),
            }),
            code::SET_PARITY => Self::Parity(match first? {
                0 => None,
                number => Some(parity(number)?),
            }),
            code::SET_STOPSIZE => Self::Stop(match first? {
                0 => None,
                number => Some(stop(number)?),
            }),
            code::SET_CONTROL => match first? {
                0 => Self::Flow(None),
                1 => Self::Flow(Some(Flow::None)),
                2 => Self::Flow(Some(Flow::Software)),
                3 => Self::Flow(Some(Flow::Hardware)),
                4 => Self::Break(None),
                5 => Self::Break(Some(true)),
                6 => Self::Break(Some(false)),
                7 => Self::Dtr(None),
                8 => Self::Dtr(Some(true)),
                9 => Self::Dtr(Some(false)),
                10 => Self::Rts(None),
                11 => Self::Rts(Some(true)),
                12 => Self::Rts(Some(false)),
                number @ 13..=19 => Self::InboundFlow(number),
                _ => return None,
            },
            code::FLOWCONTROL_SUSPEND => Self::Suspend,
            code::FLOWCONTROL_RESUME => Self::Resume,
            code::SET_LINESTATE_MASK => Self::LineMask(first?),
            code::SET_MODEMSTATE_MASK => Self::ModemMask(first?),
            code::PURGE_DATA => Self::Purge(match first? {
                1 => Purge::Receive,
                2 => Purge::Transmit,
                3 => Purge::Both,
                _ => return None,
            }),
            _ => return None,
        })
    }

    /// As the data of a subnegotiation.
    pub fn emit(&self) -> Vec<u8> {
        match self {
            Self::Signature => vec![code::SIGNATURE],
            Self::Told(text) => [&[code::SIGNATURE], text.as_slice()].concat(),
            Self::Baud(baud) => [&[code::SET_BAUDRATE][..], &baud.unwrap_or(0).to_be_bytes()].concat(),
            Self::Data(data) => vec![code::SET_DATASIZE, data.map_or(0, DataBits::count)],
            Self::Parity(parity) => vec![code::SET_PARITY, parity.map_or(0, parity_number)],
            Self::Stop(stop) => vec![code::SET_STOPSIZE, stop.map_or(0, stop_number)],
            Self::Flow(flow) => vec![code::SET_CONTROL, flow.map_or(0, flow_number)],
            Self::Break(on) => vec![code::SET_CONTROL, switch(4, *on)],
            Self::Dtr(on) => vec![code::SET_CONTROL, switch(7, *on)],
            Self::Rts(on) => vec![code::SET_CONTROL, switch(10, *on)],
            Self::InboundFlow(number) => vec![code::SET_CONTROL, *number],
            Self::Suspend => vec![code::FLOWCONTROL_SUSPEND],
            Self::Resume => vec![code::FLOWCONTROL_RESUME],
            Self::LineMask(mask) => vec![code::SET_LINESTATE_MASK, *mask],
            Self::ModemMask(mask) => vec![code::SET_MODEMSTATE_MASK, *mask],
            Self::Purge(which) => vec![
                code::PURGE_DATA,
                match which {
                    Purge::Receive => 1,
                    Purge::Transmit => 2,
                    Purge::Both => 3,
                },
            ],
        }
    }
}

/// Query, on, off: three numbers in a row.
fn switch(query: u8, on: Option<bool>) -> u8 {
    query + on.map_or(0, |on| if on { 1 } else { 2 })
}

fn parity(number: u8) -> Option<Parity> {
    Some(match number {
        1 => Parity::None,
        2 => Parity::Odd,
        3 => Parity::Even,
        4 => Parity::Mark,
        5 => Parity::Space,
        _ => return None,
    })
}

fn parity_number(parity: Parity) -> u8 {
    match parity {
        Parity::None => 1,
        Parity::Odd => 2,
        Parity::Even => 3,
        Parity::Mark => 4,
        Parity::Space => 5,
    }
}

fn stop(number: u8) -> Option<StopBits> {
    Some(match number {
        1 => StopBits::One,
        2 => StopBits::Two,
        3 => StopBits::OneAndHalf,
        _ => return None,
    })
}

fn stop_number(stop: StopBits) -> u8 {
    match stop {
        StopBits::One => 1,
        StopBits::Two => 2,
        StopBits::OneAndHalf => 3,
    }
}

fn flow_number(flow: Flow) -> u8 {
    match flow {
        Flow::None => 1,
        Flow::Software => 2,
        Flow::Hardware => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_of_the_measured_exchange() {
        assert_eq!(Request::Baud(Some(57600)).emit(), [1, 0, 0, 0xe1, 0]);
        assert_eq!(Request::Baud(None).emit(), [1, 0, 0, 0, 0]);
        assert_eq!(Request::Break(Some(true)).emit(), [5, 5]);
        assert_eq!(Request::Dtr(Some(false)).emit(), [5, 9]);
        assert_eq!(Request::Rts(Some(true)).emit(), [5, 11]);
        assert_eq!(Request::Purge(Purge::Both).emit(), [12, 3]);
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_what_was_emitted(data in proptest::collection::vec(any::<u8>(), 0..8)) {
            if let Some(request) = Request::parse(&data) {
                prop_assert_eq!(Request::parse(&request.emit()), Some(request));
            }
        }
    }
}
