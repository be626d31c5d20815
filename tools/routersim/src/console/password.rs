//! `Change your password`: asked of a user without one, before the first prompt.

use std::rc::Rc;

use super::editor::{Editor, Style};
use super::host::ConsoleHost;
use super::wire::{INTERRUPT, Wire};

/// How an asked password ended.
enum Typed {
    Text(Vec<u8>),
    Skipped,
    Gone,
}

/// Asks until a password is set or Ctrl-C skips it. False: the client is gone.
pub(super) async fn change(wire: &Wire, host: &Rc<dyn ConsoleHost>, user: &str, style: Style) -> bool {
    // The hint came with 7.23 [S1].
    let hint = if host.version().at_least(7, 23) { " (Ctrl-C to skip)" } else { "" };
    wire.line(format!("Change your password{hint}").as_bytes());
    loop {
        let mut typed = Vec::new();
        for prompt in ["new password> ", "repeat new password> "] {
            match ask(wire, host, prompt, style).await {
                Typed::Text(text) => typed.push(text),
                Typed::Skipped => return true,
                Typed::Gone => return false,
            }
        }
        let refused = match typed.as_slice() {
            [new, again] if new == again => host.set_password(user, new).err(),
            _ => Some("New passwords do not match!".to_owned()),
        };
        wire.blank();
        match refused {
            None => {
                wire.line(b"Password changed");
                return true;
            }
            // The frame around a policy's refusal is inferred from the one around the mismatch.
            Some(why) => wire.line(format!("Try again, error: {why}").as_bytes()),
        }
    }
}

/// Painted as every prompt, so that its text is on the wire more than once [K: "the prompt can be repainted"].
/// Bytes are taken as they are, escape sequences too: late answers to the probe become a password \[S1\].
async fn ask(wire: &Wire, host: &Rc<dyn ConsoleHost>, prompt: &str, style: Style) -> Typed {
    let mut editor = Editor::new(style, wire.size(), wire.utf8()).masked();
    editor.set_prompt(prompt.as_bytes());
    let mut out = Vec::new();
    editor.paint(&mut out);
    if host.quirks().probe_at_password {
        out.extend(b"\x1b[6n");
    }
    loop {
        wire.put(&std::mem::take(&mut out));
        match wire.byte().await {
            None => return Typed::Gone,
            Some(b'\r' | b'\n') => {
                let text = editor.enter(&mut out);
                wire.put(&out);
                return Typed::Text(text);
            }
            Some(INTERRUPT) => {
                editor.finish(&mut out);
                wire.put(&out);
                return Typed::Skipped;
            }
            Some(0x08 | 0x7F) => editor.backspace(&mut out),
            Some(0x15) => editor.kill_to_start(&mut out),
            Some(byte) if byte >= b' ' || byte == 0x1B => editor.insert(byte, &mut out),
            Some(_) => {}
        }
    }
}
