//! `diagnose`: what state a router is in, what shows it, what to do. Changes nothing.

use bootstrap::diagnosis::{Diagnosis, StartupLog, of_facts, of_line, of_listening, of_session};
use bootstrap::facts;
use bootstrap::pair::{Pair, Users};
use bootstrap::road::{Purpose, Roads as _};
use bootstrap::signs::Signs;
use bootstrap::target::{Member, quoted};
use routeros::wake::{Plan, State};
use routeros::{BoxLink, Shell, Waker, boot};

use crate::cli::Global;
use crate::cmd::change::from_trouble;
use crate::cmd::config;
use crate::failure::{Exit, Failure, Result};
use crate::line_road::{Hearsay, LineLink};
use crate::output::{GREEN, Output, PLAIN, RED, YELLOW};
use crate::reach::{self, Reach, Target};

/// The HA port of a router of which no site file says another one.
const HA_INTERFACE: &str = "ether8";

/// Said where a boot takes its time.
const WATCHED: &str =
    "it boots, and nothing is typed: its login prompt is waited for, or its third start without one. Ctrl-C stops";

pub async fn run(out: &Output, global: &Global, typed: &str, listen: bool) -> Result {
    let still = format!("still looking at {typed}; nothing is changed. Ctrl-C stops");
    out.patiently(&still, look(out, global, typed, listen)).await
}

async fn look(out: &Output, global: &Global, typed: &str, listen: bool) -> Result {
    let target = reach::target(typed)?;
    let mut hearsay = Hearsay::default();
    let diagnosis = match &target {
        Target::Line { endpoint, url } => {
            let link = LineLink::open(endpoint, url).await.map_err(reach::failure)?;
            link.notes().iter().for_each(|note| out.warn(note));
            hearsay = link.hearsay();
            by_line(
                out,
                Box::new(link),
                How { listen, take_over: global.take_over, user: reach::user(global) },
                // Where nobody logs in no password is asked for.
                async |link| of_router(Reach::new(global)?.login_on(link, url).await?, None, HA_INTERFACE).await,
            )
            .await?
        }
        Target::Member { pair, member, by } if let Some(port) = target.terminal() => {
            let (reach, member) = (Reach::new(global)?, *member);
            let reached = reach.pair(pair, member, by.clone())?;
            let link = reached.terminal(member, port).await;
            reach.warn(out);
            let how = How { listen, take_over: global.take_over, user: &reached.site.member(member).user };
            let diagnosis = of_member_on_line(out, &reached.pair(), member, Box::new(link?), how).await;
            reached.roads.let_go().await;
            diagnosis?
        }
        _ if listen => {
            return Err(Failure::new(Exit::Usage, "usage.target", "--listen is for a serial line")
                .hint("as in  jumplead diagnose --listen serial:///dev/serial/by-id/..."));
        }
        Target::Mac(_) => {
            let reach = Reach::new(global)?;
            let shell = reach.shell(&target).await;
            reach.warn(out);
            of_router(shell?, None, HA_INTERFACE).await?
        }
        Target::Member { pair, member, .. } => {
            let site = config::load(pair)?;
            let reach = Reach::new(global)?;
            let shell = reach.shell(&target).await;
            reach.warn(out);
            match shell {
                Ok(shell) => of_router(shell, Some(*member), &site.ha_interface).await?,
                // Its line was reached, and that is where it stands.
                Err(failure) => match failure.code.as_str() {
                    "routeros.boot.loader" => of_line(&State::Menu(routeros::wake::Menu::Main)).ok_or(failure)?,
                    _ => return Err(failure),
                },
            }
        }
    };
    let diagnosis = diagnosis.at(&quoted(typed));
    let diagnosis = match &target {
        Target::Member { pair, .. } => diagnosis.of_pair(&quoted(pair)),
        _ => diagnosis,
    };
    let told: Vec<String> = hearsay.line().into_iter().collect();
    out.object(&diagnosis, &told);
    told.iter().for_each(|told| out.warn(told));
    if !out.json {
        show(out, &diagnosis);
    }
    Ok(())
}

/// How a line is looked at.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    /// Nothing is typed.
    pub listen: bool,
    /// Somebody else's session is ended.
    pub take_over: bool,
    /// Whose session is none of somebody else.
    pub user: &'a str,
}

