//! A single line that came by SSH: run on the console without a terminal, its text sent back, nothing else.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::core::System;
use super::scripts::Caller;
use super::who::Who;
use crate::console::split_login;
use crate::kernel::PipeWriter;
use crate::net::SshExec;
use crate::raw;
use crate::record::{EventKind, SessionId, Via};
use crate::script::{Error, ErrorKind, Host, Interp, Output};

/// What the client reads when a line does not parse. Public fleet tools saw 1 seven times of eight and 0 once for the
/// same bad command; errors while it runs give 0 (routeros-console.md, fact 7).
const NOT_PARSED: u32 = 1;

/// The client's end of the channel as a script's output: lines end with CR LF \[I\].
struct Shown {
    sys: std::rc::Weak<System>,
    session: SessionId,
    to: PipeWriter,
}

impl Output for Shown {
    fn line(&self, text: &[u8]) {
        let line = [text, b"\r\n"].concat();
        if let Some(sys) = self.sys.upgrade() {
            sys.note(EventKind::ConsoleOut { session: self.session, bytes: line.clone() });
        }
        self.to.push(&line);
    }
}

impl System {
    /// Runs a line that came by SSH exec. What it prints goes to the client, errors too; it is asked no questions,
    /// for it has no terminal to answer on \[I\].
    pub(super) fn run_ssh_line(self: &Rc<Self>, exec: SshExec) {
        let id = self.new_session();
        let sys = Rc::clone(self);
        let job = self.kernel.spawn(format!("console {id} exec"), async move { sys.ssh_line(id, exec).await });
        self.belongs_to_console(job);
    }

    async fn ssh_line(self: Rc<Self>, id: SessionId, exec: SshExec) {
        let SshExec { session, command, status } = exec;
        let user = raw::text(split_login(session.login.as_bytes()).0);
        let from = session.from.to_string();
        self.note(EventKind::SessionOpened { session: id, via: Via::Ssh });
        self.login_taken(&user, &from, "ssh", Via::Ssh);
        self.note(EventKind::ConsoleIn { session: id, bytes: command.clone() });
        let shown = Rc::new(Shown { sys: Rc::downgrade(&self), session: id, to: session.output });
        let who = Who { session: Some(id), ..self.who(&user, Via::Ssh) };
        let caller = Caller { who, io: None, session: Some(id) };
        let ctx = self.ctx(caller, Rc::clone(&shown) as Rc<dyn Output>);
        let mut input = session.input;
        let mut menu = Vec::new();
        let outcome = {
            let interpreter = Interp::new(Rc::clone(&self) as Rc<dyn Host>, ctx);
            let mut run = pin!(interpreter.line(&command, &mut menu));
            poll_fn(|cx| {
                // A client that goes away stops the command, as on a console [I]. What it types is for nobody.
                while let Poll::Ready(typed) = input.poll_read(cx, 4096) {
                    if typed.is_empty() {
                        return Poll::Ready(Err(Error::interrupted()));
                    }
                }
                run.as_mut().poll(cx).map_ok(|_| ())
            })
            .await
        };
        if let Err(error) = outcome {
            if error.kind == ErrorKind::Parse {
                status.set(NOT_PARSED);
            }
            // `/quit` ends what is at its end anyway.
            let text = error.to_string();
            if text != super::QUIT {
                shown.line(&raw::bytes(&text));
            }
        }
        self.login_over(&user, &from, "ssh");
        self.note(EventKind::SessionClosed { session: id });
    }
}
