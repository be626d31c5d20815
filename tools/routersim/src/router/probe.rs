//! A test's own hand inside a router: scripts run as a user would, without a console.

use std::cell::RefCell;
use std::rc::Rc;

use mactelnet::Instant;

use super::machine::Router;
use crate::record::Via;
use crate::script::{Error, Value};
use crate::system::{Caller, Collect};

/// A script that was started on a router.
#[derive(Debug, Clone, Default)]
pub struct Running {
    output: Collect,
    result: Rc<RefCell<Option<Result<Value, Error>>>>,
}

impl Running {
    /// What it gave or how it failed, once it has ended.
    pub fn result(&self) -> Option<Result<Value, Error>> {
        self.result.borrow().clone()
    }

    /// What it printed since the last look.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.take()).into_owned()
    }
}

impl Router {
    /// Starts a script with a user's rights. `None` while the router has no system.
    pub fn start_script(&mut self, now: Instant, user: &str, text: &str) -> Option<Running> {
        let system = Rc::clone(self.system()?);
        let running = Running::default();
        let (handle, text) = (running.clone(), text.to_owned());
        let sys = Rc::clone(&system);
        let user = user.to_owned();
        system.kernel.spawn("test script", async move {
            let ctx = sys.ctx(Caller::alone(sys.who(&user, Via::Test)), Rc::new(handle.output.clone()));
            let result = sys.run_text("test", None, text.as_bytes(), ctx).await;
            *handle.result.borrow_mut() = Some(result);
        });
        self.pump(now);
        Some(running)
    }

    /// Runs a script to its end, moving `now` as far as it takes; frames meanwhile are lost. What it printed, or its
    /// error in RouterOS's words.
    pub fn run_script(&mut self, now: &mut Instant, user: &str, text: &str) -> Result<String, String> {
        let running = self.start_script(*now, user, text).ok_or("the router does not run")?;
        while running.result().is_none() {
            match self.poll_timeout() {
                Some(at) => *now = at.max(*now),
                None => return Err("the script waits for ever".to_owned()),
            }
            self.handle_timeout(*now);
            while self.poll_transmit().is_some() {}
            if self.system().is_none() {
                return Err("the router went down".to_owned());
            }
        }
        match running.result() {
            Some(Ok(_)) => Ok(running.output()),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("the script did not end".to_owned()),
        }
    }
}
