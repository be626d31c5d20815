//! Commands: their path, and what an unknown one or a call takes.

use super::items::Items;
use super::outcome::Used;
use super::reader::{Read, Reader, Rest};
use super::render::Keyed;
use super::slots::Shape;
use crate::ast::Prefix;
use crate::commands;
use crate::error::ParseErrorKind;
use crate::span::Span;
use crate::tree::{Found, MenuId, ROOT};

/// What a word of a path may hold: names are lower case, and a capital ends one that is unknown, too.
pub(crate) fn is_path(byte: u8) -> bool {
    is_name(byte) && !byte.is_ascii_uppercase()
}

/// What the name of a value may hold.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'
}

impl Reader<'_> {
    /// A command or a path of menus.
    pub(super) fn command(&mut self, items: &mut Items) -> Read<Rest> {
        let begin = self.lex.pos;
        let prefix = match self.lex.peek() {
            Some(b':') => Prefix::Colon,
            Some(b'/') => Prefix::Slash,
            _ => Prefix::None,
        };
        self.lex.pos += usize::from(prefix != Prefix::None);
        let mut menu = if prefix == Prefix::None { self.menu } else { ROOT };
        let mut first = true;
        loop {
            if !(first && prefix == Prefix::Colon) {
                self.lex.blanks();
            }
            if self.at_end() && !(first && prefix != Prefix::Slash) {
                self.menu = menu;
                self.nowhere = None;
                items.push(self.view.path(menu));
                return Ok(Rest::Command);
            }
            if self.lex.peek() == Some(b'{') && !first {
                let block = self.block_in(menu)?;
                items.push(block);
                return Ok(Rest::Command);
            }
            let start = self.lex.pos;
            let Some(word) = self.word_of_path() else { return self.fail(ParseErrorKind::ExpectedCommandName) };
            let up = word.bytes().all(|byte| byte == b'.') && word.len() > 1;
            if first
                && prefix == Prefix::None
                && !up
                && let Some(path) = self.nowhere.clone()
                && commands::find(&word, self.lex.version).is_none_or(|builtin| matches!(builtin.name, "set" | "find"))
                && self.absent_menu(format!("{path}/{word}"), begin, items)?
            {
                return Ok(Rest::Command);
            }
            if up {
                // `...` is a menu up, too, as pasted texts have it.
                menu = self.view.parent(menu);
            } else {
                let here = self.view.path(menu);
                if super::absent::otherwise(here.trim_end_matches('/'))
                    && commands::find(&word, self.lex.version).is_none_or(|builtin| builtin.name == "find")
                    && self.absent_menu(here + &word, begin, items)?
                {
                    return Ok(Rest::Command);
                }
                match self.found(menu, &word, first && prefix == Prefix::None) {
                    Some((at, Found::Command(name, arguments))) => {
                        let path = self.path_of(at, name);
                        if commands::find(name, self.lex.version).is_none() || at != ROOT {
                            self.commands.push(Used { path: path.clone(), span: Span::new(begin, self.lex.pos) });
                        }
                        let shape = Shape::of(at == ROOT, name, arguments, self.lex.version);
                        let form = self.arguments(at, shape, path)?;
                        items.push(form);
                        return Ok(Rest::Command);
                    }
                    Some((_, Found::Menu(id))) => menu = id,
                    None if self.absent_menu(self.view.path(menu) + &word, begin, items)? => return Ok(Rest::Command),
                    None => {
                        let span = Span::new(start, self.lex.pos);
                        let kind = ParseErrorKind::BadCommandName(word.clone());
                        let head = format!("(<%% {} ", self.error_of(kind.clone(), span).message);
                        self.late.push((kind, span));
                        let mut args = Keyed::default();
                        args.push(word);
                        self.generic(&mut args, true)?;
                        items.push(head + &args.text() + ")");
                        return Ok(Rest::Call);
                    }
                }
            }
            first = false;
            // RouterOS 6 joins menus by blanks alone.
            if self.lex.peek() == Some(b'/') {
                if !self.lex.version.is_v7() {
                    return self.fail(ParseErrorKind::ExpectedCommandName);
                }
                self.lex.pos += 1;
            }
        }
    }

    pub(super) fn word_of_path(&mut self) -> Option<String> {
        self.bare_text(is_path)
    }

    /// What `word` is in the menu; behind no prefix also one of the language's own commands. `/ping` stays a name of
    /// `/tool/ping` where the root has none; exports of older routers say `wifiwave2` for `wifi` (inferred: routers read
    /// such exports to their end).
    fn found(&self, menu: MenuId, word: &str, bare: bool) -> Option<(MenuId, Found)> {
        let here = self.view.exactly(menu, word).or_else(|| {
            if bare && menu != ROOT && commands::find(word, self.lex.version).is_some() {
                return None;
            }
            self.view.lookup(menu, word).ok().flatten()
        });
        let other = || {
            let path: &[&str] = match word {
                "ping" if menu == ROOT => &["tool", "ping"],
                "wifiwave2" if !self.view.path(menu).contains("/wifi/") => &["interface", "wifi"],
                _ => return None,
            };
            let (last, menus) = path.split_last()?;
            let at = menus.iter().try_fold(ROOT, |at, name| match self.view.exactly(at, name) {
                Some(Found::Menu(id)) => Some(id),
                _ => None,
            })?;
            // Another name is only one where the menu is the one that it belongs to.
            let fits = menu == ROOT || menu == at;
            self.view.exactly(at, last).filter(|_| fits).map(|found| (at, found))
        };
        let own = || match self.view.exactly(ROOT, word) {
            Some(command @ Found::Command(..)) if bare => Some((ROOT, command)),
            _ => None,
        };
        here.map(|found| (menu, found)).or_else(other).or_else(own)
    }

    /// A command's path as the form writes it.
    fn path_of(&self, menu: MenuId, name: &str) -> String {
        // From 7.23 on, `/ping` is another name of this one.
        if menu == ROOT && name == "ping" && self.lex.version.at_least(7, 23) {
            return "/tool/ping".to_owned();
        }
        self.view.path(menu) + name
    }

    /// The arguments of a call, as they stand behind its head, and the end of it.
    pub(super) fn call_args(&mut self, by_name: bool) -> Read<String> {
        let mut args = Keyed::default();
        self.generic(&mut args, false)?;
        let args = args.text();
        let between = match (by_name, args.is_empty()) {
            (true, true) => "",
            (true, false) => ";",
            (false, _) => " ",
        };
        Ok(format!("{between}{args})"))
    }

    /// What no command declares: values and `name=value`, blanks between them. What can't be one ends them.
    pub(super) fn generic(&mut self, args: &mut Keyed, unknown: bool) -> Read<()> {
        loop {
            let before = self.lex.pos;
            self.lex.blanks();
            if self.at_end() || self.lex.pos == before {
                return Ok(());
            }
            let start = self.lex.pos;
            if let Some(name) = self.bare_text(|byte| is_name(byte) || byte == b'_') {
                if self.lex.eat(b'=') {
                    if self.at_end() {
                        continue;
                    }
                    match self.generic_value(unknown)? {
                        Some(value) => args.insert(name, value),
                        None => {
                            self.lex.blanks();
                            return self.fail(ParseErrorKind::Syntax);
                        }
                    }
                    continue;
                }
                self.lex.pos = start;
            }
            // A command that doesn't exist takes no arrays.
            if unknown && self.lex.peek() == Some(b'{') {
                return Ok(());
            }
            match self.generic_value(false)? {
                Some(value) => args.push(value),
                None => return Ok(()),
            }
        }
    }

    /// The same for a whole text.
    pub(super) fn rest_of_unknown(&mut self) -> Read<()> {
        self.generic(&mut Keyed::default(), true)?;
        self.lex.blanks();
        if self.lex.peek().is_none() { Ok(()) } else { self.fail(ParseErrorKind::Syntax) }
    }

    fn generic_value(&mut self, single: bool) -> Read<Option<String>> {
        Ok(match self.lex.peek() {
            Some(b'"') => Some(self.string(None, single)?.text()),
            Some(b'$') => Some(self.dollar()?.text()),
            Some(b'[') => Some(self.bracket()?.text()),
            Some(b'(') => Some(self.paren()?.text()),
            Some(b'{') => {
                // What isn't an array ends the arguments.
                let (start, late) = (self.lex.pos, self.late.len());
                match self.array(true) {
                    Ok(array) => Some(array.text()),
                    Err(_) => {
                        self.lex.pos = start;
                        self.late.truncate(late);
                        None
                    }
                }
            }
            _ => self.bare_text(|byte| super::value::is_bare(byte) || matches!(byte, b'<' | b'>')),
        })
    }
}
