//! One session from its first byte to its last.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::command::CommandIo;
use super::host::{ConsoleHost, EndReason, LineRequest, LineResult, Login, SessionEnd, SessionOptions, Terminal};
use super::suffix::split_login;
use super::wire::{Break, Wire};

/// Runs one session from (optional) login to logout.
pub async fn run(terminal: Terminal, host: Rc<dyn ConsoleHost>, options: SessionOptions) -> Option<SessionEnd> {
    let wire = Wire::new(terminal, Rc::clone(&host), &options);
    let reason = session(&wire, &host, &options).await;
    wire.flush().await;
    wire.into_terminal().map(|terminal| SessionEnd { reason, terminal })
}

async fn session(wire: &Wire, host: &Rc<dyn ConsoleHost>, options: &SessionOptions) -> EndReason {
    let Login::Done { name } = &options.login else {
        wire.line(b"Login failed, incorrect username or password");
        return EndReason::Refused;
    };
    let user = String::from_utf8_lossy(split_login(name).0).into_owned();
    host.logged_in(options, &user);
    let mut path = Vec::new();
    let reason = loop {
        wire.put(format!("\r\r\r\r[{user}@{}] > ", host.identity()).as_bytes());
        let mut text = Vec::new();
        loop {
            match wire.byte().await {
                None => return EndReason::Vanished,
                Some(b'\r' | b'\n') => break,
                Some(byte) => {
                    wire.put(&[byte]);
                    text.push(byte);
                }
            }
        }
        wire.put(b"\r\n");
        if text.is_empty() {
            continue;
        }
        let request = LineRequest { session: options.session, user: user.clone(), path: path.clone(), text };
        let result = match execute(wire, host, request).await {
            Ok(result) => result,
            Err(Break::Interrupt) => LineResult { error: Some("interrupted".into()), ..LineResult::default() },
            Err(Break::Gone) => break EndReason::Vanished,
        };
        if let Some(error) = &result.error {
            wire.line(error.as_bytes());
        }
        if let Some(to) = result.path {
            path = to;
        }
        if result.quit {
            wire.line(b"interrupted");
            break EndReason::Quit;
        }
    };
    host.logged_out(options, &user, reason);
    reason
}

/// Runs one input to its end, or to Ctrl-C or the client's end.
async fn execute(wire: &Wire, host: &Rc<dyn ConsoleHost>, request: LineRequest) -> Result<LineResult, Break> {
    let mut running = pin!(host.run_line(request, CommandIo::new(wire.clone())));
    poll_fn(|cx| {
        if let Poll::Ready(broken) = wire.poll_break(cx) {
            return Poll::Ready(Err(broken));
        }
        let done = running.as_mut().poll(cx).map(Ok);
        // What the command showed goes out while it runs.
        let _ = wire.poll_flush(cx);
        done
    })
    .await
}
