//! Where a command prints: a script's output, or the pages of a terminal.

use std::fmt;
use std::rc::Rc;

use crate::console::CommandIo;
use crate::raw;
use crate::script::Output;

/// A command's output.
#[derive(Clone)]
pub struct Screen {
    output: Rc<dyn Output>,
    io: Option<CommandIo>,
}

impl Screen {
    /// Prints on `output`; where there is a terminal, lists stop at each screenful.
    pub fn new(output: Rc<dyn Output>, io: Option<CommandIo>) -> Self {
        Self { output, io }
    }

    /// One line.
    pub fn line(&self, text: &str) {
        self.output.line(&raw::bytes(text));
    }

    /// The lines of a `print`.
    pub async fn page(&self, lines: &[String], paging: bool) {
        match (&self.io, paging) {
            (Some(io), true) => {
                let lines: Vec<Vec<u8>> = lines.iter().map(|line| raw::bytes(line)).collect();
                io.page(&lines).await;
            }
            (Some(io), false) => {
                for line in lines {
                    if line.is_empty() {
                        io.blank();
                    } else {
                        io.line(&raw::bytes(line));
                    }
                }
                io.flush().await;
            }
            (None, _) => lines.iter().for_each(|line| self.line(line)),
        }
    }

    /// Columns of the terminal; 80 where there is none.
    pub fn columns(&self) -> usize {
        self.io.as_ref().map_or(80, |io| usize::from(io.size().columns))
    }

    /// The terminal, where a person can be asked.
    pub fn terminal(&self) -> Option<&CommandIo> {
        self.io.as_ref()
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("terminal", &self.io.is_some()).finish_non_exhaustive()
    }
}
