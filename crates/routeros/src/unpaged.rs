//! A `print` that no pager stops. Of rows wider than the terminal a pager shows the left part alone, however many there are
//! (`-- [Q quit|D dump|right]`), and a dump does not bring the rest (inferred): such a `print` is asked not to page at all.

use routeros_script::ast::{Arg, Command, Statement};
use routeros_script::names::Names as _;
use routeros_script::tree::View;
use routeros_script::{Version, parse, resolve};

/// What is put behind `print`.
const FLAG: &str = " without-paging";
/// Words behind which `print` does not page, or must not be told.
const NOT_PAGED: [&str; 8] =
    ["without-paging", "as-value", "count-only", "follow", "follow-only", "interval", "file", "append"];
/// Grammars and menus that a command is read with: the newest first. One that neither knows is sent as it is.
const TREES: [Version; 2] = [Version::new(7, 22, 1), Version::new(6, 49, 17)];

/// A command as it is typed, and where words were put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unpaged {
    /// The command.
    pub text: String,
    /// Where in the original something was put in, ascending.
    places: Vec<usize>,
}

impl Unpaged {
    /// `command` as it is.
    pub(crate) fn plain(command: &str) -> Self {
        Self { text: command.to_owned(), places: Vec::new() }
    }

    /// `command`, each `print` that is one of its own statements told not to page. What stands in brackets is left alone:
    /// in `[ ]` nothing pages, and code in `{ }` may be meant for later.
    pub(crate) fn of(command: &str) -> Self {
        // `print` may be shortened; most commands hold none, and need no reading.
        if !command.contains("pr") {
            return Self::plain(command);
        }
        let places = TREES.into_iter().map(|version| prints(command, version)).find(|places| !places.is_empty());
        let mut unpaged = Self { text: command.to_owned(), places: places.unwrap_or_default() };
        for at in unpaged.places.iter().rev() {
            unpaged.text.insert_str(*at, FLAG);
        }
        unpaged
    }

    /// The column in the original of a column of what was typed, both from 1.
    pub(crate) fn column(&self, typed: u32) -> u32 {
        let flag = u32::try_from(FLAG.len()).unwrap_or(0);
        let mut column = typed;
        for at in &self.places {
            let at = u32::try_from(*at).unwrap_or(u32::MAX);
            if column > at {
                // In the flag itself: the word that it stands behind.
                column = column.saturating_sub(flag).max(at);
            }
        }
        column.max(1)
    }
}

/// Where a `print` of the top level of `command` ends that could page.
fn prints(command: &str, version: Version) -> Vec<usize> {
    let Ok(script) = parse(command.as_bytes(), version) else { return Vec::new() };
    let tree = View::of(version);
    let mut menu = Vec::new();
    let mut places = Vec::new();
    for statement in &script.body.statements {
        let Statement::Command(command) = statement else { continue };
        let Ok(resolved) = resolve(&tree, version, &script.src, &menu, command) else { return Vec::new() };
        match &resolved.command {
            None => menu = resolved.menu,
            Some(name) if name == "print" && tree.takes_word(&resolved.menu, name, FLAG.trim()) => {
                if !says(command, resolved.used, &script.src)
                    && let Some(word) = command.words.get(resolved.used - 1)
                {
                    places.push(word.span.end);
                }
            }
            Some(_) => {}
        }
    }
    places
}

/// Whether one of its arguments is such that it does not page.
fn says(command: &Command, used: usize, src: &[u8]) -> bool {
    let words = command.words.iter().skip(used).map(|word| word.text.as_bytes());
    let args = command.args.iter().filter_map(|arg| match arg {
        Arg::Named(name, _) => Some(name.text.as_bytes()),
        Arg::Unnamed(value) => Some(value.span.of(src)),
        Arg::Where(_) => None,
    });
    words.chain(args).any(|word| NOT_PAGED.iter().any(|flag| flag.as_bytes() == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_is_told_not_to_page() {
        for (command, typed) in [
            ("/system scheduler print", "/system scheduler print without-paging"),
            ("/system/script/print detail", "/system/script/print without-paging detail"),
            ("/ip addr pr where interface=ether1", "/ip addr pr without-paging where interface=ether1"),
            ("/log print proplist=message", "/log print without-paging proplist=message"),
            ("/system script; print", "/system script; print without-paging"),
            (
                ":put 1; /ip address print; /user print",
                ":put 1; /ip address print without-paging; /user print without-paging",
            ),
        ] {
            assert_eq!(Unpaged::of(command).text, typed);
        }
    }

    #[test]
    fn everything_else_is_typed_as_it_is() {
        for command in [
            ":put print",
            ":put \"/system script print\"",
            ":put [/ip address print as-value]",
            "/ip address print count-only",
            "/ip address print detail without-paging",
            "/ip address print file=x",
            "/ip address print interval=1s",
            "/log print follow where topics~\"ha\"",
            "/system script run print",
            "/system script add name=print source=\"/ip address print\"",
            "/system no-such-thing print",
            ":foreach i in={1} do={/ip address print}",
            "/ip address print ]",
        ] {
            assert_eq!(Unpaged::of(command).text, command);
        }
    }

    #[test]
    fn columns_are_those_of_the_command_that_was_given() {
        let unpaged = Unpaged::of("/user print; /user print nonsense=1");
        let typed = unpaged.text.find("nonsense").unwrap() as u32 + 1;
        assert_eq!(unpaged.column(typed), 26);
        assert_eq!(unpaged.column(3), 3);
        assert_eq!(unpaged.column(15), 11, "in the flag itself");
    }
}
