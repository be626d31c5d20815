//! One session's login, as the server sees it: what it has offered, what it has been told.

use zeroize::Zeroizing;

use super::config::{AuthScheme, Config, Credential, UnknownUser, Users};
use crate::Terminal;
use crate::auth::{self, Answer, Method, Offer, Salt, Verifier, md5, name};
use crate::rng::derive;
use crate::wire::Text;
use crate::wire::control::{Control, ControlType};

/// How often a repeated BEGINAUTH is answered: every answer is larger than its question.
const MAX_ANSWERS: u32 = 8;
/// Longest proof that is kept; real ones have 17 or 32 bytes.
const MAX_PROOF: usize = 64;

/// What to do after a packet of the login.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Send this value as PASSSALT.
    Answer(Vec<u8>),
    /// The client has proved itself, or has not.
    Verdict(Verdict),
}

/// How a login ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted { user: Text, suffix: Option<Text>, method: Method },
    Refused { user: Text },
}

/// What the client was asked for. Made once: a BEGINAUTH that comes again gets the same salt and key.
enum Asked {
    Md5(Salt),
    EcSrp5 {
        offer: Offer,
        server: Box<auth::Server>,
        known: bool,
    },
    /// The key without a salt: there is no such user.
    Nothing,
}

/// The login of one session.
pub(super) struct Login {
    session: u64,
    /// BEGINAUTH has come; it is in this packet; an offer is.
    begun: bool,
    asks: bool,
    offers: bool,
    offer: Option<Offer>,
    asked: Option<Asked>,
    answers: u32,
    proof: Option<Vec<u8>>,
    login_name: Option<Vec<u8>>,
    pub(super) terminal: Terminal,
}

impl Login {
    pub(super) fn new(session: u64) -> Self {
        let terminal = Terminal { kind: String::new(), columns: 0, rows: 0 };
        Self {
            session,
            begun: false,
            asks: false,
            offers: false,
            offer: None,
            asked: None,
            answers: 0,
            proof: None,
            login_name: None,
            terminal,
        }
    }

    /// Takes one control of the packet.
    pub(super) fn control(&mut self, control: Control<'_>) {
        let value = control.value;
        match control.kind {
            ControlType::BeginAuth => (self.begun, self.asks) = (true, true),
            ControlType::PassSalt if !self.keyed() => {
                self.offer = Offer::parse(value).ok();
                self.offers = self.offer.is_some();
            }
            ControlType::Password => self.proof = Some(value.get(..MAX_PROOF).unwrap_or(value).to_vec()),
            ControlType::Username if value.len() <= name::MAX_LEN => self.login_name = Some(value.to_vec()),
            ControlType::TermType => {
                let kept = value.get(..Terminal::MAX_KIND).unwrap_or(value);
                self.terminal.kind = String::from_utf8_lossy(kept).into_owned();
            }
            ControlType::TermWidth => self.terminal.columns = control.as_size().unwrap_or(0),
            ControlType::TermHeight => self.terminal.rows = control.as_size().unwrap_or(0),
            _ => {}
        }
    }

    /// Whether a key was given, which is never changed.
    fn keyed(&self) -> bool {
        matches!(self.asked, Some(Asked::EcSrp5 { .. } | Asked::Nothing))
    }

    /// After a whole packet: what now.
    pub(super) fn step(&mut self, config: &Config, users: &impl Users) -> Step {
        let asks = std::mem::take(&mut self.asks);
        let offers = std::mem::take(&mut self.offers) && self.begun && config.auth != AuthScheme::Md5;
        if let (Some(asked), Some(proof)) = (&self.asked, self.proof.take()) {
            return Step::Verdict(self.judge(config, users, asked, &proof));
        }
        if !(asks || offers) || self.answers >= MAX_ANSWERS {
            return Step::Wait;
        }
        // BEGINAUTH came alone and asked for MD5, it seemed; the offer came in a packet of its own.
        if self.offer.is_some() && !self.keyed() && config.auth != AuthScheme::Md5 {
            self.asked = None;
        }
        if self.asked.is_none() {
            self.asked = self.ask(config, users);
        }
        let answer = match &self.asked {
            None => return Step::Wait,
            Some(Asked::Md5(salt)) => Answer::Md5 { salt: *salt },
            Some(Asked::EcSrp5 { server, .. }) => server.answer(),
            Some(Asked::Nothing) => Answer::UnknownUser,
        };
        self.answers += 1;
        Step::Answer(answer.to_vec())
    }

