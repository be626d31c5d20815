//! The console process dies and comes back.

use std::rc::Rc;

use super::core::System;
use crate::record::EventKind;

impl System {
    /// Sessions, running scripts and globals are gone; startup items are due again; uptime goes on
    /// (script-subset.md section 5.11).
    pub fn crash_console(self: &Rc<Self>) {
        for job in self.console_jobs.take() {
            self.kernel.kill(job);
        }
        for globals in self.globals.borrow().values() {
            globals.clear();
        }
        self.note(EventKind::ConsoleCrash);
        let sys = Rc::clone(self);
        let job = self.kernel.spawn("console start", async move {
            sys.kernel.sleep(sys.spec.scaled(sys.spec.boot.startup)).await;
            sys.start_scheduler();
        });
        self.console_jobs.borrow_mut().push(job);
    }
}
