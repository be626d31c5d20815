//! MAC-Ping: are you there, and how far away.

use std::time::Duration;

use crate::wire::{Error, ping};
use crate::{Instant, MacAddr};

/// The most requests of one run that may be unanswered at once; older ones count as lost.
pub const MAX_OUTSTANDING: usize = 64;

/// Bytes at the front of the data by which an answer is told from another ping's.
const MARK_LEN: usize = 8;

/// How to ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Our MAC: that of the interface the frames leave by.
    pub local: MacAddr,
    /// The router's MAC. The frames must go to it at Ethernet level too: RouterOS answers no other.
    pub peer: MacAddr,
    /// How many requests; 0: until stopped.
    pub count: u32,
    /// Time between requests.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Data bytes, besides the header of 18; at least 8 are sent.
    pub data_len: usize,
    /// Tells this run's packets from others'.
    pub token: u32,
}

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The answer came.
    Reply { sequence: u32, time: Duration },
    /// No answer within the timeout.
    Lost { sequence: u32 },
}

/// The sum of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    pub sent: u32,
    pub received: u32,
    pub min: Duration,
    pub max: Duration,
    pub total: Duration,
}

impl Statistics {
    /// The mean of the times, if there was one.
    pub fn mean(&self) -> Option<Duration> {
        (self.received > 0).then(|| self.total / self.received)
    }

    /// Lost requests, in percent.
    pub fn loss_percent(&self) -> u32 {
        let lost = u64::from(self.sent.saturating_sub(self.received));
        u32::try_from(lost * 100 / u64::from(self.sent.max(1))).unwrap_or(100)
    }
}

/// Sends requests and matches the answers.
#[derive(Debug)]
pub struct Pinger {
    config: Config,
    next: Instant,
    outstanding: Vec<(u32, Instant)>,
    statistics: Statistics,
    stopped: bool,
}

impl Pinger {
    /// The first request is due at `now`.
    pub fn new(now: Instant, config: Config) -> Self {
        Self { config, next: now, outstanding: Vec::new(), statistics: Statistics::default(), stopped: false }
    }

    /// No more requests; those under way may still be answered.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether everything was sent, and answered or given up.
    pub fn is_finished(&self) -> bool {
        self.all_sent() && self.outstanding.is_empty()
    }

    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    fn all_sent(&self) -> bool {
        self.stopped || (self.config.count > 0 && self.statistics.sent >= self.config.count)
    }

    /// The next request that is due: a payload for UDP 20561, unicast at Ethernet level.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.all_sent() || now < self.next || self.outstanding.len() >= MAX_OUTSTANDING {
            return None;
        }
        let sequence = self.statistics.sent;
        self.statistics.sent += 1;
        self.outstanding.push((sequence, now));
        // A late wake-up must not be made up for by a burst.
        self.next = now + self.config.interval;
        let mut data = vec![0; self.config.data_len.clamp(MARK_LEN, ping::MAX_DATA)];
        for (at, byte) in data.iter_mut().enumerate() {
            *byte = (at % 251) as u8;
        }
        data[..4].copy_from_slice(&self.config.token.to_be_bytes());
        data[4..MARK_LEN].copy_from_slice(&sequence.to_be_bytes());
        Some(ping::Repr { reply: false, src: self.config.local, dst: self.config.peer }.to_vec(&data))
    }

    /// Takes a payload from the wire; anything that is no answer to this run is ignored.
    pub fn handle_payload(&mut self, now: Instant, payload: &[u8]) -> Option<Event> {
        let (repr, data) = ping::Repr::parse(payload).ok()?;
        if !repr.reply || repr.src != self.config.peer || repr.dst != self.config.local {
            return None;
        }
        if data.len() != self.config.data_len.clamp(MARK_LEN, ping::MAX_DATA) {
            return None;
        }
        let token = u32::from_be_bytes(data.get(..4)?.try_into().ok()?);
        let sequence = u32::from_be_bytes(data.get(4..MARK_LEN)?.try_into().ok()?);
        if token != self.config.token {
            return None;
        }
        let at = self.outstanding.iter().position(|(other, _)| *other == sequence)?;
        let (_, sent) = self.outstanding.swap_remove(at);
        let time = now - sent;
        let s = &mut self.statistics;
        s.min = if s.received == 0 { time } else { s.min.min(time) };
        s.max = s.max.max(time);
        s.total += time;
        s.received += 1;
        Some(Event::Reply { sequence, time })
    }

    /// The oldest request whose time is over; call until `None`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Event> {
        let timeout = self.config.timeout;
        let at = self.outstanding.iter().position(|(_, sent)| now >= *sent + timeout)?;
        let (sequence, _) = self.outstanding.swap_remove(at);
        Some(Event::Lost { sequence })
    }

    /// When something is due next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let lost = self.outstanding.iter().map(|(_, sent)| *sent + self.config.timeout).min();
        let send = (!self.all_sent() && self.outstanding.len() < MAX_OUTSTANDING).then_some(self.next);
        lost.into_iter().chain(send).min()
    }
}

