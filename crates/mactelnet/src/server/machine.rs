//! Many sessions behind one address.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use super::backoff::Backoff;
use super::config::{Config, Users};
use super::event::{CloseReason, Event, EventKind, SessionId};
use super::session::{Session, Up};
use zeroize::Zeroize;

use crate::stream::Stats;
use crate::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, HEADER_LEN, Packet, PacketType};
use crate::{Instant, MacAddr, Meta, Transmit};

/// Sessions that ended lately, whose END is still confirmed when it comes again.
const MAX_ENDED: usize = 16;
/// Proofs waiting for their session, and for how long: the client opens it at once.
const MAX_PROOFS: usize = 64;
const PROOF_LIFE: Duration = Duration::from_secs(30);
/// A session that is not logged in makes room for a newer one after this: long enough for any honest login's next
/// step, so a flood of STARTs cannot push one out.
const EVICTABLE_AFTER: Duration = Duration::from_secs(3);

/// A session that ended: client, key, and how its END is confirmed.
type Ended = (MacAddr, u16);
/// A session to come that is proved: client, port, key, and until when.
type Proved = (MacAddr, u16, u16, Instant);

/// The server: any number of links, any number of MACs, many sessions.
pub struct Server<U> {
    config: Config,
    users: U,
    sessions: BTreeMap<SessionId, Session>,
    index: BTreeMap<(MacAddr, u16), SessionId>,
    timers: BTreeSet<(Instant, SessionId)>,
    ready: VecDeque<SessionId>,
    events: VecDeque<Event>,
    stray: VecDeque<Transmit>,
    ended: VecDeque<Ended>,
    proofs: VecDeque<Proved>,
    backoff: Backoff,
    next_id: u64,
}

impl<U> Drop for Server<U> {
    fn drop(&mut self) {
        self.forget_seed();
    }
}

impl<U> Server<U> {
    /// Whoever has it can make every session's keys again.
    fn forget_seed(&mut self) {
        self.config.seed.zeroize();
    }
}

impl<U: Users> Server<U> {
    /// A server that lets `users` in.
    pub fn new(config: Config, users: U) -> Self {
        Self {
            config,
            users,
            sessions: BTreeMap::new(),
            index: BTreeMap::new(),
            timers: BTreeSet::new(),
            ready: VecDeque::new(),
            events: VecDeque::new(),
            stray: VecDeque::new(),
            ended: VecDeque::new(),
            proofs: VecDeque::new(),
            backoff: Backoff::default(),
            next_id: 1,
        }
    }

    /// Changes the MACs that are answered for. Sessions on others go on until they end.
    pub fn set_macs(&mut self, macs: Vec<MacAddr>) {
        self.config.macs = macs;
    }

    /// The users.
    pub fn users(&self) -> &U {
        &self.users
    }

    /// The users, to be changed. Who is logged in stays so.
    pub fn users_mut(&mut self) -> &mut U {
        &mut self.users
    }

    /// Takes the payload of a UDP datagram for port 20561. Anything that is no packet for a session of ours is
    /// ignored without an answer; MAC-Ping is [`crate::macping`]'s.
    pub fn handle_datagram(&mut self, now: Instant, meta: &Meta, payload: &[u8]) {
        let Ok(packet) = Packet::new_checked(payload) else { return };
        if packet.client_type(Direction::ToServer) != CLIENT_TYPE_MAC_TELNET
            || !self.config.macs.contains(&packet.dst())
            || packet.src().is_multicast()
            // Ourselves, heard on another link of the same segment, or somebody who wants us to answer ourselves.
            || self.config.macs.contains(&packet.src())
        {
            return;
        }
        let key = packet.session_key(Direction::ToServer);
        let id = match self.index.get(&(packet.src(), key)) {
            Some(id) => *id,
            None => match packet.kind() {
                PacketType::Start => match self.open(now, meta, &packet) {
                    Some(id) => return self.settle(now, id),
                    None => return,
                },
                PacketType::End => return self.confirm_again(meta, &packet),
                _ => return,
            },
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.handle(now, &packet, &self.config, &self.users, &mut self.backoff);
            self.settle(now, id);
        }
    }

