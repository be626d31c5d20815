//! A file put through a console, of any bytes, on any version, over any link.
//!
//! The content goes in pieces into the elements of an array: an element may be set twice, or late, and says itself whether it
//! is right. Each piece is acknowledged by its content: by the router's painting of the line (see [`crate::pour`]), or, over
//! a hop, where one proved line is under way at a time, by its sum. The whole is compared before it becomes the file, and
//! again in the file. What is in the array outlives a broken line: another call with the same content goes on there.
//!
//! Where it goes is a file, or the source of a script: RouterOS 6 takes 4095 bytes of a file's contents, and far more of a
//! script, whose source is read back in the same way.
//!
//! Where the router has `:convert` it is asked for sums, and bytes that would need quoting go as base64; elsewhere (6.x) they
//! are quoted and the file is read back byte by byte.

use crate::error::Error;
use crate::file::{FILE_ADD, FileName, size_limit};
use crate::outcome::{Outcome, Output};
use crate::shell::{Command, Shell};
use crate::text::quote;
use routeros_script::Version;
use std::time::Duration;

mod pieces;

use pieces::{AROUND, Form, Pieces, VARIABLE, sum};

/// Characters of a piece where its line is framed and proved.
const FRAMED: usize = 320;
/// Characters of a piece at most: about 1 KB in a line works in practice \[I\].
const LONGEST: usize = 960;
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
/// What is summed to see whether a router makes sums.
const PROBE: &str = "jumplead";
/// For a router to put many pieces together.
const JOIN: Duration = Duration::from_secs(60);

/// What the source of a script holds: 64 KB (routeros-console.md section 6.5; on RouterOS 6 inferred, where upstream's and
/// this project's own scripts are longer than a file's 4095 bytes).
const LIMIT_SCRIPT: usize = 64 * 1024;

/// Where the content goes.
#[derive(Debug)]
struct Place<'a> {
    name: &'a FileName,
    is_script: bool,
}

impl<'a> Place<'a> {
    fn file(name: &'a FileName) -> Self {
        Self { name, is_script: false }
    }

    fn script(name: &'a FileName) -> Self {
        Self { name, is_script: true }
    }

    /// The menu that it is an item of, and the property that holds its content.
    const fn menu(&self) -> (&'static str, &'static str) {
        if self.is_script { ("/system script", "source") } else { ("/file", "contents") }
    }

    fn find(&self) -> String {
        format!("[{} find name={}]", self.menu().0, quote(self.name.as_str()))
    }

    /// Makes an empty one, unless it is there. A file in this way from RouterOS 7.9 on.
    fn make(&self) -> String {
        let (menu, property) = self.menu();
        let name = quote(self.name.as_str());
        format!(":if ([:len {}]=0) do={{{menu} add name={name} {property}=\"\"}}", self.find())
    }

    /// Fills it from the local variable `t`.
    fn set(&self) -> String {
        let (menu, property) = self.menu();
        format!("{menu} set {} {property}=$t", self.find())
    }

    /// The expression that is its content.
    fn content(&self) -> String {
        let (menu, property) = self.menu();
        format!("[{menu} get {} {property}]", self.find())
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
        self.put(&Place::file(name), content, version, size_limit(version)).await
    }

    /// Writes a script into `/system script`, in the place of one of the same name, and makes sure that its source is exactly
    /// `source`: the way for one that is too long for a file of RouterOS 6. To run it: `/system script run NAME`.
    ///
    /// # Errors
    /// As [`Shell::put_file`], of which this takes any name.
    pub async fn put_script(&self, name: &FileName, source: &[u8]) -> Result<(), Error> {
        let version = self.steady_version().await?;
        self.put(&Place::script(name), source, version, LIMIT_SCRIPT).await
    }

    async fn put(&self, place: &Place<'_>, content: &[u8], version: Version, limit: usize) -> Result<(), Error> {
        let name = place.name.as_str();
        if content.len() > limit {
            let name = name.to_owned();
            return Err(Error::FileTooLarge { name, size: content.len(), limit, script: place.is_script });
        }
        let room = if self.is_hop() {
            FRAMED
        } else {
            // The last column stays empty, and behind the prompt there is a blank.
            self.columns().saturating_sub(self.prompt().len() + 2 + AROUND).clamp(SHORTEST, LONGEST)
        };
        let id = format!("{}-{room}", sum(content));
        let (sums, new) = self.begin(place, version, &id).await?;
        let mut pieces = Pieces::cut(content, Form::Quoted, room);
        if sums && content.len().div_ceil(3) * 4 < pieces.texts.iter().map(String::len).sum() {
            pieces = Pieces::cut(content, Form::Base64, room);
        }
        let mut missing = if new { (0..pieces.texts.len()).collect() } else { self.missing(&pieces, sums).await? };
        let mut wrong = None;
        for _ in 0..WHOLE {
            self.fill(&pieces, std::mem::take(&mut missing), sums).await?;
            match self.finish(place, content, &pieces, sums).await? {
                None => return Ok(()),
                Some(at) => wrong = Some(at),
            }
            missing = if sums { self.missing(&pieces, true).await? } else { (0..pieces.texts.len()).collect() };
        }
        let (got, offset) = wrong.unwrap_or_default();
        Err(Error::FileMismatch { name: name.to_owned(), wanted: content.len(), got, offset })
    }

