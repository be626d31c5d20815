//! Moves bytes between the operator's terminal and the link until one of them ends.

use std::borrow::Cow;
use std::path::PathBuf;
use std::task::Poll;
use std::time::{Duration, Instant};

use bootstrap::target::SPEEDS;
use routeros::wake::{State, classify};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Stdin, Stdout};
use tokio::signal::unix::Signal;
use tokio::time::sleep_until;

use super::asked::{ANSWER, Asked};
use super::keys::{Act, Ask, Keys};
use super::link::{Alarm, Attached, no_alarm};
use super::map::Map;
use super::outward::{Outward, Passed};
use super::paste::{Paste, read_file, stops};
use super::ready::{Ready, Signals};
use super::record::Record;
use super::status::Status;
use super::view::{Moment, Times, View};
use crate::line_road::in_clear;
use crate::reach::warning_of_two;
use crate::term;

/// In a pipe, how long the router may be quiet after the last input before the session is closed.
const QUIET_AFTER_INPUT: Duration = Duration::from_secs(2);
/// How often the status line is looked at.
const STATUS: Duration = Duration::from_secs(1);
/// For a line to take what was typed before a key of the menu.
const TYPED_AHEAD: Duration = Duration::from_millis(300);
/// Characters of a line that are looked at for a secret's name.
const MAX_TYPED: usize = 2048;

/// What the operator wants of a terminal.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub raw: Option<PathBuf>,
    pub clean: Option<PathBuf>,
    pub times: Times,
    pub hex: bool,
    pub map: Map,
    pub status: bool,
    pub once: bool,
    /// For each line of a pipe.
    pub timeout: Duration,
}

/// Why a session ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Quit,
    Router,
    Signal,
    Input,
    /// Somebody else may answer here, too, and nobody can be asked.
    Alarm(String),
}

/// How a lost link went on.
enum Back {
    There,
    Over,
    Left(End),
}

/// The operator's side.
struct Desk {
    stdout: Stdout,
    /// Standard output is a terminal: our words may stand between the router's.
    terminal: bool,
    interactive: bool,
    begun: Instant,
    view: View,
    record: Record,
    status: Status,
    keys: Keys,
    map: Map,
    paste: Option<(String, Paste)>,
    outward: Outward,
    /// It was said that the line takes nothing.
    stuck: bool,
    /// A file that was not sent before the operator knew what is in it.
    warned: Option<String>,
    /// DTR, RTS.
    wires: (bool, bool),
    /// What stands in the line that is typed, as long as nobody was warned of a secret in it.
    typed: Option<String>,
    /// Keys are kept from the router until the operator has said that either of two will do.
    held: bool,
    /// Where a terminal shows what a router sends. In hexadecimal it would answer nothing of it.
    asked: Option<Asked>,
}

impl Desk {
    fn now(&self) -> Moment {
        Moment::of(self.begun)
    }

