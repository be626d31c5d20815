//! Control packets inside the data of DATA packets: magic, type, length, value; then, perhaps, terminal bytes.
//!
//! There is no escape. At the current offset nine bytes with the magic are a control packet; anything else makes
//! the whole rest of the packet terminal data. So terminal data that begins a packet with the magic would be
//! taken for control: [`plain_len`] splits so that none does.

use std::fmt;
use std::iter::FusedIterator;

/// What a control packet begins with.
pub const MAGIC: [u8; 4] = [0x56, 0x34, 0x12, 0xff];
/// Magic, type and length.
pub const HEADER_LEN: usize = 9;

/// What a control packet is. There is no 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlType {
    /// The client asks for a login; no value.
    BeginAuth,
    /// Client: name and key for EC-SRP5. Server: salt (MD5), or key and salt (EC-SRP5).
    PassSalt,
    /// The client's proof that it knows the password.
    Password,
    /// The login name, no terminator.
    Username,
    /// The kind of terminal, such as `vt102`.
    TermType,
    /// Columns, 2 bytes little-endian.
    TermWidth,
    /// Rows, 2 bytes little-endian.
    TermHeight,
    /// Text of an error; seen in old notes only.
    PacketError,
    /// The exchange is over. Not yet a success.
    EndAuth,
    /// Any other; acknowledged and ignored.
    Unknown(u8),
}

impl From<u8> for ControlType {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::BeginAuth,
            1 => Self::PassSalt,
            2 => Self::Password,
            3 => Self::Username,
            4 => Self::TermType,
            5 => Self::TermWidth,
            6 => Self::TermHeight,
            7 => Self::PacketError,
            9 => Self::EndAuth,
            other => Self::Unknown(other),
        }
    }
}

impl From<ControlType> for u8 {
    fn from(value: ControlType) -> Self {
        match value {
            ControlType::BeginAuth => 0,
            ControlType::PassSalt => 1,
            ControlType::Password => 2,
            ControlType::Username => 3,
            ControlType::TermType => 4,
            ControlType::TermWidth => 5,
            ControlType::TermHeight => 6,
            ControlType::PacketError => 7,
            ControlType::EndAuth => 9,
            ControlType::Unknown(other) => other,
        }
    }
}

impl fmt::Display for ControlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeginAuth => "BEGINAUTH",
            Self::PassSalt => "PASSSALT",
            Self::Password => "PASSWORD",
            Self::Username => "USERNAME",
            Self::TermType => "TERM_TYPE",
            Self::TermWidth => "TERM_WIDTH",
            Self::TermHeight => "TERM_HEIGHT",
            Self::PacketError => "PACKET_ERROR",
            Self::EndAuth => "END_AUTH",
            Self::Unknown(other) => return write!(f, "CONTROL-{other}"),
        })
    }
}

/// One control packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// What it is.
    pub kind: ControlType,
    /// Its value, cut to what was there.
    pub value: &'a [u8],
    /// The length that its header claims.
    pub declared: u32,
}

impl Control<'_> {
    /// Whether the packet ended before the value did.
    pub fn is_cut(&self) -> bool {
        u32::try_from(self.value.len()).is_ok_and(|len| len < self.declared)
    }

    /// The value as columns or rows: two bytes, little-endian. Longer values are read by their first two.
    pub fn as_size(&self) -> Option<u16> {
        self.value.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
    }
}

impl fmt::Display for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.kind, self.value.len())
    }
}

impl fmt::Debug for Control<'_> {
    /// Type and length alone: values are salts and proofs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the data of a DATA packet is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element<'a> {
    /// A control packet.
    Control(Control<'a>),
    /// Terminal bytes, at least one; always the last element.
    Plain(&'a [u8]),
}

/// Takes the data of one DATA packet apart.
pub fn elements(data: &[u8]) -> Elements<'_> {
    Elements { rest: data }
}

/// Iterator over the [`Element`]s of one packet.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let all = std::mem::take(&mut self.rest);
        if let Some((header, rest)) = all.split_first_chunk::<HEADER_LEN>() {
            let [m0, m1, m2, m3, kind, l0, l1, l2, l3] = *header;
            if [m0, m1, m2, m3] == MAGIC {
                let declared = u32::from_be_bytes([l0, l1, l2, l3]);
                // C tools cut a length that runs past the end to what is there. [S]
                let len = usize::try_from(declared).map_or(rest.len(), |len| len.min(rest.len()));
                let (value, rest) = rest.split_at(len);
                self.rest = rest;
                return Some(Element::Control(Control { kind: kind.into(), value, declared }));
            }
        }
        (!all.is_empty()).then_some(Element::Plain(all))
    }
}

impl FusedIterator for Elements<'_> {}

/// Appends a control packet. A value over 4 GiB cannot occur: callers keep whole packets within
/// [`MAX_DATA`](super::packet::MAX_DATA).
pub fn emit(kind: ControlType, value: &[u8], out: &mut Vec<u8>) {
    let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
    out.reserve(HEADER_LEN + value.len());
    out.extend_from_slice(&MAGIC);
    out.push(kind.into());
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
}