    /// The version, said twice in one line: what comes over a serial line may be damaged.
    async fn steady_version(&self) -> Result<Version, Error> {
        let line = ":local v [/system resource get version]; :put ($v . \"=\" . $v)";
        let mut seen = String::new();
        for _ in 0..TRIES {
            seen = self.steady(line, false).await?.text;
            if let Some((version, again)) = seen.trim().split_once('=')
                && version == again
                && let Ok(version) = version.parse()
            {
                return Ok(version);
            }
        }
        Err(Error::Garbled { what: "the version".into(), seen })
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
        let wanted = sum(PROBE.as_bytes());
        for _ in 0..TRIES {
            match self.exec(format!(":put {}", sum_of(&format!("\"{PROBE}\"")))).await? {
                Outcome::Done(output) if output.text.trim() == wanted => return Ok(true),
                Outcome::Refused(_) => return Ok(false),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Makes the file and the room for its pieces, unless they are there. Whether the router makes sums, and whether none of
    /// the pieces is there yet.
    async fn begin(&self, place: &Place<'_>, version: Version, id: &str) -> Result<(bool, bool), Error> {
        let room = format!(
            ":global {VARIABLE}; :local i \"\"; :if ([:typeof ${VARIABLE}]=\"array\") do={{:set i (${VARIABLE}->\"id\")}}; \
             :if ($i!=\"{id}\") do={{:set {VARIABLE} ({{}}); :set (${VARIABLE}->\"id\") \"{id}\"; :put \"new\"}} else={{:put \"old\"}}"
        );
        if version >= FILE_ADD {
            // All in one line, where every line has its price. What does not know `:convert` runs none of it.
            let make = place.make();
            let line = format!("{make}; :put {}; {room}", sum_of(&format!("\"{PROBE}\"")));
            for _ in 0..TRIES {
                let command = Command { private: true, ..Command::new(line.as_str()) };
                match self.exec(command).await {
                    Ok(Outcome::Done(output)) => {
                        let mut told = output.text.lines().map(str::trim);
                        if told.next() == Some(sum(PROBE.as_bytes()).as_str()) {
                            return Ok((true, told.next() == Some("new")));
                        }
                    }
                    Ok(Outcome::Refused(_)) => break,
                    Ok(Outcome::Unknown(unknown)) if passes(&unknown.cause) => {}
                    Ok(Outcome::Unknown(unknown)) => return Err(Error::Unknown(unknown)),
                    Err(error) if passes(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if place.is_script {
            self.steady(&place.make(), true).await?;
        } else {
            let mut made = self.make_file(place.name, version).await;
            for _ in 1..TRIES {
                match made {
                    Err(ref error) if passes(error) => made = self.make_file(place.name, version).await,
                    _ => break,
                }
            }
            made?;
        }
        // 6.x has no `:convert`, and says so in a line that does not run.
        let sums = version.is_v7() && self.can_sum().await?;
        Ok((sums, self.steady(&room, true).await?.text.trim() == "new"))
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
            // Lines are long and have their price: the last piece, which is mostly short, declares the variable with it.
            missing.rotate_right(1);
            let mut lines: Vec<String> = missing.iter().map(|number| pieces.line(*number)).collect();
            let declare = format!(":global {VARIABLE}");
            let alone = match lines.first_mut() {
                Some(first) if declare.len() + 2 + first.len() <= pieces.longest() => {
                    *first = format!("{declare}; {first}");
                    0
                }
                _ => {
                    lines.insert(0, declare);
                    1
                }
            };
            let seen = match self.pour(lines).await {
                Ok(seen) => seen,
                Err(error) if passes(&error) => {
                    fruitless += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let before = missing.len();
            let mut seen = seen.into_iter().skip(alone);
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
        place: &Place<'_>,
        content: &[u8],
        pieces: &Pieces,
        sums: bool,
    ) -> Result<Option<(usize, usize)>, Error> {
        let set = place.set();
        if !sums {
            self.steady(&format!("{}; {set}", pieces.join()), true).await?;
            let back = self.steady_read(place).await?;
            if back != content {
                let offset = back.iter().zip(content).take_while(|(a, b)| a == b).count();
                return Ok(Some((back.len(), offset)));
            }
            self.steady(&format!(":global {VARIABLE}; :set {VARIABLE}"), false).await?;
            return Ok(None);
        }
        // One line, which may run twice: the pieces go when the file is there, and a file that is there needs none.
        let whole = sum(content);
        let there = format!("({}=\"{whole}\")", sum_of(&place.content()));
        let line = format!(
            ":global {VARIABLE}; :if (!{there}) do={{{}; :if ({}=\"{whole}\") do={{{set}}} else={{:put [:len $t]}}}}; \
             :if {there} do={{:set {VARIABLE}; :put \"same\"}}",
            pieces.join(),
            sum_of("$t")
        );
        let mut got = 0;
        for _ in 0..TRIES {
            let output = self.steady(&line, true).await?;
            let told = output.text.trim();
            if told == "same" {
                return Ok(None);
            }
            // Nothing: the file was set, and does not show it yet.
            if let Ok(length) = told.parse() {
                got = length;
                break;
            }
        }
        Ok(Some((got, 0)))
    }

    /// Reads it back; by slices where all of it in one go did not come through, or is a script, which may be long.
    async fn steady_read(&self, place: &Place<'_>) -> Result<Vec<u8>, Error> {
        if !place.is_script {
            match self.read_file(place.name.as_str()).await {
                Err(error) if passes(&error) => {}
                other => return other,
            }
        }
        let file = place.content();
        let size = self.steady(&format!(":put [:len {file}]"), false).await?;
        let size: usize = size.text.trim().parse().map_err(|_| Error::Garbled {
            what: format!("the size of {}", place.name.as_str()),
            seen: size.text.clone(),
        })?;
        let mut back = Vec::new();
        while back.len() < size.min(LIMIT_SCRIPT) {
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
