//! From the first byte to the first prompt: names, passwords, screens and questions in whatever order they come.

use crate::boot;
use crate::booter;
use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::options::{LoginOptions, NewPassword, Suffix};
use crate::prompt::Prompt;
use crate::question::Question;
use crate::secret::Secret;
use crate::session::CTRL_C;
use crate::wake::{self, Menu, State, leaving};
use std::time::Duration;
use tokio::time::Instant;

/// A serial line says nothing until it is poked; and a poke can be lost while the router starts.
const POKE: Duration = Duration::from_secs(2);
/// Over a network the router speaks first. Longer than the ten seconds of a terminal probe that failed.
const POKE_NETWORK: Duration = Duration::from_secs(12);
/// Silence behind a prompt that was painted.
const PAINTED: Duration = Duration::from_millis(300);
/// Columns that are left free beside the prompt and a line that has to fit.
const BESIDE: usize = 20;
/// Silence behind the echo of it, and how long all of that may take: a second at 9600 bits a second.
const ECHOED: Duration = Duration::from_millis(1200);
const ALL_ECHOED: Duration = Duration::from_secs(20);
/// How often it is typed: a line damages a character now and then.
const WIDTH_TRIES: usize = 2;
/// Enters that are sent to a silent console.
const MAX_POKES: usize = 4;
/// Questions of one kind that are answered; a router that asks more often is not understood.
const MAX_ANSWERS: usize = 3;
/// Ends of lines that look like questions about values are not asked during login; this only bounds the wait.
const DOUBTFUL: Duration = Duration::from_secs(5);

/// Whether a prompt can still be the near router's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The link leads to one router.
    Direct,
    /// The link is a near router's console that runs `/tool mac-telnet`.
    Hop,
}

/// The passwords that are left to be tried.
#[derive(Debug)]
pub(crate) struct Ladder<'a> {
    passwords: &'a [Secret],
    next: usize,
}

impl<'a> Ladder<'a> {
    pub(crate) fn new(passwords: &'a [Secret]) -> Self {
        Self { passwords, next: 0 }
    }

    /// How many were typed.
    pub(crate) fn tried(&self) -> usize {
        self.next
    }

    /// The one that was typed last.
    pub(crate) fn typed(&self) -> Option<&'a Secret> {
        self.passwords.get(self.next.checked_sub(1)?)
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.next >= self.passwords.len()
    }

    fn take(&mut self) -> Option<&'a Secret> {
        let password = self.passwords.get(self.next)?;
        self.next += 1;
        Some(password)
    }
}

/// What has been done in one login.
#[derive(Debug, Default)]
struct Progress {
    /// The router has refused a password, or the link's own login.
    refused: bool,
    password_sent: bool,
    /// The new password was typed this many times.
    new_password: usize,
    answers: usize,
    pokes: usize,
    poked: bool,
    /// The name was typed: a prompt behind it is this login's own.
    named: bool,
    quit_once: bool,
}

