//! A line behind a socket: bytes as they are, telnet, or RFC 2217.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::error::Error;
use crate::busy::{self, Said};
use crate::rfc2217::{Client, ClientConfig, Event};
use crate::telnet;

/// Unread bytes of the line; beyond, the socket is not read, and the server feels it.
const MAX_RX: usize = 64 * 1024;
/// Bytes on their way to the server.
const MAX_TX: usize = 64 * 1024;
/// One read of the socket.
const READ: usize = 16 * 1024;
/// Rounds at one go, so that a server that never stops talking lets others run.
const MAX_ROUNDS: usize = 64;

#[derive(Debug)]
enum Codec {
    Raw { received: VecDeque<u8>, out: Vec<u8> },
    Telnet(Box<Client>),
}

/// A connection.
#[derive(Debug)]
pub struct NetLine<T> {
    stream: T,
    codec: Codec,
    tx: Vec<u8>,
    epoch: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    eof: bool,
    beginning: Vec<u8>,
    place: String,
}

impl<T: AsyncRead + AsyncWrite + Unpin> NetLine<T> {
    /// Bytes as they are. `place` names the server for people.
    pub fn raw(stream: T, place: impl Into<String>) -> Self {
        Self::new(stream, place.into(), Codec::Raw { received: VecDeque::new(), out: Vec::new() })
    }

    /// Telnet, with RFC 2217 or without.
    pub fn telnet(stream: T, place: impl Into<String>, config: ClientConfig) -> Self {
        Self::new(stream, place.into(), Codec::Telnet(Box::new(Client::new(Duration::ZERO, config))))
    }

    fn new(stream: T, place: String, codec: Codec) -> Self {
        let epoch = Instant::now();
        Self { stream, codec, tx: Vec::new(), epoch, timer: None, eof: false, beginning: Vec::new(), place }
    }

    /// Does something with the machine of RFC 2217, where there is one, at the present time. What it has to send leaves with
    /// the next read, write or flush.
    pub fn with<R>(&mut self, act: impl FnOnce(&mut Client, Duration) -> R) -> Option<R> {
        let now = self.epoch.elapsed();
        match &mut self.codec {
            Codec::Telnet(client) => Some(act(client, now)),
            Codec::Raw { .. } => None,
        }
    }

