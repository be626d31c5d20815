//! Files over a serial line that is slow, changes bytes and breaks: ours, and a plain sender's, in the same runs.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use lab::{NodeHandle, World};
use routeros::{ByteLink, FileName, LoginOptions, Shell, Suffix};
use routersim::router::Router;
use routersim::spec::Spec;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::time::Instant;

/// Bits a second, and bytes: ten bits each.
pub const BAUD: u32 = 115_200;
/// The name of what is put.
pub const FILE: &str = "HA_jumplead_big.rsc";

/// What a line does to what it carries.
#[derive(Debug)]
pub struct Noise {
    state: u64,
    /// Bytes to the next changed one, each way. Zero: none is changed.
    every: u64,
    left: [u64; 2],
    /// Bytes until the line breaks, both ways together.
    pub breaks_after: Option<u64>,
    /// Bytes changed.
    pub changed: u64,
}

impl Noise {
    /// A byte changed every `every` bytes on average, `breaks_after` bytes to the break.
    pub fn new(seed: u64, every: u64, breaks_after: Option<u64>) -> Self {
        let mut noise =
            Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, every, left: [0; 2], breaks_after, changed: 0 };
        noise.left = [noise.distance(), noise.distance()];
        noise
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn distance(&mut self) -> u64 {
        if self.every == 0 { u64::MAX } else { 1 + self.random() % (2 * self.every) }
    }

    /// Changes what passes; false: the line is broken.
    fn pass(&mut self, way: usize, bytes: &mut [u8]) -> bool {
        for byte in bytes.iter_mut() {
            let left = &mut self.left[way];
            *left -= 1;
            if *left == 0 {
                *byte ^= 1 << (self.random() % 8);
                self.changed += 1;
                self.left[way] = self.distance();
            }
        }
        match &mut self.breaks_after {
            Some(left) => {
                *left = left.saturating_sub(bytes.len() as u64);
                *left > 0
            }
            None => true,
        }
    }
}

/// A cable with noise on it.
pub struct NoisyLine {
    io: DuplexStream,
    noise: Arc<Mutex<Noise>>,
    broken: bool,
    /// Bytes that came from the router.
    pub received: Arc<AtomicU64>,
}

impl NoisyLine {
    pub fn open(router: &NodeHandle<Router>, noise: &Arc<Mutex<Noise>>) -> Self {
        let io = lab::serial::cable(router, BAUD);
        Self { io, noise: Arc::clone(noise), broken: false, received: Arc::default() }
    }

    fn pass(&mut self, way: usize, bytes: &mut [u8]) -> bool {
        let mut noise = self.noise.lock().unwrap();
        if !noise.pass(way, bytes) {
            self.broken = true;
            noise.breaks_after = None;
        }
        !self.broken
    }
}

