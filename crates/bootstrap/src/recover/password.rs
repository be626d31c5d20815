//! A new HA password on both members, over the HA cable: what was typed on a console server's line stands in its log.
//!
//! The standby first. Between the two the active can't push or ask; VRRP and the data ports don't know the password. Every line
//! may be said again, so that a run that was cut off goes on at either of them.

use super::job::{RouterJob, closed};
use super::router::POLL;
use crate::engine::{Probe, Progress};
use crate::pair::Users;
use crate::road::Purpose;
use crate::trouble::{Kind, Trouble};
use routeros::text::quote;
use routeros::{Command, Shell};
use std::time::Duration;

/// For a line that saves a backup, or asks the other router: those take ten seconds and more.
const SLOW: Duration = Duration::from_secs(90);

/// The secret last: a router that has it has both.
fn change(password: &str) -> String {
    let password = quote(password);
    format!(
        "/user set [find name=\"ha\"] password={password}; /ppp secret set [find name=\"HA_PASSWORD\"] password={password}"
    )
}

fn has(password: &str) -> String {
    format!(":put (\"new=\" . ([/ppp secret get [find name=\"HA_PASSWORD\"] password] = {}))", quote(password))
}

const SAVE_OWN: &str = "/system script run ha_saveown";
const ASK: &str = "/system script run ha_config; /system script run ha_ask; :global haAnswer; :global haAnswerWhy; \
     :put (\"answer=\" . [:len $haAnswer]); :put (\"why=\" . $haAnswerWhy)";

fn private(text: String) -> Command {
    Command { private: true, timeout: Some(SLOW), ..Command::new(text) }
}

impl RouterJob<'_> {
    fn new_password(&self) -> Result<String, Trouble> {
        let missing = || Trouble::new(Kind::Operator, "recover.new-password", "no new HA password was given");
        Ok(self.access.new_ha.as_ref().ok_or_else(missing)?.reveal().to_owned())
    }

    /// Does something on the active.
    async fn on_active<T>(&mut self, act: impl AsyncFnOnce(&Shell) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let (pair, member) = self.access.pair.ok_or_else(closed)?;
        // its console may be the one through which the standby is reached
        self.leave().await;
        let connection = pair.open(member.other(), Purpose::Write, Users::OfA).await?;
        let done = act(&connection.shell).await;
        pair.roads.give_back(connection).await;
        done
    }

    pub(super) async fn probe_password(&mut self) -> Result<Probe, Trouble> {
        let asked = has(&self.new_password()?);
        let said = self.run(private(asked)).await?;
        Ok(if said.contains("new=true") { Probe::Done(Some("it has it".into())) } else { Probe::NotDone })
    }

    pub(super) async fn password(&mut self) -> Result<Option<String>, Trouble> {
        // an active that can't be reached is found out before the two differ
        self.probe_peer_password().await?;
        let line = change(&self.new_password()?);
        self.run(private(line)).await.map_err(Trouble::acted)?;
        self.say("the standby has the new HA password, the active may not: it can't push or ask until it has");
        Ok(None)
    }

    /// The standby's own backup opens with the password that it was saved with.
    pub(super) async fn save_own(&mut self) -> Result<Option<String>, Trouble> {
        let slow = Command { timeout: Some(SLOW), ..Command::new(SAVE_OWN) };
        self.run(slow).await.map_err(Trouble::acted)?;
        Ok(None)
    }

    pub(super) async fn probe_peer_password(&mut self) -> Result<Probe, Trouble> {
        let asked = has(&self.new_password()?);
        let said = self.on_active(async |shell| Ok(shell.run(private(asked)).await?.text)).await?;
        Ok(if said.contains("new=true") { Probe::Done(Some("it has it".into())) } else { Probe::NotDone })
    }

    pub(super) async fn peer_password(&mut self) -> Result<Option<String>, Trouble> {
        let line = change(&self.new_password()?);
        self.on_active(async |shell| shell.run(private(line)).await.map_err(|error| Trouble::from(error).acted()))
            .await?;
        self.say("both have the new HA password");
        Ok(None)
    }

    /// The active asks the standby something, over FTP and with that password.
    pub(super) async fn verify_password(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        loop {
            let ask = Command { timeout: Some(SLOW), ..Command::new(ASK) };
            let said = self.on_active(async |shell| Ok(shell.run(ask).await?.text)).await?;
            let field = |name: &str| {
                let line = said.lines().find_map(|line| line.trim().strip_prefix(name).map(str::to_owned));
                line.unwrap_or_default()
            };
            if field("answer=").parse::<u32>().is_ok_and(|length| length > 0) {
                return Ok(Some("the active asked the standby with it, and had an answer".into()));
            }
            if progress.left().is_zero() {
                return Err(Trouble::new(
                    Kind::EndCheck,
                    "recover.verify",
                    "the active has no answer from the standby with the new HA password",
                )
                .cause(self.redactor.text(&field("why="))));
            }
            progress.waiting("the standby to answer the active", (Duration::ZERO, Duration::from_secs(20)));
            progress.pause(POLL).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_parses_on_both_versions() {
        for version in ["6.43.13", "7.24"] {
            let version: routeros_script::Version = version.parse().unwrap();
            for line in [change("New-Pass_1"), has("New-Pass_1"), SAVE_OWN.to_owned(), ASK.to_owned()] {
                routeros_script::parse(line.as_bytes(), version)
                    .unwrap_or_else(|error| panic!("{line}: {}", error.message));
            }
        }
    }
}
