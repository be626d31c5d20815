//! One IPv4 interface: smoltcp with the one MAC that it knows, between two queues of frames.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

use mactelnet::{Instant, MacAddr};
use smoltcp::iface::{Config, Interface, Route, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr};

use super::config::Prefix;
use super::error::NetError;
use super::frame::MTU_FRAME;

/// Frames that wait for the stack or for the wire: more than a TCP window's worth, then they are lost as on a NIC.
const MAX_QUEUE: usize = 512;
/// Sockets of one interface; a script or a client that opens more is refused.
const MAX_SOCKETS: usize = 128;
/// Connections that may be in the making at one service's port.
const BACKLOG: usize = 4;
/// Bytes in flight on a control connection: lines are short.
pub(super) const CONTROL_BUFFER: usize = 4 * 1024;
/// Bytes in flight on a data connection: the most that TCP offers without window scaling.
pub(super) const DATA_BUFFER: usize = 65_535;
/// A connection whose peer is silent for so long is dead.
const TCP_TIMEOUT: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(60);
/// An idle connection is probed so often.
const TCP_KEEP_ALIVE: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(10);
/// What smoltcp was built to hold (feature `iface-max-addr-count-8`, `iface-max-route-count-8`).
const MAX_ADDRESSES: usize = 8;

/// smoltcp's clock for ours.
pub(super) fn time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

/// The two queues, as smoltcp's device.
#[derive(Debug, Default)]
pub(super) struct Queues {
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

pub(super) struct Received(Vec<u8>);

pub(super) struct Sending<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        if self.0.len() < MAX_QUEUE {
            self.0.push_back(frame);
        }
        result
    }
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _now: smoltcp::time::Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.received.pop_front()?;
        Some((Received(frame), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _now: smoltcp::time::Instant) -> Option<Sending<'_>> {
        Some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MTU_FRAME;
        capabilities
    }
}

/// What an interface is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub mac: MacAddr,
    /// Addresses with the prefix that counts as on-link.
    pub addresses: Vec<Prefix>,
    /// Destinations and their on-link gateways, the best of each destination.
    pub routes: Vec<(Prefix, Ipv4Addr)>,
}

/// One IPv4 interface.
pub(super) struct L3 {
    shape: Shape,
    interface: Interface,
    queues: Queues,
    pub sockets: SocketSet<'static>,
    /// Sockets that wait for a connection, by port.
    listeners: BTreeMap<u16, Vec<SocketHandle>>,
    /// Sockets whose connection to a service is in the making.
    forming: Vec<(u16, SocketHandle)>,
    /// Sockets that nobody holds any more and that still say goodbye.
    orphans: Vec<SocketHandle>,
}

fn hardware(mac: MacAddr) -> HardwareAddress {
    // smoltcp panics on a group address; a configured one is made the device's own by clearing the bit.
    let mut octets = mac.octets();
    octets[0] &= !1;
    HardwareAddress::Ethernet(EthernetAddress(octets))
}

fn cidr(prefix: Prefix) -> IpCidr {
    IpCidr::new(IpAddress::Ipv4(prefix.address), prefix.length.min(32))
}

fn usable(address: Ipv4Addr) -> bool {
    !(address.is_broadcast() || address.is_multicast() || address.is_unspecified())
}

impl L3 {
    pub(super) fn new(shape: Shape, seed: u64, now: Instant) -> Self {
        let mut queues = Queues::default();
        let mut config = Config::new(hardware(shape.mac));
        config.random_seed = seed;
        let interface = Interface::new(config, &mut queues, time(now));
        let mut l3 = Self {
            shape: Shape { mac: shape.mac, addresses: Vec::new(), routes: Vec::new() },
            interface,
            queues,
            sockets: SocketSet::new(Vec::new()),
            listeners: BTreeMap::new(),
            forming: Vec::new(),
            orphans: Vec::new(),
        };
        l3.reshape(shape);
        l3
    }

    /// Takes another MAC, other addresses, other routes; connections stay.
    pub(super) fn reshape(&mut self, shape: Shape) {
        if shape == self.shape {
            return;
        }
        self.interface.set_hardware_addr(hardware(shape.mac));
        self.interface.update_ip_addrs(|addresses| {
            addresses.clear();
            for prefix in shape.addresses.iter().filter(|prefix| usable(prefix.address)).take(MAX_ADDRESSES) {
                // Full is impossible: no more than its capacity is taken.
                let _ = addresses.push(cidr(*prefix));
            }
        });
        self.interface.routes_mut().update(|routes| {
            routes.clear();
            for (destination, gateway) in &shape.routes {
                // More routes than it holds: the later, less wanted ones are left out.
                let _ = routes.push(Route {
                    cidr: cidr(*destination),
                    via_router: IpAddress::Ipv4(*gateway),
                    preferred_until: None,
                    expires_at: None,
                });
            }
        });
        self.shape = shape;
    }

