//! Acts that must not happen on the wrong router, whichever part of their line reaches it.
//!
//! The far session of a hop can end at any byte, and the rest of the line is then typed at the near router: the active
//! one. So what counts is not the line but each of its ends:
//!
//! * the condition that proves the router stands *inside* what is run, not only around it;
//! * the act itself is never on the line in plain words. It stands in a string, every byte of it escaped as `\HH`, and
//!   `:execute` runs that string. An end of the line that begins in the string begins with hex digits or a backslash,
//!   which is no command; an end that holds all of the string holds the condition.
//!
//! Run by `:execute`, RouterOS asks no `[y/N]` question.

use crate::error::Error;
use crate::outcome::Outcome;
use crate::proof::Proof;
use crate::shell::{Command, Shell};
use crate::text::{check_sendable, check_whole, quote};
use std::fmt::Write as _;
use std::time::Duration;

/// Until `:execute` has taken the order; the act itself comes behind.
const ORDER: Duration = Duration::from_secs(15);

/// A destructive act, wrapped so that no part of its line can act on another router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destructive {
    proof: Proof,
    act: String,
    line: String,
}

impl Destructive {
    /// `act` is a command such as `/system reset-configuration no-defaults=yes skip-backup=yes`, run in the background:
    /// `Done` means that the router has taken the order, not that it has finished.
    ///
    /// # Errors
    /// [`Error::Unsendable`] for an act that is too long or holds control characters.
    pub fn new(proof: Proof, act: impl Into<String>) -> Result<Self, Error> {
        let act = act.into();
        check_sendable(&act)?;
        check_whole(&act)?;
        let script = format!(":if ({}) do={{{act}}}", proof.condition());
        let mut line = String::from(":execute \"");
        for byte in script.bytes() {
            let _ = write!(line, "\\{byte:02X}");
        }
        line.push('"');
        check_sendable(&line)?;
        Ok(Self { proof, act, line })
    }

    /// The same, refused with `words` where `condition` holds as the order is given. What fails in the background goes to the
    /// router's log alone: only what stands in front of `:execute` is an answer on this line ([`Outcome::Refused`]). It begins as
    /// the router's own refusals do, since behind a destructive line nothing is typed that would tell any other text from output.
    ///
    /// # Errors
    /// As [`Destructive::new`].
    pub fn unless(mut self, condition: &str, words: &str) -> Result<Self, Error> {
        check_whole(condition)?;
        self.line =
            format!(":if ({condition}) do={{:error {}}} else={{{}}}", quote(format!("failure: {words}")), self.line);
        check_sendable(&self.line)?;
        Ok(self)
    }

    /// Whom it is meant for.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The act in plain words, for plans and logs.
    pub fn act(&self) -> &str {
        &self.act
    }

    /// The statement that is sent, inside the guard that every line of a proved shell has.
    pub fn statement(&self) -> &str {
        &self.line
    }
}

impl Shell {
    /// Runs a destructive act. Nothing is sent behind its line; what becomes of the router is the caller's to watch
    /// ([`Shell::wait_gone`]).
    ///
    /// # Errors
    /// As [`Shell::exec`].
    pub async fn destroy(&self, act: &Destructive) -> Result<Outcome, Error> {
        let command = Command { timeout: Some(ORDER), ..Command::new(act.statement()) };
        self.exec_destructive(command, act.proof.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Nonces;
    use routeros_script::{Version, incomplete, parse};

    const ACT: &str = "/system reset-configuration no-defaults=yes skip-backup=yes run-after-reset=HA_jumplead_b.rsc";

    fn act() -> Destructive {
        Destructive::new(Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap(), ACT).unwrap()
    }

    #[test]
    fn the_string_is_the_guarded_act() {
        let act = act();
        let literal = act.statement().strip_prefix(":execute ").unwrap();
        for version in [Version::new(6, 44, 6), Version::new(7, 18, 2)] {
            let script = routeros_script::quote::unquote(literal.as_bytes(), version).unwrap();
            let guard = ":if ([/interface ethernet get [find default-name=\"ether8\"] orig-mac-address]=\"74:4D:28:00:00:0B\") do={";
            assert_eq!(String::from_utf8(script.clone()).unwrap(), format!("{guard}{ACT}}}"));
            parse(&script, version).unwrap();
        }
    }

    /// Whichever byte the far session ends at, what is typed at the near router is no act: most ends do not parse, the
    /// others hold either nothing of the string, or all of it with the condition inside.
    #[test]
    fn no_end_of_the_line_acts_elsewhere() {
        let plain = act();
        let guarded = act().unless("[:len [/interface vrrp find where master=yes]] > 0", "it is the active").unwrap();
        for act in [&plain, &guarded] {
            let (line, _) = Nonces::new(1).next().command(act.statement(), Some(act.proof()));
            check_sendable(&line).unwrap();
            for version in [Version::new(6, 44, 6), Version::new(7, 18, 2)] {
                let mut parsed = 0;
                for at in 1..line.len() {
                    let end = &line[at..];
                    if incomplete(end.as_bytes()).is_some() || parse(end.as_bytes(), version).is_err() {
                        continue;
                    }
                    parsed += 1;
                    assert!(!end.contains("execute") || end.contains(plain.statement()), "{end}");
                    assert!(!end.contains("\\2F\\73") || end.contains(plain.statement()), "{end}");
                }
                assert!(parsed < 12, "{parsed} ends parse: look at them");
            }
            assert!(!line.contains("system"));
        }
    }
}
