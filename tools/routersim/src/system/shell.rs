//! The router as a console session sees it.

use std::rc::Rc;

use super::core::System;
use super::scripts::Caller;
use super::who::Who;
use crate::console::{
    CommandIo, Completion, ConsoleHost, ConsoleQuirks, EndReason, HelpRow, LineRequest, LineResult, LocalFuture,
    Notices, SafeMode, SafeModeReply, SessionOptions, Transport, Welcome,
};
use crate::menu::{Screen, catalog};
use crate::quirks::IdleLogout;
use crate::record::{EventKind, SessionId, Via};
use crate::script::{Interp, Output};
use crate::spec::Version;
use std::time::Duration;

/// A session's terminal as a script's output.
struct Shown(CommandIo);

impl Output for Shown {
    fn line(&self, text: &[u8]) {
        self.0.line(text);
    }
}

/// The words by which a line tells its session that it was `/quit`.
pub(crate) const QUIT: &str = "quit";

impl ConsoleHost for System {
    fn identity(&self) -> String {
        let name = self.config(|config| {
            config.items("/system/identity").first().and_then(|item| item.get("name").map(str::to_owned))
        });
        name.unwrap_or_else(|| "MikroTik".to_owned())
    }

    fn version(&self) -> Version {
        self.spec.version
    }

    fn copyright_year(&self) -> u16 {
        if self.spec.version.is_v7() { 2025 } else { 2019 }
    }

    fn quirks(&self) -> ConsoleQuirks {
        let idle_logout = match self.quirks.idle_logout {
            IdleLogout::Input30 => Some(Duration::from_secs(30)),
            // A vanished client is the MAC server's business.
            IdleLogout::Never | IdleLogout::Silence90 => None,
        };
        ConsoleQuirks {
            idle_logout,
            log_push_after: Duration::from_millis(self.quirks.log_push_ms.into()),
            double_prompt: self.quirks.double_prompt,
            probe_at_password: self.quirks.probe_at_password,
            hop_escape: self.quirks.hop_escape,
            hop_farewell: self.quirks.hop_farewell.clone(),
            prompt_first: self.quirks.prompt_first,
            split_output: self.quirks.split_output.map(usize::from),
            no_echo: self.quirks.no_echo,
            ..ConsoleQuirks::default()
        }
    }

    fn authenticate(&self, options: &SessionOptions, user: &str, password: &[u8]) -> bool {
        let policy = match options.transport {
            Transport::Serial => "local",
            Transport::Ssh => "ssh",
            Transport::Telnet | Transport::MacTelnet => "telnet",
        };
        self.policy_of(user).allows(policy) && self.password_right(user, password, None)
    }

    fn login_failed(&self, options: &SessionOptions, user: &str) {
        self.login_refused(user, &options.from, options.transport.word(), options.transport.into());
    }

    fn logged_in(&self, options: &SessionOptions, user: &str) {
        let open = super::sessions::Open {
            session: options.session,
            user: user.to_owned(),
            from: options.from.clone(),
            via: options.transport.word(),
            since: self.unix_time(),
        };
        self.volatile.borrow_mut().sessions.push(open);
        self.login_taken(user, &options.from, options.transport.word(), options.transport.into());
    }

    fn logged_out(&self, options: &SessionOptions, user: &str, reason: EndReason) {
        let _ = reason;
        self.volatile.borrow_mut().sessions.retain(|open| open.session != options.session);
        self.login_over(user, &options.from, options.transport.word());
    }

    fn welcome(&self, user: &str) -> Welcome {
        let note = self.config(|config| {
            let item = config.items("/system/note").first()?;
            let text = item.get("note").unwrap_or_default();
            (!text.is_empty() && item.get("show-at-login") != Some("no")).then(|| text.to_owned())
        });
        let critical = {
            let volatile = self.volatile.borrow();
            let lines = volatile.log.lines().filter(|line| line.topics.split(',').any(|topic| topic == "critical"));
            lines.map(|line| self.log_line(line.time, &line.topics, &line.message)).collect()
        };
        let empty = self.user(user).is_none_or(|item| item.get("password").unwrap_or_default().is_empty());
        Welcome {
            license_question: self.storage.borrow().license_pending,
            note,
            critical_log: critical,
            change_password: empty && self.quirks.password_question,
            ..Welcome::default()
        }
    }

