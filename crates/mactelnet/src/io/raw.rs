//! Raw frames on a network interface (Linux AF_PACKET): the default link.
//!
//! The kernel filters, so that other traffic on the interface costs this process nothing. No thread, no
//! promiscuous mode, and no interface address is needed. Needs CAP_NET_RAW.

#![allow(clippy::disallowed_types)] // the packet socket lends itself as a `std::net::UdpSocket`, see `open`

use std::io;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::task::{Context, Poll, ready};

use nix::sys::socket::{SockaddrStorage, getsockname};
use pnet::datalink;
use rustix::io::Errno;
use rustix::net::SendFlags;
use socket2::{Domain, SockFilter, SockRef, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::link::{Link, LinkInfo, LinkKind};
use crate::MacAddr;

/// A frame with a VLAN tag on an MTU of 1500, and room for jumbo frames that the filter let through.
const BUFFER: usize = 9216;

/// Ethernet, in a packet socket's address (Linux, if_arp.h).
const ARPHRD_ETHER: u16 = 1;

/// With everything captured, a local sender's offloaded TCP segments come whole.
const BUFFER_ALL: usize = 65_600;

/// What a raw link receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// UDP ports 20561 and 5678 over IPv4, what this host itself sends and what belongs to a VLAN left out.
    MacServices,
    /// The same for one session, whose first packet waits for nothing: the kernel filters once the login is over. Until then
    /// a frame of a VLAN is not told from others: the kernel takes the tag away.
    OneSession,
    /// Everything but VLANs, for other hosts too (promiscuous): for a simulated router, whose MACs are not the interface's.
    Everything,
}

/// Raw frames on one interface.
#[derive(Debug)]
pub struct RawLink {
    info: LinkInfo,
    socket: UdpSocket,
    buffer: Box<[u8]>,
    /// Not attached yet: the kernel takes longer to compile it than a router to answer. So it is when a frame comes that
    /// it would have kept away, or when a session is past its login; until then the same is looked at here.
    filter: Option<&'static [SockFilter]>,
    received: u32,
    foreign: u64,
}

/// Frames of a login and a prompt, ours among them, with some to spare.
const LOGIN_FRAMES: u32 = 40;

impl RawLink {
    /// Opens the interface `name`.
    ///
    /// # Errors
    /// `NotFound`: there is no such interface. `PermissionDenied`: CAP_NET_RAW is missing. Others as the system says.
    pub fn open(name: &str, capture: Capture) -> io::Result<Self> {
        // Not from the list of all interfaces, which costs as much as a round trip; and before the packet socket: what
        // is not there is said to those without the right, too.
        let any = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        let index = rustix::net::netdevice::name_to_index(&any, name)
            .map_err(|_| io::Error::new(io::ErrorKind::NotFound, format!("there is no interface {name}")))?;
        // Protocol 0 queues nothing until the socket is bound.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
        socket.set_nonblocking(true)?;
        // None may get in before the filter: a simulated router would take a frame of its own for another's, who listens
        // a router in a VLAN for one without.
        let filter: Option<&'static [SockFilter]> = match capture {
            Capture::OneSession => Some(&MAC_SERVICES),
            Capture::MacServices => {
                socket.attach_filter(&MAC_SERVICES)?;
                None
            }
            Capture::Everything => {
                socket.attach_filter(&NOT_OUTGOING)?;
                None
            }
        };
        bind(&socket, name, index, capture == Capture::Everything)?;
        let bound: SockaddrStorage = getsockname(socket.as_raw_fd())?;
        // The loopback has no Ethernet addresses, and no router.
        let ethernet = bound
            .as_link_addr()
            .filter(|address| address.hatype() == ARPHRD_ETHER)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{name} is no Ethernet interface")))?;
        let mac = ethernet.addr().map(MacAddr).unwrap_or_default();
        // Only `send` and `recv` are used of it, which are the same system calls for every kind of socket.
        let socket = UdpSocket::from_std(std::net::UdpSocket::from(OwnedFd::from(socket)))?;
        let len = if capture == Capture::Everything { BUFFER_ALL } else { BUFFER };
        Ok(Self {
            info: LinkInfo { name: name.to_owned(), mac, kind: LinkKind::Raw },
            socket,
            buffer: vec![0; len].into_boxed_slice(),
            filter,
            received: 0,
            foreign: 0,
        })
    }

    /// Frames that reached this process for nothing. Once the kernel filters there are no more of them.
    pub fn foreign(&self) -> u64 {
        self.foreign
    }
}

