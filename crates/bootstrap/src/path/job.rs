//! The work behind the steps of a bootstrap.

use crate::engine::{self, History, Job, Options, Probe, Progress};
use crate::event::{Event, PhaseAt};
use crate::facts;
use crate::marker::Marker;
use crate::pair::{Look, Pair, Users};
use crate::plan::{Act, Plan, Step};
use crate::road::{Connection, Purpose, Restarting};
use crate::site::Sync;
use crate::state::State;
use crate::target::{Member, TargetUrl};
use crate::trouble::{Kind, Trouble};
use routeros::Boot;
use std::time::Duration;

/// Between two looks at a router that may be ready any moment: with what a look itself takes, under a quarter of a second.
pub(super) const POLL: Duration = Duration::from_millis(150);
/// Between two looks at a router that can hardly be back yet, or is long overdue: each is a login, and the active logs those that go through it.
const EARLY_POLL: Duration = Duration::from_secs(3);
/// What a reset or restore usually takes until the console is back [ha-system section 5].
pub(super) const USUAL_REBOOT: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(110));

/// A console that nothing was typed at for longer is opened anew: RouterOS 7 logs out silently after 30 s without input
/// [one source, to be verified], and the next command would wait for its whole limit.
const STALE: Duration = Duration::from_secs(15);

/// Does the steps of one plan on one pair.
#[derive(Debug)]
pub struct PairJob<'a> {
    pub(super) pair: &'a Pair<'a>,
    pub(super) plan: &'a Plan,
    pub(super) a: Option<Look>,
    /// When A's console was last asked for.
    a_used: tokio::time::Instant,
    pub(super) b: Option<Look>,
    /// A console of B that was only glanced at.
    pub(super) glanced: Option<Connection>,
    /// Whose users B is expected to have.
    pub(super) users: Users,
    /// A reset was ordered by this process or an earlier one.
    pub(super) was_reset: bool,
    /// When a restart of B was ordered whose end was not seen, as far as this process knows.
    pub(super) restart: Option<tokio::time::Instant>,
    /// Starts of B that its consoles have shown, and that are not told yet.
    watched: Vec<(String, Boot)>,
    /// The bootstrap file may lie on B: whoever gives the run up should know.
    secret_on_b: bool,
    pub(super) words: (String, String),
    /// What this run leaves on A while it is at work.
    pub(super) marker: Marker,
    /// Another run's, which the operator waived.
    pub(super) over: Option<Marker>,
    /// It lies there.
    pub(super) marked: bool,
    /// The command that makes a new plan, as it can be typed.
    pub(super) anew: String,
}

/// How long to wait before the next look at a rebooting router, `elapsed` after its reboot was ordered.
pub(super) fn until_next_look(elapsed: Duration) -> Duration {
    // half of what is usual: a quick board may be back then
    let early = elapsed < USUAL_REBOOT.0 / 2;
    let late = elapsed > USUAL_REBOOT.1 * 3 / 2;
    if early || late { EARLY_POLL } else { POLL }
}

impl<'a> PairJob<'a> {
    /// Nothing is opened yet.
    pub(crate) fn new(pair: &'a Pair<'a>, plan: &'a Plan, marker: Marker, options: &Options) -> Self {
        // without an active there would be no plan
        let words = ("a was the active when the plan was made".to_owned(), "b was not looked at".to_owned());
        Self {
            pair,
            plan,
            a: None,
            a_used: tokio::time::Instant::now(),
            b: None,
            glanced: None,
            users: Users::Own,
            was_reset: false,
            restart: None,
            watched: Vec::new(),
            secret_on_b: false,
            words,
            marker,
            over: None,
            marked: false,
            anew: engine::again(plan, options),
        }
    }

    /// What to do where the routers are not what the plan was made for.
    pub(super) fn new_plan(&self) -> String {
        format!("make a new plan:  {} --plan-only", self.anew)
    }

    /// The marker of another run that this one may write over.
    pub(crate) fn over(mut self, over: Option<Marker>) -> Self {
        self.over = over;
        self
    }

    pub(super) fn say(&mut self, member: Member, words: impl Into<String>) {
        match member {
            Member::A => self.words.0 = words.into(),
            Member::B => self.words.1 = words.into(),
        }
    }

    /// A member could not be looked at: what was last known of it is that old, and is said so.
    pub(super) fn unseen(&mut self, member: Member, trouble: Trouble) -> Trouble {
        const UNSEEN: &str = "does not answer; when last seen, ";
        let words = match member {
            Member::A => &mut self.words.0,
            Member::B => &mut self.words.1,
        };
        if !words.contains(UNSEEN) {
            *words = format!("{member} {UNSEEN}{words}");
        }
        if self.users != Users::OfA || trouble.kind != Kind::Transient {
            return trouble;
        }
        // both are master while the cable is out, and of equals the higher address stays [RFC 5798; inferred for RouterOS]
        trouble.hint(
            "b may have a's configuration by now: if a or the HA cable was out meanwhile, b may be the active now and a its standby with closed \
             ports; look at both before anything else",
        )
    }

