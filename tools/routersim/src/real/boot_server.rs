//! The place at which a program of this host stands for netinstall on the BOOT port's cable. It sends one line, the package's
//! name and what becomes of the configuration (`keep`, `default`, `empty`), and gets netinstall-cli's own words back; the
//! connection ends with the installation. Whoever goes away offers nothing any more.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::process::RealError;
use crate::router::{Installation, Keep, Router, Told};

/// A line longer than that names no package.
const LINE: usize = 256;

/// The place.
#[derive(Debug)]
pub(super) struct BootServer {
    listener: TcpListener,
    client: Option<Client>,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    said: Vec<u8>,
    offers: bool,
}

/// What somebody at the place did.
#[derive(Debug)]
pub(super) enum Booted {
    /// A line came: package and what is kept.
    Line(String),
    /// It went away.
    Gone,
}

impl BootServer {
    pub(super) async fn listen(place: &str) -> Result<Self, RealError> {
        let failed = |error| RealError::Boot { place: place.to_owned(), error };
        Ok(Self { listener: TcpListener::bind(place).await.map_err(failed)?, client: None })
    }

    pub(super) fn place(&self) -> io::Result<String> {
        Ok(self.listener.local_addr()?.to_string())
    }

    /// Waits until somebody does something. Cancel-safe.
    pub(super) async fn next(&mut self) -> Booted {
        loop {
            let Some(client) = &mut self.client else {
                // One at a time: a cable has one other end.
                if let Ok((stream, _)) = self.listener.accept().await {
                    self.client = Some(Client { stream, said: Vec::new(), offers: false });
                }
                continue;
            };
            let mut space = [0; LINE];
            match client.stream.read(&mut space).await {
                Ok(0) | Err(_) => {
                    self.client = None;
                    return Booted::Gone;
                }
                Ok(_) if client.offers => {}
                Ok(count) => {
                    client.said.extend(space.iter().take(count));
                    if let Some(end) = client.said.iter().position(|byte| *byte == b'\n') {
                        client.offers = true;
                        let line = client.said.get(..end).unwrap_or_default();
                        return Booted::Line(String::from_utf8_lossy(line).into_owned());
                    }
                    if client.said.len() > LINE {
                        self.client = None;
                        return Booted::Gone;
                    }
                }
            }
        }
    }

    /// What it did, to the router.
    pub(super) async fn take(&mut self, booted: Booted, router: &mut Router, now: mactelnet::Instant) {
        let offer = match booted {
            Booted::Gone => None,
            Booted::Line(line) => {
                let (package, keep) = line.trim().split_once(' ').unwrap_or((line.trim(), "keep"));
                let keep = match keep {
                    "empty" => Keep::Empty,
                    "default" => Keep::Default,
                    _ => Keep::Old,
                };
                let offer = Installation::of(router, package, keep);
                self.say(if offer.is_some() {
                    "Waiting for RouterBOARD..."
                } else {
                    "No package for this architecture"
                })
                .await;
                if offer.is_none() {
                    self.client = None;
                }
                offer
            }
        };
        router.offer_installation(now, offer);
    }

    /// Tells how far it has come, in the words of transcript 14; at its end the client is let go.
    pub(super) async fn show(&mut self, router: &mut Router, now: mactelnet::Instant) {
        let mac = router.spec().port_macs().first().map(|(_, mac)| mac.to_string()).unwrap_or_default();
        for told in router.take_told() {
            match told {
                Told::Asked => {
                    self.say(&format!("client: {mac}\nSending and starting Netinstall boot image ...")).await
                }
                Told::Formats => self.say(&format!("Discovered RouterBOARD... {mac}\nFormatting...")).await,
                Told::Done => {
                    self.say("Ready for reboot...\nSent reboot command").await;
                    self.client = None;
                    router.offer_installation(now, None);
                }
            }
        }
    }

    async fn say(&mut self, text: &str) {
        if let Some(client) = &mut self.client {
            // It may have gone away; the next read says so.
            let _ = client.stream.write_all(format!("{text}\n").as_bytes()).await;
        }
    }
}

/// As [`BootServer::next`]; for ever where there is no such place.
pub(super) async fn next(server: Option<&mut BootServer>) -> Booted {
    match server {
        Some(server) => server.next().await,
        None => std::future::pending().await,
    }
}
