//! The serial console's places on this host.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serial_console::io::{Offer, Offered, Pty};
use serial_console::rfc2217::{ServerConfig, ServerEvent};
use serial_console::{LineSettings, LineState, ModemState};
use tokio::net::TcpListener;

use super::process::RealError;
use crate::router::Router;
use crate::serial::seen_by;
use crate::spec::SerialSpec;

/// What a pty is at before somebody sets it.
const USUAL_BAUD: u32 = 115_200;

/// All places of one console. Each hears everything, and each may type.
#[derive(Debug)]
pub(super) struct Lines {
    pty: Option<Pty>,
    rfc2217: Option<Offered>,
    tcp: Option<Offered>,
    places: BTreeMap<&'static str, String>,
    /// DTR, RTS, as the client of RFC 2217 drives them.
    wires: (bool, bool),
}

impl Lines {
    pub(super) async fn open(places: &SerialSpec) -> Result<Self, RealError> {
        // Both are on until somebody wants them off, as who connects is told.
        let mut lines = Self { pty: None, rfc2217: None, tcp: None, places: BTreeMap::new(), wires: (true, true) };
        if let Some(link) = &places.pty {
            let pty = Pty::open(USUAL_BAUD, Some(Path::new(link)))
                .map_err(|error| RealError::Serial { place: link.clone(), error })?;
            lines.places.insert("pty", pty.path().display().to_string());
            lines.pty = Some(pty);
        }
        if let Some(place) = &places.rfc2217 {
            let modem = places.wires.then(|| driven(false));
            let config = ServerConfig { signature: "routersim".into(), modem, ..ServerConfig::default() };
            lines.rfc2217 = Some(lines.listen("rfc2217", place, Offer::Rfc2217(config)).await?);
        }
        if let Some(place) = &places.tcp {
            lines.tcp = Some(lines.listen("tcp", place, Offer::Raw).await?);
        }
        Ok(lines)
    }

    async fn listen(&mut self, name: &'static str, place: &str, offer: Offer) -> Result<Offered, RealError> {
        let failed = |error: io::Error| RealError::Serial { place: place.to_owned(), error };
        let listener = TcpListener::bind(place).await.map_err(failed)?;
        self.places.insert(name, listener.local_addr().map_err(failed)?.to_string());
        Ok(Offered::new(listener, offer))
    }

    /// What came of what a client wants of the line itself.
    fn wanted(&mut self, event: &ServerEvent, router: &mut Router, now: mactelnet::Instant) {
        match event {
            ServerEvent::Break(true) | ServerEvent::BreakPulse => router.serial_break(now),
            ServerEvent::Dtr(on) => self.wires.0 = *on,
            ServerEvent::Rts(on) => self.wires.1 = *on,
            _ => {}
        }
        if matches!(event, ServerEvent::Dtr(_) | ServerEvent::Rts(_)) {
            router.serial_wires(now, self.wires.0, self.wires.1);
        }
    }

    pub(super) fn places(&self) -> BTreeMap<&'static str, String> {
        self.places.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Gives what the router said to all places, each at its own speed, and tells of its wires.
    pub(super) fn show(&mut self, router: &mut Router) {
        let modem = driven(router.serial_ready());
        if let Some(server) = self.rfc2217.as_mut().and_then(Offered::server)
            && server.modem().is_some_and(|told| told != modem)
        {
            server.set_modem(modem);
        }
        let own = router.serial_baud();
        let text = router.serial_take(own);
        if text.is_empty() {
            return;
        }
        if let Some(pty) = &mut self.pty {
            // What a reader that lags does not take is lost, as in a UART.
            pty.write(&seen_by(&text, LineSettings::at(own), pty.settings()));
        }
        if let Some(place) = &mut self.rfc2217 {
            let line = place.server().map_or(LineSettings::at(own), |server| server.line());
            if let Some(server) = place.server()
                && line.baud != own
            {
                server.set_line_state(LineState(LineState::FRAMING));
            }
            place.write(&seen_by(&text, LineSettings::at(own), line));
        }
        if let Some(place) = &mut self.tcp {
            place.write(&text);
        }
    }

    /// What somebody did who was waited for by [`Lines::typed`].
    pub(super) fn take(&mut self, typed: Typed, router: &mut Router, now: mactelnet::Instant) {
        match typed {
            Typed::Keys(bytes, line) => router.serial_send(now, &bytes, line),
            Typed::Wanted(event) => self.wanted(&event, router, now),
        }
    }

