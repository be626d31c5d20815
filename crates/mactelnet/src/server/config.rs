//! What a server is told before it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::MacAddr;
use crate::auth::{Password, Verifier};
use crate::stream::rtt::PATIENCE;

/// Silence after which the C server ends a session: 15 s. \[M\] RouterOS keeps one for about 90 s. \[R\]
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// What the C server says then. \[M\]
pub const IDLE_TEXT: &[u8] = b"Timeout\r\n";
/// What every server says to a refused login. \[M\]\[R\]
pub const REFUSAL_TEXT: &[u8] = b"Login failed, incorrect username or password\r\n";
/// Sessions at once. The C server breaks at about 1010; this is more than any person needs.
pub const MAX_SESSIONS: usize = 256;
/// Sessions at once that are not logged in: a flood of STARTs ends here.
pub const MAX_HALF_OPEN: usize = 32;

/// Which login a server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthScheme {
    /// MD5 alone: a 16-byte salt whatever the client offers (RouterOS up to 6.42, mactelnetd 0.4.4).
    Md5,
    /// EC-SRP5 alone.
    EcSrp5 {
        /// Whether a client that asks for MD5 is given a salt all the same, and then refused (RouterOS 7.23 \[R\]);
        /// otherwise it hears nothing (mactelnetd 0.6.3 \[M\]).
        md5_decoy: bool,
    },
    /// What the client asks for. MD5 only for users whose password is known in clear.
    Either,
}

/// What a client with an unknown name hears in EC-SRP5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownUser {
    /// The same as a known one: a salt that never changes for the name, and a refusal at the end.
    Derived,
    /// A key of 33 bytes without a salt (RouterOS up to 7.6 \[R\]).
    KeyOnly,
}

/// How a user proves who it is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The password itself; serves both logins.
    Password(Password),
    /// What RouterOS stores; serves EC-SRP5 alone.
    Verifier(Verifier),
}

/// Who may log in.
pub trait Users {
    /// The credential of the user of exactly this name, if there is one. A name with console parameters
    /// (`admin+ct`) is asked for as a whole first, then without them.
    fn lookup(&self, name: &[u8]) -> Option<Credential>;
}

impl Users for BTreeMap<String, Password> {
    fn lookup(&self, name: &[u8]) -> Option<Credential> {
        let password = self.get(std::str::from_utf8(name).ok()?)?;
        Some(Credential::Password(password.clone()))
    }
}

impl<U: Users + ?Sized> Users for &U {
    fn lookup(&self, name: &[u8]) -> Option<Credential> {
        (**self).lookup(name)
    }
}

impl<U: Users + ?Sized> Users for Box<U> {
    fn lookup(&self, name: &[u8]) -> Option<Credential> {
        (**self).lookup(name)
    }
}

impl<U: Users + ?Sized> Users for std::rc::Rc<U> {
    fn lookup(&self, name: &[u8]) -> Option<Credential> {
        (**self).lookup(name)
    }
}

/// How a server behaves.
#[derive(Clone)]
pub struct Config {
    /// MACs of its interfaces: packets to any other are ignored. Any of them is accepted on any link.
    pub macs: Vec<MacAddr>,
    /// Which login it asks for.
    pub auth: AuthScheme,
    /// What unknown names hear.
    pub unknown_user: UnknownUser,
    /// Source of every random value: the same seed gives the same session. From the system in the real world.
    pub seed: [u8; 32],
    /// Silence of the client after which a session ends. The client's keepalives (10 s) prevent it.
    pub idle_timeout: Duration,
    /// What is said then, before END; `None` ends it without a word and without END.
    pub idle_text: Option<Vec<u8>>,
    /// Between END_AUTH and the text of a refusal (RouterOS 7.23: about 1 s \[R\]).
    pub refusal_delay: Duration,
    /// How long a client may acknowledge nothing.
    pub patience: Duration,
    /// Sessions at once.
    pub max_sessions: usize,
    /// Of these, not logged in.
    pub max_half_open: usize,
    /// Whether to answer a client's proof that it keeps acknowledgements at gaps with a proof of our own, so that a
    /// wider window opens in both directions (see [`crate::proof`]).
    pub answer_proofs: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            macs: Vec::new(),
            auth: AuthScheme::Either,
            unknown_user: UnknownUser::Derived,
            seed: [0; 32],
            idle_timeout: IDLE_TIMEOUT,
            idle_text: Some(IDLE_TEXT.to_vec()),
            refusal_delay: Duration::ZERO,
            patience: PATIENCE,
            max_sessions: MAX_SESSIONS,
            max_half_open: MAX_HALF_OPEN,
            answer_proofs: true,
        }
    }
}

impl std::fmt::Debug for Config {
    /// Without the seed, which is as good as every session's keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("macs", &self.macs).field("auth", &self.auth).finish_non_exhaustive()
    }
}
