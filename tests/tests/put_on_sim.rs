//! Files over a simulated serial line at its speed: how well the line is used, and whether they arrive over one that changes
//! bytes and breaks. The whole sample is
//! `JUMPLEAD_RUNS=1000 cargo xtask bench bench_serial`.

use std::sync::{Arc, Mutex};

use jumplead_tests::noisy_line::{FILE, Noise, NoisyLine, content, login, paste, put, put_script, router, used};
use routeros::{Secret, Shell};
use routersim::serial::Wire;

fn simulated<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async { test().await });
}

fn noise(seed: u64, every: u64, breaks_after: Option<u64>) -> Arc<Mutex<Noise>> {
    Arc::new(Mutex::new(Noise::new(seed, every, breaks_after)))
}

#[test]
fn a_good_line_is_kept_busy() {
    for text in [false, true] {
        simulated(|| async {
            let content = content(1, 40 * 1024, text);
            let router = router("7.18.2", 1).await;
            let sent = put(&router, &noise(1, 0, None), &content).await;
            let (rate, ratio) = used(&content, &sent);
            println!(
                "{} bytes in {:?}: {rate:.0} bytes/s, {:.1} % of the best encoding's",
                content.len(),
                sent.took,
                ratio * 100.0
            );
            assert!(sent.exact && sent.sessions == 1, "{sent:?}");
            // A worse encoding, or a line that idles, shows here.
            assert!(ratio >= 0.95, "{ratio}");
        });
    }
}

#[test]
fn on_6_x_what_fits_arrives() {
    simulated(|| async {
        let content = content(2, 4000, false);
        let router = router("6.44.6", 2).await;
        let sent = put(&router, &noise(7, 20_000, Some(9000)), &content).await;
        assert!(sent.exact, "{sent:?}");
    });
}

/// What is too long for a file there is a script: over a line that changes bytes and breaks, on both versions.
#[test]
fn a_long_script_arrives_on_6_x_too() {
    for version in ["6.44.6", "7.18.2"] {
        simulated(|| async {
            let source = content(5, 12 * 1024, true);
            let router = router(version, 5).await;
            let noise = noise(5, 20_000, Some(40_000));
            let sent = put_script(&router, &noise, &source).await;
            println!("{version}: {sent:?}, {} bytes changed", noise.lock().unwrap().changed);
            assert!(sent.exact && sent.sessions > 1, "{version}: {sent:?}");
        });
    }
}

/// `/password` asks, and echoes nothing: on both versions, over a line that changes bytes now and then. A login proves it.
#[test]
fn the_own_password_is_changed_without_an_echo() {
    for version in ["6.44.6", "7.18.2"] {
        simulated(|| async {
            let (router, quiet, new) = (router(version, 6).await, noise(1, 0, None), Secret::new("New-Own_9"));
            let with = |password: &str| routeros::LoginOptions { passwords: vec![Secret::new(password)], ..login() };
            let shell = Shell::login(NoisyLine::open(&router, &noise(6, 3000, None)), with("")).await.unwrap();
            assert_eq!(shell.user(), "admin");
            assert_eq!(shell.own_password(new.clone()).await, Ok(true), "{version}");
            // Whoever comes to a line that is logged in does not know what was typed there.
            drop(shell);
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let found = Shell::login(NoisyLine::open(&router, &quiet), with("")).await.unwrap();
            assert_eq!(found.own_password(new.clone()).await, Ok(false), "{version}");
            found.close().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let wrong = Shell::login(NoisyLine::open(&router, &quiet), with("")).await.unwrap_err();
            assert_eq!(wrong.code(), "routeros.login.rejected", "{version}");
            Shell::login(NoisyLine::open(&router, &quiet), with(new.reveal())).await.unwrap();
        });
    }
}

/// Quoted on both; as base64 on 7.x, where that is shorter.
#[test]
fn each_byte_arrives_as_it_is() {
    let all: Vec<u8> = (0..=255).collect();
    for (version, content) in [
        ("6.44.6", [all.repeat(3), all.iter().rev().copied().collect()].concat()),
        ("7.22.1", all.repeat(3)),
        ("7.22.1", [vec![b'a'; 2000], all.clone()].concat()),
    ] {
        simulated(|| async {
            let router = router(version, 3).await;
            let sent = put(&router, &noise(1, 0, None), &content).await;
            assert!(sent.exact && sent.sessions == 1, "{version}: {sent:?}");
            let shell = Shell::login(NoisyLine::open(&router, &noise(1, 0, None)), login()).await.unwrap();
            assert_eq!(shell.read_file(FILE).await.unwrap(), content, "{version}");
        });
    }
}

#[test]
fn a_bad_line_brings_it_whole_all_the_same() {
    let mut resumed = 0;
    for seed in 1..=3 {
        simulated(|| async {
            let content = content(seed, 40 * 1024, false);
            let router = router("7.18.2", seed).await;
            let noise = noise(seed, 20_000, Some(100_000));
            let sent = put(&router, &noise, &content).await;
            println!("seed {seed}: {sent:?}, {} bytes changed", noise.lock().unwrap().changed);
            assert!(sent.exact, "seed {seed}: {sent:?}");
            resumed += usize::from(sent.sessions > 1);
        });
    }
    assert_eq!(resumed, 3, "each line broke once");
}

/// Bits read wrongly, NULs where a stop bit was, characters doubled and lost: the simulated wire's own noise, each way.
#[test]
fn a_wire_that_doubles_loses_and_invents_brings_it_whole() {
    for (version, size) in [("7.18.2", 8 * 1024), ("6.44.6", 1500)] {
        simulated(|| async {
            let content = content(4, size, false);
            let router = router(version, 4).await;
            router.with(|router, _| router.set_serial_wire(Wire { error_every: 4000, seed: 4, ..Wire::default() }));
            let sent = put(&router, &noise(1, 0, None), &content).await;
            println!("{version}: {sent:?}");
            assert!(sent.exact, "{version}: {sent:?}");
        });
    }
}

#[test]
fn a_plain_sender_loses_it() {
    simulated(|| async {
        let content = content(1, 8 * 1024, false);
        let router = router("7.18.2", 1).await;
        let sent = paste(&router, &noise(1, 20_000, Some(15_000)), &content).await;
        assert!(!sent.exact, "{sent:?}");
    });
}
