//! The FTP server: one job for each connection. Passive mode only; words as RouterOS's server has them
//! where that is known from its banners, else as RFC 959 suggests.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use super::error::{FileError, NetError};
use super::host::{NetEvent, NetHost};
use super::lines::Lines;
use super::stack::Net;
use super::tcp::TcpStream;
use crate::raw;

/// The largest upload: a router's storage.
const MAX_UPLOAD: usize = 128 * 1024 * 1024;
/// How long a client may be idle between commands.
const IDLE: Duration = Duration::from_secs(300);
/// How long a client may take to open the data connection it asked for.
const DATA_CONNECT: Duration = Duration::from_secs(30);
/// Failed logins after which the connection is closed.
const MAX_ATTEMPTS: u32 = 3;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

struct Session {
    net: Net,
    host: Rc<dyn NetHost>,
    control: TcpStream,
    local: Ipv4Addr,
    remote: Ipv4Addr,
    user: String,
    logged_in: bool,
    attempts: u32,
    /// Working directory, without slashes at its ends; the root is "".
    directory: String,
    passive: Option<TcpStream>,
    rename_from: Option<String>,
}

/// Serves one connection until it ends.
pub(super) async fn serve(net: Net, control: TcpStream) {
    let Some(host) = net.host() else {
        return;
    };
    let Some((local, remote)) = control.addresses() else {
        return;
    };
    if !net.services().ftp.admits(remote) {
        control.abort();
        return;
    }
    let mut session = Session {
        net,
        host,
        control,
        local,
        remote,
        user: String::new(),
        logged_in: false,
        attempts: 0,
        directory: String::new(),
        passive: None,
        rename_from: None,
    };
    // A connection that broke has nobody to tell.
    let _ = session.run().await;
    if session.logged_in {
        session.host.logged_out(&session.user, &remote.to_string(), "ftp");
    }
}

impl Session {
    async fn run(&mut self) -> Result<(), NetError> {
        let identity = self.net.identity();
        let version = identity.version.split(' ').next().unwrap_or_default().to_owned();
        self.say(&format!("220 {} FTP server (MikroTik {version}) ready", identity.identity)).await?;
        let mut lines = Lines::default();
        loop {
            let line = match self.net.kernel.timeout(IDLE, lines.next(&self.control)).await {
                Some(line) => line?,
                None => {
                    return self.say("421 Timeout.").await;
                }
            };
            let Some(line) = line else {
                return Ok(());
            };
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            if verb.eq_ignore_ascii_case("QUIT") {
                self.say("221 Closing").await?;
                return self.control.finish().await;
            }
            self.command(&verb.to_ascii_uppercase(), argument).await?;
            if self.attempts >= MAX_ATTEMPTS {
                return Ok(());
            }
        }
    }

    async fn say(&self, line: &str) -> Result<(), NetError> {
        self.control.write_all(&raw::bytes(&format!("{line}\r\n"))).await
    }

    async fn command(&mut self, verb: &str, argument: &str) -> Result<(), NetError> {
        match verb {
            "USER" => {
                self.log_out();
                self.user = argument.to_owned();
                self.say(&format!("331 Password required for {argument}")).await
            }
            "PASS" => self.log_in(argument).await,
            "NOOP" => self.say("200 OK").await,
            "SYST" => self.say("215 UNIX").await,
            "FEAT" => self.say("211-Features:\r\n EPSV\r\n PASV\r\n SIZE\r\n211 End").await,
            "AUTH" | "PBSZ" | "PROT" => self.say("502 Command not implemented").await,
            _ if !self.logged_in => self.say("530 Please login with USER and PASS.").await,
            "TYPE" | "MODE" | "STRU" | "OPTS" => self.say("200 OK").await,
            "PWD" | "XPWD" => self.say(&format!("257 \"/{}\" is current directory", self.directory)).await,
            "CWD" | "XCWD" => self.change_directory(&self.resolve(argument)).await,
            "CDUP" => self.change_directory(&self.resolve("..")).await,
            "PASV" | "EPSV" => self.open_passive(verb).await,
            "STOR" => self.store(&self.resolve(argument)).await,
            "RETR" => self.retrieve(&self.resolve(argument)).await,
            "LIST" | "NLST" => self.list(argument, verb == "NLST").await,
            "SIZE" => {
                let size = self.host.read_file(&self.resolve(argument)).map(|contents| contents.len());
                match size {
                    Some(size) => self.say(&format!("213 {size}")).await,
                    None => self.no_such_file(argument).await,
                }
            }
            "DELE" => match self.host.remove_file(&self.resolve(argument)) {
                Ok(()) => self.say("250 DELE command successful").await,
                Err(error) => self.say(&format!("550 {argument}: {error}")).await,
            },
            "RNFR" => {
                self.rename_from = Some(self.resolve(argument));
                self.say("350 File exists, ready for destination name").await
            }
            "RNTO" => self.rename(&self.resolve(argument)).await,
            _ => self.say("500 command not understood").await,
        }
    }

    async fn no_such_file(&self, name: &str) -> Result<(), NetError> {
        self.say(&format!("550 {name}: {}", FileError::NotFound)).await
    }

    fn log_out(&mut self) {
        if std::mem::take(&mut self.logged_in) {
            self.host.logged_out(&self.user, &self.remote.to_string(), "ftp");
        }
    }

