//! `bootstrap` and `resume` on a real pair.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use bootstrap::journal::{Clock, plan_of};
use bootstrap::marker::Who;
use bootstrap::pair::{Pair, PairSecrets};
use bootstrap::plan::Plan;
use bootstrap::road::Roads as _;
use bootstrap::secret::{Asker, SecretError, Unasked};
use bootstrap::site::Site;
use bootstrap::store::{DirStore, Store, StoreError};
use bootstrap::target::quoted;
use routeros::Secret;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::change::{self, Answer, Screen, Surroundings, repeated};
use super::{config, recover, runs};
use crate::cli::{Change, Global};
use crate::failure::{Exit, Failure, Result};
use crate::known::KnownRouters;
use crate::line_road::HostLines;
use crate::mac_road::MacRoad;
use crate::output::{Output, wrap};
use crate::reach;
use crate::roads::PairRoads;
use crate::segment::{HostSegment, LazyWatch};
use crate::{ask, folders, term};

/// How many characters of a serial number confirm an erasure.
const SERIAL_TAIL: usize = 4;

/// The wall clock.
#[derive(Debug, Clone, Copy)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// Asks at the terminal, unless nobody may be asked.
pub struct TerminalAsker {
    pub allowed: bool,
}

impl Asker for TerminalAsker {
    fn prompt(&mut self, what: &str) -> std::result::Result<Secret, Unasked> {
        if !self.allowed || !term::interactive() {
            return Err(Unasked::Nobody);
        }
        // Somebody was there, and what came is no answer: the empty password is not tried in its place.
        ask::secret(&format!("{what}: ")).map(Secret::new).map_err(|_| Unasked::Interrupted)
    }

    fn random(&mut self, bytes: &mut [u8]) {
        // Without randomness a generated password would be known to everybody.
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "the host has no randomness");
            std::process::abort();
        }
    }
}

/// A secret that could not be had.
pub fn unfetched(error: &SecretError) -> Failure {
    let exit = match error {
        SecretError::Store { .. } => Exit::LacksRight,
        SecretError::Interrupted => Exit::Interrupted,
        _ => Exit::LoginRefused,
    };
    let failure = Failure::new(exit, error.code(), error.to_string());
    if exit == Exit::Interrupted { failure.state("nothing was changed on a router") } else { failure }
}

/// `bootstrap PAIR`
pub async fn run(out: &Output, global: &Global, pair: &str, change: &Change) -> Result {
    let state = folders::state(global.state_dir.as_deref())?;
    let interactive = !global.non_interactive && !out.json;
    with_pair(out, global, &state, pair, Screen::new(out), async |pair, around| {
        working(out, &state, &pair.site.name, change.plan_only)?;
        runs::warn_of_cut_off(out, &DirStore::new(&state), &pair.site.name, &repeated(global));
        change::bootstrap(around, pair, change, async |plan: &Plan| ask(out, plan, pair.site, interactive).await).await
    })
    .await
}

/// Whether another run of this state folder is at work on the pair: it would be met on the routers' consoles first.
fn working(out: &Output, state: &Path, pair: &str, looks: bool) -> Result {
    if !DirStore::new(state).is_locked(pair) {
        return Ok(());
    }
    if looks {
        out.warn(format!("a run is at work on {pair} now: what is seen is on its way to something else"));
        return Ok(());
    }
    let locked = StoreError::Locked { what: pair.to_owned() };
    Err(Failure::new(Exit::Locked, locked.code(), locked.to_string())
        .state("this command changed nothing on the routers")
        .hint("see which:  jumplead runs list"))
}

/// `resume [RUN]`: the site file is the one that the run was started with.
pub async fn resume(out: &Output, global: &Global, run: Option<&str>, change: &Change) -> Result {
    let state = folders::state(global.state_dir.as_deref())?;
    let store = DirStore::new(&state);
    let run = match run {
        Some(name) => runs::find(&store, name)?,
        None => runs::newest_resumable(&store)?,
    };
    let records = runs::records(&store, &run)?;
    let plan = plan_of(&records).ok();
    if let Some(plan) = &plan
        && !change::goes_on(out, plan, &run, runs::ending(&records).1, change, &repeated(global))?
    {
        return Ok(());
    }
    if let (end, false) = runs::ending(&records)
        && end != "bootstrap.dry-run"
    {
        return Err(Failure::new(
            Exit::Usage,
            "state.ended",
            format!("run {run} has ended ({end}): it is not gone on with"),
        )
        .state("nothing was changed by this command")
        .hint(format!("see what it did:  jumplead runs show {run}{}", repeated(global)))
        .hint("another one begins with a plan of its own:  jumplead bootstrap PAIR, or jumplead recover TARGET"));
    }
    let screen = Screen::of(out, plan.as_ref());
    if let Some(subject) = plan.and_then(|plan| plan.subject) {
        return recover::resume(out, global, &run, &subject, screen, change.dry_run).await;
    }
    let pair = runs::site_file(&records).unwrap_or_else(|| runs::pair(&records));
    let act = async |pair: &Pair<'_>, around: Surroundings<'_>| change::resume(around, pair, run.clone(), change).await;
    with_pair(out, global, &state, pair, screen, act).await
}

