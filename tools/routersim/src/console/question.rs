//! Questions of running commands.

use super::command::Echo;
use super::wire::Wire;

/// `Reboot, yes? [y/N]: ` CR LF, one key, and the answer on a line of its own [T17 T23]. That one key
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
    let mut value: Vec<u8> = Vec::new();
    loop {
        match wire.byte().await? {
            b'\r' | b'\n' => {
                wire.put(b"\r\n");
                return Some(value);
            }
            0x08 | 0x7F => {
                if value.pop().is_some() {
                    wire.put(b"\x08 \x08");
                }
            }
            byte if value.len() < MAX_VALUE && (byte >= b' ' || byte == 0x1B) => {
                value.push(byte);
                match echo {
                    Echo::Plain => wire.put(&[byte]),
                    Echo::Stars => wire.put(b"*"),
                }
            }
            _ => {}
        }
    }
}

/// Longer values are typed into the void. No source; a value of `contents=` is at most 60 KB.
const MAX_VALUE: usize = 64 * 1024;