    /// Forgets who has which MAC, as when the cable is pulled.
    pub(super) fn forget_neighbours(&mut self) {
        self.interface.update_ip_addrs(|_| {});
    }

    /// Puts a frame before the stack.
    pub(super) fn receive(&mut self, frame: Vec<u8>) {
        if self.queues.received.len() < MAX_QUEUE {
            self.queues.received.push_back(frame);
        }
    }

    /// Runs the stack and takes what it sends.
    pub(super) fn poll(&mut self, now: Instant) -> VecDeque<Vec<u8>> {
        self.interface.poll(time(now), &mut self.queues, &mut self.sockets);
        let sockets = &mut self.sockets;
        self.orphans.retain(|handle| {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(*handle);
            let done = matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait);
            if done {
                sockets.remove(*handle);
            }
            !done
        });
        std::mem::take(&mut self.queues.sent)
    }

    /// When it wants to run next.
    pub(super) fn poll_timeout(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(time(now), &self.sockets)?;
        Some(Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0)))
    }

    fn new_socket(&mut self, buffer: usize) -> Result<SocketHandle, NetError> {
        if self.sockets.iter().count() >= MAX_SOCKETS {
            return Err(NetError::Limit("sockets"));
        }
        let buffers = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut socket = tcp::Socket::new(buffers(), buffers());
        socket.set_timeout(Some(TCP_TIMEOUT));
        Ok(self.sockets.add(socket))
    }

    /// Begins a connection.
    pub(super) fn connect(
        &mut self,
        from: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
        buffer: usize,
    ) -> Result<SocketHandle, NetError> {
        let handle = self.new_socket(buffer)?;
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
        socket.set_keep_alive(Some(TCP_KEEP_ALIVE));
        if socket.connect(self.interface.context(), to, from).is_err() {
            self.sockets.remove(handle);
            return Err(NetError::NoRoute);
        }
        Ok(handle)
    }

    /// A socket that takes one connection.
    pub(super) fn listen_once(&mut self, port: u16, buffer: usize) -> Result<SocketHandle, NetError> {
        let handle = self.new_socket(buffer)?;
        if self.sockets.get_mut::<tcp::Socket<'_>>(handle).listen(port).is_err() {
            self.sockets.remove(handle);
            return Err(NetError::Limit("ports"));
        }
        Ok(handle)
    }

    /// Makes the ports of services those of `ports`, and keeps enough sockets waiting at each.
    pub(super) fn listen(&mut self, ports: &[u16]) {
        let closed: Vec<u16> = self.listeners.keys().filter(|port| !ports.contains(port)).copied().collect();
        for handle in closed.iter().filter_map(|port| self.listeners.remove(port)).flatten() {
            self.sockets.remove(handle);
        }
        for port in ports {
            let mut waiting = self.listeners.remove(port).unwrap_or_default();
            while waiting.len() < BACKLOG {
                let Ok(handle) = self.listen_once(*port, CONTROL_BUFFER) else {
                    break;
                };
                waiting.push(handle);
            }
            self.listeners.insert(*port, waiting);
        }
    }

    /// The connections to services that have come about since the last look.
    pub(super) fn accept(&mut self) -> Vec<(u16, SocketHandle)> {
        let (sockets, forming) = (&mut self.sockets, &mut self.forming);
        let mut taken = false;
        for (port, waiting) in &mut self.listeners {
            waiting.retain(|handle| {
                let stays = sockets.get::<tcp::Socket<'_>>(*handle).state() == tcp::State::Listen;
                if !stays {
                    forming.push((*port, *handle));
                    taken = true;
                }
                stays
            });
        }
        let mut accepted = Vec::new();
        forming.retain(|(port, handle)| {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(*handle);
            match socket.state() {
                tcp::State::SynReceived => true,
                // A reset before the handshake's end puts it back to listening: one more than needed.
                tcp::State::Closed | tcp::State::Listen => {
                    sockets.remove(*handle);
                    false
                }
                _ => {
                    socket.set_keep_alive(Some(TCP_KEEP_ALIVE));
                    accepted.push((*port, *handle));
                    false
                }
            }
        });
        if taken {
            let ports: Vec<u16> = self.listeners.keys().copied().collect();
            self.listen(&ports);
        }
        accepted
    }

    /// Takes a socket from its holder: it closes in its own time.
    pub(super) fn orphan(&mut self, handle: SocketHandle) {
        self.sockets.get_mut::<tcp::Socket<'_>>(handle).close();
        self.orphans.push(handle);
    }

    /// Resets every connection.
    pub(super) fn abort_all(&mut self) {
        for (_, socket) in self.sockets.iter_mut() {
            if let smoltcp::socket::Socket::Tcp(socket) = socket {
                socket.abort();
            }
        }
    }
}
