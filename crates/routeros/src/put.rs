//! A file put through a console, of any bytes, on any version, over any link.
//!
//! The content goes in pieces into the elements of an array: an element may be set twice, or late, and says itself whether it
//! is right. Each piece is acknowledged by its content: by the router's painting of the line (see [`crate::pour`]), or, over
//! a hop, where one proved line is under way at a time, by its sum. The whole is compared before it becomes the file, and
//! again in the file. What is in the array outlives a broken line: another call with the same content goes on there.
//!
//! Where the router has `:convert` it is asked for sums, and bytes that would need quoting go as base64; elsewhere (6.x) they
//! are quoted and the file is read back byte by byte.

use crate::error::Error;
use crate::file::{FileName, LIMIT_V7, find, size_limit};
use crate::outcome::{Outcome, Output};
use crate::shell::{Command, Shell};
use std::time::Duration;

/// The variable that the pieces are put together in. It is emptied behind the file.
const VARIABLE: &str = "HAjl";
/// What a line holds beside the piece: `:set ($HAjl->"0000") ""`.
const AROUND: usize = 24;
/// Characters of a piece where its line is framed and proved.
const FRAMED: usize = 320;
/// Characters of a piece at most: about 1 KB in a line works in practice \[I\].
const LONGEST: usize = 900;
/// Shortest piece that is worth a line.
const SHORTEST: usize = 40;
/// Attempts to have one line run on a line that loses bytes.
const TRIES: usize = 5;
/// Rounds of the pieces that are still missing: a byte error in each is possible.
const ROUNDS: usize = 200;
/// Rounds in a row that brought nothing: this console does not paint its lines as others do.
const FRUITLESS: usize = 3;
/// Attempts to make the file of the pieces.
const WHOLE: usize = 4;
/// Bytes that are read back at once on a line that loses some.
const SLICE: usize = 300;
/// For a router to put many pieces together.
const JOIN: Duration = Duration::from_secs(60);

/// How the bytes are written in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With `\XX` for all but the plainest characters.
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

/// Letters, digits and what begins and ends nothing: whatever becomes of the quotes around it on a bad line, it is no command.
fn quoted(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b" .,-_=@+".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("\\{byte:02X}")
    }
}

/// The content as it goes into lines, and what the router makes of it.
#[derive(Debug)]
struct Pieces {
    form: Form,
    texts: Vec<String>,
    /// Of each piece, as the router holds it.
    sums: Vec<String>,
}

fn sum(bytes: &[u8]) -> String {
    format!("{:x}", md5::compute(bytes))
}

impl Pieces {
    fn cut(content: &[u8], form: Form, room: usize) -> Self {
        let (mut texts, mut sums) = (Vec::new(), Vec::new());
        match form {
            Form::Base64 => {
                for piece in content.chunks((room / 4 * 3).max(3)) {
                    let text = base64(piece);
                    sums.push(sum(text.as_bytes()));
                    texts.push(text);
                }
            }
            Form::Quoted => {
                let (mut text, mut held) = (String::new(), Vec::new());
                for byte in content {
                    let next = quoted(*byte);
                    if text.len() + next.len() > room {
                        sums.push(sum(&held));
                        texts.push(std::mem::take(&mut text));
                        held.clear();
                    }
                    text.push_str(&next);
                    held.push(*byte);
                }
                if !held.is_empty() {
                    sums.push(sum(&held));
                    texts.push(text);
                }
            }
        }
        Self { form, texts, sums }
    }

    fn line(&self, number: usize) -> String {
        let text = self.texts.get(number).map_or("", String::as_str);
        format!(":set (${VARIABLE}->\"{number:04}\") \"{text}\"")
    }

    /// How many characters the router holds of a piece.
    fn held(&self, number: usize) -> usize {
        let text = self.texts.get(number).map_or("", String::as_str);
        match self.form {
            Form::Base64 => text.len(),
            // An escape is one character for the router.
            Form::Quoted => text.len() - 2 * text.matches('\\').count(),
        }
    }

