//! The line at the bottom of the terminal: where, at which speed, for how long, what is on its way.

/// Keeps the last row out of what scrolls, and writes into it.
#[derive(Debug, Default)]
pub struct Status {
    rows: Option<u16>,
    shown: String,
    /// The router has set the margins itself, or cleared the screen.
    spoilt: bool,
}

impl Status {
    pub fn is_on(&self) -> bool {
        self.rows.is_some()
    }

    /// On, in a terminal of so many rows. What goes to it.
    pub fn on(&mut self, rows: u16) -> Vec<u8> {
        *self = Self { rows: Some(rows), ..Self::default() };
        self.margins(rows)
    }

    /// One row less scrolls. Setting margins moves the cursor: it is put back.
    fn margins(&self, rows: u16) -> Vec<u8> {
        format!("\x1b7\x1b[1;{}r\x1b8\x1b[1A\x1b[1B", rows.saturating_sub(1).max(1)).into_bytes()
    }

    pub fn off(&mut self) -> Vec<u8> {
        match self.rows.take() {
            Some(rows) => format!("\x1b7\x1b[r\x1b[{rows};1H\x1b[K\x1b8").into_bytes(),
            None => Vec::new(),
        }
    }

    /// What is shown to the terminal: some of it takes the margins away.
    pub fn passed(&mut self, bytes: &[u8]) {
        let reset = |window: &[u8]| matches!(window, b"\x1b[r" | b"\x1b[J" | b"[2J");
        self.spoilt |= self.is_on() && (bytes.windows(3).any(reset) || bytes.windows(2).any(|two| two == b"\x1bc"));
    }

    /// Writes `text` where it is another than before.
    pub fn show(&mut self, text: &str, columns: u16) -> Vec<u8> {
        let Some(rows) = self.rows else { return Vec::new() };
        if text == self.shown && !self.spoilt {
            return Vec::new();
        }
        let mut out = if std::mem::take(&mut self.spoilt) { self.margins(rows) } else { Vec::new() };
        self.shown = text.to_owned();
        let cut: String = text.chars().take(usize::from(columns)).collect();
        out.extend(format!("\x1b7\x1b[{rows};1H\x1b[7m{cut}\x1b[K\x1b[m\x1b8").into_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn it_is_written_when_it_changes_and_after_the_router_cleared_the_screen() {
        let mut status = Status::default();
        assert_eq!(status.show("x", 80), b"");
        assert!(String::from_utf8(status.on(24)).unwrap().contains("\x1b[1;23r"));
        let first = String::from_utf8(status.show("ttyUSB0 115200", 8)).unwrap();
        assert!(first.contains("\x1b[24;1H") && first.contains("ttyUSB0 ") && !first.contains("115200"), "{first:?}");
        assert_eq!(status.show("ttyUSB0 115200", 8), b"");
        status.passed(b"abc\x1b[rdef");
        assert!(String::from_utf8(status.show("ttyUSB0 115200", 8)).unwrap().contains("\x1b[1;23r"));
        assert!(String::from_utf8(status.off()).unwrap().contains("\x1b[r"));
        assert_eq!(status.off(), b"");
    }
}
