//! Arguments of a command that the tree knows.

use std::collections::BTreeMap;

use super::expression::Mode;
use super::reader::{Properties, Read, Reader};
use super::render::bare;
use super::slots::{Braces, Shape};
use crate::error::ParseErrorKind;
use crate::span::Span;
use crate::tree::{Argument, Kind, MenuId};

/// The first version that takes an unknown argument and says so only when the command runs.
pub(crate) const UNKNOWN_IS_LATE: (u16, u16) = (7, 23);

/// What has been read of a command.
struct Given<'a> {
    shape: Shape,
    /// The menu's path.
    menu: &'a str,
    values: BTreeMap<&'static str, String>,
    /// The group of `group.name=`, for `.name=` behind it.
    group: String,
    /// The first argument that doesn't exist.
    unknown: Option<String>,
    /// The value read last: an argument that its name alone switches on shows it again.
    last: Option<String>,
}

/// Names that conditions of scripts for other menus or for older versions look for, and that a menu doesn't have:
/// `default-name` is of interfaces that are there without being added, routes have no mark any more.
fn lacking(menu: &str) -> &'static [&'static str] {
    let ports = ["", "ethernet/", "lte/", "wifi/", "wireless/", "w60g/", "ppp-client/"];
    match menu.strip_prefix("/interface/") {
        Some(rest) if ports.contains(&rest) => &[],
        _ if menu.ends_with("/route/") => &["default-name", "routing-mark"],
        _ => &["default-name"],
    }
}

impl Given<'_> {
    fn keep(&mut self, name: &'static str, value: String) {
        self.last = Some(value.clone());
        self.values.insert(name, value);
    }
}

