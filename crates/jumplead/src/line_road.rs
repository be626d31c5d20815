//! The roads `serial://`, `rfc2217://`, `tcp://` and `telnet://`: a console's line, at this host or at a console server.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bootstrap::evidence::named_secret;
use bootstrap::road::{LocalFuture, Purpose, Restarting, RoadError, RoadTrouble};
use bootstrap::target::{LineOptions, Parity, TargetUrl};
use routeros::{BoxLink, ByteLink, LoginOptions, Suffix, boot};
use serial_console::io::{Endpoint, Error, Line, Outcome, Told, Transport};
use serial_console::{DataBits, LineSettings, ModemState, StopBits, Wires};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::consoles::{self, Consoles};
use crate::folders;

/// The line that a URL means, if it means one.
///
/// # Errors
/// A console server that nobody has described.
pub fn endpoint(url: &TargetUrl) -> Result<Option<Endpoint>, RoadError> {
    let net = |end: &bootstrap::target::HostPort, transport| Endpoint::Net {
        host: end.host.clone(),
        port: end.port,
        transport,
    };
    Ok(Some(match url {
        TargetUrl::Serial { path, line } => {
            Endpoint::Local { path: path.clone(), settings: settings(*line), wires: wires_of(*line) }
        }
        TargetUrl::Rfc2217(end, line) => net(end, Transport::Rfc2217(settings(*line), wires_of(*line))),
        TargetUrl::Tcp(end) => net(end, Transport::Raw),
        TargetUrl::Telnet(end) => net(end, Transport::Telnet),
        TargetUrl::Console { server, line } => return named(url, server, *line).map(Some),
        _ => return Ok(None),
    }))
}

/// Speed and framing, as a URL has them.
fn settings(line: LineOptions) -> LineSettings {
    LineSettings {
        data: if line.framing.seven { DataBits::Seven } else { DataBits::Eight },
        parity: match line.framing.parity {
            Parity::None => serial_console::Parity::None,
            Parity::Even => serial_console::Parity::Even,
            Parity::Odd => serial_console::Parity::Odd,
        },
        stop: if line.framing.two_stops { StopBits::Two } else { StopBits::One },
        ..LineSettings::at(line.baud)
    }
}

fn wires_of(line: LineOptions) -> Wires {
    Wires { dtr: line.dtr, rts: line.rts }
}

/// A line of a server that `consoles.toml` names.
fn named(url: &TargetUrl, server: &str, line: u16) -> Result<Endpoint, RoadError> {
    let folder = folders::config().map_err(|failure| failure.message);
    let found = folder.and_then(|folder| Consoles::load(&folder)).and_then(|consoles| consoles.endpoint(server, line));
    found.map_err(|message| RoadError {
        trouble: RoadTrouble::Host,
        code: "serial.server.unknown".into(),
        road: url.to_string(),
        message,
        hints: vec![format!("describe it in {} of the configuration folder, see docs/serial.md", consoles::FILE)],
    })
}

/// What to say where a login was had at another speed than the one that was written.
pub fn other_speed(road: &str, written: Option<u32>, found: Option<u32>) -> Option<String> {
    let (written, found) = (written?, found?);
    (written != found).then(|| format!("{road}: the line's speed is {found}, not {written}: write ?baud={found}"))
}

/// A login on a serial line: nobody is told the size of the terminal, somebody else may still be logged in, and is left alone
/// unless the operator wants to `take_over`. Nothing is typed before it was `listen`ed for.
pub fn options(login: &LoginOptions, listen: Duration, take_over: bool) -> LoginOptions {
    LoginOptions { suffix: Suffix::Serial, wake: Some(listen), guest: !take_over, ..login.clone() }
}

/// How long a line is listened to. `idle`: a session on it was ended a moment ago, with no restart ordered.
pub fn listen(purpose: Purpose, restarting: Option<Restarting>, idle: bool) -> Duration {
    match restarting {
        // Nothing but the login prompt will be said: only time tells.
        Some(Restarting { ago, silent: true }) => boot::SILENT.saturating_sub(ago).max(boot::SUSPECT),
        Some(_) => boot::SUSPECT,
        // Something that was written may have rebooted the router, in an earlier process too.
        None if purpose == Purpose::Write && !idle => boot::SUSPECT,
        None => boot::IDLE,
    }
}

/// An open line, and what the operator should know of how it was opened; `None` where the URL means no line.
pub type Opened = Result<Option<(BoxLink, Vec<String>)>, RoadError>;

/// Where lines come from: this host's ports and console servers, or a rehearsal's cable.
pub trait Lines {
    /// Opens the line that a URL means, with nothing sent to the router.
    fn open<'a>(&'a self, url: &'a TargetUrl) -> LocalFuture<'a, Opened>;
}

/// This host's.
#[derive(Debug)]
pub struct HostLines;

impl Lines for HostLines {
    fn open<'a>(&'a self, url: &'a TargetUrl) -> LocalFuture<'a, Opened> {
        Box::pin(async move {
            let Some(endpoint) = endpoint(url)? else { return Ok(None) };
            let link = LineLink::open(&endpoint, &url.to_string()).await?;
            let notes = link.notes().to_vec();
            Ok(Some((Box::new(link) as BoxLink, notes)))
        })
    }
}

/// Whether a console server hears what is typed on this road.
pub fn overheard(road: &str) -> bool {
    road.parse().is_ok_and(|url: TargetUrl| url.is_server())
}

/// What to say where a command that names a secret goes over a console server, which hears all of it and may log it.
pub fn in_clear(command: &str) -> Option<String> {
    let name = named_secret(command)?;
    Some(format!(
        "`{name}` goes in clear over the console server, which may log it, and so does its echo; /password asks for a user's own \
         without an echo, and the HA password can be changed afterwards over the HA cable:  jumplead recover via:PAIR/a ha-password --new-ha-password REF"
    ))
}

