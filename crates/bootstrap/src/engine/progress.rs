//! What a step under way has of its run: somebody to tell that it waits, a place for files, and the wish that it should stop.

use super::{room, tell};
use crate::event::{Event, Sink};
use crate::journal::{Journal, JournalError};
use crate::plan::Step;
use crate::store::StoreError;
use crate::trouble::{Kind, Trouble};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two words about a wait.
const TELL: Duration = Duration::from_secs(1);

/// A run's journal and whoever reads along, for a step under way.
pub(super) struct Desk<'a, 'j> {
    pub(super) journal: &'a mut Journal<'j>,
    pub(super) sink: &'a mut dyn Sink,
}

/// What a step does with its run.
pub(super) trait Run {
    fn emit(&mut self, event: Event);
    fn keep(&mut self, name: &str, content: &[u8]) -> Result<String, StoreError>;
    fn kept(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn remember(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), StoreError>;
    fn recall(&mut self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn now(&self) -> jiff::Timestamp;
}

impl Run for Desk<'_, '_> {
    fn emit(&mut self, event: Event) {
        tell(self.journal, self.sink, event);
    }

    fn keep(&mut self, name: &str, content: &[u8]) -> Result<String, StoreError> {
        self.journal.keep(name, content)
    }

    fn kept(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.journal.kept(name)
    }

    fn remember(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.journal.store().keep(folder, name, content)
    }

    fn recall(&mut self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.journal.store().kept(folder, name)
    }

    fn now(&self) -> jiff::Timestamp {
        self.journal.now()
    }
}

/// What a step uses to say that it is waiting, to keep files with its run, and to hear that it should stop.
pub struct Progress<'a> {
    run: &'a mut dyn Run,
    stop: watch::Receiver<bool>,
    step: &'static str,
    since: Instant,
    limit: Duration,
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("step", &self.step).finish_non_exhaustive()
    }
}

impl Progress<'_> {
    /// Says that it still waits for `what`.
    pub fn waiting(&mut self, what: impl Into<String>, usual: (Duration, Duration)) {
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        self.run.emit(Event::Waiting {
            step: self.step.to_owned(),
            what: what.into(),
            elapsed_ms: ms(self.since.elapsed()),
            usual_ms: (ms(usual.0), ms(usual.1)),
            limit_ms: ms(self.limit),
        });
    }

    /// A start that was waited for has been watched; unlike a wait it stays in the journal.
    pub fn watched(&mut self, event: Event) {
        self.run.emit(event);
    }

    /// Says every second that `what` is still waited for, as long as `work` takes.
    pub async fn while_waiting<T>(
        &mut self,
        what: &str,
        usual: (Duration, Duration),
        work: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(TELL) => self.waiting(what, usual),
            }
        }
    }

    /// Keeps a file in the run's folder, for its owner alone, whole and durable when this returns. Where it is comes back.
    ///
    /// # Errors
    /// [`Kind::Host`].
    pub fn keep(&mut self, name: &str, content: &[u8]) -> Result<String, Trouble> {
        self.run.keep(name, content).map_err(host)
    }

    /// A file that an earlier part of this run kept in its folder.
    ///
    /// # Errors
    /// [`Kind::Host`].
    pub fn kept(&mut self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        self.run.kept(name).map_err(host)
    }

    /// Keeps what later runs should know, by folder and name.
    ///
    /// # Errors
    /// [`Kind::Host`].
    pub fn remember(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), Trouble> {
        self.run.remember(folder, name, content).map_err(host)
    }

    /// What an earlier run remembered.
    ///
    /// # Errors
    /// [`Kind::Host`].
    pub fn recall(&mut self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        self.run.recall(folder, name).map_err(host)
    }

    /// Wall-clock time.
    pub fn now(&self) -> jiff::Timestamp {
        self.run.now()
    }

    /// Time left until the end of patience.
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.since.elapsed())
    }

    /// Waits, or hears that the run should stop.
    ///
    /// # Errors
    /// [`Kind::Interrupted`].
    pub async fn pause(&mut self, time: Duration) -> Result<(), Trouble> {
        interruptible(&mut self.stop, tokio::time::sleep(time)).await
    }
}

fn host(error: StoreError) -> Trouble {
    let made = room(&JournalError::Store(error.clone()));
    Trouble::new(Kind::Host, error.code(), error.to_string()).hint(made)
}

pub(super) fn interrupted() -> Trouble {
    Trouble::new(Kind::Interrupted, "bootstrap.interrupted", "stopped on request")
}

pub(super) async fn interruptible<F: Future<Output = ()>>(
    stop: &mut watch::Receiver<bool>,
    future: F,
) -> Result<(), Trouble> {
    let work = async {
        future.await;
        Ok(())
    };
    unless_stopped(stop, work).await
}

/// Lets go of work that is under way when the run should stop. Its consoles are in an unknown state then.
pub(super) async fn unless_stopped<T>(
    stop: &mut watch::Receiver<bool>,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    tokio::select! {
        biased;
        stopped = stop.wait_for(|stop| *stop) => {
            // a sender that is gone can't ask any more
            if stopped.is_ok() { return Err(interrupted()) }
            std::future::pending().await
        }
        done = work => done,
    }
}

pub(super) fn progress<'p>(
    run: &'p mut dyn Run,
    stop: watch::Receiver<bool>,
    step: &Step,
    since: Instant,
) -> Progress<'p> {
    Progress { run, stop, step: step.id.id(), since, limit: Duration::from_secs(step.limit_s) }
}
