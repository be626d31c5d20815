//! Knocking: START on one link or on several, to learn who answers, and END again. No login is begun.

use std::time::Duration;

use super::clock::Clock;
use super::link::{BoxLink, Link as _, recv_any};
use crate::rng::SeededRng;
use crate::wire::frame;
use crate::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, PORT, Packet, PacketType, Repr};
use crate::{Instant, MacAddr};

/// As [`crate::client::config::FIRST_PORT`]: a port that no session of this host is likely to have.
const SOURCE_PORT: u16 = crate::client::config::FIRST_PORT + crate::client::config::PORTS;

/// How to knock.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How often, each time with a key of its own.
    pub times: u32,
    /// Between two.
    pub every: Duration,
    /// After the last, and after the first answer if that is enough: how long for more.
    pub grace: Duration,
    /// Whether the first answer is enough.
    pub first: bool,
}

impl Manner {
    /// Who is there: as long as a session's START is repeated, and a moment for those who are slower.
    pub const WHERE: Self =
        Self { times: 16, every: Duration::from_millis(500), grace: Duration::from_millis(60), first: true };
    /// How many are there. That a network which doubles one frame in five doubles all of these comes about once in 3000.
    pub const HOW_MANY: Self =
        Self { times: 8, every: Duration::from_millis(30), grace: Duration::from_millis(100), first: false };
}

/// What came of it on one link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knocked {
    /// The answers to each START.
    pub answers: Vec<u32>,
}

impl Knocked {
    /// Whether anybody answered.
    pub fn answered(&self) -> bool {
        self.answers.iter().any(|answers| *answers > 0)
    }

    /// Whether each START that was answered was answered more than once, and several were: there are two routers, or a
    /// network that doubles everything.
    pub fn twice(&self) -> bool {
        let answered = self.answers.iter().filter(|answers| **answers > 0);
        answered.clone().count() > 1 && answered.copied().all(|answers| answers > 1)
    }
}

