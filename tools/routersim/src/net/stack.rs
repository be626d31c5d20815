//! The handle that a router holds on its network, and the job that runs it.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use mactelnet::MacAddr;

use super::config::{Counters, Identity, NetConfig, PortId, Services};
use super::error::NetError;
use super::host::{MacTelnetCall, MacTelnetStream, Neighbour, NetEvent, NetHost, PingOptions, PingReply, VrrpState};
use super::inner::Inner;
use super::mac_server::Notice;
use super::tcp::TcpStream;
use super::{ftp_client, ftp_server, mac_client, ping, ssh_server};
use crate::kernel::{Kernel, Sleep, WeakKernel};
use crate::ssh::HostKeys;

/// A protocol that wants to run again at once gets its turn so much later, so that time passes.
const MIN_STEP: Duration = Duration::from_micros(10);

/// The network of one powered-on router; clones are the same one. Handles don't keep the kernel alive.
#[derive(Clone)]
pub struct Net {
    pub(super) kernel: WeakKernel,
    inner: Rc<RefCell<Inner>>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

/// Runs the network whenever something came in, was written, or is due.
struct Job {
    kernel: WeakKernel,
    inner: Weak<RefCell<Inner>>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Job {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(kernel), Some(inner)) = (self.kernel.upgrade(), self.inner.upgrade()) else {
            return Poll::Ready(());
        };
        let now = kernel.now();
        let (accepted, notices, host, next) = {
            let mut net = inner.borrow_mut();
            net.waker = Some(cx.waker().clone());
            let accepted = net.run(now);
            (accepted, net.take_notices(), net.host.upgrade(), net.poll_timeout(now))
        };
        if let Some(host) = host {
            for notice in notices {
                match notice {
                    Notice::Session(session) => host.mac_telnet_session(session),
                    Notice::Refused(user, mac) => host.login_failed(&user, &mac.to_string(), "mac-telnet"),
                }
            }
        }
        for connection in accepted {
            let stream = TcpStream::new(Rc::clone(&inner), connection.l3, connection.handle);
            let net = Net { kernel: kernel.downgrade(), inner: Rc::clone(&inner) };
            if connection.port == net.services().ssh.port {
                kernel.spawn("ssh", ssh_server::serve(net, stream));
            } else {
                kernel.spawn("ftp", ftp_server::serve(net, stream));
            }
        }
        self.sleep = next.map(|at| Box::pin(kernel.sleep_until(at.max(now + MIN_STEP))));
        if let Some(sleep) = &mut self.sleep {
            // It lies ahead: this arms it.
            let _ = sleep.as_mut().poll(cx);
        }
        Poll::Pending
    }
}

impl Net {
    /// A network without ports. Its work is a job on `kernel`, which ends when the last handle is gone.
    pub fn new(kernel: &Kernel, host: Weak<dyn NetHost>) -> Self {
        let inner = Rc::new(RefCell::new(Inner::new(kernel.downgrade(), host)));
        let job = Job { kernel: kernel.downgrade(), inner: Rc::downgrade(&inner), sleep: None };
        kernel.spawn("net", job);
        Self { kernel: kernel.downgrade(), inner }
    }

    pub(super) fn host(&self) -> Option<Rc<dyn NetHost>> {
        self.inner.borrow().host.upgrade()
    }

    pub(super) fn services(&self) -> Services {
        self.inner.borrow().config.services.clone()
    }

    /// The host keys that follow from what `host` holds; made once, since that takes a while.
    pub(super) fn ssh_keys(&self, text: String, bits: usize) -> Rc<HostKeys> {
        let inner = &mut *self.inner.borrow_mut();
        let kept = inner.ssh_keys.as_ref().filter(|kept| kept.0 == text && kept.1 == bits);
        if let Some((_, _, keys)) = kept {
            return Rc::clone(keys);
        }
        let keys = Rc::new(HostKeys::from_text(&text, bits));
        inner.ssh_keys = Some((text, bits, Rc::clone(&keys)));
        keys
    }

    /// A seed for one connection's secrets.
    pub(super) fn seed(&self) -> [u8; 32] {
        self.inner.borrow().seed()
    }

    pub(super) fn identity(&self) -> Identity {
        self.inner.borrow().config.identity.clone()
    }

    pub(super) fn event(&self, event: NetEvent) {
        self.inner.borrow_mut().event(event);
    }

    /// Makes the network as `config` says; what is the same as before is left alone.
    pub fn apply(&self, config: NetConfig) {
        let mut inner = self.inner.borrow_mut();
        let now = inner.now();
        inner.apply(now, config);
    }

