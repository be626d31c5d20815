//! The bytes of one session: type-ahead, output not yet on the wire, and the frame around lines.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::kernel::{Sleep, WeakKernel};
use crate::record::SessionId;

use super::host::{ConsoleHost, SessionOptions, Terminal, Transport};

/// Input that waits for its reader. A UART's line discipline holds 4 KB and loses the rest; on other
/// roads the rest waits in the transport (routeros-console.md section 3, inferred).
const TYPE_AHEAD: usize = 4096;

/// Ctrl-C.
pub(super) const INTERRUPT: u8 = 0x03;

/// A terminal's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Default for Size {
    /// What RouterOS falls back to: 80 columns \[K\]; 24 rows \[I\].
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

impl Size {
    /// A terminal that always answered `1;1`: prompts are cut to their end and no data is shown \[S1\].
    pub(super) fn shows_nothing(self) -> bool {
        self.columns <= 1
    }
}

/// What happens while a command runs and is no answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// Ctrl-C.
    Interrupt,
    /// The client is gone.
    Gone,
}

struct Inner {
    terminal: Option<Terminal>,
    kernel: WeakKernel,
    host: Rc<dyn ConsoleHost>,
    session: SessionId,
    transport: Transport,
    pending: VecDeque<u8>,
    gone: bool,
    after_cr: bool,
    grabbed: u32,
    out: VecDeque<u8>,
    split: Option<usize>,
    pause: Option<Sleep>,
    size: Size,
    utf8: bool,
    idle_after: Option<Duration>,
    idle: Option<Sleep>,
    expired: bool,
}

/// The session's and its commands' common access to the terminal.
#[derive(Clone)]
pub(super) struct Wire(Rc<RefCell<Inner>>);

impl Wire {
    pub(super) fn new(terminal: Terminal, host: Rc<dyn ConsoleHost>, options: &SessionOptions) -> Self {
        Self(Rc::new(RefCell::new(Inner {
            kernel: terminal.kernel.clone(),
            split: host.quirks().split_output.map(|bytes| bytes.max(1)),
            terminal: Some(terminal),
            host,
            session: options.session,
            transport: options.transport,
            pending: VecDeque::new(),
            gone: false,
            after_cr: false,
            grabbed: 0,
            out: VecDeque::new(),
            pause: None,
            size: Size::default(),
            utf8: false,
            idle_after: None,
            idle: None,
            expired: false,
        })))
    }

    /// Takes the streams out, type-ahead and all; the wire is dead from now on.
    pub(super) fn into_terminal(self) -> Option<Terminal> {
        let mut inner = self.0.borrow_mut();
        let mut terminal = inner.terminal.take()?;
        let pending: Vec<u8> = inner.pending.drain(..).collect();
        terminal.input.unread(&pending);
        Some(terminal)
    }

    pub(super) fn size(&self) -> Size {
        self.0.borrow().size
    }

    pub(super) fn utf8(&self) -> bool {
        self.0.borrow().utf8
    }

    pub(super) fn set_size(&self, size: Size, utf8: bool) {
        let mut inner = self.0.borrow_mut();
        inner.size = size;
        inner.utf8 = utf8;
    }

    /// Waits on the router's clock; for ever if the router is gone.
    pub(super) fn sleep(&self, duration: Duration) -> Sleep {
        self.0.borrow().kernel.sleep(duration)
    }

    // ---- out

    /// Queues bytes as they are.
    pub(super) fn put(&self, bytes: &[u8]) {
        self.0.borrow_mut().out.extend(bytes);
    }

    /// Queues `text` framed as RouterOS frames a line: CR, text, CR LF \[T20\]. Longer than the terminal
    /// is wide, it is cut into several \[K\]; an LF inside begins a new one. An empty text is nothing at all [T19, 4].
    pub(super) fn line(&self, text: &[u8]) {
        if text.is_empty() || self.size().shows_nothing() {
            return;
        }
        for part in text.split(|byte| *byte == b'\n') {
            self.wrapped(part.strip_suffix(b"\r").unwrap_or(part));
        }
    }

    /// Queues an empty line.
    pub(super) fn blank(&self) {
        if !self.size().shows_nothing() {
            self.put(b"\r\r\n");
        }
    }

    fn wrapped(&self, text: &[u8]) {
        let columns = usize::from(self.size().columns);
        let utf8 = self.utf8();
        let mut start = 0;
        let mut column = 0;
        for (at, byte) in text.iter().enumerate() {
            if utf8 && is_continuation(*byte) {
                continue;
            }
            if column == columns {
                self.framed(&text[start..at]);
                start = at;
                column = 0;
            }
            column += 1;
        }
        self.framed(&text[start..]);
    }

    fn framed(&self, text: &[u8]) {
        let mut inner = self.0.borrow_mut();
        inner.out.push_back(b'\r');
        inner.out.extend(text);
        inner.out.extend(b"\r\n");
    }

