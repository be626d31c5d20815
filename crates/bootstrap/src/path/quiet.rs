//! What the quiet way of sync needs beside the steps of both ways: choosing it, and reading B after a push that was
//! cut off.

use super::job::{PairJob, closed};
use crate::engine::{Probe, Progress};
use crate::ha_export::{differences, normalised};
use crate::site::Sync;
use crate::state::State;
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use routeros::{Command, Shell};
use std::time::Duration;

/// A B that is being made again closes its HA port within seconds of taking the order, and what it is afterwards it stays.
const SETTLED: Duration = Duration::from_secs(20);

/// Differences that are named.
const SHOWN: usize = 8;

/// A long export at a slow console.
const EXPORT: Duration = Duration::from_secs(180);

async fn exported(shell: &Shell) -> Result<Vec<String>, Trouble> {
    let version = shell.run(":put [/system resource get version]").await?;
    // 7.x leaves secrets out unless it is asked for them
    let text = if version.text.trim_start().starts_with('6') { "/export hide-sensitive" } else { "/export" };
    // a script's text may hold one all the same
    let command = Command { timeout: Some(EXPORT), private: true, ..Command::new(text) };
    Ok(normalised(&shell.exec(command).await?.done()?.text))
}

impl PairJob<'_> {
    pub(super) async fn probe_sync(&mut self) -> Result<Probe, Trouble> {
        self.leave_a().await;
        let way = self.a().await?.facts.ha.as_ref().and_then(|ha| ha.sync);
        Ok(if way == Some(Sync::Quiet) { Probe::Done(Some("a syncs quietly".into())) } else { Probe::NotDone })
    }

    /// The way is a part of the pair's own facts on A, as `$HAInstall` writes them.
    pub(super) async fn choose_sync(&mut self) -> Result<Option<String>, Trouble> {
        self.say(Member::A, "a may have got the quiet way of sync");
        let command = "/system script run ha_config; :global haWriteBase; :global haInterface; :global haMacA; \
             :global haMacB; :global haPreferMac; \
             $haWriteBase port=$haInterface a=$haMacA b=$haMacB prefer=$haPreferMac way=\"quiet\"; \
             /system script run ha_config; :global haSync; :put (\"sync=\" . $haSync)";
        let output = self.a().await?.connection.shell.run(command).await?;
        // what is known of it is older than this
        self.leave_a().await;
        if output.text.contains("sync=quiet") {
            self.a().await?;
            return Ok(Some("quiet".into()));
        }
        let words: String = output.text.chars().take(200).collect();
        Err(Trouble::new(Kind::Fatal, "bootstrap.handoff.sync-not-chosen", "a's HA scripts did not take sync=quiet")
            .cause(words)
            .hint("set it on a:  $HAInstall interface=.. macA=.. macB=.. sync=quiet accept=yes")
            .acted())
    }

    /// After a push whose end was not seen, or that was cut off: whatever B is now and stays, is what came of it.
    pub(super) async fn probe_quiet(&mut self, state: State, progress: &mut Progress<'_>) -> Result<Probe, Trouble> {
        if state == State::Active {
            return Err(Trouble::new(Kind::Operator, "bootstrap.state.moved", "b is the active now")
                .hint("look at both before anything else"));
        }
        if self.has_version(state).await? {
            return Ok(Probe::Done(Some("b has it".into())));
        }
        progress.pause(SETTLED).await?;
        let again = self.look_b().await?.state();
        if again != state {
            return Err(closed());
        }
        Ok(match again {
            _ if self.has_version(again).await? => Probe::Done(Some("b has it".into())),
            State::Erased => Probe::Partly("b lost the HA address and gets it again".into()),
            _ => Probe::NotDone,
        })
    }

    async fn has_version(&mut self, state: State) -> Result<bool, Trouble> {
        if state != State::Standby {
            return Ok(false);
        }
        let (a, b) = self.versions().await?;
        Ok(b.as_deref() == Some(a.as_str()))
    }

    /// B says itself that it did not get everything.
    pub(super) async fn was_not_taken_whole(&mut self) -> Result<bool, Trouble> {
        let b = self.b().await?;
        let command =
            ":put (\"partial=\" . [:len [/log find message~\"ha_sendquiet: the active.s configuration was not\"]])";
        let output = b.connection.shell.run(command).await?;
        Ok(output.text.lines().any(|line| line.starts_with("partial=") && line.trim_end() != "partial=0"))
    }

    pub(super) async fn not_whole(&self) -> Trouble {
        let mut trouble = Trouble::new(
            Kind::Operator,
            "bootstrap.handoff.not-whole",
            "b did not take the whole of a's configuration",
        )
        .hint("b stays a standby that is never ready; a is untouched and stays active")
        .hint(format!(
            "take what b's log names out of a's configuration, or set pair.sync = \"backup\", then:  {}",
            self.anew
        ));
        trouble.causes.extend(self.log_of_b("ha_sendquiet").await);
        trouble
    }

    /// Both exports, without what is each router's own and without secrets: what is not the same on both.
    pub(super) async fn differing(&mut self) -> Result<Vec<String>, Trouble> {
        let of_a = exported(&self.a().await?.connection.shell).await?;
        let of_b = exported(&self.b().await?.connection.shell).await?;
        let mut found = differences(&of_a, &of_b);
        if found.len() > SHOWN {
            let more = found.len() - SHOWN;
            found.truncate(SHOWN);
            found.push(format!("and {more} more"));
        }
        Ok(found)
    }
}