    /// A console of A, proved.
    pub(super) async fn a(&mut self) -> Result<&Look, Trouble> {
        if self.a_used.elapsed() > STALE {
            self.leave_a().await;
        }
        if self.a.is_none() && self.one_at_a_time() {
            self.leave_b().await;
        }
        self.a_used = tokio::time::Instant::now();
        if self.a.is_none() {
            let look = self.pair.look(Member::A, Purpose::Read, Users::OfA).await;
            let look = look.map_err(|trouble| self.unseen(Member::A, trouble))?;
            let state = look.state();
            self.say(Member::A, format!("a is {state}"));
            self.a = Some(look);
        }
        self.a.as_ref().ok_or_else(closed)
    }

    /// Whether the way to B takes A's own line, which has one reader.
    pub(super) fn one_at_a_time(&self) -> bool {
        let by_line = |road: String| road.parse::<TargetUrl>().is_ok_and(|url| url.is_line());
        let through_a = |road: &TargetUrl| matches!(road, TargetUrl::Via { pair: None, member: Member::A, .. });
        self.pair.roads.taken(Member::A).is_some_and(by_line) && self.pair.site.b.reach.iter().any(through_a)
    }

    /// Lets A's console go. Of a line it has to be asked to: nothing else tells the router that its session is over.
    pub(super) async fn leave_a(&mut self) {
        if let Some(look) = self.a.take()
            && self.one_at_a_time()
        {
            self.pair.roads.give_back(look.connection).await;
        }
    }

    /// B, by the console at hand or a new one.
    pub(super) async fn b(&mut self) -> Result<&Look, Trouble> {
        if self.b.is_none() {
            self.look_b().await?;
        }
        self.b.as_ref().ok_or_else(closed)
    }

    /// B as it is now: facts read again, over the console at hand or a new one.
    pub(super) async fn look_b(&mut self) -> Result<&Look, Trouble> {
        if let Some(b) = &mut self.b {
            let facts = facts::read(&b.connection.shell, &self.pair.site.ha_interface).await;
            match facts {
                Ok(facts) => {
                    b.target = crate::proof::Target::prove(self.pair.site, Member::B, &facts, &b.connection.evidence)?;
                    b.facts = facts;
                }
                Err(error) => {
                    self.b = None;
                    return Err(error.into());
                }
            }
        } else {
            if self.one_at_a_time() {
                self.leave_a().await;
            }
            let look = match self.glanced.take() {
                Some(connection) => self.pair.look_on(Member::B, connection).await,
                None => {
                    let opened = self.pair.open_after(Member::B, Purpose::Write, self.users, self.restarting()).await;
                    match opened {
                        Ok(connection) => {
                            self.watch(&connection);
                            self.pair.look_on(Member::B, connection).await
                        }
                        Err(trouble) => Err(trouble),
                    }
                }
            };
            self.b = Some(look.map_err(|trouble| self.unseen(Member::B, trouble))?);
        }
        let state = self.b.as_ref().map(Look::state);
        if let Some(state) = state {
            self.say(Member::B, format!("b is {state}"));
        }
        self.b.as_ref().ok_or_else(closed)
    }

    /// What a road to B has to know of a restart.
    pub(super) fn restarting(&self) -> Option<Restarting> {
        self.restart.map(|ordered| Restarting { ago: ordered.elapsed(), silent: self.plan.silent_boot })
    }

    /// Keeps the boots that a console waited out, to be told.
    pub(super) fn watch(&mut self, connection: &Connection) {
        self.watched.extend(connection.shell.boots().iter().map(|boot| (connection.road.clone(), boot.clone())));
    }

    /// Tells the starts that were seen, and on a road that shows nothing of them the silence from `gone` to `back`, both
    /// since the wait began.
    pub(super) fn tell_starts(&mut self, progress: &mut Progress<'_>, silence: Option<(Duration, Duration)>) {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let at = |phase: String, time| PhaseAt { phase, at_ms: ms(time) };
        let shown = !self.watched.is_empty();
        for (road, boot) in self.watched.drain(..) {
            let phases = boot.phases.iter().map(|(phase, when)| at(phase.to_string(), *when)).collect();
            progress.watched(Event::BootWatched { member: Member::B, road, boots: Some(boot.count()), phases });
        }
        let road = self.b.as_ref().map(|look| &look.connection).or(self.glanced.as_ref()).map(|c| c.road.clone());
        if let (Some((gone, back)), Some(road), false) = (silence, road, shown) {
            let phases = vec![at("silent".into(), Duration::ZERO), at("answers".into(), back.saturating_sub(gone))];
            progress.watched(Event::BootWatched { member: Member::B, road, boots: None, phases });
        }
    }

