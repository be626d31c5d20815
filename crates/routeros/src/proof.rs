//! Which router a line is meant for, in a form that the router itself can check.

use crate::error::Error;
use crate::text::quote;

/// An expression of the script language and the text that it yields on the right router alone.
///
/// A shell that has one wraps every command in `:if (EXPRESSION="EXPECTED") do={...}`, so that a line which reaches
/// another router (the far session of a hop may end at any byte) does nothing there but say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    expression: String,
    expected: String,
}

impl Proof {
    /// `expression` is put into lines as it stands, so it must be one balanced expression in `[...]` or `(...)` without side effects.
    ///
    /// # Errors
    /// [`Error::Unsendable`] for text that can't be part of a line.
    pub fn new(expression: impl Into<String>, expected: impl Into<String>) -> Result<Self, Error> {
        let (expression, expected) = (expression.into(), expected.into());
        crate::text::check_sendable(&expression)?;
        let bracketed = (expression.starts_with('[') && expression.ends_with(']'))
            || (expression.starts_with('(') && expression.ends_with(')'));
        if !bracketed || expected.is_empty() {
            return Err(Error::Unsendable {
                why: "a proof is an expression in brackets and the text it yields".into(),
            });
        }
        Ok(Self { expression, expected })
    }

    /// The hardware address of the HA port, as the router's own console reports it: survives `mac-address=` changes,
    /// backups of the other member, and permuted port names.
    ///
    /// # Errors
    /// [`Error::Unsendable`] for names or addresses that can't be part of a line.
    pub fn ha_port(default_name: &str, orig_mac: &str) -> Result<Self, Error> {
        Self::new(
            format!("[/interface ethernet get [find default-name={}] orig-mac-address]", quote(default_name)),
            orig_mac,
        )
    }

    /// The expression.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// What the right router answers.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The condition, without the parentheses around it.
    pub(crate) fn condition(&self) -> String {
        format!("{}={}", self.expression, quote(&self.expected))
    }
}