/// Knocks at `peer` on all of `links`; what came of it, link by link. A link that fails hears nobody.
pub async fn knock(links: &mut [BoxLink], peer: MacAddr, seed: &[u8; 32], manner: Manner) -> Vec<Knocked> {
    let clock = Clock::new();
    let mut rng = SeededRng::new(seed, "knock");
    let mut knocked = vec![Knocked::default(); links.len()];
    let mut keys: Vec<u16> = Vec::new();
    let mut failed = vec![false; links.len()];
    let (mut due, mut end) = (Instant::ZERO, None);
    let mut buffer = Vec::new();
    let mut start = 0;
    loop {
        let now = clock.now();
        if end.is_some_and(|end| end <= now) || failed.iter().all(|failed| *failed) {
            break;
        }
        if due <= now && (keys.len() as u64) < u64::from(manner.times) && end.is_none() {
            let key = loop {
                let key = u16::from_be_bytes(rng.bytes());
                if !keys.contains(&key) {
                    break key;
                }
            };
            keys.push(key);
            due = now + manner.every;
            for ((link, knocked), failed) in links.iter_mut().zip(&mut knocked).zip(&mut failed) {
                knocked.answers.push(0);
                *failed |= send(link, peer, key, PacketType::Start).is_err();
            }
            if keys.len() as u64 == u64::from(manner.times) {
                end = Some(now + manner.every + manner.grace);
            }
        }
        let wake = clock.at(end.unwrap_or(due));
        tokio::select! {
            biased;
            (place, received) = recv_any(links, start, &mut buffer) => {
                start = place + 1;
                if received.is_err() {
                    if let Some(failed) = failed.get_mut(place) {
                        *failed = true;
                    }
                    // A dead link is always ready; do not spin on it.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                let local = links.get(place).map(|link| link.info().mac).unwrap_or_default();
                let Some(key) = answer(&buffer, local, peer) else { continue };
                let Some(at) = keys.iter().position(|known| *known == key) else { continue };
                if let Some(count) = knocked.get_mut(place).and_then(|knocked| knocked.answers.get_mut(at)) {
                    *count += 1;
                }
                if manner.first && end.is_none_or(|end| end > clock.now() + manner.grace) {
                    end = Some(clock.now() + manner.grace);
                }
            }
            () = tokio::time::sleep_until(wake) => {}
        }
    }
    // Whoever has opened a session for it is told, on every link: an answer may have been lost.
    for link in links {
        for key in &keys {
            let _ = send(link, peer, *key, PacketType::End);
        }
    }
    knocked
}

/// To everybody: of two routers with one address a switch would lead it to one.
fn send(link: &mut BoxLink, peer: MacAddr, key: u16, kind: PacketType) -> std::io::Result<()> {
    let local = link.info().mac;
    let packet = Repr {
        kind,
        direction: Direction::ToServer,
        src: local,
        dst: peer,
        session_key: key,
        client_type: CLIENT_TYPE_MAC_TELNET,
        counter: 0,
    };
    match frame::Repr::new(local, MacAddr::BROADCAST, SOURCE_PORT, PORT, key).to_vec(&packet.to_vec(&[])) {
        Ok(bytes) => link.send(&bytes),
        Err(_) => Ok(()),
    }
}

/// The key of the START that this frame answers.
fn answer(bytes: &[u8], local: MacAddr, peer: MacAddr) -> Option<u16> {
    let view = frame::Frame::new_checked(bytes).ok()?;
    let packet = Packet::new_checked(view.payload()).ok()?;
    let meant = packet.kind() == PacketType::Ack && packet.src() == peer && packet.dst() == local;
    (meant && packet.client_type(Direction::ToClient) == CLIENT_TYPE_MAC_TELNET)
        .then(|| packet.session_key(Direction::ToClient))
}

#[cfg(test)]
mod tests {
    use super::super::link::recv;
    use super::super::memory::{MemoryLink, wire};
    use super::*;

    const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
    const ROUTER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    /// Answers every START so many times after `delay`; counts the ENDs.
    async fn router(mut link: MemoryLink, copies: u32, delay: Duration, ends: tokio::sync::mpsc::UnboundedSender<u16>) {
        let mut buffer = Vec::new();
        while recv(&mut link, &mut buffer).await.is_ok() {
            let view = frame::Frame::new_checked(&buffer).unwrap();
            assert!(view.dst_mac().is_broadcast());
            let packet = Packet::new_checked(view.payload()).unwrap();
            let key = packet.session_key(Direction::ToServer);
            if packet.kind() == PacketType::End {
                ends.send(key).unwrap();
                continue;
            }
            tokio::time::sleep(delay).await;
            let ack = Repr {
                kind: PacketType::Ack,
                direction: Direction::ToClient,
                src: ROUTER,
                dst: HOST,
                session_key: key,
                client_type: CLIENT_TYPE_MAC_TELNET,
                counter: 0,
            };
            let frame = frame::Repr::new(ROUTER, HOST, PORT, SOURCE_PORT, 1).to_vec(&ack.to_vec(&[])).unwrap();
            for _ in 0..copies {
                link.send(&frame).unwrap();
            }
        }
    }

    /// Links with a router on each that gives so many answers.
    fn routers(copies: &[u32]) -> (Vec<BoxLink>, tokio::sync::mpsc::UnboundedReceiver<u16>) {
        let (ends, ended) = tokio::sync::mpsc::unbounded_channel();
        let links = copies.iter().map(|copies| {
            let (ours, theirs) = wire(("eth", HOST), ("ether1", ROUTER));
            tokio::spawn(router(theirs, *copies, Duration::from_millis(3), ends.clone()));
            Box::new(ours) as BoxLink
        });
        (links.collect(), ended)
    }

    #[tokio::test(start_paused = true)]
    async fn the_link_that_answers_is_found_at_once_and_every_router_gets_its_end() {
        let (mut links, mut ended) = routers(&[0, 1, 0]);
        let begun = tokio::time::Instant::now();
        let knocked = knock(&mut links, ROUTER, &[1; 32], Manner::WHERE).await;
        assert!(begun.elapsed() < Duration::from_millis(100));
        assert_eq!(knocked.iter().map(Knocked::answered).collect::<Vec<_>>(), [false, true, false]);
        assert!(!knocked.iter().any(Knocked::twice));
        let keys = [ended.recv().await, ended.recv().await, ended.recv().await];
        assert!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "{keys:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn two_routers_answer_every_time_and_nobody_does_not() {
        let (mut links, _ended) = routers(&[2, 1, 0]);
        let knocked = knock(&mut links, ROUTER, &[1; 32], Manner::HOW_MANY).await;
        assert_eq!(knocked.iter().map(Knocked::twice).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(knocked[1].answers, [1; 8]);
        let (mut links, _ended) = routers(&[0]);
        let begun = tokio::time::Instant::now();
        assert!(!knock(&mut links, ROUTER, &[1; 32], Manner::WHERE).await[0].answered());
        assert!(begun.elapsed() >= Duration::from_secs(8));
    }
}
