//! Captures, as sessions.

use std::path::{Path, PathBuf};

use mactelnet::Instant;
use mactelnet::pcap::Reader;
use mactelnet::wire::control;
use mactelnet::wire::packet::{PORT, Repr};
use mactelnet::wire::{ControlType, Direction, Frame, PacketType, mndp};

/// Every capture's file.
pub fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/captures");
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|extension| extension == "pcap")).collect()
}

/// What its name begins with.
pub fn prefix(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned()
}

/// A MAC-Telnet packet of a capture.
#[derive(Clone)]
pub struct Event {
    pub at: Instant,
    pub port: u16,
    pub header: Repr,
    pub data: Vec<u8>,
}

impl Event {
    pub fn end(&self) -> u32 {
        self.header.counter + u32::try_from(self.data.len()).unwrap()
    }
}

pub fn frames(prefix: &str) -> Vec<(Instant, Vec<u8>)> {
    let path = files().into_iter().find(|path| self::prefix(path) == prefix).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let records: Vec<_> = Reader::new(&bytes[..]).unwrap().map(Result::unwrap).collect();
    let first = records[0].at;
    records.into_iter().map(|record| (Instant::ZERO + record.at.saturating_since(first), record.frame)).collect()
}

/// The session of a capture: without MNDP.
pub fn session(prefix: &str) -> Vec<Event> {
    let mut events = Vec::new();
    for (at, bytes) in frames(prefix) {
        let frame = Frame::new_checked(&bytes).unwrap();
        if frame.dst_port() == mndp::PORT {
            continue;
        }
        let to_server = frame.dst_port() == PORT;
        let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
        let port = if to_server { frame.src_port() } else { frame.dst_port() };
        let (header, data) = Repr::parse(frame.payload(), direction).unwrap();
        events.push(Event { at, port, header, data: data.to_vec() });
    }
    events
}

/// The bytes of one direction, by offset. Retransmissions must agree.
#[derive(Default, Debug, PartialEq)]
pub struct Stream(Vec<Option<u8>>);

impl Stream {
    pub fn add(&mut self, counter: u32, data: &[u8]) {
        let start = counter as usize;
        self.0.resize(self.0.len().max(start + data.len()), None);
        for (slot, byte) in self.0[start..].iter_mut().zip(data) {
            assert!(slot.is_none_or(|old| old == *byte), "a resend differs at {start}");
            *slot = Some(*byte);
        }
    }

    pub fn whole(&self) -> Vec<u8> {
        self.0.iter().map(|byte| byte.expect("no hole in what a machine sends")).collect()
    }
}

pub fn stream(events: &[Event], direction: Direction) -> Vec<u8> {
    let mut stream = Stream::default();
    for event in events.iter().filter(|e| e.header.direction == direction && e.header.kind == PacketType::Data) {
        stream.add(event.header.counter, &event.data);
    }
    stream.whole()
}

/// The values of control packets blanked that hold keys and proofs; names and lengths stay.
pub fn without_secrets(stream: &[u8]) -> Vec<u8> {
    let mut blanked = stream.to_vec();
    let mut at = 0;
    while stream[at..].starts_with(&control::MAGIC) {
        let len = u32::from_be_bytes(stream[at + 5..at + 9].try_into().unwrap()) as usize;
        let value = &mut blanked[at + 9..at + 9 + len];
        match ControlType::from(stream[at + 4]) {
            ControlType::PassSalt if len > 49 || len == 39 => value[len - 33..].fill(0),
            ControlType::PassSalt | ControlType::Password => value.fill(0),
            _ => {}
        }
        at += 9 + len;
    }
    blanked
}

/// New acknowledgements of one end, in order, that are offsets of the other's stream.
pub fn acknowledgements(acks: impl Iterator<Item = u32>, ends: &[u32]) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for ack in acks.filter(|ack| ends.contains(ack)) {
        if found.last().is_none_or(|last| *last < ack) {
            found.push(ack);
        }
    }
    found
}

pub fn ends(events: &[Event], direction: Direction) -> Vec<u32> {
    let data = events.iter().filter(|e| e.header.direction == direction && e.header.kind == PacketType::Data);
    data.map(Event::end).collect()
}