async fn with_pair(
    out: &Output,
    global: &Global,
    state: &Path,
    typed: &str,
    mut screen: Screen,
    act: impl AsyncFnOnce(&Pair<'_>, Surroundings<'_>) -> Result,
) -> Result {
    global.links.raw_only("what changes routers")?;
    reach::site_file_says(global)?;
    let site = &Rc::new(config::load(typed)?);
    let site_file = folders::site_file(typed)?.canonicalize().ok().map(|path| path.display().to_string());
    let kept = repeated(global);
    let mut store = DirStore::new(state);
    let mut asker = TerminalAsker { allowed: !global.non_interactive };
    let secrets = PairSecrets::resolve(site, &mut asker, &mut store as &mut dyn Store).map_err(|error| {
        unfetched(&error)
            .hint(format!("see which secrets the site file names:  jumplead config show {}", quoted(typed)))
    })?;
    let known = KnownRouters::open(state).map_err(|error| {
        Failure::new(Exit::LacksRight, "state.io", format!("{} can't be read", state.join("routers.json").display()))
            .cause(error)
    })?;
    let mut seed = [0; 8];
    asker.random(&mut seed);
    let warnings = Rc::new(RefCell::new(Vec::new()));
    let mac = MacRoad {
        segment: Rc::new(HostSegment(global.links.clone())),
        watch: LazyWatch::default(),
        listen: true,
        known: Rc::new(RefCell::new(known)),
        warnings: Rc::clone(&warnings),
    };
    let roads = PairRoads::new(Rc::clone(site), mac, Rc::new(HostLines)).taking_over(global.take_over);
    let seed = u64::from_be_bytes(seed);
    let who = Who::of(&mut store, seed, &folders::operator()).map_err(|error| change::unkept(&error))?;
    let pair = Pair { site, roads: &roads, secrets, seed, who };
    let ended = interruptible(async |stop| {
        let around = Surroundings {
            out,
            store: &mut store,
            clock: &WallClock,
            sink: &mut screen,
            stop,
            typed,
            site_file,
            next: None,
            kept: kept.clone(),
        };
        act(&pair, around).await
    })
    .await;
    let ended = match ended {
        Some(ended) => {
            roads.let_go().await;
            ended
        }
        None => Err(screen.left_at_once(&kept)),
    };
    for warning in warnings.borrow().iter() {
        out.warn(warning);
    }
    ended
}

/// Runs work that can be stopped in good order, by the channel that it gets; `None`: it was left at once.
pub async fn interruptible<T>(work: impl AsyncFnOnce(watch::Receiver<bool>) -> T) -> Option<T> {
    let (stop, stopped) = watch::channel(false);
    let (leave, left) = oneshot::channel();
    let interrupts = tokio::spawn(heed_interrupts(stop, leave));
    let ended = tokio::select! {
        biased;
        // What is under way is let go of: its sessions tell their routers before the process ends.
        Ok(()) = left => None,
        ended = work(stopped) => Some(ended),
    };
    interrupts.abort();
    ended
}

/// Ctrl-C, the end of the service or of the terminal stops the run in good order; Ctrl-C or the service again at once: the
/// journal knows what was begun. In either case the routers are told that their sessions are over. A terminal that goes may
/// tell so twice.
async fn heed_interrupts(stop: watch::Sender<bool>, leave: oneshot::Sender<()>) {
    let heard = |kind| signal(kind).ok();
    let (Some(mut interrupt), Some(mut terminate), Some(mut hangup), Some(mut quit)) = (
        heard(SignalKind::interrupt()),
        heard(SignalKind::terminate()),
        heard(SignalKind::hangup()),
        heard(SignalKind::quit()),
    ) else {
        return;
    };
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = quit.recv() => {}
    }
    let _ = stop.send(true);
    let _ = writeln!(anstream::stderr(), "\nStopping; Ctrl-C again stops at once.");
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = quit.recv() => {}
    }
    let _ = leave.send(());
}

/// Asks once, and only what the plan needs.
async fn ask(out: &Output, plan: &Plan, site: &Site, interactive: bool) -> Answer {
    if !interactive || !term::interactive() {
        return Answer::Nobody;
    }
    match &plan.erases {
        Some(serial) => {
            let tail: String = tail(serial).to_owned();
            let question = format!(
                "Plan {} erases router b (serial {serial}, {}).  Type the last {} of its serial to go on: ",
                plan.fingerprint,
                site.b.ha_mac,
                tail.chars().count()
            );
            if answer(&question).await == tail {
                Answer::Yes { serial: Some(serial.clone()) }
            } else {
                out.say("That is not it.");
                Answer::No
            }
        }
        None if go_ahead(plan).await => Answer::Yes { serial: None },
        None => Answer::No,
    }
}

/// The question before a plan that erases nothing.
pub async fn go_ahead(plan: &Plan) -> bool {
    matches!(answer(&format!("Go ahead with plan {}? [y/N] ", plan.fingerprint)).await.as_str(), "y" | "Y" | "yes")
}

/// Asks at the terminal. What was typed before the question stands there is no answer to it.
async fn answer(question: &str) -> String {
    let columns = term::size().map_or(usize::MAX, |(columns, _)| usize::from(columns));
    let mut fits = wrap(question, columns);
    if !fits.ends_with(' ') {
        fits.push(' ');
    }
    term::forget_typed();
    let mut err = anstream::stderr();
    let _ = write!(err, "{fits}");
    let _ = err.flush();
    read_line().await
}

fn tail(serial: &str) -> &str {
    let start = serial.char_indices().rev().nth(SERIAL_TAIL - 1).map_or(0, |(at, _)| at);
    serial.get(start..).unwrap_or(serial)
}

/// In a thread of its own: Ctrl-C must be heard meanwhile, and sessions that end must say so to their routers.
async fn read_line() -> String {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        line.trim().to_owned()
    });
    read.await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tail_of_a_serial_number() {
        assert_eq!(super::tail("7F0002"), "0002");
        assert_eq!(super::tail("42"), "42");
    }
}
