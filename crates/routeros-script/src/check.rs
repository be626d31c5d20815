//! What a router checks before it runs the first statement: names of menus, commands, parameters and assigned variables.

use std::collections::BTreeSet;

use crate::Script;
use crate::ast::{Arg, Block, Command, Expr, ExprKind, Statement, StrPart, Word};
use crate::commands;
use crate::error::{ParseError, ParseErrorKind};
use crate::judge;
use crate::names::{Names, Resolution, in_group, resolve};
use crate::span::Span;
use crate::version::Version;

/// The first version that takes a name that its tree lacks, and says so only when it gets there. Captures of 7.20 and later
/// show it; of older ones nothing is known, and nothing of such a script runs.
const UNKNOWN_COMMAND_IS_LATE: (u16, u16) = (7, 20);

/// Checks a whole script that starts in the menu `current`. An error means that nothing of it runs; what is given are the
/// errors that it meets only when it runs.
///
/// Code given to a menu's command (`source={ }`, `on-event={ }`) is text to that command and is not checked.
pub fn check(script: &Script, names: &dyn Names, current: &[String]) -> Result<Vec<ParseError>, ParseError> {
    let mut checker = Checker { script, names, scopes: Vec::new(), late: Vec::new() };
    checker.block(&script.body, current, &[])?;
    Ok(checker.late)
}

/// The first argument that a menu's command doesn't have. Older versions read its name as a value where one without a name
/// is still wanted, and don't name it.
pub fn bad_argument(
    names: &dyn Names,
    version: Version,
    src: &[u8],
    command: &Command,
    resolved: &Resolution,
) -> Option<ParseError> {
    let name = resolved.command.as_deref().filter(|_| !resolved.builtin)?;
    let words: Vec<&Word> = command.words.iter().skip(resolved.used).collect();
    let mut group = String::new();
    let mut bad = words.iter().copied().filter(|word| !names.takes_word(&resolved.menu, name, &word.text)).chain(
        command.args.iter().filter_map(|arg| match arg {
            Arg::Named(word, _) => {
                let whole = in_group(&mut group, &word.text);
                (!names.takes_parameter(&resolved.menu, name, &whole)).then_some(word)
            }
            _ => None,
        }),
    );
    let word = bad.next()?;
    if bad_argument_is_late(version) {
        return Some(ParseError::new(src, ParseErrorKind::BadParameter(word.text.clone()), word.span));
    }
    let before = words.iter().any(|other| other.span.start < word.span.start)
        || command.args.iter().any(|arg| matches!(arg, Arg::Unnamed(value) if value.span.start < word.span.start));
    let read = !before && name != "print" && names.takes_word(&resolved.menu, name, &word.text);
    let place = if read { Span::new(word.span.end, word.span.end + 1) } else { word.span };
    Some(ParseError::new(src, ParseErrorKind::ExpectedEndOfCommand, place))
}

/// Whether a version says only when it gets there that a command lacks an argument.
pub fn bad_argument_is_late(version: Version) -> bool {
    version.at_least(judge::UNKNOWN_IS_LATE.0, judge::UNKNOWN_IS_LATE.1)
}

