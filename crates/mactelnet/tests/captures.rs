//! Every packet of every capture in `fixtures/captures`, traffic of the C tools, is read and made again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mactelnet::auth::{Answer, Method, Offer, Password, md5};
use mactelnet::pcap::{Reader, Record, Writer};
use mactelnet::wire::control::{self, Element};
use mactelnet::wire::frame::{self, UdpChecksum};
use mactelnet::wire::packet::{self, CLIENT_TYPE_MAC_TELNET};
use mactelnet::wire::{ControlType, Direction, Frame, Packet, PacketType, mndp, ping};

fn captures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/captures");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

fn records(bytes: &[u8]) -> Vec<Record> {
    Reader::new(bytes).unwrap().map(Result::unwrap).collect()
}

fn capture(prefix: &str) -> Vec<Record> {
    let (_, bytes) = captures().into_iter().find(|(name, _)| name.starts_with(prefix)).unwrap();
    records(&bytes)
}

/// The server's port is one of the two; MAC-Telnet clients of the C tools never use it.
fn direction(frame: &Frame<'_>) -> Direction {
    if frame.dst_port() == packet::PORT { Direction::ToServer } else { Direction::ToClient }
}

/// DATA packets of a capture, in order: direction, counter, data.
fn data(records: &[Record]) -> Vec<(Direction, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for record in records {
        let frame = Frame::new_checked(&record.frame).unwrap();
        if frame.dst_port() == mndp::PORT {
            continue;
        }
        let packet = Packet::new_checked(frame.payload()).unwrap();
        if packet.kind() == PacketType::Data {
            found.push((direction(&frame), packet.counter(), packet.data().to_vec()));
        }
    }
    found
}

#[test]
fn files_are_written_as_tcpdump_writes_them() {
    for (name, bytes) in captures() {
        let mut writer = Writer::new(Vec::new()).unwrap();
        for record in records(&bytes) {
            assert_eq!(record.original_len as usize, record.frame.len(), "{name}");
            writer.write(record.at, &record.frame).unwrap();
        }
        let again = writer.into_inner();
        // The snap length is the writer's own.
        assert_eq!((&again[..16], &again[20..]), (&bytes[..16], &bytes[20..]), "{name}");
    }
}

#[test]
fn every_packet_is_read_and_made_again() {
    let (mut frames, mut sums, mut kinds) = (0, BTreeMap::new(), BTreeMap::new());
    for (name, bytes) in captures() {
        for (number, record) in records(&bytes).iter().enumerate() {
            let at = format!("{name} packet {}", number + 1);
            let frame = Frame::new_checked(&record.frame).unwrap_or_else(|error| panic!("{at}: {error}"));
            frames += 1;
            *sums.entry(format!("{:?}", frame.udp_checksum())).or_insert(0) += 1;
            frame_again(&at, &record.frame, &frame);
            let kind = if frame.dst_port() == mndp::PORT {
                mndp_again(&at, frame.payload());
                "MNDP".to_owned()
            } else {
                packet_again(&at, &frame);
                Packet::new_checked(frame.payload()).unwrap().kind().to_string()
            };
            *kinds.entry(kind).or_insert(0) += 1;
        }
    }
    assert_eq!(frames, kinds.values().sum::<i32>());
    assert!(!sums.contains_key("Wrong") && sums.contains_key("Right"), "{sums:?}");
    let seen: Vec<_> = kinds.keys().map(String::as_str).collect();
    assert_eq!(seen, ["ACK", "DATA", "END", "MNDP", "PING", "PONG", "START"]);
}

