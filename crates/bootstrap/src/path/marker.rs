//! The marker of this run on the active.

use super::job::{PairJob, closed};
use crate::engine::Job as _;
use crate::marker::{CHECK, FILE, Marker};
use crate::plan::Act;
use crate::state::State;
use crate::trouble::{Kind, Trouble};
use routeros::{FileName, Shell};
use std::time::Duration;

/// A run that ended has said so already: an active that does not answer keeps its marker, which its own host passes over.
const TAKING_AWAY: Duration = Duration::from_secs(5);

/// The marker that lies on a router.
pub(crate) async fn on(shell: &Shell) -> Result<Option<Marker>, routeros::Error> {
    match shell.read_file(FILE).await {
        Ok(content) => Ok(Some(Marker::parse(&content))),
        Err(routeros::Error::NoFile { .. }) => Ok(None),
        // Too long, half written, or a folder: nobody's own, and to be waived like any other.
        Err(routeros::Error::Garbled { .. } | routeros::Error::Refused(_)) => Ok(Some(Marker::parse(b""))),
        Err(error) => Err(error),
    }
}

impl PairJob<'_> {
    /// The marker is written before this run's first change; before what can't be taken back it must still be there.
    pub(super) async fn mark(&mut self, act: Act) -> Result<(), Trouble> {
        // What cleans up takes it away.
        let looks = matches!(act, Act::Reset | Act::Push);
        if act == Act::Clean || self.marked && !looks {
            return Ok(());
        }
        let marker = self.marker.clone();
        let over = self.over.clone();
        if looks {
            // What b has is the pair's last copy as long as a is not the active.
            self.leave_a().await;
            let state = self.a().await?.state();
            if state != State::Active {
                return Err(Trouble::new(
                    Kind::Operator,
                    "bootstrap.handoff.not-active",
                    format!("a is {state} now; only beside an active b is made anew"),
                )
                .hint(self.new_plan()));
            }
        }
        let shell = &self.a().await?.connection.shell;
        match on(shell).await? {
            Some(found) if found.is_of(&marker) => {}
            Some(found) if !found.is_beside(&marker) && over.as_ref() != Some(&found) => return Err(self.taken(&found)),
            _ => shell.put_file(&FileName::ours(FILE)?, marker.text().as_bytes()).await?,
        }
        self.marked = true;
        Ok(())
    }

    fn taken(&self, found: &Marker) -> Trouble {
        Trouble::new(Kind::Locked, "bootstrap.marker.other", format!("a holds the marker of another run: {found}"))
            .hint(format!("ask who that is; if nobody is at work:  {} --plan-only --waive {CHECK}", self.anew))
    }

    /// Whether the marker on A, if there is one, may be taken away.
    pub(super) async fn marker_is_ours(&mut self) -> Result<bool, Trouble> {
        let marker = self.marker.clone();
        let a = self.a.as_ref().ok_or_else(closed)?;
        Ok(on(&a.connection.shell).await?.is_none_or(|found| found.is_beside(&marker)))
    }

    /// Takes the marker away, where A answers.
    pub(super) async fn unmark(&mut self) {
        if !std::mem::take(&mut self.marked) {
            return;
        }
        let marker = self.marker.clone();
        let words = self.words.clone();
        let taking = async {
            let shell = &self.a().await?.connection.shell;
            if on(shell).await?.is_some_and(|found| found.is_of(&marker)) {
                shell.remove_file(&FileName::ours(FILE)?).await?;
            }
            Ok::<_, Trouble>(())
        };
        if !matches!(tokio::time::timeout(TAKING_AWAY, taking).await, Ok(Ok(()))) {
            self.forget();
        }
        // What was last known of both is not what this look came to.
        self.words = words;
    }
}
