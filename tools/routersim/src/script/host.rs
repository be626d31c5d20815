//! What the router gives to scripts, and what scripts ask of it.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use routeros_script::ast::Expr;
use routeros_script::{Names, Span, Version};

use super::env::Globals;
use super::error::{Error, Flow};
use super::interp::{Frame, Interp};
use super::value::Value;
use crate::kernel::Kernel;

/// A future of one router's jobs.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The router, as scripts see it. Its [`Names`] are the menus and their commands, and the root's commands that are not
/// the language's own (`/import`, `/export`, `/ping`, `:resolve`, `:beep`, `/quit` ...).
pub trait Host: Names {
    /// The kernel that scripts wait on.
    fn kernel(&self) -> Kernel;

    /// Runs a command of a menu. Values print through `ctx.output`, never by return.
    fn command<'a>(&'a self, ctx: &'a Ctx, command: MenuCommand) -> LocalFuture<'a, Result<Value, Error>>;

    /// The refusal of an argument of one of the language's own commands that nobody modelled.
    fn not_simulated(&self, _ctx: &Ctx, command: &str, argument: &str) -> Error {
        Error::failure(&format!("not simulated: :{command} {argument}"))
    }

    /// `:execute`: starts a job and gives its id, or waits for its output with `as-string`.
    fn execute<'a>(&'a self, ctx: &'a Ctx, job: Execute) -> LocalFuture<'a, Result<Value, Error>>;
}

/// Where `:put` and `print` write.
pub trait Output {
    /// Takes one line of output without its line end.
    fn line(&self, text: &[u8]);
}

/// Swallows everything, as for a script run by the scheduler.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Output for Silent {
    fn line(&self, _text: &[u8]) {}
}

/// Who runs a script, and where. Cheap to clone; change what differs for a script that a script runs.
#[derive(Clone)]
pub struct Ctx {
    /// The router's version: what the language knows depends on it.
    pub version: Version,
    /// Whose rights it has.
    pub user: Rc<str>,
    /// The global variables that it sees.
    pub globals: Globals,
    /// Where it prints.
    pub output: Rc<dyn Output>,
    /// The router's own handle on what started it: a console session, a job. `None` for none.
    pub session: Option<Rc<dyn Any>>,
    /// How deep scripts run scripts at this moment; clones share it, so that a script that runs itself ends.
    pub(super) depth: Rc<Cell<usize>>,
}

impl Ctx {
    /// A context that prints nowhere and belongs to no session.
    pub fn new(version: Version, user: &str, globals: Globals) -> Self {
        Self { version, user: Rc::from(user), globals, output: Rc::new(Silent), session: None, depth: Rc::default() }
    }

    /// The same with another output.
    pub fn with_output(&self, output: Rc<dyn Output>) -> Self {
        Self { output, ..self.clone() }
    }

    /// The same for a job of its own, which starts a new count of nesting.
    pub fn detached(&self) -> Self {
        Self { session: None, depth: Rc::default(), ..self.clone() }
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("version", &self.version).field("user", &self.user).finish_non_exhaustive()
    }
}

/// One argument of a menu command.
#[derive(Debug, Clone)]
pub struct Arg {
    /// Its name; `None` for an unnamed value or a flag such as `detail`.
    pub name: Option<String>,
    /// Its value; [`Value::Nothing`] for `name=` with nothing behind it.
    pub value: Value,
    /// The text of an unquoted value exactly as written (`yes`, `01`, `10m`), so that a text property can keep it.
    pub literal: Option<String>,
    /// Its place in the script.
    pub span: Span,
}

impl Arg {
    /// Its text: as written where it was unquoted, else the value's.
    pub fn text(&self) -> Vec<u8> {
        match (&self.literal, &self.value) {
            (Some(literal), _) => literal.clone().into_bytes(),
            // Code given to a text property is its source.
            (None, Value::Code(code)) => code.source().to_vec(),
            (None, value) => value.text(),
        }
    }
}

/// A command for a menu, evaluated as far as it can be without the menu.
#[derive(Debug, Clone)]
pub struct MenuCommand {
    /// The menu from the root, whole names; empty for a command of the root.
    pub menu: Vec<String>,
    /// The command's whole name.
    pub verb: String,
    /// Arguments in order.
    pub args: Vec<Arg>,
    /// What `find` or `where` looks for; `None` for everything.
    pub filter: Option<Filter>,
    /// Whether its value is used, as in `[...]`; `add` and `print` differ.
    pub in_brackets: bool,
    /// The line in the script, from 1, for messages.
    pub line: usize,
}

impl MenuCommand {
    /// The argument called `name`.
    pub fn named(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|arg| arg.name.as_deref() == Some(name))
    }

    /// The unnamed arguments, in order.
    pub fn unnamed(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter().filter(|arg| arg.name.is_none())
    }

    /// Whether the bare word `word` is among the arguments, or `word=yes`.
    pub fn flag(&self, word: &str) -> bool {
        self.args.iter().any(|arg| match arg.name.as_deref() {
            None => arg.literal.as_deref() == Some(word),
            Some(name) => name == word && arg.value.as_bool() == Some(true),
        })
    }
}

/// What `find` or `where` looks for: a condition on one item at a time.
///
/// Inside it a bare word and `$word` are the item's property of that name before they are a variable: a variable called
/// like a property compares the property with itself, a trap that real routers set too.
#[derive(Clone)]
pub struct Filter {
    pub(super) interp: Interp,
    pub(super) frame: Frame,
    pub(super) expr: Arc<Expr>,
}

impl Filter {
    /// Whether an item matches. `property` gives [`Value::Nothing`] for a property without a value, and `None` for a word that
    /// is no property of the menu. It may wait (the condition may hold commands), so borrow nothing across it.
    pub async fn matches(&self, property: impl Fn(&str) -> Option<Value> + 'static) -> Result<bool, Error> {
        let frame = Frame { item: Some(Rc::new(property)), ..self.frame.clone() };
        match self.interp.condition(&frame, &self.expr).await {
            Ok(matched) => Ok(matched),
            Err(Flow::Error(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({})", self.expr.span.of(&self.frame.src).escape_ascii())
    }
}

/// What `:execute` starts.
#[derive(Debug, Clone)]
pub struct Execute {
    /// The script's text, or a script's name.
    pub source: Vec<u8>,
    /// Where its output goes, as given.
    pub file: Option<String>,
    /// Wait, and give the output as the value.
    pub as_string: bool,
}
