//! The prompt: keys to lines, lines to commands, and what comes in between.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use crate::kernel::Sleep;

use super::command::CommandIo;
use super::editor::{Editor, Style};
use super::history::History;
use super::host::{
    ConsoleHost, EndReason, LineRequest, LineResult, MenuPath, SafeMode, SafeModeReply, SessionOptions, Transport,
};
use super::keys::{Decoder, Key};
use super::notice::{Feed, Notice};
use super::prompt::{PromptParts, continuation, recalled};
use super::wire::{Break, Wire};
use crate::raw;

/// Lines of one input with open brackets: more are refused with an error, as no source knows the limit.
const MAX_LINES: usize = 4096;

/// What a shell is made for.
#[derive(Debug, Clone)]
pub(super) struct ShellOptions {
    pub(super) session: SessionOptions,
    /// The bare name.
    pub(super) user: String,
    pub(super) style: Style,
    /// Whether the login name left colours on.
    pub(super) colours: bool,
}

/// What wakes a session at its prompt.
enum Wake {
    Byte(u8),
    Gone,
    Notice,
}

/// A session at its prompt.
pub(super) struct Shell {
    wire: Wire,
    host: Rc<dyn ConsoleHost>,
    options: ShellOptions,
    editor: Editor,
    decoder: Decoder,
    feed: Feed,
    history: History,
    path: MenuPath,
    /// Complete lines of an input whose brackets are open.
    lines: Vec<Vec<u8>>,
    safe: bool,
    hotlock: bool,
    /// The last key was TAB and found several words.
    listing: bool,
    quiet: Option<Sleep>,
}

impl Shell {
    pub(super) fn new(wire: Wire, host: Rc<dyn ConsoleHost>, options: ShellOptions) -> Self {
        let quirks = host.quirks();
        let editor = Editor::new(options.style, wire.size(), wire.utf8()).without_echo(quirks.no_echo);
        let feed = host.notices().subscribe();
        Self {
            wire,
            host,
            options,
            editor,
            decoder: Decoder::default(),
            feed,
            history: History::default(),
            path: MenuPath::new(),
            lines: Vec::new(),
            safe: false,
            hotlock: false,
            listing: false,
            quiet: None,
        }
    }

    /// Until logout.
    pub(super) async fn run(mut self) -> EndReason {
        // Two CR more, and no repaint: what a first dumb prompt was seen to be [T18].
        if self.options.style == Style::Dumb {
            self.wire.put(b"\r\r");
            self.editor.paint_plainly();
        }
        self.paint();
        let reason = loop {
            let ended = match self.wake().await {
                Wake::Byte(byte) => self.byte(byte).await,
                Wake::Gone => Some(EndReason::Vanished),
                Wake::Notice => {
                    self.notices();
                    None
                }
            };
            if let Some(reason) = ended {
                break reason;
            }
        };
        if self.safe {
            let end = if reason == EndReason::Quit { SafeMode::Release } else { SafeMode::Unroll };
            self.host.safe_mode(self.options.session.session, &self.options.user, end);
        }
        reason
    }

    async fn wake(&mut self) -> Wake {
        let quirks = self.host.quirks();
        poll_fn(|cx| {
            match self.wire.poll_byte(cx) {
                Poll::Ready(Some(byte)) => {
                    self.quiet = None;
                    return Poll::Ready(Wake::Byte(byte));
                }
                Poll::Ready(None) => return Poll::Ready(Wake::Gone),
                Poll::Pending => {}
            }
            // Pushed only into an idle session, so it waits for a pause of the keys.
            if self.feed.poll_ready(cx).is_ready()
                && Pin::new(self.quiet.get_or_insert_with(|| self.wire.sleep(quirks.log_push_after)))
                    .poll(cx)
                    .is_ready()
            {
                self.quiet = None;
                return Poll::Ready(Wake::Notice);
            }
            Poll::Pending
        })
        .await
    }

    // ---- prompts

