//! Steps on B alone: the file, the reset, the wait, the import; and cleaning up.

use super::file::{BOOTSTRAP_FILE, bootstrap_file};
use super::job::{POLL, PairJob, USUAL_REBOOT, closed, not_bootstrapped, until_next_look};
use crate::engine::{History, Probe, Progress};
use crate::facts;
use crate::pair::{Look, Users};
use crate::plan::{Act, CONFIGURATION, STATE_OF_B};
use crate::road::Purpose;
use crate::state::{ACTIVE_NOW, MASTERS, State};
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use routeros::{Destructive, FileName, Gone, Outcome, Proof, Shell};
use std::time::Duration;

/// A console that says nothing for so long after a reset was ordered is looked at again.
const RESET_SILENCE: Duration = Duration::from_secs(20);
/// After the reset line: the session ends within seconds, or the line did not run.
const RESET_GONE: Duration = Duration::from_secs(60);
/// After a reset the bootstrap file runs by itself; its own longest wait is a minute.
const RUN_AFTER_RESET: Duration = Duration::from_secs(75);

/// Our files on a router.
pub(super) fn is_ours(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|base| base.starts_with("HA_jumplead_"))
}

/// Removes our files from a router, its run marker where that is `own`; how many.
async fn remove_ours(look: &Look, own: bool) -> Result<usize, Trouble> {
    let of_us = |file: &&String| is_ours(file) && (own || *file != crate::marker::FILE);
    let mut removed = 0;
    for file in look.facts.files.iter().filter(of_us) {
        look.connection.shell.remove_file(&FileName::ours(file)?).await?;
        removed += 1;
    }
    Ok(removed)
}

