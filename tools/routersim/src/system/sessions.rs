//! Console sessions: opened by a transport, run by the console, listed while they are open.

use std::rc::{Rc, Weak};

use super::core::System;
use crate::console::{self, ConsoleHost, EndReason, Login, SessionOptions, Terminal, Transport};
use crate::kernel::{PipeReader, PipeWriter};
use crate::record::{EventKind, SessionId, Via};

/// Sessions open at one time; RouterOS's own limit is not known.
const MAX_SESSIONS: usize = 20;

/// An open session of a user who is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub session: SessionId,
    /// Who.
    pub user: String,
    /// From where.
    pub from: String,
    /// By which road, as `/user active` says it.
    pub via: &'static str,
    /// Unix time of the login.
    pub since: u64,
}

/// Notes the end of a session, also when its job is killed.
struct Closing {
    sys: Weak<System>,
    session: SessionId,
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(sys) = self.sys.upgrade() {
            if let Ok(mut volatile) = sys.volatile.try_borrow_mut() {
                volatile.sessions.retain(|open| open.session != self.session);
            }
            sys.note(EventKind::SessionClosed { session: self.session });
        }
    }
}

impl From<Transport> for Via {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::MacTelnet => Self::MacTelnet,
            Transport::Ssh => Self::Ssh,
            Transport::Serial | Transport::Telnet => Self::Serial,
        }
    }
}

impl System {
    /// A number for a new session.
    pub(super) fn new_session(&self) -> SessionId {
        let mut storage = self.storage.borrow_mut();
        storage.sessions += 1;
        SessionId(storage.sessions)
    }

    /// Runs a console session on two pipes. `None`: there are too many.
    pub fn open_console(
        self: &Rc<Self>,
        transport: Transport,
        login: Login,
        from: &str,
        input: PipeReader,
        output: PipeWriter,
    ) -> Option<SessionId> {
        let open = self.kernel.jobs().iter().filter(|(_, name)| name.starts_with("console ")).count();
        if open >= MAX_SESSIONS {
            return None;
        }
        let session = self.new_session();
        let via = Via::from(transport);
        self.note(EventKind::SessionOpened { session, via });
        let options = SessionOptions { session, transport, login, from: from.to_owned() };
        let sys = Rc::clone(self);
        let job = self.kernel.spawn(format!("console {session}"), async move {
            let closing = Closing { sys: Rc::downgrade(&sys), session };
            let mut options = options;
            let mut terminal = Terminal { input, output, kernel: sys.kernel.downgrade() };
            loop {
                let host = Rc::clone(&sys) as Rc<dyn ConsoleHost>;
                let Some(end) = console::run(terminal, host, options.clone()).await else { break };
                match end.reason {
                    // The client is told nothing: its streams stay open until it goes.
                    EndReason::Idle if options.transport != Transport::Serial => {
                        drop(closing);
                        let mut kept = end.terminal;
                        while !kept.input.read(4096).await.is_empty() {}
                        return;
                    }
                    // A serial line has the next login on it.
                    EndReason::Vanished => break,
                    _ if options.transport == Transport::Serial => {
                        options.login = Login::Ask;
                        terminal = end.terminal;
                    }
                    _ => break,
                }
            }
        });
        self.belongs_to_console(job);
        Some(session)
    }
}