/// Between two words about errors of a line: one at the wrong speed has them without end.
const NEWS: Duration = Duration::from_secs(10);

/// What a console server tells of its line while somebody else has the link.
#[derive(Debug, Clone, Default)]
pub struct Hearsay(Arc<Mutex<Told>>);

impl Hearsay {
    fn add(&self, told: Told) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(told);
    }

    /// The breaks and errors that were told until now, in words.
    pub fn line(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).line()
    }

    fn take(&self) -> Told {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An open line as a byte link.
#[derive(Debug)]
pub struct LineLink {
    line: Line,
    name: String,
    hearsay: Hearsay,
    /// The far side's wires, as the operator knows them.
    modem: Option<ModemState>,
    news: Option<Instant>,
    /// That nothing legible can come of it was said.
    unfit: bool,
}

impl LineLink {
    /// Opens it; nothing is sent to the router.
    pub async fn open(endpoint: &Endpoint, name: &str) -> Result<Self, RoadError> {
        let line = Line::open(endpoint).await.map_err(|error| trouble(name, &error))?;
        Ok(Self { line, name: name.to_owned(), hearsay: Hearsay::default(), modem: None, news: None, unfit: false })
    }

    /// Whether a console server hears what is typed.
    pub fn overheard(&self) -> bool {
        matches!(self.line.endpoint(), Endpoint::Net { .. })
    }

    /// What the server tells of the line, also once the link is given away.
    pub fn hearsay(&self) -> Hearsay {
        self.hearsay.clone()
    }

    fn listen(&mut self) {
        let told = self.line.told();
        if told != Told::default() {
            self.hearsay.add(told);
        }
    }

    /// What an operator who watches should be told now: errors and breaks, not too often, and wires that changed.
    pub fn news(&mut self) -> Vec<String> {
        self.listen();
        if !self.unfit
            && let Some(why) = self.line.unfit()
        {
            self.unfit = true;
            return vec![why];
        }
        if self.news.is_some_and(|at| at.elapsed() < NEWS) {
            return Vec::new();
        }
        let told = self.hearsay.take();
        let mut news: Vec<String> = told.line().into_iter().collect();
        // As they were at first is no news.
        if let Some(modem) = told.modem
            && self.modem.replace(modem).is_some_and(|before| before != modem)
        {
            news.push(format!("the console server's wires: {}", wires(modem)));
        }
        if !news.is_empty() {
            self.news = Some(Instant::now());
        }
        news
    }

    /// What the operator should know of how it was opened.
    pub fn notes(&self) -> &[String] {
        self.line.notes()
    }

    /// A break. False: this line has none.
    pub async fn send_break(&mut self, lasts: Duration) -> std::io::Result<bool> {
        Ok(self.line.send_break(lasts).await? == Outcome::Done)
    }

    /// Another speed. False: it is set elsewhere.
    pub async fn set_baud(&mut self, baud: u32) -> std::io::Result<bool> {
        Ok(self.line.set_baud(baud).await? == Outcome::Done)
    }

    /// DTR, RTS. False: this line has none.
    pub async fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> std::io::Result<bool> {
        Ok(self.line.set_wires(dtr, rts).await? == Outcome::Done)
    }

    /// The wires that were asked for.
    pub fn asked_wires(&self) -> Wires {
        match self.line.endpoint() {
            Endpoint::Local { wires, .. } | Endpoint::Net { transport: Transport::Rfc2217(_, wires), .. } => *wires,
            Endpoint::Net { .. } => Wires::default(),
        }
    }

    /// Waits for the same line to be there again.
    pub async fn reopen(&mut self, patience: Duration) -> Result<(), Error> {
        self.line.reopen(patience).await
    }

    /// Its settings and wires, for people.
    pub fn state(&mut self) -> String {
        let settings = self.line.settings().map_or_else(|| "speed set at the server".to_owned(), |s| s.to_string());
        let Some(modem) = self.line.modem() else { return format!("{}  {settings}", self.name) };
        format!("{}  {settings}  {}", self.name, wires(modem))
    }
}

fn wires(modem: ModemState) -> String {
    let wire = |name: &str, on: bool| format!("{name}={}", u8::from(on));
    [wire("CTS", modem.cts), wire("DSR", modem.dsr), wire("CD", modem.cd), wire("RI", modem.ri)].join(" ")
}

/// A line's failure as trouble of the road.
pub fn trouble(road: &str, error: &Error) -> RoadError {
    let kind = match error {
        Error::Missing { .. } | Error::Permission { .. } | Error::Unusable { .. } => RoadTrouble::Host,
        Error::Busy { .. }
        | Error::InUse { .. }
        | Error::NoDevice { .. }
        | Error::Gone { .. }
        | Error::Closed { .. } => RoadTrouble::Transient,
        Error::Connect { .. } => RoadTrouble::Silent,
    };
    RoadError {
        trouble: kind,
        code: error.code().into(),
        road: road.into(),
        message: error.to_string(),
        hints: error.hints(),
    }
}

impl AsyncRead for LineLink {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let polled = Pin::new(&mut self.line).poll_read(cx, buf);
        self.listen();
        polled
    }
}

impl AsyncWrite for LineLink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

impl ByteLink for LineLink {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn speed(&self) -> Option<u32> {
        self.line.settings().map(|settings| settings.baud)
    }

    fn unfit(&self) -> Option<String> {
        self.line.unfit()
    }

    fn set_speed(&mut self, baud: u32) -> bool {
        self.line.ask_baud(baud).is_ok_and(|outcome| outcome == Outcome::Done)
    }
}
