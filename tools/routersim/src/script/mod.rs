//! The script engine: values, scopes, expressions, the language's own commands.
//!
//! Menus are not here: the router implements [`Host`], and every command that is not the language's own reaches it as a
//! [`MenuCommand`] with its arguments evaluated. What `find` and `where` look for reaches it as a [`Filter`], to be asked
//! once for each item.
//!
//! One [`Interp`] is one running script (or one line at a prompt) as one kernel job. It costs virtual time, so that an
//! endless loop lets the rest of the router go on, and it ends when its job is killed.

mod aloud;
mod array;
mod builtins;
mod control;
mod convert;
mod env;
mod error;
mod expr;
mod host;
mod interp;
mod json;
mod ops;
#[cfg(test)]
mod tests;
mod value;

pub use array::Array;
pub use convert::to_base64;
pub use env::Globals;
pub use error::{Error, ErrorKind};
pub use host::{Arg, Ctx, Execute, Filter, Host, LocalFuture, MenuCommand, Output, Silent};
pub use interp::{Interp, MAX_DEPTH};
pub use ops::matches as text_matches;
pub use value::{Code, Value};
