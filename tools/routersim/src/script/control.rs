//! The commands that run blocks or touch variables, and the arguments of all of them.

use std::rc::Rc;
use std::time::Duration;

use routeros_script::ast::{self, BinaryOp, Command, Expr, ExprKind};
use routeros_script::commands::Builtin;
use routeros_script::{Outcome, judge};

use super::array::Array;
use super::builtins;
use super::error::{Error, ErrorKind, Flow, Run};
use super::host::{Execute, LocalFuture};
use super::interp::{Frame, Interp, ready};
use super::value::{Body, Code, Value};
use crate::raw;

/// How many `->` the target of one `:set` may have; arrays nest no deeper.
const MAX_KEYS: usize = 64;

/// An argument as written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Word(&'a str),
    Expr(&'a Expr),
    Empty,
}

/// The arguments of one of the language's commands by parameter name.
#[derive(Debug)]
pub(super) struct Bound<'a>(Vec<(&'a str, Given<'a>)>);

impl<'a> Bound<'a> {
    fn new(builtin: &Builtin, command: &'a Command) -> Result<Self, Error> {
        let named =
            |name: &str| command.args.iter().any(|arg| matches!(arg, ast::Arg::Named(word, _) if word.text == name));
        let mut free = builtin.unnamed.iter().filter(|name| !named(name));
        let mut given: Vec<(&'a str, Given<'a>)> = Vec::new();
        let end = || Error::new("expected end of command");
        for word in command.words.iter().skip(1) {
            given.push(match builtin.flag(&word.text) {
                Some(flag) => (flag, Given::Empty),
                None => (*free.next().ok_or_else(end)?, Given::Word(&word.text)),
            });
        }
        for arg in &command.args {
            given.push(match arg {
                ast::Arg::Named(name, Some(value)) => (name.text.as_str(), Given::Expr(value)),
                ast::Arg::Named(name, None) => (name.text.as_str(), Given::Empty),
                ast::Arg::Unnamed(Expr { kind: ExprKind::Literal(_, text), .. }) if builtin.flag(text).is_some() => {
                    (text.as_str(), Given::Empty)
                }
                ast::Arg::Unnamed(value) => (*free.next().ok_or_else(end)?, Given::Expr(value)),
                ast::Arg::Where(_) => return Err(end()),
            });
        }
        Ok(Self(given))
    }

    pub(super) fn get(&self, name: &str) -> Option<Given<'a>> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, given)| *given)
    }

    fn need(&self, name: &str) -> Result<Given<'a>, Error> {
        self.get(name).ok_or_else(|| Error::missing(name))
    }
}

