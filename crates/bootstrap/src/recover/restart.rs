//! Restarts of the router under rescue: ordered on a line that proves it, told by its uptime.

use super::job::{RouterJob, active_now};
use super::router::{POLL, USUAL_START, boot};
use super::standby::OWN_BACKUP;
use crate::engine::{Probe, Progress};
use crate::facts;
use crate::state::{ACTIVE_NOW, MASTERS};
use crate::trouble::{Kind, Trouble};
use routeros::text::quote;
use routeros::{Destructive, Gone, Outcome};
use std::time::Duration;
use tokio::time::Instant;

/// After a restart was ordered: the session ends within seconds, or the order had no effect.
const GOES_DOWN: Duration = Duration::from_secs(60);
const SILENCE: Duration = Duration::from_secs(20);
/// When the restart was ordered, in the run's folder: an earlier run's order is not this one's.
const ORDERED: &str = "restart-ordered";

/// When a restart was ordered that was neither refused nor without effect, in seconds of this host's clock.
pub(super) fn ordered(progress: &mut Progress<'_>) -> Result<Option<i64>, Trouble> {
    Ok(progress.kept(ORDERED)?.and_then(|json| serde_json::from_slice(&json).ok()))
}

impl RouterJob<'_> {
    /// Whether the restart that was ordered has happened: the order is kept on this host, the start is told by the uptime.
    pub(super) async fn probe_restarted(
        &mut self,
        started: bool,
        progress: &mut Progress<'_>,
    ) -> Result<Probe, Trouble> {
        if !started {
            return Ok(Probe::NotDone);
        }
        let ordered = ordered(progress)?;
        let glance = facts::glance(&self.console().await?.shell).await.map_err(|error| {
            progress.waiting("it, to see whether it has restarted", USUAL_START);
            Trouble::from(error)
        })?;
        self.started(glance.uptime);
        let since = boot(progress.now(), glance.uptime);
        Ok(match ordered {
            Some(ordered) if since >= ordered - 5 => Probe::Done(Some("it has restarted".into())),
            _ => Probe::NotDone,
        })
    }

    async fn order(&mut self, act: String, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        // On the line itself: it may become the active between a look and this.
        let act = Destructive::new(self.proof()?, format!(":if ([:len {MASTERS}] = 0) do={{{act}}}"))?
            .unless(&format!("[:len {MASTERS}] > 0"), ACTIVE_NOW)?;
        let now = progress.now().as_second().to_string();
        progress.keep(ORDERED, now.as_bytes())?;
        let began = Instant::now();
        let connection = self.take().await?;
        self.restart = Some(began);
        self.say("it was told to restart");
        match connection.shell.destroy(&act).await? {
            Outcome::Done(_) => {}
            Outcome::Refused(refusal) => {
                self.restart = None;
                progress.keep(ORDERED, b"")?;
                self.say("it refused to restart and is as it was");
                if refusal.to_string().contains(ACTIVE_NOW) {
                    return Err(active_now());
                }
                // What becomes of the act itself is not said on this line: it runs in the background.
                return Err(routeros::Error::Refused(refusal).into());
            }
            Outcome::Unknown(unknown) if !unknown.began => {
                return Err(Trouble::new(
                    Kind::Transient,
                    "recover.unknown",
                    format!("whether it took the order is not known: {unknown}"),
                )
                .acted());
            }
            Outcome::Unknown(_) => {}
        }
        progress.waiting("it to go down", (Duration::ZERO, Duration::from_secs(10)));
        match connection.shell.wait_gone(SILENCE, GOES_DOWN).await {
            Ok(Gone::BackAt(near)) => self.access.roads.left_over(self.member().other(), near).await,
            Ok(Gone::Restarts) => return Ok(Some("it restarts".into())),
            Ok(Gone::LinkClosed | Gone::Silent) | Err(_) => {}
        }
        // a line does not end with a session: its restart is told by the uptime
        while began.elapsed() < GOES_DOWN * 3 {
            match self.console().await {
                Ok(console) => match facts::glance(&console.shell).await {
                    Ok(glance) if glance.uptime < began.elapsed() => {
                        self.restart = None;
                        return Ok(Some("it restarts".into()));
                    }
                    Ok(_) => {}
                    Err(_) => self.leave().await,
                },
                Err(trouble) if trouble.kind == Kind::WrongRouter => return Err(trouble.acted()),
                Err(_) => return Ok(Some("it restarts".into())),
            }
            progress.pause(POLL).await.map_err(Trouble::acted)?;
        }
        self.restart = None;
        // Else any later restart would pass for this one.
        progress.keep(ORDERED, b"")?;
        self.say("it is as it was: the order had no effect");
        Err(Trouble::new(Kind::Fatal, "recover.no-effect", "it took the order and did not restart")
            .hint("its log says why:  /log print   (a backup wants its own password, board and version)")
            .hint("device-mode, or a user without the right, are other causes")
            .acted())
    }

    /// Its own backup is sealed with the pair's password, which it has itself; the active's of other builds with `p`.
    pub(super) async fn load_backup(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let name = self.subject.backup.as_deref().unwrap_or(OWN_BACKUP).trim_end_matches(".backup").to_owned();
        let password = if self.subject.keeps_secret() {
            "[/ppp secret get [find name=\"HA_PASSWORD\"] password]"
        } else {
            "\"p\""
        };
        self.order(format!("/system backup load name={} password={password}", quote(name)), progress).await
    }

    pub(super) async fn restart(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        self.order("/system reboot".into(), progress).await
    }
}
