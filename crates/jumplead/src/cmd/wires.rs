//! What is new on the wires of a rehearsal, as lines: who asks whom for a session and is answered or not, who announces
//! itself, who is the master, what is copied.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use mactelnet::MacAddr;
use mactelnet::wire::control::{ControlType, Element, elements};
use mactelnet::wire::frame::Frame;
use mactelnet::wire::mndp::Announcement;
use mactelnet::wire::packet::{Direction, Packet, PacketType};
use mactelnet::wire::text::Escaped;

/// MAC-Telnet.
const MAC_TELNET: u16 = 20_561;
/// MNDP.
const MNDP: u16 = 5678;
/// FTP's commands.
const FTP: u16 = 21;
/// Who was told of; a rehearsal has some dozen.
const REMEMBERED: usize = 4096;

/// How far somebody has come with somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Asked for a session, not answered yet.
    Asking(u16),
    /// Answered.
    Session,
    /// Asked again for another session: the one before was not answered.
    Silent(u16),
}

/// The ear on the wires.
#[derive(Debug, Default)]
pub struct Wires {
    names: BTreeMap<MacAddr, String>,
    sessions: BTreeMap<(MacAddr, MacAddr), Reached>,
    told: BTreeSet<String>,
    masters: BTreeMap<Ipv4Addr, u8>,
    counts: BTreeMap<&'static str, u64>,
}

impl Wires {
    /// Somebody's name for people.
    pub fn name(&mut self, mac: MacAddr, name: &str) {
        self.names.insert(mac, name.to_owned());
    }

    fn who(&self, mac: MacAddr) -> String {
        self.names.get(&mac).cloned().unwrap_or_else(|| mac.to_string())
    }

    /// Hears a frame; a line where it is news.
    pub fn hear(&mut self, frame: &[u8]) -> Option<String> {
        *self.counts.entry(kind(frame)).or_default() += 1;
        if let Ok(view) = Frame::new_checked(frame) {
            return match (view.src_port(), view.dst_port()) {
                (MAC_TELNET, _) | (_, MAC_TELNET) => self.mac_telnet(&view),
                (_, MNDP) => self.mndp(view.payload(), view.src_mac()),
                _ => None,
            };
        }
        match kind(frame) {
            "VRRP" => self.vrrp(frame),
            "TCP (FTP)" => self.ftp(frame),
            _ => None,
        }
    }

    fn mac_telnet(&mut self, view: &Frame<'_>) -> Option<String> {
        let packet = Packet::new_checked(view.payload()).ok()?;
        // A router that is a client has the servers' port, too: who began the session tells.
        let begun = self.sessions.contains_key(&(packet.src(), packet.dst()));
        let to_server = packet.kind() == PacketType::Start || begun && view.dst_port() == MAC_TELNET;
        let (from, to) = if to_server { (packet.src(), packet.dst()) } else { (packet.dst(), packet.src()) };
        let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
        let between = (from, to);
        let road = format!("MAC-Telnet {} -> {}", self.who(from), self.who(to));
        let before = self.sessions.get(&between).copied();
        match (packet.kind(), to_server) {
            (PacketType::Start, true) => {
                let key = packet.session_key(direction);
                let now = match before {
                    // The same question once more is no second question.
                    Some(Reached::Asking(asked) | Reached::Silent(asked)) if asked == key => return None,
                    Some(Reached::Asking(_) | Reached::Silent(_)) => Reached::Silent(key),
                    _ => Reached::Asking(key),
                };
                self.sessions.insert(between, now);
                let news = matches!((before, now), (Some(Reached::Asking(_)), Reached::Silent(_)));
                news.then(|| format!("{road}: no answer"))
            }
            (PacketType::Ack, false) if matches!(before, Some(Reached::Asking(_) | Reached::Silent(_))) => {
                self.sessions.insert(between, Reached::Session);
                let silent = matches!(before, Some(Reached::Silent(_)));
                self.news(format!("{road}: answers"), silent)
            }
            (PacketType::Data, false) => {
                let login = elements(packet.data()).find_map(|element| match element {
                    Element::Control(control) if control.kind == ControlType::PassSalt => Some(control.value.len()),
                    _ => None,
                })?;
                // A salt alone, or a key in front of it.
                let login = if login > 16 { "EC-SRP5" } else { "MD5" };
                self.news(format!("{road}: login by {login}"), false)
            }
            _ => None,
        }
    }