/// Appends TERM_WIDTH and TERM_HEIGHT. Where the output is no terminal, both are 0; leaving them out made
/// RouterOS hang up (reported).
pub fn emit_size(columns: u16, rows: u16, out: &mut Vec<u8>) {
    emit(ControlType::TermWidth, &columns.to_le_bytes(), out);
    emit(ControlType::TermHeight, &rows.to_le_bytes(), out);
}

/// How much of the start of `data` to send as terminal bytes in the next packet of at most `max` bytes, so that
/// neither this packet nor, where it can be seen, the next begins with [`MAGIC`]. At least 1 if both are not 0.
pub fn plain_len(data: &[u8], max: usize) -> usize {
    let len = data.len().min(max);
    if data.starts_with(&MAGIC) {
        // One byte short of the whole magic: the next packet begins with its last byte.
        return len.min(MAGIC.len() - 1);
    }
    // A cut right before a magic would make the next packet a tiny one: leave it the byte before as well.
    if len > 1 && data[len..].starts_with(&MAGIC) { len - 1 } else { len }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control<'a>(kind: ControlType, value: &'a [u8]) -> Element<'a> {
        Element::Control(Control { kind, value, declared: u32::try_from(value.len()).unwrap() })
    }

    #[test]
    fn controls_then_terminal_bytes() {
        let mut bytes = Vec::new();
        emit(ControlType::Username, b"admin", &mut bytes);
        emit_size(300, 50, &mut bytes);
        assert_eq!(
            bytes,
            b"\x56\x34\x12\xff\x03\x00\x00\x00\x05admin\
              \x56\x34\x12\xff\x05\x00\x00\x00\x02\x2c\x01\x56\x34\x12\xff\x06\x00\x00\x00\x02\x32\x00"
        );
        bytes.extend_from_slice(b"ls\r");
        let found: Vec<_> = elements(&bytes).collect();
        assert_eq!(
            found,
            [
                control(ControlType::Username, b"admin"),
                control(ControlType::TermWidth, &[0x2c, 1]),
                control(ControlType::TermHeight, &[0x32, 0]),
                Element::Plain(b"ls\r"),
            ]
        );
        let Element::Control(width) = found[1] else { panic!() };
        assert_eq!(width.as_size(), Some(300));
    }

    #[test]
    fn lengths_are_cut_to_what_is_there() {
        let found: Vec<_> = elements(b"\x56\x34\x12\xff\x01\xff\xff\xff\xffab").collect();
        let [Element::Control(cut)] = found[..] else { panic!("{found:?}") };
        assert_eq!((cut.value, cut.declared, cut.is_cut()), (&b"ab"[..], u32::MAX, true));
        // Eight bytes are no control packet, whatever they are.
        assert_eq!(elements(b"\x56\x34\x12\xff\x01\0\0\0").count(), 1);
        assert!(matches!(elements(b"\x56\x34\x12\xff\x01\0\0\0").next(), Some(Element::Plain(_))));
        assert_eq!(elements(b"").next(), None);
    }

    #[test]
    fn an_unknown_control_is_kept() {
        let found: Vec<_> = elements(b"\x56\x34\x12\xff\x08\0\0\0\x01z").collect();
        assert_eq!(found, [control(ControlType::Unknown(8), b"z")]);
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_is_emitted_the_same(parts in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6), tail: Vec<u8>) {
            let mut bytes = Vec::new();
            for (kind, value) in &parts { emit((*kind).into(), value, &mut bytes); }
            bytes.extend_from_slice(&tail);
            let mut again = Vec::new();
            for element in elements(&bytes) {
                match element {
                    Element::Control(c) if !c.is_cut() => emit(c.kind, c.value, &mut again),
                    Element::Control(c) => return Err(TestCaseError::fail(format!("cut: {c}"))),
                    Element::Plain(plain) => again.extend_from_slice(plain),
                }
            }
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn any_terminal_data_arrives_as_terminal_data(
            data in prop::collection::vec(prop::sample::select(vec![0x56u8, 0x34, 0x12, 0xff, 0]), 0..200), repeat in 0usize..20, max in 1usize..40,
        ) {
            let mut data = data;
            for _ in 0..repeat { data.extend_from_slice(&MAGIC); }
            let (mut rest, mut arrived, mut packets) = (&data[..], Vec::new(), 0);
            while !rest.is_empty() {
                let (packet, next) = rest.split_at(plain_len(rest, max));
                prop_assert!(!packet.is_empty() && packet.len() <= max && !packet.starts_with(&MAGIC));
                for element in elements(packet) {
                    let Element::Plain(plain) = element else { return Err(TestCaseError::fail("control")) };
                    arrived.extend_from_slice(plain);
                }
                rest = next;
                packets += 1;
            }
            prop_assert!(packets <= data.len().div_ceil(max) * 2 + 1);
            prop_assert_eq!(arrived, data);
        }
    }
}