/// The answer to a request to `local`, as a router gives it: the same data, MACs swapped. `None` if it is none, or for
/// somebody else.
///
/// # Errors
/// The payload is no MAC-Ping packet.
pub fn answer(local: MacAddr, payload: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let (repr, data) = ping::Repr::parse(payload)?;
    Ok((!repr.reply && repr.dst == local).then(|| repr.to_reply().to_vec(data)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const B: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

    fn config() -> Config {
        Config {
            local: A,
            peer: B,
            count: 3,
            interval: Duration::from_secs(1),
            timeout: Duration::from_millis(500),
            data_len: 38,
            token: 7,
        }
    }

    #[test]
    fn times_and_loss() {
        let mut pinger = Pinger::new(Instant::ZERO, config());
        let mut now = Instant::ZERO;
        let mut events = Vec::new();
        while !pinger.is_finished() {
            if let Some(request) = pinger.poll_transmit(now) {
                assert_eq!(request.len(), 56);
                let reply = answer(B, &request).unwrap().unwrap();
                assert_eq!(answer(A, &request).unwrap(), None);
                // The second answer is lost; the others come after 2 ms, twice.
                if pinger.statistics().sent != 2 {
                    let later = now + Duration::from_millis(2);
                    events.extend(pinger.handle_payload(later, &reply));
                    assert_eq!(pinger.handle_payload(later, &reply), None);
                }
            }
            while let Some(event) = pinger.handle_timeout(now) {
                events.push(event);
            }
            if let Some(next) = pinger.poll_timeout() {
                now = next;
            }
        }
        let time = Duration::from_millis(2);
        assert_eq!(
            events,
            [Event::Reply { sequence: 0, time }, Event::Lost { sequence: 1 }, Event::Reply { sequence: 2, time }]
        );
        assert_eq!(pinger.statistics().loss_percent(), 33);
        assert_eq!(pinger.statistics().mean(), Some(time));
    }

    #[test]
    fn answers_of_others_do_not_count() {
        let mut pinger = Pinger::new(Instant::ZERO, config());
        let request = pinger.poll_transmit(Instant::ZERO).unwrap();
        let mut other = Pinger::new(Instant::ZERO, Config { token: 8, ..config() });
        let foreign = answer(B, &other.poll_transmit(Instant::ZERO).unwrap()).unwrap().unwrap();
        assert_eq!(pinger.handle_payload(Instant::ZERO, &foreign), None);
        let mut wrong = answer(B, &request).unwrap().unwrap();
        wrong[2] ^= 4;
        assert_eq!(pinger.handle_payload(Instant::ZERO, &wrong), None);
        for len in 0..request.len() {
            assert_eq!(pinger.handle_payload(Instant::ZERO, &request[..len]), None);
        }
    }
}