    fn mndp(&mut self, payload: &[u8], source: MacAddr) -> Option<String> {
        let Ok(Some(told)) = Announcement::parse(payload) else { return None };
        let shown = |text: &Option<mactelnet::wire::text::Text>| {
            text.as_ref().map_or_else(|| "-".to_owned(), |text| Escaped(text.as_bytes()).to_string())
        };
        let of = told.mac.unwrap_or(source);
        let (identity, version, board) = (shown(&told.identity), shown(&told.version), shown(&told.board));
        self.news(format!("MNDP {}: {identity}, {board}, {version}", self.who(of)), false)
    }

    /// Version 3 over IPv4: who speaks is the master [RFC 5798]; priority 0 gives it up.
    fn vrrp(&mut self, frame: &[u8]) -> Option<String> {
        let source = Ipv4Addr::from(*frame.get(26..)?.first_chunk::<4>()?);
        let priority = *frame.get(14 + 20 + 2)?;
        let before = self.masters.insert(source, priority);
        (before != Some(priority)).then(|| match priority {
            0 => format!("VRRP {source} is the master no more"),
            _ => format!("VRRP {source} is the master, priority {priority}"),
        })
    }

    /// What is asked of an FTP server, passwords left out.
    fn ftp(&mut self, frame: &[u8]) -> Option<String> {
        let ip = frame.get(14..)?;
        let tcp = ip.get(usize::from(*ip.first()? & 0x0f) * 4..)?;
        let length = usize::from(u16::from_be_bytes(*ip.get(2..)?.first_chunk::<2>()?));
        // An Ethernet frame is padded.
        let tcp = tcp.get(..length.checked_sub(ip.len() - tcp.len())?.min(tcp.len()))?;
        if u16::from_be_bytes(*tcp.get(2..)?.first_chunk::<2>()?) != FTP {
            return None;
        }
        let text = tcp.get(usize::from(*tcp.get(12)? >> 4) * 4..)?;
        let line = text.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        let (source, target) = (ip.get(12..)?.first_chunk::<4>()?, ip.get(16..)?.first_chunk::<4>()?);
        let (source, target) = (Ipv4Addr::from(*source), Ipv4Addr::from(*target));
        let told = format!("FTP {source} -> {target}: {}", Escaped(line));
        match line.first_chunk::<5>()? {
            b"USER " => self.news(told, false),
            b"STOR " | b"RETR " => Some(told),
            _ => None,
        }
    }

    /// A line that was not told before, or is to be told `again`.
    fn news(&mut self, line: String, again: bool) -> Option<String> {
        let new = self.told.len() < REMEMBERED && self.told.insert(line.clone());
        (new || again).then_some(line)
    }

    /// How much of what there was.
    pub fn summary(&self) -> String {
        let list: Vec<String> = self.counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        format!("On the wires: {}", if list.is_empty() { "nothing".to_owned() } else { list.join(", ") })
    }
}

