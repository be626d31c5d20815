//! One console session: what RouterOS does on the wire between login and logout.
//!
//! [`run`] is a session on a [`Terminal`] (two byte pipes and a clock). The router behind it is a [`ConsoleHost`];
//! a command of its own has a [`CommandIo`] to print, page, ask, or take the input over. Nothing here is shared with
//! the product: the bytes come from `routeros-console.md` and its transcripts (T..), and tests hold them.
//!
//! | module | what it does |
//! |---|---|
//! | `session` | the order of a session: login, probe, screens, new password, prompt |
//! | `suffix`, `login` | `name+ct511w4098h`; `Login:` and `Password:` |
//! | `probe` | the terminal probe, its retries and its ten seconds |
//! | `screens`, `password` | licence, key, help, note, log, default configuration; `Change your password` |
//! | `shell` | the prompt: keys, history, continuation, chat, safe mode, log lines pushed in |
//! | `keys`, `editor`, `prompt`, `history` | bytes to keys; what a key shows (single, dumb, multi); the prompt's grammar |
//! | `command`, `question`, `pager`, `hop`, `serial_terminal` | what commands do with the terminal |
//! | `wire` | type-ahead, output, frames, idle time |
//!
//! # What is known and what is not
//!
//! Byte for byte from captures: reply frames, `;`-chain and empty output, sideways scrolling (T19); frames of lines and
//! the pad to the width less one (T18-T21); dumb mode and its cost (T18); the first probe (T20 T21), its rounds (T22) and
//! the time of an unanswered one; the pushed log line and the double prompt on a probed terminal (T22); the refusal over
//! MAC-Telnet and its delay (T26); the words of logins, screens, questions and pager.
//!
//! Inferred, to be verified on real routers:
//!
//! * Line ends over MAC-Telnet: CR LF is taken as two Enters, as on serial. Telnet and SSH fold CR LF and CR NUL.
//! * A wrong answer to the probe: the same question again a second later, until ten seconds are over. Which answers count
//!   as wrong: all that a cursor sent home before cannot give, except `1;1`. `ESC Z` must be answered where it is asked.
//! * What is typed into the probe is kept without its line ends (T21 shows commands lost and glued).
//! * After a good probe: the test letter is overwritten with blanks; the line editor wraps instead of scrolling, repaints
//!   from its first row at Enter, and uses `ESC[J`, `ESC[nA`, `ESC[nC`.
//! * `t` without `w` or `h`: 80 columns, 24 rows. The size told by MAC-Telnet is not used [R: it doesn't decide].
//! * A number before `c`, `t`, `e`: 0 is off, another on.
//! * Scrolling goes in steps of half the view (one step was captured); repaints in the middle of a line are window, CR,
//!   window up to the cursor, and `BS blank BS` for a Backspace at its end.
//! * The licence question: Enter is the capital `Y`; Ctrl-C goes on. Its text is a stand-in of several screens.
//! * `new password> ` is painted as a prompt, so its text comes twice; a policy's refusal is framed as the mismatch is.
//! * `[y/N]` takes one key without Enter, anything but `y` is no.
//! * The pager: Enter is one row, `left` appears after going right, the end of the list ends it; a table too wide stops it
//!   also on 6.x.
//! * Ctrl-C: takes the type-ahead before it along; a command that it stops prints `interrupted`.
//! * A client that goes away stops the command that runs.
//! * Log lines: over a line being typed too, after a pause of the keys, the line is painted again; without a probed or
//!   dumb terminal they are padded with blanks. Chat lines are `user: text`.
//! * TAB puts a blank behind a word that it finished; lists are words with two blanks between.
//! * Help rows are `word -- text`. Ctrl-L clears with `ESC[H ESC[J`.
//! * Safe mode: the words before 7.20 are the older ones; its end prints `[Safe Mode released]`.
//! * `/tool mac-telnet`: how it ends, its escape and its words at the end ([`ConsoleQuirks::hop_escape`],
//!   [`ConsoleQuirks::hop_farewell`]); whether the near router's own idle logout counts while it runs (here: no).
//! * The idle logout counts at every wait for the user, not while a command works.
//!
//! Not built: Ctrl-R and F3 (search), Ctrl-\ (split), Ctrl-T and Ctrl-Z (background, pause), F8; editing of an earlier
//! line of a recalled input of several; the short cursor moves of a real UART (routeros-console.md section 1.3).

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
pub mod serial_terminal;
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