    fn open(&mut self, now: Instant, meta: &Meta, packet: &Packet<'_>) -> Option<SessionId> {
        self.make_room(now)?;
        let id = SessionId(self.next_id);
        self.next_id += 1;
        let key = packet.session_key(Direction::ToServer);
        self.proofs.retain(|proof| proof.3 > now);
        let wanted = (packet.src(), meta.src_port, key);
        let proof = self.proofs.iter().position(|proof| (proof.0, proof.1, proof.2) == wanted);
        let proved = proof.and_then(|at| self.proofs.remove(at)).is_some();
        self.ended.retain(|ended| *ended != (packet.src(), key));
        let session = Session::new(now, id.0, packet, meta, &self.config, proved);
        self.index.insert((session.client, session.key), id);
        self.sessions.insert(id, session);
        Some(id)
    }

    /// Room for one more, by letting the oldest that is not logged in go if need be.
    fn make_room(&mut self, now: Instant) -> Option<()> {
        let half_open = self.sessions.values().filter(|s| s.is_half_open()).count();
        if half_open < self.config.max_half_open && self.sessions.len() < self.config.max_sessions {
            return Some(());
        }
        let oldest = self.sessions.iter().filter(|(_, s)| s.is_half_open()).min_by_key(|(_, s)| s.opened());
        let (id, session) = oldest?;
        if now.saturating_since(session.opened()) < EVICTABLE_AFTER {
            return None;
        }
        let id = *id;
        if let Some(session) = self.sessions.get_mut(&id) {
            // Once, and nothing waits for an answer: an honest client tries again at once, the others cost no more.
            if self.stray.len() < MAX_ENDED {
                self.stray.push_back(session.last_end());
            }
            session.forget(CloseReason::Evicted);
        }
        self.settle(now, id);
        Some(())
    }

    /// END of a session that ended before: its confirmation was lost. One with counter 0 is a confirmation itself, or as
    /// good as one; to answer that would go on for ever.
    fn confirm_again(&mut self, meta: &Meta, packet: &Packet<'_>) {
        let key = packet.session_key(Direction::ToServer);
        if packet.counter() != 0 && self.ended.contains(&(packet.src(), key)) && self.stray.len() < MAX_ENDED {
            let header = crate::wire::packet::Repr {
                kind: PacketType::End,
                direction: Direction::ToClient,
                src: packet.dst(),
                dst: packet.src(),
                session_key: key,
                client_type: CLIENT_TYPE_MAC_TELNET,
                counter: 0,
            };
            let meta = Meta { dst_mac: packet.src(), ..meta.reply_from(packet.dst()) };
            self.stray.push_back(Transmit { meta, payload: header.to_vec(&[]) });
        }
    }

    /// After anything was done to a session: its events, its timer, its place among those with packets to send.
    fn settle(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        for up in std::mem::take(&mut session.up) {
            match up {
                Up::Event(kind) => self.events.push_back(Event { session: id, kind }),
                Up::Accepted => self.backoff.accepted(session.client),
                Up::Proved(key) => {
                    let proof = (session.client, session.client_port(), key);
                    self.proofs.retain(|other| (other.0, other.1, other.2) != proof);
                    if self.proofs.len() >= MAX_PROOFS {
                        self.proofs.pop_front();
                    }
                    self.proofs.push_back((proof.0, proof.1, proof.2, now + PROOF_LIFE));
                }
            }
        }
        if session.is_over() {
            let ended = (session.client, session.key);
            if let Some(at) = session.woken_at {
                self.timers.remove(&(at, id));
            }
            self.index.remove(&ended);
            self.sessions.remove(&id);
            if self.ended.len() >= MAX_ENDED {
                self.ended.pop_front();
            }
            self.ended.push_back(ended);
            return;
        }
        let wake = session.poll_timeout(&self.config);
        if wake != session.woken_at {
            if let Some(at) = session.woken_at {
                self.timers.remove(&(at, id));
            }
            if let Some(at) = wake {
                self.timers.insert((at, id));
            }
            session.woken_at = wake;
        }
        if !session.ready {
            session.ready = true;
            self.ready.push_back(id);
        }
    }

