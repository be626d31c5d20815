//! The transport layer: versions, key exchange (also again, when the client wants it), packets for the layers above.

use std::collections::VecDeque;
use std::rc::Rc;

use super::algorithms::{self, Choice, KEXINIT, Offer};
use super::exchange::{self, Agreed, Said};
use super::keys::HostKeys;
use super::packet::{Malformed, Opener, Sealer};
use super::random::Random;
use super::wire::Writer;

/// How RouterOS names itself, whatever its version \[K\].
pub const VERSION: &str = "SSH-2.0-ROSSSH";

/// The most of a line before the first packet (RFC 4253 section 4.2).
const MAX_LINE: usize = 255;
/// Payloads that wait for the end of a key exchange; a session's window bounds what they hold.
const MAX_WAITING: usize = 1024;

const DISCONNECT: u8 = 1;
const IGNORE: u8 = 2;
const UNIMPLEMENTED: u8 = 3;
const DEBUG: u8 = 4;
const NEWKEYS: u8 = 21;
/// The first number that belongs to the layers above, but for the service request.
const UPPER: u8 = 50;
/// `SSH_MSG_SERVICE_REQUEST`
pub(super) const SERVICE_REQUEST: u8 = 5;

/// Why a connection is over before its time; the numbers are RFC 4250's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not what the protocol allows.
    #[error("protocol error")]
    Protocol,
    /// Nothing in common.
    #[error("no matching {0} found")]
    NothingInCommon(&'static str),
    /// A packet was changed on its way.
    #[error("a packet's seal is wrong")]
    Seal,
    /// Too many failed logins.
    #[error("too many authentication failures")]
    TooManyLogins,
    /// The client said goodbye.
    #[error("the client disconnected")]
    ByClient,
}

impl Broken {
    fn reason(self) -> u32 {
        match self {
            Self::Protocol => 2,
            Self::NothingInCommon(_) => 3,
            Self::Seal => 5,
            Self::ByClient => 11,
            Self::TooManyLogins => 14,
        }
    }
}

impl From<Malformed> for Broken {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Length => Self::Protocol,
            Malformed::Seal => Self::Seal,
        }
    }
}

/// How far a key exchange is.
#[derive(Debug)]
enum Phase {
    /// Our offer is out, or was never needed: none is going on.
    Idle,
    /// Our offer is out, theirs isn't there.
    Offered,
    /// Both are there; the client's half comes next, after a packet to be passed over.
    Chosen(Choice, bool),
    /// Ours are the new keys; theirs come with `SSH_MSG_NEWKEYS`.
    Agreed(Choice, Box<Agreed>),
}

/// One connection's transport.
#[derive(Debug)]
pub(super) struct Transport {
    offer: Offer,
    keys: Rc<HostKeys>,
    pub random: Random,
    opener: Opener,
    sealer: Sealer,
    said: Said,
    phase: Phase,
    /// The first exchange's hash.
    session: Option<Vec<u8>>,
    waiting: VecDeque<Vec<u8>>,
    out: Vec<u8>,
}

impl Transport {
    /// The session's identifier: the first exchange's hash, empty before it.
    pub(super) fn session(&self) -> &[u8] {
        self.session.as_deref().unwrap_or_default()
    }

    pub(super) fn new(offer: Offer, keys: Rc<HostKeys>, seed: [u8; 32]) -> Self {
        let mut transport = Self {
            offer,
            keys,
            random: Random::new(&seed, "ssh connection"),
            opener: Opener::default(),
            sealer: Sealer::default(),
            said: Said::default(),
            phase: Phase::Idle,
            session: None,
            waiting: VecDeque::new(),
            out: format!("{VERSION}\r\n").into_bytes(),
        };
        transport.make_offer();
        transport
    }

    pub(super) fn handle_bytes(&mut self, bytes: &[u8]) {
        self.opener.push(bytes);
    }

