//! How this crate reaches a router: somebody else's roads, a console at their end, and what was seen on the way.

use crate::mac::Mac;
use crate::target::{Member, quoted};
use routeros::{Class, LoginOptions, Shell};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A boxed future; not `Send`: a run lives on one thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Opens roads to the members of one pair.
pub trait Roads {
    /// Logs in to a member, by the first of its roads that works.
    ///
    /// Passwords of `request.login` are tried in order; a road whose own protocol authenticates opens it anew for each. The
    /// proof in it is checked before the connection counts. Roads are tried on an unreachable router only: a refused login or
    /// a wrong router ends the attempt.
    fn connect<'a>(&'a self, request: &'a Request) -> LocalFuture<'a, Result<Connection, RoadError>>;

    /// Takes a console back that is not needed any more, politely. A road that led through another router may keep that
    /// router's console for the next time: each login is a line in its log.
    fn give_back(&self, connection: Connection) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            let _ = connection.shell.close().await;
        })
    }

    /// A console of `member`, proved, that was left over when a hop through it ended by itself.
    fn left_over(&self, _member: Member, shell: Shell) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            let _ = shell.close().await;
        })
    }

    /// By which road the console of `member` was had last.
    fn taken(&self, _member: Member) -> Option<String> {
        None
    }

    /// Ends the consoles that were kept.
    fn let_go(&self) -> LocalFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// What a connection is for: it decides how sure the road must be before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading only: the first answer will do.
    Read,
    /// Something will be changed: the whole discovery window is listened to, doubles are refused.
    Write,
}

/// A restart of the router that was ordered, and whose end was not seen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restarting {
    /// How long ago, at least.
    pub ago: Duration,
    /// Nothing but its login prompt shows on a console that it is up again (`silent-boot`).
    pub silent: bool,
}

/// Whom to reach, and as whom.
#[derive(Debug, Clone)]
pub struct Request {
    /// The member.
    pub member: Member,
    /// What for.
    pub purpose: Purpose,
    /// The login.
    pub login: LoginOptions,
    /// The login at the other member, where the road leads through it.
    pub via: LoginOptions,
    /// The member may be restarting. A road on which a boot loader listens types nothing before it is over.
    pub restarting: Option<Restarting>,
}

/// A logged-in console and what was seen of the router below it.
#[derive(Debug)]
pub struct Connection {
    /// The console.
    pub shell: Shell,
    /// The road, for people: `via:a`, `mac://74:4D:28:00:00:0B%eth1`.
    pub road: String,
    /// Layer 2.
    pub evidence: Evidence,
}

/// What Layer 2 says about who is there, and how it let us in. Hardened routers announce nothing and serial roads have no frames: `None` is "not
/// seen", never "equal".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Source address of the session's frames.
    pub frame_mac: Option<Mac>,
    /// The address in the router's announcement.
    pub announced_mac: Option<Mac>,
    /// The road's login was one whose answer can be guessed offline by whoever heard it (MD5).
    pub weak_login: bool,
}

/// The code of a serial port that the router on the way does not have: the target is not there.
pub const NO_PORT: &str = "routeros.port.absent";

/// What kept a road from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoadTrouble {
    /// Nothing answered.
    Silent,
    /// User or password refused.
    LoginRefused,
    /// Somebody else answered, or two did.
    WrongRouter,
    /// It broke or is busy; it may work later.
    Transient,
    /// Somebody else is at work on it, and was left alone.
    Session,
    /// A right or device is missing on this host.
    Host,
    /// It can't work this way.
    Fatal,
}

/// Why no connection came about. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{road}: {message}")]
pub struct RoadError {
    /// Which kind.
    pub trouble: RoadTrouble,
    /// The stable code of what lies behind it: `mactelnet.auth.rejected`.
    pub code: String,
    /// The road, or all that were tried.
    pub road: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

impl RoadError {
    /// What a console said while logging in, as trouble of the road.
    pub fn from_console(road: impl Into<String>, error: &routeros::Error) -> Self {
        let road = road.into();
        let trouble = match error {
            routeros::Error::LoginRejected { .. } => RoadTrouble::LoginRefused,
            routeros::Error::WrongRouter { .. } => RoadTrouble::WrongRouter,
            routeros::Error::Timeout { .. } => RoadTrouble::Silent,
            // On the way nothing but questions is asked: one that stayed without an answer is asked again.
            routeros::Error::Unknown(_) => RoadTrouble::Transient,
            routeros::Error::Session { .. } => RoadTrouble::Session,
            other if other.class() == Class::Transient => RoadTrouble::Transient,
            _ => RoadTrouble::Fatal,
        };
        Self { trouble, code: error.code().to_owned(), message: error.to_string(), hints: next(&road, error), road }
    }
}

/// What to type where a router does not come to its login.
fn next(road: &str, error: &routeros::Error) -> Vec<String> {
    let procedure = match error {
        routeros::Error::BootLoader { .. } => "leave-loader",
        routeros::Error::BootLoop { .. } => "etherboot",
        routeros::Error::NotBooting { .. } => "leave",
        routeros::Error::Session { .. } => return vec![TAKE_OVER.to_owned()],
        // The login itself was good there, and what stands behind it is no console.
        routeros::Error::Timeout { seen, .. } if road.starts_with("mac://") && !seen.trim().is_empty() => {
            return vec![format!(
                "where a Unix shell answers (mactelnetd):  jumplead exec --shell posix {} -- COMMAND",
                quoted(road)
            )];
        }
        _ => return Vec::new(),
    };
    // Through the other member, by a site file's own words: a line of a shell has the pair's name in them.
    let target = match road.strip_prefix("via:") {
        Some(port) if !port.contains('/') => quoted(&format!("via:PAIR/{port}")),
        _ => quoted(road),
    };
    vec![
        format!("what it is and what fits:  jumplead diagnose {target}"),
        format!("its plan, which changes nothing:  jumplead recover {target} {procedure} --plan-only"),
    ]
}
/// What ends somebody else's session.
const TAKE_OVER: &str = "ask who that is; to end that session, the half-typed line with it:  the same with --take-over";