/// Headers made here equal the captured, but for what is a socket's own: TOS, and a UDP checksum left to hardware.
fn frame_again(at: &str, bytes: &[u8], frame: &Frame<'_>) {
    let made = frame.to_repr().to_vec(frame.payload()).unwrap();
    let raw_mode = bytes[15] == 0x10;
    if raw_mode {
        assert_eq!(made, bytes, "{at}");
    } else {
        let without =
            |bytes: &[u8]| [&bytes[..15], &bytes[16..20], &bytes[22..24], &bytes[26..40], &bytes[42..]].concat();
        assert_eq!(without(&made), without(bytes), "{at}");
    }
    if frame.udp_checksum() == UdpChecksum::Right {
        assert_eq!(made[40..42], bytes[40..42], "{at}");
    }
    let mut padded = bytes.to_vec();
    padded.resize(padded.len().max(frame::MIN_FRAME), 0);
    assert_eq!(Frame::new_checked(&padded).unwrap().payload(), frame.payload(), "{at}");
}

fn mndp_again(at: &str, payload: &[u8]) {
    let view = mndp::Packet::new_checked(payload).unwrap();
    let mut again = view.header().to_vec();
    for tlv in view.tlvs() {
        mndp::emit_tlv(tlv.kind, tlv.value, &mut again).unwrap();
    }
    assert_eq!(again, payload, "{at}");
    match mndp::Announcement::parse(payload).unwrap() {
        None => assert!(view.is_request() && payload == mndp::REQUEST, "{at}"),
        Some(said) => {
            assert_eq!(said.identity.as_ref().unwrap(), "vm", "{at}");
            let made = said.to_vec(view.header()).unwrap();
            assert_eq!(mndp::Announcement::parse(&made), Ok(Some(said)), "{at}");
        }
    }
}

fn packet_again(at: &str, frame: &Frame<'_>) {
    let payload = frame.payload();
    let direction = direction(frame);
    let (repr, data) = packet::Repr::parse(payload, direction).unwrap();
    assert_eq!(repr.to_vec(data), payload, "{at}");
    assert_eq!(repr.src, frame.src_mac(), "{at}");
    match repr.kind {
        PacketType::Ping | PacketType::Pong => {
            let (header, data) = ping::Repr::parse(payload).unwrap();
            assert_eq!(header.to_vec(data), payload, "{at}");
        }
        PacketType::Data => {
            assert_eq!(repr.client_type, CLIENT_TYPE_MAC_TELNET, "{at}");
            let mut again = Vec::new();
            for element in control::elements(data) {
                match element {
                    Element::Control(control) => {
                        assert!(!control.is_cut() && !matches!(control.kind, ControlType::Unknown(_)), "{at}");
                        control::emit(control.kind, control.value, &mut again);
                    }
                    Element::Plain(plain) => again.extend_from_slice(plain),
                }
            }
            assert_eq!(again, data, "{at}");
        }
        _ => {
            assert_eq!((repr.client_type, data), (CLIENT_TYPE_MAC_TELNET, &[][..]), "{at}");
        }
    }
}

/// The values of one type of control packet that a capture holds, in order.
fn values(records: &[Record], from: Direction, kind: ControlType) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for (direction, _, data) in data(records) {
        for element in control::elements(&data) {
            if let Element::Control(control) = element
                && direction == from
                && control.kind == kind
            {
                found.push(control.value.to_vec());
            }
        }
    }
    found
}

/// PASSWORD of the clients, from the salt that the server sent them; and the very packet that carried it.
#[test]
fn md5_values_are_reproduced() {
    for (prefix, password) in [("b2", "lab-pw-1"), ("b3", "lab-pw-1"), ("b4", "lab-pw-1"), ("b5", "lab-pw-1")] {
        let records = capture(prefix);
        let salts = values(&records, Direction::ToClient, ControlType::PassSalt);
        let Answer::Md5 { salt } = Answer::parse(&salts[0]).unwrap() else { panic!("{prefix}: {salts:?}") };
        let value = md5::response(&Password::from(password), &salt);
        assert_eq!(values(&records, Direction::ToServer, ControlType::Password), [value], "{prefix}");

        let mut login = Vec::new();
        control::emit(ControlType::Password, &value, &mut login);
        control::emit(ControlType::Username, b"mtlab", &mut login);
        control::emit(ControlType::TermType, b"xterm", &mut login);
        control::emit_size(120, 40, &mut login);
        assert!(data(&records).iter().any(|(_, _, data)| *data == login), "{prefix}");
    }
    // A wrong password was typed in this one: its value is no answer of the right.
    let records = capture("c3");
    let salts = values(&records, Direction::ToClient, ControlType::PassSalt);
    let Answer::Md5 { salt } = Answer::parse(&salts[0]).unwrap() else { panic!() };
    let sent = values(&records, Direction::ToServer, ControlType::Password).remove(0);
    assert!(!md5::verify(&Password::from("lab-pw-1"), &salt, &sent));
}