    /// Waits until somebody types. Cancel-safe; for ever where there is no place.
    pub(super) async fn typed(&mut self, own: u32) -> Result<Typed, RealError> {
        let failed = |name: &str, error: io::Error| RealError::Serial { place: name.to_owned(), error };
        loop {
            tokio::select! {
                biased;
                read = pty(self.pty.as_mut()) => {
                    let line = self.pty.as_ref().map_or(LineSettings::at(own), Pty::settings);
                    return read.map(|bytes| Typed::Keys(bytes, line)).map_err(|error| failed("pty", error));
                }
                event = offered(self.rfc2217.as_mut()) => {
                    let event = event.map_err(|error| failed("rfc2217", error))?;
                    let line = self.rfc2217.as_mut().and_then(Offered::server).map(|server| server.line());
                    let line = line.unwrap_or_else(|| LineSettings::at(own));
                    return Ok(match event {
                        ServerEvent::Data(bytes) => Typed::Keys(bytes, line),
                        other => Typed::Wanted(other),
                    });
                }
                event = offered(self.tcp.as_mut()) => {
                    if let ServerEvent::Data(bytes) = event.map_err(|error| failed("tcp", error))? {
                        return Ok(Typed::Keys(bytes, LineSettings::at(own)));
                    }
                }
            }
        }
    }
}

/// What somebody did at the line.
#[derive(Debug)]
pub(super) enum Typed {
    /// Bytes, at this speed and framing.
    Keys(Vec<u8>, LineSettings),
    /// Something else.
    Wanted(ServerEvent),
}

/// The wires as the other end sees them: a console cable has those of a null modem, so the router's ready is its data set.
fn driven(power: bool) -> ModemState {
    ModemState { dsr: power, cts: power, ..ModemState::default() }
}

async fn pty(pty: Option<&mut Pty>) -> io::Result<Vec<u8>> {
    match pty {
        Some(pty) => pty.read().await,
        None => std::future::pending().await,
    }
}

async fn offered(place: Option<&mut Offered>) -> io::Result<ServerEvent> {
    match place {
        Some(place) => place.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mactelnet::io::Clock;
    use serial_console::io::{Endpoint, Line, Outcome, Transport};
    use serial_console::{LineSettings, Wires};
    use tokio::io::AsyncWriteExt as _;

    use super::{Lines, Typed};
    use crate::record::EventKind;
    use crate::router::Router;
    use crate::spec::{SerialSpec, Spec};

    const ON: Option<bool> = Some(true);
    const OFF: Option<bool> = Some(false);

    /// Our own client at a line that has wires, or none: what came of each of its requests, and what the router recorded.
    fn asked(wires: bool) -> (Vec<Outcome>, Vec<EventKind>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let places = SerialSpec { rfc2217: Some("127.0.0.1:0".into()), wires, ..SerialSpec::default() };
            let mut lines = Lines::open(&places).await.unwrap();
            let port = lines.places()["rfc2217"].rsplit_once(':').unwrap().1.parse().unwrap();
            let (mut router, clock) = (Router::new(Spec::pair_b(), 1).unwrap(), Clock::new());
            let client = async {
                let transport = Transport::Rfc2217(LineSettings::at(115_200), Wires::default());
                let endpoint = Endpoint::Net { host: "127.0.0.1".into(), port, transport };
                let mut line = Line::open(&endpoint).await.unwrap();
                let mut came = Vec::new();
                for (dtr, rts) in [(None, OFF), (OFF, None), (None, ON)] {
                    came.push(line.set_wires(dtr, rts).await.unwrap());
                }
                came.push(line.send_break(Duration::from_millis(20)).await.unwrap());
                came.push(line.set_wires(ON, None).await.unwrap());
                // What was asked before it has been heard when this is.
                line.write_all(b"\r").await.unwrap();
                (came, line)
            };
            let server = async {
                loop {
                    lines.show(&mut router);
                    let typed = lines.typed(115_200).await.unwrap();
                    let over = matches!(typed, Typed::Keys(..));
                    lines.take(typed, &mut router, clock.now());
                    if over {
                        break;
                    }
                }
            };
            let both = async { tokio::join!(client, server) };
            let ((came, _line), ()) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("it ends");
            let events = std::iter::from_fn(|| router.poll_event()).map(|event| event.kind);
            let of_wires = |kind: &EventKind| matches!(kind, EventKind::SerialWires { .. } | EventKind::SerialBreak);
            (came, events.filter(of_wires).collect())
        })
    }

    #[test]
    fn wires_and_breaks_of_rfc_2217_are_recorded_in_their_order() {
        let driven = |dtr, rts| EventKind::SerialWires { dtr, rts };
        let (came, recorded) = asked(true);
        assert_eq!(came, [Outcome::Done; 5]);
        let wanted = [
            driven(true, false),
            driven(false, false),
            driven(false, true),
            EventKind::SerialBreak,
            driven(true, true),
        ];
        assert_eq!(recorded, wanted);
    }

    /// A break needs no wire.
    #[test]
    fn a_line_without_wires_records_its_breaks() {
        assert_eq!(asked(false).1, [EventKind::SerialBreak]);
    }
}
