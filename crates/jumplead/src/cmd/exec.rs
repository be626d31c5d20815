//! `exec`: one command on a router, clean output, true exit status.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bootstrap::road::RoadError;
use bootstrap::target::quoted;
use routeros::posix::{PosixOptions, PosixShell};
use routeros::{ByteLink as _, Command, Outcome, Refusal, RefusalClass, Shell, Stage, Suffix};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{Exec, ShellKind};
use crate::failure::{Exit, Failure, Result};
use crate::line_road;
use crate::output::Output;
use crate::reach::{self, Reach, Target};
use crate::segment::OnSegment;

/// A command that ends sooner has nobody listen beside it.
const UNDER_WAY: Duration = Duration::from_millis(20);

/// For what a command has printed by the time of a signal.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What to do where nobody knows what a command did.
pub const LOOK_FIRST: &str = "look at the router before you repeat it:  jumplead console TARGET";

/// What a login says that finds no shell to set up.
const NO_UNIX_SHELL: &str =
    "a router's console is no Unix shell; without --shell posix:  jumplead exec TARGET -- COMMAND";

/// The C tools' server waits this long for nobody; ours is the same on every terminal.
pub const POSIX_SIZE: (u16, u16) = (511, 4098);

/// A signal ends it in good order: what it holds is given back, and what the command had printed is shown.
pub async fn run(out: &Output, reach: &Reach, target: &Target, asked: &Exec) -> Result {
    let mut stop = pin!(stopped());
    let command = asked.command.join(" ");
    if command.trim().is_empty() {
        // As of a variable that is not set: it would log in, do nothing and say that all is well.
        return Err(Failure::new(Exit::Usage, "usage.command", "the command is empty").state("nothing was sent"));
    }
    let ended = match asked.shell {
        ShellKind::Routeros => routeros(out, reach, target, asked, stop).await,
        ShellKind::Posix => tokio::select! {
            biased;
            () = stop.as_mut() => Err(interrupted()),
            ended = posix(out, reach, target, asked.timeout, &command) => ended,
        },
    };
    reach.warn(out);
    ended
}

/// Waits for a signal that ends us. A port has settings to be given back, and a router a session to be closed, so that none of
/// them may end us on the spot.
pub async fn stopped() {
    let mut signals =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()].map(signal);
    let any = poll_fn(|cx| {
        let heard = |signal: &mut std::io::Result<Signal>| signal.as_mut().is_ok_and(|s| s.poll_recv(cx).is_ready());
        if signals.iter_mut().any(heard) { Poll::Ready(()) } else { Poll::Pending }
    });
    any.await;
}

/// What a signal leaves of a command.
pub fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "exec.interrupted", "interrupted")
        .state("the command may or may not have been run")
        .hint(LOOK_FIRST)
}

/// Runs `work`, and listens beside it for a second router with the same address: one that is heard so late can't be
/// refused any more, but the operator must know. The first prompt and the command's way to the router cost nothing by it.
async fn listening<T>(out: &Output, to: Option<OnSegment>, work: impl Future<Output = T>) -> T {
    let listened = async {
        tokio::time::sleep(UNDER_WAY).await;
        let Some(to) = to else { return std::future::pending().await };
        to.second_router().await
    };
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        ended = &mut work => ended,
        said = listened => {
            out.warn(format!("{said}: it is not known which of them the command reaches; look at both"));
            work.await
        }
    }
}

