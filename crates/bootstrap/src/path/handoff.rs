//! Steps of the hand-off: A reaches B, gives it its configuration, B comes back as the standby, both are proved.

use super::job::{PairJob, USUAL_REBOOT, closed, until_next_look};
use crate::engine::{History, Job as _, Probe, Progress};
use crate::facts;
use crate::ha::PASSWORD_OF_PAIR;
use crate::pair::Users;
use crate::plan::Act;
use crate::site::Sync;
use crate::state::{State, ha_address, open_data_ports};
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use routeros::{Command, FileName, Outcome};
use std::time::Duration;

/// A push saves a backup and copies files; the slowest board needs far less.
const PUSH_LIMIT: Duration = Duration::from_secs(240);
/// The same by an export, which a small CPU takes minutes for.
const QUIET_PUSH_LIMIT: Duration = Duration::from_secs(800);
/// A transfer of a few bytes over the HA cable.
const FETCH_LIMIT: Duration = Duration::from_secs(30);
/// B still without A's configuration, this long after the push: it refused the backup. A push that was lost on the HA cable is
/// done again by the pair's own watch within a minute or so, which is not to be given up on.
const RESTORE_REFUSED: Duration = Duration::from_secs(150);
/// What comes first where b is the active beside a.
const BOTH_ACTIVE: &str = "both may be active with the same addresses: pull b's data cables first";
/// Looks in a row at which B is the active: between two of VRRP's states it may seem so once.
const MASTER_LOOKS: u32 = 3;
/// Versions may differ for a moment while the standby writes its own down.
const VERIFY_PATIENCE: Duration = Duration::from_secs(40);
/// The file that A sends to see whether it can.
const PROBE_FILE: &str = "HA_jumplead_probe.txt";

