//! `exec`: one command on a router, clean output, true exit status.

use std::future::poll_fn;
use std::io::Write;
use std::task::Poll;
use std::time::Duration;

use bootstrap::road::RoadError;
use routeros::posix::{PosixOptions, PosixShell};
use routeros::{Command, Outcome, Shell, Suffix};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::ShellKind;
use crate::failure::{Exit, Failure, Result};
use crate::line_road;
use crate::output::Output;
use crate::reach::{self, OnSegment, Reach, Target};

/// A command that ends sooner has nobody listen beside it.
const UNDER_WAY: Duration = Duration::from_millis(20);

/// The C tools' server waits this long for nobody; ours is the same on every terminal.
pub const POSIX_SIZE: (u16, u16) = (511, 4098);

pub async fn run(
    out: &Output,
    reach: &Reach,
    target: &Target,
    shell: ShellKind,
    timeout: Duration,
    words: &[String],
) -> Result {
    let ended = match shell {
        ShellKind::Routeros => routeros(out, reach, target, timeout, &words.join(" ")).await,
        ShellKind::Posix => posix(out, reach, target, timeout, &words.join(" ")).await,
    };
    reach.warn(out);
    ended
}

/// Waits for a signal that ends us. A port has settings to be given back, and a router a session to be closed, so that none of
/// them may end us on the spot.
pub async fn stopped() -> Failure {
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let any = poll_fn(|cx| {
        let heard = |signal: &mut std::io::Result<Signal>| signal.as_mut().is_ok_and(|s| s.poll_recv(cx).is_ready());
        if signals.iter_mut().any(heard) { Poll::Ready(()) } else { Poll::Pending }
    });
    any.await;
    Failure::new(Exit::Interrupted, "exec.interrupted", "interrupted")
        .state("the command may or may not have been run")
        .hint("look at the router before you repeat it")
}

/// Prints data that may or may not end its last line.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    if !text.is_empty() && !text.ends_with('\n') {
        let _ = stdout.write_all(b"\n");
    }
    let _ = stdout.flush();
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

async fn routeros(out: &Output, reach: &Reach, target: &Target, timeout: Duration, command: &str) -> Result {
    let (shell, to) = reach.console(target).await?;
    let overheard = line_road::overheard(&shell.describe()).then(|| line_road::in_clear(command)).flatten();
    overheard.iter().for_each(|warning| out.warn(warning));
    let asked = shell.exec(Command { timeout: Some(timeout), ..Command::new(command) });
    let outcome = listening(out, to, asked).await;
    let ended = match outcome {
        Ok(Outcome::Done(output)) => {
            if out.json {
                let warnings: Vec<String> = overheard.iter().cloned().chain(reach.told()).collect();
                out.object(json!({"outcome": "done", "output": output.text, "truncated": output.truncated}), &warnings);
            } else {
                print(&output.text);
                if output.truncated {
                    out.warn("the output was longer than what is kept; its end is missing");
                }
            }
            Ok(())
        }
        Ok(Outcome::Refused(refusal)) => {
            if !out.json {
                print(&refusal.output);
            }
            let mut failure =
                Failure::new(Exit::ExecRefused, "routeros.exec.refused", format!("the router refused it: {refusal}"))
                    .state("the command was refused; what stood before the fault in the same line may have run");
            if refusal.stage == routeros::Stage::Parse {
                failure = failure.state("the line was refused before anything of it ran");
            }
            if out.json && !refusal.output.is_empty() {
                failure = failure.cause(format!("it had printed before: {}", refusal.output));
            }
            Err(failure)
        }
        Ok(Outcome::Unknown(unknown)) => {
            if !unknown.seen.is_empty() && !out.json {
                print(&unknown.seen);
            }
            Err(Failure::new(Exit::ExecUnknown, "routeros.exec.unknown", "it is not known whether the command ran")
                .cause(&unknown)
                .state(if unknown.began {
                    "the command had begun on the router"
                } else {
                    "the command may or may not have reached the router"
                })
                .hint("look at the router before you repeat it"))
        }
        Err(error) => Err(not_run(&shell, &error)),
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), shell.close()).await;
    ended
}

/// An error of a console, unlike an outcome, says that nothing of a line ran.
pub fn not_run(shell: &Shell, error: &routeros::Error) -> Failure {
    if let routeros::Error::Unsendable { .. } = error {
        return Failure::new(Exit::Usage, error.code(), error.to_string())
            .state("nothing was sent")
            .hint("see what is wrong with a script:  jumplead lint FILE");
    }
    let mut failure = reach::failure(RoadError::from_console(shell.describe(), error));
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
    let console = |error: &routeros::Error| {
        Failure::new(Exit::ExecUnknown, error.code(), error.to_string()).state("the command may or may not have run")
    };
    let options = PosixOptions { command: timeout, seed: u64::from(std::process::id()), ..PosixOptions::default() };
    let mut shell = PosixShell::login(link, options).await.map_err(|error| console(&error).state("nothing was run"))?;
    // A server that is slower may have answered only by now, and nothing was asked of this one yet.
    reach.mac_road().alone(target, &interface, &company).await.map_err(reach::failure)?;
    let to = OnSegment { mac: target.mac, interface: Some(interface), links: reach.links() };
    let output = listening(out, (!target.either).then_some(to), shell.exec(command)).await;
    let output = output.map_err(|error| console(&error))?;
    let _ = tokio::time::timeout(Duration::from_secs(3), shell.close()).await;
    if out.json {
        let text = String::from_utf8_lossy(&output.bytes);
        out.object(
            json!({"outcome": "done", "status": output.status, "output": text, "truncated": output.truncated}),
            &[],
        );
    } else {
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(&output.bytes);
        let _ = stdout.flush();
    }
    if output.status == 0 {
        return Ok(());
    }
    let mut failure =
        Failure::new(Exit::ExecRefused, "exec.status", format!("the command ended with status {}", output.status))
            .state("the command ran");
    failure.status = Some(output.status);
    failure.shown = !out.json;
    Err(failure)
}
