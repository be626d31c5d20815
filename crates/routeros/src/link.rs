//! The byte link: what a shell runs on.

use std::fmt;
use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of console bytes: a MAC-Telnet session, a serial line, an SSH shell, or a hop through another router.
///
/// A gap in the stream is an error of `read`, never silence; end of file means that the far side is gone.
pub trait ByteLink: AsyncRead + AsyncWrite + Unpin + Send {
    /// What this link is, for people: `mac://74:4D:28:00:00:0B%eth1`.
    fn describe(&self) -> String;

    /// Tells the far side the size of the terminal, where the link can.
    fn resize(&mut self, _cols: u16, _rows: u16) {}

    /// Bits a second, where this is a line whose speed is set here.
    fn speed(&self) -> Option<u32> {
        None
    }

    /// Why nothing legible can come of it, where the link itself knows.
    fn unfit(&self) -> Option<String> {
        None
    }

    /// The prompt of the router through which this console is reached, where that one can get back what is typed: the far
    /// session ends at any byte.
    fn near_prompt(&self) -> Option<&str> {
        None
    }

    /// Tells the prompt of the router at the other end, once it is known.
    fn far_prompt(&mut self, _prompt: &str) {}

    /// Another speed for what is sent and received from now on. False: the link has none, or its speed is set elsewhere.
    fn set_speed(&mut self, _baud: u32) -> bool {
        false
    }
}

impl ByteLink for tokio::io::DuplexStream {
    fn describe(&self) -> String {
        "in-memory".into()
    }
}

impl<L: ByteLink + ?Sized> ByteLink for Box<L> {
    fn describe(&self) -> String {
        (**self).describe()
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        (**self).resize(cols, rows);
    }

    fn speed(&self) -> Option<u32> {
        (**self).speed()
    }

    fn unfit(&self) -> Option<String> {
        (**self).unfit()
    }

    fn near_prompt(&self) -> Option<&str> {
        (**self).near_prompt()
    }

    fn far_prompt(&mut self, prompt: &str) {
        (**self).far_prompt(prompt);
    }

    fn set_speed(&mut self, baud: u32) -> bool {
        (**self).set_speed(baud)
    }
}

/// Any byte link, owned.
pub type BoxLink = Box<dyn ByteLink>;

impl fmt::Debug for dyn ByteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ByteLink").field(&self.describe()).finish()
    }
}