    /// Statements that leave the whole in the local variable `t`.
    fn join(&self) -> String {
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

/// The router's sum of an expression.
fn sum_of(expression: &str) -> String {
    format!("[:convert {expression} transform=md5 to=hex]")
}

impl Shell {
    /// Writes a file, replacing one of the same name, and makes sure that it holds exactly `content`. After a broken line the
    /// same call over a new session goes on where the old one stopped.
    ///
    /// # Errors
    /// [`Error::FileName`] on RouterOS 6 for names other than `*.txt` and `*.rsc`, [`Error::FileTooLarge`],
    /// [`Error::FileMismatch`], and those of [`Shell::run`].
    pub async fn put_file(&self, name: &FileName, content: &[u8]) -> Result<(), Error> {
        let version = self.steady_version().await?;
        let limit = size_limit(version);
        if content.len() > limit {
            return Err(Error::FileTooLarge { name: name.as_str().to_owned(), size: content.len(), limit });
        }
        let mut made = self.make_file(name, version).await;
        for _ in 1..TRIES {
            match made {
                Err(ref error) if passes(error) => made = self.make_file(name, version).await,
                _ => break,
            }
        }
        made?;
        // 6.x has no `:convert`, and says so in a line that does not run.
        let sums = version.is_v7() && self.can_sum().await?;
        let room = if self.is_hop() {
            FRAMED
        } else {
            let columns = usize::from(crate::options::Suffix::Network.size().cols);
            columns.saturating_sub(self.prompt().len() + 2 + AROUND).clamp(SHORTEST, LONGEST)
        };
        let mut pieces = Pieces::cut(content, Form::Quoted, room);
        if sums && content.len().div_ceil(3) * 4 < pieces.texts.iter().map(String::len).sum() {
            pieces = Pieces::cut(content, Form::Base64, room);
        }
        let mut missing = self.begin(&pieces, &format!("{}-{room}", sum(content)), sums).await?;
        let mut wrong = None;
        for _ in 0..WHOLE {
            self.fill(&pieces, std::mem::take(&mut missing), sums).await?;
            match self.finish(name, content, &pieces, sums).await? {
                None => {
                    self.steady(&format!(":global {VARIABLE}; :set {VARIABLE}"), false).await?;
                    return Ok(());
                }
                Some(at) => wrong = Some(at),
            }
            missing = if sums { self.missing(&pieces, true).await? } else { (0..pieces.texts.len()).collect() };
        }
        let (got, offset) = wrong.unwrap_or_default();
        Err(Error::FileMismatch { name: name.as_str().to_owned(), wanted: content.len(), got, offset })
    }

    async fn steady_version(&self) -> Result<routeros_script::Version, Error> {
        let mut version = self.version().await;
        for _ in 1..TRIES {
            match version {
                Err(ref error) if passes(error) => version = self.version().await,
                _ => break,
            }
        }
        version
    }

    /// Runs a line that may run twice, until its end was seen.
    async fn steady(&self, line: &str, private: bool) -> Result<Output, Error> {
        let mut tries = 1;
        loop {
            let command = Command { private, timeout: Some(JOIN), ..Command::new(line) };
            let error = match self.exec(command).await {
                Ok(Outcome::Done(output)) => return Ok(output),
                Ok(Outcome::Refused(refusal)) => Error::Refused(refusal),
                Ok(Outcome::Unknown(unknown)) if passes(&unknown.cause) => Error::Unknown(unknown),
                Ok(Outcome::Unknown(unknown)) => return Err(Error::Unknown(unknown)),
                Err(error) if passes(&error) => error,
                Err(error) => return Err(error),
            };
            if tries == TRIES {
                return Err(error);
            }
            tries += 1;
        }
    }

    /// Whether this router makes sums.
    async fn can_sum(&self) -> Result<bool, Error> {
        let wanted = sum(b"jumplead");
        for _ in 0..TRIES {
            match self.exec(format!(":put {}", sum_of("\"jumplead\""))).await? {
                Outcome::Done(output) if output.text.trim() == wanted => return Ok(true),
                Outcome::Refused(_) => return Ok(false),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Makes room for the pieces, unless some of them are there already; gives those that are not.
    async fn begin(&self, pieces: &Pieces, id: &str, sums: bool) -> Result<Vec<usize>, Error> {
        let line = format!(
            ":global {VARIABLE}; :local i \"\"; :if ([:typeof ${VARIABLE}]=\"array\") do={{:set i (${VARIABLE}->\"id\")}}; \
             :if ($i!=\"{id}\") do={{:set {VARIABLE} ({{}}); :set (${VARIABLE}->\"id\") \"{id}\"; :put \"new\"}} else={{:put \"old\"}}"
        );
        if self.steady(&line, true).await?.text.trim() == "new" {
            return Ok((0..pieces.texts.len()).collect());
        }
        self.missing(pieces, sums).await
    }

    /// The pieces that are not there as they should be, as far as the router can tell.
    async fn missing(&self, pieces: &Pieces, sums: bool) -> Result<Vec<usize>, Error> {
        let told = if sums { format!("[:pick {} 0 8]", sum_of("$v")) } else { "[:len $v]".into() };
        let line = format!(":global {VARIABLE}; :foreach k,v in=${VARIABLE} do={{:put ($k . \"=\" . {told})}}");
        let output = self.steady(&line, true).await?;
        let there = |number: usize| {
            let Some(sum) = pieces.sums.get(number) else { return false };
            let told = if sums { sum.get(..8).unwrap_or_default().to_owned() } else { pieces.held(number).to_string() };
            output.text.lines().any(|line| line.trim() == format!("{number:04}={told}"))
        };
        Ok((0..pieces.texts.len()).filter(|number| !there(*number)).collect())
    }

    /// Puts the missing pieces into the array.
    async fn fill(&self, pieces: &Pieces, mut missing: Vec<usize>, sums: bool) -> Result<(), Error> {
        let mut fruitless = if self.is_hop() { FRUITLESS } else { 0 };
        for _ in 0..ROUNDS {
            if missing.is_empty() {
                return Ok(());
            }
            if fruitless >= FRUITLESS {
                return self.fill_framed(pieces, missing, sums).await;
            }
            let mut lines = vec![format!(":global {VARIABLE}")];
            lines.extend(missing.iter().map(|number| pieces.line(*number)));
            let seen = match self.pour(lines).await {
                Ok(seen) => seen,
                Err(error) if passes(&error) => {
                    fruitless += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let before = missing.len();
            let mut seen = seen.into_iter().skip(1);
            missing.retain(|_| !seen.next().unwrap_or(false));
            fruitless = if missing.len() == before { fruitless + 1 } else { 0 };
        }
        Err(Error::Garbled { what: "a file's pieces".into(), seen: format!("{} never arrived", missing.len()) })
    }

    /// The same, a line at a time, each framed, proved where the session is, and acknowledged by its sum.
    async fn fill_framed(&self, pieces: &Pieces, missing: Vec<usize>, sums: bool) -> Result<(), Error> {
        for number in missing {
            let element = format!("(${VARIABLE}->\"{number:04}\")");
            let told = if sums { sum_of(&element) } else { format!("[:len {element}]") };
            let line = format!(":global {VARIABLE}; {}; :put {told}", pieces.line(number));
            let mut tries = 0;
            loop {
                let output = self.steady(&line, true).await?;
                let right = match pieces.sums.get(number) {
                    Some(sum) if sums => output.text.trim() == sum,
                    // Its length alone: a changed byte is found when the file is read back.
                    _ => output.text.trim().parse() == Ok(pieces.held(number)),
                };
                if right {
                    break;
                }
                tries += 1;
                if tries == TRIES {
                    return Err(Error::Garbled { what: "a file's piece".into(), seen: format!("piece {number}") });
                }
            }
        }
        Ok(())
    }

    /// Makes the file of the pieces. Gives its size and the first difference where it is not the content.
    async fn finish(
        &self,
        name: &FileName,
        content: &[u8],
        pieces: &Pieces,
        sums: bool,
    ) -> Result<Option<(usize, usize)>, Error> {
        let set = format!("/file set {} contents=$t", find(name.as_str()));
        if !sums {
            self.steady(&format!("{}; {set}", pieces.join()), true).await?;
            let back = self.steady_read(name).await?;
            let offset = back.iter().zip(content).take_while(|(a, b)| a == b).count();
            return Ok((back != content).then_some((back.len(), offset)));
        }
        let whole = sum(content);
        let line = format!(
            "{}; :if ({}=\"{whole}\") do={{{set}; :put \"same\"}} else={{:put [:len $t]}}",
            pieces.join(),
            sum_of("$t")
        );
        let output = self.steady(&line, true).await?;
        if output.text.trim() != "same" {
            return Ok(Some((output.text.trim().parse().unwrap_or_default(), 0)));
        }
        for _ in 0..TRIES {
            let line = format!(":put {}", sum_of(&format!("[/file get {} contents]", find(name.as_str()))));
            if self.steady(&line, true).await?.text.trim() == whole {
                return Ok(None);
            }
        }
        Ok(Some((0, 0)))
    }

    /// Reads the file back; by slices where all of it in one go did not come through.
    async fn steady_read(&self, name: &FileName) -> Result<Vec<u8>, Error> {
        match self.read_file(name.as_str()).await {
            Err(error) if passes(&error) => {}
            other => return other,
        }
        let file = format!("[/file get {} contents]", find(name.as_str()));
        let size = self.steady(&format!(":put [:len {file}]"), false).await?;
        let size: usize = size
            .text
            .trim()
            .parse()
            .map_err(|_| Error::Garbled { what: format!("the size of {}", name.as_str()), seen: size.text.clone() })?;
        let mut back = Vec::new();
        while back.len() < size.min(LIMIT_V7) {
            let end = size.min(back.len() + SLICE);
            let mut slice = self.spell(&format!("[:pick {file} {} {end}]", back.len()), true).await;
            for _ in 1..TRIES {
                match slice {
                    Err(ref error) if passes(error) => {
                        slice = self.spell(&format!("[:pick {file} {} {end}]", back.len()), true).await;
                    }
                    _ => break,
                }
            }
            let bytes = slice?.bytes;
            if bytes.is_empty() {
                break;
            }
            back.extend(bytes);
        }
        Ok(back)
    }
}

/// Whether a line that may run twice is worth another try: bytes were lost or changed, the link and the router are there.
fn passes(error: &Error) -> bool {
    match error {
        Error::Timeout { .. } | Error::Garbled { .. } | Error::Refused(_) => true,
        Error::Unknown(unknown) => passes(&unknown.cause),
        _ => false,
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

    proptest! {
        /// No piece is longer than its room, none holds a key or what could begin a command, and together they are the content.
        #[test]
        fn pieces_are_the_content(content in prop::collection::vec(any::<u8>(), 0..2000), room in 40usize..900) {
            for form in [Form::Quoted, Form::Base64] {
                let pieces = Pieces::cut(&content, form, room);
                let mut length = 0;
                for text in &pieces.texts {
                    prop_assert!(text.len() <= room && !text.is_empty());
                    let plain = text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && !b";[]{}()$\"?".contains(&byte));
                    prop_assert!(plain);
                    length += match form {
                        Form::Quoted => text.len() - 2 * text.matches('\\').count(),
                        Form::Base64 => text.len() / 4 * 3 - text.matches('=').count(),
                    };
                }
                prop_assert_eq!(length, content.len());
            }
        }
    }
}
