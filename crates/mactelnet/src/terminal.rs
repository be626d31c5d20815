//! What a client says of its terminal.

/// Type and size, as a login carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Such as `vt102`. Cut to [`Terminal::MAX_KIND`] bytes where it is sent.
    pub kind: String,
    /// Columns; 0 where the output is no terminal.
    pub columns: u16,
    /// Rows; 0 where the output is no terminal.
    pub rows: u16,
}

impl Terminal {
    /// Longest type that is sent or kept: the C server keeps 29 bytes. \[S\]
    pub const MAX_KIND: usize = 29;
}

impl Default for Terminal {
    fn default() -> Self {
        Self { kind: "vt102".to_owned(), columns: 80, rows: 24 }
    }
}
