//! `console`: a terminal on a router. Works in a pipe too.

use std::time::{Duration, Instant};

use routeros::{Command, Outcome, Shell, TermSize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::exec::{LOOK_FIRST, doubts, not_run};
use crate::console::link::{Alarm, Attached};
use crate::console::pump::{End, Options, pump};
use crate::console::ready::{Ready, Signals};
use crate::console::record::Record;
use crate::console::view::Moment;
use crate::failure::{Exit, Failure, Result};
use crate::line_road;
use crate::mac_road::CONFLICT;
use crate::output::Output;
use crate::term::{self, RawMode};

/// Runs a terminal over `link` until one side ends it. The terminal is restored on every way out.
///
/// `alarm` is listened to beside it.
pub async fn run<L: Attached>(link: &mut L, out: &Output, options: &Options, ready: Ready, alarm: Alarm) -> Result {
    let name = link.describe();
    let interactive = ready.interactive;
    let raw = if interactive {
        Some(RawMode::enter().map_err(|error| {
            Failure::new(Exit::Bug, "console.terminal", "the terminal refused raw mode").cause(error)
        })?)
    } else {
        None
    };
    if interactive {
        // Said when it is so: what is typed before the terminal is raw is thrown away. A raw one wants its CR.
        out.say(format!("Connected to {name}. Ctrl-] opens the menu.\r"));
    }
    let end = pump(link, options, ready, alarm).await;
    let _ = tokio::time::timeout(Duration::from_millis(500), link.shutdown()).await;
    drop(raw);
    match end {
        Ok(End::Quit | End::Input) => {
            if interactive {
                out.say(format!("\nDisconnected from {name}."));
            }
            Ok(())
        }
        Ok(End::Router) => {
            out.say(format!("\n{name} closed the session."));
            Ok(())
        }
        Ok(End::Alarm(said)) => Err(two_routers(&name, &said)),
        Ok(End::Signal) => Err(interrupted().state("the session was closed")),
        Err(error) => Err(Failure::new(Exit::ExecUnknown, "console.lost", format!("the session with {name} broke"))
            .cause(error)
            .state("what was typed last may or may not have reached the router")
            .hint(match name.starts_with("mac://") {
                true => format!("see whether it answers:  jumplead ping {name}"),
                false => format!("see whether the line is there:  jumplead console {name}"),
            })),
    }
}

/// A second router was heard while something was sent.
fn two_routers(name: &str, said: &str) -> Failure {
    Failure::new(Exit::PreflightRefused, CONFLICT, format!("{name}: {said}"))
        .state("what was sent until now may have been carried out by the wrong router; the rest was not sent")
        .hint("see who they are:  jumplead discover")
        .hint("take the cable of the wrong one out, then look at what was done")
}

/// The logs that were asked for.
fn record(options: &Options, (cols, rows): (u16, u16)) -> Result<Record> {
    Record::new(options.raw.as_deref(), options.clean.as_deref(), TermSize { cols, rows }).map_err(|(path, error)| {
        Failure::new(Exit::LacksRight, "console.log", format!("{} can't be written", path.display())).cause(error)
    })
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "console.interrupted", "interrupted")
}

fn signals() -> Result<Signals> {
    Signals::new().map_err(|error| Failure::new(Exit::Bug, "host.signals", "signals can't be waited for").cause(error))
}

/// What a terminal needs beside its link; signals are listened to from now on.
pub fn ready(options: &Options) -> Result<Ready> {
    let signals = signals()?;
    Ok(Ready::new(signals, record(options, term::size().unwrap_or((80, 24)))?))
}

/// Opens a session, and listens to signals while the router makes up its mind: one of them lets the session go, so that
/// the router is told. What a terminal needs is made ready in the same wait.
pub async fn opened<T>(opening: impl Future<Output = Result<T>>, options: &Options) -> Result<(T, Ready)> {
    let mut made = None;
    let ended = async {
        // At the clock's next tick, within a millisecond: the first packets of a login are answered sooner than that, the
        // router's shell begins later.
        tokio::time::sleep(Duration::ZERO).await;
        made.insert(ready(options)?).end().await;
        Err(interrupted().state("no session was opened"))
    };
    let session = tokio::select! {
        biased;
        session = opening => session?,
        ended = ended => return ended,
    };
    Ok((session, made.map_or_else(|| ready(options), Ok)?))
}

/// How long the routers on the way may take to let a console go.
const LEAVE: Duration = Duration::from_secs(15);