/// Why nothing came of it. A command that asks was not refused: it was us who did not go on.
fn refused(refusal: &Refusal, target: &str) -> Failure {
    let (message, state) = match refusal.class {
        RefusalClass::Question => (
            format!("it asked, and was answered no: {refusal}"),
            "what it asks about was not done; what stood before it in the same line may have run",
        ),
        RefusalClass::Input => (
            format!("it asked for what the command does not say, and was taken back by Ctrl-C: {refusal}"),
            "the command was not done; what stood before it in the same line may have run",
        ),
        _ if refusal.stage == Stage::Parse => {
            (format!("the router refused it: {refusal}"), "the line was refused before anything of it ran")
        }
        _ => (
            format!("the router refused it: {refusal}"),
            "the command was refused; what stood before the fault in the same line may have run",
        ),
    };
    let failure = Failure::new(Exit::ExecRefused, "routeros.exec.refused", message).state(state);
    match refusal.class {
        RefusalClass::Question | RefusalClass::Input => {
            failure.hint(format!("a question is for a person:  jumplead console {}", quoted(target)))
        }
        _ => failure,
    }
}

/// The outcome of what runs on `shell`, and whether a signal came before it.
async fn until<T>(stop: impl Future<Output = ()>, shell: &Shell, work: impl Future<Output = T>) -> Result<(T, bool)> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = stop => shell.stop(),
        outcome = work.as_mut() => return Ok((outcome, false)),
    }
    let last = tokio::time::timeout(LAST_WORDS, work).await;
    last.map(|outcome| (outcome, true)).map_err(|_| interrupted())
}

async fn routeros(
    out: &Output,
    reach: &Reach,
    target: &Target,
    typed: &Exec,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Result {
    let command = typed.command.join(" ");
    let command = command.as_str();
    let (shell, to) = tokio::select! {
        biased;
        () = stop.as_mut() => return Err(interrupted().state("the command was not run")),
        reached = reach.console(target) => reached?,
    };
    let overheard = line_road::overheard(&shell.describe()).then(|| line_road::in_clear(command)).flatten();
    let overheard = overheard.map(|warning| match target {
        Target::Member { pair, .. } => warning.replace("PAIR", &quoted(pair)),
        _ => warning,
    });
    overheard.iter().for_each(|warning| out.warn(warning));
    let asked = shell.exec(Command { timeout: Some(typed.timeout), ..Command::new(command) });
    let (outcome, stopped) = until(stop, &shell, listening(out, to, asked)).await?;
    let ended = match outcome {
        Ok(Outcome::Done(output)) => {
            let doubts = doubts(&output);
            if out.json {
                let warnings: Vec<String> =
                    overheard.iter().cloned().chain(reach.warnings()).chain(doubts.iter().cloned()).collect();
                out.object(
                    json!({
                        "outcome": "done",
                        "output": output.text,
                        "truncated": output.truncated,
                        "joined": output.joined,
                    }),
                    &warnings,
                );
            } else {
                out.bytes(output.text.as_bytes(), true);
            }
            doubts.iter().for_each(|doubt| out.warn(doubt));
            Ok(())
        }
        Ok(Outcome::Refused(refusal)) => {
            if !out.json {
                out.bytes(refusal.output.as_bytes(), true);
            }
            let mut failure = refused(&refusal, &typed.target);
            if out.json && !refusal.output.is_empty() {
                failure = failure.cause(format!("it had printed before: {}", refusal.output));
            }
            Err(failure)
        }
        Ok(Outcome::Unknown(unknown)) => {
            let mut failure =
                Failure::new(Exit::ExecUnknown, "routeros.exec.unknown", "it is not known whether the command ran")
                    .cause(&unknown)
                    .state("the command may or may not have reached the router")
                    .hint(LOOK_FIRST);
            if stopped {
                failure = interrupted();
            }
            if unknown.began {
                failure = failure.state("the command had begun on the router");
                if !out.json {
                    out.bytes(unknown.seen.as_bytes(), true);
                } else if !unknown.seen.is_empty() {
                    failure = failure.cause(format!("it had printed before: {}", unknown.seen));
                }
            }
            Err(failure)
        }
        Err(error) => Err(not_run(shell.describe(), &error)),
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), shell.close()).await;
    ended
}

