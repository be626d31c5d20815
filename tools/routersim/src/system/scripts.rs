//! Running scripts: on whose behalf, with which rights, where their output goes.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use super::core::System;
use super::who::{Policy, Who};
use crate::console::CommandIo;
use crate::kernel::JobId;
use crate::menu::Item;
use crate::quirks::Globals as Sharing;
use crate::raw;
use crate::record::{EventKind, SessionId, Via};
use crate::script::{Ctx, Error, Globals, Interp, Output, Silent, Value};

/// Bytes of output kept of one script.
const MAX_OUTPUT: usize = 1 << 20;
/// The first version in which a script runs with its caller's rights, unless told to use its own; before, with its own
/// (manual, Script permissions; that it came with `use-script-permissions` is inferred).
pub(crate) const CALLERS_RIGHTS_SINCE: (u16, u16) = (7, 15);

/// What stands behind a script's context: who gave the command, and the terminal if it was typed.
#[derive(Debug, Clone)]
pub struct Caller {
    /// On whose behalf.
    pub who: Who,
    /// The terminal, when a person can be asked there.
    pub io: Option<CommandIo>,
    /// The console session.
    pub session: Option<SessionId>,
}

impl Caller {
    /// Somebody without a terminal.
    pub fn alone(who: Who) -> Self {
        Self { who, io: None, session: None }
    }

    /// The one behind a context; nobody with rights, if there is none.
    pub fn of(ctx: &Ctx) -> Rc<Self> {
        let caller = ctx.session.clone().and_then(|any| any.downcast::<Self>().ok());
        caller.unwrap_or_else(|| {
            Rc::new(Self::alone(Who {
                user: Rc::clone(&ctx.user),
                policy: Policy::NONE,
                via: Via::Test,
                session: None,
            }))
        })
    }
}

/// Collects output as text.
#[derive(Default, Clone)]
pub struct Collect(Rc<RefCell<Vec<u8>>>);

impl Collect {
    /// What was written so far, lines ended by LF.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut())
    }
}

impl Output for Collect {
    fn line(&self, text: &[u8]) {
        let mut all = self.0.borrow_mut();
        if all.len() + text.len() < MAX_OUTPUT {
            all.extend(text);
            all.push(b'\n');
        }
    }
}

impl fmt::Debug for Collect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collect({} bytes)", self.0.borrow().len())
    }
}

/// Takes a job out of the list when its script ends, also when it is killed.
struct Listed {
    sys: Weak<System>,
    id: u32,
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(sys) = self.sys.upgrade()
            && let Ok(mut volatile) = sys.volatile.try_borrow_mut()
        {
            volatile.jobs.remove(self.id);
        }
    }
}

impl System {
    /// The globals that a user sees.
    pub fn globals_of(&self, user: &str) -> Globals {
        let owner = match self.quirks.globals {
            Sharing::Shared => "",
            Sharing::PerUser => user,
        };
        self.globals.borrow_mut().entry(owner.to_owned()).or_default().clone()
    }

    /// All global variables: owner, name, value.
    pub fn globals(&self) -> Vec<(String, String, String)> {
        let globals = self.globals.borrow();
        let all = globals.iter().flat_map(|(user, globals)| {
            let owner = if user.is_empty() { "*sys" } else { user };
            let list = globals.all().into_iter();
            list.map(move |(name, value)| (owner.to_owned(), raw::text(&name), value.to_text()))
        });
        all.collect()
    }

    /// Removes the global variable that stands at `id` in [`System::globals`], counted from 1.
    pub fn forget_global(&self, id: u32) -> bool {
        let Some(at) = usize::try_from(id).ok().and_then(|id| id.checked_sub(1)) else { return false };
        let globals = self.globals.borrow();
        let mut all =
            globals.values().flat_map(|globals| globals.all().into_iter().map(move |(name, _)| (globals, name)));
        all.nth(at).is_some_and(|(globals, name)| globals.remove(&name))
    }

    /// A script context on behalf of a caller.
    pub fn ctx(&self, caller: Caller, output: Rc<dyn Output>) -> Ctx {
        let user = Rc::clone(&caller.who.user);
        let mut ctx = Ctx::new(self.language(), &user, self.globals_of(&user));
        ctx.output = output;
        ctx.session = Some(Rc::new(caller) as Rc<dyn Any>);
        ctx
    }

    /// The language's version.
    pub fn language(&self) -> routeros_script::Version {
        *self.spec.version
    }

    fn listed(&self, script: Option<String>, owner: &str, kind: &'static str) -> (u32, Listed) {
        let id = self.volatile.borrow_mut().jobs.add(script, owner, kind, self.unix_time());
        (id, Listed { sys: self.me.clone(), id })
    }

