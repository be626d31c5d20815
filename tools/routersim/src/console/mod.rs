//! One console session: what RouterOS does on the wire between login and logout.

mod command;
mod host;
mod notice;
mod pager;
mod question;
mod session;
mod suffix;
mod wire;

pub use command::{CommandIo, Echo, ForegroundInput};
pub use host::{
    Completion, ConsoleHost, ConsoleQuirks, EndReason, HelpRow, LineRequest, LineResult, LocalFuture, Login, MenuPath,
    SafeMode, SafeModeReply, SessionEnd, SessionOptions, Terminal, Transport, Welcome,
};
pub use notice::{Feed, LogLine, Notice, Notices};
pub use session::run;
pub use suffix::{TerminalParams, split_login};
pub use wire::Size;
