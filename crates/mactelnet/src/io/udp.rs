//! A UDP socket as a link: the named fallback for hosts that may not open a packet socket.
//!
//! It shows no Ethernet addresses, and under `rp_filter` the kernel drops answers whose source address does not fit
//! the host's routes, without a word: so it is never chosen silently, and [`warnings`] says what it may miss.

#![allow(clippy::disallowed_types)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::SendFlags;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::interfaces::interfaces;
use super::link::{Link, LinkInfo, LinkKind};
use crate::MacAddr;
use crate::wire::frame;

/// A UDP socket on one interface and one local port.
#[derive(Debug)]
pub struct UdpLink {
    info: LinkInfo,
    socket: UdpSocket,
    port: u16,
    own: Vec<Ipv4Addr>,
}

impl UdpLink {
    /// Opens UDP `port` on the interface `name` only (SO_BINDTODEVICE).
    ///
    /// # Errors
    /// `NotFound`: no such interface. `AddrInUse`: another program holds the port alone.
    pub fn open(name: &str, port: u16) -> io::Result<Self> {
        let interface = interfaces()
            .into_iter()
            .find(|interface| interface.name == name)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no interface {name}")))?;
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_broadcast(true)?;
        // Both: WinBox and other listeners on 5678 set only one of them.
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind_device(Some(name.as_bytes()))?;
        socket.bind(&SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)).into())?;
        Ok(Self {
            info: LinkInfo { name: name.to_owned(), mac: interface.mac, kind: LinkKind::Udp },
            socket: UdpSocket::from_std(socket.into())?,
            port,
            own: interface.addresses,
        })
    }
}

impl Link for UdpLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let Ok(frame) = frame::Frame::new_checked(frame) else { return Ok(()) };
        if frame.src_port() != self.port {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this link sends from its own port only"));
        }
        let to = SocketAddrV4::new(Ipv4Addr::BROADCAST, frame.dst_port());
        // Not tokio's `try_send_to`, which refuses until the runtime has polled the socket once.
        match rustix::net::sendto(&self.socket, frame.payload(), SendFlags::DONTWAIT, &to) {
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        let mut bytes = [0; frame::MAX_PAYLOAD];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let SocketAddr::V4(from) = ready!(self.socket.poll_recv_from(cx, &mut buffer))? else { continue };
            // Our own broadcasts come back.
            if from.port() == self.port && self.own.contains(from.ip()) {
                continue;
            }
            frame.clear();
            let repr = frame::Repr {
                src_mac: MacAddr::ZERO,
                dst_mac: MacAddr::BROADCAST,
                src_ip: *from.ip(),
                dst_ip: Ipv4Addr::BROADCAST,
                src_port: from.port(),
                dst_port: self.port,
                ip_id: 0,
            };
            if repr.emit(buffer.filled(), frame).is_ok() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// Why a UDP link on this interface may hear nothing, in words for the operator.
pub fn warnings(name: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let read = |which: &str| {
        std::fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{which}/rp_filter"))
            .ok()
            .and_then(|text| text.trim().parse::<u8>().ok())
            .unwrap_or(0)
    };
    // The kernel takes the stricter of the two.
    if read("all").max(read(name)) > 0 {
        warnings.push(format!(
            "rp_filter is on for {name}: answers from routers without a fitting address are dropped unseen"
        ));
    }
    if interfaces().iter().any(|interface| interface.name == name && interface.addresses.is_empty()) {
        warnings.push(format!("{name} has no IPv4 address: most hosts can't send from it this way"));
    }
    warnings
}
