//! Bytes to items and back (RFC 854, 855).

/// Commands behind IAC.
#[allow(missing_docs)]
pub mod command {
    pub const SE: u8 = 240;
    pub const NOP: u8 = 241;
    pub const BRK: u8 = 243;
    pub const AYT: u8 = 246;
    pub const SB: u8 = 250;
    pub const WILL: u8 = 251;
    pub const WONT: u8 = 252;
    pub const DO: u8 = 253;
    pub const DONT: u8 = 254;
    pub const IAC: u8 = 255;
}

/// Options.
#[allow(missing_docs)]
pub mod option {
    pub const BINARY: u8 = 0;
    pub const ECHO: u8 = 1;
    pub const SGA: u8 = 3;
    pub const COM_PORT: u8 = 44;
}

use command::{DO, DONT, IAC, SB, SE, WILL, WONT};

/// Bytes kept of one subnegotiation: the longest that is useful is a signature.
const MAX_SUB: usize = 256;

/// WILL, WONT, DO, DONT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    Will,
    Wont,
    Do,
    Dont,
}

impl Verb {
    /// Its byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Will => WILL,
            Self::Wont => WONT,
            Self::Do => DO,
            Self::Dont => DONT,
        }
    }
}

/// Whether a connection's first bytes are a telnet server's: two negotiations, one behind the other. Noise and another speed make
/// one of their bytes, not six.
pub fn begins(bytes: &[u8]) -> bool {
    let negotiates = |bytes: &[u8]| matches!(bytes, [IAC, WILL..=DONT, 0..=49]);
    bytes.get(..6).is_some_and(|first| first.chunks(3).all(negotiates))
}

/// One thing that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Bytes of the line.
    Data(Vec<u8>),
    /// A command without argument.
    Command(u8),
    /// A word about an option.
    Negotiate(Verb, u8),
    /// `IAC SB option data IAC SE`; data beyond what is kept is cut off.
    Subnegotiation(u8, Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Data,
    Iac,
    Negotiate(Verb),
    Sub,
    SubIac,
}

/// Takes a stream of bytes apart, wherever it was cut.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    state: State,
    /// Without BINARY, a NUL behind CR is no data.
    binary: bool,
    after_cr: bool,
    sub: Vec<u8>,
}

impl Decoder {
    /// Whether the far side sends BINARY from now on.
    pub fn set_binary(&mut self, on: bool) {
        self.binary = on;
        self.after_cr = false;
    }

    /// Takes the first item off `bytes`; what is left of them is the second part. An item that is not complete yet
    /// waits for more.
    pub fn next<'a>(&mut self, mut bytes: &'a [u8]) -> (Option<Item>, &'a [u8]) {
        let mut data = Vec::new();
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.state == State::Data {
                if byte == IAC {
                    if !data.is_empty() && rest.first() != Some(&IAC) {
                        return (Some(Item::Data(data)), bytes);
                    }
                    self.state = State::Iac;
                } else {
                    self.take(byte, &mut data);
                }
                bytes = rest;
                continue;
            }
            bytes = rest;
            if let Some(item) = self.step(byte, &mut data) {
                // Data before a doubled IAC is still on its way out when a command follows it.
                return (Some(item), bytes);
            }
        }
        let item = if data.is_empty() { None } else { Some(Item::Data(data)) };
        (item, bytes)
    }

    fn take(&mut self, byte: u8, data: &mut Vec<u8>) {
        let pad = self.after_cr && byte == 0 && !self.binary;
        self.after_cr = byte == b'\r';
        if !pad {
            data.push(byte);
        }
    }

    fn step(&mut self, byte: u8, data: &mut Vec<u8>) -> Option<Item> {
        match (self.state, byte) {
            (State::Iac, IAC) => {
                self.state = State::Data;
                self.take(IAC, data);
                None
            }
            (State::Iac, SB) => {
                self.state = State::Sub;
                self.sub.clear();
                None
            }
            (State::Iac, WILL) => self.negotiate(Verb::Will),
            (State::Iac, WONT) => self.negotiate(Verb::Wont),
            (State::Iac, DO) => self.negotiate(Verb::Do),
            (State::Iac, DONT) => self.negotiate(Verb::Dont),
            (State::Iac, command) => {
                self.state = State::Data;
                Some(Item::Command(command))
            }
            (State::Negotiate(verb), option) => {
                self.state = State::Data;
                Some(Item::Negotiate(verb, option))
            }
            (State::Sub, IAC) => {
                self.state = State::SubIac;
                None
            }
            (State::SubIac, SE) => {
                self.state = State::Data;
                let mut sub = std::mem::take(&mut self.sub);
                if sub.is_empty() {
                    return None;
                }
                let option = sub.remove(0);
                Some(Item::Subnegotiation(option, sub))
            }
            (State::Sub | State::SubIac, byte) => {
                // IAC IAC is a data byte; IAC and anything else is a fault of the sender, and its byte is kept.
                self.state = State::Sub;
                if self.sub.len() < MAX_SUB {
                    self.sub.push(byte);
                }
                None
            }
            (State::Data, _) => None,
        }
    }

    fn negotiate(&mut self, verb: Verb) -> Option<Item> {
        self.state = State::Negotiate(verb);
        None
    }
}

