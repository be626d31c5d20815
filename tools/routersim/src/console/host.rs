//! What a console session asks of the router that it runs on.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::kernel::{PipeReader, PipeWriter, WeakKernel};
use crate::record::SessionId;
use crate::spec::Version;

use super::command::CommandIo;
use super::notice::{LogLine, Notices};

/// A future of one router's single thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The two byte streams of one session, and the clock that it lives on.
#[derive(Debug)]
pub struct Terminal {
    /// What is typed. Its end is the client's end.
    pub input: PipeReader,
    /// What is shown. The session waits while its reader lags by more than the pipe's limit.
    pub output: PipeWriter,
    /// The router's kernel.
    pub kernel: WeakKernel,
}

/// The road by which a session came: it decides on line ends and on what is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// Serial console: every CR and every LF is an Enter \[K\].
    Serial,
    /// Telnet: CR LF and CR NUL are one Enter \[I\].
    Telnet,
    /// SSH shell: as telnet, and Ctrl-D always closes the channel.
    Ssh,
    /// MAC-Telnet. Which line ends it folds is not in any source; as on serial, CR LF is two Enters
    /// here, which is the harder case for a client \[I\].
    MacTelnet,
}

impl Transport {
    /// The word of the login and log lines, `via ...`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serial => "local",
            Self::Telnet => "telnet",
            Self::Ssh => "ssh",
            Self::MacTelnet => "mac-telnet",
        }
    }

    /// Whether CR LF and CR NUL are one Enter.
    pub(super) fn folds_line_ends(self) -> bool {
        matches!(self, Self::Telnet | Self::Ssh)
    }
}

/// How a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// The console asks for name and password (serial, telnet).
    Ask,
    /// The transport has proved the password; `name` is the whole login name with its suffix.
    Done {
        /// As sent by the client, e.g. `admin+ct511w4098h`.
        name: Vec<u8>,
    },
    /// The transport's exchange is over and the proof was wrong: RouterOS says so in text, then ends \[T26\].
    Refused,
}

/// What one session is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    /// Its number in the router's record.
    pub session: SessionId,
    /// The road.
    pub transport: Transport,
    /// How it begins.
    pub login: Login,
    /// Where the client is, as the log says it (an address); empty when local.
    pub from: String,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndReason {
    /// `/quit`.
    Quit,
    /// Ctrl-D on an empty line.
    LoggedOut,
    /// The client's stream ended.
    Vanished,
    /// The login was refused.
    Refused,
    /// Idle for too long. RouterOS tells the client nothing, not even an END \[R\].
    Idle,
}

/// How a session ended, with its streams: dropping them tells the client; on a serial line the next
/// session runs on them; after [`EndReason::Idle`] the owner keeps them, so that the client hears nothing.
#[derive(Debug)]
pub struct SessionEnd {
    /// Why.
    pub reason: EndReason,
    /// The streams.
    pub terminal: Terminal,
}

/// The path of the current menu, one word each: `["ip", "address"]`; empty at the root.
pub type MenuPath = Vec<String>;

/// One complete input, to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRequest {
    /// Whose session.
    pub session: SessionId,
    /// The bare name.
    pub user: String,
    /// The menu it is typed in.
    pub path: MenuPath,
    /// The text; several lines (joined by LF) when brackets were open.
    pub text: Vec<u8>,
}

/// What became of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineResult {
    /// The error as RouterOS words it, e.g. `syntax error (line 1 column 7)`; shown as one line.
    pub error: Option<String>,
    /// The menu afterwards, if it changed.
    pub path: Option<MenuPath>,
    /// The input was `/quit`.
    pub quit: bool,
}

/// What TAB finds for a half-typed line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// How many bytes before the cursor the word has.
    pub word: usize,
    /// The words that fit, in the order they are listed.
    pub options: Vec<Vec<u8>>,
}

/// One row of context help (`?` on 6.x, F1 on 7.x).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelpRow {
    /// The word.
    pub word: String,
    /// What it does.
    pub text: String,
}

/// What a user sees between password and prompt; every part is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Welcome {
    /// Ask whether to show the licence.
    pub license_question: bool,
    /// The board has no software key (x86): its software ID and the time left, e.g. `23h49m`.
    pub no_key: Option<(String, String)>,
    /// `/system note`, when it is to be shown at login.
    pub note: Option<String>,
    /// Critical log lines since the last login.
    pub critical_log: Vec<LogLine>,
    /// Describes the default configuration that was installed (6.x, early 7.x); one key is taken.
    pub default_configuration: Option<String>,
    /// The user has to choose a password.
    pub change_password: bool,
}

/// What a session wants of safe mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SafeMode {
    /// Begin.
    Take,
    /// Take it over from another session, undoing or keeping its changes.
    Hijack {
        /// Undo them.
        unroll: bool,
    },
    /// End it and keep the changes.
    Release,
    /// End it and undo the changes.
    Unroll,
}

/// What safe mode answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SafeModeReply {
    /// Done.
    Done,
    /// Another session holds it.
    Held {
        /// Whose, as the question names it.
        by: String,
    },
    /// This router has none: the key does nothing.
    Unsupported,
}