/// Why an output may not be what the command printed.
pub fn doubts(output: &routeros::Output) -> Vec<String> {
    let mut doubts = Vec::new();
    if output.cut {
        doubts.push("a pager hid the right ends of rows: say without-paging behind print".to_owned());
    } else if output.truncated {
        doubts.push("the output was longer than what is kept; its beginning is missing".to_owned());
    }
    if output.joined > 0 {
        doubts.push(format!(
            "rows as wide as the router's terminal: {}; it breaks longer lines there, so each was joined with the next (not one \
             padded with blanks), and a line that ended there by itself can't be told from them",
            output.joined
        ));
    }
    doubts
}

/// An error of a console, unlike an outcome, says that nothing of a line ran.
pub fn not_run(road: String, error: &routeros::Error) -> Failure {
    if let routeros::Error::Unsendable { .. } = error {
        return Failure::new(Exit::Usage, error.code(), error.to_string())
            .state("nothing was sent")
            .hint("see what is wrong with a script:  jumplead lint FILE");
    }
    let mut failure = reach::failure(RoadError::from_console(road, error));
    if failure.exit == Exit::NotFound {
        failure.exit = Exit::TimedOut;
    }
    failure.state("the command was not run")
}

async fn posix(out: &Output, reach: &Reach, target: &Target, timeout: Duration, command: &str) -> Result {
    let Target::Mac(target) = target else {
        return Err(Failure::new(Exit::Usage, "usage.shell", "--shell posix talks to a mac:// target only"));
    };
    let link = reach.link(target, Suffix::Plain, POSIX_SIZE).await?;
    let (company, interface) = (link.company(), link.interface().to_owned());
    let road = link.describe();
    let strong = link.is_strong();
    let options = PosixOptions { command: timeout, seed: u64::from(std::process::id()), ..PosixOptions::default() };
    let opened = PosixShell::login(link, options).await;
    let mut shell = opened.map_err(|error| {
        let failure = not_run(road, &error);
        if matches!(error, routeros::Error::Timeout { .. }) { failure.hint(NO_UNIX_SHELL) } else { failure }
    })?;
    if strong {
        reach.mac_road().logged_in_strongly(target.mac);
    }
    // A server that is slower may have answered only by now, and nothing was asked of this one yet.
    reach.mac_road().alone(target, &interface, &company).await.map_err(reach::failure)?;
    let to = OnSegment::new(target.mac, Some(interface), reach.links());
    let output = listening(out, (!target.either).then_some(to), shell.exec(command)).await;
    let came = if output.is_err() { shell.cut_off() } else { Vec::new() };
    if !out.json {
        out.bytes(&came, true);
    }
    let output = output.map_err(|error| match error {
        error @ routeros::Error::Unsendable { .. } => {
            Failure::new(Exit::Usage, error.code(), error.to_string()).state("nothing was sent")
        }
        error => Failure::new(Exit::ExecUnknown, error.code(), error.to_string())
            .state("the command may or may not have run")
            .hint(LOOK_FIRST.replace("console", "console --shell posix")),
    });
    let output = output.map_err(|failure| match String::from_utf8_lossy(&came) {
        came if out.json && !came.is_empty() => failure.cause(format!("it had printed before: {came}")),
        _ => failure,
    })?;
    let _ = tokio::time::timeout(Duration::from_secs(3), shell.close()).await;
    if !out.json {
        out.bytes(&output.bytes, false);
        if output.truncated {
            out.warn("the output was longer than what is kept; its end is missing");
        }
    }
    let text = String::from_utf8_lossy(&output.bytes);
    let data = json!({"outcome": "done", "status": output.status, "output": text, "truncated": output.truncated});
    if output.status == 0 {
        out.object(data, &reach.warnings());
        return Ok(());
    }
    let mut failure =
        Failure::new(Exit::ExecRefused, "exec.status", format!("the command ended with status {}", output.status))
            .state("the command ran")
            .found(data, reach.warnings());
    failure.status = Some(output.status);
    failure.shown = !out.json;
    Err(failure)
}
