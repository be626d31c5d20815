//! A TCP connection of this router, for jobs to wait on.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{RecvError, Socket, State};
use smoltcp::wire::IpAddress;

use super::error::NetError;
use super::inner::{Inner, L3Id};
use super::l3::DATA_BUFFER;

/// A connection; dropping it closes it in good order.
pub(super) struct TcpStream {
    inner: Rc<RefCell<Inner>>,
    l3: L3Id,
    handle: SocketHandle,
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpStream({}, {:?})", self.l3, self.handle)
    }
}

impl TcpStream {
    /// Takes over a socket that nobody else holds.
    pub(super) fn new(inner: Rc<RefCell<Inner>>, l3: L3Id, handle: SocketHandle) -> Self {
        Self { inner, l3, handle }
    }

    /// Connects, giving up after `patience`.
    pub(super) async fn connect(
        inner: &Rc<RefCell<Inner>>,
        to: (Ipv4Addr, u16),
        patience: Duration,
    ) -> Result<Self, NetError> {
        let stream = {
            let mut net = inner.borrow_mut();
            let path = net.path(to.0, None, None).ok_or(NetError::NoRoute)?;
            let port = net.ephemeral_port();
            let l3 = net.l3.get_mut(&path.l3).ok_or(NetError::NoRoute)?;
            let handle = l3.connect((path.source, port), to, DATA_BUFFER)?;
            net.wake();
            Self::new(Rc::clone(inner), path.l3, handle)
        };
        stream.established(patience).await?;
        Ok(stream)
    }

    /// A socket on the same interface as this connection that takes one more connection; its port.
    pub(super) fn listen_beside(&self) -> Result<(Self, u16), NetError> {
        let mut net = self.inner.borrow_mut();
        let port = net.ephemeral_port();
        let l3 = net.l3.get_mut(&self.l3).ok_or(NetError::Reset)?;
        let handle = l3.listen_once(port, DATA_BUFFER)?;
        Ok((Self::new(Rc::clone(&self.inner), self.l3, handle), port))
    }

    fn with<R>(&self, act: impl FnOnce(&mut Socket<'static>) -> R) -> Option<R> {
        let mut net = self.inner.borrow_mut();
        let socket = net.l3.get_mut(&self.l3)?.sockets.get_mut::<Socket<'static>>(self.handle);
        let result = act(socket);
        // Whatever was done may have given the stack something to send.
        net.wake();
        Some(result)
    }

    /// Our address and the peer's.
    pub(super) fn addresses(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        let ends = self.with(|socket| (socket.local_endpoint(), socket.remote_endpoint()))?;
        match (ends.0?.addr, ends.1?.addr) {
            (IpAddress::Ipv4(local), IpAddress::Ipv4(remote)) => Some((local, remote)),
        }
    }

    /// Waits until the connection stands.
    pub(super) async fn established(&self, patience: Duration) -> Result<(), NetError> {
        let stands = poll_fn(|cx: &mut Context<'_>| {
            let state = self.with(|socket| {
                socket.register_recv_waker(cx.waker());
                socket.register_send_waker(cx.waker());
                socket.state()
            });
            match state {
                None => Poll::Ready(Err(NetError::Reset)),
                Some(State::Listen | State::SynSent | State::SynReceived) => Poll::Pending,
                Some(State::Closed) => Poll::Ready(Err(NetError::Refused)),
                Some(_) => Poll::Ready(Ok(())),
            }
        });
        let kernel = self.inner.borrow().kernel.clone();
        kernel.timeout(patience, stands).await.unwrap_or(Err(NetError::Timeout))
    }

    /// Waits for bytes and takes at most `max`; empty when the peer has finished.
    pub(super) async fn read(&self, max: usize) -> Result<Vec<u8>, NetError> {
        poll_fn(|cx| self.poll_read(cx, max)).await
    }

    /// As [`TcpStream::read`], for hand-written futures.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, max: usize) -> Poll<Result<Vec<u8>, NetError>> {
        let read = self.with(|socket| {
            let taken = socket.recv(|bytes| {
                let n = bytes.len().min(max);
                (n, bytes.get(..n).unwrap_or_default().to_vec())
            });
            socket.register_recv_waker(cx.waker());
            taken
        });
        match read {
            Some(Ok(bytes)) if bytes.is_empty() => Poll::Pending,
            Some(Ok(bytes)) => Poll::Ready(Ok(bytes)),
            Some(Err(RecvError::Finished)) => Poll::Ready(Ok(Vec::new())),
            Some(Err(RecvError::InvalidState)) | None => Poll::Ready(Err(NetError::Reset)),
        }
    }

    /// Writes all of `bytes`, waiting for room.
    pub(super) async fn write_all(&self, bytes: &[u8]) -> Result<(), NetError> {
        let mut rest = bytes;
        poll_fn(move |cx: &mut Context<'_>| {
            while !rest.is_empty() {
                let sent = self.with(|socket| {
                    let sent = socket.send_slice(rest);
                    socket.register_send_waker(cx.waker());
                    sent
                });
                match sent {
                    Some(Ok(0)) => return Poll::Pending,
                    Some(Ok(n)) => rest = rest.get(n..).unwrap_or_default(),
                    Some(Err(_)) | None => return Poll::Ready(Err(NetError::Reset)),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Says that nothing more will be written, and waits until the peer has it all.
    pub(super) async fn finish(&self) -> Result<(), NetError> {
        self.with(Socket::close);
        poll_fn(|cx: &mut Context<'_>| {
            let state = self.with(|socket| {
                socket.register_send_waker(cx.waker());
                socket.register_recv_waker(cx.waker());
                (socket.state(), socket.send_queue())
            });
            match state {
                None => Poll::Ready(Err(NetError::Reset)),
                Some((State::FinWait1 | State::Closing | State::LastAck, _)) => Poll::Pending,
                Some((State::Closed, unsent)) if unsent > 0 => Poll::Ready(Err(NetError::Reset)),
                Some(_) => Poll::Ready(Ok(())),
            }
        })
        .await
    }

    /// Breaks the connection off.
    pub(super) fn abort(&self) {
        self.with(Socket::abort);
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        // Dropped in the midst of the network's own work (a kernel that goes down): its sockets go too.
        if let Ok(mut net) = self.inner.try_borrow_mut() {
            if let Some(l3) = net.l3.get_mut(&self.l3) {
                l3.orphan(self.handle);
            }
            net.wake();
        }
    }
}