    /// The next datagram to send, if there is one.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) = self.stray.pop_front() {
            return Some(transmit);
        }
        while let Some(id) = self.ready.front().copied() {
            if let Some(session) = self.sessions.get_mut(&id) {
                if let Some(transmit) = session.poll_transmit(now) {
                    debug_assert!(transmit.payload.len() >= HEADER_LEN);
                    return Some(transmit);
                }
                session.ready = false;
            }
            self.ready.pop_front();
            self.settle_quietly(now, id);
        }
        None
    }

    /// As [`Self::settle`], of a session that has nothing to send for now.
    fn settle_quietly(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.ready = true;
        self.settle(now, id);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.ready = false;
        }
    }

    /// The next event, if there is one. Taking [`EventKind::Data`] makes room for more of it: a session whose bytes
    /// are not taken stops acknowledging.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let EventKind::Data(data) = &event.kind
            && let Some(session) = self.sessions.get_mut(&event.session)
        {
            session.streams.taken(data.len());
            if !session.ready {
                session.ready = true;
                self.ready.push_back(event.session);
            }
        }
        Some(event)
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        // Each round either removes the timer or moves it past now; the bound is against a machine that does neither.
        for _ in 0..=self.sessions.len() {
            let Some((at, id)) = self.timers.first().copied() else { return };
            if at > now {
                return;
            }
            self.timers.remove(&(at, id));
            if let Some(session) = self.sessions.get_mut(&id) {
                session.woken_at = None;
                session.handle_timeout(now, &self.config);
                self.settle(now, id);
            }
        }
    }

    /// Queues output, as much as there is room for: how much that is. After less than all, [`EventKind::Writable`]
    /// tells when to go on. 0 for a session that is not logged in or is closing.
    pub fn write(&mut self, now: Instant, id: SessionId, data: &[u8]) -> usize {
        let Some(session) = self.sessions.get_mut(&id) else { return 0 };
        let taken = session.write(data);
        self.settle(now, id);
        taken
    }

    /// Bytes that [`Self::write`] would take now.
    pub fn room(&self, id: SessionId) -> usize {
        self.sessions.get(&id).filter(|s| s.is_open()).map_or(0, |s| s.streams.room())
    }

    /// Ends a session: what was written goes out first, then END. [`EventKind::Closed`] comes when it is over.
    pub fn close(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.close(now, CloseReason::Server);
            self.settle(now, id);
        }
    }

    /// Ends a session without a word, as RouterOS 7.23 does with idle consoles \[R\], or a router that loses power.
    pub fn forget(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.forget(CloseReason::Server);
            self.settle(now, id);
        }
    }

    /// All sessions, logged in or not.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.sessions.keys().copied()
    }

    /// Figures of what was sent in a session.
    pub fn stats(&self, id: SessionId) -> Option<Stats> {
        self.sessions.get(&id).map(|s| s.streams.tx.stats())
    }

    /// How many packets may be outstanding in a session: more than one only if the client was proved.
    pub fn window(&self, id: SessionId) -> Option<usize> {
        self.sessions.get(&id).map(|s| s.streams.tx.window())
    }

    /// Bytes that sessions hold: queues and what is on its way, held and unread.
    pub fn memory(&self) -> usize {
        self.sessions.values().map(|s| s.streams.memory()).sum()
    }
}

impl<U> fmt::Debug for Server<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.config).field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Password;

    #[test]
    fn what_the_keys_came_from_is_forgotten_with_the_server() {
        let config = Config { seed: [9; 32], ..Config::default() };
        let mut server = Server::new(config, BTreeMap::<String, Password>::new());
        assert!(std::mem::needs_drop::<Server<()>>());
        server.forget_seed();
        assert_eq!(server.config.seed, [0; 32]);
    }
}