impl Interp {
    pub(super) fn builtin<'a>(
        &'a self,
        frame: &'a Frame,
        builtin: &'a Builtin,
        command: &'a Command,
    ) -> LocalFuture<'a, Run<Value>> {
        let bound = match Bound::new(builtin, command) {
            Ok(bound) => bound,
            Err(error) => return ready(Err(error.into())),
        };
        match builtin.name {
            "put" => self.put(frame, bound),
            "local" | "global" | "set" => self.assign(frame, builtin.name, bound),
            "if" => self.if_else(frame, bound),
            "while" => self.while_loop(frame, bound),
            "do" => self.do_block(frame, bound),
            "for" => self.for_loop(frame, bound),
            "foreach" => self.foreach_loop(frame, bound),
            "onerror" => self.onerror(frame, bound),
            "retry" => self.retry(frame, bound),
            "error" | "return" => self.leave(frame, builtin.name, bound),
            "break" => ready(Err(Flow::Break)),
            "continue" => ready(Err(Flow::Continue)),
            "exit" => ready(Err(Flow::Exit)),
            "delay" => self.delay(frame, bound),
            "time" => self.time(frame, bound),
            "execute" => self.execute(frame, bound),
            "parse" => self.parse(frame, bound),
            name => self.function_of_values(frame, name, bound),
        }
    }

    fn put<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let text = match self.given(frame, bound.get("message")).await? {
                // Only here does what `:parse` gave show as the router understood it.
                Value::Code(code) if !code.function => match judge(code.source(), self.ctx.version) {
                    Outcome::Accepted { form, .. } => form.into_bytes(),
                    Outcome::Refused(_) => Value::Code(code).text(),
                },
                other => other.text(),
            };
            self.ctx.output.line(&text);
            Ok(Value::str(text))
        })
    }

    fn if_else<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let branch = if self.holds(frame, bound.need("condition")?).await? { "do" } else { "else" };
            self.body(frame, bound.get(branch), &[]).await
        })
    }

    fn while_loop<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            while self.holds(frame, bound.need("condition")?).await? {
                self.tick().await;
                if self.turn(frame, bound.get("do"), &[]).await? {
                    break;
                }
            }
            Ok(Value::Nil)
        })
    }

    /// `:error` and `:return`.
    fn leave<'a>(&'a self, frame: &'a Frame, how: &'a str, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            if how == "error" {
                let message = self.given(frame, bound.get("message")).await?;
                return Err(Error::raised(&message).into());
            }
            if self.ctx.version.is_v7() && bound.get("value").is_none() {
                return Err(Error::missing("value").into());
            }
            Err(Flow::Return(self.given(frame, bound.get("value")).await?))
        })
    }

    fn delay<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let time = match bound.get("delay-time") {
                Some(given) => self.duration(frame, given).await?,
                None => Duration::from_secs(1),
            };
            self.host.kernel().sleep(time).await;
            Ok(Value::Nil)
        })
    }

    fn time<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let started = self.host.kernel().now();
            self.body(frame, bound.get("command"), &[]).await?;
            let now = self.host.kernel().now();
            Ok(Value::time(now.saturating_since(started)))
        })
    }

    fn parse<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let text = self.given(frame, bound.get("value")).await?.text();
            Ok(self.parsed(frame, &text)?)
        })
    }

    fn function_of_values<'a>(
        &'a self,
        frame: &'a Frame,
        name: &'a str,
        bound: Bound<'a>,
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let mut args = builtins::Args::default();
            for (argument, given) in &bound.0 {
                if (name, *argument) == ("serialize", "file-name") || (name, *argument) == ("serialize", "order") {
                    return Err(self.host.not_simulated(&self.ctx, name, argument).into());
                }
                let literal = match given {
                    Given::Word(text) => Some((*text).to_owned()),
                    Given::Expr(Expr { kind: ExprKind::Literal(_, text), .. }) => Some(text.clone()),
                    _ => None,
                };
                args.push(argument, self.given(frame, Some(*given)).await?, literal);
            }
            if matches!(name, "serialize" | "deserialize")
                && let Some(option) = args.text("options").as_deref().and_then(unknown_option)
            {
                return Err(self.host.not_simulated(&self.ctx, name, &format!("options={option}")).into());
            }
            if name == "convert"
                && let Some(what) = unknown_form(&args)
            {
                return Err(self.host.not_simulated(&self.ctx, name, &what).into());
            }
            Ok(builtins::run(name, &args, &self.host.kernel(), self.ctx.version)?)
        })
    }

    pub(super) fn given<'a>(&'a self, frame: &'a Frame, given: Option<Given<'a>>) -> LocalFuture<'a, Run<Value>> {
        match given {
            Some(Given::Word(text)) => ready(Ok(Value::read(text))),
            Some(Given::Expr(expr)) => self.eval(frame, expr),
            Some(Given::Empty) | None => ready(Ok(Value::Nothing)),
        }
    }

    fn holds<'a>(&'a self, frame: &'a Frame, given: Given<'a>) -> LocalFuture<'a, Run<bool>> {
        Box::pin(async move {
            let value = self.given(frame, Some(given)).await?;
            Ok(super::ops::truth(&value)?)
        })
    }

    fn duration<'a>(&'a self, frame: &'a Frame, given: Given<'a>) -> LocalFuture<'a, Run<Duration>> {
        Box::pin(async move {
            // `.05` and `0.5` are seconds here, though the second one reads as an address elsewhere.
            let value = match given {
                Given::Word(text) => Value::str(text),
                Given::Expr(Expr { kind: ExprKind::Literal(_, text), .. }) => Value::str(text),
                other => self.given(frame, Some(other)).await?,
            };
            let time = value.as_time().and_then(|time| u64::try_from(time).ok());
            Ok(Duration::from_nanos(time.ok_or_else(|| Error::invalid_value("delay-time"))?))
        })
    }

    /// Runs what `do=` and the like hold, with variables of its own.
    pub(super) fn body<'a>(
        &'a self,
        frame: &'a Frame,
        given: Option<Given<'a>>,
        variables: &'a [(&'a [u8], Value)],
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let inner = frame.inside();
            for (name, value) in variables {
                inner.scope.local(name, value.clone());
            }
            match given {
                Some(Given::Expr(Expr { kind: ExprKind::Block(block), .. })) => self.block(&inner, block, false).await,
                given => match self.given(&inner, given).await? {
                    Value::Code(code) => match &code.body {
                        Body::Block(block) => {
                            let frame = Frame { src: std::sync::Arc::clone(&code.src), ..inner };
                            self.block(&frame, block, false).await
                        }
                        Body::Quoted(_) => self.call_code(&code, Vec::new()).await,
                    },
                    value => Ok(value),
                },
            }
        })
    }

    /// One turn of a loop; whether it was the last.
    fn turn<'a>(
        &'a self,
        frame: &'a Frame,
        given: Option<Given<'a>>,
        variables: &'a [(&'a [u8], Value)],
    ) -> LocalFuture<'a, Run<bool>> {
        Box::pin(async move {
            match self.body(frame, given, variables).await {
                Ok(_) | Err(Flow::Continue) => Ok(false),
                Err(Flow::Break) => Ok(true),
                Err(flow) => Err(flow),
            }
        })
    }

    fn assign<'a>(&'a self, frame: &'a Frame, how: &'a str, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let given = bound.need("name")?;
            let value = match (bound.get("do"), bound.get("value")) {
                (Some(code), _) => Some(match self.given(frame, Some(code)).await? {
                    Value::Code(code) => Value::Code(Rc::new(Code { function: true, ..(*code).clone() })),
                    value => value,
                }),
                (None, Some(value)) => Some(self.given(frame, Some(value)).await?),
                (None, None) => None,
            };
            if let (Given::Expr(Expr { kind: ExprKind::Paren(inner), .. }), "set") = (given, how) {
                self.assign_element(frame, inner, value.unwrap_or_default()).await?;
                return Ok(Value::Nil);
            }
            let name = self.variable_name(frame, given).await?;
            match how {
                "local" => frame.scope.local(&name, value.unwrap_or_default()),
                "global" => {
                    frame.scope.global(&name);
                    if let Some(value) = value {
                        frame.scope.globals().set(&name, value);
                    }
                }
                _ => {
                    let there = match value {
                        Some(value) => frame.scope.set(&name, value),
                        None => frame.scope.unset(&name),
                    };
                    if !there {
                        let name = raw::text(&name);
                        return Err(Error::new(format!("no such variable {name}")).into());
                    }
                }
            }
            Ok(Value::Nil)
        })
    }

    fn variable_name<'a>(&'a self, frame: &'a Frame, given: Given<'a>) -> LocalFuture<'a, Run<Vec<u8>>> {
        Box::pin(async move {
            match given {
                Given::Word(text) => Ok(text.as_bytes().to_vec()),
                Given::Expr(Expr { kind: ExprKind::Literal(_, text), .. }) => Ok(text.as_bytes().to_vec()),
                Given::Expr(Expr { kind: ExprKind::Var(name), .. }) => Ok(name.text.clone()),
                other => Ok(self.given(frame, Some(other)).await?.text()),
            }
        })
    }

    /// `:set ($array->key->...) value`.
    fn assign_element<'a>(&'a self, frame: &'a Frame, target: &'a Expr, value: Value) -> LocalFuture<'a, Run<()>> {
        Box::pin(async move {
            let mut keys = Vec::new();
            let mut base = target;
            while let ExprKind::Binary(BinaryOp::Element, left, right) = &base.kind {
                if keys.len() > MAX_KEYS {
                    return Err(Error::limit("array too big").into());
                }
                keys.push(self.eval(frame, right).await?);
                base = left;
            }
            let name = match &base.kind {
                ExprKind::Var(name) => name.text.clone(),
                ExprKind::Word(word) => word.as_bytes().to_vec(),
                _ => return Err(Error::invalid_value("name").into()),
            };
            let whole = self.put_element(frame.scope.get(&name).unwrap_or_default(), &mut keys, value)?;
            if frame.scope.set(&name, whole) {
                Ok(())
            } else {
                Err(Error::new(format!("no such variable {}", raw::text(&name))).into())
            }
        })
    }

    fn do_block<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            if let Some(condition) = bound.get("if")
                && !self.holds(frame, condition).await?
            {
                return Ok(Value::Nil);
            }
            loop {
                let result = match bound.get("while") {
                    None => self.body(frame, bound.get("command"), &[]).await,
                    Some(_) => match self.turn(frame, bound.get("command"), &[]).await {
                        Ok(true) => return Ok(Value::Nil),
                        Ok(false) => Ok(Value::Nil),
                        Err(flow) => Err(flow),
                    },
                };
                match (result, bound.get("on-error")) {
                    (Err(Flow::Error(error)), Some(handler)) if error.kind != ErrorKind::Interrupted => {
                        return self.body(frame, Some(handler), &[]).await;
                    }
                    (Err(flow), _) => return Err(flow),
                    (Ok(_), _) => {}
                }
                match bound.get("while") {
                    Some(condition) if self.holds(frame, condition).await? => self.tick().await,
                    _ => return Ok(Value::Nil),
                }
            }
        })
    }

    fn for_loop<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let name = self.variable_name(frame, bound.need("counter")?).await?;
            let mut numbers = [0_i64; 2];
            for (slot, parameter) in numbers.iter_mut().zip(["from", "to"]) {
                let value = self.given(frame, Some(bound.need(parameter)?)).await?;
                *slot = value.as_num().ok_or_else(|| Error::invalid_value(parameter))?;
            }
            let [mut at, to] = numbers;
            // Without a step it counts towards `to`.
            let step = match bound.get("step") {
                Some(given) => {
                    let step = self.given(frame, Some(given)).await?.as_num();
                    step.ok_or_else(|| Error::invalid_value("step"))?
                }
                None if at <= to => 1,
                None => -1,
            };
            while (step >= 0 && at <= to) || (step < 0 && at >= to) {
                self.tick().await;
                if self.turn(frame, bound.get("do"), &[(&name, Value::Num(at))]).await? {
                    break;
                }
                match at.checked_add(step) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            Ok(Value::Nil)
        })
    }

    fn foreach_loop<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let names = self.variable_name(frame, bound.need("counter")?).await?;
            let array = match self.given(frame, Some(bound.need("in")?)).await? {
                Value::Array(array) => array,
                Value::Nothing | Value::Nil => Rc::new(Array::default()),
                Value::Str(text) if text.is_empty() => Rc::new(Array::default()),
                scalar => Rc::new([scalar].into_iter().collect()),
            };
            let (first, second) = match names.iter().position(|byte| *byte == b',') {
                Some(at) => (names.get(..at).unwrap_or_default(), names.get(at + 1..)),
                None => (names.as_slice(), None),
            };
            for (key, value) in array.pairs() {
                self.tick().await;
                let variables = match second {
                    Some(second) => vec![(first, key), (second, value.clone())],
                    None => vec![(first, value.clone())],
                };
                if self.turn(frame, bound.get("do"), &variables).await? {
                    break;
                }
            }
            Ok(Value::Nil)
        })
    }

    /// `:onerror name in={...} do={...}`: whether there was an error.
    fn onerror<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let name = self.variable_name(frame, bound.need("error")?).await?;
            match self.body(frame, Some(bound.need("in")?), &[]).await {
                Ok(_) => Ok(Value::Bool(false)),
                Err(Flow::Error(error)) if error.kind != ErrorKind::Interrupted => {
                    self.body(frame, bound.get("do"), &[(&name, Value::str(error.to_string()))]).await?;
                    Ok(Value::Bool(true))
                }
                Err(flow) => Err(flow),
            }
        })
    }

    fn retry<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let delay = self.duration(frame, bound.need("delay")?).await?;
            let max = self.given(frame, Some(bound.need("max")?)).await?;
            let max = max.as_num().filter(|max| *max >= 0).ok_or_else(|| Error::invalid_value("max"))?;
            for attempt in 1..=max {
                match self.body(frame, Some(bound.need("command")?), &[]).await {
                    Err(Flow::Error(error)) if error.kind != ErrorKind::Interrupted => {
                        if attempt < max {
                            self.host.kernel().sleep(delay).await;
                        } else if let Some(handler) = bound.get("on-error") {
                            return self.body(frame, Some(handler), &[]).await;
                        } else {
                            return Err(error.into());
                        }
                    }
                    result => return result,
                }
            }
            Ok(Value::Nil)
        })
    }

    fn execute<'a>(&'a self, frame: &'a Frame, bound: Bound<'a>) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let source = match self.given(frame, Some(bound.need("script")?)).await? {
                Value::Code(code) => code.source().to_vec(),
                other => other.text(),
            };
            let file = match bound.get("file") {
                Some(given) => Some(self.given(frame, Some(given)).await?.to_text()),
                None => None,
            };
            let as_string = match bound.get("as-string") {
                Some(given) => self.given(frame, Some(given)).await?.as_bool().unwrap_or(true),
                None => false,
            };
            Ok(self.host.execute(&self.ctx, Execute { source, file, as_string }).await?)
        })
    }

    fn parsed(&self, frame: &Frame, text: &[u8]) -> Result<Value, Error> {
        let version = self.ctx.version;
        let script = routeros_script::parse_in(text, version, frame.menu.is_empty()).map_err(|error| {
            match judge(text, version) {
                Outcome::Refused(exact) if version.major >= 7 => exact,
                _ => error,
            }
        })?;
        routeros_script::check(&script, self.host.as_ref(), &frame.menu)?;
        let body = Body::Block(std::sync::Arc::clone(&script.body));
        let code =
            Code { src: std::sync::Arc::clone(&script.src), body, menu: Rc::clone(&frame.menu), function: false };
        Ok(Value::Code(Rc::new(code)))
    }

    /// `whole` with the element at the path `keys` (innermost first) set.
    fn put_element(&self, whole: Value, keys: &mut Vec<Value>, value: Value) -> Result<Value, Error> {
        let Some(key) = keys.pop() else { return Ok(value) };
        let mut array = match whole {
            Value::Array(array) => (*array).clone(),
            _ => Array::default(),
        };
        let inner = self.put_element(array.get(&key).cloned().unwrap_or_default(), keys, value)?;
        if !array.set(&key, inner) {
            let key = key.to_text();
            return Err(self.host.not_simulated(&self.ctx, "set", &format!("element {key} behind an array's end")));
        }
        Ok(Value::Array(Rc::new(array.checked()?)))
    }
}

/// The first of the options of `:serialize` that nobody modelled.
fn unknown_option(options: &str) -> Option<&str> {
    let known = |option: &&str| matches!(*option, "" | "json.pretty" | "json.no-string-conversion");
    options.split([',', ';']).find(|option| !known(option))
}

/// What `:convert` of a router has and nobody modelled.
fn unknown_form(args: &builtins::Args) -> Option<String> {
    const FORMS: &[&str] = &["num", "base32", "byte-array", "bit-array-lsb", "bit-array-msb"];
    let among = |name: &str, list: &[&str]| args.text(name).filter(|text| list.contains(&text.as_str()));
    [("from", FORMS), ("to", FORMS), ("transform", &["ucfirst", "lcfirst"])]
        .into_iter()
        .find_map(|(name, list)| among(name, list).map(|text| format!("{name}={text}")))
}
