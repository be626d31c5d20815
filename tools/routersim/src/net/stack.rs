//! The handle that a router holds on its network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;

use mactelnet::{Instant, MacAddr};

use super::config::{NetConfig, PortId};
use super::error::NetError;
use super::host::{
    MacTelnetCall, MacTelnetStream, Neighbour, NetEvent, NetHost, PingOptions, PingOutcome, PingReply, VrrpState,
};
use crate::kernel::Kernel;

struct Inner {
    config: NetConfig,
    host: Rc<dyn NetHost>,
    events: VecDeque<NetEvent>,
}

/// The network of one powered-on router; clones are the same one.
#[derive(Clone)]
pub struct Net {
    kernel: Kernel,
    inner: Rc<RefCell<Inner>>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

impl Net {
    /// A network without ports. Its work is a job on `kernel`.
    pub fn new(kernel: &Kernel, host: Rc<dyn NetHost>) -> Self {
        let inner = Inner { config: NetConfig::default(), host, events: VecDeque::new() };
        Self { kernel: kernel.clone(), inner: Rc::new(RefCell::new(inner)) }
    }

    /// Makes the network as `config` says; what is the same as before is left alone.
    pub fn apply(&self, config: NetConfig) {
        self.inner.borrow_mut().config = config;
    }

    /// Whether a cable with a live other end is in a port.
    pub fn set_link(&self, port: PortId, up: bool) {
        let _ = (port, up);
    }

    /// Whether an interface (Ethernet port, bridge, VRRP instance) is `running`.
    pub fn is_running(&self, interface: &str) -> bool {
        let _ = interface;
        false
    }

    /// Role of a VRRP instance.
    pub fn vrrp_state(&self, name: &str) -> Option<VrrpState> {
        let _ = name;
        None
    }

    /// Takes a frame from a port. It is looked at when the kernel runs next.
    pub fn handle_frame(&self, now: Instant, port: PortId, frame: &[u8]) {
        let _ = (now, port, frame);
    }

    /// The next frame that leaves by a port.
    pub fn poll_transmit(&self) -> Option<(PortId, Vec<u8>)> {
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&self) -> Option<NetEvent> {
        self.inner.borrow_mut().events.pop_front()
    }

    /// Says goodbye, as an orderly reboot does: VRRP gives its addresses away, connections are reset.
    pub fn shutdown(&self) {}

    /// One probe by ICMP echo.
    pub async fn ping_once(&self, to: Ipv4Addr, sequence: u16, options: &PingOptions) -> PingReply {
        let _ = (to, options, &self.kernel, &self.inner.borrow().host);
        PingReply { sequence, outcome: PingOutcome::Failed(NetError::NoRoute) }
    }

    /// `/ping` of an address: `options.count` probes, one every `options.interval`.
    pub async fn ping(&self, to: Ipv4Addr, options: &PingOptions) -> Vec<PingReply> {
        vec![self.ping_once(to, 0, options).await]
    }

    /// One MAC-Ping probe, on `interface` or on all.
    pub async fn mac_ping_once(&self, to: MacAddr, sequence: u16, options: &PingOptions) -> PingReply {
        let _ = (to, options);
        PingReply { sequence, outcome: PingOutcome::Timeout }
    }

    /// `/ping` of a MAC address.
    pub async fn mac_ping(&self, to: MacAddr, options: &PingOptions) -> Vec<PingReply> {
        vec![self.mac_ping_once(to, 0, options).await]
    }

    /// `/tool fetch mode=ftp upload=yes`: stores `contents` as `path` on the server.
    pub async fn ftp_put(
        &self,
        server: Ipv4Addr,
        port: u16,
        user: &str,
        password: &str,
        path: &str,
        contents: &[u8],
    ) -> Result<(), NetError> {
        let _ = (server, port, user, password, path, contents);
        Err(NetError::NoRoute)
    }

    /// `/tool fetch mode=ftp`: the contents of `path` on the server.
    pub async fn ftp_get(
        &self,
        server: Ipv4Addr,
        port: u16,
        user: &str,
        password: &str,
        path: &str,
    ) -> Result<Vec<u8>, NetError> {
        let _ = (server, port, user, password, path);
        Err(NetError::NoRoute)
    }

    /// `/tool mac-telnet`: resolves when the far router took the login, or refused it.
    pub async fn mac_telnet_connect(&self, call: MacTelnetCall) -> Result<MacTelnetStream, NetError> {
        let _ = call;
        Err(NetError::Timeout)
    }

    /// `/ip neighbor`, in order of port and MAC.
    pub fn neighbours(&self) -> Vec<Neighbour> {
        Vec::new()
    }
}
