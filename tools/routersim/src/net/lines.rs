//! Lines of text on a control connection.

use super::error::NetError;
use super::tcp::TcpStream;
use crate::raw;

/// The longest line that is taken; RFC 959 knows none, and paths here are short.
const MAX_LINE: usize = 2048;

/// Reads CR LF (or bare LF) lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    /// The next line without its end; `None` when the peer has finished.
    pub(super) async fn next(&mut self, stream: &TcpStream) -> Result<Option<String>, NetError> {
        loop {
            if let Some(at) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let rest = self.bytes.split_off(at + 1);
                let line = std::mem::replace(&mut self.bytes, rest);
                let text = raw::text(&line);
                return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
            }
            if self.bytes.len() >= MAX_LINE {
                return Err(NetError::Protocol);
            }
            let more = stream.read(MAX_LINE).await?;
            if more.is_empty() {
                return Ok(None);
            }
            self.bytes.extend(more);
        }
    }
}
