//! `Login:` and `Password:`, for roads that do not prove the password themselves.

use std::rc::Rc;
use std::time::Duration;

use super::command::Echo;
use super::host::{ConsoleHost, SessionOptions, Transport};
use super::question::field;
use super::suffix::split_login;
use super::wire::Wire;
use crate::raw;

/// Banner to `Login: `, name to `Password: `: 10-25 ms and 54-56 ms on a 7.23.2 CHR \[S3\].
const BEFORE_NAME: Duration = Duration::from_millis(20);
const BEFORE_PASSWORD: Duration = Duration::from_millis(55);

/// Longer names and passwords are cut.
const MAX_FIELD: usize = 1024;

/// The words for a refused login, the same on every road \[K\].
pub(super) const REFUSED: &[u8] = b"Login failed, incorrect username or password";

/// Asks until the router takes an answer. Gives the whole login name; `None`: the client is gone.
pub(super) async fn ask(wire: &Wire, host: &Rc<dyn ConsoleHost>, options: &SessionOptions) -> Option<Vec<u8>> {
    let version = host.version().with_channel();
    let (banner, label) = match options.transport {
        Transport::Serial => (format!("{} {version}", host.identity()), format!("{} Login: ", host.identity())),
        _ => (format!("MikroTik v{version}"), "Login: ".to_owned()),
    };
    wire.put(&raw::bytes(&format!("\r\n{banner}\r\n")));
    loop {
        wire.flush().await;
        wire.sleep(BEFORE_NAME).await;
        let name = loop {
            wire.put(&raw::bytes(&label));
            let name = field(wire, Echo::Plain, MAX_FIELD).await?;
            // An empty name asks again [I].
            if !name.is_empty() {
                break name;
            }
        };
        wire.flush().await;
        wire.sleep(BEFORE_PASSWORD).await;
        wire.put(b"Password: ");
        let password = field(wire, Echo::Nothing, MAX_FIELD).await?;
        let user = raw::text(split_login(&name).0);
        if host.authenticate(options, &user, &password) {
            return Some(name);
        }
        host.login_failed(options, &user);
        wire.put(&[REFUSED, b"\r\n\r\n"].concat());
    }
}
