//! `/tool mac-telnet` as a client: the dialogue at the near router, then bytes both ways.
//!
//! From the manual: `Login: ` and `Password: ` are asked by the near router, then `Trying MAC...` and
//! `Connected to MAC`. How it ends and whether it has an escape key are in no source: both are quirks
//! ([`super::ConsoleQuirks::hop_escape`], [`super::ConsoleQuirks::hop_farewell`]), to be verified on real routers.

use std::future::poll_fn;
use std::task::Poll;

use mactelnet::MacAddr;

use crate::kernel::{PipeReader, PipeWriter};
use crate::net::{MacTelnetCall, Net, NetError};

use super::command::{CommandIo, Echo};
use super::host::ConsoleQuirks;
use super::login::REFUSED;
use crate::raw;

/// Bytes moved at once, each way; a screenful and more.
const CHUNK: usize = 4096;

/// Asks for name and password at the near router. `None`: the client is gone.
pub async fn ask_login(io: &CommandIo) -> Option<(Vec<u8>, Vec<u8>)> {
    let name = io.ask("Login", Echo::Plain).await?;
    let password = io.ask("Password", Echo::Nothing).await?;
    Some((name, password))
}

/// The two directions of a far session.
#[derive(Debug)]
pub struct Far<T> {
    /// What it shows.
    pub output: PipeReader,
    /// What it is told.
    pub input: PipeWriter,
    /// Whatever keeps it open, dropped at its end.
    pub keep: T,
}

/// The whole command: asks for name and password, says whom it calls, calls by `connect`, and joins the two sides.
///
/// `address` is printed as given. `Err` is `connect`'s: the line that the command ends with.
pub async fn mac_telnet<T>(
    io: &CommandIo,
    quirks: &ConsoleQuirks,
    address: &str,
    connect: impl AsyncFnOnce(Vec<u8>, Vec<u8>) -> Result<Far<T>, String>,
) -> Result<(), String> {
    let Some((name, password)) = ask_login(io).await else { return Ok(()) };
    io.line(format!("Trying {address}...").as_bytes());
    io.flush().await;
    let far = connect(name, password).await?;
    io.line(format!("Connected to {address}").as_bytes());
    join(io, quirks, far.output, far.input).await;
    drop(far.keep);
    Ok(())
}

/// `/tool mac-telnet HOST` on this router's network. The words of a failed call are in no source; a refused login
/// is said in the words that the far router says it in \[T26\].
pub async fn call(
    io: &CommandIo,
    quirks: &ConsoleQuirks,
    net: &Net,
    mac: MacAddr,
    interface: Option<String>,
) -> Result<(), String> {
    let size = io.size();
    mac_telnet(io, quirks, &mac.to_string(), async |name, password| {
        let text = |bytes: Vec<u8>| raw::text(&bytes);
        let call = MacTelnetCall {
            mac,
            interface,
            user: text(name),
            password: text(password),
            terminal: "vt102".to_owned(),
            size: (size.columns, size.rows),
        };
        match net.mac_telnet_connect(call).await {
            Ok(stream) => Ok(Far { output: stream.reader, input: stream.writer, keep: stream.control }),
            Err(NetError::Login) => Err(raw::text(REFUSED)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

/// Joins the session's terminal to a far session until either ends, or the escape byte is typed.
pub async fn join(io: &CommandIo, quirks: &ConsoleQuirks, mut far_output: PipeReader, far_input: PipeWriter) {
    let mut near = io.foreground();
    let escape = quirks.hop_escape;
    // Taken from the near side and not yet taken by the far one.
    let mut typed: Vec<u8> = Vec::new();
    poll_fn(|cx| {
        loop {
            let mut moved = false;
            if typed.is_empty()
                && let Poll::Ready(bytes) = near.poll_read(cx, CHUNK)
            {
                if bytes.is_empty() {
                    return Poll::Ready(());
                }
                let end = escape.and_then(|escape| bytes.iter().position(|byte| *byte == escape));
                if let Some(end) = end {
                    near.unread(&bytes[end + 1..]);
                    return Poll::Ready(());
                }
                typed = bytes;
                moved = true;
            }
            if !typed.is_empty() {
                match far_input.poll_write(cx, &typed) {
                    Poll::Ready(Some(written)) => {
                        typed.drain(..written);
                        moved = true;
                    }
                    // The far end is gone; its last words may still be to be read below.
                    Poll::Ready(None) => typed.clear(),
                    Poll::Pending => {}
                }
            }
            // Not more is taken from the far side than the near transport has room for.
            if near.poll_flush(cx).is_ready()
                && let Poll::Ready(bytes) = far_output.poll_read(cx, CHUNK)
            {
                if bytes.is_empty() {
                    return Poll::Ready(());
                }
                near.write(&bytes);
                moved = true;
            }
            if !moved {
                return Poll::Pending;
            }
        }
    })
    .await;
    drop(near);
    for line in &quirks.hop_farewell {
        if line.is_empty() { io.blank() } else { io.line(line.as_bytes()) }
    }
}
