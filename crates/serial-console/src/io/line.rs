//! Any line, by one name.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use super::error::Error;
use super::net::NetLine;
use super::port::LocalPort;
use crate::rfc2217::{ClientConfig, Event, Purge, Setting, State};
use crate::settings::{LineSettings, LineState, ModemState, Wires};

/// How long a console server may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Probes of a connection on which nothing is said: a console server that lost its power says nothing either.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How a console server offers a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Bytes and nothing else.
    Raw,
    /// Telnet.
    Telnet,
    /// Telnet with COM-PORT, what the line is to be set to, and the wires that are asked for.
    Rfc2217(LineSettings, Wires),
}

/// Where a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A port of this host.
    Local {
        /// Its device.
        path: String,
        /// Speed and framing.
        settings: LineSettings,
        /// DTR and RTS, where they are asked for.
        wires: Wires,
    },
    /// A console server's.
    Net {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// How.
        transport: Transport,
    },
}

/// Whether something could be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, as far as anybody can say.
    Done,
    /// This line has no such thing. No error: a pty has no wires.
    NotSupported,
}

/// What a console server told of its line, by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Breaks that it received.
    pub breaks: u32,
    /// Times that it told of characters without their stop bit: another speed or framing, or noise.
    pub framing: u32,
    /// Times that it told of a wrong parity.
    pub parity: u32,
    /// Times that it told of characters that it lost.
    pub overruns: u32,
    /// The far side's wires, as told last.
    pub modem: Option<ModemState>,
}

impl Told {
    /// Takes in what one event says.
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Line(state) => {
                for (bit, count) in [
                    (LineState::BREAK, &mut self.breaks),
                    (LineState::FRAMING, &mut self.framing),
                    (LineState::PARITY, &mut self.parity),
                    (LineState::OVERRUN, &mut self.overruns),
                ] {
                    *count = count.saturating_add(u32::from(state.has(bit)));
                }
            }
            Event::Modem(modem) => self.modem = Some(*modem),
            Event::Settled(..) | Event::Signature(_) => {}
        }
    }

    /// Takes in what was told later.
    pub fn add(&mut self, later: Self) {
        self.breaks = self.breaks.saturating_add(later.breaks);
        self.framing = self.framing.saturating_add(later.framing);
        self.parity = self.parity.saturating_add(later.parity);
        self.overruns = self.overruns.saturating_add(later.overruns);
        self.modem = later.modem.or(self.modem);
    }

    /// The breaks and errors in words; `None` where there are none.
    pub fn line(&self) -> Option<String> {
        let said = [
            (self.breaks, "a break"),
            (self.framing, "characters without their stop bit (another speed or framing, or noise)"),
            (self.parity, "characters of the wrong parity"),
            (self.overruns, "characters that it lost"),
        ];
        let said: Vec<String> =
            said.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}, {count}x")).collect();
        (!said.is_empty()).then(|| format!("the console server tells of {}", said.join("; ")))
    }
}

/// The wires beside the data. Whoever has none says so, and nothing is wrong: a pty has none.
pub trait ModemLines {
    /// Sets DTR, RTS. A server that answers nothing counts as done.
    ///
    /// # Errors
    /// The line is gone.
    fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> io::Result<Outcome>;

    /// The far side's wires, where somebody knows.
    fn modem(&mut self) -> Option<ModemState>;
}

impl ModemLines for NetLine<TcpStream> {
    fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> io::Result<Outcome> {
        let known = self.with(|client, now| {
            if let Some(on) = dtr {
                client.set_dtr(now, on);
            }
            if let Some(on) = rts {
                client.set_rts(now, on);
            }
            client.state(Setting::ComPort) == Some(State::Confirmed)
        });
        Ok(if known == Some(true) { Outcome::Done } else { Outcome::NotSupported })
    }

    fn modem(&mut self) -> Option<ModemState> {
        self.with(|client, _| client.modem()).flatten()
    }
}

