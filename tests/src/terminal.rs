//! Both ends of pseudo terminals: the screen that a person sits at, and the port that a router is behind.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use routeros::TermSize;
use routeros::terminal::Terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::OpenptFlags;
use rustix::{pty, termios};

/// A loaded machine is slow; a hang is not.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the reader looks whether it is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The far end of a pseudo terminal.
pub struct Far {
    file: Option<File>,
    slave: Option<File>,
    path: PathBuf,
    link: Option<PathBuf>,
    chunks: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Far {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            let _ = std::fs::remove_file(link);
        }
        // The reader holds it open too, and an adapter is unplugged when nobody does.
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Far {
    /// A new one, with a name that lasts where one is wanted. Its near side is kept open: it has settings even while nobody uses it.
    pub fn new(link: Option<&Path>) -> Self {
        let master = pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        pty::grantpt(&master).unwrap();
        pty::unlockpt(&master).unwrap();
        let path = PathBuf::from(pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
        let slave = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path).unwrap();
        if let Some(link) = link {
            symlink(&path, link).unwrap();
        }
        let file = File::from(master);
        let (tell, chunks) = channel();
        let mut reader = file.try_clone().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut space = [0; 4096];
            while !ended.load(Ordering::Relaxed) {
                let mut ready = [PollFd::new(&reader, PollFlags::IN)];
                if poll(&mut ready, Some(&LOOK)).unwrap() == 0 {
                    continue;
                }
                match reader.read(&mut space) {
                    Ok(count) if count > 0 && tell.send(space[..count].to_vec()).is_ok() => {}
                    _ => break,
                }
            }
        });
        let thread = Some(thread);
        Self {
            over,
            thread,
            file: Some(file),
            slave: Some(slave),
            path,
            link: link.map(Path::to_owned),
            chunks,
            seen: Vec::new(),
        }
    }

    /// Raw from the beginning, as a port is that nobody has touched.
    pub fn raw(self) -> Self {
        let mut settings = termios::tcgetattr(self.near()).unwrap();
        settings.make_raw();
        termios::tcsetattr(self.near(), termios::OptionalActions::Now, &settings).unwrap();
        self
    }

    /// The near side, for a program that is to sit at it.
    pub fn near(&self) -> &File {
        self.slave.as_ref().unwrap()
    }

    /// The name by which a program opens it.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }

    /// Rows and columns of a screen.
    pub fn sized(self, rows: u16, columns: u16) -> Self {
        let size = termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        termios::tcsetwinsize(self.near(), size).unwrap();
        self
    }

    /// All settings, to be compared.
    pub fn settings(&self) -> String {
        format!("{:?}", termios::tcgetattr(self.near()).unwrap())
    }

    /// Each key comes as it is, at once, and is not shown: no line is edited, no key is a signal.
    pub fn is_raw(&self) -> bool {
        let cooked = termios::LocalModes::ICANON | termios::LocalModes::ECHO | termios::LocalModes::ISIG;
        !termios::tcgetattr(self.near()).unwrap().local_modes.intersects(cooked)
    }

    /// Its speed.
    pub fn baud(&self) -> u32 {
        termios::tcgetattr(self.near()).unwrap().output_speed()
    }

    /// Types, or speaks as a router does.
    pub fn say(&mut self, bytes: &[u8]) {
        self.file.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Waits for `text`; what was seen up to its end is the answer, and is forgotten.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let (until, text) = (Instant::now() + PATIENCE, text.as_bytes());
        loop {
            if let Some(at) = self.seen.windows(text.len()).position(|window| window == text) {
                let seen: Vec<u8> = self.seen.drain(..at + text.len()).collect();
                return String::from_utf8_lossy(&seen).into_owned();
            }
            self.more(until, text);
        }
    }

    /// Answers a router's questions for the terminal, as one of 80 columns and 24 rows does, until its prompt stands there;
    /// how long that took. The question for its kind is the console's to answer: tmux would not.
    #[track_caller]
    pub fn prompt(&mut self) -> Duration {
        const PROMPT: &[u8] = b"] >";
        let (begun, mut answered) = (Instant::now(), 0);
        let mut screen = Terminal::new(TermSize { cols: 80, rows: 24 });
        loop {
            screen.on_bytes(&self.seen[answered..]);
            answered = self.seen.len();
            let replies = screen.take_replies();
            if !replies.is_empty() {
                self.say(&replies);
            }
            assert!(!self.seen.windows(2).any(|window| window == b"\x1bZ"), "not every terminal answers it");
            if let Some(at) = self.seen.windows(PROMPT.len()).position(|window| window == PROMPT) {
                self.seen.drain(..at + PROMPT.len());
                return begun.elapsed();
            }
            self.more(begun + PATIENCE, PROMPT);
        }
    }

    #[track_caller]
    fn more(&mut self, until: Instant, text: &[u8]) {
        match self.chunks.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(chunk) => self.seen.extend(chunk),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("no {:?} in {:?}", String::from_utf8_lossy(text), String::from_utf8_lossy(&self.seen))
            }
        }
    }
}
