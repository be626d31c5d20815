//! What a router checks before it runs the first statement: names of menus, commands, parameters and assigned variables.

use std::collections::BTreeSet;

use crate::Script;
use crate::ast::{Arg, Block, Command, Expr, ExprKind, Statement, StrPart, Word};
use crate::commands;
use crate::error::{ParseError, ParseErrorKind};
use crate::names::{Names, Resolution, resolve};
use crate::span::Span;

/// Checks a whole script that starts in the menu `current`. The first error found means that nothing of it runs.
///
/// Code given to a menu's command (`source={ }`, `on-event={ }`) is text to that command and is not checked.
pub fn check(script: &Script, names: &dyn Names, current: &[String]) -> Result<(), ParseError> {
    let mut checker = Checker { script, names, scopes: Vec::new() };
    checker.block(&script.body, current, &[])
}

struct Checker<'a> {
    script: &'a Script,
    names: &'a dyn Names,
    /// Variables declared so far, innermost scope last; `None` for a function's body, whose parameters have no declaration.
    scopes: Vec<Option<BTreeSet<Vec<u8>>>>,
}

impl Checker<'_> {
    fn error(&self, kind: ParseErrorKind, span: Span) -> ParseError {
        ParseError::new(&self.script.src, kind, span)
    }

    fn block(&mut self, block: &Block, menu: &[String], declared: &[Vec<u8>]) -> Result<(), ParseError> {
        self.scopes.push(Some(declared.iter().cloned().collect()));
        let mut menu = menu.to_vec();
        let result = block.statements.iter().try_for_each(|statement| self.statement(statement, &mut menu));
        self.scopes.pop();
        result
    }

    fn statement(&mut self, statement: &Statement, menu: &mut Vec<String>) -> Result<(), ParseError> {
        match statement {
            Statement::Block(block) => self.block(block, menu, &[]),
            Statement::Bracket(block) => {
                let mut menu = menu.clone();
                block.statements.iter().try_for_each(|statement| self.statement(statement, &mut menu))
            }
            Statement::Paren(expr) => self.expr(expr, menu),
            Statement::Call(call) => call.args.iter().try_for_each(|arg| self.arg(arg, menu)),
            Statement::Command(command) => {
                let resolved = resolve(self.names, self.script.version, &self.script.src, menu, command)?;
                match &resolved.command {
                    None => *menu = resolved.menu,
                    Some(name) if resolved.builtin => self.builtin(command, name, menu)?,
                    Some(name) => self.menu_command(command, name, &resolved)?,
                }
                Ok(())
            }
        }
    }

    fn menu_command(&mut self, command: &Command, name: &str, resolved: &Resolution) -> Result<(), ParseError> {
        for word in command.words.iter().skip(resolved.used) {
            if !self.names.takes_word(&resolved.menu, name, &word.text) {
                return Err(self.error(ParseErrorKind::BadParameter(word.text.clone()), word.span));
            }
        }
        for arg in &command.args {
            match arg {
                Arg::Named(word, value) => {
                    if !self.names.takes_parameter(&resolved.menu, name, &word.text) {
                        return Err(self.error(ParseErrorKind::BadParameter(word.text.clone()), word.span));
                    }
                    if !matches!(value, Some(Expr { kind: ExprKind::Block(_), .. })) {
                        self.arg(arg, &resolved.menu)?;
                    }
                }
                Arg::Unnamed(_) | Arg::Where(_) => self.arg(arg, &resolved.menu)?,
            }
        }
        Ok(())
    }

    fn builtin(&mut self, command: &Command, name: &str, menu: &[String]) -> Result<(), ParseError> {
        let Some(builtin) = commands::find(name, self.script.version) else { return Ok(()) };
        if declares(name)
            && let Some(word) = command.words.get(1)
        {
            self.plain_names(word)?;
        }
        let mut unnamed: Vec<(Span, Option<Vec<u8>>)> =
            command.words.iter().skip(1).map(|word| (word.span, Some(word.text.clone().into_bytes()))).collect();
        for arg in &command.args {
            match arg {
                Arg::Named(word, _) if !builtin.has(&word.text) => {
                    return Err(self.error(ParseErrorKind::BadParameter(word.text.clone()), word.span));
                }
                Arg::Named(word, Some(value)) if matches!(word.text.as_str(), "name" | "counter") => {
                    unnamed.insert(0, (value.span, variable_named(value)));
                }
                Arg::Named(..) => {}
                Arg::Unnamed(value) => unnamed.push((value.span, variable_named(value))),
                Arg::Where(filter) => {
                    let span = filter.as_ref().map_or(command.span, |filter| filter.span);
                    return Err(self.error(ParseErrorKind::ExpectedEndOfCommand, span));
                }
            }
        }
        unnamed.retain(|(_, text)| {
            text.as_deref()
                .and_then(|text| std::str::from_utf8(text).ok())
                .and_then(|text| builtin.flag(text))
                .is_none()
        });
        if let Some((span, _)) = unnamed.get(builtin.unnamed.len()) {
            return Err(self.error(ParseErrorKind::ExpectedEndOfCommand, *span));
        }
        let first = unnamed.into_iter().next();
        let mut inner = Vec::new();
        match (name, first) {
            ("set", Some((span, Some(variable)))) if !self.declared(&variable) => {
                return Err(self.error(ParseErrorKind::Syntax, span));
            }
            // A function may call itself, so its name is declared before its body.
            ("local" | "global", Some((_, Some(variable)))) => {
                if let Some(Some(scope)) = self.scopes.last_mut() {
                    scope.insert(variable);
                }
            }
            ("for" | "onerror", Some((_, Some(variable)))) => inner.push(variable),
            ("foreach", Some((_, Some(variables)))) => {
                inner.extend(variables.split(|byte| *byte == b',').map(<[u8]>::to_vec));
            }
            _ => {}
        }
        let function = matches!(name, "local" | "global" | "set");
        for arg in &command.args {
            let (is_do, value) = match arg {
                Arg::Named(word, Some(value)) => (word.text == "do", value),
                Arg::Unnamed(value) => (false, value),
                _ => continue,
            };
            match &value.kind {
                ExprKind::Block(block) if function && is_do => {
                    self.scopes.push(None);
                    let result = self.block(block, menu, &[]);
                    self.scopes.pop();
                    result?;
                }
                ExprKind::Block(block) => self.block(block, menu, &inner)?,
                _ => self.expr(value, menu)?,
            }
        }
        Ok(())
    }

    /// Unquoted names of variables have letters and digits only, and begin with a letter.
    fn plain_names(&self, word: &Word) -> Result<(), ParseError> {
        let mut begins = true;
        for (at, byte) in word.text.bytes().enumerate() {
            if !byte.is_ascii_alphabetic() && (begins || !(byte.is_ascii_digit() || byte == b',')) {
                let start = word.span.start + at;
                return Err(self.error(ParseErrorKind::Syntax, Span::new(start, start + 1)));
            }
            begins = byte == b',';
        }
        Ok(())
    }

    fn declared(&self, variable: &[u8]) -> bool {
        for scope in self.scopes.iter().rev() {
            match scope {
                None => return true,
                Some(scope) if scope.contains(variable) => return true,
                Some(_) => {}
            }
        }
        self.names.variable(variable)
    }

    fn arg(&mut self, arg: &Arg, menu: &[String]) -> Result<(), ParseError> {
        match arg {
            Arg::Named(_, Some(value)) | Arg::Unnamed(value) => self.expr(value, menu),
            Arg::Where(Some(filter)) => self.expr(filter, menu),
            Arg::Named(_, None) | Arg::Where(None) => Ok(()),
        }
    }

    fn expr(&mut self, expr: &Expr, menu: &[String]) -> Result<(), ParseError> {
        match &expr.kind {
            ExprKind::Literal(..) | ExprKind::Word(_) | ExprKind::Var(_) => Ok(()),
            ExprKind::Bracket(block) | ExprKind::Block(block) => self.block(block, menu, &[]),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => self.expr(inner, menu),
            ExprKind::Binary(..) => {
                // Chains are deep on their left side: no call for each operator.
                let (mut rights, mut first) = (Vec::new(), expr);
                while let ExprKind::Binary(_, left, right) = &first.kind {
                    rights.push(right.as_ref());
                    first = left;
                }
                self.expr(first, menu)?;
                rights.into_iter().rev().try_for_each(|right| self.expr(right, menu))
            }
            ExprKind::Str(parts) => parts.iter().try_for_each(|part| match part {
                StrPart::Text(_) => Ok(()),
                StrPart::Value(value) => self.expr(value, menu),
            }),
            ExprKind::Array(items) => items.iter().try_for_each(|item| {
                item.key.as_ref().map_or(Ok(()), |key| self.expr(key, menu))?;
                self.expr(&item.value, menu)
            }),
        }
    }
}

/// Whether a command's first unnamed argument names variables.
fn declares(command: &str) -> bool {
    matches!(command, "local" | "global" | "set" | "for" | "foreach" | "onerror")
}

/// The variable that the argument of `:local`, `:set`, `:for` ... names; `None` for an expression, as in `:set ($a->1) x`.
fn variable_named(value: &Expr) -> Option<Vec<u8>> {
    match &value.kind {
        ExprKind::Literal(_, text) => Some(text.clone().into_bytes()),
        ExprKind::Var(name) => Some(name.text.clone()),
        ExprKind::Str(_) => crate::expression::constant(value),
        _ => None,
    }
}
