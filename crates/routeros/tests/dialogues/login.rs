//! Logins, and what a fresh router asks before its first prompt.

use super::*;
use routeros::wake::{Plan, State};
use routeros::{ByteLink, Waker};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[tokio::test(start_paused = true)]
async fn a_probing_router_gets_true_answers_and_no_stall() {
    let (ours, mut peer) = link();
    let start = Instant::now();
    let login = Shell::login(ours, LoginOptions { suffix: Suffix::Plain, ..options() });
    let router = async {
        peer.send(b"\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n").await;
        let mut answer = [0; 32];
        let n = peer.io.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..n], b"\x1b[?1;0c\x1b[4098;3R");
        peer.send(b"\x1b[H\x1b[9999C\x1b[6n").await;
        let n = peer.io.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..n], b"\x1b[1;511R");
        peer.send("\x1b[H\u{e9}H\x1b[6n".as_bytes()).await;
        let n = peer.io.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..n], b"\x1b[1;3R");
        peer.send(b"\x1b[4l\x1b[20l\x1b[?7h\x1b[?5l\x1b[?25h\r\n  MikroTik RouterOS 7.23.1 (c) 1999-2026\r\n\r\n")
            .await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    assert_eq!(shell.unwrap().prompt(), P.trim_end());
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_serial_line_is_woken_and_tries_the_ladder() {
    let (ours, mut peer) = link();
    let passwords = vec![Secret::from("wrong"), Secret::default(), Secret::from("LABEL123")];
    let login = Shell::login(
        ours,
        LoginOptions { suffix: Suffix::Serial, wake: Some(Duration::from_millis(300)), passwords, ..options() },
    );
    let router = async {
        // Ctrl-C takes back what somebody may have typed; a login prompt has no answer to it, but to Enter.
        assert_eq!(peer.line().await.unwrap(), "\x03\x08\x08\x08\x08\x08\x08");
        for password in ["wrong", ""] {
            peer.send(b"\r\nMikroTik 7.18.2 (stable)\r\nMikroTik Login: ").await;
            assert_eq!(peer.line().await.unwrap(), "admin+ct999w4098h");
            peer.send(b"admin+ct999w4098h\r\nPassword: ").await;
            assert_eq!(peer.line().await.unwrap(), password);
            peer.send(b"\r\nLogin failed, incorrect username or password\r\n\r\n").await;
        }
        peer.send(b"MikroTik Login: ").await;
        assert_eq!(peer.line().await.unwrap(), "admin+ct999w4098h");
        peer.send(b"admin+ct999w4098h\r\nPassword: ").await;
        assert_eq!(peer.line().await.unwrap(), "LABEL123");
        peer.send(b"\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.echo = true;
        peer.answer(Ok(&[])).await;
        // A line whose echo is not what was typed is taken back before Enter, and typed anew.
        peer.spoil = Some(150);
        peer.typed.clear();
        let line = peer.answer(Ok(&["42"])).await;
        assert!(peer.typed.len() == 2 && peer.typed[0].ends_with("^C"), "{:?}", peer.typed);
        assert!(line.contains(":put (6 * 7)") && line.starts_with(peer.typed[0].trim_end_matches("^C")), "{line}");
        peer
    };
    let used = async {
        let shell = login.await.unwrap();
        shell.run(":local a \"something long enough to be typed in more than one piece, of which one is damaged: 120 characters are one\"; :put (6 * 7)").await
    };
    let (output, _peer) = tokio::join!(used, router);
    assert_eq!(output.unwrap().text, "42");
}

#[tokio::test(start_paused = true)]
async fn refusals_of_a_login() {
    // By text after a MAC-Telnet login that "succeeded", and the end of the session.
    let (ours, mut peer) = link();
    peer.send(b"Login failed, incorrect username or password\r\n").await;
    drop(peer);
    assert_eq!(
        Shell::login(ours, options()).await.unwrap_err(),
        Error::LoginRejected { user: "admin".into(), tried: 1 }
    );
    // The end without words.
    let (ours, peer) = link();
    drop(peer);
    assert!(matches!(Shell::login(ours, options()).await, Err(Error::LinkClosed { .. })));
    // Silence.
    let (ours, _peer) = link();
    let start = Instant::now();
    let Err(Error::Timeout { waiting, .. }) = Shell::login(ours, options()).await else { panic!() };
    assert_eq!(waiting, "logging in");
    assert!(start.elapsed() < Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn screens_of_a_fresh_router() {
    let (ours, mut peer) = link();
    let login = Shell::login(ours, options());
    let router = async {
        peer.send(b"\r\nDo you want to see the software license? [Y/n]").await;
        assert_eq!(peer.key().await, b'n');
        // The rest of the question comes late, then its line ends: that is no second question.
        peer.send(b": ").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        peer.send(b"\r\n[n]\r\nPress F1 for help\r\n\r\n").await;
        peer.send(b"2025-07-21 17:18:42 system,error,critical login failure for user admin via local\r\n\r\n").await;
        peer.send(b"Change your password (Ctrl-C to skip)\r\n\r\nnew password> ").await;
        assert_eq!(peer.key().await, 3);
        peer.send(b"\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_default_configuration_is_never_removed() {
    let (ours, mut peer) = link();
    let login = Shell::login(ours, options());
    let router = async {
        peer.send(b"The following default configuration has been installed on your router:\r\n---\r\n").await;
        peer.send(b"To remove this default configuration type \"r\" or hit any other key to continue.\r\n").await;
        peer.send(b"If you are connected using the above IP and you remove it, you will be disconnected.\r\n").await;
        assert_eq!(peer.key().await, b'\r');
        let painted = peer.painted();
        peer.send(painted).await;
        // One of the two lines may have been answered twice: Enter at a prompt does nothing.
        let mut line = peer.line().await.unwrap();
        if line.is_empty() {
            line = peer.line().await.unwrap();
        }
        let frame = peer.frame(&line, &peer.printed(&line, Ok(&[])));
        peer.send(frame).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_password_is_set_once_for_each_question() {
    let (ours, mut peer) = link();
    let new_password = NewPassword::Set(Secret::from("N3wSecret"));
    let login = Shell::login(ours, LoginOptions { new_password, ..options() });
    let router = async {
        peer.send(b"Change your password\r\nnew password> ").await;
        assert_eq!(peer.line().await.unwrap(), "N3wSecret");
        peer.send(b"*********\r\x1b[9999Bnew password> *********\r\nrepeat new password> ").await;
        assert_eq!(peer.line().await.unwrap(), "N3wSecret");
        peer.send(b"*********\r\nPassword changed\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

/// A line at 115200 whose answers come a second late, as over a slow console server; at another speed it is deaf.
struct SlowLine {
    io: DuplexStream,
    baud: Arc<AtomicU32>,
}

impl ByteLink for SlowLine {
    fn describe(&self) -> String {
        "slow".into()
    }

    fn speed(&self) -> Option<u32> {
        Some(self.baud.load(Ordering::SeqCst))
    }

    fn set_speed(&mut self, baud: u32) -> bool {
        self.baud.store(baud, Ordering::SeqCst);
        true
    }
}

impl AsyncRead for SlowLine {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for SlowLine {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Its answer comes when another speed has been set by now: that is no proof of the other one.
#[tokio::test(start_paused = true)]
async fn a_late_answer_proves_no_other_speed() {
    for (late, truly) in [(900, 115_200), (1_000, 115_200), (1_500, 115_200), (2_200, 115_200), (5, 9600), (600, 9600)]
    {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let baud = Arc::new(AtomicU32::new(115_200));
        let (mut keys, mut words) = tokio::io::split(theirs);
        let (sender, mut answers) = tokio::sync::mpsc::unbounded_channel();
        let heard = Arc::clone(&baud);
        tokio::spawn(async move {
            while let Ok(key) = keys.read_u8().await {
                if key == b'\r' && heard.load(Ordering::SeqCst) == truly {
                    sender.send(Instant::now() + Duration::from_millis(late)).unwrap();
                }
            }
        });
        tokio::spawn(async move {
            while let Some(at) = answers.recv().await {
                tokio::time::sleep_until(at).await;
                words.write_all(b"\r\nMikroTik Login: ").await.unwrap();
            }
        });
        let mut waker = Waker::new(Box::new(SlowLine { io: ours, baud: Arc::clone(&baud) }), None);
        let woken = waker.wake(&Plan::look(Duration::from_millis(300))).await.unwrap();
        let speed = (truly != 115_200).then_some(truly);
        assert_eq!((&woken.state, woken.speed), (&State::Login, speed), "{late} ms late: {woken:?}");
        assert_eq!(baud.load(Ordering::SeqCst), truly, "{late} ms late");
    }
}

/// Two looks on one line, as `diagnose` and `recover` take them: what the first one saw keeps the second one's hands still.
#[tokio::test(start_paused = true)]
async fn a_boot_that_one_look_saw_is_not_typed_into_by_the_next() {
    for said in [
        "Rebooting...\r\nStopping services...\r\n",
        "Starting...\r\n",
        "Press any key within 2 seconds to enter setup\r\nPlease, check ethernet cable...\r\n",
        "loading kernel... OK\r\nsetting up elf image... OK\r\njumping to kernel code\r\nmtd: words that nobody knows\r\n",
        "Power down.\r\n",
    ] {
        let (ours, mut far) = tokio::io::duplex(4096);
        far.write_all(said.as_bytes()).await.unwrap();
        let mut waker = Waker::new(Box::new(ours), None);
        let seen = waker.wake(&Plan::listen_only(Duration::from_millis(300))).await.unwrap().state;
        assert!(matches!(seen, State::Booting | State::Dead), "{said:?}: {seen:?}");
        let plan = Plan::look(Duration::from_millis(300));
        let next = tokio::time::timeout(Duration::from_secs(60), waker.wake(&plan));
        let mut typed = [0; 64];
        tokio::select! {
            typed = far.read(&mut typed) => panic!("{said:?}: {typed:?} bytes were typed"),
            ended = next => {
                let dead = matches!(&ended, Ok(Ok(woken)) if woken.state == State::Dead);
                assert!(ended.is_err() || dead, "{said:?}: {ended:?}");
            }
        }
    }
}