/// Binds through pnet, which knows the packet socket's address form. pnet closes the descriptor that it is given, so it
/// gets a duplicate; the binding belongs to both.
fn bind(socket: &Socket, name: &str, index: u32, promiscuous: bool) -> io::Result<()> {
    let interface = datalink::NetworkInterface {
        name: name.to_owned(),
        description: String::new(),
        index,
        mac: None,
        ips: Vec::new(),
        flags: 0,
    };
    let config = datalink::Config {
        socket_fd: Some(socket.try_clone()?.into_raw_fd()),
        promiscuous,
        read_timeout: Some(std::time::Duration::ZERO),
        ..datalink::Config::default()
    };
    datalink::channel(&interface, config).map(drop)
}

impl Link for RawLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        // Not tokio's `try_send`: that refuses until the runtime has polled the socket once, and the first frame of
        // every link would be lost.
        match rustix::net::send(&self.socket, frame, SendFlags::DONTWAIT) {
            Ok(_) => Ok(()),
            // A full queue drops, as the wire would, and so does a cable for shorter frames; retransmission is the protocol's,
            // and who gives up in the end knows what for.
            Err(Errno::AGAIN | Errno::NOBUFS | Errno::MSGSIZE) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        loop {
            let mut buffer = ReadBuf::new(&mut self.buffer);
            ready!(self.socket.poll_recv(cx, &mut buffer))?;
            let came = buffer.filled();
            // Ours come back where there is no filter yet: a simulated router's MAC is none of the interface's.
            let own = came.get(6..12) == Some(self.info.mac.octets().as_slice());
            let mut wanted = !own;
            if let Some(filter) = self.filter {
                let service = is_service(came);
                self.received += 1;
                if !service || self.received > LOGIN_FRAMES {
                    SockRef::from(&self.socket).attach_filter(filter)?;
                    self.filter = None;
                }
                wanted &= service;
            }
            if !wanted {
                self.foreign += 1;
                continue;
            }
            frame.clear();
            frame.extend_from_slice(came);
            return Poll::Ready(Ok(()));
        }
    }
}

/// What [`MAC_SERVICES`] lets through, but for the direction and VLANs.
fn is_service(frame: &[u8]) -> bool {
    let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
    let word = |at: usize| u16::from_be_bytes([byte(at), byte(at + 1)]);
    let udp = 14 + usize::from(byte(14) & 0x0f) * 4;
    let port = |at: usize| [MAC_TELNET, MNDP].contains(&u32::from(word(at)));
    word(12) == 0x0800 && byte(23) == 17 && word(20) & 0x3fff == 0 && (port(udp) || port(udp + 2))
}

// Classic BPF, as in linux/filter.h.
const LD_W_ABS: u16 = 0x20;
const LD_H_ABS: u16 = 0x28;
const LD_B_ABS: u16 = 0x30;
const LD_H_IND: u16 = 0x48;
const LDX_B_MSH: u16 = 0xb1;
const AND: u16 = 0x54;
const JEQ: u16 = 0x15;
const JSET: u16 = 0x45;
const RET: u16 = 0x06;
/// SKF_AD_OFF + SKF_AD_PKTTYPE: where the kernel shows a packet's direction.
const PACKET_TYPE: u32 = 0xffff_f000 + 4;
const PACKET_OUTGOING: u32 = 4;
/// SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT, and + SKF_AD_VLAN_TAG: the tag that a frame came with. It belongs to the VLAN's own
/// interface then, if there is one. A tag of number 0 is a priority and no VLAN.
const VLAN_PRESENT: u32 = 0xffff_f000 + 48;
const VLAN_TAG: u32 = 0xffff_f000 + 44;
const VLAN_NUMBER: u32 = 0x0fff;
const ACCEPT: u32 = 0x0004_0000;