impl PairJob<'_> {
    /// The HA address answers and the HA user may write there: asked from A, as A's own scripts will do it.
    pub(super) async fn reach_b(&mut self) -> Result<Option<String>, Trouble> {
        let address = ha_address(Member::B);
        let a = self.a().await?;
        let shell = &a.connection.shell;
        shell.put_file(&FileName::ours(PROBE_FILE)?, b"jumplead\n").await?;
        let mut command = Command::new(format!(
            "/system script run ha_config; {PASSWORD_OF_PAIR}; /tool fetch upload=yes mode=ftp address={address} user=\"ha\" password=$p src-path=\"{PROBE_FILE}\" dst-path=\"{PROBE_FILE}\""
        ));
        command.timeout = Some(FETCH_LIMIT);
        match shell.exec(command).await? {
            Outcome::Done(_) => Ok(Some(format!("{address} answers, user ha may write"))),
            Outcome::Refused(refusal) => Err(Trouble::new(
                Kind::Transient,
                "bootstrap.handoff.unreachable",
                format!("a can't log in to b at {address} as ha"),
            )
            .cause(refusal)
            .hint("is the cable between the HA ports in, and nothing else on it?")),
            unknown @ Outcome::Unknown(_) => Err(unknown.done().err().map_or_else(closed, Trouble::from)),
        }
    }

    pub(super) async fn probe_push(
        &mut self,
        history: &History,
        progress: &mut Progress<'_>,
    ) -> Result<Probe, Trouble> {
        let pushed = history.started(Act::Push);
        let state = match self.look_b().await {
            Ok(look) => look.state(),
            Err(trouble) => {
                if pushed {
                    progress.waiting("b, to see whether it has a's configuration", USUAL_REBOOT);
                }
                return Err(trouble);
            }
        };
        if pushed && self.plan.sync == Sync::Quiet {
            return self.probe_quiet(state, progress).await;
        }
        match state {
            State::Standby => {
                let (a, b) = self.versions().await?;
                Ok(if b.as_deref() == Some(a.as_str()) { Probe::Done(Some("b has it".into())) } else { Probe::NotDone })
            }
            State::HaUnsettled if pushed => Ok(Probe::Done(Some("b has it and is starting".into()))),
            State::Bootstrapped => {
                if pushed {
                    // it may be about to load what it got
                    progress.pause(Duration::from_secs(15)).await?;
                    let again = self.look_b().await?.state();
                    if again != State::Bootstrapped {
                        return Err(closed());
                    }
                }
                Ok(Probe::NotDone)
            }
            // a power cut took what was not on its storage yet
            State::Erased => Ok(Probe::Partly("b lost the HA address and gets it again".into())),
            state => Err(Trouble::new(
                Kind::Operator,
                "bootstrap.state.moved",
                format!("b should wait for a's configuration, but it is {state}"),
            )
            .hint(self.new_plan())),
        }
    }

    pub(super) async fn push(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        if self.b.as_ref().is_some_and(|look| look.state() == State::Erased) {
            self.was_reset = false;
            self.import(progress).await?;
        }
        // B reboots under it: the console would end anyway
        self.leave_b().await;
        self.leave_a().await;
        let a = self.a().await?;
        if a.state() != State::Active {
            return Err(Trouble::new(
                Kind::Operator,
                "bootstrap.handoff.not-active",
                format!("a is {} now; only an active gives its configuration away", a.state()),
            ));
        }
        self.say(Member::B, "b may have been given a's configuration");
        self.restart = Some(tokio::time::Instant::now());
        let mut command = Command::new("/system script run ha_pushbackup");
        command.timeout = Some(match self.plan.sync {
            Sync::Backup => PUSH_LIMIT,
            Sync::Quiet => QUIET_PUSH_LIMIT,
        });
        let a = self.a().await?;
        let outcome = a.connection.shell.exec(command).await?;
        if self.plan.sync == Sync::Backup {
            self.users = Users::OfA;
        }
        self.say(Member::B, "b was given a's configuration and may be restarting");
        match outcome {
            Outcome::Done(output) if output.text.contains("ha_pushbackup: pushed") => Ok(Some("pushed".into())),
            // other builds say it in other words; whether B took it is seen on B
            Outcome::Done(_) => Ok(None),
            Outcome::Refused(refusal) => {
                self.say(Member::B, "b waits for a's configuration");
                Err(Trouble::new(Kind::Transient, "bootstrap.handoff.push", "a's scripts could not push")
                    .cause(refusal)
                    .acted())
            }
            unknown @ Outcome::Unknown(_) => Err(unknown.done().err().map_or_else(closed, Trouble::from).acted()),
        }
    }

    /// Waits until B has restarted with A's configuration and closed its ports.
    pub(super) async fn wait_standby(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        if self.plan.sync == Sync::Backup {
            self.users = Users::OfA;
        }
        let began = tokio::time::Instant::now();
        let mut gone = None;
        let (mut masters, mut hints) = (0, Vec::new());
        loop {
            let looking = async { self.look_b().await.map(drop) };
            let looked = progress.while_waiting("b to come back as the standby", USUAL_REBOOT, looking).await;
            let silence = gone.map(|gone| (gone, began.elapsed()));
            let looked = match looked {
                Ok(()) => self.b.as_ref().ok_or_else(closed),
                Err(trouble) => Err(trouble),
            };
            masters = if looked.as_ref().is_ok_and(|look| look.state() == State::Active) { masters + 1 } else { 0 };
            let last = match looked {
                Ok(_) if masters >= MASTER_LOOKS => return Err(self.two_active().await),
                Ok(look) => match look.state() {
                    // so it looks for a moment while its startup is still under way, too: its version says when that is over
                    State::Standby => match self.versions().await {
                        Ok((a, Some(b))) if a == b => {
                            self.restart = None;
                            self.tell_starts(progress, silence);
                            return Ok(Some("standby, with a's version".into()));
                        }
                        Ok(_) if self.plan.sync == Sync::Quiet && self.was_not_taken_whole().await? => {
                            return Err(self.not_whole().await);
                        }
                        Ok(_) => "b is standby, with another version than a's".to_owned(),
                        Err(trouble) => {
                            self.forget();
                            trouble.message
                        }
                    },
                    State::Bootstrapped if began.elapsed() > RESTORE_REFUSED => {
                        return Err(Trouble::new(
                            Kind::Silent,
                            "bootstrap.handoff.restore-refused",
                            "b got a's configuration and did not load it",
                        )
                        .hint("a sync goes to the same model and version only; resume pushes again"));
                    }
                    // the HA port is shut while B is being made again: what answers is what a cut-off one left
                    State::Erased | State::Configured
                        if self.plan.sync == Sync::Quiet && began.elapsed() > RESTORE_REFUSED =>
                    {
                        return Err(Trouble::new(
                            Kind::Silent,
                            "bootstrap.handoff.cut-off",
                            "b was cut off while it was made again",
                        )
                        .hint("b's data ports are shut; resume pushes again"));
                    }
                    state => format!("b is {state}"),
                },
                // between its users and A's a login can fail; a cloned address on the HA port ends with its startup
                Err(trouble) if trouble.kind != Kind::Interrupted && trouble.kind != Kind::Bug => {
                    self.b = None;
                    gone.get_or_insert(began.elapsed());
                    hints = trouble.hints;
                    trouble.message
                }
                Err(trouble) => return Err(trouble),
            };
            if progress.left().is_zero() {
                let stands = self.how_a_stands().await;
                let mut trouble = Trouble::new(
                    Kind::Silent,
                    "bootstrap.wait.no-standby",
                    "router b did not come back as the standby",
                )
                .cause(last)
                .hint(stands);
                trouble.hints.extend(hints);
                trouble.causes.extend(self.log_of_b("ha_startup").await);
                return Err(trouble);
            }
            progress.waiting("b to come back as the standby", USUAL_REBOOT);
            progress.pause(until_next_look(began.elapsed())).await?;
        }
    }

    /// B says that it is the active, and goes on saying so.
    async fn two_active(&mut self) -> Trouble {
        let stands = self.how_a_stands().await;
        let message = "b came back and is the active: it does not hear a on the HA cable";
        let trouble = Trouble::new(Kind::EndCheck, "bootstrap.wait.b-active", message).cause(stands);
        trouble.hint(BOTH_ACTIVE).hint("then the HA cable: is it in, on both HA ports, and nothing else on it?").acted()
    }

    /// What A is now, in words, as far as it answers.
    async fn how_a_stands(&mut self) -> String {
        self.leave_a().await;
        match tokio::time::timeout(FETCH_LIMIT, self.a()).await {
            Ok(Ok(look)) => format!("a is {} now", look.state()),
            _ => "how a stands is not known: it does not answer; look at both before anything else".to_owned(),
        }
    }

    /// The last lines that one of B's HA scripts logged, as far as B answers.
    pub(super) async fn log_of_b(&self, script: &str) -> Vec<String> {
        let Some(b) = &self.b else { return Vec::new() };
        let command = format!(":foreach i in=[/log find message~\"{script}\"] do={{:put [/log get $i message]}}");
        match b.connection.shell.run(command).await {
            Ok(output) => {
                let lines: Vec<&str> = output.text.lines().collect();
                lines.iter().rev().take(5).rev().map(|line| format!("b's log: {}", line.escape_debug())).collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// The end check: roles, versions, closed ports, and that the HA port has its own address.
    pub(super) async fn check_pair(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let began = tokio::time::Instant::now();
        loop {
            let wrong = self.wrong_with_pair().await?;
            if wrong.is_empty() {
                let exports = if self.pair.site.sync == Sync::Quiet { ", exports equal" } else { "" };
                return Ok(Some(format!(
                    "a=active b=standby, configuration version equal{exports}, b's data ports closed"
                )));
            }
            if began.elapsed() > VERIFY_PATIENCE || progress.left().is_zero() {
                let mut trouble = Trouble::new(Kind::EndCheck, "bootstrap.verify", "the pair is not as it should be");
                let says = |member, state: State| format!("{member} is {state}");
                let both =
                    wrong.contains(&says(Member::B, State::Active)) && !wrong.iter().any(|w| w.starts_with("a is "));
                trouble.causes = wrong;
                return Err(if both { trouble.hint(BOTH_ACTIVE) } else { trouble });
            }
            progress.waiting("the pair to settle", (Duration::ZERO, Duration::from_secs(15)));
            progress.pause(Duration::from_secs(2)).await?;
        }
    }

    async fn wrong_with_pair(&mut self) -> Result<Vec<String>, Trouble> {
        let interface = self.pair.site.ha_interface.clone();
        let mut wrong = Vec::new();
        self.leave_a().await;
        let a = self.a().await?;
        if a.state() != State::Active {
            wrong.push(format!("a is {}", a.state()));
        }
        let b = self.look_b().await?;
        if b.state() != State::Standby {
            wrong.push(format!("b is {}", b.state()));
        }
        let open = open_data_ports(&b.facts, &interface);
        if !open.is_empty() {
            wrong.push(format!("b's data ports are on: {}", open.join(", ")));
        }
        match b.facts.port(&interface) {
            Some(port) if port.mac == port.orig_mac => {}
            _ => wrong.push(format!("b's {interface} carries another address than its own")),
        }
        if !b.facts.identity.ends_with("_HA_B_STANDBY") {
            wrong.push(format!("b's identity is `{}`", b.facts.identity.escape_debug()));
        }
        let active = facts::active_version(&self.a().await?.connection.shell).await?;
        let shell = &self.b().await?.connection.shell;
        match facts::standby_version(shell).await? {
            Some(version) if version == active => {}
            Some(version) => {
                wrong.push(format!("versions differ: a has `{active}`, b has `{}`", version.escape_debug()))
            }
            None => wrong.push("b does not say which version it has".into()),
        }
        // the last proof, and the long one
        if wrong.is_empty() && self.pair.site.sync == Sync::Quiet {
            let found = self.differing().await?;
            wrong.extend(found.into_iter().map(|what| format!("the exports differ: {what}")));
        }
        Ok(wrong)
    }
}