/// What the line of a pair's member shows, or the member itself.
pub async fn of_member_on_line(
    out: &Output,
    pair: &Pair<'_>,
    member: Member,
    link: BoxLink,
    how: How<'_>,
) -> Result<Diagnosis> {
    by_line(out, link, how, async |link| {
        // The login takes the line by its road, as every command does.
        drop(link);
        let opened = pair.open(member, Purpose::Read, Users::OfA).await;
        let connection = opened.map_err(|trouble| from_trouble(&trouble))?;
        of_router(connection.shell, Some(member), &pair.site.ha_interface).await
    })
    .await
}

/// What a line shows, or the router at its end: `ask` logs in, where the line is in order.
async fn by_line(
    out: &Output,
    link: BoxLink,
    how: How<'_>,
    ask: impl AsyncFnOnce(BoxLink) -> Result<Diagnosis>,
) -> Result<Diagnosis> {
    let mut waker = Waker::new(link, None);
    let broken = |error: routeros::Error| Failure::new(Exit::TimedOut, error.code(), error.to_string());
    let mut heard = waker.wake(&Plan::listen_only(boot::IDLE)).await.map_err(broken)?;
    legible(&waker, &heard.state)?;
    if matches!(heard.state, State::KeyWindow | State::Booting | State::Dead) {
        // Whether it comes up, stops, or starts again and again: only watching tells.
        let plan = Plan::watch(boot::IDLE);
        heard = out.patiently(WATCHED, waker.wake(&plan)).await.map_err(broken)?;
    }
    match of_line(&heard.state) {
        // Nobody was asked: that is no state of a router.
        Some(_) if how.listen && heard.state == State::Silent => Ok(of_listening(heard.took)),
        Some(diagnosis) if how.listen || !matches!(heard.state, State::Silent | State::Text | State::Garbage) => {
            Ok(diagnosis)
        }
        _ if how.listen => {
            let message = format!("the line is in order: {}", heard.state);
            Err(Failure::new(Exit::NotFound, "diagnose.login", message)
                .hint("without --listen the router itself is asked"))
        }
        // Silence says nothing about a router: its consoles stand silent where nobody types.
        _ => {
            let plan = if how.take_over { Plan::settle(boot::IDLE) } else { Plan::look(boot::IDLE) };
            let woken = waker.wake(&plan).await.map_err(broken)?;
            legible(&waker, &woken.state)?;
            let who = woken.state.session(how.user);
            if let Some(who) = &who
                && how.take_over
            {
                out.warn(format!("ended to look, as --take-over asks: {who}"));
            }
            woken.boot.iter().filter_map(reach::menu_left).for_each(|note| out.warn(&note));
            woken.taken_back().iter().for_each(|note| out.warn(note));
            match of_line(&woken.state) {
                Some(diagnosis) => Ok(diagnosis),
                None if !how.take_over
                    && let Some(who) = who =>
                {
                    Ok(of_session(&who))
                }
                None => ask(waker.into_link()).await,
            }
        }
    }
}

/// Garbage that the link itself explains says nothing about a router.
fn legible(waker: &Waker, state: &State) -> Result {
    match waker.unfit().filter(|_| *state == State::Garbage) {
        Some(why) => {
            let error = routeros::Error::UnfitLink { why };
            Err(Failure::new(Exit::Usage, error.code(), error.to_string()).state("nothing was typed"))
        }
        None => Ok(()),
    }
}

async fn of_router(shell: Shell, member: Option<Member>, ha_interface: &str) -> Result<Diagnosis> {
    let unread = |error: routeros::Error| {
        Failure::new(Exit::TimedOut, error.code(), format!("the router could not be read: {error}"))
            .state("nothing was changed")
    };
    let facts = facts::read(&shell, ha_interface).await.map_err(unread)?;
    let log = StartupLog::read(&shell).await.map_err(unread)?;
    let signs = Signs::read(&shell, &facts, &log).await.map_err(unread)?;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(3), shell.close()).await;
    Ok(of_facts(&facts, member, ha_interface, &log, &signs))
}

/// What was found, for people.
pub fn show(out: &Output, diagnosis: &Diagnosis) {
    let name = format!("{:?}", diagnosis.state);
    let style = match name.as_bytes() {
        [b'F', ..] => RED,
        b"X" | b"X2" | b"S4" => GREEN,
        _ => YELLOW,
    };
    out.fitted(style, &name, &format!("  {}", diagnosis.says));
    for line in &diagnosis.evidence {
        out.fitted(PLAIN, "  seen", &format!("   {line}"));
    }
    for (number, step) in diagnosis.procedure.iter().enumerate() {
        // To be copied whole.
        out.data(format!("  do  {}  {step}", number + 1));
    }
    if let Some(never) = &diagnosis.never {
        out.fitted(RED, "  not", &format!("    {never}"));
    }
}