    async fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stdout.write_all(bytes).await?;
        self.stdout.flush().await
    }

    /// A word of ours.
    async fn tell(&mut self, text: &str) -> std::io::Result<()> {
        if self.interactive { self.put(format!("\r\n[jumplead] {text}\r\n").as_bytes()).await } else { Ok(()) }
    }

    /// Nothing more goes to the router before the operator has chosen.
    async fn alarm(&mut self, said: &str) -> std::io::Result<()> {
        self.held = true;
        self.outward.clear();
        if let Some((name, paste)) = self.paste.take() {
            let (at, of) = paste.progress();
            self.mark(&format!("{name} stopped after line {at} of {of}")).await?;
        }
        self.mark(&warning_of_two(said)).await?;
        self.tell("Nothing is sent until you press y to go on with this one; Ctrl-] q leaves.").await
    }

    /// What was typed while keys are held. True: the operator is done.
    async fn chosen(&mut self, typed: &[u8]) -> std::io::Result<bool> {
        // Alone: a paste that begins so chooses nothing.
        if matches!(typed, [b'y' | b'Y']) {
            self.held = false;
            self.tell("going on").await?;
            return Ok(false);
        }
        for act in self.keys.feed(typed) {
            match act {
                Act::Quit => return Ok(true),
                Act::Show(bytes) => self.put(&bytes).await?,
                _ => {}
            }
        }
        Ok(false)
    }

    /// What to say of a secret that is about to be typed, once.
    fn secret(&mut self, keys: &[u8]) -> Option<String> {
        let line = self.typed.as_mut()?;
        for key in keys {
            match key {
                // A line of a paste comes with its end.
                b'\r' | b'\n' if in_clear(line).is_some() => break,
                b'\r' | b'\n' | 3 => line.clear(),
                8 | 0x7f => drop(line.pop()),
                b' '..=b'~' if line.len() < MAX_TYPED => line.push(char::from(*key)),
                _ => {}
            }
        }
        let warning = in_clear(line)?;
        self.typed = None;
        Some(warning)
    }

    /// A word of ours that belongs into the logs too.
    async fn mark(&mut self, text: &str) -> std::io::Result<()> {
        let at = self.now();
        let trouble = self.record.mark(&at, text);
        self.tell(text).await?;
        self.trouble(trouble).await
    }

    async fn trouble(&mut self, trouble: Option<String>) -> std::io::Result<()> {
        match trouble {
            Some(text) if self.interactive => self.tell(&text).await,
            Some(text) => {
                tracing::warn!("{text}");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Bytes came from the router: they are shown and kept. How often it asked what terminal this is.
    async fn heard(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let at = self.now();
        let stopped = match &mut self.paste {
            Some((name, paste)) => {
                let why = paste.heard(Instant::now(), bytes);
                why.map(|why| format!("{name} stopped after line {}: {why}", paste.progress().0))
            }
            None => None,
        };
        let asked = self.asked.as_mut().filter(|_| !self.view.is_hex());
        let (visible, questions) = asked.map_or((Cow::Borrowed(bytes), 0), |asked| asked.take(bytes));
        let shown = self.view.show(&at, &self.map.inward(&visible));
        self.status.passed(&shown);
        // Shown first, kept then: somebody waits for it.
        let rest = if self.terminal { shown.as_slice() } else { term::write_at_once(&shown)? };
        if !rest.is_empty() {
            self.stdout.write_all(rest).await?;
            self.stdout.flush().await?;
        }
        let trouble = self.record.heard(&at, bytes);
        self.trouble(trouble).await?;
        if let Some(stopped) = stopped {
            self.paste = None;
            self.mark(&stopped).await?;
        }
        Ok(questions)
    }

    async fn show_status(&mut self, state: String) -> std::io::Result<()> {
        let columns = term::size().map_or(80, |(columns, _)| columns);
        let seconds = self.begun.elapsed().as_secs();
        let mut text = format!(" {state}  {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if let Some((name, paste)) = &self.paste {
            let (at, of) = paste.progress();
            text += &format!("  {name} {at}/{of}");
        }
        let out = self.status.show(&format!("{text}  Ctrl-] menu"), columns);
        if out.is_empty() { Ok(()) } else { self.put(&out).await }
    }

    /// What came of keys, but for what only the link can do. True: the operator is done.
    async fn act<L: Attached>(&mut self, link: &mut L, act: Act) -> std::io::Result<bool> {
        if matches!(act, Act::Quit | Act::Break | Act::Dtr | Act::Rts | Act::Answer(Ask::Speed, _)) {
            self.before(link).await?;
        }
        match act {
            Act::Quit => return Ok(true),
            Act::Send(bytes) => {
                if let Some(warning) = self.secret(&bytes) {
                    self.tell(&warning).await?;
                }
                let bytes = self.map.outward(&bytes);
                self.send(&bytes).await?;
            }
            Act::Show(bytes) => self.put(&bytes).await?,
            Act::Session => {
                let state = link.state();
                self.tell(&state).await?;
            }
            Act::Break => {
                let text = if link.send_break().await? { "break sent" } else { "this line has no break" };
                self.mark(text).await?;
            }
            Act::Dtr | Act::Rts => {
                let dtr = (act == Act::Dtr).then_some(!self.wires.0);
                let rts = (act == Act::Rts).then_some(!self.wires.1);
                if link.set_wires(dtr, rts).await? {
                    self.wires = (dtr.unwrap_or(self.wires.0), rts.unwrap_or(self.wires.1));
                    self.tell(&format!("DTR={} RTS={}", u8::from(self.wires.0), u8::from(self.wires.1))).await?;
                } else {
                    self.tell("this line has no such wire").await?;
                }
            }
            Act::Times => {
                self.view.times = self.view.times.next();
                self.tell(&format!("times: {:?}", self.view.times)).await?;
            }
            Act::Hex => {
                let on = !self.view.is_hex();
                self.view.set_hex(on);
                self.tell(if on { "hexadecimal" } else { "text" }).await?;
            }
            Act::Status => {
                let rows = term::size().map_or(24, |(_, rows)| rows);
                let out = if self.status.is_on() { self.status.off() } else { self.status.on(rows) };
                self.put(&out).await?;
                self.show_status(link.state()).await?;
            }
            Act::Last => {
                let lines = self.record.last();
                self.list("the last lines", &lines).await?;
            }
            Act::Answer(ask, text) => self.answer(link, ask, &text).await?,
        }
        Ok(false)
    }

    async fn answer<L: Attached>(&mut self, link: &mut L, ask: Ask, text: &str) -> std::io::Result<()> {
        match ask {
            Ask::Speed => match text.trim().parse().ok().filter(|baud| SPEEDS.contains(baud)) {
                None => self.tell("that is no speed").await,
                Some(baud) => match link.set_baud(baud).await {
                    Ok(true) => self.mark(&format!("{baud} bits a second")).await,
                    Ok(false) => self.tell("the speed of this link is not set from here").await,
                    Err(error) => self.tell(&format!("the line can't do that: {error}")).await,
                },
            },
            Ask::Search => {
                let (count, lines) = self.record.search(text);
                self.list(&format!("{count} lines hold `{text}`"), &lines).await
            }
            Ask::File => match read_file(text) {
                Ok(bytes) => {
                    if let Some(why) = stops(&self.record.current()) {
                        return self.tell(&format!("{text} was not sent: {why}")).await;
                    }
                    if let Some(warning) = self.file_in_clear(link, text, &bytes) {
                        return self.tell(&warning).await;
                    }
                    let paste = Paste::new(Instant::now(), &bytes);
                    let pieces = paste.progress().1;
                    self.paste = Some((text.to_owned(), paste));
                    self.tell(&format!("sending {text}, {pieces} lines; any key stops it")).await
                }
                Err(why) => self.tell(&format!("{text} can't be sent: {why}")).await,
            },
        }
    }

    /// Why a file is not sent yet: a console server would hear a secret in it. Asked for once more it is sent.
    fn file_in_clear<L: Attached>(&mut self, link: &L, name: &str, bytes: &[u8]) -> Option<String> {
        if !link.overheard() || self.warned.as_deref() == Some(name) {
            return None;
        }
        let text = String::from_utf8_lossy(bytes);
        let (number, warning) = text.lines().zip(1..).find_map(|(line, number)| Some((number, in_clear(line)?)))?;
        self.warned = Some(name.to_owned());
        Some(format!(
            "{name} was not sent: in its line {number} {warning}. To send it all the same: `f` and its name again"
        ))
    }

    /// What was typed ahead goes first, where the line takes it.
    async fn before<L: Attached>(&mut self, link: &mut L) -> std::io::Result<()> {
        let until = tokio::time::Instant::now() + TYPED_AHEAD;
        let mut shown = [0; 4096];
        while !self.outward.is_empty() {
            match tokio::time::timeout_at(until, self.outward.pass(link, &mut shown)).await {
                Ok(Passed::Came(Ok(n))) if n > 0 => drop(self.heard(shown.get(..n).unwrap_or_default()).await?),
                // The loop sees to a line that is gone.
                Ok(Passed::Came(_)) | Err(_) => break,
                Ok(Passed::Gone) => {}
            }
        }
        Ok(())
    }

    /// What to know of the line that is left.
    async fn leaving<L: Attached>(&mut self, link: &L) -> std::io::Result<()> {
        let unsent = self.outward.clear();
        if unsent > 0 {
            self.mark(&format!("{unsent} bytes were not sent: the line took nothing")).await?;
        }
        let standing = classify(&[], &self.record.current());
        if let Some(State::Prompt(prompt) | State::HalfTyped(prompt)) = standing.filter(|_| link.stays()) {
            let user = prompt.user;
            self.tell(&format!("{user} is still logged in on this line; /quit ends that, Ctrl-] q does not")).await?;
        }
        Ok(())
    }

    async fn list(&mut self, head: &str, lines: &[String]) -> std::io::Result<()> {
        let mut text = format!("\r\n[jumplead] {head}\r\n");
        for line in lines {
            let plain: String = line.chars().filter(|c| !c.is_control()).collect();
            text += &format!("{plain}\r\n");
        }
        self.put(text.as_bytes()).await
    }

    /// What is typed goes to the router as soon as the line takes it.
    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.outward.push(bytes) || std::mem::replace(&mut self.stuck, true) {
            return Ok(());
        }
        self.tell("the line takes nothing: what you type now is lost. Ctrl-] q leaves").await
    }

    /// Types the next line of a file, if it is time.
    async fn paste(&mut self) -> std::io::Result<()> {
        let Some((name, paste)) = &mut self.paste else { return Ok(()) };
        if let Some(piece) = paste.poll(Instant::now()) {
            self.outward.push(&piece);
        }
        let (news, over, name) = (paste.news(), paste.due().is_none(), name.clone());
        if over {
            self.paste = None;
            self.mark(&format!("{name} sent; look at what the router made of it")).await
        } else if let Some(percent) = news.filter(|_| !self.status.is_on()) {
            self.tell(&format!("{percent} %")).await
        } else {
            Ok(())
        }
    }
}

/// Joins the two until one ends.
pub async fn pump<L: Attached>(link: &mut L, options: &Options, ready: Ready, alarm: Alarm) -> std::io::Result<End> {
    let Ready { mut signals, record, terminal, interactive } = ready;
    let mut desk = Desk {
        stdout: tokio::io::stdout(),
        terminal,
        interactive,
        begun: Instant::now(),
        view: View::new(options.times, options.hex),
        record,
        status: Status::default(),
        keys: Keys::default(),
        map: options.map,
        paste: None,
        outward: Outward::default(),
        stuck: false,
        warned: None,
        wires: link.wires(),
        typed: link.overheard().then(String::new),
        held: false,
        asked: None,
    };
    desk.asked = (interactive && desk.terminal).then(Asked::default);
    if interactive && options.status {
        desk.act(link, Act::Status).await?;
    }
    let ended = joined(link, &mut desk, options, &mut signals, alarm).await;
    let at = desk.now();
    if matches!(ended, Ok(End::Quit)) {
        desk.leaving(link).await?;
    }
    desk.record.end(&at);
    let off = desk.status.off();
    if !off.is_empty() {
        desk.put(&off).await?;
    }
    ended
}

async fn joined<L: Attached>(
    link: &mut L,
    desk: &mut Desk,
    options: &Options,
    Signals { window, terminate, hangup, quit, interrupt }: &mut Signals,
    mut alarm: Alarm,
) -> std::io::Result<End> {
    let interactive = desk.interactive;
    let mut stdin = tokio::io::stdin();
    let (mut typed, mut shown) = ([0; 1024], [0; 4096]);
    let mut quiet: Option<tokio::time::Instant> = None;
    let mut status = tokio::time::interval(STATUS);
    // Not before the first prompt, which somebody waits for; and not for ever.
    let mut listening = false;
    loop {
        let far = tokio::time::Instant::now() + Duration::from_secs(86_400);
        let due = desk.paste.as_ref().and_then(|(_, paste)| paste.due()).map_or(far, tokio::time::Instant::from_std);
        tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(End::Signal),
            _ = hangup.recv() => return Ok(End::Signal),
            _ = quit.recv() => return Ok(End::Signal),
            _ = interrupt.recv() => return Ok(End::Signal),
            _ = window.recv(), if interactive => {
                if let Some((columns, rows)) = term::size() {
                    link.resize(columns, rows);
                    if desk.status.is_on() {
                        let out = desk.status.on(rows);
                        desk.put(&out).await?;
                    }
                }
            }
            passed = desk.outward.pass(link, &mut shown) => {
                let n = match passed {
                    Passed::Gone => {
                        desk.stuck = false;
                        quiet = quiet.map(|_| tokio::time::Instant::now() + QUIET_AFTER_INPUT);
                        continue;
                    }
                    Passed::Came(Ok(n)) if n > 0 => n,
                    Passed::Came(lost) => match come_back(link, desk, options.once, &mut stdin, [&mut *terminate, &mut *hangup, &mut *quit, &mut *interrupt]).await? {
                        Back::There => {
                            desk.outward.clear();
                            continue;
                        }
                        Back::Over => return lost.map(|_| End::Router),
                        Back::Left(end) => return Ok(end),
                    },
                };
                let questions = desk.heard(shown.get(..n).unwrap_or_default()).await?;
                // Nothing goes to a router that was not chosen yet.
                if questions > 0 && !desk.held {
                    desk.outward.push(&ANSWER.repeat(questions));
                }
                listening = true;
                quiet = quiet.map(|_| tokio::time::Instant::now() + QUIET_AFTER_INPUT);
            }
            said = &mut alarm, if listening => {
                if !interactive {
                    return Ok(End::Alarm(said));
                }
                desk.alarm(&said).await?;
                alarm = no_alarm();
            }
            n = stdin.read(&mut typed), if quiet.is_none() && (interactive || desk.outward.is_empty()) => {
                let n = n?;
                let typed = typed.get(..n).unwrap_or_default();
                if n == 0 {
                    quiet = Some(tokio::time::Instant::now() + QUIET_AFTER_INPUT);
                } else if desk.held {
                    if desk.chosen(typed).await? {
                        return Ok(End::Quit);
                    }
                } else if interactive {
                    if let Some((name, paste)) = desk.paste.take() {
                        let (at, of) = paste.progress();
                        desk.mark(&format!("{name} stopped after line {at} of {of}")).await?;
                        continue;
                    }
                    for act in desk.keys.feed(typed) {
                        if desk.act(link, act).await? {
                            return Ok(End::Quit);
                        }
                    }
                    desk.stdout.flush().await?;
                } else {
                    // A console takes CR for Enter; a LF behind it would be a second Enter.
                    let line: Vec<u8> = typed.iter().filter(|b| **b != b'\r').map(|b| if *b == b'\n' { b'\r' } else { *b }).collect();
                    desk.outward.push(&line);
                }
            }
            () = sleep_until(due), if desk.paste.is_some() && desk.outward.is_empty() => desk.paste().await?,
            _ = status.tick() => {
                for news in link.news() {
                    desk.mark(&news).await?;
                }
                if desk.status.is_on() {
                    desk.show_status(link.state()).await?;
                }
            }
            () = sleep_until(quiet.unwrap_or(far)), if quiet.is_some() && desk.outward.is_empty() => return Ok(End::Input),
        }
    }
}