    /// Runs a text as a script, listed as a job.
    pub async fn run_text(
        self: &Rc<Self>,
        name: &str,
        script: Option<&str>,
        text: &[u8],
        ctx: Ctx,
    ) -> Result<Value, Error> {
        let who = Caller::of(&ctx).who.clone();
        let kind = if who.via == Via::Scheduler { "scheduler" } else { "command" };
        let (id, _listed) = self.listed(script.map(str::to_owned), &who.user, kind);
        if let Some(job) = self.kernel.current() {
            self.volatile.borrow_mut().jobs.runs_as(id, job);
        }
        self.note(EventKind::ScriptStarted { name: name.to_owned(), via: who.via, user: who.user.to_string() });
        let result = Interp::new(Rc::clone(self) as Rc<dyn crate::script::Host>, ctx).script(text).await;
        let error = result.as_ref().err().map(ToString::to_string);
        self.note(EventKind::ScriptEnded { name: name.to_owned(), error });
        result
    }

    /// Runs a text piece by piece and shows each before it runs. `dry`: they are only read, and every error is shown.
    pub async fn run_aloud(self: &Rc<Self>, name: &str, text: &[u8], ctx: Ctx, dry: bool) -> Result<Value, Error> {
        let who = Caller::of(&ctx).who.clone();
        let (_, _listed) = self.listed(None, &who.user, "command");
        self.note(EventKind::ScriptStarted { name: name.to_owned(), via: who.via, user: who.user.to_string() });
        let interp = Interp::new(Rc::clone(self) as Rc<dyn crate::script::Host>, ctx);
        let result = if dry {
            match interp.script_tried(text) {
                0 => Ok(Value::Nothing),
                errors => Err(Error::new(format!("found {errors} error(s) in import file"))),
            }
        } else {
            interp.script_aloud(text).await
        };
        let error = result.as_ref().err().map(ToString::to_string);
        self.note(EventKind::ScriptEnded { name: name.to_owned(), error });
        result
    }

    /// Runs a `/system script` item for somebody whose rights cover its policies. `own`: with those alone.
    pub async fn run_item(self: &Rc<Self>, item: &Item, ctx: &Ctx, own: bool) -> Result<Value, Error> {
        let caller = Caller::of(ctx);
        let mine = Policy::from_list(item.get("policy").unwrap_or(crate::menu::tables::ALL_POLICIES));
        let checked = item.get("dont-require-permissions") != Some("yes");
        if checked && !caller.who.policy.covers(mine) {
            return Err(Error::permissions());
        }
        let policy = match (own || !self.spec.version.at_least(CALLERS_RIGHTS_SINCE.0, CALLERS_RIGHTS_SINCE.1), checked)
        {
            (true, _) => mine,
            (false, true) => caller.who.policy,
            // What the script brings along where it is not asked for [verify].
            (false, false) => caller.who.policy.or(mine),
        };
        let now = self.unix_time();
        {
            let mut volatile = self.volatile.borrow_mut();
            let runs = volatile.runs.entry(("/system/script", item.id)).or_insert((0, now));
            *runs = (runs.0 + 1, now);
        }
        let name = item.get("name").unwrap_or_default();
        let source = raw::bytes(item.get("source").unwrap_or_default());
        let who = Who { policy, ..caller.who.clone() };
        let mut inner = ctx.clone();
        inner.session = Some(Rc::new(Caller { who, io: None, session: caller.session }) as Rc<dyn Any>);
        // Boxed: scripts run scripts.
        let run: crate::script::LocalFuture<'_, _> = Box::pin(self.run_text(name, Some(name), &source, inner));
        run.await
    }

    /// Runs what an event names: a script of that name, or the text itself.
    pub async fn run_event(self: &Rc<Self>, name: &str, text: &[u8], ctx: Ctx) -> Result<Value, Error> {
        let item = self.config(|config| config.by_name("/system/script", raw::text(text).trim()).cloned());
        match item {
            Some(item) => self.run_item(&item, &ctx, false).await,
            None => self.run_text(name, None, text, ctx).await,
        }
    }

    /// Starts an event's script as a job of its own, whose errors go to the log.
    pub fn spawn_event(self: &Rc<Self>, name: &str, text: String, who: Who) -> JobId {
        let sys = Rc::clone(self);
        let name = name.to_owned();
        let id = self.kernel.spawn(name.clone(), async move {
            let ctx = sys.ctx(Caller::alone(who), Rc::new(Silent));
            if let Err(error) = sys.run_event(&name, &raw::bytes(&text), ctx).await {
                sys.script_failed(&name, &error);
            }
        });
        self.belongs_to_console(id);
        id
    }

    /// Notes in the log that a background script failed.
    pub fn script_failed(&self, name: &str, error: &Error) {
        self.log("script,error", &format!("{name}: {error}"));
    }

    /// Ends a job of the list.
    pub fn end_job(&self, id: u32) -> bool {
        let job = self.volatile.borrow_mut().jobs.remove(id);
        let Some(job) = job else { return false };
        if let Some(kernel) = job.kernel {
            self.kernel.kill(kernel);
        }
        true
    }
}
