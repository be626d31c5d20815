//! `/ping`: ICMP echo and MAC-Ping.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll};

use mactelnet::MacAddr;
use smoltcp::iface::SocketHandle;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::icmp::{Endpoint, PacketBuffer, PacketMetadata, Socket};
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, IpAddress};

use super::error::NetError;
use super::host::{PingOptions, PingOutcome};
use super::inner::{Inner, L3Id};
use super::mac_layer;

/// IPv4 and ICMP headers.
const HEADERS: u16 = 28;
/// The smallest and largest packet that `/ping size` makes here, without fragments.
const SIZES: (u16, u16) = (HEADERS, 1500);

/// One echo socket, removed when the probe ends however it ends.
struct Echo<'a> {
    inner: &'a Rc<RefCell<Inner>>,
    l3: L3Id,
    handle: SocketHandle,
    ident: u16,
}

impl Drop for Echo<'_> {
    fn drop(&mut self) {
        if let Ok(mut net) = self.inner.try_borrow_mut() {
            net.echo_ttls.remove(&self.ident);
            if let Some(l3) = net.l3.get_mut(&self.l3) {
                l3.sockets.remove(self.handle);
            }
        }
    }
}

/// One ICMP echo, waited for until the interval is over.
pub(super) async fn icmp(
    inner: &Rc<RefCell<Inner>>,
    to: Ipv4Addr,
    sequence: u16,
    options: &PingOptions,
) -> PingOutcome {
    match begin(inner, to, sequence, options) {
        Ok(echo) => wait(&echo, sequence, options).await,
        Err(error) => PingOutcome::Failed(error),
    }
}

fn begin<'a>(
    inner: &'a Rc<RefCell<Inner>>,
    to: Ipv4Addr,
    sequence: u16,
    options: &PingOptions,
) -> Result<Echo<'a>, NetError> {
    let mut net = inner.borrow_mut();
    let path = net.path(to, options.source, options.interface.as_deref()).ok_or(NetError::NoRoute)?;
    let ident = net.echo_ident();
    let l3 = net.l3.get_mut(&path.l3).ok_or(NetError::NoRoute)?;

    let data = vec![0xA5; usize::from(options.size.clamp(SIZES.0, SIZES.1) - HEADERS)];
    let request = Icmpv4Repr::EchoRequest { ident, seq_no: sequence, data: &data };
    let mut bytes = vec![0; request.buffer_len()];
    request.emit(&mut Icmpv4Packet::new_unchecked(&mut bytes[..]), &ChecksumCapabilities::default());

    // Room for the request, and for the request again when it is our own.
    let buffer = || PacketBuffer::new(vec![PacketMetadata::EMPTY; 2], vec![0; 2 * usize::from(SIZES.1)]);
    let mut socket = Socket::new(buffer(), buffer());
    socket.set_hop_limit(Some(options.ttl.max(1)));
    socket.bind(Endpoint::Ident(ident)).map_err(|_| NetError::Limit("sockets"))?;
    socket.send_slice(&bytes, IpAddress::Ipv4(to)).map_err(|_| NetError::NoRoute)?;
    let handle = l3.sockets.add(socket);
    net.echo_ttls.insert(ident, 0);
    net.wake();
    Ok(Echo { inner, l3: path.l3, handle, ident })
}

async fn wait(echo: &Echo<'_>, sequence: u16, options: &PingOptions) -> PingOutcome {
    let (kernel, began) = {
        let net = echo.inner.borrow();
        (net.kernel.clone(), net.now())
    };
    let answer = poll_fn(|cx: &mut Context<'_>| {
        let mut net = echo.inner.borrow_mut();
        let ttl = net.echo_ttls.get(&echo.ident).copied().unwrap_or(0);
        let Some(l3) = net.l3.get_mut(&echo.l3) else {
            return Poll::Ready(None);
        };
        let socket = l3.sockets.get_mut::<Socket<'_>>(echo.handle);
        while let Ok((bytes, _)) = socket.recv() {
            let reply = Icmpv4Packet::new_checked(bytes)
                .and_then(|packet| {
                    Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()).map(|repr| match repr {
                        Icmpv4Repr::EchoReply { seq_no, .. } => seq_no == sequence,
                        _ => false,
                    })
                })
                .unwrap_or(false);
            if reply {
                let size = u16::try_from(bytes.len()).unwrap_or(u16::MAX).saturating_add(20);
                return Poll::Ready(Some((size, ttl, net.now())));
            }
        }
        socket.register_recv_waker(cx.waker());
        Poll::Pending
    });
    match kernel.timeout(options.interval, answer).await.flatten() {
        Some((size, ttl, at)) => PingOutcome::Reply { size, ttl, time: at - began },
        None => PingOutcome::Timeout,
    }
}

/// One MAC-Ping, waited for until the interval is over.
pub(super) async fn mac(inner: &Rc<RefCell<Inner>>, to: MacAddr, options: &PingOptions) -> PingOutcome {
    struct Probe<'a>(&'a Rc<RefCell<Inner>>, u64);
    impl Drop for Probe<'_> {
        fn drop(&mut self) {
            if let Ok(mut net) = self.0.try_borrow_mut() {
                net.mac_layer.end_probe(self.1);
            }
        }
    }
    let (kernel, began, probe) = {
        let mut net = inner.borrow_mut();
        let ports = mac_layer::ports_of(&net.switch, options.interface.as_deref());
        if let (Some(interface), true) = (&options.interface, ports.is_empty()) {
            return PingOutcome::Failed(NetError::NoInterface(interface.clone()));
        }
        let nonce = net.random();
        if net.mac_layer.begin_probe(to, nonce).is_none() {
            return PingOutcome::Failed(NetError::Limit("pings"));
        }
        mac_layer::send_probe(&mut net, &ports, to, nonce, usize::from(options.size));
        net.wake();
        (net.kernel.clone(), net.now(), Probe(inner, nonce))
    };
    let answer = poll_fn(|cx: &mut Context<'_>| match inner.borrow_mut().mac_layer.probe_reply(probe.1, cx.waker()) {
        Some(reply) => Poll::Ready(reply),
        None => Poll::Pending,
    });
    match kernel.timeout(options.interval, answer).await {
        Some((at, size)) => PingOutcome::Reply {
            size: u16::try_from(size).unwrap_or(u16::MAX),
            ttl: 0,
            time: at.saturating_since(began),
        },
        None => PingOutcome::Timeout,
    }
}
