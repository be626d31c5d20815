//! One console session: what RouterOS does on the wire between login and logout.

mod command;
mod editor;
mod history;
pub mod hop;
mod host;
mod keys;
mod login;
mod notice;
mod pager;
mod password;
mod probe;
mod prompt;
mod question;
mod screens;
mod session;
mod shell;
mod suffix;
mod wire;

#[cfg(test)]
mod tests;

pub use command::{CommandIo, Echo, ForegroundInput};
pub use host::{
    Completion, ConsoleHost, ConsoleQuirks, EndReason, HelpRow, LineRequest, LineResult, LocalFuture, Login, MenuPath,
    SafeMode, SafeModeReply, SessionEnd, SessionOptions, Terminal, Transport, Welcome,
};
pub use notice::{Feed, LogLine, Notice, Notices};
pub use session::run;
pub use suffix::{TerminalParams, split_login};
pub use wire::Size;
