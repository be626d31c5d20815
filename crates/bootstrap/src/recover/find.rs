//! Looks at a router that is in trouble: by its console, or by what stands on its line.

use super::access::Access;
use crate::diagnosis::{Diagnosis, Name, StartupLog, of_facts, of_line};
use crate::facts::{self, Facts, Ha};
use crate::road::{Connection, Purpose};
use crate::signs::Signs;
use crate::target::quoted;
use crate::trouble::{Kind, Trouble};
use routeros::booter::BoardInfo;
use routeros::wake::{Plan, State};
use routeros::{Booter, Waker, boot};
use std::time::Duration;
use tokio::time::Instant;

/// A router in a loop of restarts answers for some seconds in each minute or two; several rounds of that.
pub const PATIENCE: Duration = Duration::from_secs(240);
/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(2);

/// What a look did to a router that boots silently.
const OPENED: &str =
    "it boots silently: a key of this look had opened its boot loader's menu, which was left by its exit";

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// It can be logged in to.
    Router {
        /// Its console.
        connection: Connection,
        /// What it says of itself.
        facts: Box<Facts>,
        /// Its startup's lines.
        log: StartupLog,
        /// What state that is.
        diagnosis: Diagnosis,
    },
    /// Only its line says something, and that is no login.
    Line {
        /// What stands there.
        state: State,
        /// The last that was seen, escaped.
        seen: String,
        /// What its boot loader says of the board.
        board: BoardInfo,
        /// What state that is.
        diagnosis: Diagnosis,
    },
}

/// For a console server to notice that a client has gone.
const LET_GO: Duration = Duration::from_secs(5);

impl Found {
    /// What state it is in.
    pub fn diagnosis(&self) -> &Diagnosis {
        match self {
            Self::Router { diagnosis, .. } | Self::Line { diagnosis, .. } => diagnosis,
        }
    }
}

/// A boot loader, an installer or a stopped system was seen, or nobody answers at all.
fn says_line(trouble: &Trouble) -> bool {
    trouble.code.starts_with("routeros.boot.") || trouble.code.starts_with("routeros.timeout")
}

/// Looks, again and again for `patience` where nobody answers ([`PATIENCE`]). Changes nothing; in an open boot-loader menu its
/// board info is asked for.
///
/// # Errors
/// Trouble with the road or the login.
pub async fn find(access: &Access<'_>, patience: Duration) -> Result<Found, Trouble> {
    let began = Instant::now();
    let (mut again, mut did) = (false, Vec::new());
    if access.line_first
        && let Some(found) = line(access, &mut did).await?
        && found.diagnosis().state != Name::Unknown
    {
        return Ok(found);
    }
    loop {
        let trouble = match access.shell(None, Purpose::Read, None).await {
            Ok(connection) => {
                if did.is_empty() && connection.shell.boots().iter().any(|boot| boot.menu_left) {
                    did.push(OPENED.to_owned());
                }
                match read(access, connection).await {
                    Ok(mut found) => {
                        if let Found::Router { diagnosis, .. } = &mut found {
                            diagnosis.evidence.append(&mut did);
                        }
                        return Ok(found);
                    }
                    Err(trouble) => trouble,
                }
            }
            Err(trouble) => trouble,
        };
        if says_line(&trouble)
            && let Some(found) = line(access, &mut did).await?
        {
            // what says nothing of itself may only have been disturbed: it is looked at once more
            if found.diagnosis().state != Name::Unknown || again {
                return Ok(found);
            }
            again = true;
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        // Of a process that has just ended a server may not know yet; who has the line otherwise keeps it.
        let patience = if trouble.is_busy() { LET_GO } else { patience };
        if trouble.kind != Kind::Transient || began.elapsed() > patience {
            return Err(trouble);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The log first: in a loop of restarts it says most in the least time.
async fn read(access: &Access<'_>, connection: Connection) -> Result<Found, Trouble> {
    let log = StartupLog::read(&connection.shell).await?;
    let hurried = match log.is_unknown() {
        true => Some(facts::hurried(&connection.shell, access.ha_interface()).await?),
        false => None,
    };
    let (facts, signs) = match hurried {
        // ours stays up
        Some(facts) if !facts.ha.as_ref().is_some_and(Ha::is_ours) => (facts, Signs::default()),
        _ => {
            let facts = facts::read(&connection.shell, access.ha_interface()).await?;
            let signs = Signs::read(&connection.shell, &facts, &log).await?;
            (facts, signs)
        }
    };
    let diagnosis = of_facts(&facts, access.member(), access.ha_interface(), &log, &signs);
    let diagnosis = match &access.pair_name {
        Some(pair) => diagnosis.of_pair(&quoted(pair)),
        None => diagnosis,
    };
    Ok(Found::Router { connection, facts: Box::new(facts), log, diagnosis })
}

fn booting() -> Trouble {
    Trouble::new(Kind::Transient, "recover.booting", "it boots: wait for its login prompt")
}

/// `None`: the line is in order, or there is none. `did`: what this look did to what stood there.
pub(super) async fn line(access: &Access<'_>, did: &mut Vec<String>) -> Result<Option<Found>, Trouble> {
    let Some(link) = access.line().await? else { return Ok(None) };
    let mut waker = Waker::new(link, None);
    let mut woken = waker.wake(&Plan::listen_only(boot::IDLE)).await?;
    if matches!(woken.state, State::KeyWindow | State::Booting | State::Dead) {
        // Whether it comes up, stops, or starts again and again: only watching tells.
        woken = waker.wake(&Plan::watch(boot::IDLE)).await?;
        match woken.state {
            State::Login if access.line_first => return Ok(None),
            State::Login | State::Booting => return Err(booting()),
            // The login says where it fell silent.
            State::Silent => return Ok(None),
            _ => {}
        }
    }
    if matches!(woken.state, State::Silent | State::Text | State::Garbage) {
        // whoever waits in a menu says nothing: a key that it does not know has it printed again
        let plan = if access.take_over { Plan::settle(boot::IDLE) } else { Plan::look(boot::IDLE) };
        woken = waker.wake(&plan).await?;
        if woken.boot.as_ref().is_some_and(|boot| boot.menu_left) {
            did.push(OPENED.to_owned());
        }
        did.extend(woken.taken_back().map(str::to_owned));
        if let Some(who) = woken.state.session(&access.login.user).filter(|_| access.take_over) {
            did.push(format!("ended to look, as --take-over asks: {who}"));
        }
    }
    let Some(diagnosis) = of_line(&woken.state) else { return Ok(None) };
    let mut diagnosis = diagnosis.at(&quoted(&access.target));
    let (state, seen) = (woken.state, woken.seen);
    let board = match state {
        State::Menu(_) => Booter::open(waker).await?.info().await?,
        State::BootLoop(ref seen) => BoardInfo::of_banner(seen.board.as_deref()),
        _ => BoardInfo::default(),
    };
    if diagnosis.state == Name::S3 {
        return Err(booting());
    }
    diagnosis.evidence.append(did);
    diagnosis
        .evidence
        .extend(board.values.iter().map(|(name, value)| crate::evidence::escape(&format!("{name}: {value}"))));
    Ok(Some(Found::Line { state, seen, board, diagnosis }))
}
