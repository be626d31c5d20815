//! The operator's terminal: raw mode that is always undone, its size, whether it is one.

use std::io::IsTerminal;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

#[cfg(panic = "abort")]
compile_error!("raw mode is undone by a panic's unwinding");

/// Raw mode on standard input until this is dropped (also by a panic's unwinding).
#[derive(Debug)]
pub struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Switches standard input to raw mode. Error: it is no terminal.
    pub fn enter() -> std::io::Result<Self> {
        let stdin = std::io::stdin();
        let before = termios::tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&stdin, OptionalActions::Flush, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // Nobody is left to tell if this fails: the terminal is gone. At once: a terminal that takes no more output
        // would make waiting for it to drain last for ever.
        let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// What a pipe that is ready takes in one piece without blocking (PIPE_BUF of Linux).
const PIECE: usize = 4096;

/// Writes to standard output, which is no terminal, as far as that can be done without blocking; what is left comes back.
/// A thread that writes would have to be started first, and costs the first prompt a good part of its time.
pub fn write_at_once(mut bytes: &[u8]) -> std::io::Result<&[u8]> {
    let stdout = std::io::stdout();
    while !bytes.is_empty() {
        let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
        poll(&mut ready, Some(&Timespec::default()))?;
        if !ready.iter().any(|fd| fd.revents().contains(PollFlags::OUT)) {
            break;
        }
        let written = rustix::io::write(&stdout, bytes.get(..PIECE).unwrap_or(bytes))?;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(bytes)
}

/// Throws away what was typed and nobody has read: it was typed before the question that it would answer.
pub fn forget_typed() {
    // Where there is no terminal nobody is asked.
    let _ = termios::tcflush(std::io::stdin(), QueueSelector::IFlush);
}

/// Columns and rows of the terminal on standard output, if it is one.
pub fn size() -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Columns of the terminal on standard error, where talk goes, if it is one.
pub fn columns() -> Option<usize> {
    let size = termios::tcgetwinsize(std::io::stderr()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Whether a person can be asked: standard input and standard error are terminals.
pub fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