    /// Lets B's console go, politely where it still answers.
    pub(super) async fn leave_b(&mut self) {
        if let Some(connection) = self.b.take().map(|look| look.connection).or_else(|| self.glanced.take()) {
            self.pair.roads.give_back(connection).await;
        }
    }

    /// A's version now, B's version now.
    pub(super) async fn versions(&mut self) -> Result<(String, Option<String>), Trouble> {
        let active = facts::active_version(&self.a().await?.connection.shell).await?;
        let b = self.b().await?;
        Ok((active, facts::standby_version(&b.connection.shell).await?))
    }
}

pub(super) fn closed() -> Trouble {
    Trouble::new(Kind::Transient, "bootstrap.console.closed", "the console is closed")
}

/// A plan of another command.
fn no_step_of_ours(act: Act) -> Trouble {
    Trouble::new(Kind::Bug, "bootstrap.bug", format!("{} is no step of a bootstrap", act.id()))
}

impl Job for PairJob<'_> {
    async fn probe(&mut self, step: &Step, history: &History, progress: &mut Progress<'_>) -> Result<Probe, Trouble> {
        self.was_reset = history.started(Act::Reset);
        self.secret_on_b = history.started(Act::BootstrapFile) && !history.completed(Act::Clean);
        if history.started(Act::Push) && self.plan.sync == Sync::Backup || history.started(Act::User) {
            self.users = Users::OfA;
        }
        let waits = (history.started(Act::Reset) && !history.completed(Act::WaitReset))
            || (history.started(Act::Push) && !history.completed(Act::WaitStandby));
        if waits && self.restart.is_none() {
            // An earlier process ordered it, at a time that this one does not know.
            self.restart = Some(tokio::time::Instant::now());
        }
        let before_push = matches!(
            step.id,
            Act::BootstrapFile | Act::Reset | Act::WaitReset | Act::Import | Act::ChooseSync | Act::ReachB
        );
        if before_push && history.started(Act::Push) {
            // B may be rebooting, or be the standby already: waiting for what it was before would wait for ever. What a power
            // cut took away since then, the push puts back.
            return Ok(Probe::Done(Some("before the hand-off that this run began".into())));
        }
        match step.id {
            Act::BootstrapFile => self.probe_file(history).await,
            Act::Reset => self.probe_reset(history, progress).await,
            Act::WaitReset if history.completed(Act::WaitReset) => Ok(Probe::Done(None)),
            // setting it again changes nothing
            Act::WaitReset | Act::ReachB | Act::WaitStandby | Act::User | Act::Verify => Ok(Probe::NotDone),
            Act::ChooseSync => self.probe_sync().await,
            Act::Import => self.probe_import(history).await,
            Act::Push => self.probe_push(history, progress).await,
            Act::Clean => self.probe_clean().await,
            other => Err(no_step_of_ours(other)),
        }
    }

    async fn begin(&mut self, step: &Step) -> Result<(), Trouble> {
        self.mark(step.id).await
    }

    async fn apply(&mut self, step: &Step, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        match step.id {
            Act::BootstrapFile => {
                self.secret_on_b = true;
                self.write_file().await
            }
            Act::Reset => self.reset(progress).await,
            Act::WaitReset => self.wait_reset(progress).await,
            Act::Import => self.import(progress).await,
            Act::ChooseSync => self.choose_sync().await,
            Act::ReachB => self.reach_b().await,
            Act::Push => self.push(progress).await,
            Act::WaitStandby => self.wait_standby(progress).await,
            Act::User => self.give_users().await,
            Act::Verify => self.check_pair(progress).await,
            Act::Clean => self.clean().await,
            other => Err(no_step_of_ours(other)),
        }
    }

    async fn verify(&mut self, step: &Step, _: &mut Progress<'_>) -> Result<(), Trouble> {
        match step.id {
            Act::Import => {
                let state = self.look_b().await?.state();
                if state == State::Bootstrapped { Ok(()) } else { Err(not_bootstrapped(state).acted()) }
            }
            // put_file reads back; waits end with what they wait for; the others look themselves
            _ => Ok(()),
        }
    }

    fn forget(&mut self) {
        self.a = None;
        self.b = None;
        self.glanced = None;
    }

    async fn end(&mut self) {
        self.unmark().await;
    }

    fn state(&self) -> String {
        let left = if self.secret_on_b {
            "; b holds the bootstrap file with the HA password until the run is finished"
        } else {
            ""
        };
        format!("{}; {}{left}", self.words.0, self.words.1)
    }
}

pub(super) fn not_bootstrapped(state: State) -> Trouble {
    Trouble::new(
        Kind::Transient,
        "bootstrap.import.incomplete",
        format!("b should have the HA address, the HA user and FTP, but it is {state}"),
    )
}