/// Waits for a line that was lost, marking the gap; Ctrl-] q leaves.
async fn come_back<L: Attached>(
    link: &mut L,
    desk: &mut Desk,
    once: bool,
    stdin: &mut Stdin,
    [terminate, hangup, quit, interrupt]: [&mut Signal; 4],
) -> std::io::Result<Back> {
    if !desk.interactive || once {
        return Ok(Back::Over);
    }
    let (name, since) = (link.describe(), Instant::now());
    let mut reopened = Box::pin(link.reopen());
    // A link that never comes back says so at once.
    let at_once = std::future::poll_fn(|cx| match reopened.as_mut().poll(cx) {
        Poll::Ready(there) => Poll::Ready(Some(there)),
        Poll::Pending => Poll::Ready(None),
    });
    if let Some(there) = at_once.await {
        if there {
            desk.mark(&format!("{name} was gone and is back; what was said meanwhile is lost")).await?;
        }
        return Ok(if there { Back::There } else { Back::Over });
    }
    if let Some((file, paste)) = desk.paste.take() {
        let (at, of) = paste.progress();
        desk.mark(&format!("{file} stopped after line {at} of {of}: the line is gone")).await?;
    }
    desk.mark(&format!("{name} is gone; waiting for it. Ctrl-] q quits")).await?;
    let mut typed = [0; 1024];
    loop {
        tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(Back::Left(End::Signal)),
            _ = hangup.recv() => return Ok(Back::Left(End::Signal)),
            _ = quit.recv() => return Ok(Back::Left(End::Signal)),
            _ = interrupt.recv() => return Ok(Back::Left(End::Signal)),
            there = &mut reopened => {
                if !there {
                    return Ok(Back::Over);
                }
                let gap = since.elapsed().as_secs_f64();
                desk.mark(&format!("it is back after {gap:.1} s; what was said meanwhile is lost")).await?;
                return Ok(Back::There);
            }
            n = stdin.read(&mut typed) => {
                let n = n?;
                // What is typed into a gap is nobody's; the menu still opens.
                let acts = desk.keys.feed(typed.get(..n).unwrap_or_default());
                if n == 0 || acts.contains(&Act::Quit) {
                    return Ok(Back::Left(End::Quit));
                }
                for act in acts {
                    if let Act::Show(bytes) = act {
                        desk.put(&bytes).await?;
                    }
                }
            }
        }
    }
}