/// Appends data: IAC is doubled, and without BINARY every CR gets its NUL.
pub fn encode(data: &[u8], binary: bool, out: &mut Vec<u8>) {
    for &byte in data {
        out.push(byte);
        match byte {
            IAC => out.push(IAC),
            b'\r' if !binary => out.push(0),
            _ => {}
        }
    }
}

/// Appends a word about an option.
pub fn negotiate(verb: Verb, option: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[IAC, verb.byte(), option]);
}

/// Appends a subnegotiation.
pub fn subnegotiation(option: u8, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[IAC, SB, option]);
    for &byte in data {
        out.push(byte);
        if byte == IAC {
            out.push(IAC);
        }
    }
    out.extend_from_slice(&[IAC, SE]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(decoder: &mut Decoder, mut bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            let (item, rest) = decoder.next(bytes);
            let Some(item) = item else { return items };
            items.push(item);
            bytes = rest;
        }
    }

    #[test]
    fn a_telnet_server_is_known_by_its_first_words() {
        for server in [&b"\xff\xfb\x03\xff\xfb\x01\xff\xfe\x01login: "[..], b"\xff\xfd\x2c\xff\xfb\x00"] {
            assert!(begins(server), "{server:?}");
        }
        for other in [
            &b""[..],
            b"\xff\xfb\x03",
            b"\xff\xfb\x03\xff\xfb",
            b"MikroTik 7.18.2 (stable)\r\n",
            b"\xff\xfb\x03\xff\xf9\x01",
            b"\xff\xfb\xfe\xff\xfb\x01",
            b"\0\xff\xfb\x03\xff\xfb\x01",
        ] {
            assert!(!begins(other), "{other:?}");
        }
    }

    #[test]
    fn what_ser2net_sends_first() {
        let bytes = [255, 251, 3, 255, 253, 44, 255, 250, 44, 107, 0, 255, 240, b'h', b'i'];
        let items = all(&mut Decoder::default(), &bytes);
        assert_eq!(
            items,
            [
                Item::Negotiate(Verb::Will, 3),
                Item::Negotiate(Verb::Do, 44),
                Item::Subnegotiation(44, vec![107, 0]),
                Item::Data(b"hi".to_vec()),
            ]
        );
    }

    #[test]
    fn nul_behind_cr_is_padding_only_without_binary() {
        let mut decoder = Decoder::default();
        assert_eq!(all(&mut decoder, b"a\r\0b\0"), [Item::Data(b"a\rb\0".to_vec())]);
        decoder.set_binary(true);
        assert_eq!(all(&mut decoder, b"a\r\0b"), [Item::Data(b"a\r\0b".to_vec())]);
    }

    #[test]
    fn a_long_subnegotiation_is_cut() {
        let mut bytes = vec![255, 250, 44];
        bytes.extend(vec![7; 5000]);
        bytes.extend([255, 240]);
        let items = all(&mut Decoder::default(), &bytes);
        assert!(matches!(items.as_slice(), [Item::Subnegotiation(44, data)] if data.len() == MAX_SUB - 1));
    }

    proptest! {
        #[test]
        fn data_comes_through_however_it_is_cut(data in proptest::collection::vec(any::<u8>(), 0..400), cuts in proptest::collection::vec(1usize..40, 0..40), binary: bool) {
            let mut wire = Vec::new();
            encode(&data, binary, &mut wire);
            let mut decoder = Decoder::default();
            decoder.set_binary(binary);
            let (mut got, mut rest) = (Vec::new(), wire.as_slice());
            for cut in cuts.into_iter().chain([wire.len()]) {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                rest = later;
                for item in all(&mut decoder, now) {
                    match item {
                        Item::Data(bytes) => got.extend(bytes),
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
            }
            prop_assert_eq!(got, data);
        }

        #[test]
        fn subnegotiations_come_through(option: u8, data in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assume!(option != 255);
            let mut wire = Vec::new();
            subnegotiation(option, &data, &mut wire);
            prop_assert_eq!(all(&mut Decoder::default(), &wire), vec![Item::Subnegotiation(option, data)]);
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut decoder = Decoder::default();
            let kept: usize = all(&mut decoder, &bytes).iter().map(|item| match item { Item::Data(data) => data.len(), _ => 0 }).sum();
            prop_assert!(kept <= bytes.len());
        }
    }
}
