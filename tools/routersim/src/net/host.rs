//! What the network needs from the rest of the router, and what it tells it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use super::config::PortId;
use super::error::FileError;
use crate::kernel::{PipeReader, PipeWriter};

/// The router around its network: users, files, consoles. Calls come while the kernel runs and
/// must not call back into the network.
pub trait NetHost {
    /// The password of a user who may log in by MAC-Telnet (a suffix from `+` on is cut already).
    fn credential(&self, user: &str) -> Option<Credential>;

    /// Whether `user` may use FTP from `from` with this password (group policy and the user's own address list).
    fn ftp_login(&self, user: &str, password: &str, from: Ipv4Addr) -> bool;

    /// The contents of a file; names are as in `/file`, without a leading `/`.
    fn read_file(&self, path: &str) -> Option<Vec<u8>>;

    /// Replaces or makes a file. Directories on the way must exist. Called once, when an upload has come whole.
    fn write_file(&self, path: &str, contents: Vec<u8>, user: &str) -> Result<(), FileError>;

    /// Removes a file.
    fn remove_file(&self, path: &str) -> Result<(), FileError>;

    /// Gives a file another name.
    fn rename_file(&self, from: &str, to: &str) -> Result<(), FileError>;

    /// Makes a directory.
    fn make_directory(&self, path: &str) -> Result<(), FileError>;

    /// Whether this directory exists; the root is "".
    fn is_directory(&self, path: &str) -> bool;

    /// What lies in a directory, sorted by name.
    fn list_directory(&self, path: &str) -> Vec<FileEntry>;

    /// A MAC-Telnet login succeeded: a console session is to be run on these pipes.
    fn mac_telnet_session(&self, session: MacTelnetSession);

    /// What the SSH host keys follow from, and how many bits RSA's has (`/ip ssh`).
    fn ssh_host_key(&self) -> (String, usize) {
        (String::new(), 0)
    }

    /// Whether `user` (without suffix) may use SSH from `from` with this password.
    fn ssh_login(&self, user: &str, password: &[u8], from: Ipv4Addr) -> bool {
        let _ = (user, password, from);
        false
    }

    /// Whether `user` (without suffix) may use SSH from `from` with this public key, a key file's without base64.
    fn ssh_key(&self, user: &str, key: &[u8], from: Ipv4Addr) -> bool {
        let _ = (user, key, from);
        false
    }

    /// Whether `user` may transfer files by SFTP and SCP.
    fn may_transfer(&self, user: &str) -> bool {
        let _ = user;
        false
    }

    /// An SSH client wants a console: a session is to be run on these pipes.
    fn ssh_session(&self, session: SshSession) {
        drop(session);
    }

    /// An SSH client wants one line to be run.
    fn ssh_exec(&self, exec: SshExec) {
        drop(exec);
    }

    /// Somebody logged in by `via` (`ftp`); MAC-Telnet sessions are told by [`NetHost::mac_telnet_session`].
    fn logged_in(&self, user: &str, from: &str, via: &str) {
        let _ = (user, from, via);
    }

    /// The FTP session of `user` ended.
    fn logged_out(&self, user: &str, from: &str, via: &str) {
        let _ = (user, from, via);
    }

    /// Somebody failed to log in by `via` (`ftp`, `ssh`, `mac-telnet`).
    fn login_failed(&self, user: &str, from: &str, via: &str) {
        let _ = (user, from, via);
    }
}

/// What a login is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// In clear, as the simulator keeps it.
    pub password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Without the directory.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Whether it is a directory.
    pub directory: bool,
}

/// A console session that came by MAC-Telnet, logged in already.
#[derive(Debug)]
pub struct MacTelnetSession {
    /// The whole login name, with its `+` suffix.
    pub login: String,
    /// The client.
    pub mac: MacAddr,
    /// The interface on which it came.
    pub interface: String,
    /// As the client named its terminal.
    pub terminal: String,
    /// Columns and rows, 0 when the client didn't know; changes with the client's window.
    pub size: Rc<Cell<(u16, u16)>>,
    /// What the client types. Ends when the session does.
    pub input: PipeReader,
    /// What the client sees. Dropping it ends the session (END).
    pub output: PipeWriter,
}

/// A console session that came by SSH, logged in already.
#[derive(Debug)]
pub struct SshSession {
    /// The whole login name, with its `+` suffix.
    pub login: String,
    /// The client.
    pub from: Ipv4Addr,
    /// What the client types. Ends when the client has no more to say, or is gone.
    pub input: PipeReader,
    /// What the client sees. Dropping it ends the session.
    pub output: PipeWriter,
}

/// One line that came by SSH, to be run without a terminal.
#[derive(Debug)]
pub struct SshExec {
    /// Who.
    pub session: SshSession,
    /// The line.
    pub command: Vec<u8>,
    /// The exit status, 0 if nothing else is put here.
    pub status: Rc<Cell<u32>>,
}

