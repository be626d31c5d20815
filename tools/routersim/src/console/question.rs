//! Questions of running commands.

use super::command::Echo;
use super::wire::{INTERRUPT, Wire};

/// `Reboot, yes? [y/N]: ` CR LF, one key, and the answer on a line of its own \[T17 T23\]. That one key
/// without Enter is enough is inferred from the licence question.
pub(super) async fn confirm(wire: &Wire, question: &str) -> bool {
    wire.put(format!("\r{question} [y/N]: \r\n").as_bytes());
    let Some(key) = wire.byte().await else { return false };
    if key.is_ascii_graphic() {
        wire.put(&[key]);
    }
    wire.put(b"\r\n");
    matches!(key, b'y' | b'Y')
}

/// `numbers: `, `password: `: a value on the same line, ended by Enter. `None`: the client is gone.
pub(super) async fn ask(wire: &Wire, name: &str, echo: Echo) -> Option<Vec<u8>> {
    wire.put(format!("\r{name}: ").as_bytes());
    field(wire, echo, MAX_VALUE).await
}

/// One line of input as a terminal's line discipline takes it: Backspace, and Ctrl-C and Ctrl-U to start
/// over; what is longer than `max` bytes is not taken.
pub(super) async fn field(wire: &Wire, echo: Echo, max: usize) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    loop {
        let mut gone = 0;
        match wire.byte().await? {
            b'\r' | b'\n' => {
                wire.put(b"\r\n");
                return Some(value);
            }
            0x08 | 0x7F => gone = usize::from(value.pop().is_some()),
            INTERRUPT | 0x15 => {
                gone = value.len();
                value.clear();
            }
            byte if value.len() < max && (byte >= b' ' || byte == 0x1B) => {
                value.push(byte);
                match echo {
                    Echo::Plain => wire.put(&[byte]),
                    Echo::Stars => wire.put(b"*"),
                    Echo::Nothing => {}
                }
            }
            _ => {}
        }
        if echo != Echo::Nothing {
            wire.put(&b"\x08 \x08".repeat(gone));
        }
    }
}

/// Longer values are typed into the void. No source; a value of `contents=` is at most 60 KB.
const MAX_VALUE: usize = 64 * 1024;