/// Goes through the dialogue until a prompt shows. Nothing is typed that was not asked for, but Enter to a silent line.
pub(crate) async fn login(
    dialogue: &mut Dialogue,
    options: &LoginOptions,
    ladder: &mut Ladder<'_>,
    mode: Mode,
) -> Result<Prompt, Error> {
    let mut progress = Progress::default();
    let serial = options.wake.is_some();
    if let Some(listen) = options.wake {
        let mut woken = match options.guest {
            true => Box::pin(wake::wake(dialogue, &wake::Plan::look(listen))).await?,
            false => Box::pin(wake::wake(dialogue, &wake::Plan::settle(listen))).await?,
        };
        dialogue.boots.extend(woken.boot.take());
        if options.guest {
            someones(&woken.state, options)?;
            if matches!(woken.state, State::HalfTyped(_) | State::Asked(_) | State::Text) {
                // Our own, from a session that broke, or nobody's that can be named; whose it was shows then.
                woken = Box::pin(wake::wake(dialogue, &wake::Plan::settle(Duration::ZERO))).await?;
                someones(&woken.state, options)?;
            }
        }
        match woken.state {
            State::Login => answer(dialogue, options, ladder, &mut progress, Question::LoginName)?,
            State::Prompt(prompt) => {
                if let Some(prompt) = Box::pin(standing(dialogue, options, &mut progress, prompt)).await? {
                    return Ok(prompt);
                }
            }
            State::Garbage => {
                let seen = woken.seen;
                return Err(dialogue.unfit().map_or(Error::WrongSpeed { seen }, |why| Error::UnfitLink { why }));
            }
            // Nothing was said, which the loader's menu or a boot would have: it is poked again below.
            State::Silent if dialogue.boots.is_empty() => {}
            state => {
                if let Some(error) = boot::stuck(dialogue, &state) {
                    return Err(error);
                }
            }
        }
    }
    let poke = if serial { POKE } else { POKE_NETWORK };
    let mut deadline = Instant::now() + options.timeouts.login;
    loop {
        let mut patterns = vec![
            Pattern::Line("Login failed, incorrect".into()),
            Pattern::Line("Try again, error".into()),
            Pattern::Prompt(Duration::ZERO),
            Pattern::Question(Duration::ZERO, DOUBTFUL),
        ];
        if mode == Mode::Direct && progress.pokes < MAX_POKES {
            patterns.push(Pattern::Quiet(poke));
        }
        let boots = patterns.len();
        if serial {
            patterns.extend(boot::patterns());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        // The last that was typed was Enter, at silence.
        let poked = std::mem::take(&mut progress.poked);
        let found = match dialogue.wait(patterns, left, "logging in").await {
            Ok(found) => found,
            Err(Error::LinkClosed { .. }) if progress.refused => return Err(rejected(options, ladder)),
            Err(error) => return Err(error),
        };
        match found.found {
            Found::Line(line) if found.pattern >= boots => {
                let heard = found.before.iter().map(|line| line.text.as_str()).chain([line.text.as_str()]);
                let opened = poked && booter::opened_by_a_key(heard, false);
                let (mut ridden, mut state) = boot::ride(dialogue, &line.text).await?;
                // Enter at a line that said nothing was a key in a silent boot loader's window.
                if opened
                    && state == State::Menu(Menu::Main)
                    && let Some(left) = booter::leave_opened(dialogue).await?
                {
                    (ridden, state) = left;
                }
                dialogue.boots.push(ridden);
                if let Some(error) = boot::stuck(dialogue, &state) {
                    return Err(error);
                }
                answer(dialogue, options, ladder, &mut progress, Question::LoginName)?;
                deadline = Instant::now() + options.timeouts.login;
            }
            Found::Line(line) if found.pattern == 1 => {
                return Err(Error::NewPassword { why: dialogue.log.masker.mask_text(line.text.trim()) });
            }
            Found::Line(_) => {
                // On a link that authenticated by itself there is nobody left to give another password to.
                if !progress.password_sent && mode == Mode::Direct && !serial {
                    return Err(rejected(options, ladder));
                }
                progress.refused = true;
                if ladder.is_exhausted() && mode == Mode::Direct {
                    return Err(rejected(options, ladder));
                }
            }
            Found::Prompt(prompt) => {
                if mode == Mode::Hop && progress.refused {
                    return Err(rejected(options, ladder));
                }
                // A serial line has no hang-up: it may be a session that is still open.
                let open = !progress.named || prompt.user != options.user;
                if mode == Mode::Direct && serial && open && !progress.quit_once {
                    match Box::pin(standing(dialogue, options, &mut progress, prompt)).await? {
                        Some(prompt) => return Ok(prompt),
                        None => continue,
                    }
                }
                return Ok(prompt);
            }
            Found::Question(question) => {
                let tried = ladder.tried();
                answer(dialogue, options, ladder, &mut progress, question)?;
                if ladder.tried() > tried {
                    // Each password has a full budget.
                    deadline = Instant::now() + options.timeouts.login;
                }
            }
            Found::Quiet | Found::Cursor => {
                progress.pokes += 1;
                if !crate::question::asks_password(&dialogue.expect.current()) {
                    dialogue.send(b"\r");
                    progress.poked = true;
                }
            }
        }
    }
}

/// Somebody else's session, or a line that he has not finished.
fn someones(state: &State, options: &LoginOptions) -> Result<(), Error> {
    let keeps = matches!(state, State::Prompt(_) | State::HalfTyped(_) | State::Asked(Question::Continuation(_)));
    match state.session(&options.user).filter(|_| keeps) {
        Some(who) => Err(Error::Session { who }),
        None => Ok(()),
    }
}

/// A prompt that stands on a line before anybody has logged in, in a session that is still open. One of our own, which a broken
/// run has left, is gone on with. In any other, somebody else's or in the terminal of a person's window, which cuts what is typed
/// and shown, `None`: it is told to end; a guest names it and leaves it.
async fn standing(
    dialogue: &mut Dialogue,
    options: &LoginOptions,
    progress: &mut Progress,
    prompt: Prompt,
) -> Result<Option<Prompt>, Error> {
    if prompt.user == options.user {
        let (prompt, window) = window(dialogue, options, prompt).await?;
        if window == Window::Ours {
            return Ok(Some(prompt));
        }
        if options.guest && window == Window::Persons {
            let who =
                format!("prompt of {}, in the terminal of a person's window, which cuts longer lines", prompt.user);
            return Err(Error::Session { who });
        }
    } else {
        not_the_near_router(dialogue, &prompt)?;
        if options.guest {
            someones(&State::Prompt(prompt), options)?;
        }
    }
    progress.quit_once = true;
    dialogue.send(b"/quit\r");
    Ok(None)
}

/// The prompt as it is now, and whether the session's terminal is narrower than the one that a login asks for. Enter on an empty
/// line has the prompt painted, in a terminal like ours with blanks up to its width. Where it has less or none, what is typed, and taken back, shows it: only as
/// long as it fits it stands there as it is.
async fn window(
    dialogue: &mut Dialogue,
    options: &LoginOptions,
    mut prompt: Prompt,
) -> Result<(Prompt, Window), Error> {
    const WAITING: &str = "looking how wide its terminal is";
    let patient = |waited: Result<Found, Error>| match waited {
        Ok(found) => Ok(Some(found)),
        Err(Error::Timeout { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let wide = usize::from(options.suffix.size().cols);
    dialogue.expect.set_prompt(&prompt);
    // A name that was changed since it was painted last shows with the next Enter.
    for _ in 0..WIDTH_TRIES {
        dialogue.expect.discard();
        dialogue.send(b"\r");
        let shown = dialogue.wait(vec![Pattern::Prompt(PAINTED)], POKE, WAITING).await.map(|found| found.found);
        match patient(shown)? {
            Some(Found::Prompt(now)) if now.text != prompt.text => {
                dialogue.expect.set_prompt(&now);
                prompt = now;
            }
            Some(_) => break,
            // Nothing more is typed at a router that may be going down: what it is shows when the session is used.
            None => return Ok((prompt, Window::Ours)),
        }
    }
    match dialogue.expect.painted() {
        Some(columns) if columns >= wide => return Ok((prompt, Window::Ours)),
        Some(columns) if columns == usize::from(Suffix::Network.size().cols) => return Ok((prompt, Window::Hop)),
        _ => {}
    }
    let line = "x".repeat(wide.saturating_sub(prompt.text.chars().count() + BESIDE));
    for _ in 0..WIDTH_TRIES {
        dialogue.send(line.as_bytes());
        let whole = vec![Pattern::Cursor(format!("{} {line}", prompt.text)), Pattern::Quiet(ECHOED)];
        let shown = dialogue.wait(whole, ALL_ECHOED, WAITING).await.map(|found| found.found);
        // One that was damaged on its way is about as long as it is.
        let cut = patient(shown)? != Some(Found::Cursor) && dialogue.expect.current().chars().count() < wide * 3 / 4;
        dialogue.send(CTRL_C);
        let back = dialogue.wait(vec![Pattern::Prompt(PAINTED)], POKE, WAITING).await.map(|found| found.found);
        if !cut || patient(back)?.is_none() {
            return Ok((prompt, Window::Ours));
        }
    }
    Ok((prompt, Window::Persons))
}

/// Whose terminal a session has that stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    /// As wide as ours, or nothing shows that it is not.
    Ours,
    /// As wide as those that hops of ours ask for: a run that broke has left it inside this line's.
    Hop,
    /// Narrower.
    Persons,
}

/// What looks like the near router's prompt is not quit: the line may have ended there.
fn not_the_near_router(dialogue: &Dialogue, prompt: &Prompt) -> Result<(), Error> {
    if dialogue.near_prompt() != Some(prompt.text.as_str()) {
        return Ok(());
    }
    let why = "the prompt of the router on the way shows".to_owned();
    Err(Error::LinkClosed { waiting: "logging in".into(), why, seen: dialogue.seen() })
}

fn rejected(options: &LoginOptions, ladder: &Ladder<'_>) -> Error {
    Error::LoginRejected { user: options.user.clone(), tried: ladder.tried().max(1) }
}

fn answer(
    dialogue: &mut Dialogue,
    options: &LoginOptions,
    ladder: &mut Ladder<'_>,
    progress: &mut Progress,
    question: Question,
) -> Result<(), Error> {
    match question {
        Question::LoginName => {
            if progress.password_sent && ladder.is_exhausted() {
                return Err(rejected(options, ladder));
            }
            dialogue.send(options.login_name().as_bytes());
            dialogue.send(b"\r");
            progress.named = true;
            return Ok(());
        }
        Question::Password => {
            match ladder.take() {
                Some(password) => {
                    progress.password_sent = true;
                    progress.refused = false;
                    dialogue.send_secret(password);
                }
                None => return Err(rejected(options, ladder)),
            }
            return Ok(());
        }
        _ => {}
    }
    progress.answers += 1;
    if progress.answers > 3 * MAX_ANSWERS {
        return Err(Error::Garbled { what: "the login dialogue".into(), seen: dialogue.seen() });
    }
    match question {
        Question::NewPassword | Question::RepeatPassword => match &options.new_password {
            NewPassword::Skip if progress.new_password >= MAX_ANSWERS => {
                return Err(Error::NewPassword { why: "Ctrl-C does not skip it".into() });
            }
            NewPassword::Skip => {
                progress.new_password += 1;
                dialogue.send(CTRL_C);
            }
            NewPassword::Set(secret) => {
                // A repaint shows the same question again: each is answered once, in its turn.
                let turn = usize::from(question == Question::RepeatPassword);
                if progress.new_password == turn {
                    progress.new_password += 1;
                    dialogue.send_secret(secret);
                }
            }
        },
        Question::LoginName | Question::Password => {}
        // One key for the licence; an Enter behind it could become an empty answer to `new password>`.
        other => dialogue.send(leaving(&other)),
    }
    Ok(())
}
