//! A person at a console that a shell has opened: the stream itself, and safely back.
//!
//! Over a hop the far session can end at any byte, and what is typed next lands on the near router. So what comes is watched
//! for the near router's prompt: it ends the stream, and nothing more is typed.

use crate::error::Error;
use crate::link::ByteLink;
use crate::session::Session;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes of a logged-in console, for a person's terminal, which answers the router's questions itself.
#[derive(Debug)]
pub struct Attached {
    session: Session,
    /// The prompt that stands there already.
    hello: Vec<u8>,
    /// The near router's prompt has shown: the far session is over.
    over: bool,
}

impl Attached {
    /// The console of a session that is in step.
    ///
    /// # Errors
    /// [`Error::HopRefused`] where both routers of a hop show the same prompt, so that nobody could tell whose it is.
    pub(crate) async fn new(mut session: Session) -> Result<Self, Error> {
        session.ready().await?;
        if session.both_prompts_are_alike() || session.dialogue.near_prompt() == Some(session.prompt.text.as_str()) {
            let why = "both routers show the same prompt: nobody could tell whose console it is".into();
            // its own failure says less than why it is left
            let _ = session.close().await;
            return Err(Error::HopRefused { why });
        }
        let hello = format!("\r\n{} ", session.prompt.text).into_bytes();
        Ok(Self { session, hello, over: false })
    }

    /// Whether the far session has ended by itself.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes back what stands in the line, logs out of every router on the way, and drops the link.
    ///
    /// # Errors
    /// A router does not let go.
    pub async fn leave(mut self) -> Result<(), Error> {
        if self.over {
            self.session.hop_lost("at the console");
        } else {
            self.session.out_of_step = true;
        }
        self.session.close().await
    }
}

impl AsyncRead for Attached {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if !self.hello.is_empty() {
            let fits = self.hello.len().min(buf.remaining());
            buf.put_slice(self.hello.get(..fits).unwrap_or_default());
            self.hello.drain(..fits);
            return Poll::Ready(Ok(()));
        }
        if self.over {
            return Poll::Ready(Ok(()));
        }
        ready!(self.session.dialogue.poll_pass(cx, buf))?;
        // Keys that came too late stand behind it.
        self.over = self.session.near_stands();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Attached {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.over {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        }
        self.session.dialogue.poll_type(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.session.dialogue.poll_typed(cx)
    }

    /// Leaving is [`Attached::leave`]'s.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl ByteLink for Attached {
    fn describe(&self) -> String {
        match self.session.near.len() {
            0 => self.session.dialogue.describe(),
            hops => {
                format!("{} and {hops} hop{} on", self.session.dialogue.describe(), if hops == 1 { "" } else { "s" })
            }
        }
    }
}
