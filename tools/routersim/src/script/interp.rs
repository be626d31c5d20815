//! Runs statements: blocks, calls, commands.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use routeros_script::ast::{self, Block, Call, Command, Expr, ExprKind, Script, Statement};
use routeros_script::check::{bad_argument, bad_argument_is_late};
use routeros_script::{Lookup, Names, Position, Resolution, check, commands, parse, parse_in, resolve};

use super::env::Scope;
use super::error::{Error, ErrorKind, Flow, Run};
use super::expr::returned;
use super::host::{Arg, Ctx, Filter, Host, LocalFuture, MenuCommand};
use super::value::{Body, Code, Value};

/// How deep blocks, calls and scripts run by scripts may nest. A router's own limit is not known; this one keeps a
/// running script within the stack of a thread.
pub const MAX_DEPTH: usize = 120;
/// How many levels a whole script counts for: running one goes through the router.
pub(super) const SCRIPT_LEVELS: usize = 6;
/// Statements and loop turns between two waits.
const STATEMENTS_PER_WAIT: u32 = 64;
/// The first version that prints the failed command and its line. Seen on 7.21 and later; the number is inferred.
const PLACES_SINCE: (u16, u16) = (7, 20);
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

/// What a call is given, by name or number.
type Given = Vec<(Vec<u8>, Value)>;

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
        Value::Code(Rc::new(Code { src, body: Body::Block(Arc::clone(block)), menu, function: false }))
    }
}

/// One level of nesting; ends when dropped, also with a killed job.
pub(super) struct Level(Rc<Cell<usize>>, usize);

impl Drop for Level {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(self.1));
    }
}

/// A future that is there already.
pub(super) fn ready<'a, T: 'a>(value: T) -> LocalFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

