//! `/system script job`: scripts that run at this moment.

use std::collections::BTreeMap;

use crate::kernel::JobId;

/// One running script, or one session that runs a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Number of its id.
    pub id: u32,
    /// `/system script` name, if it is one.
    pub script: Option<String>,
    /// On whose behalf.
    pub owner: String,
    /// `command` or `scheduler`, as the menu says it.
    pub kind: &'static str,
    /// Unix time of its start.
    pub started: u64,
    /// The kernel job that runs it, if it has one of its own.
    pub kernel: Option<JobId>,
}

/// The list.
#[derive(Debug, Default)]
pub struct Jobs {
    list: BTreeMap<u32, Job>,
    last_id: u32,
}

impl Jobs {
    /// Adds a job and gives its number.
    pub fn add(&mut self, script: Option<String>, owner: &str, kind: &'static str, started: u64) -> u32 {
        self.last_id += 1;
        let id = self.last_id;
        self.list.insert(id, Job { id, script, owner: owner.to_owned(), kind, started, kernel: None });
        id
    }

    /// Says which kernel job runs it.
    pub fn runs_as(&mut self, id: u32, kernel: JobId) {
        if let Some(job) = self.list.get_mut(&id) {
            job.kernel = Some(kernel);
        }
    }

    /// Takes a job out.
    pub fn remove(&mut self, id: u32) -> Option<Job> {
        self.list.remove(&id)
    }

    /// All jobs, oldest first.
    pub fn list(&self) -> impl Iterator<Item = &Job> {
        self.list.values()
    }
}