    /// Gives queued bytes to the transport; pending while its reader lags.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.0.borrow_mut();
        let inner = &mut *inner;
        while !inner.out.is_empty() {
            if let Some(pause) = inner.pause.as_mut() {
                if Pin::new(pause).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                inner.pause = None;
            }
            let Some(terminal) = inner.terminal.as_ref() else {
                inner.out.clear();
                break;
            };
            let bytes = inner.out.make_contiguous();
            let piece = inner.split.map_or(bytes.len(), |split| split.min(bytes.len()));
            match terminal.output.poll_write(cx, &bytes[..piece]) {
                Poll::Ready(Some(written)) => {
                    inner.host.console_out(inner.session, &bytes[..written]);
                    inner.out.drain(..written);
                    if inner.split.is_some() {
                        inner.pause = Some(inner.kernel.sleep(Duration::from_millis(1)));
                    }
                }
                Poll::Ready(None) => {
                    inner.out.clear();
                    inner.gone = true;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    pub(super) async fn flush(&self) {
        poll_fn(|cx| self.poll_flush(cx)).await;
    }

    // ---- in

    /// Takes what the transport has into the type-ahead.
    fn fill(&self, cx: &mut Context<'_>) {
        let mut inner = self.0.borrow_mut();
        let inner = &mut *inner;
        while !inner.gone {
            let room = TYPE_AHEAD.saturating_sub(inner.pending.len());
            // On a UART what finds no room is lost.
            let lossy = inner.transport == Transport::Serial;
            if room == 0 && !lossy {
                return;
            }
            let Some(terminal) = inner.terminal.as_mut() else {
                inner.gone = true;
                return;
            };
            match terminal.input.poll_read(cx, if room == 0 { TYPE_AHEAD } else { room }) {
                Poll::Ready(bytes) if bytes.is_empty() => inner.gone = true,
                Poll::Ready(bytes) => {
                    inner.host.console_in(inner.session, &bytes);
                    inner.idle = None;
                    if room > 0 {
                        inner.pending.extend(bytes);
                    }
                }
                Poll::Pending => return,
            }
        }
    }

    /// The next byte that is not the second half of a line end; `None` when the client is gone, or was idle for
    /// too long. Only a session that waits for its user is idle, not one whose command works.
    pub(super) fn poll_byte(&self, cx: &mut Context<'_>) -> Poll<Option<u8>> {
        // What was shown so far has to be on its way before anybody waits for an answer.
        if self.poll_flush(cx).is_pending() {
            return Poll::Pending;
        }
        self.fill(cx);
        let mut inner = self.0.borrow_mut();
        let folds = inner.transport.folds_line_ends();
        while let Some(byte) = inner.pending.pop_front() {
            let second = folds && inner.after_cr && (byte == b'\n' || byte == 0);
            inner.after_cr = byte == b'\r';
            if !second {
                return Poll::Ready(Some(byte));
            }
        }
        if !inner.gone && inner.poll_idle(cx) {
            (inner.gone, inner.expired) = (true, true);
        }
        if inner.gone { Poll::Ready(None) } else { Poll::Pending }
    }

    pub(super) async fn byte(&self) -> Option<u8> {
        poll_fn(|cx| self.poll_byte(cx)).await
    }

    /// Bytes as they come, for a command that has taken the input over; empty when the client is gone.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>, max: usize) -> Poll<Vec<u8>> {
        self.fill(cx);
        let mut inner = self.0.borrow_mut();
        if inner.pending.is_empty() {
            return if inner.gone { Poll::Ready(Vec::new()) } else { Poll::Pending };
        }
        let n = inner.pending.len().min(max);
        Poll::Ready(inner.pending.drain(..n).collect())
    }

    /// Puts bytes back in front of the type-ahead.
    pub(super) fn unread(&self, bytes: &[u8]) {
        let mut inner = self.0.borrow_mut();
        for byte in bytes.iter().rev() {
            inner.pending.push_front(*byte);
        }
    }

    /// Waits for Ctrl-C (unless a command has taken the input over) or for the client's end.
    /// Ctrl-C takes the type-ahead before it along \[I\].
    pub(super) fn poll_break(&self, cx: &mut Context<'_>) -> Poll<Break> {
        self.fill(cx);
        let mut inner = self.0.borrow_mut();
        if inner.gone {
            return Poll::Ready(Break::Gone);
        }
        if inner.grabbed == 0
            && let Some(at) = inner.pending.iter().position(|byte| *byte == INTERRUPT)
        {
            inner.pending.drain(..=at);
            return Poll::Ready(Break::Interrupt);
        }
        Poll::Pending
    }

    /// Whether the client's end was seen.
    pub(super) fn is_gone(&self) -> bool {
        self.0.borrow().gone
    }

    /// Whether the session was idle for too long (it counts as gone then).
    pub(super) fn is_expired(&self) -> bool {
        self.0.borrow().expired
    }

    /// How long the session may wait for its user; the count begins anew. A serial line waits for ever: it
    /// stays logged in after its client has gone \[K\].
    pub(super) fn set_patience(&self, patience: Option<Duration>) {
        let mut inner = self.0.borrow_mut();
        inner.idle_after = patience.filter(|_| inner.transport != Transport::Serial);
        inner.idle = None;
    }

    pub(super) fn grab(&self) {
        self.0.borrow_mut().grabbed += 1;
    }

    pub(super) fn release(&self) {
        let mut inner = self.0.borrow_mut();
        inner.grabbed = inner.grabbed.saturating_sub(1);
    }
}

impl Inner {
    /// Whether nothing was typed for too long.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(after) = self.idle_after else { return false };
        let kernel = &self.kernel;
        Pin::new(self.idle.get_or_insert_with(|| kernel.sleep(after))).poll(cx).is_ready()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("session", &self.0.borrow().session).finish_non_exhaustive()
    }
}

/// Whether a byte continues a UTF-8 character.
pub(super) fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}
