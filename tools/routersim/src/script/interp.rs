//! Runs statements: blocks, calls, commands.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use routeros_script::ast::{self, Block, Call, Command, Expr, ExprKind, Script, Statement};
use routeros_script::{Lookup, Names, Position, Resolution, check, commands, parse, resolve};

use super::env::Scope;
use super::error::{Error, Flow, Run};
use super::host::{Arg, Ctx, Filter, Host, LocalFuture, MenuCommand};
use super::value::{Body, Code, Value};

/// How deep blocks, calls and scripts run by scripts may nest. A router's own limit is not known; this one keeps a
/// running script within the stack of a thread.
pub const MAX_DEPTH: usize = 120;
/// Statements and loop turns between two waits.
const STATEMENTS_PER_WAIT: u32 = 64;
/// What a statement costs in virtual time: some ten thousand statements a second (order of magnitude only).
const STATEMENT_COST: Duration = Duration::from_micros(50);

/// Runs one script, or one line of a prompt. Clones share everything.
#[derive(Clone)]
pub struct Interp {
    pub(super) host: Rc<dyn Host>,
    pub(super) ctx: Ctx,
    statements: Rc<Cell<u32>>,
}

impl fmt::Debug for Interp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interp").field("ctx", &self.ctx).finish_non_exhaustive()
    }
}

/// Where a statement runs.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) src: Arc<[u8]>,
    pub(super) scope: Rc<Scope>,
    pub(super) menu: Rc<[String]>,
    /// The item that a condition is asked about.
    pub(super) item: Option<Rc<Property>>,
}

/// Gives an item's property by name.
pub(super) type Property = dyn Fn(&str) -> Option<Value>;

impl Frame {
    pub(super) fn inside(&self) -> Self {
        Self { scope: self.scope.inside(), ..self.clone() }
    }

    pub(super) fn code(&self, block: &Arc<Block>) -> Value {
        let (src, menu) = (Arc::clone(&self.src), Rc::clone(&self.menu));
        Value::Code(Rc::new(Code { src, body: Body::Block(Arc::clone(block)), menu }))
    }
}

/// One level of nesting; ends when dropped, also with a killed job.
pub(super) struct Level(Rc<Cell<usize>>);

impl Drop for Level {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// The router's names, and which variables the prompt sees.
struct PromptNames<'a>(&'a dyn Host, &'a Ctx);

impl Names for PromptNames<'_> {
    fn lookup(&self, menu: &[String], word: &str) -> Lookup {
        self.0.lookup(menu, word)
    }
    fn takes_parameter(&self, menu: &[String], command: &str, name: &str) -> bool {
        self.0.takes_parameter(menu, command, name)
    }
    fn takes_word(&self, menu: &[String], command: &str, word: &str) -> bool {
        self.0.takes_word(menu, command, word)
    }
    fn variable(&self, name: &[u8]) -> bool {
        self.1.globals.get(name).is_some()
    }
}

impl Interp {
    /// An engine for one script on behalf of `ctx`.
    pub fn new(host: Rc<dyn Host>, ctx: Ctx) -> Self {
        Self { host, ctx, statements: Rc::default() }
    }

    /// Runs a whole script from the root menu: parsed and checked before its first statement runs. Gives what it
    /// returned.
    pub async fn script(&self, src: &[u8]) -> Result<Value, Error> {
        let script = parse(src, self.ctx.version)?;
        check(&script, self.host.as_ref(), &[])?;
        let mut menu = Vec::new();
        self.run(&script, &mut menu, false).await
    }

    /// Runs a line typed at a prompt in `menu`, which a bare path changes. Every global variable is visible.
    pub async fn line(&self, src: &[u8], menu: &mut Vec<String>) -> Result<Value, Error> {
        let script = parse(src, self.ctx.version)?;
        check(&script, &PromptNames(self.host.as_ref(), &self.ctx), menu)?;
        self.run(&script, menu, true).await
    }

    /// Calls a function with positional arguments.
    pub async fn function(&self, code: &Code, args: Vec<Value>) -> Result<Value, Error> {
        let args = args.into_iter().map(|value| (None, value)).collect();
        Self::finish(self.call_code(code, args).await)
    }

    fn finish(result: Run<Value>) -> Result<Value, Error> {
        match result {
            Ok(value) | Err(Flow::Return(value)) => Ok(value),
            Err(Flow::Error(error)) => Err(error),
            Err(Flow::Break | Flow::Continue | Flow::Exit) => Ok(Value::Nothing),
        }
    }

    async fn run(&self, script: &Script, menu: &mut Vec<String>, prompt: bool) -> Result<Value, Error> {
        let _level = self.deeper()?;
        let scope = Scope::root(self.ctx.globals.clone(), prompt);
        let menu_before = Rc::from(menu.as_slice());
        let mut frame = Frame { src: Arc::clone(&script.src), scope, menu: menu_before, item: None };
        let result = self.statements(&mut frame, &script.body, false).await;
        *menu = frame.menu.to_vec();
        Self::finish(result)
    }

    pub(super) fn deeper(&self) -> Result<Level, Error> {
        let depth = &self.ctx.depth;
        if depth.get() >= MAX_DEPTH {
            return Err(Error::limit("maximum nesting depth reached"));
        }
        depth.set(depth.get() + 1);
        Ok(Level(Rc::clone(depth)))
    }

    /// Counts one statement or loop turn, and waits now and then.
    pub(super) async fn tick(&self) {
        let count = self.statements.get() + 1;
        self.statements.set(count % STATEMENTS_PER_WAIT);
        if count == STATEMENTS_PER_WAIT {
            self.host.kernel().sleep(STATEMENT_COST * STATEMENTS_PER_WAIT).await;
        }
    }

