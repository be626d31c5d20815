//! What a running command may do with the terminal of its session.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use super::wire::{Size, Wire};
use super::{pager, question};

/// Whether an asked value is shown while it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// As typed.
    Plain,
    /// One `*` for each character.
    Stars,
    /// Not at all (`Password: ` of a login).
    Nothing,
}

/// The terminal, as a running command has it. Clones are the same terminal.
///
/// Ctrl-C and the client's end drop the command's future; nothing here has to look for them.
#[derive(Clone)]
pub struct CommandIo(Wire);

impl CommandIo {
    pub(super) fn new(wire: Wire) -> Self {
        Self(wire)
    }

    /// Shows one line (`:put`): wrapped at the terminal's width, never paged. An empty text shows nothing \[T19\].
    pub fn line(&self, text: &[u8]) {
        self.0.line(text);
    }

    /// Shows an empty line.
    pub fn blank(&self) {
        self.0.blank();
    }

    /// Shows bytes as they are, without a frame.
    pub fn raw(&self, bytes: &[u8]) {
        self.0.put(bytes);
    }

    /// Waits until everything shown so far has gone to the transport. A command that shows much calls it
    /// now and then: what it does not wait for lies in memory.
    pub async fn flush(&self) {
        self.0.flush().await;
    }

    /// Shows the lines of a `print`, stopping at each screenful. True: all were shown; false: the user quit.
    pub async fn page(&self, lines: &[Vec<u8>]) -> bool {
        pager::page(&self.0, lines).await
    }

    /// Asks e.g. `Reboot, yes?` and takes one key; the answer stands on the next line. Only `y` is yes.
    pub async fn confirm(&self, question: &str) -> bool {
        question::confirm(&self.0, question).await
    }

    /// Asks for the value of an argument, e.g. `numbers` or `password`. `None`: the client is gone.
    pub async fn ask(&self, name: &str, echo: Echo) -> Option<Vec<u8>> {
        question::ask(&self.0, name, echo).await
    }

    /// The terminal's size.
    pub fn size(&self) -> Size {
        self.0.size()
    }

    /// Takes the session's input over, byte by byte, Ctrl-C included, until the result is dropped.
    pub fn foreground(&self) -> ForegroundInput {
        self.0.grab();
        ForegroundInput(self.0.clone())
    }

    /// Waits on the router's clock.
    pub async fn sleep(&self, duration: std::time::Duration) {
        self.0.sleep(duration).await;
    }
}

impl fmt::Debug for CommandIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CommandIo").field(&self.0).finish()
    }
}

/// The session's raw input, held by one command.
#[derive(Debug)]
pub struct ForegroundInput(Wire);

impl ForegroundInput {
    /// Waits for bytes and takes at most `max`; empty when the client is gone.
    pub async fn read(&mut self, max: usize) -> Vec<u8> {
        poll_fn(|cx| self.poll_read(cx, max)).await
    }

    /// As [`ForegroundInput::read`], for hand-written futures.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, max: usize) -> Poll<Vec<u8>> {
        self.0.poll_take(cx, max)
    }

    /// Puts bytes back: the command did not mean to take them.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.0.unread(bytes);
    }

    /// Shows bytes as they are.
    pub fn write(&self, bytes: &[u8]) {
        self.0.put(bytes);
    }

    /// Gives shown bytes to the transport, for hand-written futures.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_flush(cx)
    }
}

impl Drop for ForegroundInput {
    fn drop(&mut self) {
        self.0.release();
    }
}