/// Oddities of the console, each of which a router's own [`crate::quirks::Quirks`] or a test sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleQuirks {
    /// A session at its prompt with no key for this long is logged out, silently (about 30 s, one source, 7.2x).
    pub idle_logout: Option<Duration>,
    /// How long a session must be idle until a log line is pushed into it. Up to 19 s were seen \[S1\].
    pub log_push_after: Duration,
    /// The prompt comes twice after output, as seen over SSH \[T22\].
    pub double_prompt: bool,
    /// Prompts carry colours unless the login name had `c`. Recent captures show none [T19-T22].
    pub colours: bool,
    /// The answer to an unanswered terminal probe: how long the router waits.
    pub probe_patience: Duration,
    /// A cursor query is sent while `new password>` is on the screen, whose answer is then typed text \[S1\].
    pub probe_at_password: bool,
    /// The byte that ends `/tool mac-telnet` from the near side. In no source; `None`: every byte goes to the far router.
    pub hop_escape: Option<u8>,
    /// The lines that `/tool mac-telnet` prints when it ends.
    pub hop_farewell: Vec<String>,
    /// Fault: the prompt is painted once before the output of each command.
    pub prompt_first: bool,
    /// Fault: output reaches the wire in pieces of this many bytes, 1 ms apart, whatever they cut.
    pub split_output: Option<usize>,
    /// Fault: typed characters are not echoed (the repaint at Enter remains).
    pub no_echo: bool,
}

impl Default for ConsoleQuirks {
    fn default() -> Self {
        Self {
            idle_logout: None,
            log_push_after: Duration::from_secs(1),
            double_prompt: false,
            colours: false,
            probe_patience: Duration::from_secs(10),
            probe_at_password: false,
            hop_escape: None,
            hop_farewell: Vec::new(),
            prompt_first: false,
            split_output: None,
            no_echo: false,
        }
    }
}

/// The router behind a session. All methods but [`ConsoleHost::run_line`] answer at once.
pub trait ConsoleHost {
    /// `/system identity`, as it is at this moment.
    fn identity(&self) -> String;

    /// RouterOS's version.
    fn version(&self) -> Version;

    /// The year of the copyright line, e.g. 2025.
    fn copyright_year(&self) -> u16;

    /// The oddities in force.
    fn quirks(&self) -> ConsoleQuirks;

    /// Whether `password` is the one of `user` and the user may log in from here.
    fn authenticate(&self, options: &SessionOptions, user: &str, password: &[u8]) -> bool;

    /// A login was refused (to be logged: `login failure for user X via local`).
    fn login_failed(&self, options: &SessionOptions, user: &str);

    /// A user is in.
    fn logged_in(&self, options: &SessionOptions, user: &str);

    /// A session that was in has ended.
    fn logged_out(&self, options: &SessionOptions, user: &str, reason: EndReason);

    /// The screens due for this user.
    fn welcome(&self, user: &str) -> Welcome;

    /// The licence question was answered: it does not come again.
    fn license_seen(&self);

    /// The default-configuration screen was answered; `remove`: by `r`.
    fn default_configuration_answered(&self, remove: bool);

    /// The commands of the default configuration, shown by `v`.
    fn default_configuration_script(&self) -> Vec<String> {
        Vec::new()
    }

    /// Sets a user's own password. `Err`: why the policy refuses it.
    fn set_password(&self, user: &str, password: &[u8]) -> Result<(), String>;

    /// Runs one input. Dropping the future is Ctrl-C, or the end of the session.
    fn run_line<'a>(&'a self, request: LineRequest, io: CommandIo) -> LocalFuture<'a, LineResult>;

    /// The brackets and quotes that `text` leaves open, outermost first, with `\` last if a line
    /// continues: what the continuation prompt shows. Empty: the input is complete.
    fn open_brackets(&self, text: &[u8]) -> Vec<u8> {
        let open = routeros_script::incomplete(text).unwrap_or_default();
        open.into_iter().map(|bracket| u8::try_from(bracket).unwrap_or(b'?')).collect()
    }

    /// What fits at the end of `line` (the text before the cursor).
    fn complete(&self, path: &[String], line: &[u8]) -> Completion {
        let _ = (path, line);
        Completion::default()
    }

    /// Context help for `line` (the text before the cursor).
    fn help(&self, path: &[String], line: &[u8]) -> Vec<HelpRow> {
        let _ = (path, line);
        Vec::new()
    }

    /// Safe mode. When a session ends while it holds it, [`SafeMode::Unroll`] is asked for, or
    /// [`SafeMode::Release`] after `/quit`.
    fn safe_mode(&self, session: SessionId, user: &str, what: SafeMode) -> SafeModeReply {
        let _ = (session, user, what);
        SafeModeReply::Unsupported
    }

    /// Where critical log lines and chat come from.
    fn notices(&self) -> Notices;

    /// Bytes typed, as the session takes them.
    fn console_in(&self, session: SessionId, bytes: &[u8]) {
        let _ = (session, bytes);
    }

    /// Bytes shown, as the session gives them to the transport.
    fn console_out(&self, session: SessionId, bytes: &[u8]) {
        let _ = (session, bytes);
    }
}
