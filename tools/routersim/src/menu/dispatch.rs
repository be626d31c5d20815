//! The router as scripts see it: every menu command comes through here.

use std::rc::Rc;

use routeros_script::names::in_group;

use super::catalog::path_of;
use super::refused::Refused;
use crate::kernel::Kernel;
use crate::record::Via;
use crate::script::{Ctx, Error, Execute, Host, LocalFuture, MenuCommand, Value};
use crate::system::{Caller, Collect, Policy, System, Who};

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Error::new(refused.to_string())
    }
}

impl System {
    /// Shortened names of arguments become whole.
    fn whole_names(&self, path: &str, command: &mut MenuCommand) {
        let special = self.special(path, &command.verb);
        let mut wanted = special.is_some_and(|special| special.unnamed);
        let sets = special.is_none() && matches!(command.verb.as_str(), "add" | "set");
        let mut group = String::new();
        for arg in &mut command.args {
            if let Some(name) = &mut arg.name {
                *name = in_group(&mut group, name);
            } else if let Some(word) = arg.literal.as_deref().filter(|_| sets) {
                self.property_alone(path, &command.verb, word).clone_into(&mut arg.name);
                if arg.name.is_some() {
                    (arg.literal, arg.value) = (Some("yes".to_owned()), Value::Bool(true));
                }
            }
            match (&mut arg.name, &mut arg.literal) {
                (Some(name), _) if !name.starts_with('!') && !self.models_parameter(path, &command.verb, name) => {
                    if let Some(whole) = self.parameter(path, &command.verb, name) {
                        *name = whole;
                    }
                }
                // The first one is a value where one is wanted.
                (None, Some(word)) if !wanted => {
                    if let Some(whole) = self.flag_word(path, &command.verb, word) {
                        whole.clone_into(word);
                    }
                }
                (None, _) => wanted = false,
                _ => {}
            }
        }
    }
}

impl System {
    /// A property that nobody modelled has no value anyway: `!name` asks for nothing.
    fn without_nothing(&self, path: &str, command: &mut MenuCommand) {
        let (verb, args) = (command.verb.as_str(), &mut command.args);
        args.retain(|arg| {
            let negated = arg.name.as_deref().and_then(|name| name.strip_prefix('!'));
            negated.is_none_or(|name| self.models_parameter(path, verb, name))
        });
    }

    /// The argument that a word without a value is: `!name` for a property without one, or a name that switches it on.
    fn property_alone(&self, path: &str, verb: &str, word: &str) -> Option<String> {
        if let Some(name) = word.strip_prefix('!') {
            let menu: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
            let known = self
                .parameter(path, verb, name)
                .or_else(|| self.tree_takes(&menu, verb, name).then(|| name.to_owned()));
            return known.map(|name| format!("!{name}"));
        }
        let known = || self.parameter(path, verb, word).is_some_and(|whole| whole == word);
        (self.stands_alone(word) && known()).then(|| word.to_owned())
    }
}

impl Host for System {
    fn kernel(&self) -> Kernel {
        self.kernel.clone()
    }

    fn command<'a>(&'a self, ctx: &'a Ctx, mut command: MenuCommand) -> LocalFuture<'a, Result<Value, Error>> {
        Box::pin(async move {
            let Some(sys) = self.rc() else { return Err(Error::interrupted()) };
            let path = path_of(&command.menu);
            let caller = Caller::of(ctx);
            sys.whole_names(&path, &mut command);
            sys.without_nothing(&path, &mut command);
            if let Some(refused) = sys.beyond(&path, &command, &caller.who.user) {
                return Err(refused.into());
            }
            if let Some(special) = sys.special(&path, &command.verb) {
                if !caller.who.policy.covers(Policy::from_list(special.policy)) {
                    return Err(Refused::NotPermitted.into());
                }
                return (special.run)(sys, ctx, &command).await;
            }
            if command.verb == "export" {
                return super::export::run(&sys, ctx, &path, &command).await;
            }
            let menu = sys.menu(&path).ok_or_else(|| Refused::BadCommand(command.verb.clone()))?;
            sys.generic(ctx, &caller, menu, &command).await
        })
    }

    fn not_simulated(&self, ctx: &Ctx, command: &str, argument: &str) -> Error {
        System::not_simulated(self, &format!(":{command} {argument}"), &ctx.user).into()
    }

    fn execute<'a>(&'a self, ctx: &'a Ctx, job: Execute) -> LocalFuture<'a, Result<Value, Error>> {
        Box::pin(async move {
            let Some(sys) = self.rc() else { return Err(Error::interrupted()) };
            let who = Who { via: Via::Execute, session: None, ..Caller::of(ctx).who.clone() };
            let output = Collect::default();
            let inner = sys.ctx(Caller::alone(who), Rc::new(output.clone()));
            if job.as_string {
                sys.run_event("execute", &job.source, inner).await?;
                let mut text = output.take();
                if text.last() == Some(&b'\n') {
                    text.pop();
                }
                return Ok(Value::str(text));
            }
            let background = Rc::clone(&sys);
            let id = sys.kernel.spawn("execute", async move {
                let result = background.run_event("execute", &job.source, inner).await;
                if let Err(error) = &result {
                    background.script_failed("execute", error);
                }
                if let Some(file) = job.file {
                    let name = if file.contains('.') { file } else { format!("{file}.txt") };
                    if background.write_file(&name, output.take()).is_err() {
                        background.log("system,error", &format!("could not write {name}"));
                    }
                }
            });
            sys.belongs_to_console(id);
            Ok(Value::Id(id.0))
        })
    }
}
