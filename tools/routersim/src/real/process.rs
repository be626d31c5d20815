//! One router, its ports bound to network interfaces, its clock tokio's.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::{Clock, Link};
use serde::Serialize;

use super::adapters::Adapters;
use super::boot_server::{self, BootServer};
use super::checksum;
use super::lines::Lines;
use crate::record::Phase;
use crate::router::Router;
use crate::spec::{Spec, SpecError};

/// How often the interfaces are asked for their carrier.
const CARRIER_EVERY: Duration = Duration::from_millis(250);
/// Frames taken from one interface before the router's own timers get their turn.
const BURST: usize = 256;

/// Why the process could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// The specification makes no router.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An interface can't be opened, or went away.
    #[error("interface {name}: {error}")]
    Interface {
        /// Name on this host.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// A place of the serial console can't be had.
    #[error("serial console at {place}: {error}")]
    Serial {
        /// As the specification has it.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// The BOOT port's place can't be had.
    #[error("BOOT port at {place}: {error}")]
    Boot {
        /// As the specification has it.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// Standard output can't be written to.
    #[error("standard output: {0}")]
    Output(io::Error),
}

impl RealError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Spec(error) => error.code(),
            Self::Interface { .. } => "routersim.real.interface",
            Self::Serial { .. } => "routersim.real.serial",
            Self::Boot { .. } => "routersim.real.boot",
            Self::Output(_) => "routersim.real.output",
        }
    }
}

/// The line that is printed when the router can be logged in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// Always `ready`.
    pub event: &'static str,
    /// Name of the specification.
    pub name: String,
    /// Board.
    pub board: String,
    /// RouterOS version.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Ports by default name.
    pub ports: BTreeMap<String, ReadyPort>,
    /// Where the serial console is: `pty`, `rfc2217`, `tcp`.
    pub serial: BTreeMap<&'static str, String>,
    /// Where who connects stands for netinstall on the BOOT port's cable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_server: Option<String>,
}

/// One port in [`Ready`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadyPort {
    /// Interface on this host.
    pub interface: String,
    /// Burnt-in address.
    pub mac: String,
}

struct Bound {
    port: usize,
    link: RawLink,
    up: bool,
}

impl Bound {
    fn name(&self) -> &str {
        &self.link.info().name
    }

    /// Whether the interface has a carrier; an interface that is down has none.
    fn carrier(&self) -> bool {
        let path: PathBuf = ["/sys/class/net", self.name(), "carrier"].iter().collect();
        std::fs::read_to_string(path).is_ok_and(|text| text.trim() == "1")
    }

    fn failed(&self, error: io::Error) -> RealError {
        RealError::Interface { name: self.name().to_owned(), error }
    }
}

/// Runs the router that `spec` describes until `stop` is over. `ready` is called once, when its console runs.
///
/// # Errors
/// The specification is refused, an interface can't be opened or goes away, `ready` fails.
pub async fn run(
    spec: Spec,
    seed: u64,
    ready: impl FnOnce(&Ready) -> io::Result<()>,
    stop: impl Future<Output = ()>,
) -> Result<(), RealError> {
    let macs = spec.port_macs();
    let mut report = Ready {
        event: "ready",
        name: spec.name.clone(),
        board: spec.board.clone(),
        version: spec.version.to_string(),
        pid: std::process::id(),
        ports: BTreeMap::new(),
        serial: BTreeMap::new(),
        boot_server: None,
    };
    let mut bound = Vec::new();
    for (default_name, interface) in &spec.ports {
        // Checked when the specification was read.
        let Some((port, (_, mac))) = macs.iter().enumerate().find(|(_, (name, _))| name == default_name) else {
            continue;
        };
        let link = RawLink::open(interface, Capture::Everything)
            .map_err(|error| RealError::Interface { name: interface.clone(), error })?;
        bound.push(Bound { port, link, up: false });
        let place = ReadyPort { interface: interface.clone(), mac: mac.to_string() };
        report.ports.insert(default_name.clone(), place);
    }

    let mut lines = Lines::open(&spec.serial).await?;
    report.serial = lines.places();
    let mut boot = match &spec.booter.server {
        Some(place) => Some(BootServer::listen(place).await?),
        None => None,
    };
    report.boot_server = boot.as_ref().map(BootServer::place).transpose().map_err(RealError::Output)?;
    let mut adapters = Adapters::of(&spec.serial);
    let mut router = Router::new(spec, seed)?;
    let clock = Clock::new();
    if !lines.is_empty() {
        router.plug_serial(clock.now(), true);
    }
    adapters.plug(&mut router, clock.now());
    router.power_on(clock.now());
    let mut ready = Some(ready);
    let mut stop = std::pin::pin!(stop);
    let mut carriers = tokio::time::interval(CARRIER_EVERY);
    let mut frame = Vec::new();
    loop {
        while let Some((port, frame)) = router.poll_transmit() {
            if let Some(bound) = bound.iter_mut().find(|bound| bound.port == port) {
                // An interface that is down, or a frame too long for it: the wire lost it.
                let _ = bound.link.send(&frame);
            }
        }
        lines.show(&mut router);
        if let Some(boot) = &mut boot {
            boot.show(&mut router, clock.now()).await;
        }
        adapters.show(&mut router);
        // Nobody records here; taking them keeps the queue empty.
        while router.poll_event().is_some() {}
        if router.phase() == Phase::Up
            && let Some(ready) = ready.take()
        {
            ready(&report).map_err(RealError::Output)?;
        }

        let deadline = router.poll_timeout().map(|at| clock.at(at));
        let timer = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => {
                router.power_cut(clock.now());
                return Ok(());
            }
            () = timer => router.handle_timeout(clock.now()),
            _ = carriers.tick() => {
                for bound in &mut bound {
                    let up = bound.carrier();
                    if up != bound.up {
                        bound.up = up;
                        router.set_link(clock.now(), bound.port, up);
                    }
                }
            }
            booted = boot_server::next(boot.as_mut()) => {
                if let Some(boot) = &mut boot {
                    boot.take(booted, &mut router, clock.now()).await;
                }
            }
            typed = lines.typed(router.serial_baud()) => {
                lines.take(typed?, &mut router, clock.now());
            }
            (port, bytes) = adapters.typed() => {
                let own = router.port_baud(&port);
                router.port_send(clock.now(), &port, &bytes, own);
            }
            received = receive(&mut bound, &mut router, &clock, &mut frame) => received?,
        }
    }
}

/// Waits for frames and hands them to the router.
async fn receive(
    bound: &mut [Bound],
    router: &mut Router,
    clock: &Clock,
    frame: &mut Vec<u8>,
) -> Result<(), RealError> {
    poll_fn(|cx| {
        let mut any = false;
        for bound in bound.iter_mut() {
            for _ in 0..BURST {
                match bound.link.poll_recv(cx, frame) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(())) => {
                        any = true;
                        checksum::complete(frame);
                        router.handle_frame(clock.now(), bound.port, frame);
                    }
                    // Down is no failure: the carrier says so, and the socket works again afterwards.
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::NetworkDown => any = true,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(bound.failed(error))),
                }
            }
        }
        if any { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}