impl PairJob<'_> {
    /// The bootstrap file's name on B: below `flash/` where only that survives a reboot.
    fn file_name(look: &Look) -> Result<FileName, Trouble> {
        let folder = if look.facts.has_flash_folder() { "flash/" } else { "" };
        Ok(FileName::ours(&format!("{folder}{BOOTSTRAP_FILE}"))?)
    }

    fn file_text(&self) -> String {
        bootstrap_file(self.pair.site, Member::B, &self.pair.secrets.ha)
    }

    async fn file_is_there(&self, shell: &Shell, name: &FileName) -> Result<bool, Trouble> {
        match shell.read_file(name.as_str()).await {
            Ok(content) => Ok(content == self.file_text().as_bytes()),
            Err(routeros::Error::NoFile { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn probe_file(&mut self, history: &History) -> Result<Probe, Trouble> {
        // once B was reset the file has done its work, or the import writes it again
        if history.completed(Act::Reset) || history.completed(Act::Import) {
            return Ok(Probe::Done(None));
        }
        self.look_b().await?;
        let look = self.b.as_ref().ok_or_else(closed)?;
        if look.state() == State::Bootstrapped && !self.was_bootstrapped() {
            return Ok(Probe::Done(Some("b is bootstrapped".into())));
        }
        let there = self.file_is_there(&look.connection.shell, &Self::file_name(look)?).await?;
        Ok(if there { Probe::Done(None) } else { Probe::NotDone })
    }

    pub(super) async fn write_file(&mut self) -> Result<Option<String>, Trouble> {
        let text = self.file_text();
        let look = self.b().await?;
        look.connection.shell.put_file(&Self::file_name(look)?, text.as_bytes()).await?;
        Ok(Some(format!("{} bytes, read back equal", text.len())))
    }

    /// A reset whose end was not seen: B is looked at until it says which it is.
    pub(super) async fn probe_reset(
        &mut self,
        history: &History,
        progress: &mut Progress<'_>,
    ) -> Result<Probe, Trouble> {
        let state = match self.look_b().await {
            Ok(look) => look.state(),
            Err(trouble) => {
                if history.started(Act::Reset) {
                    progress.waiting("b, to see whether it was reset", USUAL_REBOOT);
                }
                return Err(trouble);
            }
        };
        match state {
            State::Erased | State::Bootstrapped => Ok(Probe::Done(Some("b is erased".into()))),
            State::Active | State::Standby => Err(Trouble::new(
                Kind::WrongRouter,
                "bootstrap.state.moved",
                format!("b is {state} now; the plan was made for another state"),
            )
            .hint(self.new_plan())),
            State::Configured | State::HaUnsettled => Ok(Probe::NotDone),
        }
    }

    pub(super) async fn reset(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        self.b().await?;
        let look = self.b.take().ok_or_else(closed)?;
        let confirmed = self.plan.erases.as_deref().unwrap_or_default();
        let erasable = look.target.erasable(confirmed)?;
        // Somebody may have put it to use since the plan was shown, days before a run that is gone on with.
        let then = self.plan.basis.iter().find(|(fact, _)| fact == CONFIGURATION).map(|(_, value)| value);
        let now = look.facts.configuration();
        let unknown = "not written down".to_owned();
        let then = then.unwrap_or(&unknown);
        if *then != now {
            return Err(Trouble::new(
                Kind::Operator,
                "bootstrap.state.moved",
                format!("b is not what the plan erases: it was {then}, it is {now}"),
            )
            .hint(format!("nothing was erased; look at b, then {}", self.new_plan())));
        }
        let file = Self::file_name(&look)?;
        if !self.file_is_there(&look.connection.shell, &file).await? {
            return Err(Trouble::new(
                Kind::Transient,
                "bootstrap.file.gone",
                "the bootstrap file is not on b any more",
            ));
        }
        let act = Destructive::new(
            Proof::ha_port(&self.pair.site.ha_interface, &erasable.target().mac().to_string())?,
            // It may become the active between the look and this line.
            format!(
                ":if ([:len {MASTERS}] = 0) do={{\
                 /system reset-configuration no-defaults=yes keep-users=no skip-backup=yes run-after-reset={}}}",
                file.as_str()
            ),
        )?
        .unless(&format!("[:len {MASTERS}] > 0"), ACTIVE_NOW)?;
        self.say(Member::B, "b may have been reset");
        self.restart = Some(tokio::time::Instant::now());
        let outcome = look.connection.shell.destroy(&act).await;
        let outcome = outcome.map_err(Trouble::from)?;
        match outcome {
            Outcome::Done(_) => {}
            Outcome::Refused(refusal) => {
                self.restart = None;
                self.say(Member::B, "b is as it was");
                if refusal.to_string().contains(ACTIVE_NOW) {
                    let message = "b is active now; nothing was erased";
                    return Err(Trouble::new(Kind::WrongRouter, "bootstrap.state.moved", message).hint(self.new_plan()));
                }
                return Err(Trouble::new(
                    Kind::Fatal,
                    "bootstrap.reset.refused",
                    format!("b refused the reset: {refusal}"),
                )
                .hint("device-mode, or a user without the right to reset, are the usual causes"));
            }
            // nothing is known but that it was sent: the next attempt looks first
            Outcome::Unknown(unknown) if !unknown.began => {
                return Err(Trouble::new(
                    Kind::Transient,
                    "bootstrap.reset.unknown",
                    format!("whether b took the reset is not known: {unknown}"),
                )
                .acted());
            }
            Outcome::Unknown(_) => {}
        }
        self.say(Member::B, "b was reset and may still be booting");
        progress.waiting("b to go down", (Duration::ZERO, Duration::from_secs(10)));
        match look.connection.shell.wait_gone(RESET_SILENCE, RESET_GONE).await {
            Ok(Gone::BackAt(near)) => self.pair.roads.left_over(Member::A, near).await,
            Ok(Gone::LinkClosed) | Err(routeros::Error::Closed) => {}
            Ok(Gone::Restarts) => {}
            // silence is what an idle console says, too
            Ok(Gone::Silent) | Err(_) => self.went_down(progress).await?,
        }
        Ok(Some("no way back from here".into()))
    }

    /// B took the order and its console did not end: either it is on its way down, or the order had no effect.
    async fn went_down(&mut self, progress: &mut Progress<'_>) -> Result<(), Trouble> {
        let started = tokio::time::Instant::now();
        loop {
            match self.look_b().await {
                Ok(look) if matches!(look.state(), State::Erased | State::Bootstrapped) => return Ok(()),
                Ok(_) => self.leave_b().await,
                Err(trouble) if trouble.kind == Kind::WrongRouter => return Err(trouble.acted()),
                Err(_) => return Ok(()),
            }
            if started.elapsed() > RESET_GONE {
                self.say(Member::B, "b is as it was: the reset had no effect");
                return Err(Trouble::new(Kind::Fatal, "bootstrap.reset.no-effect", "b took the reset and did nothing")
                    .hint("device-mode, or a user without the right to reset, are the usual causes"));
            }
            progress.pause(POLL).await.map_err(Trouble::acted)?;
        }
    }

    /// One light question to a B that answers again: whether it has started anew since the wait began, with nothing on it.
    /// The login has proved who it is; the next step reads everything, on the same console, before it acts. `None`: it takes
    /// a whole look to say.
    async fn glance_b(&mut self, waited: Duration) -> Result<Option<String>, Trouble> {
        if self.b.is_some() {
            return Ok(None);
        }
        if self.one_at_a_time() {
            self.leave_a().await;
        }
        let connection = self.pair.open_after(Member::B, Purpose::Write, self.users, self.restarting()).await;
        let connection = connection.map_err(|trouble| self.unseen(Member::B, trouble))?;
        self.watch(&connection);
        let glance = facts::glance(&connection.shell).await?;
        let road = connection.road.clone();
        self.glanced = Some(connection);
        if glance.uptime >= waited || glance.configured > 0 {
            return Ok(None);
        }
        self.say(Member::B, "b was reset and is back");
        Ok(Some(format!("back on {road}, identity {}", glance.identity.escape_debug())))
    }

    /// Waits until B answers as an erased router.
    pub(super) async fn wait_reset(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        self.users = Users::Own;
        let began = tokio::time::Instant::now();
        let mut gone = None;
        loop {
            let looking = async {
                match self.glance_b(began.elapsed()).await {
                    Ok(None) => self.look_b().await.map(|_| None),
                    other => other,
                }
            };
            let looked = progress.while_waiting("b to come back", USUAL_REBOOT, looking).await;
            let silence = gone.map(|gone| (gone, began.elapsed()));
            let looked = match looked {
                Ok(Some(note)) => {
                    self.restart = None;
                    self.tell_starts(progress, silence);
                    return Ok(Some(note));
                }
                Ok(None) => self.b.as_ref().ok_or_else(closed),
                Err(trouble) => Err(trouble),
            };
            let last = match looked {
                Ok(look) => match look.state() {
                    State::Erased | State::Bootstrapped => {
                        let note = format!("back on {}, identity {}", look.connection.road, look.facts.identity);
                        self.restart = None;
                        self.tell_starts(progress, silence);
                        return Ok(Some(note));
                    }
                    state => {
                        // the shutdown takes a while in which the old configuration still answers
                        self.leave_b().await;
                        format!("b is {state}")
                    }
                },
                Err(trouble) if matches!(trouble.kind, Kind::Transient | Kind::Silent | Kind::Login) => {
                    self.b = None;
                    gone.get_or_insert(began.elapsed());
                    trouble.message
                }
                Err(trouble) => return Err(trouble),
            };
            if progress.left().is_zero() {
                return Err(Trouble::new(
                    Kind::Silent,
                    "bootstrap.wait.no-answer",
                    "router b did not come back erased after its reset",
                )
                .cause(last)
                .hint("if b is slow to boot, wait and resume")
                .hint("if b stays silent, look at its serial console: it may be in its boot loader"));
            }
            progress.waiting("b to come back", USUAL_REBOOT);
            progress.pause(until_next_look(began.elapsed())).await?;
        }
    }

    /// The plan found b bootstrapped, perhaps by another run for another HA password.
    fn was_bootstrapped(&self) -> bool {
        let bootstrapped = State::Bootstrapped.to_string();
        self.plan.basis.iter().any(|(fact, value)| fact == STATE_OF_B && *value == bootstrapped)
    }

    pub(super) async fn probe_import(&mut self, history: &History) -> Result<Probe, Trouble> {
        let state = self.look_b().await?.state();
        match state {
            State::Bootstrapped if self.was_bootstrapped() && !history.completed(Act::Import) => Ok(Probe::NotDone),
            State::Bootstrapped => Ok(Probe::Done(Some("b has the HA address, the HA user and FTP".into()))),
            State::Erased => Ok(Probe::NotDone),
            // a resumed run that came further than this
            State::Standby => Ok(Probe::Done(Some("b is the standby already".into()))),
            State::HaUnsettled if self.users == Users::OfA => Ok(Probe::Done(Some("b has a's configuration".into()))),
            state => Err(Trouble::new(
                Kind::Operator,
                "bootstrap.state.moved",
                format!("b was erased, and now it is {state}: somebody configured it meanwhile"),
            )
            .hint(self.new_plan())),
        }
    }

    pub(super) async fn import(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        if self.was_reset {
            // the router runs the file itself; a second run beside the first would only confuse both
            let started = tokio::time::Instant::now();
            while started.elapsed() < RUN_AFTER_RESET.min(progress.left()) {
                if self.look_b().await?.state() == State::Bootstrapped {
                    return Ok(Some("by the reset itself".into()));
                }
                progress.waiting("the bootstrap file to run", (Duration::ZERO, Duration::from_secs(10)));
                progress.pause(POLL).await?;
            }
        }
        self.b().await?;
        let look = self.b.as_ref().ok_or_else(closed)?;
        let name = Self::file_name(look)?;
        if !self.file_is_there(&look.connection.shell, &name).await? {
            look.connection.shell.put_file(&name, self.file_text().as_bytes()).await?;
        }
        self.say(Member::B, "b may have run the bootstrap file");
        let look = self.b.as_ref().ok_or_else(closed)?;
        let mut command = routeros::Command::new(format!("/import {}", name.as_str()));
        command.timeout = Some(Duration::from_secs(90));
        let output = look.connection.shell.run(command).await?;
        let state = self.look_b().await?.state();
        if state != State::Bootstrapped {
            let words: String = output.text.chars().take(200).collect();
            return Err(not_bootstrapped(state).cause(words).acted());
        }
        Ok(None)
    }

    pub(super) async fn probe_clean(&mut self) -> Result<Probe, Trouble> {
        self.look_b().await?;
        let b = self.b.as_ref().is_some_and(|look| look.facts.files.iter().any(|file| is_ours(file)));
        // A's list is as old as its console: read again
        self.leave_a().await;
        self.a().await?;
        if !self.marker_is_ours().await? {
            // Somebody waived ours: what lies there is theirs.
            self.marked = false;
            if let Some(a) = &mut self.a {
                a.facts.files.retain(|file| file != crate::marker::FILE);
            }
        }
        let a = self.a.as_ref().is_some_and(|look| look.facts.files.iter().any(|file| is_ours(file)));
        Ok(if a || b { Probe::NotDone } else { Probe::Done(None) })
    }

    pub(super) async fn clean(&mut self) -> Result<Option<String>, Trouble> {
        // Each in its turn: both may be at the end of one line.
        let mut removed = remove_ours(self.b().await?, true).await?;
        self.a().await?;
        let own_marker = self.marker_is_ours().await?;
        removed += remove_ours(self.a().await?, own_marker).await?;
        self.marked = false;
        Ok(Some(format!("{removed} files")))
    }
}
