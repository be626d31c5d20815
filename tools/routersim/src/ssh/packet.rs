//! The binary packet protocol (RFC 4253 section 6): length, padding, sequence number, seal.

use super::algorithms::Mac;
use super::cipher::{BLOCK, Stream};
use super::random::Random;

/// Padding, length field and all: the most that every implementation takes (RFC 4253 section 6.1), and some.
const MAX_PACKET: usize = 64 * 1024;
/// Least padding.
const MIN_PADDING: usize = 4;
/// What a packet without a cipher is padded to a multiple of.
const CLEAR_BLOCK: usize = 8;

/// One direction's keys.
#[derive(Debug)]
pub(super) struct Keys {
    pub stream: Stream,
    pub mac: Mac,
    pub mac_key: Vec<u8>,
}

/// Makes packets.
#[derive(Debug, Default)]
pub(super) struct Sealer {
    sequence: u32,
    pub keys: Option<Keys>,
}

impl Sealer {
    pub(super) fn seal(&mut self, payload: &[u8], random: &mut Random) -> Vec<u8> {
        let block = if self.keys.is_some() { BLOCK } else { CLEAR_BLOCK };
        let mut padding = block - (5 + payload.len()) % block;
        if padding < MIN_PADDING {
            padding += block;
        }
        let length = 1 + payload.len() + padding;
        let mut packet = Vec::with_capacity(4 + length + 32);
        // A payload is a few ten thousand bytes at most.
        packet.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        packet.push(padding as u8);
        packet.extend(payload);
        packet.extend(random.bytes(padding));
        if let Some(keys) = &mut self.keys {
            let seal = keys.mac.of(&keys.mac_key, self.sequence, &packet);
            keys.stream.apply(&mut packet);
            packet.extend(seal);
        }
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }
}

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Too long, or not a multiple of the block.
    Length,
    /// The seal is another.
    Seal,
}

/// Takes packets out of a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct Opener {
    sequence: u32,
    pub keys: Option<Keys>,
    received: Vec<u8>,
    /// How many of `received` are in clear already.
    opened: usize,
}

impl Opener {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.received.extend(bytes);
    }

    /// The line that is whole, without its end (before the first packet comes the version).
    pub(super) fn line(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(end) = self.received.iter().position(|byte| *byte == b'\n') else {
            return if self.received.len() > limit { Err(Malformed::Length) } else { Ok(None) };
        };
        let mut line: Vec<u8> = self.received.drain(..=end).collect();
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// Number of the packet that [`Opener::next`] gave last.
    pub(super) fn last_sequence(&self) -> u32 {
        self.sequence.wrapping_sub(1)
    }

    /// The payload of the packet that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let (block, seal) = self.keys.as_ref().map_or((CLEAR_BLOCK, 0), |keys| (BLOCK, keys.mac.length()));
        let Some(first) = self.received.get_mut(..block) else { return Ok(None) };
        if self.opened == 0 {
            if let Some(keys) = &mut self.keys {
                keys.stream.apply(first);
            }
            self.opened = block;
        }
        let length = first.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(1 + MIN_PADDING..=MAX_PACKET).contains(&length) || !(length + 4).is_multiple_of(block) {
            return Err(Malformed::Length);
        }
        let end = 4 + length;
        if self.received.len() < end + seal {
            return Ok(None);
        }
        let mut packet: Vec<u8> = self.received.drain(..end + seal).collect();
        let sealed = packet.split_off(end);
        if let Some(keys) = &mut self.keys {
            if let Some(rest) = packet.get_mut(self.opened..) {
                keys.stream.apply(rest);
            }
            if keys.mac.of(&keys.mac_key, self.sequence, &packet) != sealed {
                return Err(Malformed::Seal);
            }
        }
        self.opened = 0;
        self.sequence = self.sequence.wrapping_add(1);
        let padding = packet.get(4).copied().map_or(0, usize::from);
        let payload = packet.get(5..end.saturating_sub(padding)).ok_or(Malformed::Length)?;
        Ok(Some(payload.to_vec()))
    }
}