    fn prompt(&self) -> Vec<u8> {
        if let Some(recalled_lines) = self.history.recalled_lines() {
            return recalled(self.lines.len() + 1, recalled_lines);
        }
        if !self.lines.is_empty() {
            return continuation(&self.host.open_brackets(&self.lines.join(&b'\n')));
        }
        PromptParts {
            user: &self.options.user,
            identity: &self.host.identity(),
            path: &self.path,
            version: self.host.version(),
            safe: self.safe,
            hotlock: self.hotlock,
            colours: self.options.colours && self.host.quirks().colours,
        }
        .bytes()
    }

    fn paint(&mut self) {
        let prompt = self.prompt();
        self.editor.set_prompt(&prompt);
        let mut out = Vec::new();
        self.editor.paint(&mut out);
        self.wire.put(&out);
    }

    /// The prompt after a command's output; some roads show it twice, with CR LF between \[T22\].
    fn paint_after_output(&mut self) {
        if self.host.quirks().double_prompt && !self.wire.size().shows_nothing() {
            let prompt = self.prompt();
            self.editor.set_prompt(&prompt);
            let mut out = b"\r\r\r".to_vec();
            self.editor.paint_here(&mut out);
            out.extend(b"\r\n");
            self.wire.put(&out);
        }
        self.paint();
    }

    /// Shows what waits, each over the prompt's line, and paints the prompt again.
    fn notices(&mut self) {
        while let Some(notice) = self.feed.take() {
            let text = match notice {
                Notice::Log(line) => raw::bytes(&format!("{} echo: {} {}", line.clock, line.topics, line.message)),
                // How a chat line looks is in no source.
                Notice::Chat { user, text } => [raw::bytes(&user).as_slice(), b": ", &text].concat(),
                Notice::SafeModeLost { session } => {
                    if session != self.options.session.session || !self.safe {
                        continue;
                    }
                    self.safe = false;
                    b"[Safe mode released by another user]".to_vec()
                }
            };
            if self.wire.size().shows_nothing() {
                continue;
            }
            // T22 for a probed terminal; that others get blanks for the escape is inferred.
            let mut out = [b"\r".as_slice(), &text].concat();
            if self.options.style == Style::Single {
                let columns = usize::from(self.wire.size().columns).saturating_sub(1);
                out.resize(out.len().max(columns + 1), b' ');
                out.extend(b"\r\n");
            } else {
                out.extend(b"\x1b[K\r\n");
            }
            self.wire.put(&out);
        }
        let prompt = self.prompt();
        self.editor.set_prompt(&prompt);
        let mut out = b"\r".to_vec();
        self.editor.paint_here(&mut out);
        self.wire.put(&out);
    }

    // ---- keys

    async fn byte(&mut self, byte: u8) -> Option<EndReason> {
        // An SSH channel closes at Ctrl-D, whatever stands in the line [S1].
        if byte == 0x04 && self.options.session.transport == Transport::Ssh {
            return Some(EndReason::LoggedOut);
        }
        let key = self.decoder.feed(byte)?;
        let again = std::mem::take(&mut self.listing);
        let v7 = self.host.version().is_v7();
        let mut out = Vec::new();
        match key {
            Key::Enter => return self.enter().await,
            Key::Tab => self.complete(again),
            // 6.x only: help at once, unless escaped.
            Key::Text(b'?') if !v7 && self.editor.before_cursor().last() != Some(&b'\\') => self.help(),
            Key::Text(byte) => {
                self.editor.insert(byte, &mut out);
                self.wire.put(&out);
                out.clear();
                if self.hotlock {
                    self.complete_as_typed();
                }
            }
            Key::Backspace => self.editor.backspace(&mut out),
            Key::Delete => self.editor.delete(&mut out),
            Key::Left | Key::Ctrl(b'B') => self.editor.left(&mut out),
            Key::Right | Key::Ctrl(b'F') => self.editor.right(&mut out),
            Key::Home | Key::Ctrl(b'A') => self.editor.home(&mut out),
            Key::End | Key::Ctrl(b'E') => self.editor.end(&mut out),
            Key::Ctrl(b'U') => self.editor.kill_to_start(&mut out),
            Key::Ctrl(b'K') => self.editor.kill_to_end(&mut out),
            Key::Up | Key::Ctrl(b'P') => self.recall(true),
            Key::Down | Key::Ctrl(b'N') => self.recall(false),
            Key::Function(1) if v7 => self.help(),
            Key::Ctrl(b'C') => self.cancel(),
            Key::Ctrl(b'D') if self.editor.is_empty() && self.lines.is_empty() => {
                self.wire.put(b"\r\n");
                return Some(EndReason::LoggedOut);
            }
            Key::Ctrl(b'D') => self.editor.delete(&mut out),
            Key::Ctrl(b'L') | Key::Function(5) if v7 => {
                // Which bytes reset the terminal is in no source.
                self.wire.put(b"\x1b[H\x1b[J");
                self.paint();
            }
            Key::Ctrl(b'X') => return self.safe_mode().await,
            Key::Function(4) if v7 => return self.safe_mode().await,
            Key::Ctrl(b'V') if !v7 => self.toggle_hotlock(),
            Key::Function(7) if v7 => self.toggle_hotlock(),
            // Ctrl-R (search), Ctrl-\ (split), Ctrl-T (background), F8 and the rest are not built.
            _ => {}
        }
        self.wire.put(&out);
        None
    }