/// Whom to call by MAC-Telnet, and as whom.
#[derive(Clone)]
pub struct MacTelnetCall {
    /// The far router's interface.
    pub mac: MacAddr,
    /// Where to call; `None` on every enabled interface, the first answer wins.
    pub interface: Option<String>,
    /// Login name with its suffix.
    pub user: String,
    /// Password.
    pub password: String,
    /// Terminal's name.
    pub terminal: String,
    /// Columns and rows.
    pub size: (u16, u16),
}

impl fmt::Debug for MacTelnetCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacTelnetCall")
            .field("mac", &self.mac)
            .field("interface", &self.interface)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A MAC-Telnet session to another router.
#[derive(Debug)]
pub struct MacTelnetStream {
    /// What the far router shows; ends when the session does.
    pub reader: PipeReader,
    /// What is typed; dropping or closing it ends the session.
    pub writer: PipeWriter,
    /// The rest.
    pub control: MacTelnetControl,
}

/// Acts on a MAC-Telnet session to another router beside its bytes.
#[derive(Debug, Clone, Default)]
pub struct MacTelnetControl {
    pub(super) size: Rc<Cell<Option<(u16, u16)>>>,
    pub(super) failure: Rc<RefCell<Option<super::NetError>>>,
    pub(super) waker: Rc<RefCell<Option<std::task::Waker>>>,
}

impl MacTelnetControl {
    /// Tells the far router that the window is now `columns` by `rows`.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.size.set(Some((columns, rows)));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Why the session ended, if it didn't end by END.
    pub fn failure(&self) -> Option<super::NetError> {
        self.failure.borrow().clone()
    }
}

/// Role of a VRRP instance (RFC 5798 section 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VrrpState {
    /// Disabled, or its parent isn't running.
    #[default]
    Initialize,
    /// Somebody else answers for the addresses.
    Backup,
    /// This router answers for the addresses.
    Master,
}

/// What happened in the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetEvent {
    /// An interface (Ethernet port, bridge, VRRP instance) began or ceased to be `running`.
    Running {
        /// Its name.
        interface: String,
        /// Now.
        running: bool,
    },
    /// A port with `loop-protect` heard a packet that an own port seems to have sent, and is shut.
    Loop {
        /// The port.
        interface: String,
        /// The packet's source.
        from: MacAddr,
        /// The port that has this MAC.
        sender: String,
    },
    /// A VRRP instance changed its role; `on-master` and `on-backup` are to be run on the respective state.
    Vrrp {
        /// Its name.
        name: String,
        /// Its new role.
        state: VrrpState,
    },
    /// An upload by FTP, SFTP or SCP was stored, and its connection or file is closed.
    FtpUploaded {
        /// Who.
        user: String,
        /// File name as in `/file`.
        path: String,
    },
}

/// Settings of `/ping`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingOptions {
    /// How many.
    pub count: u32,
    /// From one to the next, and how long each is waited for.
    pub interval: Duration,
    /// Bytes of the IP packet, 28 to 1500.
    pub size: u16,
    /// `ttl`
    pub ttl: u8,
    /// `src-address`
    pub source: Option<Ipv4Addr>,
    /// `interface`
    pub interface: Option<String>,
}

impl Default for PingOptions {
    fn default() -> Self {
        Self { count: 1, interval: Duration::from_secs(1), size: 56, ttl: 255, source: None, interface: None }
    }
}

/// What became of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingReply {
    /// From 0 on.
    pub sequence: u16,
    /// The rest.
    pub outcome: PingOutcome,
}

/// What became of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PingOutcome {
    /// It came back.
    Reply {
        /// Bytes of the IP packet (of the MAC-Ping payload).
        size: u16,
        /// Time to live that was left, 0 for a MAC-Ping.
        ttl: u8,
        /// Round trip.
        time: Duration,
    },
    /// It didn't.
    Timeout,
    /// It couldn't be sent, or a gateway refused it.
    Failed(super::NetError),
}

/// A row of `/ip neighbor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The port on which it was heard.
    pub port: PortId,
    /// Interface, `bridge/ether2` for a bridged port.
    pub interface: String,
    /// The announced MAC.
    pub mac: MacAddr,
    /// The announced address.
    pub address: Option<Ipv4Addr>,
    /// `identity`
    pub identity: String,
    /// `platform`
    pub platform: String,
    /// `version`
    pub version: String,
    /// `board`
    pub board: String,
    /// `software-id`
    pub software_id: String,
    /// `interface-name`, as the neighbour calls its own.
    pub interface_name: String,
    /// Announced uptime.
    pub uptime: Duration,
    /// When it was heard last.
    pub heard: Instant,
}
