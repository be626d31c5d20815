//! Several clients of one server: what befalls one is nothing to the others.

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::client::{self, Client, Config};
use mactelnet::server::{self, CloseReason, EventKind, Server, SessionId};
use mactelnet::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, PacketType, Repr};
use mactelnet::{Instant, MacAddr, Meta};

use crate::pair::{self, client_config, server_config, users};

/// One of the clients, as its program sees it.
struct Seat {
    client: Client,
    session: Option<SessionId>,
    /// Its program takes what comes.
    reads: bool,
    heard: Vec<u8>,
    /// What the server heard of it.
    typed: Vec<u8>,
    closed: Option<CloseReason>,
}

impl Seat {
    fn taken(now: Instant, config: Config) -> Self {
        let client = Client::new(now, config);
        Self { client, session: None, reads: true, heard: Vec::new(), typed: Vec::new(), closed: None }
    }
}

struct Room {
    now: Instant,
    server: Server<pair::Users>,
    seats: Vec<Seat>,
    unplugged: Vec<MacAddr>,
}

fn mac(n: usize) -> MacAddr {
    MacAddr([2, 0, 0, 0, 1, u8::try_from(n).unwrap()])
}

impl Room {
    /// With these clients, all logged in.
    fn new(configs: Vec<Config>) -> Self {
        let room = Self::of_server(server_config(1), configs);
        assert!(room.seats.iter().all(|seat| seat.client.is_open() && seat.session.is_some()));
        room
    }

    /// With these clients, logged in as far as the server takes them.
    fn of_server(server: server::Config, configs: Vec<Config>) -> Self {
        let seats = configs.into_iter().map(|config| Seat::taken(Instant::ZERO, config));
        let server = Server::new(server, users());
        let mut room = Self { now: Instant::ZERO, server, seats: seats.collect(), unplugged: Vec::new() };
        room.pass(Duration::from_millis(200));
        room
    }

    fn of(count: usize) -> Self {
        Self::new((0..count).map(|n| Config { local: mac(n), ..client_config(n as u64) }).collect())
    }