struct Checker<'a> {
    script: &'a Script,
    names: &'a dyn Names,
    /// Variables declared so far, innermost scope last; `None` for a function's body, whose parameters have no declaration.
    scopes: Vec<Option<BTreeSet<Vec<u8>>>>,
    /// What the router says when it gets there.
    late: Vec<ParseError>,
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
            Statement::Bracket(block, args) => {
                let mut inner = menu.clone();
                block.statements.iter().try_for_each(|statement| self.statement(statement, &mut inner))?;
                args.iter().try_for_each(|arg| self.arg(arg, menu))
            }
            Statement::Paren(expr, args) => {
                self.expr(expr, menu)?;
                args.iter().try_for_each(|arg| self.arg(arg, menu))
            }
            Statement::Call(call) => call.args.iter().try_for_each(|arg| self.arg(arg, menu)),
            Statement::Command(command) => {
                let resolved = match resolve(self.names, self.script.version, &self.script.src, menu, command) {
                    Ok(resolved) => resolved,
                    Err(error) => return self.unknown(command, error),
                };
                match &resolved.command {
                    None => match command.block() {
                        Some(block) => self.block(block, &resolved.menu, &[])?,
                        None => *menu = resolved.menu,
                    },
                    Some(name) if resolved.builtin => self.builtin(command, name, menu)?,
                    Some(_) => self.menu_command(command, &resolved)?,
                }
                Ok(())
            }
        }
    }

    /// A word that is no command's.
    fn unknown(&mut self, command: &Command, error: ParseError) -> Result<(), ParseError> {
        let (src, version) = (&self.script.src, self.script.version);
        let named = matches!(error.kind, ParseErrorKind::BadCommandName(_) | ParseErrorKind::AmbiguousCommandName(_));
        if !named || !version.at_least(UNKNOWN_COMMAND_IS_LATE.0, UNKNOWN_COMMAND_IS_LATE.1) {
            return Err(error);
        }
        let word = error.span.of(src);
        if word.first().is_some_and(u8::is_ascii_uppercase) {
            return Err(self.error(ParseErrorKind::ExpectedCommandName, error.span));
        }
        let length = word.iter().take_while(|byte| judge::is_path(**byte)).count();
        judge::behind_unknown(src, Span::new(error.span.start + length, command.span.end), version)?;
        self.late.push(error);
        Ok(())
    }

    fn menu_command(&mut self, command: &Command, resolved: &Resolution) -> Result<(), ParseError> {
        if let Some(error) = bad_argument(self.names, self.script.version, &self.script.src, command, resolved) {
            if !bad_argument_is_late(self.script.version) {
                return Err(error);
            }
            self.late.push(error);
        }
        // A value may touch the command's name, but no other value.
        if let (Some(Arg::Unnamed(value)), Some(last)) =
            (command.args.first(), command.words.get(resolved.used..).and_then(<[Word]>::last))
            && value.span.start == last.span.end
        {
            return Err(self.error(ParseErrorKind::ExpectedEndOfCommand, value.span));
        }
        for arg in &command.args {
            match arg {
                Arg::Named(_, value) => {
                    if !matches!(value, Some(Expr { kind: ExprKind::Block(_), .. })) {
                        self.arg(arg, &resolved.menu)?;
                    }
                }
                // Only a menu is followed by a block.
                Arg::Unnamed(Expr { kind: ExprKind::Block(_), span }) => {
                    return Err(self.error(ParseErrorKind::ExpectedEndOfCommand, *span));
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
            self.plain_names(word, name == "foreach")?;
        }
        let mut unnamed: Vec<(Span, Option<Vec<u8>>)> =
            command.words.iter().skip(1).map(|word| (word.span, Some(word.text.clone().into_bytes()))).collect();
        for arg in &command.args {
            // Only what is there already has its sign.
            if let Arg::Named(_, Some(value)) | Arg::Unnamed(value) = arg
                && declares(name)
                && name != "set"
                && self.script.version.is_v7()
                && matches!(value.kind, ExprKind::Var(_))
                && match arg {
                    Arg::Named(word, _) => matches!(word.text.as_str(), "name" | "counter" | "error"),
                    _ => unnamed.is_empty(),
                }
            {
                return Err(self.error(ParseErrorKind::Syntax, value.span));
            }
            match arg {
                Arg::Named(word, _) if !builtin.has(&word.text) => {
                    // Read as the value of an argument that stands without its name, if one is still wanted.
                    let read = unnamed.len() < builtin.unnamed.len();
                    let place = if read { Span::new(word.span.end, word.span.end + 1) } else { word.span };
                    return Err(self.error(ParseErrorKind::ExpectedEndOfCommand, place));
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

    /// Unquoted names of variables have letters and digits only, and begin with a letter. `several`: commas may join them.
    fn plain_names(&self, word: &Word, several: bool) -> Result<(), ParseError> {
        let mut begins = true;
        for (at, byte) in word.text.bytes().enumerate() {
            if byte == b',' && (!several || at + 1 == word.text.len()) {
                let start = word.span.start + at;
                return Err(self.error(ParseErrorKind::ExpectedEndOfCommand, Span::new(start, start + 1)));
            }
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
