//! The console process dies and comes back.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::core::System;
use crate::kernel::JobId;
use crate::record::EventKind;

/// Ended jobs are forgotten when that many are noted.
const MANY_JOBS: usize = 256;

impl System {
    /// Notes a kernel job that ends with the console process.
    pub(crate) fn belongs_to_console(&self, job: JobId) {
        let mut jobs = self.console_jobs.borrow_mut();
        if jobs.len() >= MANY_JOBS {
            let live: BTreeSet<JobId> = self.kernel.jobs().into_iter().map(|(id, _)| id).collect();
            jobs.retain(|id| live.contains(id));
        }
        jobs.push(job);
    }

    /// Sessions, running scripts and globals are gone; startup items are due again; uptime goes on
    /// (script-subset.md section 5.11).
    pub fn crash_console(self: &Rc<Self>) {
        for job in self.console_jobs.take() {
            self.kernel.kill(job);
        }
        for globals in self.globals.borrow().values() {
            globals.clear();
        }
        self.volatile.borrow_mut().safe_mode = None;
        self.note(EventKind::ConsoleCrash);
        let sys = Rc::clone(self);
        let job = self.kernel.spawn("console start", async move {
            sys.kernel.sleep(sys.spec.scaled(sys.spec.boot.startup)).await;
            sys.start_scheduler();
        });
        self.belongs_to_console(job);
    }
}