    fn toggle_hotlock(&mut self) {
        self.hotlock = !self.hotlock;
        self.repaint();
    }

    /// The prompt changed while a line is being typed: a new line below, with the text.
    fn repaint(&mut self) {
        self.wire.put(b"\r\n");
        self.paint();
    }

    fn cancel(&mut self) {
        let mut out = Vec::new();
        self.editor.finish(&mut out);
        self.editor.clear();
        self.lines.clear();
        self.history.leave();
        self.wire.put(&out);
        self.paint();
    }

    fn recall(&mut self, up: bool) {
        if !self.lines.is_empty() && self.history.recalled_lines().is_none() {
            return;
        }
        let found = if up { self.history.up(self.editor.text()) } else { self.history.down() };
        let Some(text) = found else { return };
        self.lines = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let last = self.lines.pop().unwrap_or_default();
        let mut out = Vec::new();
        let prompt = self.prompt();
        self.editor.set_prompt(&prompt);
        self.editor.replace(&last, &mut out);
        self.wire.put(&out);
    }

    // ---- completion and help

    fn complete(&mut self, again: bool) {
        let found = self.host.complete(&self.path, self.editor.before_cursor());
        let mut out = Vec::new();
        match found.options.as_slice() {
            [] => {}
            [only] => {
                self.editor.insert_all(only.get(found.word..).unwrap_or_default(), &mut out);
                // The blank behind a finished word is inferred.
                self.editor.insert(b' ', &mut out);
            }
            several => {
                let common = common_prefix(several);
                self.editor.insert_all(common.get(found.word..).unwrap_or_default(), &mut out);
                if again {
                    self.editor.finish(&mut out);
                    self.wire.put(&std::mem::take(&mut out));
                    self.wire.line(&several.join(b"  ".as_slice()));
                    self.paint();
                }
                self.listing = true;
            }
        }
        self.wire.put(&out);
    }

    /// Hotlock: a word that only one thing can mean is finished as soon as it is typed.
    fn complete_as_typed(&mut self) {
        let found = self.host.complete(&self.path, self.editor.before_cursor());
        if let [only] = found.options.as_slice()
            && found.word > 0
        {
            let mut out = Vec::new();
            self.editor.insert_all(only.get(found.word..).unwrap_or_default(), &mut out);
            self.wire.put(&out);
        }
    }

    fn help(&mut self) {
        let rows = self.host.help(&self.path, self.editor.before_cursor());
        let mut out = Vec::new();
        self.editor.finish(&mut out);
        self.wire.put(&out);
        for row in rows {
            self.wire.line(format!("{} -- {}", row.word, row.text).as_bytes());
        }
        self.paint();
    }

    // ---- safe mode

