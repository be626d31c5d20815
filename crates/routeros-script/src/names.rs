//! Which words are menus and which are commands: the command tree is the caller's.

use crate::ast::{Command, Prefix};
use crate::commands;
use crate::error::{ParseError, ParseErrorKind};
use crate::span::Span;
use crate::version::Version;

/// What a word is in a menu. Names are whole, even where the word was shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A menu.
    Menu(String),
    /// A command.
    Command(String),
    /// A shortened name that fits more than one.
    Ambiguous,
    /// Neither.
    Unknown,
}

/// A command tree. The language's own commands ([`crate::commands`]) need not be in it.
pub trait Names {
    /// What `word` is in `menu` (empty for the root).
    fn lookup(&self, menu: &[String], word: &str) -> Lookup;

    /// Whether `command` of `menu` takes an argument `name=...`.
    fn takes_parameter(&self, _menu: &[String], _command: &str, _name: &str) -> bool {
        true
    }

    /// Whether `command` of `menu` takes the unnamed word `word`, as in `print detail`.
    fn takes_word(&self, _menu: &[String], _command: &str, _word: &str) -> bool {
        true
    }

    /// Whether a variable of this name is visible before the script begins, as globals are at the prompt.
    fn variable(&self, _name: &[u8]) -> bool {
        false
    }
}

/// The name among `names` that `word` means: the same, or the only one beginning with it. `Err` if several do.
#[allow(clippy::result_unit_err)]
pub fn pick<'a>(names: impl Iterator<Item = &'a str>, word: &str) -> Result<Option<&'a str>, ()> {
    let mut found = None;
    let mut several = false;
    for name in names {
        if name == word {
            return Ok(Some(name));
        }
        if !word.is_empty() && name.starts_with(word) {
            several = found.is_some();
            found = Some(name);
        }
    }
    if several { Err(()) } else { Ok(found) }
}

/// The whole name of an argument: `.name` goes on in the group of the one before it, `configuration.mode=ap .ssid=a`. `group`
/// keeps that one's.
pub fn in_group(group: &mut String, name: &str) -> String {
    let whole = if name.starts_with('.') && !group.is_empty() { format!("{group}{name}") } else { name.to_owned() };
    if let Some((before, _)) = whole.rsplit_once('.')
        && !before.is_empty()
    {
        before.clone_into(group);
    }
    whole
}

/// A command's words, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The menu, from the root, whole names.
    pub menu: Vec<String>,
    /// The command's whole name; `None` for a bare path, which changes the current menu.
    pub command: Option<String>,
    /// How many of [`Command::words`] are menu and command; the rest are unnamed arguments.
    pub used: usize,
    /// Whether it is one of the language's own commands.
    pub builtin: bool,
}

/// Splits the words of `command`, typed in the menu `current`, with the tree `names`.
///
/// An unknown word is `bad command name X` at the word's place in `src`.
pub fn resolve(
    names: &dyn Names,
    version: Version,
    src: &[u8],
    current: &[String],
    command: &Command,
) -> Result<Resolution, ParseError> {
    let mut menu: Vec<String> = if command.prefix == Prefix::None { current.to_vec() } else { Vec::new() };
    for (index, word) in command.words.iter().enumerate() {
        let mut offset = word.span.start;
        let mut segments = word.text.split('/').peekable();
        while let Some(segment) = segments.next() {
            let place = Span::new(offset, offset + segment.len());
            let bad = |kind| Err(ParseError::new(src, kind, place));
            offset += segment.len() + 1;
            if segment.is_empty() {
                // `/ip/address/` ends with an empty one.
                if segments.peek().is_some() || offset == word.span.start + 1 {
                    return bad(ParseErrorKind::ExpectedCommandName);
                }
                continue;
            }
            if let Some(at) = segment.bytes().position(|byte| !byte.is_ascii_alphanumeric() && !b"-._".contains(&byte))
                && index == 0
            {
                let start = place.start + at;
                return Err(ParseError::new(src, ParseErrorKind::Syntax, Span::new(start, start + 1)));
            }
            if segment == ".." {
                menu.pop();
                continue;
            }
            match look(names, version, &menu, segment) {
                (Lookup::Menu(name), _) => menu.push(name),
                (Lookup::Command(name), builtin) => {
                    if segments.peek().is_some() {
                        return bad(ParseErrorKind::ExpectedEndOfCommand);
                    }
                    return Ok(Resolution { menu, command: Some(name), used: index + 1, builtin });
                }
                (Lookup::Ambiguous, _) => return bad(ParseErrorKind::AmbiguousCommandName(segment.to_owned())),
                (Lookup::Unknown, _) => return bad(ParseErrorKind::BadCommandName(segment.to_owned())),
            }
        }
    }
    match command.args.first() {
        None => Ok(Resolution { menu, command: None, used: command.words.len(), builtin: false }),
        Some(_) if command.block().is_some() => {
            Ok(Resolution { menu, command: None, used: command.words.len(), builtin: false })
        }
        Some(arg) => Err(ParseError::new(src, ParseErrorKind::ExpectedCommandName, arg.span())),
    }
}

/// What `word` is in `menu`, and whether it is one of the language's own.
fn look(names: &dyn Names, version: Version, menu: &[String], word: &str) -> (Lookup, bool) {
    let found = names.lookup(menu, word);
    if !menu.is_empty() {
        return (found, false);
    }
    if let Some(builtin) = commands::find(word, version) {
        return (Lookup::Command(builtin.name.to_owned()), true);
    }
    let mut builtins = commands::beginning_with(word, version);
    match (&found, builtins.next(), builtins.next()) {
        (Lookup::Menu(name) | Lookup::Command(name), ..) if name == word => (found, false),
        (Lookup::Unknown, Some(builtin), None) => (Lookup::Command(builtin.name.to_owned()), true),
        (_, Some(_), _) => (Lookup::Ambiguous, false),
        (_, None, _) => (found, false),
    }
}
