//! How a file's bytes are written in lines, and what the router makes of them.

/// The variable that the pieces are put together in. It is emptied behind the file.
pub(super) const VARIABLE: &str = "HAjl";
/// What a line holds beside the piece: `:set ($HAjl->"0000") ""`.
pub(super) const AROUND: usize = 23;

/// How the bytes are written in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// With `\XX` for what could begin or end something.
    Quoted,
    /// Three bytes as four characters.
    Base64,
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

/// Whatever becomes of the quotes around it on a bad line, it is no command: what separates statements, opens a bracket or asks
/// for a value is in numbers. `/` and `:` begin a command only where a statement begins, as letters do, and a quote of the
/// content is escaped in a way that leaves the count of quotes in a line what it was.
fn quoted(byte: u8) -> String {
    match byte {
        b'\n' => "\\n".into(),
        b'\r' => "\\r".into(),
        b'\t' => "\\t".into(),
        b'"' => "\\\"".into(),
        byte if byte.is_ascii_alphanumeric() || b" .,-_=@+/:".contains(&byte) => char::from(byte).to_string(),
        byte => format!("\\{byte:02X}"),
    }
}

/// The content as it goes into lines, and what the router makes of it.
#[derive(Debug)]
pub(super) struct Pieces {
    form: Form,
    /// Characters of a text at most.
    room: usize,
    pub(super) texts: Vec<String>,
    /// Of each piece, as the router holds it.
    pub(super) sums: Vec<String>,
    /// How many characters the router holds of each.
    lengths: Vec<usize>,
}

pub(super) fn sum(bytes: &[u8]) -> String {
    format!("{:x}", md5::compute(bytes))
}

impl Pieces {
    pub(super) fn cut(content: &[u8], form: Form, room: usize) -> Self {
        let mut pieces = Self { form, room, texts: Vec::new(), sums: Vec::new(), lengths: Vec::new() };
        match form {
            Form::Base64 => {
                for piece in content.chunks((room / 4 * 3).max(3)) {
                    let text = base64(piece);
                    pieces.push(text.clone(), text.as_bytes());
                }
            }
            Form::Quoted => {
                let (mut text, mut held) = (String::new(), Vec::new());
                for byte in content {
                    let next = quoted(*byte);
                    if text.len() + next.len() > room {
                        pieces.push(std::mem::take(&mut text), &held);
                        held.clear();
                    }
                    text.push_str(&next);
                    held.push(*byte);
                }
                if !held.is_empty() {
                    pieces.push(text, &held);
                }
            }
        }
        pieces
    }

    fn push(&mut self, text: String, held: &[u8]) {
        self.texts.push(text);
        self.sums.push(sum(held));
        self.lengths.push(held.len());
    }

    pub(super) fn line(&self, number: usize) -> String {
        let text = self.texts.get(number).map_or("", String::as_str);
        format!(":set (${VARIABLE}->\"{number:04}\") \"{text}\"")
    }

    /// Characters that a line may have.
    pub(super) fn longest(&self) -> usize {
        self.room + AROUND
    }

    /// How many characters the router holds of a piece.
    pub(super) fn held(&self, number: usize) -> usize {
        self.lengths.get(number).copied().unwrap_or_default()
    }

    /// Statements that leave the whole in the local variable `t`.
    pub(super) fn join(&self) -> String {
        let Some(last) = self.texts.len().checked_sub(1) else {
            return ":local t \"\"".into();
        };
        let piece = format!("(${VARIABLE}->[:pick [:tostr (10000 + $i)] 1 5])");
        let piece = match self.form {
            Form::Quoted => piece,
            Form::Base64 => format!("[:convert {piece} from=base64 to=raw]"),
        };
        format!(":global {VARIABLE}; :local t \"\"; :for i from=0 to={last} do={{:set t ($t . {piece})}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_of_every_length() {
        for (raw, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(raw.as_bytes()), text);
        }
    }

    /// What a router reads in a quoted text.
    fn as_read(text: &str) -> Vec<u8> {
        let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
        while let [first, behind @ ..] = rest {
            rest = behind;
            let (byte, taken) = match (first, behind) {
                (b'\\', [b'n', ..]) => (b'\n', 1),
                (b'\\', [b'r', ..]) => (b'\r', 1),
                (b'\\', [b't', ..]) => (b'\t', 1),
                (b'\\', [b'"', ..]) => (b'"', 1),
                (b'\\', [high, low, ..]) => {
                    let digits = [*high, *low];
                    (u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap(), 2)
                }
                (byte, _) => (*byte, 0),
            };
            bytes.push(byte);
            rest = &rest[taken..];
        }
        bytes
    }

    proptest! {
        /// No piece is longer than its room, none holds a key or what could begin a command, and together they are the content.
        #[test]
        fn pieces_are_the_content(content in prop::collection::vec(any::<u8>(), 0..2000), room in 40usize..900) {
            for form in [Form::Quoted, Form::Base64] {
                let pieces = Pieces::cut(&content, form, room);
                let mut length = 0;
                for text in &pieces.texts {
                    prop_assert!(text.len() <= room && !text.is_empty());
                    // The only quotes are escaped ones.
                    let plain = text.replace("\\\"", "").bytes().all(|byte| (b' '..0x7f).contains(&byte) && !b";[]{}()$\"?#".contains(&byte));
                    prop_assert!(plain);
                    length += match form {
                        Form::Quoted => {
                            let long = text.split('\\').skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit() && !c.is_ascii_lowercase()));
                            text.len() - text.matches('\\').count() - long.count()
                        }
                        Form::Base64 => text.len() / 4 * 3 - text.matches('=').count(),
                    };
                }
                prop_assert_eq!(length, content.len());
                if form == Form::Quoted {
                    let back: Vec<u8> = pieces.texts.iter().flat_map(|text| as_read(text)).collect();
                    prop_assert_eq!(&back, &content);
                }
                let held: usize = (0..pieces.texts.len()).map(|number| pieces.held(number)).sum();
                prop_assert!(form == Form::Base64 || held == content.len());
                prop_assert_eq!(pieces.line(0).len(), pieces.texts.first().map_or(0, String::len) + AROUND);
            }
        }
    }
}