    /// What the machine told since the last call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.with(|client, _| client.poll_event()).flatten()
    }

    /// Waits until the options are settled, answered or not, or the server closes.
    ///
    /// # Errors
    /// The line is taken, or the connection broke.
    pub async fn settle(&mut self) -> Result<(), Error> {
        std::future::poll_fn(|cx| {
            if let Err(error) = self.drive(cx) {
                let error = Error::Connect { place: self.place.clone(), why: error.to_string() };
                return Poll::Ready(Err(error));
            }
            if self.eof {
                return Poll::Ready(Err(self.ended().unwrap_or_else(|| Error::Closed { place: self.place.clone() })));
            }
            let settled = self.with(|client, _| client.is_settled()).unwrap_or(true);
            if settled { Poll::Ready(Ok(())) } else { Poll::Pending }
        })
        .await
    }

    /// Why the server closed, where its words say it.
    fn ended(&self) -> Option<Error> {
        let early = self.beginning.len() < busy::LOOK;
        let place = self.place.clone();
        Some(match busy::said(&self.beginning).filter(|_| early)? {
            Said::InUse(text) => Error::InUse { place, text },
            Said::NoDevice(text) => Error::NoDevice { place, text },
        })
    }

    /// A raw connection whose server speaks telnet: it begins with options, which no console says.
    pub fn speaks_telnet(&self) -> bool {
        matches!(self.codec, Codec::Raw { .. }) && telnet::begins(&self.beginning)
    }

    fn unread(&self) -> usize {
        match &self.codec {
            Codec::Raw { received, .. } => received.len(),
            Codec::Telnet(client) => client.unread(),
        }
    }

    /// Moves bytes as far as they go now; wakers are set for the rest.
    fn drive(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        for _ in 0..MAX_ROUNDS {
            let mut moved = false;
            let now = self.epoch.elapsed();
            let mut wake = None;
            match &mut self.codec {
                Codec::Raw { out, .. } => self.tx.append(out),
                Codec::Telnet(client) => {
                    if client.poll_timeout().is_some_and(|at| at <= now) {
                        client.handle_timeout(now);
                    }
                    wake = client.poll_timeout();
                    if self.tx.len() < MAX_TX
                        && let Some(bytes) = client.poll_transmit()
                    {
                        self.tx.extend_from_slice(&bytes);
                    }
                }
            }
            moved |= self.send(cx)?;
            if self.unread() < MAX_RX && !self.eof {
                moved |= self.receive(cx)?;
            }
            moved |= self.arm(cx, wake);
            if !moved {
                return Ok(());
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Sets the alarm; true: it is time already.
    fn arm(&mut self, cx: &mut Context<'_>, wake: Option<Duration>) -> bool {
        let Some(at) = wake.map(|at| self.epoch + at) else {
            self.timer = None;
            return false;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx).is_ready()
    }

    fn send(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut moved = false;
        while !self.tx.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.tx) {
                Poll::Pending => return Ok(moved),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.tx.drain(..count);
                    moved = true;
                }
                // The server's last words may still be unread: they say why.
                Poll::Ready(Err(_)) if !self.eof => {
                    self.tx.clear();
                    return Ok(true);
                }
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        if let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_flush(cx)
            && self.eof
        {
            return Err(error);
        }
        Ok(moved)
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut space = [0; READ];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => {
                // A reset instead of an end: servers that refuse a second client do it.
                self.eof = true;
                if self.ended().is_some() || self.unread() > 0 { Ok(true) } else { Err(error) }
            }
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                self.eof = true;
                Ok(true)
            }
            Poll::Ready(Ok(())) => {
                let bytes = buffer.filled();
                let room = busy::LOOK.saturating_sub(self.beginning.len()).min(bytes.len());
                self.beginning.extend_from_slice(bytes.get(..room).unwrap_or_default());
                let now = self.epoch.elapsed();
                match &mut self.codec {
                    Codec::Raw { received, .. } => received.extend(bytes),
                    Codec::Telnet(client) => client.handle_bytes(now, bytes),
                }
                Ok(true)
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for NetLine<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.drive(cx)?;
        let max = buf.remaining();
        let bytes: Vec<u8> = match &mut this.codec {
            Codec::Raw { received, .. } => {
                let count = max.min(received.len());
                received.drain(..count).collect()
            }
            Codec::Telnet(client) => client.take_data(max),
        };
        if !bytes.is_empty() || max == 0 {
            buf.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        if this.eof {
            return Poll::Ready(this.ended().map_or(Ok(()), |error| Err(error.into_io())));
        }
        Poll::Pending
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for NetLine<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.drive(cx)?;
        if this.eof {
            return Poll::Ready(Err(this.ended().map_or_else(|| io::ErrorKind::BrokenPipe.into(), Error::into_io)));
        }
        if this.tx.len() >= MAX_TX {
            return Poll::Pending;
        }
        let count = match &mut this.codec {
            Codec::Raw { out, .. } => {
                let count = bytes.len().min(MAX_TX);
                out.extend_from_slice(bytes.get(..count).unwrap_or_default());
                count
            }
            Codec::Telnet(client) => client.write(bytes),
        };
        if count == 0 && !bytes.is_empty() {
            // The server asks for silence; its next word wakes us.
            return Poll::Pending;
        }
        this.drive(cx)?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.drive(cx)?;
        if this.tx.is_empty() || this.eof { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.drive(cx)?;
        if !this.tx.is_empty() && !this.eof {
            return Poll::Pending;
        }
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
