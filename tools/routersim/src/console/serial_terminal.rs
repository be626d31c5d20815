//! `/system serial-terminal`: the terminal of a session on a serial port of its router, bytes both ways.
//!
//! Known \[K\], from the manual: the line about the prefix key at its beginning, the two lines of its menu, `Q`, and that
//! Ctrl-A twice sends one. Inferred \[I\]: that the menu shows as soon as the prefix is typed; that a letter counts in either
//! case and any other key only ends the menu; that `R` changes nothing for the other end; that nothing is said when the port
//! goes away.

use std::future::poll_fn;
use std::task::Poll;

use super::command::CommandIo;
use crate::system::OpenPort;

/// Bytes moved at once, each way.
const CHUNK: usize = 4096;
/// Ctrl-A.
const PREFIX: u8 = 0x01;
const HELLO: &[u8] = b"[Ctrl-A is the prefix key]";
const MENU: &[u8] =
    b"\r\n[Q - quit connection]      [B - send break]\r\n[A - send Ctrl-A prefix]   [R - autoconfigure rate]\r\n";

/// What one key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// It goes to the port.
    Byte(u8),
    /// The menu is to be shown.
    Prefix,
    Break,
    Quit,
    /// Nothing comes of it.
    Nothing,
}

/// Keys, in their order.
#[derive(Debug, Default)]
struct Keys {
    prefixed: bool,
}

impl Keys {
    fn take(&mut self, byte: u8) -> Key {
        if !std::mem::take(&mut self.prefixed) {
            self.prefixed = byte == PREFIX;
            return if self.prefixed { Key::Prefix } else { Key::Byte(byte) };
        }
        match byte.to_ascii_lowercase() {
            b'q' => Key::Quit,
            b'b' => Key::Break,
            b'a' | PREFIX => Key::Byte(PREFIX),
            _ => Key::Nothing,
        }
    }
}

/// Runs it until it is quit, the port goes away, or the client.
pub async fn run(io: &CommandIo, mut port: OpenPort) {
    io.line(HELLO);
    io.flush().await;
    let mut near = io.foreground();
    let mut keys = Keys::default();
    // Taken from the client and not yet by the port.
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
                moved = true;
                for (at, byte) in bytes.iter().enumerate() {
                    match keys.take(*byte) {
                        Key::Byte(byte) => typed.push(byte),
                        Key::Prefix => near.write(MENU),
                        Key::Break => port.send_break(),
                        Key::Nothing => {}
                        Key::Quit => {
                            near.unread(bytes.get(at + 1..).unwrap_or_default());
                            return Poll::Ready(());
                        }
                    }
                }
            }
            if !typed.is_empty() {
                match port.send.poll_write(cx, &typed) {
                    Poll::Ready(Some(written)) => {
                        typed.drain(..written);
                        moved = true;
                    }
                    // The port is gone, which its other direction says, too.
                    Poll::Ready(None) => typed.clear(),
                    Poll::Pending => {}
                }
            }
            if near.poll_flush(cx).is_ready()
                && let Poll::Ready(bytes) = port.arrived.poll_read(cx, CHUNK)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_never_reaches_the_port_by_itself() {
        let mut keys = Keys::default();
        let all: Vec<Key> = b"a\x01Xb\x01\x01c\x01A\x01b\x01Rd\x01q".iter().map(|byte| keys.take(*byte)).collect();
        let sent: Vec<u8> =
            all.iter().filter_map(|key| if let Key::Byte(byte) = key { Some(*byte) } else { None }).collect();
        assert_eq!(sent, b"ab\x01c\x01d");
        assert_eq!(all.iter().filter(|key| **key == Key::Break).count(), 1);
        assert_eq!(all.last(), Some(&Key::Quit));
    }
}