impl AsyncRead for NoisyLine {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let this = &mut *self;
        let came = &mut buf.filled_mut()[before..];
        this.received.fetch_add(came.len() as u64, Ordering::Relaxed);
        if !this.pass(0, came) {
            buf.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for NoisyLine {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        // What the far buffer does not take now is not noised twice: it takes all of these.
        let mut bytes = bytes[..bytes.len().min(1024)].to_vec();
        if self.broken || !self.pass(1, &mut bytes) {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.io).poll_write(cx, &bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl ByteLink for NoisyLine {
    fn describe(&self) -> String {
        "serial".into()
    }
}

/// Bytes of no pattern, all of them, or lines of a script.
pub fn content(seed: u64, size: usize, text: bool) -> Vec<u8> {
    let mut noise = Noise::new(seed ^ 0xC0FFEE, 0, None);
    if text {
        let line = |i: usize| format!("/ip firewall filter add chain=input comment=\"rule {i}\" action=accept\n");
        return (0..).flat_map(|i| line(i).into_bytes()).take(size).collect();
    }
    (0..size).map(|_| noise.random().to_le_bytes()[3]).collect()
}

/// A router that is up, alone in its world. To be called inside a `LocalSet`.
pub async fn router(version: &str, seed: u64) -> NodeHandle<Router> {
    let spec = Spec::pair_b().version(version.parse().unwrap());
    let world = World::new(seed);
    let router = world.add("B", Router::new(spec, seed).unwrap());
    tokio::task::spawn_local(world.clone().drive(1.0));
    router.with(|router, now| router.power_on(now));
    tokio::time::sleep(Duration::from_secs(120)).await;
    router
}

/// A login on it.
pub fn login() -> LoginOptions {
    LoginOptions { suffix: Suffix::Serial, wake: Some(routeros::boot::IDLE), ..LoginOptions::new("admin") }
}

/// Bytes that a console echoes, at the least, for each byte of `content`: of the encodings that people use (base64, or quoted with
/// `\` before what needs it; routeros-console.md 6.5), in lines `:set zb ($zb . "...")` of 150 to 800 characters, on the narrowest
/// terminal that shows such a line without scrolling. A console shows each character as it is typed, the line once more at
/// Enter, and then its prompt twice, the first one padded to the terminal's width less one (transcripts 19, 20).
#[allow(clippy::cast_precision_loss)]
pub fn fewest_echoed(content: &[u8], prompt: usize) -> f64 {
    const AROUND: usize = ":set zb ($zb . \"\")".len();
    let quoted = |byte: &u8| match byte {
        b'\\' | b'"' | b'$' | b'?' | b'\n' | b'\r' | b'\t' => 2,
        b' '..=b'~' => 1,
        _ => 3,
    };
    let quoted: usize = content.iter().map(quoted).sum();
    let characters = quoted.min(content.len().div_ceil(3) * 4) as f64 / content.len() as f64;
    let echoed = |chunk: usize| {
        let line = AROUND + chunk;
        let (typed, entered, padded) = (line, 1 + prompt + line + 2, 4 + prompt + line + 1);
        (typed + entered + padded + prompt) as f64 / (chunk as f64 / characters)
    };
    (150..=800).map(echoed).fold(f64::INFINITY, f64::min)
}

/// How fast `content` went, and how much of what the line can carry of it in the best listed encoding that is.
#[allow(clippy::cast_precision_loss)]
pub fn used(content: &[u8], sent: &Sent) -> (f64, f64) {
    let rate = content.len() as f64 / sent.took.as_secs_f64();
    (rate, rate * fewest_echoed(content, sent.prompt) * 10.0 / f64::from(BAUD))
}

/// What one transfer came to.
#[derive(Debug)]
pub struct Sent {
    /// The file is exactly the content.
    pub exact: bool,
    /// From the start of the first put to the end of the last.
    pub took: Duration,
    /// Bytes that the router sent meanwhile: on a console its echo is the slower direction.
    pub echoed: u64,
    /// Sessions that it took.
    pub sessions: usize,
    /// Characters of the prompt, its blank among them.
    pub prompt: usize,
}

/// What became of a content on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loss {
    /// Its own last line made a file of it.
    pub there: bool,
    /// Bytes of the content that are not in it.
    pub missing: usize,
    /// Bytes of it that are others, or too many.
    pub changed: usize,
}

impl Loss {
    /// What the file on the router lacks; where the sender's last line made none, what came of its lines until then.
    pub async fn on(router: &NodeHandle<Router>, content: &[u8]) -> Self {
        let file = || router.look(|r| r.system().and_then(|system| system.read_file(FILE)));
        let there = file().is_some();
        if !there {
            let made = format!(":global zb; /file add name={FILE} contents=$zb");
            let _ = router.with(|router, now| router.start_script(now, "admin", &made));
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        Self { there, ..Self::of(content, &file().unwrap_or_default()) }
    }

    /// Side by side; where both part, the nearest place from which on they are the same again, for so many bytes.
    fn of(content: &[u8], file: &[u8]) -> Self {
        const SAME: usize = 12;
        let agree = |at: usize, in_file: usize| {
            let (left, right) = (&content[at.min(content.len())..], &file[in_file.min(file.len())..]);
            let count = SAME.min(left.len()).min(right.len());
            count > 0 && left[..count] == right[..count]
        };
        let (mut loss, mut at, mut in_file) = (Self::default(), 0, 0);
        while at < content.len() && in_file < file.len() {
            if content[at] == file[in_file] {
                (at, in_file) = (at + 1, in_file + 1);
            } else if agree(at + 1, in_file + 1) {
                (at, in_file, loss.changed) = (at + 1, in_file + 1, loss.changed + 1);
            } else if let Some(gone) = (1..content.len() - at).find(|gone| agree(at + gone, in_file)) {
                (at, loss.missing) = (at + gone, loss.missing + gone);
            } else {
                (in_file, loss.changed) = (in_file + 1, loss.changed + 1);
            }
        }
        loss.missing += content.len() - at;
        loss.changed += file.len() - in_file;
        loss
    }
}

fn is_there(router: &NodeHandle<Router>, content: &[u8]) -> bool {
    router.look(|r| r.system().and_then(|system| system.read_file(FILE))).is_some_and(|file| file == content)
}

/// Ours: as often as the line breaks.
pub async fn put(router: &NodeHandle<Router>, noise: &Arc<Mutex<Noise>>, content: &[u8]) -> Sent {
    let mut sent = put_into(router, noise, content, false).await;
    sent.exact &= is_there(router, content);
    sent
}

/// The same into `/system script`.
pub async fn put_script(router: &NodeHandle<Router>, noise: &Arc<Mutex<Noise>>, source: &[u8]) -> Sent {
    let mut sent = put_into(router, noise, source, true).await;
    let there = router.look(|r| {
        let system = r.system()?;
        system.config(|config| {
            let item = config.items("/system/script").iter().find(|item| item.get("name") == Some(FILE))?;
            item.get("source").map(|text| text.as_bytes() == source)
        })
    });
    sent.exact &= there == Some(true);
    sent
}

async fn put_into(router: &NodeHandle<Router>, noise: &Arc<Mutex<Noise>>, content: &[u8], script: bool) -> Sent {
    let name = FileName::ours(FILE).unwrap();
    let (mut took, mut echoed, mut sessions) = (Duration::ZERO, 0, 0);
    let (mut done, mut prompt) = (false, 0);
    while !done && sessions < 8 {
        sessions += 1;
        // The old cable is out before the new one is in.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let line = NoisyLine::open(router, noise);
        let received = Arc::clone(&line.received);
        let Ok(shell) = Shell::login(line, login()).await else { continue };
        prompt = shell.prompt().len() + 1;
        let (start, before) = (Instant::now(), received.load(Ordering::Relaxed));
        let put = if script { shell.put_script(&name, content).await } else { shell.put_file(&name, content).await };
        done = put.is_ok();
        took += start.elapsed();
        echoed += received.load(Ordering::Relaxed) - before;
    }
    Sent { exact: done, took, echoed, sessions, prompt }
}

/// A plain sender: the same pieces pasted at the line's speed, and nothing read.
pub async fn paste(router: &NodeHandle<Router>, noise: &Arc<Mutex<Noise>>, content: &[u8]) -> Sent {
    let quiet = Arc::new(Mutex::new(Noise::new(1, 0, None)));
    let shell = Shell::login(NoisyLine::open(router, &quiet), login()).await.unwrap();
    drop(shell);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    let mut lines = vec![":global zb \"\"\r".to_owned()];
    for piece in content.chunks(300) {
        let hex: String = piece.iter().map(|byte| format!("\\{byte:02X}")).collect();
        lines.push(format!(":set zb ($zb . \"{hex}\")\r"));
    }
    lines.push(format!("/file add name={FILE} contents=$zb\r"));
    let mut line = NoisyLine::open(router, noise);
    let mut echoed = 0;
    for text in lines {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match line.write(rest).await {
                Ok(count) => rest = &rest[count..],
                // The terminal is opened again and the paste goes on.
                Err(_) => line = NoisyLine::open(router, noise),
            }
        }
        let time = Duration::from_micros(text.len() as u64 * 10_000_000 / u64::from(BAUD));
        tokio::time::sleep(time).await;
        let mut space = [0; 4096];
        while let Ok(Ok(count)) = tokio::time::timeout(Duration::ZERO, line.read(&mut space)).await {
            echoed += count as u64;
            if count == 0 {
                line = NoisyLine::open(router, noise);
            }
        }
    }
    tokio::time::sleep(Duration::from_secs(120)).await;
    Sent { exact: is_there(router, content), took: start.elapsed(), echoed, sessions: 1, prompt: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_counted() {
        let content = content(7, 3000, false);
        let mut file = content.clone();
        file[100] ^= 1;
        file.drain(1000..1300);
        file.splice(2000..2000, [1, 2, 3]);
        file.truncate(2603);
        assert_eq!(Loss::of(&content, &file), Loss { there: false, missing: 400, changed: 4 });
        assert_eq!(Loss::of(&content, &content), Loss::default());
        assert_eq!(Loss::of(&content, &[]).missing, 3000);
    }
}
