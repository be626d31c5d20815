//! A real `/bin/sh` on a real terminal: exact output, true exit status.
#![expect(clippy::unwrap_used, reason = "a shell that fails is a test that fails")]

use routeros::{Error, PosixOptions, PosixShell};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// `/bin/sh` on a pseudo terminal; threads carry its bytes, since its file is no async one.
fn sh() -> (Child, DuplexStream) {
    let master = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let child = Command::new("/bin/sh")
        .arg("-i")
        .env("PS1", "prompt$ ")
        .env_remove("ENV")
        .stdin(Stdio::from(slave.try_clone().unwrap()))
        .stdout(Stdio::from(slave.try_clone().unwrap()))
        .stderr(Stdio::from(slave))
        .spawn()
        .unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (mut from_us, mut to_us) = tokio::io::split(theirs);
    let runtime = tokio::runtime::Handle::current();
    let mut out = File::from(master);
    let mut back = out.try_clone().unwrap();
    let (read_runtime, write_runtime) = (runtime.clone(), runtime);
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = back.read(&mut chunk) {
            if read_runtime.block_on(to_us.write_all(&chunk[..count])).is_err() {
                break;
            }
        }
        let _ = read_runtime.block_on(to_us.shutdown());
    });
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = write_runtime.block_on(from_us.read(&mut chunk)) {
            if out.write_all(&chunk[..count]).is_err() {
                break;
            }
        }
    });
    (child, ours)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_real_shell() {
    let (mut child, link) = sh();
    let mut shell = PosixShell::login(link, PosixOptions::default()).await.unwrap();
    for (command, output, status) in [
        ("echo hello", &b"hello\n"[..], 0),
        ("printf 'no end of line'", b"no end of line", 0),
        ("printf 'a\\r\\nb\\tc\\n\\n'", b"a\r\nb\tc\n\n", 0),
        ("exit 3", b"", 3),
        ("false", b"", 1),
        ("cat", b"", 0),
        ("echo \"it's\" '\"'; echo $((1 + 1))", b"it's \"\n2\n", 0),
        ("for i in 1 2\ndo\n\techo $i\ndone", b"1\n2\n", 0),
        ("printf '\\377\\000\\033[6n'", b"\xff\x00\x1b[6n", 0),
        ("kill -9 $(exec sh -c 'echo $PPID')", b"", 137),
        ("echo \u{e9}", "\u{e9}\n".as_bytes(), 0),
    ] {
        let result = shell.exec(command).await.unwrap();
        if status == 137 {
            assert_eq!(result.status, 137, "{command}");
            continue;
        }
        assert_eq!(result.bytes, output, "{command}");
        assert_eq!(result.status, status, "{command}");
    }
    let many = shell.exec("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done").await.unwrap();
    assert_eq!(many.bytes.split(|byte| *byte == b'\n').count(), 20_001);
    let missing = shell.exec("no-such-command-here").await.unwrap();
    assert_eq!(missing.status, 127);
    assert!(matches!(shell.exec(&"x".repeat(5000)).await, Err(Error::Unsendable { .. })));
    shell.close().await.unwrap();
    child.wait().unwrap();
}
