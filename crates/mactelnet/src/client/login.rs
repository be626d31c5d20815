//! The login, as the client sees it.

use super::config::{Config, LoginPolicy};
use super::error::Error;
use zeroize::Zeroizing;

use crate::Terminal;
use crate::auth::{self, Answer, Method, Offer, md5};
use crate::rng::SeededRng;
use crate::wire::Text;
use crate::wire::control::{self, Control, ControlType};

/// Most of the router's words that are kept for a message.
const MAX_SAID: usize = 256;

/// What a packet of the login led to.
#[derive(Debug)]
pub(super) enum Step {
    Wait,
    /// Send this packet: the proof.
    Send(Vec<u8>),
    /// END_AUTH.
    Over,
    Fail(Error),
}

/// The login of one session.
pub(super) struct Login {
    exchange: Option<auth::Client>,
    /// The router's answer, once it was answered.
    answer: Option<Vec<u8>>,
    method: Method,
    said: Vec<u8>,
    rekeyed: bool,
}

impl Login {
    /// The login, and the packet that opens it.
    pub(super) fn begin(config: &Config, rng: &mut SeededRng) -> Result<(Self, Vec<u8>), Error> {
        let mut packet = Vec::new();
        control::emit(ControlType::BeginAuth, &[], &mut packet);
        auth::name::check(config.user.as_bytes()).map_err(Error::Login)?;
        let method = config.login.asks_for();
        let exchange = match method {
            Method::Md5 => None,
            Method::EcSrp5 => {
                let exchange = auth::Client::new(&Zeroizing::new(rng.bytes()));
                let offer = Offer::new(config.user.as_bytes(), exchange.public_key()).map_err(Error::Login)?;
                control::emit(ControlType::PassSalt, &offer.to_vec(), &mut packet);
                Some(exchange)
            }
        };
        Ok((Self { exchange, answer: None, method, said: Vec::new(), rekeyed: false }, packet))
    }

    /// Which login it is, as far as is known.
    pub(super) fn method(&self) -> Method {
        self.method
    }

    /// Whether the proof was sent.
    pub(super) fn proved(&self) -> bool {
        self.answer.is_some()
    }

    /// Whether the server changed its key in the middle, as mactelnetd 0.6.3 does on a repeated BEGINAUTH: then a
    /// refusal says nothing about the password. \[M\]
    pub(super) fn rekeyed(&self) -> bool {
        self.rekeyed
    }

    /// What the router said in the login, if anything.
    pub(super) fn said(&self) -> Option<Text> {
        let said = self.said.trim_ascii();
        (!said.is_empty()).then(|| Text::from(said))
    }

    pub(super) fn plain(&mut self, data: &[u8]) {
        let room = MAX_SAID.saturating_sub(self.said.len());
        self.said.extend_from_slice(data.get(..room).unwrap_or(data));
    }

    pub(super) fn control(&mut self, config: &Config, control: Control<'_>) -> Step {
        match control.kind {
            ControlType::PassSalt => match &self.answer {
                None => match self.prove(config, control.value) {
                    Ok(packet) => {
                        self.answer = Some(control.value.to_vec());
                        Step::Send(packet)
                    }
                    Err(error) => Step::Fail(error),
                },
                Some(first) => {
                    self.rekeyed |= first != control.value;
                    Step::Wait
                }
            },
            // Whoever lets us in without having asked for the password is no router of ours.
            ControlType::EndAuth if !self.proved() => Step::Fail(Error::Unasked),
            ControlType::EndAuth => Step::Over,
            ControlType::PacketError => {
                let kept = control.value.get(..MAX_SAID).unwrap_or(control.value);
                Step::Fail(Error::Reported(Text::from(kept)))
            }
            _ => Step::Wait,
        }
    }

    fn prove(&mut self, config: &Config, answer: &[u8]) -> Result<Vec<u8>, Error> {
        let mut packet = Vec::new();
        match (Answer::parse(answer).map_err(Error::Login)?, &self.exchange) {
            (Answer::Md5 { salt }, _) => {
                let reason = match &config.login {
                    LoginPolicy::Md5 | LoginPolicy::Auto { md5_allowed: true, .. } => None,
                    LoginPolicy::Auto { md5_allowed: false, reason } => Some(reason.clone()),
                    LoginPolicy::EcSrp5 => Some("only EC-SRP5 is allowed".to_owned()),
                };
                if let Some(reason) = reason {
                    return Err(Error::Downgrade { reason });
                }
                self.method = Method::Md5;
                control::emit(ControlType::Password, &md5::response(&config.password, &salt), &mut packet);
            }
            (Answer::EcSrp5 { key, salt }, Some(exchange)) => {
                let proof = exchange.prove(config.user.as_bytes(), &config.password, &key, &salt);
                control::emit(ControlType::Password, &proof.map_err(Error::Login)?, &mut packet);
            }
            (Answer::EcSrp5 { .. }, None) => return Err(Error::WantsEcSrp5),
            (Answer::UnknownUser, _) => return Err(Error::UnknownUser { method: self.method }),
        }
        let Terminal { kind, columns, rows } = &config.terminal;
        let kind = kind.get(..kind.floor_char_boundary(Terminal::MAX_KIND)).unwrap_or_default();
        control::emit(ControlType::Username, config.user.as_bytes(), &mut packet);
        control::emit(ControlType::TermType, kind.as_bytes(), &mut packet);
        control::emit_size(*columns, *rows, &mut packet);
        Ok(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MacAddr;
    use crate::auth::Password;

    /// The end of a login that never was one: before anything was asked for, and where only a key came.
    #[test]
    fn nobody_is_let_in_who_was_not_asked_for_the_password() {
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let config = Config::new(mac, mac, "admin", Password::from("x"), [7; 32]);
        let (mut login, _) = Login::begin(&config, &mut SeededRng::new(&[7; 32], "login")).unwrap();
        let over = Control { kind: ControlType::EndAuth, value: &[], declared: 0 };
        assert!(matches!(login.control(&config, over), Step::Fail(Error::Unasked)));
        let salt = Control { kind: ControlType::PassSalt, value: &[0; 33], declared: 33 };
        assert!(matches!(login.control(&config, salt), Step::Fail(_)));
        let over = Control { kind: ControlType::EndAuth, value: &[], declared: 0 };
        assert!(matches!(login.control(&config, over), Step::Fail(Error::Unasked)));
    }
}