/// What a frame is, for the summary.
fn kind(frame: &[u8]) -> &'static str {
    if let Ok(view) = Frame::new_checked(frame) {
        return match (view.src_port(), view.dst_port()) {
            (MAC_TELNET, _) | (_, MAC_TELNET) => "MAC-Telnet",
            (_, MNDP) => "MNDP",
            _ => "UDP",
        };
    }
    match (frame.get(12..14), frame.get(23)) {
        (Some([0x08, 0x06]), _) => "ARP",
        (Some([0x08, 0x00]), Some(112)) => "VRRP",
        (Some([0x08, 0x00]), Some(6)) => "TCP (FTP)",
        (Some([0x08, 0x00]), Some(1)) => "ICMP",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mactelnet::wire::packet;

    const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const B: MacAddr = MacAddr([0x74, 0x4D, 0x28, 0, 0, 0x0B]);

    fn wires() -> Wires {
        let mut wires = Wires::default();
        wires.name(HOST, "host");
        wires.name(B, "B ether8");
        wires
    }

    fn udp(src: MacAddr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let repr = mactelnet::wire::frame::Repr::new(src, MacAddr::BROADCAST, ports.0, ports.1, 1);
        repr.to_vec(payload).unwrap()
    }

    fn telnet(kind: PacketType, to_server: bool, session_key: u16, data: &[u8]) -> Vec<u8> {
        let (src, dst) = if to_server { (HOST, B) } else { (B, HOST) };
        let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
        let packet = packet::Repr { kind, src, dst, session_key, client_type: 0x15, counter: 0, direction };
        udp(src, (MAC_TELNET, MAC_TELNET), &packet.to_vec(data))
    }

    #[test]
    fn who_answers_and_who_does_not() {
        let mut wires = wires();
        let mut told = Vec::new();
        let mut salt = Vec::new();
        mactelnet::wire::control::emit(ControlType::PassSalt, &[7; 49], &mut salt);
        let frames = [
            telnet(PacketType::Start, true, 1, b""),
            telnet(PacketType::Ack, false, 1, b""),
            telnet(PacketType::Data, false, 1, &salt),
            telnet(PacketType::End, true, 1, b""),
            // A reset: asked twice with the same key, then with another one, until it is back.
            telnet(PacketType::Start, true, 2, b""),
            telnet(PacketType::Start, true, 2, b""),
            telnet(PacketType::Start, true, 3, b""),
            telnet(PacketType::Start, true, 4, b""),
            telnet(PacketType::Ack, false, 4, b""),
            telnet(PacketType::Data, false, 4, &salt),
        ];
        told.extend(frames.iter().filter_map(|frame| wires.hear(frame)));
        let road = "MAC-Telnet host -> B ether8";
        let lines = [": answers", ": login by EC-SRP5", ": no answer", ": answers"].map(|what| format!("{road}{what}"));
        assert_eq!(told, lines);
        assert_eq!(wires.summary(), "On the wires: 10 MAC-Telnet");
    }

    #[test]
    fn a_hostile_name_moves_no_cursor_and_a_password_is_not_shown() {
        let mut wires = wires();
        let mut announced = vec![0; 4];
        for (kind, value) in [(1u16, B.0.as_slice()), (5, b"core\x1b[2J")] {
            announced.extend(kind.to_be_bytes());
            announced.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            announced.extend(value);
        }
        let told = wires.hear(&udp(B, (MNDP, MNDP), &announced)).unwrap();
        assert!(told.starts_with("MNDP B ether8: core") && !told.contains('\u{1b}'), "{told}");
        assert_eq!(wires.hear(&udp(B, (MNDP, MNDP), &announced)), None, "told once");

        let ftp = |line: &[u8]| {
            let mut frame = vec![0; 12];
            frame.extend([0x08, 0x00, 0x45, 0]);
            frame.extend(u16::try_from(40 + line.len()).unwrap().to_be_bytes());
            frame.extend([0, 0, 0, 0, 64, 6, 0, 0, 169, 254, 23, 1, 169, 254, 23, 2]);
            frame.extend([0x9c, 0x40, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 0, 0, 0, 0, 0, 0]);
            frame.extend(line);
            frame.resize(frame.len().max(60), 0);
            frame
        };
        assert_eq!(wires.hear(&ftp(b"PASS Sim-Pair_1\r\n")), None);
        let told = wires.hear(&ftp(b"STOR HA_b2s.backup\r\n"));
        assert_eq!(told.as_deref(), Some("FTP 169.254.23.1 -> 169.254.23.2: STOR HA_b2s.backup"));
        for cut in 0..60 {
            wires.hear(&ftp(b"STOR x")[..cut]);
        }
    }
}