    /// Whether a cable with a live other end is in a port.
    pub fn set_link(&self, port: PortId, up: bool) {
        let mut inner = self.inner.borrow_mut();
        let now = inner.now();
        inner.set_link(now, port, up);
    }

    /// Whether a port drives its end of the cable: it is there and enabled. What is plugged in at the other
    /// end has no link otherwise.
    pub fn carrier(&self, port: PortId) -> bool {
        self.inner.borrow().switch.drives(port)
    }

    /// Whether an interface is `running`: a port with carrier, an enabled bridge, a VRRP instance that is master.
    pub fn is_running(&self, interface: &str) -> bool {
        self.inner.borrow().runs(interface)
    }

    /// The MAC by which an Ethernet port, a bond or a bridge speaks.
    pub fn mac(&self, interface: &str) -> Option<MacAddr> {
        self.inner.borrow().switch.mac(interface)
    }

    /// What passed a port since the router started.
    pub fn counters(&self, port: PortId) -> Counters {
        self.inner.borrow().counters.get(&port).cloned().unwrap_or_default()
    }

    /// `loop-protect-status` of a port.
    pub fn loop_status(&self, port: PortId) -> &'static str {
        self.inner.borrow().loop_protection.status(port)
    }

    /// Role of a VRRP instance.
    pub fn vrrp_state(&self, name: &str) -> Option<VrrpState> {
        self.inner.borrow().vrrp_state(name)
    }

    /// Takes a frame from a port. It is looked at when the kernel runs next.
    pub fn handle_frame(&self, port: PortId, frame: &[u8]) {
        let mut inner = self.inner.borrow_mut();
        inner.receive(port, frame);
        inner.wake();
    }

    /// The next frame that leaves by a port.
    pub fn poll_transmit(&self) -> Option<(PortId, Vec<u8>)> {
        self.inner.borrow_mut().poll_transmit()
    }

    /// The next thing that happened.
    pub fn poll_event(&self) -> Option<NetEvent> {
        self.inner.borrow_mut().poll_event()
    }

    /// Says goodbye, as an orderly reboot does: VRRP gives its addresses away, connections are reset. The
    /// frames of it are to be taken before the kernel is dropped.
    pub fn shutdown(&self) {
        let mut inner = self.inner.borrow_mut();
        let now = inner.now();
        inner.shutdown(now);
    }

    /// One probe by ICMP echo.
    pub async fn ping_once(&self, to: Ipv4Addr, sequence: u16, options: &PingOptions) -> PingReply {
        PingReply { sequence, outcome: ping::icmp(&self.inner, to, sequence, options).await }
    }

    /// `/ping` of an address: `options.count` probes, one every `options.interval`.
    pub async fn ping(&self, to: Ipv4Addr, options: &PingOptions) -> Vec<PingReply> {
        let mut replies = Vec::new();
        for sequence in 0..options.count {
            let next = self.kernel.upgrade().map(|kernel| kernel.sleep(options.interval));
            replies.push(self.ping_once(to, sequence as u16, options).await);
            if let Some(next) = next.filter(|_| sequence + 1 < options.count) {
                next.await;
            }
        }
        replies
    }

    /// One MAC-Ping probe, on `options.interface` or on all running ones.
    pub async fn mac_ping_once(&self, to: MacAddr, sequence: u16, options: &PingOptions) -> PingReply {
        PingReply { sequence, outcome: ping::mac(&self.inner, to, options).await }
    }

    /// `/ping` of a MAC address.
    pub async fn mac_ping(&self, to: MacAddr, options: &PingOptions) -> Vec<PingReply> {
        let mut replies = Vec::new();
        for sequence in 0..options.count {
            let next = self.kernel.upgrade().map(|kernel| kernel.sleep(options.interval));
            replies.push(self.mac_ping_once(to, sequence as u16, options).await);
            if let Some(next) = next.filter(|_| sequence + 1 < options.count) {
                next.await;
            }
        }
        replies
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
        let server = ftp_client::Server { address: server, port, user, password };
        ftp_client::put(&self.inner, &server, path, contents).await
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
        let server = ftp_client::Server { address: server, port, user, password };
        ftp_client::get(&self.inner, &server, path).await
    }

    /// `/tool mac-telnet`: resolves when the far router took the login, or refused it.
    pub async fn mac_telnet_connect(&self, call: MacTelnetCall) -> Result<MacTelnetStream, NetError> {
        mac_client::connect(&self.inner, call).await
    }

    /// `/ip neighbor`, in order of port and MAC.
    pub fn neighbours(&self) -> Vec<Neighbour> {
        let inner = self.inner.borrow();
        inner.mac_layer.neighbours(inner.now())
    }
}
