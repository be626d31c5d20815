//! `/import verbose=yes`: a file piece by piece, each shown before it is read.
//!
//! A piece is a line, with as many more as it takes until nothing is open. Each is read like a line at the prompt: the menu
//! stays, globals are seen, and a local variable ends with its piece (of 7.20 and later; of older ones inferred).

use std::rc::Rc;
use std::sync::Arc;

use routeros_script::ast::{Block, Statement};
use routeros_script::{ParseError, Script, check, incomplete, parse_in, resolve};

use super::env::Scope;
use super::error::Error;
use super::interp::{Frame, Interp, PromptNames, SCRIPT_LEVELS};
use super::value::Value;

/// One piece of a file: its first and last line, counted from 1, and its text behind an empty line for each line before it,
/// so that places in messages are the file's.
struct Piece {
    first: usize,
    last: usize,
    src: Vec<u8>,
}

impl Piece {
    fn text(&self) -> &[u8] {
        self.src.get(self.first - 1..).unwrap_or_default()
    }

    /// What a terminal shows: its lines and the text, the last line end included.
    fn shown(&self) -> Vec<Vec<u8>> {
        let range = if self.first == self.last { String::new() } else { format!("..{}", self.last) };
        let mut lines = vec![format!("#line {}{range}", self.first).into_bytes()];
        let text = self.text().strip_suffix(b"\n").unwrap_or_default();
        lines.extend(text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()));
        lines
    }

    /// Whether nothing stands in it.
    fn is_empty(&self) -> bool {
        let line = self.text().trim_ascii();
        self.first == self.last && (line.is_empty() || line.starts_with(b"#"))
    }
}

impl Interp {
    /// Runs a file aloud, up to the first piece that is no script or fails. Of an error the place is not told (measured on
    /// 7.24.4).
    pub async fn script_aloud(&self, src: &[u8]) -> Result<Value, Error> {
        let _level = self.deeper(SCRIPT_LEVELS)?;
        let mut menu = Vec::new();
        let mut value = Value::Nothing;
        for piece in self.pieces(src) {
            self.show(&piece);
            let (script, _) = self.readable(&piece.src, &menu)?;
            let scope = Scope::root(self.ctx.globals.clone(), true);
            let before = Rc::from(menu.as_slice());
            let mut frame = Frame { src: Arc::clone(&script.src), scope, menu: before, item: None };
            let result = self.statements(&mut frame, &script.body, false).await;
            menu = frame.menu.to_vec();
            value = Self::finish(result).map_err(|error| Error { place: None, ..error })?;
        }
        Ok(value)
    }

    /// Only reads a file, and says of every piece what is wrong with it, also what a router of the version would say only
    /// when it gets there: how many errors there are. What a piece would have made is not there for the next.
    pub fn script_tried(&self, src: &[u8]) -> usize {
        let mut menu = Vec::new();
        let mut errors = 0;
        for piece in self.pieces(src) {
            self.show(&piece);
            let found = match self.readable(&piece.src, &menu) {
                Ok((script, late)) => {
                    self.follow(&script, &mut menu);
                    late
                }
                Err(error) => vec![error],
            };
            for error in &found {
                self.ctx.output.line(error.message.as_bytes());
            }
            errors += found.len();
        }
        errors
    }

    fn show(&self, piece: &Piece) {
        for line in piece.shown() {
            self.ctx.output.line(&line);
        }
    }

    fn readable(&self, src: &[u8], menu: &[String]) -> Result<(Script, Vec<ParseError>), ParseError> {
        let script = parse_in(src, self.ctx.version, menu.is_empty())?;
        let late = check(&script, &PromptNames(self.host.as_ref(), &self.ctx), menu)?;
        Ok((script, late))
    }

    /// The menu that a piece leaves, which was read only.
    fn follow(&self, script: &Script, menu: &mut Vec<String>) {
        let Block { statements, .. } = &*script.body;
        for statement in statements {
            let Statement::Command(command) = statement else { continue };
            if let Ok(resolved) = resolve(self.host.as_ref(), self.ctx.version, &script.src, menu, command)
                && resolved.command.is_none()
                && command.block().is_none()
            {
                *menu = resolved.menu;
            }
        }
    }

    fn pieces(&self, src: &[u8]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut open: Option<Piece> = None;
        for (at, line) in src.split(|byte| *byte == b'\n').enumerate() {
            let mut piece = open.take().unwrap_or_else(|| Piece { first: at + 1, last: at + 1, src: vec![b'\n'; at] });
            piece.last = at + 1;
            piece.src.extend(line);
            let whole = self.is_whole(&piece.src);
            piece.src.push(b'\n');
            if whole {
                pieces.push(piece);
            } else {
                open = Some(piece);
            }
        }
        pieces.extend(open);
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// Whether no more lines are wanted: nothing is open, or what is there is wrong already.
    fn is_whole(&self, src: &[u8]) -> bool {
        match incomplete(src) {
            None => true,
            Some(open) if matches!(open.last(), Some('"' | '\\')) => false,
            Some(_) => parse_in(src, self.ctx.version, true).is_err_and(|error| error.span.start < src.len()),
        }
    }
}