const MAC_TELNET: u32 = 20561;
const MNDP: u32 = 5678;

/// No VLAN's, not ours, IPv4, UDP, no fragment, and either port is one of the two.
const MAC_SERVICES: [SockFilter; 22] = [
    SockFilter::new(LD_B_ABS, 0, 0, VLAN_PRESENT),
    SockFilter::new(JEQ, 3, 0, 0),
    SockFilter::new(LD_H_ABS, 0, 0, VLAN_TAG),
    SockFilter::new(AND, 0, 0, VLAN_NUMBER),
    SockFilter::new(JEQ, 0, 15, 0),
    SockFilter::new(LD_W_ABS, 0, 0, PACKET_TYPE),
    SockFilter::new(JEQ, 13, 0, PACKET_OUTGOING),
    SockFilter::new(LD_H_ABS, 0, 0, 12),
    SockFilter::new(JEQ, 0, 11, 0x0800),
    SockFilter::new(LD_B_ABS, 0, 0, 23),
    SockFilter::new(JEQ, 0, 9, 17),
    SockFilter::new(LD_H_ABS, 0, 0, 20),
    SockFilter::new(JSET, 7, 0, 0x3fff),
    SockFilter::new(LDX_B_MSH, 0, 0, 14),
    SockFilter::new(LD_H_IND, 0, 0, 14),
    SockFilter::new(JEQ, 5, 0, MAC_TELNET),
    SockFilter::new(JEQ, 4, 0, MNDP),
    SockFilter::new(LD_H_IND, 0, 0, 16),
    SockFilter::new(JEQ, 2, 0, MAC_TELNET),
    SockFilter::new(JEQ, 1, 0, MNDP),
    SockFilter::new(RET, 0, 0, 0),
    SockFilter::new(RET, 0, 0, ACCEPT),
];

const NOT_OUTGOING: [SockFilter; 9] = [
    SockFilter::new(LD_B_ABS, 0, 0, VLAN_PRESENT),
    SockFilter::new(JEQ, 3, 0, 0),
    SockFilter::new(LD_H_ABS, 0, 0, VLAN_TAG),
    SockFilter::new(AND, 0, 0, VLAN_NUMBER),
    SockFilter::new(JEQ, 0, 2, 0),
    SockFilter::new(LD_W_ABS, 0, 0, PACKET_TYPE),
    SockFilter::new(JEQ, 0, 1, PACKET_OUTGOING),
    SockFilter::new(RET, 0, 0, 0),
    SockFilter::new(RET, 0, 0, ACCEPT),
];

#[cfg(test)]
mod tests {
    use super::is_service;

    fn udp(header: u8, from: u16, to: u16) -> Vec<u8> {
        let mut frame = vec![0; 14 + usize::from(header) * 4 + 8];
        frame[12..14].copy_from_slice(&0x0800_u16.to_be_bytes());
        frame[14] = 0x40 | header;
        frame[23] = 17;
        let at = 14 + usize::from(header) * 4;
        frame[at..at + 2].copy_from_slice(&from.to_be_bytes());
        frame[at + 2..at + 4].copy_from_slice(&to.to_be_bytes());
        frame
    }

    #[test]
    fn the_services_are_known_without_a_filter() {
        assert!(is_service(&udp(5, 1, 20561)) && is_service(&udp(5, 20561, 1)));
        assert!(is_service(&udp(5, 5678, 5678)) && is_service(&udp(15, 7, 5678)));
        let changed = |at: usize, byte: u8| {
            let mut frame = udp(5, 20561, 20561);
            frame[at] = byte;
            frame
        };
        assert!(!is_service(&udp(5, 53, 53)));
        // ARP, IPv6; TCP; a fragment and a later one
        for (at, byte) in [(13, 6), (12, 0x86), (23, 6), (20, 0x20), (21, 1)] {
            assert!(!is_service(&changed(at, byte)), "{at} {byte}");
        }
        // not to be fragmented
        assert!(is_service(&changed(20, 0x40)));
        let whole = udp(5, 20561, 20561);
        (0..36).for_each(|len| assert!(!is_service(&whole[..len]), "{len}"));
    }
}