    fn seat(&mut self, session: SessionId) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.session == Some(session))
    }

    /// Lets so much time go by; a frame takes a millisecond.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(1);
            self.server.handle_timeout(self.now);
            for seat in &mut self.seats {
                if self.unplugged.contains(&seat.client.meta().src_mac) {
                    continue;
                }
                seat.client.handle_timeout(self.now);
                while let Some(sent) = seat.client.poll_transmit(self.now) {
                    self.server.handle_datagram(self.now, &sent.meta, &sent.payload);
                }
                while seat.reads
                    && let Some(event) = seat.client.poll_event()
                {
                    if let client::Event::Data(data) = event {
                        seat.heard.extend(data);
                    }
                }
            }
            while let Some(sent) = self.server.poll_transmit(self.now) {
                for seat in &mut self.seats {
                    let meta = *seat.client.meta();
                    if (meta.src_mac, meta.src_port) == (sent.meta.dst_mac, sent.meta.dst_port) {
                        seat.client.handle_datagram(self.now, &sent.meta, &sent.payload);
                    }
                }
            }
            while let Some(event) = self.server.poll_event() {
                match event.kind {
                    EventKind::Opened { client, .. } => {
                        let free = self
                            .seats
                            .iter_mut()
                            .find(|seat| seat.session.is_none() && seat.client.meta().src_mac == client);
                        if let Some(seat) = free {
                            seat.session = Some(event.session);
                        }
                    }
                    EventKind::Data(data) => {
                        if let Some(seat) = self.seat(event.session) {
                            seat.typed.extend(data);
                        }
                    }
                    EventKind::Closed(reason) => {
                        if let Some(seat) = self.seat(event.session) {
                            seat.closed = Some(reason);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Writes from the server to one, as much as it has room for; what is left.
    fn tell<'a>(&mut self, n: usize, bytes: &'a [u8]) -> &'a [u8] {
        let session = self.seats[n].session.unwrap();
        let taken = self.server.write(self.now, session, bytes);
        &bytes[taken..]
    }

    /// Moves bytes both ways, exactly.
    fn works(&mut self, n: usize) {
        let text: Vec<u8> = (0..20_000).map(|at| (at % 251) as u8).collect();
        let (heard, typed) = (self.seats[n].heard.len(), self.seats[n].typed.len());
        let (mut down, mut up) = (&text[..], &text[..]);
        for _ in 0..500 {
            down = self.tell(n, down);
            let taken = self.seats[n].client.write(up);
            up = &up[taken..];
            self.pass(Duration::from_millis(2));
        }
        assert!(self.seats[n].heard[heard..] == text && self.seats[n].typed[typed..] == text, "client {n}");
    }
}

/// A server that is full answers nobody more, keeps those that it has, and takes the next when one has gone.
#[test]
fn a_full_server_keeps_what_it_has_and_takes_no_more() {
    let full = server::Config { max_sessions: 2, ..server_config(1) };
    assert!(full.max_half_open > full.max_sessions, "it is this limit that is met");
    let config = |n: usize| Config { local: mac(n), ..client_config(n as u64) };
    let mut room = Room::of_server(full, (0..3).map(config).collect());
    let open = |room: &Room| room.seats.iter().map(|seat| seat.client.is_open()).collect::<Vec<_>>();
    assert_eq!(open(&room), [true, true, false]);
    for _ in 0..10 {
        room.pass(Duration::from_secs(1));
        assert_eq!(room.server.sessions().count(), 2);
    }
    assert!(room.seats[2].client.is_over(), "nobody answered");
    room.works(0);
    room.works(1);
    room.seats[0].client.close(room.now);
    room.pass(Duration::from_secs(3));
    room.seats[2] = Seat::taken(room.now, config(3));
    room.pass(Duration::from_millis(200));
    assert!(room.seats[2].client.is_open(), "there is room again");
    room.works(1);
    room.works(2);
}

#[test]
fn one_that_ends_and_one_that_is_ended_leave_the_others_alone() {
    let mut room = Room::of(4);
    room.works(0);
    room.seats[0].client.close(room.now);
    let ended = room.seats[1].session.unwrap();
    room.server.close(room.now, ended);
    // A client that has heard nothing yet waits a moment for words that may come behind the END.
    room.pass(Duration::from_secs(3));
    assert_eq!(room.seats[0].closed, Some(CloseReason::Client));
    assert_eq!(room.seats[1].closed, Some(CloseReason::Server));
    assert!(room.seats[1].client.is_over());
    assert_eq!(room.server.sessions().count(), 2);
    room.works(2);
    room.works(3);
}

#[test]
fn a_program_that_does_not_read_holds_up_nobody_else_and_loses_nothing() {
    let mut room = Room::of(2);
    room.seats[0].reads = false;
    let text: Vec<u8> = (0..600_000u32).map(|at| (at % 253) as u8).collect();
    let mut rest = &text[..];
    for _ in 0..2000 {
        rest = room.tell(0, rest);
        room.pass(Duration::from_millis(2));
    }
    assert!(!rest.is_empty(), "it is made to wait");
    let held = room.server.memory();
    room.works(1);
    assert!(room.server.memory() <= held + 1024, "nothing piles up for it");
    room.seats[0].reads = true;
    for _ in 0..6000 {
        rest = room.tell(0, rest);
        room.pass(Duration::from_millis(2));
        if room.seats[0].heard.len() == text.len() {
            break;
        }
    }
    assert!(room.seats[0].heard == text);
}

/// Two hosts may choose the same port and key: the host's address is what tells them apart.
#[test]
fn two_clients_with_one_port_and_one_key_are_two() {
    let config = |n: usize| Config { local: mac(n), port: Some(1500), ..client_config(7) };
    let mut room = Room::new(vec![config(0), config(1)]);
    assert_ne!(room.seats[0].session, room.seats[1].session);
    room.works(0);
    room.works(1);
    room.seats[0].client.close(room.now);
    room.pass(Duration::from_secs(1));
    assert!(room.seats[1].closed.is_none());
    room.works(1);
}

/// On one host they can't be told apart but by the port: whoever came first keeps the session.
#[test]
fn a_second_client_with_the_same_key_takes_no_session_over() {
    let mut room = Room::of(1);
    let mut keys = BTreeMap::new();
    room.seats[0].client.write(b"x");
    while let Some(sent) = room.seats[0].client.poll_transmit(room.now) {
        let packet = mactelnet::wire::Packet::new_checked(&sent.payload).unwrap();
        keys.insert(packet.session_key(Direction::ToServer), sent.meta);
        room.server.handle_datagram(room.now, &sent.meta, &sent.payload);
    }
    let (key, meta) = keys.pop_first().unwrap();
    let start = Repr {
        kind: PacketType::Start,
        direction: Direction::ToServer,
        src: mac(0),
        dst: pair::SERVER,
        session_key: key,
        client_type: CLIENT_TYPE_MAC_TELNET,
        counter: 0,
    };
    let other = Meta { src_port: meta.src_port ^ 1, ..meta };
    room.server.handle_datagram(room.now, &other, &start.to_vec(&[]));
    room.pass(Duration::from_millis(50));
    assert_eq!(room.server.sessions().count(), 1);
    assert_eq!(room.seats[0].typed, b"x");
    room.works(0);
}

#[test]
fn a_client_that_was_killed_is_noticed_and_another_gets_in_meanwhile() {
    let mut room = Room::of(2);
    room.unplugged.push(mac(0));
    room.tell(0, b"are you there?");
    room.works(1);
    room.pass(Duration::from_secs(30));
    assert!(
        matches!(room.seats[0].closed, Some(CloseReason::Idle | CloseReason::Stalled)),
        "{:?}",
        room.seats[0].closed
    );
    assert!(room.seats[1].closed.is_none());
    room.works(1);
    room.seats[1].client.close(room.now);
    room.pass(Duration::from_secs(1));
    assert_eq!((room.server.sessions().count(), room.server.memory()), (0, 0));
}