    async fn log_in(&mut self, password: &str) -> Result<(), NetError> {
        if self.logged_in || self.user.is_empty() {
            return self.say("503 Login with USER first.").await;
        }
        let from = self.remote.to_string();
        if self.host.ftp_login(&self.user, password, self.remote) {
            self.logged_in = true;
            self.host.logged_in(&self.user, &from, "ftp");
            return self.say(&format!("230 User {} logged in", self.user)).await;
        }
        self.attempts += 1;
        self.host.login_failed(&self.user, &from, "ftp");
        self.say("530 Login incorrect").await
    }

    /// A path as `/file` has it: from the working directory, without `.`, `..` and slashes at its ends.
    fn resolve(&self, path: &str) -> String {
        let base = if path.starts_with('/') { "" } else { self.directory.as_str() };
        let mut parts: Vec<&str> = Vec::new();
        for part in base.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    async fn change_directory(&mut self, path: &str) -> Result<(), NetError> {
        if !self.host.is_directory(path) {
            return self.no_such_file(path).await;
        }
        self.directory = path.to_owned();
        self.say("250 CWD command successful").await
    }

    async fn open_passive(&mut self, verb: &str) -> Result<(), NetError> {
        let Ok((stream, port)) = self.control.listen_beside() else {
            return self.say("425 Can't open data connection").await;
        };
        self.passive = Some(stream);
        if verb == "EPSV" {
            return self.say(&format!("229 Entering Extended Passive Mode (|||{port}|)")).await;
        }
        let [a, b, c, d] = self.local.octets();
        let [high, low] = port.to_be_bytes();
        self.say(&format!("227 Entering Passive Mode ({a},{b},{c},{d},{high},{low})")).await
    }

    /// The data connection that the client asked for; `None` was told to it.
    async fn data(&mut self, announce: &str) -> Result<Option<TcpStream>, NetError> {
        let Some(stream) = self.passive.take() else {
            self.say("425 Use PASV first.").await?;
            return Ok(None);
        };
        self.say(announce).await?;
        let stands = stream.established(DATA_CONNECT).await;
        let same = stream.addresses().is_some_and(|(_, remote)| remote == self.remote);
        if stands.is_err() || !same {
            stream.abort();
            self.say("425 Can't open data connection").await?;
            return Ok(None);
        }
        Ok(Some(stream))
    }

    async fn store(&mut self, path: &str) -> Result<(), NetError> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        if path.is_empty() || self.host.is_directory(path) || !self.host.is_directory(directory) {
            self.passive = None;
            return self.no_such_file(path).await;
        }
        let Some(data) = self.data(&format!("150 Opening BINARY mode data connection for '/{path}'")).await? else {
            return Ok(());
        };
        let mut contents = Vec::new();
        loop {
            match data.read(CHUNK).await {
                Ok(bytes) if bytes.is_empty() => break,
                Ok(bytes) => contents.extend(bytes),
                // What came of a broken upload is not kept.
                Err(_) => return self.say("426 Connection closed; transfer aborted.").await,
            }
            if contents.len() > MAX_UPLOAD {
                return self.say("552 Storage exceeded").await;
            }
        }
        data.finish().await?;
        match self.host.write_file(path, contents, &self.user) {
            Ok(()) => {
                self.say("226 BINARY transfer complete").await?;
                self.net.event(NetEvent::FtpUploaded { user: self.user.clone(), path: path.to_owned() });
                Ok(())
            }
            Err(error) => self.say(&format!("550 {path}: {error}")).await,
        }
    }

    async fn retrieve(&mut self, path: &str) -> Result<(), NetError> {
        let Some(contents) = self.host.read_file(path) else {
            self.passive = None;
            return self.no_such_file(path).await;
        };
        let announce = format!("150 Opening BINARY mode data connection for '/{path}' ({} bytes)", contents.len());
        self.send(&announce, &contents, "226 BINARY transfer complete").await
    }

    async fn send(&mut self, announce: &str, bytes: &[u8], done: &str) -> Result<(), NetError> {
        let Some(data) = self.data(announce).await? else {
            return Ok(());
        };
        let sent = match data.write_all(bytes).await {
            Ok(()) => data.finish().await,
            broken => broken,
        };
        if sent.is_err() {
            return self.say("426 Connection closed; transfer aborted.").await;
        }
        self.say(done).await
    }

    async fn list(&mut self, argument: &str, names_only: bool) -> Result<(), NetError> {
        let path = argument.split(' ').find(|word| !word.starts_with('-')).unwrap_or_default();
        let directory = self.resolve(path);
        if !self.host.is_directory(&directory) {
            self.passive = None;
            return self.no_such_file(path).await;
        }
        let mut text = String::new();
        for entry in self.host.list_directory(&directory) {
            if names_only {
                text.push_str(&format!("{}\r\n", entry.name));
            } else {
                let kind = if entry.directory { "drwxrwx---" } else { "-rw-rw----" };
                text.push_str(&format!(
                    "{kind}   1 root     root     {:>10} Jan 01 1970 {}\r\n",
                    entry.size, entry.name
                ));
            }
        }
        self.send("150 Opening ASCII mode data connection for file list", &raw::bytes(&text), "226 Transfer complete")
            .await
    }

    async fn rename(&mut self, to: &str) -> Result<(), NetError> {
        let Some(contents) = self.rename_from.take().and_then(|from| Some((self.host.read_file(&from)?, from))) else {
            return self.say("503 Bad sequence of commands").await;
        };
        let moved = self.host.write_file(to, contents.0, &self.user).and_then(|()| self.host.remove_file(&contents.1));
        match moved {
            Ok(()) => self.say("250 RNTO command successful").await,
            Err(error) => self.say(&format!("550 {to}: {error}")).await,
        }
    }
}