#[test]
fn offers_and_answers_of_the_c_tools() {
    for (prefix, name, method) in [
        ("a1", "mtlab", Some(Method::EcSrp5)),
        ("b1", "mtlab", Some(Method::Md5)),
        ("b5", "mtlab", Some(Method::Md5)),
        ("c1", "mtlab", Some(Method::EcSrp5)),
        ("c2", "", Some(Method::EcSrp5)),
    ] {
        let records = capture(prefix);
        let offers = values(&records, Direction::ToServer, ControlType::PassSalt);
        let offer = Offer::parse(&offers[0]).unwrap();
        assert_eq!(offer.to_vec(), offers[0], "{prefix}");
        if !name.is_empty() {
            assert_eq!(offer.name(), name.as_bytes(), "{prefix}");
        }
        mactelnet::auth::curve::lift_key(offer.key()).unwrap();
        let answers = values(&records, Direction::ToClient, ControlType::PassSalt);
        let answer = Answer::parse(&answers[0]).unwrap();
        assert_eq!((answer.method(), answer.to_vec()), (method, answers[0].clone()), "{prefix}");
        if let Answer::EcSrp5 { key, .. } = answer {
            mactelnet::auth::curve::lift_key(&key).unwrap();
            assert_eq!(values(&records, Direction::ToServer, ControlType::Password)[0].len(), 32, "{prefix}");
        }
    }
    // A client that offers MD5 alone, and a server that wants EC-SRP5: no answer ever.
    for prefix in ["b6", "b7"] {
        let records = capture(prefix);
        assert_eq!(values(&records, Direction::ToServer, ControlType::BeginAuth).len(), 1, "{prefix}");
        assert!(values(&records, Direction::ToClient, ControlType::PassSalt).is_empty(), "{prefix}");
    }
    // The server that answers a repeated BEGINAUTH with another key, where ours must not.
    let keys = values(&capture("g1"), Direction::ToClient, ControlType::PassSalt);
    assert!(keys.len() == 2 && keys[0] != keys[1]);
}

#[test]
fn a_window_change() {
    let records = capture("a3");
    let sizes = |kind| values(&records, Direction::ToServer, kind);
    assert_eq!(sizes(ControlType::TermWidth), [120u16.to_le_bytes(), 300u16.to_le_bytes()]);
    assert_eq!(sizes(ControlType::TermHeight), [40u16.to_le_bytes(), 50u16.to_le_bytes()]);
}

/// END_AUTH is no success: the refusal comes after it, as text, in all three refused logins.
#[test]
fn refusals() {
    for prefix in ["c1", "c2", "c3"] {
        let from_server: Vec<_> =
            data(&capture(prefix)).into_iter().filter(|(direction, ..)| *direction == Direction::ToClient).collect();
        let end_auth = from_server.iter().position(|(_, _, data)| {
            matches!(control::elements(data).next(), Some(Element::Control(c)) if c.kind == ControlType::EndAuth)
        });
        let (_, _, text) = &from_server[end_auth.unwrap() + 1];
        assert_eq!(text, b"Login failed, incorrect username or password\r\n", "{prefix}");
    }
}