#[derive(Debug)]
enum Inner {
    Local(LocalPort),
    Net(NetLine<TcpStream>),
}

/// An open line.
#[derive(Debug)]
pub struct Line {
    inner: Inner,
    endpoint: Endpoint,
    notes: Vec<String>,
}

/// A break that is under way. It ends with this, also where nobody waits for its end any more: the far side of a line that
/// was left in its break state hears nothing else.
struct Breaking<'a, P: Breaks> {
    port: Option<&'a mut P>,
    outcome: Outcome,
}

/// What has a break state.
trait Breaks {
    fn set_break(&mut self, on: bool) -> io::Result<Outcome>;
}

impl Breaks for LocalPort {
    fn set_break(&mut self, on: bool) -> io::Result<Outcome> {
        Self::set_break(self, on)
    }
}

impl<'a, P: Breaks> Breaking<'a, P> {
    fn begin(port: &'a mut P) -> io::Result<Self> {
        let outcome = port.set_break(true)?;
        Ok(Self { port: Some(port), outcome })
    }

    fn end(mut self) -> io::Result<Outcome> {
        if let Some(port) = self.port.take() {
            port.set_break(false)?;
        }
        Ok(self.outcome)
    }
}

impl<P: Breaks> Drop for Breaking<'_, P> {
    fn drop(&mut self) {
        if let Some(port) = self.port.take() {
            let _ = port.set_break(false);
        }
    }
}

/// For another program to let go of a port.
const LET_GO: Duration = Duration::from_secs(1);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(100);