    /// Runs a block in a scope of its own. `used`: its last value is wanted.
    pub(super) fn block<'a>(&'a self, frame: &'a Frame, block: &'a Block, used: bool) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let _level = self.deeper()?;
            let mut frame = frame.inside();
            self.statements(&mut frame, block, used).await
        })
    }

    async fn statements(&self, frame: &mut Frame, block: &Block, used: bool) -> Run<Value> {
        let mut value = Value::Nothing;
        let last = block.statements.len().saturating_sub(1);
        for (at, statement) in block.statements.iter().enumerate() {
            self.tick().await;
            value = self.statement(frame, statement, used && at == last).await?;
        }
        Ok(value)
    }

    async fn statement(&self, frame: &mut Frame, statement: &Statement, used: bool) -> Run<Value> {
        match statement {
            Statement::Block(block) => self.block(frame, block, false).await,
            // `[[...]]` gives the inner value unchanged, but runs what `[:parse ...]` gave.
            Statement::Bracket(block) => match self.block(frame, block, true).await? {
                Value::Code(code) if used => self.activate(&code, Vec::new(), true).await,
                value => Ok(value),
            },
            Statement::Call(call) => self.call(frame, call).await,
            Statement::Command(command) => {
                let host = self.host.as_ref();
                let resolved = resolve(host, self.ctx.version, &frame.src, &frame.menu, command);
                match resolved.map_err(Error::from)? {
                    Resolution { command: None, menu, .. } => {
                        frame.menu = Rc::from(menu);
                        Ok(Value::Nothing)
                    }
                    Resolution { command: Some(name), builtin: true, .. } => {
                        let Some(builtin) = commands::find(&name, self.ctx.version) else {
                            return Err(Error::new(format!("bad command name {name}")).into());
                        };
                        self.builtin(frame, builtin, command).await
                    }
                    resolved => self.menu_command(frame, command, resolved, used).await,
                }
            }
        }
    }

    async fn menu_command(&self, frame: &Frame, command: &Command, resolved: Resolution, used: bool) -> Run<Value> {
        let Resolution { menu, command: verb, used: taken, .. } = resolved;
        let frame = Frame { menu: Rc::from(menu.as_slice()), ..frame.clone() };
        let mut args: Vec<Arg> = Vec::new();
        for word in command.words.iter().skip(taken) {
            let value = Value::read(&word.text);
            args.push(Arg { name: None, value, literal: Some(word.text.clone()), span: word.span });
        }
        let mut filter = None;
        for arg in &command.args {
            let (name, value) = match arg {
                ast::Arg::Named(name, value) => (Some(name.text.clone()), value.as_ref()),
                ast::Arg::Unnamed(value) => (None, Some(value)),
                ast::Arg::Where(expr) => {
                    filter = expr.as_ref().map(|expr| Filter {
                        interp: self.clone(),
                        frame: frame.clone(),
                        expr: Arc::clone(expr),
                    });
                    continue;
                }
            };
            let literal = match value.map(|value| &value.kind) {
                Some(ExprKind::Literal(_, text)) => Some(text.clone()),
                _ => None,
            };
            let value = match value {
                Some(value) => self.eval(&frame, value).await?,
                None => Value::Nothing,
            };
            args.push(Arg { name, value, literal, span: arg.span() });
        }
        let line = Position::of(&frame.src, command.span.start).line;
        let verb = verb.unwrap_or_default();
        let command = MenuCommand { menu, verb, args, filter, in_brackets: used, line };
        Ok(self.host.command(&self.ctx, command).await?)
    }

    /// `$name arguments`. A variable that holds no code gives its value.
    async fn call(&self, frame: &Frame, call: &Call) -> Run<Value> {
        let value = self.variable(frame, &call.name.text);
        let Value::Code(code) = value else { return Ok(value) };
        let mut args = Vec::new();
        for arg in &call.args {
            match arg {
                ast::Arg::Named(name, value) => {
                    let value = self.optional(frame, value.as_ref()).await?;
                    args.push((Some(name.text.clone().into_bytes()), value));
                }
                ast::Arg::Unnamed(value) => args.push((None, self.eval(frame, value).await?)),
                ast::Arg::Where(_) => {}
            }
        }
        self.call_code(&code, args).await
    }

    async fn optional(&self, frame: &Frame, value: Option<&Expr>) -> Run<Value> {
        match value {
            Some(value) => self.eval(frame, value).await,
            None => Ok(Value::Nothing),
        }
    }

    /// Calls code as a function: its result is what it returns.
    pub(super) async fn call_code(&self, code: &Code, args: Vec<(Option<Vec<u8>>, Value)>) -> Run<Value> {
        match self.activate(code, args, matches!(code.body, Body::Quoted(_))).await {
            Err(Flow::Return(value)) => Ok(value),
            Ok(value) if matches!(code.body, Body::Quoted(_)) => Ok(value),
            Ok(_) => Ok(Value::Nothing),
            Err(flow) => Err(flow),
        }
    }

    /// Runs code in a scope that holds its arguments and nothing of its caller's.
    pub(super) fn activate<'a>(
        &'a self,
        code: &'a Code,
        args: Vec<(Option<Vec<u8>>, Value)>,
        used: bool,
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let scope = Scope::root(self.ctx.globals.clone(), false);
            let mut position = 0_usize;
            for (name, value) in args {
                let name = name.unwrap_or_else(|| {
                    position += 1;
                    position.to_string().into_bytes()
                });
                scope.local(&name, value);
            }
            let frame = Frame { src: Arc::clone(&code.src), scope, menu: Rc::clone(&code.menu), item: None };
            match &code.body {
                Body::Block(block) => self.block(&frame, block, used).await,
                Body::Quoted(expr) => self.eval(&frame, expr).await,
            }
        })
    }
}