    fn license_seen(&self) {
        self.storage.borrow_mut().license_pending = false;
    }

    fn default_configuration_answered(&self, _remove: bool) {}

    fn set_password(&self, user: &str, password: &[u8]) -> Result<(), String> {
        let password = crate::raw::text(password);
        self.check_password(&password)?;
        self.put_password(user, &password).map_err(|refused| refused.to_string())
    }

    fn run_line<'a>(&'a self, request: LineRequest, io: CommandIo) -> LocalFuture<'a, LineResult> {
        Box::pin(async move {
            let Some(sys) = self.rc() else { return LineResult::default() };
            let road = self
                .volatile
                .borrow()
                .sessions
                .iter()
                .find(|open| open.session == request.session)
                .map(|open| open.via);
            let road = match road {
                Some("mac-telnet") => Via::MacTelnet,
                Some("ssh") => Via::Ssh,
                _ => Via::Serial,
            };
            let who = Who { session: Some(request.session), ..sys.who(&request.user, road) };
            let caller = Caller { who, io: Some(io.clone()), session: Some(request.session) };
            let ctx = sys.ctx(caller, Rc::new(Shown(io)));
            let mut menu = request.path.clone();
            let result = Interp::new(sys, ctx).line(&request.text, &mut menu).await;
            let error = result.err().map(|error| error.to_string());
            if error.as_deref() == Some(QUIT) {
                return LineResult { quit: true, ..LineResult::default() };
            }
            LineResult { error, path: (menu != request.path).then_some(menu), quit: false }
        })
    }

    fn open_brackets(&self, text: &[u8]) -> Vec<u8> {
        let open = routeros_script::incomplete(text).unwrap_or_default();
        open.into_iter().filter_map(|bracket| u8::try_from(bracket).ok()).collect()
    }

    fn complete(&self, path: &[String], line: &[u8]) -> Completion {
        let (word, options) = catalog::complete(self, path, line);
        Completion { word, options: options.into_iter().map(String::into_bytes).collect() }
    }

    fn help(&self, path: &[String], line: &[u8]) -> Vec<HelpRow> {
        let (_, options) = catalog::complete(self, path, line);
        options.into_iter().map(|word| HelpRow { word, text: String::new() }).collect()
    }

    fn safe_mode(&self, session: SessionId, user: &str, what: SafeMode) -> SafeModeReply {
        self.safe_mode_key(session, user, what)
    }

    fn notices(&self) -> Notices {
        self.notices.clone()
    }

    fn console_in(&self, session: SessionId, bytes: &[u8]) {
        self.note(EventKind::ConsoleIn { session, bytes: bytes.to_vec() });
    }

    fn console_out(&self, session: SessionId, bytes: &[u8]) {
        self.note(EventKind::ConsoleOut { session, bytes: bytes.to_vec() });
    }
}

impl System {
    /// Sets a user's own password.
    pub fn put_password(&self, user: &str, password: &str) -> Result<(), crate::menu::Refused> {
        let menu = crate::menu::tables::by_path("/user").ok_or(crate::menu::Refused::NoSuchItem)?;
        let id = self.user(user).map(|item| item.id).ok_or(crate::menu::Refused::NoSuchItem)?;
        let args = vec![("password".to_owned(), password.to_owned())];
        self.set(menu, &[id], &args, &super::who::Who { user: Rc::from(user), ..super::who::Who::system(Via::Serial) })
    }

    /// The screen on which a command prints, for commands outside of this module.
    pub(crate) fn screen(ctx: &crate::script::Ctx) -> Screen {
        let caller = Caller::of(ctx);
        Screen::new(Rc::clone(&ctx.output), caller.io.clone())
    }
}