    fn ask(&self, config: &Config, users: &impl Users) -> Option<Asked> {
        let md5 = || Asked::Md5(salt_of(derive(&config.seed, "md5 salt", &self.session.to_be_bytes())));
        let offer = match (config.auth, &self.offer) {
            (AuthScheme::Md5, _) | (AuthScheme::Either | AuthScheme::EcSrp5 { md5_decoy: true }, None) => {
                return Some(md5());
            }
            (AuthScheme::EcSrp5 { md5_decoy: false }, None) => return None,
            (AuthScheme::Either | AuthScheme::EcSrp5 { .. }, Some(offer)) => offer.clone(),
        };
        let (user, _, credential) = find(users, offer.name());
        let known = credential.is_some();
        let verifier = match credential {
            Some(Credential::Verifier(verifier)) => verifier,
            Some(Credential::Password(password)) => {
                // From the name, as a decoy's is: a salt that never changes.
                let salt = salt_of(derive(&config.seed, "user salt", user.as_bytes()));
                Verifier::new(user.as_bytes(), &password, &salt)
            }
            None if config.unknown_user == UnknownUser::KeyOnly => return Some(Asked::Nothing),
            None => Verifier::decoy(&config.seed, name::without_parameters(offer.name())),
        };
        let random = Zeroizing::new(derive(&config.seed, "ec-srp5 key", &self.session.to_be_bytes()));
        let server = Box::new(auth::Server::new(&verifier, &random).ok()?);
        Some(Asked::EcSrp5 { offer, server, known })
    }

    fn judge(&self, config: &Config, users: &impl Users, asked: &Asked, proof: &[u8]) -> Verdict {
        let full = self.login_name.as_deref().unwrap_or_default();
        let (user, suffix, credential) = find(users, full);
        let method = match asked {
            Asked::Md5(_) => Method::Md5,
            Asked::EcSrp5 { .. } | Asked::Nothing => Method::EcSrp5,
        };
        let right = match (asked, credential) {
            (Asked::Md5(salt), Some(Credential::Password(password))) => {
                // A decoy's answer is never accepted.
                md5::verify(&password, salt, proof) && !matches!(config.auth, AuthScheme::EcSrp5 { .. })
            }
            (Asked::EcSrp5 { offer, server, known }, _) => {
                // The name of the key exchange is the one that was proved; USERNAME must mean the same user. It may
                // be sent with console parameters there and without here, or the other way round. [R]
                let same = find(users, offer.name()).0 == user;
                server.verify(offer.key(), proof).is_ok() && *known && same
            }
            _ => false,
        };
        if right { Verdict::Accepted { user, suffix, method } } else { Verdict::Refused { user: Text::from(full) } }
    }
}

/// The user of this login name, as a whole or without its console parameters; and the parameters.
fn find(users: &impl Users, full: &[u8]) -> (Text, Option<Text>, Option<Credential>) {
    if let Some(credential) = users.lookup(full) {
        return (Text::from(full), None, Some(credential));
    }
    let bare = name::without_parameters(full);
    let suffix = full.get(bare.len() + 1..).map(Text::from);
    let credential = if suffix.is_some() { users.lookup(bare) } else { None };
    (Text::from(bare), suffix, credential)
}

fn salt_of(bytes: [u8; 32]) -> Salt {
    let mut salt = Salt::default();
    salt.copy_from_slice(&bytes[..16]);
    salt
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::auth::Password;

    /// Answers' lengths, packet by packet.
    fn answers(auth: AuthScheme, packets: &[&[(ControlType, &[u8])]]) -> Vec<usize> {
        let config = Config { auth, ..Config::default() };
        let users = BTreeMap::from([("admin".to_owned(), Password::from("x"))]);
        let mut login = Login::new(1);
        let step = |packet: &&[(ControlType, &[u8])]| {
            packet.iter().for_each(|(kind, value)| login.control(Control { kind: *kind, value, declared: 0 }));
            match login.step(&config, &users) {
                Step::Answer(answer) => answer.len(),
                _ => 0,
            }
        };
        packets.iter().map(step).collect()
    }

    #[test]
    fn an_offer_in_a_packet_of_its_own_is_answered() {
        let client = auth::Client::new(&Zeroizing::new([7; 32]));
        let offer = Offer::new(b"admin", client.public_key()).unwrap().to_vec();
        let (begin, offer): ((_, &[u8]), _) = ((ControlType::BeginAuth, &[]), (ControlType::PassSalt, &*offer));
        let apart: [&[_]; 4] = [&[begin], &[offer], &[offer], &[begin]];
        for (auth, wanted) in [
            (AuthScheme::Either, [16, 49, 0, 49]),
            (AuthScheme::EcSrp5 { md5_decoy: true }, [16, 49, 0, 49]),
            (AuthScheme::EcSrp5 { md5_decoy: false }, [0, 49, 0, 49]),
            (AuthScheme::Md5, [16, 0, 0, 16]),
        ] {
            assert_eq!(answers(auth, &apart), wanted, "{auth:?}");
        }
        // As all known clients do it; and nothing is begun by an offer alone.
        assert_eq!(answers(AuthScheme::Either, &[&[begin, offer], &[offer], &[begin, offer]]), [49, 0, 49]);
        assert_eq!(answers(AuthScheme::Either, &[&[offer], &[begin]]), [0, 49]);
        let broken: (_, &[u8]) = (ControlType::PassSalt, &[1, 2, 3]);
        assert_eq!(answers(AuthScheme::Either, &[&[begin], &[broken]]), [16, 0]);
    }
}
