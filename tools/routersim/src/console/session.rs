//! One session from its first byte to its last.

use std::rc::Rc;
use std::time::Duration;

use super::editor::Style;
use super::host::{ConsoleHost, EndReason, Login, SessionEnd, SessionOptions, Terminal};
use super::shell::{Shell, ShellOptions};
use super::suffix::split_login;
use super::wire::{Size, Wire};
use super::{login, password, probe, screens};
use crate::raw;

/// What a login takes beside the probe: 10,184 ms were seen where the probe's patience is 10 s \[S3\].
const LOGIN_WORK: Duration = Duration::from_millis(184);

/// From the end of the exchange to the words that refuse it \[T26\].
const REFUSAL: Duration = Duration::from_millis(1100);

/// Runs one session from its login to its logout and gives the streams back (`None` only if `host` had taken
/// them, which nothing offers).
///
/// On a serial line the owner runs the next session on the same streams: it asks for a login again.
pub async fn run(terminal: Terminal, host: Rc<dyn ConsoleHost>, options: SessionOptions) -> Option<SessionEnd> {
    let wire = Wire::new(terminal, Rc::clone(&host), &options);
    let reason = session(&wire, &host, &options).await;
    if !wire.is_gone() {
        wire.flush().await;
    }
    wire.into_terminal().map(|terminal| SessionEnd { reason, terminal })
}

async fn session(wire: &Wire, host: &Rc<dyn ConsoleHost>, options: &SessionOptions) -> EndReason {
    let name = match &options.login {
        Login::Done { name } => name.clone(),
        Login::Ask => match login::ask(wire, host, options).await {
            Some(name) => name,
            None => return EndReason::Vanished,
        },
        Login::Refused => {
            wire.sleep(REFUSAL).await;
            wire.put(&[login::REFUSED, b"\r\n"].concat());
            return EndReason::Refused;
        }
    };
    let user = raw::text(split_login(&name).0);
    host.logged_in(options, &user);
    wire.set_patience(host.quirks().idle_logout);
    let ended = logged_in(wire, host, options, &name, &user).await;
    let reason = if wire.is_expired() { EndReason::Idle } else { ended };
    wire.set_patience(None);
    host.logged_out(options, &user, reason);
    reason
}

async fn logged_in(
    wire: &Wire,
    host: &Rc<dyn ConsoleHost>,
    options: &SessionOptions,
    name: &[u8],
    user: &str,
) -> EndReason {
    let params = split_login(name).1;
    wire.flush().await;
    wire.sleep(LOGIN_WORK).await;
    // A probed terminal gets the editor of several lines [K S12]; one that isn't known the plain one.
    let probed = if params.probe { probe::probe(wire, host.quirks().probe_patience).await } else { None };
    let (found, utf8) = probed.unwrap_or_default();
    let size = Size { columns: params.width.unwrap_or(found.columns), rows: params.height.unwrap_or(found.rows) };
    wire.set_size(size, utf8);
    if wire.is_gone() {
        return EndReason::Vanished;
    }
    let style = match (params.dumb, probed) {
        (true, _) => Style::Dumb,
        (false, Some(_)) if !size.shows_nothing() => Style::Multi,
        _ => Style::Single,
    };
    let welcome = host.welcome(user);
    if !screens::show(wire, host, &welcome, params.dumb).await {
        return EndReason::Vanished;
    }
    if welcome.change_password && !password::change(wire, host, user, style).await {
        return EndReason::Vanished;
    }
    let shell_options =
        ShellOptions { session: options.clone(), user: user.to_owned(), style, colours: params.colours };
    Shell::new(wire.clone(), Rc::clone(host), shell_options).run().await
}