/// A console of a pair's member, proved to be its; the last router of a hop is left before the first.
///
/// In a pipe every line is a command of its own, guarded by who must answer: what stands behind a line that ended the far
/// session would otherwise be typed at the near router.
pub async fn member(shell: Shell, out: &Output, options: &Options, ready: Ready, alarm: Alarm) -> Result {
    let broken = |error: &routeros::Error| {
        Failure::new(Exit::ExecUnknown, error.code(), error.to_string())
            .state("what was typed last may or may not have reached the router")
    };
    if !term::interactive() {
        let begun = Instant::now();
        let (mut signals, mut record) = ready.into_parts();
        let ended = tokio::select! {
            biased;
            () = signals.end() => Err(interrupted().state("the session was closed")),
            said = alarm => Err(two_routers(&shell.describe(), &said)),
            ended = lines(&shell, out, &mut record, begun, options.timeout) => ended,
        };
        record.end(&Moment::of(begun));
        let _ = tokio::time::timeout(LEAVE, shell.close()).await;
        return ended;
    }
    let mut attached = shell.attach().await.map_err(|error| broken(&error).state("nothing was typed"))?;
    let ended = run(&mut attached, out, options, ready, alarm).await;
    let _ = tokio::time::timeout(LEAVE, attached.leave()).await;
    ended
}

/// Runs every line of standard input, one at a time, and prints what the router says, into the logs, too.
async fn lines(shell: &Shell, out: &Output, record: &mut Record, begun: Instant, timeout: Duration) -> Result {
    let mut said = |text: &str| {
        if text.is_empty() {
            return;
        }
        out.data(text);
        if let Some(trouble) =
            record.heard(&Moment::of(begun), format!("{}\r\n", text.replace('\n', "\r\n")).as_bytes())
        {
            out.warn(&trouble);
        }
    };
    // Said once: who reads it does not need it at every line.
    let mut overheard = line_road::overheard(&shell.describe());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let unread = |error: std::io::Error| {
        Failure::new(Exit::Usage, "console.input", "the next line of standard input can't be read")
            .cause(error)
            .state("this line and those behind it were not typed; those before it ran")
            .hint("a line is UTF-8 text; other bytes are written as RouterOS's own escapes, as in \"gr\\FCn\"")
    };
    while let Some(line) = lines.next_line().await.map_err(unread)? {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        // The session is ended politely behind the last line anyway.
        if matches!(line, "/quit" | "quit") {
            while let Some(line) = lines.next_line().await.map_err(unread)? {
                if !line.trim().is_empty() {
                    return Err(Failure::new(
                        Exit::Usage,
                        "console.input",
                        "lines stand behind the one that ends the session",
                    )
                    .state("those before it ran; those behind it were not typed"));
                }
            }
            break;
        }
        if overheard && let Some(warning) = line_road::in_clear(line) {
            out.warn(warning);
            overheard = false;
        }
        match shell.exec(Command { timeout: Some(timeout), ..Command::new(line) }).await {
            Ok(Outcome::Done(output)) => {
                said(output.text.trim_end());
                doubts(&output).iter().for_each(|doubt| out.warn(doubt));
            }
            Ok(Outcome::Refused(refusal)) => {
                said(refusal.output.trim_end());
                said(&refusal.to_string());
            }
            Ok(Outcome::Unknown(unknown)) => {
                said(unknown.seen.trim_end());
                return Err(Failure::new(
                    Exit::ExecUnknown,
                    "routeros.exec.unknown",
                    "it is not known whether a line ran",
                )
                .cause(&unknown)
                .state("the lines behind it were not typed")
                .hint(LOOK_FIRST));
            }
            Err(error) => {
                return Err(not_run(shell.describe(), &error).state("this line and those behind it were not typed"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// A hangup in the middle of a login lets the session go, whose end the router is told; the process is not killed.
    #[tokio::test]
    async fn a_signal_in_a_login_lets_the_session_go() {
        let held = std::rc::Rc::new(());
        let session = std::rc::Rc::clone(&held);
        let options = Options::default();
        let opening = async move {
            let _session = session;
            std::future::pending::<Result<()>>().await
        };
        let opening = opened(opening, &options);
        let signal = async {
            // the handlers are there by then
            tokio::time::sleep(Duration::from_millis(100)).await;
            kill_process(getpid(), Signal::HUP).unwrap();
        };
        let (ended, ()) = tokio::join!(opening, signal);
        assert_eq!(ended.err().map(|failure| failure.exit), Some(Exit::Interrupted));
        assert_eq!(std::rc::Rc::strong_count(&held), 1);
    }
}
