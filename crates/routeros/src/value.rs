//! Exact values out of a router, whatever bytes they hold and however wide its terminal is.
//!
//! Short printable values come as they are, with their length, which the router counts; the router itself says that
//! they are printable. All others come as numbers, one for each byte, in lines that no terminal wraps.

use crate::outcome::Output;
use crate::text::quote;
use std::fmt::Write as _;

/// Longest value that comes as it is: well below the width of the terminal, with the frame.
const PLAIN: usize = 100;
/// Bytes in one line of numbers, up to four characters each.
const ROW: usize = 30;
/// What frames begin and end with. They are looked for in the output of one command alone, so they need not be unique.
const OPEN: &str = "<<";
const CLOSE: &str = ">>";

/// An exact value, read out of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What `:typeof` says: `str`, `num`, `bool`, `nil`, `nothing`, `array`, ...
    pub kind: String,
    /// The bytes of `:tostr`.
    pub bytes: Vec<u8>,
}

impl Value {
    /// The bytes as text, with replacement characters for what is no UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// `nil` and `nothing`: there is no value.
    pub fn is_nothing(&self) -> bool {
        matches!(self.kind.as_str(), "nil" | "nothing")
    }
}

/// What a first look at a value gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// All of it.
    Whole(Value),
    /// Too long or not printable.
    Long,
    /// The expression failed.
    Absent,
}

/// The statement that looks at one expression; an expression that fails is either an error or a frame of its own.
pub(crate) fn look_statement(expression: &str, lenient: bool) -> String {
    let frame = |body: &str| format!(":put (\"<\" . \"<\" . {body} . \">\" . \">\")");
    let short = frame("\"V\" . [:typeof $v] . \" \" . [:len $s] . \" \" . $s");
    let long = frame("\"L\"");
    let statement = format!(
        ":do {{:local v {expression}; :local s [:tostr $v]; :if (([:len $s] <= {PLAIN}) && ($s ~ \"^[ -~]*\\$\")) do={{{short}}} else={{{long}}}}}"
    );
    if lenient { format!("{statement} on-error={{{}}}", frame("\"X\"")) } else { statement }
}

/// The frames in the output of [`look_statement`]s, in their order.
pub(crate) fn parse_looks(output: &Output) -> Option<Vec<Look>> {
    let mut looks = Vec::new();
    for line in output.text.lines() {
        let frame = line.trim_end().strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
        let look = match frame.split_at_checked(1)? {
            ("X", "") => Look::Absent,
            ("L", "") => Look::Long,
            ("V", rest) => {
                let (kind, rest) = rest.split_once(' ')?;
                let (length, text) = rest.split_once(' ')?;
                if length.parse::<usize>().ok()? != text.len() {
                    return None;
                }
                // The router has said that it is printable; a line that was painted over is not what it sent.
                if !output.clean {
                    return None;
                }
                Look::Whole(Value { kind: kind.to_owned(), bytes: text.as_bytes().to_vec() })
            }
            _ => return None,
        };
        looks.push(look);
    }
    Some(looks)
}

/// The statement that spells a value out in numbers. RouterOS 6 can neither encode nor ask for a character's code, so a
/// table of all bytes but zero is searched; a byte that is not in it is the zero.
pub(crate) fn spell_statement(expression: &str) -> String {
    let table: Vec<u8> = (1..=255).collect();
    let mut statement = format!(
        ":do {{:local v {expression}; :local s [:tostr $v]; :local n [:len $s]; :local t {}; :put (\"<\" . \"<T\" . [:typeof $v] . \" \" . $n . \">\" . \">\"); ",
        quote(table)
    );
    let _ = write!(
        statement,
        ":local i 0; :while ($i < $n) do={{:local e ($i + {ROW}); :if ($e > $n) do={{:set e $n}}; :local o \"\"; \
         :for j from=$i to=($e - 1) do={{:set o ($o . [:find $t [:pick $s $j ($j + 1)]] . \",\")}}; \
         :put (\"<\" . \"<D\" . $i . \" \" . $o . \">\" . \">\"); :set i $e}}}}"
    );
    statement
}

/// The value in the output of [`spell_statement`].
pub(crate) fn parse_spelled(output: &Output) -> Option<Value> {
    let mut lines = output.text.lines();
    let head = lines.next()?.trim_end().strip_prefix("<<T")?.strip_suffix(CLOSE)?;
    let (kind, length) = head.split_once(' ')?;
    let length: usize = length.parse().ok()?;
    let mut bytes = Vec::with_capacity(length.min(crate::terminal::MAX_KEPT_BYTES));
    for line in lines {
        let row = line.trim_end().strip_prefix("<<D")?.strip_suffix(CLOSE)?;
        let (at, numbers) = row.split_once(' ')?;
        if at.parse::<usize>().ok()? != bytes.len() {
            return None;
        }
        for number in numbers.strip_suffix(',')?.split(',') {
            let place = if number.is_empty() { 0 } else { number.parse::<u16>().ok()?.checked_add(1)? };
            bytes.push(u8::try_from(place).ok()?);
        }
    }
    (bytes.len() == length).then(|| Value { kind: kind.to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::check_sendable;

    fn output(text: &str) -> Output {
        Output { text: text.into(), clean: true, ..Output::default() }
    }

    #[test]
    fn statements_can_be_typed() {
        for statement in [
            look_statement("[/system identity get name]", true),
            look_statement("[/system identity get name]", false),
            spell_statement("[/file get [find name=\"HA_jumplead_x.rsc\"] contents]"),
        ] {
            check_sendable(&statement).unwrap();
            assert!(!statement.contains('?'), "{statement}");
        }
    }

    #[test]
    fn plain_frames() {
        assert_eq!(
            parse_looks(&output("<<Vstr 6 a >> b>>\n<<Vnil 0 >>\n<<X>>\n<<L>>")),
            Some(vec![
                Look::Whole(Value { kind: "str".into(), bytes: b"a >> b".to_vec() }),
                Look::Whole(Value { kind: "nil".into(), bytes: vec![] }),
                Look::Absent,
                Look::Long,
            ])
        );
        for broken in ["<<Vstr 5 a >> b>>", "<<Vstr 1 a>", "x", "<<Vstr a>>", "<<>>"] {
            assert_eq!(parse_looks(&output(broken)), None, "{broken}");
        }
        assert_eq!(parse_looks(&Output { clean: false, ..output("<<Vstr 1 a>>") }), None);
    }

    #[test]
    fn spelled_frames() {
        let value = parse_spelled(&output("<<Tstr 4>>\n<<D0 9,,254,>>\n<<D3 63,>>"));
        assert_eq!(value, Some(Value { kind: "str".into(), bytes: vec![10, 0, 255, 64] }));
        assert_eq!(parse_spelled(&output("<<Tstr 0>>")).map(|value| value.bytes), Some(vec![]));
        for broken in [
            "<<Tstr 2>>\n<<D0 1,>>",
            "<<Tstr 2>>\n<<D1 1,1,>>",
            "<<Tstr 1>>\n<<D0 1>>",
            "<<Tstr 1>>\n<<D0 255,>>",
            "<<Tstr 1>>\n<<D0 65535,>>",
            "",
        ] {
            assert_eq!(parse_spelled(&output(broken)), None, "{broken}");
        }
    }
}
