//! A UDP socket as a link: the named fallback for hosts that may not open a packet socket.
//!
//! It shows no Ethernet addresses, and under `rp_filter` the kernel drops answers whose source address does not fit
//! the host's routes, without a word: so it is never chosen silently, nor taken where [`filtered`] says so.

#![allow(clippy::disallowed_types)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, Waker, ready};

use rustix::io::Errno;
use rustix::net::SendFlags;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::interfaces::Interface;
use super::link::{Link, LinkInfo, LinkKind};
use crate::MacAddr;
use crate::wire::frame;

/// A UDP socket on one interface. Its port is the one that the first frame leaves from.
#[derive(Debug)]
pub struct UdpLink {
    info: LinkInfo,
    own: Vec<Ipv4Addr>,
    socket: Option<(UdpSocket, u16)>,
    /// Who waits for a frame before there is a port.
    waiting: Option<Waker>,
}

impl UdpLink {
    /// Opens UDP on the interface only (SO_BINDTODEVICE).
    ///
    /// # Errors
    /// `PermissionDenied`: the kernel is older than 5.7, or keeps this to privileged programs.
    pub fn open(interface: &Interface) -> io::Result<Self> {
        let info = LinkInfo { name: interface.name.clone(), mac: interface.mac, kind: LinkKind::Udp };
        // What can't be opened is told here and not by the first frame.
        bound(&info.name, 0)?;
        Ok(Self { info, own: interface.addresses.clone(), socket: None, waiting: None })
    }
}

/// A socket on this interface and port. `AddrInUse`: another program holds the port alone.
fn bound(name: &str, port: u16) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_broadcast(true)?;
    // Both: WinBox and other listeners on 5678 set only one of them.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind_device(Some(name.as_bytes()))?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)).into())?;
    Ok(socket)
}

impl Link for UdpLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let Ok(frame) = frame::Frame::new_checked(frame) else { return Ok(()) };
        let (socket, port) = match &mut self.socket {
            Some(bound) => bound,
            socket @ None => {
                let new = UdpSocket::from_std(bound(&self.info.name, frame.src_port())?.into())?;
                if let Some(waiting) = self.waiting.take() {
                    waiting.wake();
                }
                socket.insert((new, frame.src_port()))
            }
        };
        if frame.src_port() != *port {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this link sends from its own port only"));
        }
        let to = SocketAddrV4::new(Ipv4Addr::BROADCAST, frame.dst_port());
        // Not tokio's `try_send_to`, which refuses until the runtime has polled the socket once.
        match rustix::net::sendto(&*socket, frame.payload(), SendFlags::DONTWAIT, &to) {
            // As the raw link has it.
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS | Errno::MSGSIZE) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        let mut bytes = [0; frame::MAX_PAYLOAD];
        let Some((socket, port)) = &self.socket else {
            self.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        };
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let SocketAddr::V4(from) = ready!(socket.poll_recv_from(cx, &mut buffer))? else { continue };
            // Our own broadcasts come back.
            if from.port() == *port && self.own.contains(from.ip()) {
                continue;
            }
            frame.clear();
            let repr = frame::Repr {
                src_mac: MacAddr::ZERO,
                dst_mac: MacAddr::BROADCAST,
                src_ip: *from.ip(),
                dst_ip: Ipv4Addr::BROADCAST,
                src_port: from.port(),
                dst_port: *port,
                ip_id: 0,
            };
            if repr.emit(buffer.filled(), frame).is_ok() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// Whether the host drops answers whose source address does not fit its routes.
pub fn filtered(name: &str) -> bool {
    let read = |which: &str| {
        std::fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{which}/rp_filter"))
            .ok()
            .and_then(|text| text.trim().parse::<u8>().ok())
            .unwrap_or(0)
    };
    // The kernel takes the stricter of the two.
    read("all").max(read(name)) > 0
}
