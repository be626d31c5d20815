//! The RouterOS script language, without a router: parse, check against a command tree, quote.
//!
//! ```
//! use routeros_script::{Version, parse};
//!
//! let version: Version = "7.18.2".parse().unwrap();
//! let script = parse(b":put \"hello\"", version).unwrap();
//! assert_eq!(script.body.statements.len(), 1);
//! let error = parse(b":put \"hello", version).unwrap_err();
//! assert_eq!(error.message, "syntax error (line 1 column 12)");
//! ```
//!
//! Parsing needs no command tree: [`ast::Command`] keeps its leading words as written, and
//! [`names::resolve`] splits them into menu and command with the tree that the caller has.

pub mod ast;
pub mod check;
pub mod commands;
pub mod error;
mod expression;
mod incomplete;
pub mod judge;
mod lexer;
pub mod lint;
pub mod literal;
pub mod names;
mod parser;
pub mod quote;
pub mod span;
mod strings;
pub mod tree;
pub mod version;

pub use ast::Script;
pub use check::check;
pub use error::{ParseError, ParseErrorKind};
pub use incomplete::incomplete;
pub use judge::{Outcome, judge};
pub use lint::lint;
pub use literal::Literal;
pub use names::{Lookup, Names, Resolution, resolve};
pub use parser::{MAX_NESTING, parse, parse_in};
pub use span::{Position, Span};
pub use version::Version;
