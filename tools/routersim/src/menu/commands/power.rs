//! Reboot, shutdown, reset.

use std::rc::Rc;

use crate::menu::kind::Kind;
use crate::menu::values::text_of;
use crate::record::{EventKind, Outcome};
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, PowerAction, Reset, System};

/// Notes that a command was given and, where a person gave it, asks. Whether it is to be done.
pub(super) async fn asked(sys: &System, ctx: &Ctx, command: &'static str, question: &str) -> bool {
    let caller = Caller::of(ctx);
    sys.note(EventKind::Asked { command, user: caller.who.user.to_string(), via: caller.who.via });
    let Some(io) = &caller.io else { return true };
    let answer = Answering { sys, command, open: true };
    let yes = io.confirm(question).await;
    answer.close(yes);
    yes
}

/// A question that is dropped with its session counts as declined.
struct Answering<'a> {
    sys: &'a System,
    command: &'static str,
    open: bool,
}

impl Answering<'_> {
    fn close(mut self, yes: bool) {
        self.open = !yes;
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        if self.open {
            self.sys.note(EventKind::Answered { command: self.command, outcome: Outcome::Declined });
        }
    }
}

pub(super) fn answered(sys: &System, command: &'static str, outcome: Outcome) {
    sys.note(EventKind::Answered { command, outcome });
}

pub(super) async fn reboot(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    const NAME: &str = "/system/reboot";
    if asked(&sys, ctx, NAME, "Reboot, yes?").await {
        say(ctx, "system will reboot shortly");
        answered(&sys, NAME, Outcome::Done);
        sys.power.set(Some(PowerAction::Reboot));
    }
    Ok(Value::Nothing)
}

pub(super) async fn shutdown(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    const NAME: &str = "/system/shutdown";
    if asked(&sys, ctx, NAME, "Shutdown, yes?").await {
        say(ctx, "system will shutdown promptly");
        answered(&sys, NAME, Outcome::Done);
        sys.power.set(Some(PowerAction::Halt));
    }
    Ok(Value::Nothing)
}

pub(super) async fn reset(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    const NAME: &str = "/system/reset-configuration";
    let flag = |name: &str| -> Result<bool, Error> {
        match command.named(name) {
            Some(arg) => Ok(Kind::Bool.parse(name, &text_of(arg), sys.as_ref())? == "yes"),
            None => Ok(false),
        }
    };
    let reset = Reset {
        keep_users: flag("keep-users")?,
        no_defaults: flag("no-defaults")?,
        skip_backup: flag("skip-backup")?,
        run_after_reset: command.named("run-after-reset").map(text_of).filter(|name| !name.is_empty()),
    };
    if asked(&sys, ctx, NAME, "Dangerous! Reset anyway?").await {
        say(ctx, "system configuration will be reset");
        sys.take_reset(reset);
        answered(&sys, NAME, Outcome::Done);
        sys.power.set(Some(PowerAction::Reboot));
    }
    Ok(Value::Nothing)
}

/// What a person is told; scripts print nothing here.
pub(super) fn say(ctx: &Ctx, text: &str) {
    if Caller::of(ctx).io.is_some() {
        ctx.output.line(text.as_bytes());
    }
}
