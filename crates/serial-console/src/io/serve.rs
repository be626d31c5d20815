//! A line offered over TCP, to one client at a time.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::rfc2217::{Server, ServerConfig, ServerEvent};

/// One read.
const READ: usize = 4096;
/// Bytes that a client may be late with; beyond, they are lost, as on a wire.
const MAX_TX: usize = 64 * 1024;
/// What a second client is told, in ser2net's words.
const BUSY: &[u8] = b"Port already in use\r\n";

/// How it is offered.
#[derive(Debug, Clone)]
pub enum Offer {
    /// Bytes and nothing else.
    Raw,
    /// RFC 2217.
    Rfc2217(ServerConfig),
}

#[derive(Debug)]
struct Connected {
    stream: TcpStream,
    server: Option<Box<Server>>,
    tx: Vec<u8>,
}

/// A listening line.
#[derive(Debug)]
pub struct Offered {
    listener: TcpListener,
    offer: Offer,
    client: Option<Connected>,
}

impl Offered {
    /// Offers a line at an address.
    pub fn new(listener: TcpListener, offer: Offer) -> Self {
        Self { listener, offer, client: None }
    }

    /// Whether somebody is there.
    pub fn is_attached(&self) -> bool {
        self.client.is_some()
    }

    /// The machine of RFC 2217, where it is spoken and somebody is there.
    pub fn server(&mut self) -> Option<&mut Server> {
        self.client.as_mut()?.server.as_deref_mut()
    }

    /// Gives bytes of the line to the client. Without one, or when it does not read, they are lost.
    pub fn write(&mut self, bytes: &[u8]) {
        let Some(client) = &mut self.client else { return };
        match &mut client.server {
            Some(server) => drop(server.write(bytes)),
            None if client.tx.len() < MAX_TX => client.tx.extend_from_slice(bytes),
            None => {}
        }
    }

    /// Waits for what the client wants, and carries on what it was given; cancel-safe. Never ends: the next client may come.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn next(&mut self) -> io::Result<ServerEvent> {
        let mut space = vec![0; READ];
        loop {
            let Some(client) = &mut self.client else {
                let (stream, _) = self.listener.accept().await?;
                self.attach(stream);
                continue;
            };
            if let Some(server) = &mut client.server {
                if let Some(event) = server.poll_event() {
                    return Ok(event);
                }
                if client.tx.len() < MAX_TX
                    && let Some(bytes) = server.poll_transmit()
                {
                    client.tx.extend_from_slice(&bytes);
                }
            }
            let (mut reader, mut writer) = client.stream.split();
            tokio::select! {
                biased;
                written = writer.write(&client.tx), if !client.tx.is_empty() => match written {
                    Ok(count) => drop(client.tx.drain(..count)),
                    Err(_) => self.client = None,
                },
                read = reader.read(&mut space) => match read {
                    Ok(count) if count > 0 => {
                        let bytes = space.get(..count).unwrap_or_default();
                        match &mut client.server {
                            Some(server) => server.handle_bytes(bytes),
                            None => return Ok(ServerEvent::Data(bytes.to_vec())),
                        }
                    }
                    _ => self.client = None,
                },
                other = self.listener.accept() => {
                    if let Ok((mut stream, _)) = other {
                        let _ = stream.write_all(BUSY).await;
                    }
                }
            }
        }
    }

    fn attach(&mut self, stream: TcpStream) {
        // Echoes are single bytes.
        let _ = stream.set_nodelay(true);
        let server = match &self.offer {
            Offer::Raw => None,
            Offer::Rfc2217(config) => Some(Box::new(Server::new(config.clone()))),
        };
        self.client = Some(Connected { stream, server, tx: Vec::new() });
    }
}
