//! Where things stand in a source text.

use std::fmt;

/// A range of byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The bytes of `src` in this range; empty if it lies outside.
    pub fn of(self, src: &[u8]) -> &[u8] {
        src.get(self.start..self.end).unwrap_or_default()
    }
}

/// A place as RouterOS prints it: `line N column M`, both from 1, columns counted in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Byte offset in the line, from 1.
    pub column: usize,
}

impl Position {
    /// The place of byte `offset` of `src`; behind the last byte for what lies outside.
    pub fn of(src: &[u8], offset: usize) -> Self {
        let before = src.get(..offset).unwrap_or(src);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Self { line, column: before.len() - start + 1 }
    }
}

/// Where the lines of a text begin: the place of each of many offsets without counting from the start again.
#[derive(Debug, Clone)]
pub struct Lines {
    begin: Vec<usize>,
    end: usize,
}

impl Lines {
    /// The lines of `src`.
    pub fn of(src: &[u8]) -> Self {
        let behind = src.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Self { begin: std::iter::once(0).chain(behind).collect(), end: src.len() }
    }

    /// The place of byte `offset`, as [`Position::of`] tells it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.end);
        let line = self.begin.partition_point(|begin| *begin <= offset).max(1);
        let begin = self.begin.get(line - 1).copied().unwrap_or_default();
        Position { line, column: offset - begin + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(line {} column {})", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_lines_tells_what_counting_tells() {
        for src in ["", "a", "\n", "a\nbc\n\nd", "\n\n"] {
            let lines = Lines::of(src.as_bytes());
            for offset in 0..src.len() + 3 {
                assert_eq!(lines.position(offset), Position::of(src.as_bytes(), offset), "{src:?} {offset}");
            }
        }
    }
}