impl Reader<'_> {
    /// Everything behind a command's name, and the whole command's form.
    pub(super) fn arguments(&mut self, menu: MenuId, shape: Shape, path: String) -> Read<String> {
        let menu_path = self.view.path(menu);
        let mut given =
            Given { shape, menu: &menu_path, values: BTreeMap::new(), group: String::new(), unknown: None, last: None };
        // What is inside brackets belongs to the command's menu.
        let before = self.menu;
        if !shape.root {
            self.menu = menu;
        }
        let read =
            if shape.name == "find" && !shape.root { self.filter(&mut given, true) } else { self.listed(&mut given) };
        self.menu = before;
        read?;
        let values: Vec<String> = given.values.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let unknown = given.unknown.map(|error| error + " ").unwrap_or_default();
        Ok(format!("(evl {unknown}{path}{})", values.join(";")))
    }

    fn listed(&mut self, given: &mut Given<'_>) -> Read<()> {
        let mut slots = given.shape.unnamed().into_iter();
        // The language's own commands know their arguments as ever.
        let late = !given.shape.root && self.lex.version.at_least(UNKNOWN_IS_LATE.0, UNKNOWN_IS_LATE.1);
        let mut open = slots.next();
        // `:if(a)`, `:put"a"`: brackets, quotes and variables may touch the command's name, and nothing else.
        let mut touches = true;
        loop {
            while open.is_some_and(|name| given.values.contains_key(name)) {
                open = slots.next();
            }
            let before = self.lex.pos;
            self.lex.blanks();
            if self.at_end() {
                return Ok(());
            }
            touches &= matches!(self.lex.peek(), Some(b'(' | b'[' | b'"' | b'{' | b'$'));
            if self.lex.pos == before && !touches {
                return self.fail(ParseErrorKind::ExpectedEndOfCommand);
            }
            touches = false;
            if self.negated(given) {
                continue;
            }
            let start = self.lex.pos;
            if let Some(word) = self.bare_text(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
                let end = self.lex.pos;
                let named = self.lex.peek() == Some(b'=');
                let span = Span::new(start, end);
                let board =
                    |reader: &mut Self, at: &Given<'_>| reader.absent_argument(at.menu, at.shape.name, &word, span);
                let argument = self.meant(given, &word).or_else(|| board(self, given).filter(|_| named));
                if word == "where" && !named && given.shape.argument("where").is_some() {
                    return self.filter(given, false);
                }
                match argument {
                    Some(argument) if named => {
                        if given.shape.takes_no_value(argument) {
                            return self.fail(ParseErrorKind::ExpectedEndOfCommand);
                        }
                        self.lex.pos += 1;
                        self.lex.blanks();
                        match self.value(given, argument)? {
                            Some(value) => given.keep(argument.name, value),
                            None if !self.at_end() => return self.no_value(),
                            None => {}
                        }
                        continue;
                    }
                    Some(argument) if given.shape.is_flag(argument) && !named => {
                        let value = given.last.clone().unwrap_or_else(|| "true".to_owned());
                        given.values.insert(argument.name, value);
                        continue;
                    }
                    Some(argument) if argument.name == word && given.shape.braces(argument) == Braces::Code => {
                        self.lex.blanks();
                        if self.lex.peek() == Some(b'{') {
                            let code = self.code()?;
                            given.values.insert(argument.name, format!(";{code}"));
                            continue;
                        }
                    }
                    // `in $x`: a name that is no value, as nothing is wanted any more that needs none.
                    Some(argument)
                        if given.shape.is_builtin()
                            && open.is_none()
                            && argument.name == word
                            && !given.shape.unnamed().contains(&argument.name) =>
                    {
                        self.lex.blanks();
                        if self.lex.pos > end
                            && let Some(value) = self.value(given, argument)?
                        {
                            given.keep(argument.name, value);
                            continue;
                        }
                    }
                    None if named && late => {
                        self.unknown(given, &word, Span::new(start, end))?;
                        continue;
                    }
                    None if late && open.is_none() => {
                        self.unknown(given, &word, Span::new(start, end))?;
                        continue;
                    }
                    // A word that names a value is no item to print.
                    None if named && open == Some("from") => {
                        self.lex.pos = start;
                        return self.fail(ParseErrorKind::ExpectedEndOfCommand);
                    }
                    _ => {}
                }
                self.lex.pos = start;
            }
            let Some(argument) = open.and_then(|name| given.shape.argument(name)) else {
                return self.fail(ParseErrorKind::ExpectedEndOfCommand);
            };
            if argument.name == "from" && !given.shape.root && self.lex.peek() == Some(b'(') {
                return self.fail(ParseErrorKind::ExpectedEndOfCommand);
            }
            match self.value(given, argument)? {
                Some(value) => given.keep(argument.name, value),
                None => return self.no_value(),
            }
        }
    }

    /// `!name` in `add` and `set`: the property has no value, as exports write it. Its form was never seen; it has none here.
    fn negated(&mut self, given: &mut Given<'_>) -> bool {
        let start = self.lex.pos;
        if given.shape.root || !matches!(given.shape.name, "add" | "set") || !self.lex.eat(b'!') {
            return false;
        }
        let word = self.bare_text(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let whole = self.at_end() || matches!(self.lex.peek(), Some(b' ' | b'\t' | b'\r' | b'\\'));
        let span = Span::new(start, self.lex.pos);
        if let Some(word) = word.filter(|_| whole)
            && let Some(argument) =
                self.meant(given, &word).or_else(|| self.absent_argument(given.menu, given.shape.name, &word, span))
        {
            given.values.insert(argument.name, String::new());
            return true;
        }
        self.lex.pos = start;
        false
    }

    /// What stands here begins no value of the argument.
    fn no_value<T>(&self) -> Read<T> {
        // Braces are read before it is found that the argument takes none.
        let braces = self.lex.peek() == Some(b'{');
        self.fail(if braces { ParseErrorKind::Syntax } else { ParseErrorKind::ExpectedEndOfCommand })
    }

    /// The argument that a word names: `.name` continues the last `group.name`.
    fn meant(&self, given: &mut Given<'_>, word: &str) -> Option<&'static Argument> {
        let argument = match word.strip_prefix('.') {
            Some(rest) if !given.group.is_empty() => given.shape.meant(&format!("{}.{rest}", given.group)),
            _ => given.shape.meant(word),
        };
        if let Some((group, _)) = argument.and_then(|argument| argument.name.rsplit_once('.')) {
            group.clone_into(&mut given.group);
        }
        argument
    }

    /// An argument that the command doesn't have, where that is only a late error.
    fn unknown(&mut self, given: &mut Given<'_>, word: &str, span: Span) -> Read<()> {
        let kind = ParseErrorKind::BadParameter(word.to_owned());
        let error = self.error_of(kind.clone(), Span::new(span.end, span.end));
        if given.unknown.is_none() {
            given.unknown = Some(error.message);
        }
        self.late.push((kind, Span::new(span.end, span.end)));
        if self.lex.eat(b'=') && !self.at_end() {
            let value = Argument { name: "", kind: Kind::Value };
            if matches!(self.lex.peek(), Some(b' ' | b'\t' | b'\\')) || self.value(given, &value)?.is_none() {
                self.lex.blanks();
                return self.fail(ParseErrorKind::Syntax);
            }
        }
        Ok(())
    }

    /// A value of an argument, or several with commas; `None` if none begins here.
    fn value(&mut self, given: &mut Given<'_>, argument: &Argument) -> Read<Option<String>> {
        if given.shape.is_variable(argument.name) {
            return self.new_variable(given.shape.name);
        }
        let mut values: Vec<String> = Vec::new();
        while let Some(value) = self.single(given, argument)? {
            values.push(value);
            let more = matches!(self.lex.peek_at(1), Some(b'$' | b'"' | b'[' | b'(')) || values.len() > 1;
            if self.lex.peek() != Some(b',') || !more {
                break;
            }
            self.lex.pos += 1;
        }
        Ok(if values.is_empty() { None } else { Some(values.join(";")) })
    }

    fn single(&mut self, given: &mut Given<'_>, argument: &Argument) -> Read<Option<String>> {
        let text = !matches!(argument.kind, Kind::Ip | Kind::Ip6 | Kind::Mac | Kind::Time | Kind::Number);
        let accept = |byte: u8| super::value::is_bare(byte) || (text && matches!(byte, b'<' | b'>'));
        Ok(match self.lex.peek() {
            Some(b'"') => Some(self.string(Some(argument.name), false)?.text()),
            Some(b'$') => Some(self.dollar()?.text()),
            Some(b'[') => Some(self.bracket()?.text()),
            Some(b'(') => Some(self.paren()?.text()),
            Some(b'{') => match given.shape.braces(argument) {
                Braces::Code => Some(format!(";{}", self.code()?)),
                Braces::Text => Some(self.braced_text()?),
                Braces::Array => Some(self.array(false)?.text()),
                Braces::None => None,
            },
            _ => {
                let start = self.lex.pos;
                match self.bare_text(accept) {
                    // Of the truth values, this one is told by its name in every menu.
                    Some(text) if argument.name == "disabled" && !matches!(text.as_str(), "yes" | "no") => {
                        return self.fail_at(ParseErrorKind::Syntax, start);
                    }
                    text => text.map(|text| bare(given.menu, argument.name, argument.kind, &text)),
                }
            }
        })
    }

    /// `{ ... }` where a text is wanted: what stands in it, unread but for its brackets and quotes.
    fn braced_text(&mut self) -> Read<String> {
        let start = self.lex.pos + 1;
        let (mut depth, mut quoted) = (0_usize, false);
        while let Some(byte) = self.lex.peek() {
            self.lex.pos += 1;
            match byte {
                b'\\' => self.lex.pos += 1,
                b'"' => quoted = !quoted,
                b'{' if !quoted => depth += 1,
                b'}' if !quoted => {
                    depth -= 1;
                    if depth == 0 {
                        let text = self.lex.src.get(start..self.lex.pos - 1).unwrap_or_default();
                        return Ok(String::from_utf8_lossy(text).into_owned());
                    }
                }
                _ => {}
            }
        }
        self.lex.pos = self.lex.src.len();
        self.fail(ParseErrorKind::ExpectedClosingBrace)
    }

    /// The name of a variable that a command declares or sets.
    fn new_variable(&mut self, command: &str) -> Read<Option<String>> {
        let mut names = Vec::new();
        loop {
            let start = self.lex.pos;
            let name = match self.lex.peek() {
                Some(b'(') => return Ok(Some(self.paren()?.text())),
                Some(b'[') => return Ok(Some(self.bracket()?.text())),
                Some(b'"') => format!("${}", self.string(None, false)?.text()),
                // Only what is there already has its sign.
                Some(b'$') if command == "set" => self.variable()?,
                Some(b'$') => return self.fail(ParseErrorKind::Syntax),
                _ => match self.lex.name() {
                    [] => return Ok(None),
                    name => format!("${}", String::from_utf8_lossy(name)),
                },
            };
            let plain = name.get(1..).unwrap_or_default().as_bytes().to_vec();
            if command == "set" {
                // `$1` is there without a word.
                let positional = plain.iter().all(u8::is_ascii_digit);
                if !positional && !self.declared(&plain) {
                    return self.fail_at(ParseErrorKind::Syntax, start);
                }
            } else {
                self.declare(&plain);
            }
            names.push(name);
            if command != "foreach" || !self.lex.eat(b',') {
                return Ok(Some(names.join(";")));
            }
        }
    }

    /// A condition behind `find` or `where`.
    fn filter(&mut self, given: &mut Given<'_>, find: bool) -> Read<()> {
        self.lex.blanks();
        if find && crate::expression::at_keyword(&self.lex, b"where") {
            self.lex.pos += b"where".len();
            self.lex.blanks();
            if self.at_end() {
                return self.fail(ParseErrorKind::MissingValueForWhere);
            }
        }
        if self.at_end() {
            return if find { Ok(()) } else { self.fail(ParseErrorKind::MissingValueForWhere) };
        }
        let outside = std::mem::replace(&mut self.condition, true);
        let known = std::mem::replace(
            &mut self.properties,
            Properties { lacking: lacking(given.menu), ..Properties::default() },
        );
        let condition = self.expression(Mode::Where, 1)?.text();
        self.condition = outside;
        // Conditions on properties that the menu has end with another number.
        let seen = std::mem::replace(&mut self.properties, known);
        let number = if seen.missed && !seen.found { 0 } else { 5 };
        self.lex.blanks();
        if !self.at_end() {
            return self.fail(ParseErrorKind::ExpectedEndOfCommand);
        }
        given.values.insert("where", format!("{condition};{number}"));
        Ok(())
    }
}
