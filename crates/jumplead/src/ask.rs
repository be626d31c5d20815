//! A question whose answer is not shown, on a terminal that is as it was behind it, however it ends. (The crate for this,
//! rpassword, leaves it without echo where a signal ends the program.)

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// How often a signal is looked for. The question holds up the one thread, so nobody else hears of it.
const LOOK: Duration = Duration::from_millis(100);
/// Longer than any password that is typed; what is typed behind it is left out, and the answer is refused as too long.
const MAX_ANSWER: usize = 1024;

/// Standard input without echo, a character at a time, until dropped.
struct Hidden(Termios);

impl Hidden {
    fn enter() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        // Ctrl-C is read as a character.
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        let _ = io::stderr().write_all(b"\n");
    }
}

/// What was typed at the question.
///
/// # Errors
/// `Interrupted`: Ctrl-C, or a signal that asks for the end. Others as the terminal says.
pub fn secret(question: &str) -> io::Result<String> {
    let stopped = Arc::new(AtomicBool::new(false));
    let mut handlers = Vec::new();
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        handlers.push(signal_hook::flag::register(signal, Arc::clone(&stopped))?);
    }
    let typed = Hidden::enter().and_then(|hidden| {
        io::stderr().write_all(question.as_bytes())?;
        let typed = line(&stopped);
        drop(hidden);
        typed
    });
    for handler in handlers {
        signal_hook::low_level::unregister(handler);
    }
    String::from_utf8(typed?).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn line(stopped: &AtomicBool) -> io::Result<Vec<u8>> {
    // One at a time: what is typed behind Enter answers the next question.
    let (mut answer, mut piece) = (Vec::new(), [0]);
    let wait = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
    loop {
        if stopped.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let stdin = io::stdin();
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let count = rustix::io::read(&stdin, &mut piece)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for byte in piece.iter().take(count) {
            match byte {
                b'\r' | b'\n' => return Ok(answer),
                // Ctrl-C; Ctrl-D and Ctrl-\ are as clear.
                0x03 | 0x04 | 0x1c => return Err(io::ErrorKind::Interrupted.into()),
                // Ctrl-U
                0x15 => answer.clear(),
                0x08 | 0x7f => backspace(&mut answer),
                byte if answer.len() < MAX_ANSWER => answer.push(*byte),
                _ => {}
            }
        }
    }
}

/// Takes a whole character back.
fn backspace(answer: &mut Vec<u8>) {
    while answer.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_taken_back_whole() {
        let mut answer = "a\u{e9}".as_bytes().to_vec();
        backspace(&mut answer);
        assert_eq!(answer, b"a");
        backspace(&mut answer);
        backspace(&mut answer);
        assert_eq!(answer, b"");
    }
}