    async fn safe_mode(&mut self) -> Option<EndReason> {
        let session = self.options.session.session;
        let (host, user) = (Rc::clone(&self.host), self.options.user.clone());
        if self.safe {
            self.safe = host.safe_mode(session, &user, SafeMode::Release) != SafeModeReply::Done;
            self.below(if self.safe { b"" } else { b"[Safe Mode released]" });
            return None;
        }
        match host.safe_mode(session, &user, SafeMode::Take) {
            SafeModeReply::Unsupported => return None,
            SafeModeReply::Done => self.safe = true,
            SafeModeReply::Held { by } => {
                let ask = format!("\r\n\rHijacking Safe Mode from {by} - unroll/release/don't take it [u/r/d]: \r\n");
                self.wire.put(ask.as_bytes());
                let Some(key) = self.wire.byte().await else { return Some(EndReason::Vanished) };
                if matches!(key, b'u' | b'r') {
                    let take = SafeMode::Hijack { unroll: key == b'u' };
                    self.safe = host.safe_mode(session, &user, take) == SafeModeReply::Done;
                }
            }
        }
        // The words of 7.21.5 [S15] and the manual's [T28]; where they changed is not known.
        let taken: &[u8] =
            if host.version().at_least(7, 20) { b"Taking Safe Mode session... Success!" } else { b"[Safe Mode taken]" };
        self.below(if self.safe { taken } else { b"" });
        None
    }

    /// A line of text below the one being typed, then the prompt with it.
    fn below(&mut self, text: &[u8]) {
        self.wire.put(b"\r\n");
        self.wire.line(text);
        self.paint();
    }

    // ---- Enter

    async fn enter(&mut self) -> Option<EndReason> {
        let mut out = Vec::new();
        let line = self.editor.enter(&mut out);
        self.wire.put(&out);
        self.history.leave();
        if self.lines.is_empty() && line.iter().all(|byte| *byte == b' ') {
            self.paint();
            return None;
        }
        // A comment line is a message to everybody [K S12, 7.x].
        if self.lines.is_empty() && line.first() == Some(&b'#') && self.host.version().is_v7() {
            let text = line[1..].to_vec();
            self.host.notices().publish(Notice::Chat { user: self.options.user.clone(), text });
            self.paint();
            return None;
        }
        self.lines.push(line);
        let text = self.lines.join(&b'\n');
        if !self.host.open_brackets(&text).is_empty() && self.lines.len() < MAX_LINES {
            self.paint();
            return None;
        }
        self.lines.clear();
        self.history.push(&text);
        self.execute(text).await
    }

    async fn execute(&mut self, text: Vec<u8>) -> Option<EndReason> {
        if self.host.quirks().prompt_first {
            self.paint();
            self.wire.put(b"\r\n");
        }
        let request = LineRequest {
            session: self.options.session.session,
            user: self.options.user.clone(),
            path: self.path.clone(),
            text,
        };
        let broken = self.until_broken(request).await;
        self.wire.set_patience(self.host.quirks().idle_logout);
        let result = match broken {
            Ok(result) => result,
            Err(Break::Interrupt) => LineResult { error: Some("interrupted".into()), ..LineResult::default() },
            Err(Break::Gone) => return Some(EndReason::Vanished),
        };
        if let Some(error) = &result.error {
            self.wire.line(&raw::bytes(error));
        }
        if result.quit {
            self.wire.line(b"interrupted");
            return Some(EndReason::Quit);
        }
        if let Some(path) = result.path {
            self.path = path;
        }
        self.paint_after_output();
        None
    }

    /// Runs one input to its end, or to Ctrl-C or the client's end.
    async fn until_broken(&self, request: LineRequest) -> Result<LineResult, Break> {
        let mut running = pin!(self.host.run_line(request, CommandIo::new(self.wire.clone())));
        poll_fn(|cx| {
            if let Poll::Ready(broken) = self.wire.poll_break(cx) {
                return Poll::Ready(Err(broken));
            }
            let done = running.as_mut().poll(cx).map(Ok);
            // What the command showed goes out while it runs.
            let _ = self.wire.poll_flush(cx);
            done
        })
        .await
    }
}

fn common_prefix(words: &[Vec<u8>]) -> Vec<u8> {
    let mut words = words.iter();
    let mut common = words.next().cloned().unwrap_or_default();
    for word in words {
        let same = common.iter().zip(word).take_while(|(a, b)| a == b).count();
        common.truncate(same);
    }
    common
}
