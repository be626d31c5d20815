//! `/tool fetch mode=ftp`, as far as a transfer goes.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use super::error::NetError;
use super::inner::Inner;
use super::lines::Lines;
use super::tcp::TcpStream;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the server may think about a command, the end of a transfer included.
const REPLY: Duration = Duration::from_secs(60);
/// The largest download: a router's storage.
const MAX_DOWNLOAD: usize = 128 * 1024 * 1024;
/// Lines of one reply.
const MAX_REPLY_LINES: usize = 256;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// Where, and as whom.
#[derive(Clone)]
pub(super) struct Server<'a> {
    pub address: Ipv4Addr,
    pub port: u16,
    pub user: &'a str,
    pub password: &'a str,
}

struct Session {
    control: TcpStream,
    lines: Lines,
    inner: Rc<RefCell<Inner>>,
    server: Ipv4Addr,
}

struct Reply {
    code: u16,
    text: String,
}

impl Reply {
    fn refused(self) -> NetError {
        NetError::Ftp { code: self.code, text: self.text }
    }
}

impl Session {
    async fn open(inner: &Rc<RefCell<Inner>>, server: &Server<'_>) -> Result<Self, NetError> {
        let control = TcpStream::connect(inner, (server.address, server.port), CONNECT).await?;
        let mut session = Self { control, lines: Lines::default(), inner: Rc::clone(inner), server: server.address };
        let greeting = session.reply().await?;
        if greeting.code != 220 {
            return Err(greeting.refused());
        }
        let mut reply = session.command(&format!("USER {}", one_line(server.user)?)).await?;
        if reply.code == 331 {
            reply = session.command(&format!("PASS {}", one_line(server.password)?)).await?;
        }
        match reply.code {
            230 => {}
            430 | 530 => return Err(NetError::Login),
            _ => return Err(reply.refused()),
        }
        session.expect("TYPE I", 200).await?;
        Ok(session)
    }

    async fn reply(&mut self) -> Result<Reply, NetError> {
        let kernel = self.inner.borrow().kernel.clone();
        let (lines, control) = (&mut self.lines, &self.control);
        let reply = async {
            let mut first: Option<u16> = None;
            for _ in 0..MAX_REPLY_LINES {
                let line = lines.next(control).await?.ok_or(NetError::Closed)?;
                let code = line.get(..3).and_then(|digits| digits.parse::<u16>().ok());
                let more = line.as_bytes().get(3) == Some(&b'-');
                match (first, code) {
                    (None, None) => return Err(NetError::Protocol),
                    (None, Some(code)) if more => first = Some(code),
                    (Some(expected), Some(code)) if expected != code || more => {}
                    (Some(_), None) => {}
                    (_, Some(code)) => {
                        let text = line.get(4..).unwrap_or_default().to_owned();
                        return Ok(Reply { code, text });
                    }
                }
            }
            Err(NetError::Protocol)
        };
        kernel.timeout(REPLY, reply).await.unwrap_or(Err(NetError::Timeout))
    }

    async fn command(&mut self, line: &str) -> Result<Reply, NetError> {
        self.control.write_all(&crate::raw::bytes(&format!("{line}\r\n"))).await?;
        self.reply().await
    }

    async fn expect(&mut self, line: &str, code: u16) -> Result<Reply, NetError> {
        let reply = self.command(line).await?;
        if reply.code == code { Ok(reply) } else { Err(reply.refused()) }
    }

    /// Opens the data connection to the server itself, whatever address it names.
    async fn passive(&mut self) -> Result<TcpStream, NetError> {
        let reply = self.expect("PASV", 227).await?;
        let numbers = reply.text.rsplit_once('(').map_or(reply.text.as_str(), |(_, numbers)| numbers);
        let mut numbers = numbers.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).skip(4);
        let mut byte = || numbers.next().and_then(|n| n.parse::<u8>().ok()).ok_or(NetError::Protocol);
        let port = u16::from_be_bytes([byte()?, byte()?]);
        TcpStream::connect(&self.inner, (self.server, port), CONNECT).await
    }

    async fn begin(&mut self, verb: &str, path: &str) -> Result<TcpStream, NetError> {
        let path = one_line(path)?;
        let data = self.passive().await?;
        let reply = self.command(&format!("{verb} {path}")).await?;
        match reply.code {
            125 | 150 => Ok(data),
            _ => Err(reply.refused()),
        }
    }

    async fn end(mut self) -> Result<(), NetError> {
        let reply = self.reply().await?;
        if !matches!(reply.code, 226 | 250) {
            return Err(reply.refused());
        }
        // The transfer is whole: how the server takes its leave is its own affair.
        let _ = self.command("QUIT").await;
        Ok(())
    }
}

/// Text that may stand in a command.
fn one_line(text: &str) -> Result<&str, NetError> {
    if text.contains(['\r', '\n']) { Err(NetError::Protocol) } else { Ok(text) }
}

/// Stores `contents` as `path`.
pub(super) async fn put(
    inner: &Rc<RefCell<Inner>>,
    server: &Server<'_>,
    path: &str,
    contents: &[u8],
) -> Result<(), NetError> {
    let mut session = Session::open(inner, server).await?;
    let data = session.begin("STOR", path).await?;
    data.write_all(contents).await?;
    data.finish().await?;
    session.end().await
}

/// The contents of `path`.
pub(super) async fn get(inner: &Rc<RefCell<Inner>>, server: &Server<'_>, path: &str) -> Result<Vec<u8>, NetError> {
    let mut session = Session::open(inner, server).await?;
    let data = session.begin("RETR", path).await?;
    let mut contents = Vec::new();
    loop {
        let bytes = data.read(CHUNK).await?;
        if bytes.is_empty() {
            break;
        }
        contents.extend(bytes);
        if contents.len() > MAX_DOWNLOAD {
            return Err(NetError::Limit("room for the download"));
        }
    }
    session.end().await?;
    Ok(contents)
}