/// The router's names, and which variables the prompt sees.
pub(super) struct PromptNames<'a>(pub(super) &'a dyn Host, pub(super) &'a Ctx);

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

    /// Runs a whole script from the root menu: parsed and checked before its first statement runs; what a router of the
    /// version finds only when it gets there ends it there. Gives what it returned.
    pub async fn script(&self, src: &[u8]) -> Result<Value, Error> {
        let script = parse(src, self.ctx.version)?;
        check(&script, self.host.as_ref(), &[])?;
        let mut menu = Vec::new();
        self.run(&script, &mut menu, false).await
    }

    /// Runs a line typed at a prompt in `menu`, which a bare path changes. Every global variable is visible.
    pub async fn line(&self, src: &[u8], menu: &mut Vec<String>) -> Result<Value, Error> {
        let script = parse_in(src, self.ctx.version, menu.is_empty())?;
        check(&script, &PromptNames(self.host.as_ref(), &self.ctx), menu)?;
        self.run(&script, menu, true).await
    }

    /// Calls a function with positional arguments.
    pub async fn function(&self, code: &Code, args: Vec<Value>) -> Result<Value, Error> {
        let args = (1..).zip(args).map(|(at, value): (usize, Value)| (at.to_string().into_bytes(), value)).collect();
        Self::finish(self.call_code(code, args).await)
    }

    pub(super) fn finish(result: Run<Value>) -> Result<Value, Error> {
        match result {
            Ok(value) | Err(Flow::Return(value)) => Ok(value),
            Err(Flow::Error(error)) => Err(error),
            Err(Flow::Break | Flow::Continue | Flow::Exit) => Ok(Value::Nothing),
        }
    }

    async fn run(&self, script: &Script, menu: &mut Vec<String>, prompt: bool) -> Result<Value, Error> {
        let _level = self.deeper(SCRIPT_LEVELS)?;
        let scope = Scope::root(self.ctx.globals.clone(), prompt);
        let menu_before = Rc::from(menu.as_slice());
        let mut frame = Frame { src: Arc::clone(&script.src), scope, menu: menu_before, item: None };
        let result = self.statements(&mut frame, &script.body, false).await;
        *menu = frame.menu.to_vec();
        Self::finish(result)
    }

    pub(super) fn deeper(&self, levels: usize) -> Result<Level, Error> {
        let depth = &self.ctx.depth;
        if depth.get() + levels > MAX_DEPTH {
            return Err(Error::limit("maximum nesting depth reached"));
        }
        depth.set(depth.get() + levels);
        Ok(Level(Rc::clone(depth), levels))
    }

    /// Counts one statement or loop turn, and waits now and then.
    pub(super) async fn tick(&self) {
        let count = self.statements.get() + 1;
        self.statements.set(count % STATEMENTS_PER_WAIT);
        if count == STATEMENTS_PER_WAIT {
            self.host.kernel().sleep(STATEMENT_COST * STATEMENTS_PER_WAIT).await;
        }
    }

    // Every step is a future of its own on the heap: nested scripts then cost little of the thread's stack.

    /// Runs a block in a scope of its own. `used`: its last value is wanted.
    pub(super) fn block<'a>(&'a self, frame: &'a Frame, block: &'a Block, used: bool) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let _level = self.deeper(1)?;
            let mut frame = frame.inside();
            self.statements(&mut frame, block, used).await
        })
    }

    /// `[ ... ]` as a statement: in the scope around it, in its own menu.
    fn bracket<'a>(&'a self, frame: &'a Frame, block: &'a Block) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let _level = self.deeper(1)?;
            self.statements(&mut frame.clone(), block, true).await
        })
    }

    pub(super) fn statements<'a>(
        &'a self,
        frame: &'a mut Frame,
        block: &'a Block,
        used: bool,
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let mut value = Value::Nil;
            let last = block.statements.len().saturating_sub(1);
            for (at, statement) in block.statements.iter().enumerate() {
                self.tick().await;
                value = self.statement(frame, statement, used && at == last).await?;
            }
            Ok(value)
        })
    }

    fn statement<'a>(
        &'a self,
        frame: &'a mut Frame,
        statement: &'a Statement,
        used: bool,
    ) -> LocalFuture<'a, Run<Value>> {
        match statement {
            Statement::Block(block) => self.block(frame, block, false),
            Statement::Bracket(block, args) => self.bracket_again(frame, block, args, used),
            Statement::Paren(expr, args) => self.call_value(frame, expr, args),
            Statement::Call(call) => self.call(frame, call),
            Statement::Command(command) => {
                let host = self.host.as_ref();
                let resolved = resolve(host, self.ctx.version, &frame.src, &frame.menu, command);
                let resolved = match resolved {
                    Ok(resolved) => resolved,
                    Err(error) => return ready(Err(Error::from(error).into())),
                };
                let Some(name) = &resolved.command else {
                    if let Some(block) = command.block() {
                        let inside = Frame { menu: Rc::from(resolved.menu), ..frame.clone() };
                        return Box::pin(async move { self.block(&inside, block, false).await });
                    }
                    frame.menu = Rc::from(resolved.menu);
                    return ready(Ok(Value::Nil));
                };
                let frame = &*frame;
                if bad_argument_is_late(self.ctx.version)
                    && let Some(error) = bad_argument(host, self.ctx.version, &frame.src, command, &resolved)
                {
                    return ready(Err(Error::from(error).into()));
                }
                let (run, name) = if resolved.builtin {
                    match commands::find(name, self.ctx.version) {
                        Some(builtin) => (self.builtin(frame, builtin, command), format!(":{name}")),
                        None => return ready(Err(Error::new(format!("bad command name {name}")).into())),
                    }
                } else {
                    let path = [resolved.menu.as_slice(), resolved.command.as_slice()].concat().join("/");
                    (self.menu_command(frame, command, resolved, used), format!("/{path}"))
                };
                Box::pin(async move { run.await.map_err(|flow| self.placed(flow, frame, command, &name)) })
            }
        }
    }

    /// `[[...]]` gives the inner value unchanged, but runs what `[:parse ...]` gave, as `[:parse ...]` alone does.
    fn bracket_again<'a>(
        &'a self,
        frame: &'a Frame,
        block: &'a Block,
        args: &'a [ast::Arg],
        used: bool,
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            match returned(self.bracket(frame, block).await)? {
                Value::Code(code) if !args.is_empty() => {
                    let args = self.call_args(frame, args, Vec::new()).await?;
                    returned(self.activate(&code, args, used).await)
                }
                Value::Code(code) if used || (!code.function && matches!(code.body, Body::Block(_))) => {
                    returned(self.activate(&code, Vec::new(), used).await)
                }
                value => Ok(value),
            }
        })
    }

    /// Notes which command failed, unless one inside it did already.
    fn placed(&self, flow: Flow, frame: &Frame, command: &Command, name: &str) -> Flow {
        match flow {
            Flow::Error(mut error)
                if error.place.is_none()
                    && matches!(error.kind, ErrorKind::Run | ErrorKind::Raised)
                    && self.ctx.version.at_least(PLACES_SINCE.0, PLACES_SINCE.1) =>
            {
                let line = Position::of(&frame.src, command.span.start).line;
                error.place = Some(format!("{name}; line {line}"));
                Flow::Error(error)
            }
            flow => flow,
        }
    }

    fn menu_command<'a>(
        &'a self,
        frame: &'a Frame,
        command: &'a Command,
        resolved: Resolution,
        used: bool,
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
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
        })
    }

    /// `$name arguments`. A variable that holds no code gives its value.
    fn call<'a>(&'a self, frame: &'a Frame, call: &'a Call) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let value = self.variable(frame, &call.name.text);
            let Value::Code(code) = value else { return Ok(value) };
            // `$0` is the function itself as it was called, `$1` the first argument.
            let itself = vec![(b"0".to_vec(), Value::str([b"$", call.name.text.as_slice()].concat()))];
            let args = self.call_args(frame, &call.args, itself).await?;
            self.call_code(&code, args).await
        })
    }

    /// `($functions->"name") arguments`. What isn't code is its own value. What `$0` is then is not known \[verify\].
    fn call_value<'a>(&'a self, frame: &'a Frame, expr: &'a Expr, args: &'a [ast::Arg]) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let value = self.eval(frame, expr).await?;
            let Value::Code(code) = value else { return Ok(value) };
            let args = self.call_args(frame, args, Vec::new()).await?;
            self.call_code(&code, args).await
        })
    }

    /// Adds the arguments of a call to `values`, those without a name by their numbers.
    fn call_args<'a>(
        &'a self,
        frame: &'a Frame,
        args: &'a [ast::Arg],
        mut values: Given,
    ) -> LocalFuture<'a, Run<Given>> {
        Box::pin(async move {
            let mut position = 0_usize;
            for arg in args {
                match arg {
                    ast::Arg::Named(name, value) => {
                        let value = self.optional(frame, value.as_ref()).await?;
                        values.push((name.text.clone().into_bytes(), value));
                    }
                    ast::Arg::Unnamed(value) => {
                        position += 1;
                        values.push((position.to_string().into_bytes(), self.eval(frame, value).await?));
                    }
                    ast::Arg::Where(_) => {}
                }
            }
            Ok(values)
        })
    }

    fn optional<'a>(&'a self, frame: &'a Frame, value: Option<&'a Expr>) -> LocalFuture<'a, Run<Value>> {
        match value {
            Some(value) => self.eval(frame, value),
            None => ready(Ok(Value::Nothing)),
        }
    }

    /// Calls code as a function: its result is what it returns; of what `:parse` gave, the last value too (inferred).
    pub(super) fn call_code<'a>(&'a self, code: &'a Code, args: Given) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let gives = matches!(code.body, Body::Quoted(_)) || !code.function;
            match self.activate(code, args, gives).await {
                Err(Flow::Return(value)) => Ok(value),
                Ok(value) if gives => Ok(value),
                Ok(_) => Ok(Value::Nothing),
                Err(flow) => Err(flow),
            }
        })
    }

    /// Runs code in a scope that holds its arguments and nothing of its caller's. The arguments are locals of the code's own
    /// block: a `:global` of the same name there declares the variable and doesn't uncover it (the manual's example).
    pub(super) fn activate<'a>(&'a self, code: &'a Code, args: Given, used: bool) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let scope = Scope::call(self.ctx.globals.clone());
            for (name, value) in args {
                scope.local(&name, value);
            }
            let mut frame = Frame { src: Arc::clone(&code.src), scope, menu: Rc::clone(&code.menu), item: None };
            match &code.body {
                Body::Block(block) => {
                    let _level = self.deeper(1)?;
                    self.statements(&mut frame, block, used).await
                }
                Body::Quoted(expr) => self.eval(&frame, expr).await,
            }
        })
    }
}
