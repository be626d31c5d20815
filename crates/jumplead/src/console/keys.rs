//! What is typed: for the router, or for the menu behind Ctrl-].

/// Ctrl-], as telnet has it: no RouterOS console and no boot loader uses it.
pub const ESCAPE: u8 = 0x1d;
/// Characters of an answer to the menu: a path at most.
const MAX_ANSWER: usize = 1024;

pub const MENU: &str = "\r\n\
[jumplead] q quit        s session      ] send Ctrl-]   any other key goes on\r\n\
[jumplead] b break       v speed        d DTR  r RTS    t times  x hex\r\n\
[jumplead] f send a file / search back  l status line   p the last lines again\r\n";

/// Something that the menu asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Speed,
    File,
    Search,
}

impl Ask {
    fn text(self) -> &'static str {
        match self {
            Self::Speed => "speed in bits a second: ",
            Self::File => "file to send: ",
            Self::Search => "search back for: ",
        }
    }
}

/// What came of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// For the router.
    Send(Vec<u8>),
    /// For the operator's own terminal.
    Show(Vec<u8>),
    Session,
    Break,
    Dtr,
    Rts,
    Times,
    Hex,
    Status,
    Last,
    Answer(Ask, String),
    Quit,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Plain,
    Menu,
    Asking(Ask, String),
}

/// Splits what was typed at the escape key.
#[derive(Debug, Default)]
pub struct Keys {
    state: State,
}

impl Keys {
    /// Whether the next key is the router's.
    #[cfg(test)]
    fn is_plain(&self) -> bool {
        matches!(self.state, State::Plain)
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Act> {
        let mut acts = Vec::new();
        for &byte in bytes {
            let act = match std::mem::take(&mut self.state) {
                State::Plain if byte == ESCAPE => {
                    self.state = State::Menu;
                    Act::Show(MENU.into())
                }
                State::Plain => {
                    // What is typed at once is sent at once.
                    if let Some(Act::Send(before)) = acts.last_mut() {
                        before.push(byte);
                        continue;
                    }
                    Act::Send(vec![byte])
                }
                State::Menu => match self.chosen(byte) {
                    Some(act) => act,
                    None => continue,
                },
                State::Asking(ask, text) => self.answered(ask, text, byte),
            };
            acts.push(act);
        }
        acts
    }

    fn chosen(&mut self, byte: u8) -> Option<Act> {
        let ask = match byte {
            b'q' | b'.' => return Some(Act::Quit),
            b's' => return Some(Act::Session),
            b'b' => return Some(Act::Break),
            b'd' => return Some(Act::Dtr),
            b'r' => return Some(Act::Rts),
            b't' => return Some(Act::Times),
            b'x' => return Some(Act::Hex),
            b'l' => return Some(Act::Status),
            b'p' => return Some(Act::Last),
            b']' | ESCAPE => return Some(Act::Send(vec![ESCAPE])),
            b'v' => Ask::Speed,
            b'f' => Ask::File,
            b'/' => Ask::Search,
            _ => return None,
        };
        self.state = State::Asking(ask, String::new());
        Some(Act::Show(format!("\r\n[jumplead] {}", ask.text()).into_bytes()))
    }

    fn answered(&mut self, ask: Ask, mut text: String, byte: u8) -> Act {
        let echo = match byte {
            b'\r' | b'\n' => {
                return if text.is_empty() { Act::Show(b"\r\n".to_vec()) } else { Act::Answer(ask, text) };
            }
            // Ctrl-C, Ctrl-D, Esc, and the escape key itself.
            0x03 | 0x04 | 0x1b | ESCAPE => return Act::Show(b"\r\n[jumplead] nothing done\r\n".to_vec()),
            0x08 | 0x7f => {
                if text.pop().is_some() {
                    b"\x08 \x08".to_vec()
                } else {
                    Vec::new()
                }
            }
            b' '..=b'~' if text.len() < MAX_ANSWER => {
                text.push(char::from(byte));
                vec![byte]
            }
            _ => Vec::new(),
        };
        self.state = State::Asking(ask, text);
        Act::Show(echo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(text: &[u8]) -> Act {
        Act::Send(text.to_vec())
    }

    #[test]
    fn the_escape_key_splits_what_is_typed() {
        let mut keys = Keys::default();
        let menu = Act::Show(MENU.into());
        assert_eq!(keys.feed(b"ab\x1d"), [send(b"ab"), menu.clone()]);
        assert_eq!(keys.feed(b"]c"), [send(b"\x1dc")]);
        assert_eq!(keys.feed(b"\x1dq"), [menu.clone(), Act::Quit]);
        assert_eq!(keys.feed(b"\x1d\x1d"), [menu.clone(), send(b"\x1d")]);
        assert_eq!(keys.feed(b"\x1dz"), [menu]);
        assert!(keys.is_plain());
    }

    #[test]
    fn an_answer_is_edited_and_never_reaches_the_router() {
        let mut keys = Keys::default();
        let acts = keys.feed(b"\x1dv96x\x7f00\r");
        assert_eq!(acts.last(), Some(&Act::Answer(Ask::Speed, "9600".into())));
        assert!(!acts.iter().any(|act| matches!(act, Act::Send(_))), "{acts:?}");
        for cancel in [b"\x1d/secret\x03".as_slice(), b"\x1df\r"] {
            assert!(keys.feed(cancel).iter().all(|act| matches!(act, Act::Show(_))));
            assert!(keys.is_plain());
        }
    }

    #[test]
    fn every_key_of_the_menu_is_in_its_text() {
        for key in b"qsbdrtxlpvf/]" {
            assert_ne!(Keys::default().feed(&[ESCAPE, *key]).len(), 1, "{}", char::from(*key));
            assert!(MENU.contains(&format!(" {} ", char::from(*key))), "{}", char::from(*key));
        }
    }
}