impl Line {
    /// Opens it. Nothing is sent to the router.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        let mut notes = Vec::new();
        let inner = match endpoint {
            Endpoint::Local { path, settings, wires } => {
                let began = tokio::time::Instant::now();
                let mut port = loop {
                    match LocalPort::open(path, *settings) {
                        // Whose client has just gone lets go a moment later.
                        Err(Error::Busy { .. }) if began.elapsed() < LET_GO => tokio::time::sleep(LOOK).await,
                        opened => break opened?,
                    }
                };
                notes.extend(
                    port.taken().map(|got| format!("{path} has the framing {got}, not {}", settings.framing())),
                );
                drive(&mut port, path, *wires, &mut notes)?;
                Inner::Local(port)
            }
            Endpoint::Net { host, port, transport } => Inner::Net(connect(host, *port, *transport, &mut notes).await?),
        };
        Ok(Self { inner, endpoint: endpoint.clone(), notes })
    }

    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What the operator should know of how it was opened.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Opens the same line again: a port when its adapter is back, a connection anew.
    ///
    /// # Errors
    /// It did not come back in time.
    pub async fn reopen(&mut self, patience: Duration) -> Result<(), Error> {
        if let (Inner::Local(port), Endpoint::Local { path, wires, .. }) = (&mut self.inner, &self.endpoint) {
            port.reopen(patience).await?;
            return drive(port, path, *wires, &mut Vec::new());
        }
        let until = tokio::time::Instant::now() + patience;
        loop {
            match Self::open(&self.endpoint).await {
                Ok(line) => {
                    self.inner = line.inner;
                    return Ok(());
                }
                Err(error) if tokio::time::Instant::now() >= until => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// A break of this length. That it arrived is never proved.
    ///
    /// # Errors
    /// The line is gone.
    pub async fn send_break(&mut self, lasts: Duration) -> io::Result<Outcome> {
        match &mut self.inner {
            Inner::Local(port) => {
                let breaking = Breaking::begin(port)?;
                tokio::time::sleep(lasts).await;
                breaking.end()
            }
            Inner::Net(net) => {
                let Some(known) = net.with(|client, now| {
                    client.send_break(now, lasts);
                    client.state(Setting::ComPort) == Some(State::Confirmed)
                }) else {
                    return Ok(Outcome::NotSupported);
                };
                net.flush().await?;
                tokio::time::sleep(lasts).await;
                net.flush().await?;
                Ok(if known { Outcome::Done } else { Outcome::NotSupported })
            }
        }
    }

    /// Sets DTR, RTS, and again when the line is opened again. A server that answers nothing counts as done.
    ///
    /// # Errors
    /// The line is gone.
    pub async fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> io::Result<Outcome> {
        if let Endpoint::Local { wires, .. } | Endpoint::Net { transport: Transport::Rfc2217(_, wires), .. } =
            &mut self.endpoint
        {
            *wires = wires.then(Wires { dtr, rts });
        }
        let outcome = self.wires().set_wires(dtr, rts)?;
        self.flush().await?;
        Ok(outcome)
    }

    fn wires(&mut self) -> &mut dyn ModemLines {
        match &mut self.inner {
            Inner::Local(port) => port,
            Inner::Net(net) => net,
        }
    }

    /// The far side's wires, where somebody knows.
    pub fn modem(&mut self) -> Option<ModemState> {
        self.wires().modem()
    }

    /// Another speed, now.
    ///
    /// # Errors
    /// The line is gone, or the port can't do it.
    pub async fn set_baud(&mut self, baud: u32) -> io::Result<Outcome> {
        let outcome = self.ask_baud(baud)?;
        if let Inner::Net(net) = &mut self.inner {
            net.flush().await?;
        }
        Ok(outcome)
    }

    /// As [`Self::set_baud`]; a console server hears of it with the next bytes that are written or read.
    ///
    /// # Errors
    /// The line is gone, or the port can't do it.
    pub fn ask_baud(&mut self, baud: u32) -> io::Result<Outcome> {
        match &mut self.endpoint {
            Endpoint::Local { settings, .. } | Endpoint::Net { transport: Transport::Rfc2217(settings, _), .. } => {
                settings.baud = baud;
                let settings = *settings;
                match &mut self.inner {
                    Inner::Local(port) => port.set_baud(baud)?,
                    Inner::Net(net) => {
                        net.with(|client, now| {
                            client.set_settings(now, settings);
                            // What the server holds came at the other speed.
                            client.purge(now, Purge::Receive);
                        });
                    }
                }
                Ok(Outcome::Done)
            }
            Endpoint::Net { .. } => Ok(Outcome::NotSupported),
        }
    }

    /// What a console server told since the last call. A port of this host tells nothing.
    pub fn told(&mut self) -> Told {
        let mut told = Told::default();
        if let Inner::Net(net) = &mut self.inner {
            while let Some(event) = net.poll_event() {
                told.hear(&event);
            }
        }
        told
    }

    /// Why nothing legible can come of it: the port speaks telnet, and bytes as they are were asked for.
    pub fn unfit(&self) -> Option<String> {
        match (&self.inner, &self.endpoint) {
            (Inner::Net(net), Endpoint::Net { host, port, .. }) if net.speaks_telnet() => {
                let place = place(host, *port);
                Some(format!(
                    "{place} speaks telnet: its URL is rfc2217://{place}, or telnet://{place} where it has no RFC 2217"
                ))
            }
            _ => None,
        }
    }

    /// The settings that were asked for; the line's own where nobody can ask.
    pub fn settings(&self) -> Option<LineSettings> {
        match &self.endpoint {
            Endpoint::Local { settings, .. } | Endpoint::Net { transport: Transport::Rfc2217(settings, _), .. } => {
                Some(*settings)
            }
            Endpoint::Net { .. } => None,
        }
    }
}

fn place(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

async fn connect(
    host: &str,
    port: u16,
    transport: Transport,
    notes: &mut Vec<String>,
) -> Result<NetLine<TcpStream>, Error> {
    let place = place(host, port);
    let failed = |why: String| Error::Connect { place: place.clone(), why };
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect((host, port)))
        .await
        .map_err(|_| failed("no answer".into()))?
        .map_err(|error| failed(error.to_string()))?;
    // Keys are single bytes.
    stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
    let alive = socket2::TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    socket2::SockRef::from(&stream).set_tcp_keepalive(&alive).map_err(|error| failed(error.to_string()))?;
    let mut line = match transport {
        Transport::Raw => NetLine::raw(stream, &place),
        Transport::Telnet => NetLine::telnet(stream, &place, ClientConfig::telnet()),
        Transport::Rfc2217(settings, wires) => NetLine::telnet(stream, &place, ClientConfig::rfc2217(settings, wires)),
    };
    line.settle().await?;
    if line.with(|client, _| client.is_mute()) == Some(true) {
        notes.push(format!("{place} answers no telnet option: if it is a raw port, its URL is tcp://{place}"));
    }
    if let Transport::Rfc2217(settings, wires) = transport {
        notes.extend(line.with(|client, _| missed(client, &place, settings, wires)).unwrap_or_default());
    }
    Ok(line)
}

/// Drives the wires that are asked for, and notes where there are none.
fn drive(port: &mut LocalPort, path: &str, wires: Wires, notes: &mut Vec<String>) -> Result<(), Error> {
    if !wires.is_asked() {
        return Ok(());
    }
    match port.set_wires(wires.dtr, wires.rts) {
        Ok(Outcome::Done) => Ok(()),
        Ok(Outcome::NotSupported) => {
            notes.push(format!("{path} has no modem lines: {wires} is left away"));
            Ok(())
        }
        Err(error) => Err(Error::Unusable { path: path.to_owned(), why: error.to_string() }),
    }
}

/// What a server did not take.
fn missed(client: &crate::rfc2217::Client, place: &str, settings: LineSettings, wires: Wires) -> Vec<String> {
    match client.state(Setting::ComPort) {
        Some(State::Confirmed) => {}
        _ => return vec![format!("{place} speaks no RFC 2217: the line has the speed that is set there")],
    }
    let mut notes = Vec::new();
    match client.state(Setting::Baud) {
        Some(State::Confirmed) => {}
        Some(State::Differs(got)) => notes.push(format!("{place} has the line at {got}, not at {}", settings.baud)),
        _ => notes.push(format!(
            "{place} did not confirm {} bits a second: the speed of the line is not known",
            settings.baud
        )),
    }
    let framing = [Setting::DataBits, Setting::Parity, Setting::StopBits];
    if framing.into_iter().any(|setting| client.state(setting) != Some(State::Confirmed)) {
        notes.push(format!("{place} did not confirm the framing {}", settings.framing()));
    }
    let refused = |asked: Option<bool>, setting| asked.filter(|_| client.state(setting) != Some(State::Confirmed));
    let refused = Wires { dtr: refused(wires.dtr, Setting::Dtr), rts: refused(wires.rts, Setting::Rts) };
    if refused.is_asked() {
        notes.push(format!("{place} did not confirm {refused}: the line may have no such wire"));
    }
    notes
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Local(port) => Pin::new(port).poll_read(cx, buf),
            Inner::Net(net) => Pin::new(net).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Local(port) => Pin::new(port).poll_write(cx, bytes),
            Inner::Net(net) => Pin::new(net).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Local(port) => Pin::new(port).poll_flush(cx),
            Inner::Net(net) => Pin::new(net).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Local(port) => Pin::new(port).poll_shutdown(cx),
            Inner::Net(net) => Pin::new(net).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Wire(Vec<bool>);

    impl Breaks for Wire {
        fn set_break(&mut self, on: bool) -> io::Result<Outcome> {
            self.0.push(on);
            Ok(Outcome::Done)
        }
    }

    #[test]
    fn a_break_ends_whatever_becomes_of_who_sent_it() {
        let mut wire = Wire::default();
        assert_eq!(Breaking::begin(&mut wire).unwrap().end().unwrap(), Outcome::Done);
        assert_eq!(wire.0, [true, false], "once");
        drop(Breaking::begin(&mut wire).unwrap());
        assert_eq!(wire.0, [true, false, true, false], "a signal came in the pause");
    }
}
