//! The cables of the router's serial adapters: each ends at a device of this host, another router's console for instance.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serial_console::io::{Endpoint, Line};
use serial_console::{LineSettings, Wires};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::time::Interval;

use crate::router::Router;
use crate::spec::SerialSpec;

/// How often a device that is not there is looked for.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes read at once.
const READ: usize = 1024;

#[derive(Debug)]
struct Adapter {
    port: String,
    device: String,
    line: Option<Line>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Adapters {
    adapters: Vec<Adapter>,
    look: Interval,
}

impl Adapters {
    /// To be called inside a runtime.
    pub(super) fn of(spec: &SerialSpec) -> Self {
        let with_device = spec.adapters.iter().filter_map(|(port, adapter)| {
            let device = adapter.device.clone()?;
            Some(Adapter { port: port.clone(), device, line: None })
        });
        Self { adapters: with_device.collect(), look: tokio::time::interval(LOOK) }
    }

    /// Plugs the cables in.
    pub(super) fn plug(&self, router: &mut Router, now: mactelnet::Instant) {
        for adapter in &self.adapters {
            router.plug_port(now, &adapter.port, true);
        }
    }

    /// Sends what the router sends; what a device does not take at once is lost, as without flow control. Breaks end here.
    pub(super) fn show(&mut self, router: &mut Router) {
        let mut cx = Context::from_waker(Waker::noop());
        for adapter in &mut self.adapters {
            let own = router.port_baud(&adapter.port);
            let Poll::Ready((bytes, _)) = router.poll_port(&mut cx, &adapter.port, own) else { continue };
            if let Some(line) = &mut adapter.line
                && !bytes.is_empty()
                && let Poll::Ready(Err(_)) = Pin::new(line).poll_write(&mut cx, &bytes)
            {
                adapter.line = None;
            }
        }
    }

    /// Waits for bytes of a device, and which port they are for. Cancel-safe; for ever where there is none.
    pub(super) async fn typed(&mut self) -> (String, Vec<u8>) {
        if self.adapters.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let adapters = &mut self.adapters;
            let missing = adapters.iter().any(|adapter| adapter.line.is_none());
            tokio::select! {
                biased;
                read = poll_fn(|cx| read(adapters, cx)) => return read,
                _ = self.look.tick(), if missing => {}
            }
            for adapter in self.adapters.iter_mut().filter(|adapter| adapter.line.is_none()) {
                let settings = LineSettings::default();
                let endpoint = Endpoint::Local { path: adapter.device.clone(), settings, wires: Wires::default() };
                adapter.line = Line::open(&endpoint).await.ok();
            }
        }
    }
}

fn read(adapters: &mut [Adapter], cx: &mut Context<'_>) -> Poll<(String, Vec<u8>)> {
    for adapter in adapters {
        let Some(line) = &mut adapter.line else { continue };
        let mut space = [0; READ];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(line).poll_read(cx, &mut buffer) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                return Poll::Ready((adapter.port.clone(), buffer.filled().to_vec()));
            }
            // Gone: it is looked for again.
            Poll::Ready(_) => adapter.line = None,
        }
    }
    Poll::Pending
}