    pub(super) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Bytes that wait to be taken.
    pub(super) fn unsent(&self) -> usize {
        self.out.len() + self.waiting.iter().map(Vec::len).sum::<usize>()
    }

    fn seal(&mut self, payload: &[u8]) {
        let packet = self.sealer.seal(payload, &mut self.random);
        self.out.extend(packet);
    }

    /// Sends a payload of the layers above; during a key exchange it waits for the new keys.
    pub(super) fn send(&mut self, writer: Writer) {
        if matches!(self.phase, Phase::Idle) {
            self.seal(&writer.0);
        } else if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(writer.0);
        }
    }

    /// Says why it is over.
    pub(super) fn disconnect(&mut self, why: Broken) {
        let message = Writer::message(DISCONNECT).u32(why.reason()).string(why.to_string().as_bytes()).string(b"");
        self.seal(&message.0);
    }

    fn make_offer(&mut self) {
        let cookie = self.random.bytes(16);
        self.said.server_init = self.offer.message(&cookie);
        let message = self.said.server_init.clone();
        self.seal(&message);
        self.phase = Phase::Offered;
    }

    /// The next payload for the layers above.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        while self.said.client_version.is_empty() {
            match self.opener.line(MAX_LINE)? {
                None => return Ok(None),
                Some(line) if line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-") => {
                    self.said.client_version = line;
                }
                Some(_) => return Err(Broken::Protocol),
            }
        }
        while let Some(payload) = self.opener.next()? {
            match payload.first().copied() {
                Some(DISCONNECT) => return Err(Broken::ByClient),
                Some(IGNORE | UNIMPLEMENTED | DEBUG) => {}
                Some(number @ KEXINIT..UPPER) => self.exchange(number, payload)?,
                Some(SERVICE_REQUEST | UPPER..) if self.session.is_some() => return Ok(Some(payload)),
                _ => return Err(Broken::Protocol),
            }
        }
        Ok(None)
    }

    /// The answer to a message that isn't known.
    pub(super) fn unimplemented(&mut self) {
        let message = Writer::message(UNIMPLEMENTED).u32(self.opener.last_sequence());
        self.send(message);
    }

    fn exchange(&mut self, number: u8, payload: Vec<u8>) -> Result<(), Broken> {
        if number == KEXINIT && matches!(self.phase, Phase::Idle) {
            self.make_offer();
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        self.phase = match (number, phase) {
            (KEXINIT, Phase::Offered) => {
                let choice = algorithms::choose(&self.offer, &payload).map_err(Broken::NothingInCommon)?;
                self.said.client_init = payload;
                Phase::Chosen(choice, choice.wrong_guess)
            }
            (_, Phase::Chosen(choice, true)) => Phase::Chosen(choice, false),
            (exchange::INIT, Phase::Chosen(choice, false)) => {
                let agreed = exchange::answer(&choice, &self.said, VERSION, &payload, &self.keys, &mut self.random)
                    .ok_or(Broken::Protocol)?;
                self.seal(&agreed.reply);
                self.seal(&[NEWKEYS]);
                let session = self.session.get_or_insert_with(|| agreed.hash.clone());
                let [_, cipher] = choice.ciphers;
                let [_, mac] = choice.macs;
                self.sealer.keys = Some(agreed.keys(session, cipher, mac, true).ok_or(Broken::Protocol)?);
                Phase::Agreed(choice, Box::new(agreed))
            }
            (NEWKEYS, Phase::Agreed(choice, agreed)) => {
                let session = self.session.as_deref().unwrap_or_default();
                let [cipher, _] = choice.ciphers;
                let [mac, _] = choice.macs;
                self.opener.keys = Some(agreed.keys(session, cipher, mac, false).ok_or(Broken::Protocol)?);
                for payload in std::mem::take(&mut self.waiting) {
                    self.seal(&payload);
                }
                Phase::Idle
            }
            _ => return Err(Broken::Protocol),
        };
        Ok(())
    }
}
