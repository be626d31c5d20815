//! While a command runs: questions, the pager, a slow client; the hop.

use super::*;

#[test]
fn a_question_is_answered_on_the_next_line() {
    // T17, T23
    let host = commanding(|io| async move {
        if io.confirm("Reboot, yes?").await {
            io.line(b"system will reboot shortly");
        }
        LineResult::default()
    });
    let mut sim = Sim::at_prompt(host);
    assert!(sim.type_and_take("/system/reboot\r").ends_with("\r\n\rReboot, yes? [y/N]: \r\n"));
    assert_eq!(sim.type_and_take("y"), format!("y\r\n\rsystem will reboot shortly\r\n{}", painted()));
    sim.keys("/system/reboot\r");
    sim.take();
    assert_eq!(sim.type_and_take("\r"), format!("\r\n{}", painted()));
}

#[test]
fn asked_values_stand_behind_their_names() {
    let host = commanding(|io| async move {
        let numbers = io.ask("numbers", Echo::Plain).await.unwrap_or_default();
        let password = io.ask("password", Echo::Stars).await.unwrap_or_default();
        io.line(&[numbers.as_slice(), b"/", &password].concat());
        LineResult::default()
    });
    let mut sim = Sim::at_prompt(host);
    sim.keys("remove\r");
    sim.take();
    assert_eq!(sim.type_and_take("01\x7f\rpw\r"), format!("01\x08 \x08\r\n\rpassword: **\r\n\r0/pw\r\n{}", painted()));
}

#[test]
fn ctrl_c_and_the_clients_end_stop_a_command() {
    let dropped = Rc::new(Cell::new(0));
    struct Count(Rc<Cell<u32>>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let counter = Rc::clone(&dropped);
    let host = commanding(move |io| {
        let count = Count(Rc::clone(&counter));
        async move {
            let _count = count;
            io.line(b"begun");
            io.sleep(Duration::from_secs(3600)).await;
            LineResult::default()
        }
    });
    let mut sim = Sim::at_prompt(host);
    assert!(sim.type_and_take(":delay 1h\r").ends_with("\rbegun\r\n"), "shown while it runs");
    assert_eq!(sim.type_and_take("typed ahead\x03"), format!("\rinterrupted\r\n{}", painted()));
    assert_eq!(dropped.get(), 1);
    sim.keys(":delay 1h\r");
    sim.keys = None;
    sim.run(Duration::ZERO);
    assert_eq!((dropped.get(), sim.end.get()), (2, Some(EndReason::Vanished)));
}

#[test]
fn the_pager_stops_at_the_terminals_height() {
    let pages = |count: usize, width: usize| {
        commanding(move |io| async move {
            let lines: Vec<Vec<u8>> =
                (0..count).map(|n| format!("{n:>3} {}", "x".repeat(width)).into_bytes()).collect();
            io.page(&lines).await;
            LineResult::default()
        })
    };
    let rows = |text: &str| text.matches("x\r\n").count();
    let mut sim = Sim::at_prompt(pages(60, 10));
    let shown = sim.type_and_take("print\r");
    assert!(shown.ends_with("\r-- [Q quit|D dump|down]"), "{shown:?}");
    assert_eq!(rows(&shown), 23);
    let shown = sim.type_and_take(" ");
    assert!(shown.ends_with("\r-- [Q quit|D dump|up|down]"));
    assert_eq!(rows(&shown), 23);
    let shown = sim.type_and_take("D");
    assert_eq!(rows(&shown), 14);
    assert!(shown.ends_with(&painted()));
    sim.keys("print\r");
    sim.take();
    let shown = sim.type_and_take("q");
    assert_eq!((rows(&shown), shown.ends_with(&painted())), (0, true));
    // Short and too wide: `right` alone.
    let mut wide = Sim::at_prompt(pages(3, 100));
    assert!(wide.type_and_take("print\r").ends_with("\r-- [Q quit|D dump|right]"));
    assert!(wide.type_and_take("\x1b[C").ends_with("\r-- [Q quit|D dump|left]"));
    assert!(wide.type_and_take("\r").ends_with(&painted()));
    // A large terminal never pages.
    let mut large = Sim::named(pages(4000, 10), "admin+ct511w4098h");
    large.run(Duration::from_secs(1));
    large.take();
    assert_eq!(rows(&large.type_and_take("print\r")), 4000);
}

#[test]
fn long_output_wraps_at_the_width() {
    let mut sim = Sim::at_prompt(Host::default());
    let shown = sim.type_and_take(format!(":put \"{}\"\r", "y".repeat(100)));
    assert!(shown.contains(&format!("\r{}\r\n\r{}\r\n", "y".repeat(80), "y".repeat(20))));
}

#[test]
fn output_waits_for_a_slow_client() {
    let host = commanding(|io| async move {
        for _ in 0..100 {
            io.line(&[b'z'; 60]);
            io.flush().await;
        }
        LineResult::default()
    });
    let kernel = Kernel::new(Instant::ZERO, 1);
    let (keys, input) = pipe(None);
    let (output, mut screen) = pipe(Some(256));
    let options = SessionOptions {
        session: SessionId(1),
        transport: Transport::Ssh,
        login: Login::Done { name: b"a+ct".to_vec() },
        from: String::new(),
    };
    let terminal = Terminal { input, output: output.clone(), kernel: kernel.downgrade() };
    kernel.spawn("console", async move {
        run(terminal, Rc::new(host), options).await;
    });
    keys.push(b"go\r");
    let mut now = Instant::ZERO;
    let mut seen = Vec::new();
    for _ in 0..200 {
        now += Duration::from_millis(10);
        kernel.run(now);
        assert!(output.unread() <= 256);
        seen.extend(screen.take(usize::MAX));
    }
    assert_eq!(String::from_utf8(seen).unwrap().matches(&"z".repeat(60)).count(), 100);
}

#[test]
fn faults_are_switched_on_by_quirks() {
    let mut host = Host::default();
    host.quirks.prompt_first = true;
    host.quirks.no_echo = true;
    let mut sim = Sim::at_prompt(host);
    let shown = sim.type_and_take(":put \"a\"\r");
    assert_eq!(shown, format!("\r{P}:put \"a\"\r\n{}\r\n\ra\r\n{}", painted(), painted()));
    let mut host = Host::default();
    host.quirks.split_output = Some(3);
    let mut sim = Sim::named(host, "admin+ct80w24h");
    sim.run(Duration::from_millis(184));
    assert_eq!(sim.take().len(), 3);
    sim.run(Duration::from_millis(1));
    assert_eq!(sim.take().len(), 3);
    sim.run(Duration::from_secs(2));
    assert!(sim.take().ends_with(P));
}

/// A hop that ends with words.
fn parting() -> ConsoleQuirks {
    let words = ["Connection closed by foreign host", "", "Welcome back!"];
    ConsoleQuirks { hop_farewell: words.map(str::to_owned).to_vec(), ..ConsoleQuirks::default() }
}

#[test]
fn a_hop_is_transparent_both_ways() {
    let far: Rc<RefCell<Option<(PipeReader, PipeWriter)>>> = Rc::default();
    let ends = Rc::clone(&far);
    let host = commanding(move |io| {
        let ends = Rc::clone(&ends);
        async move {
            let connect = async |name: Vec<u8>, password: Vec<u8>| {
                assert_eq!((name.as_slice(), password.as_slice()), (b"admin+ct".as_slice(), b"pw".as_slice()));
                let (far_input, typed) = pipe(Some(64));
                let (shows, far_output) = pipe(Some(64));
                *ends.borrow_mut() = Some((typed, shows));
                Ok(hop::Far { output: far_output, input: far_input, keep: () })
            };
            let error = hop::mac_telnet(&io, &parting(), "74:4D:28:00:00:0B", connect).await.err();
            LineResult { error, ..LineResult::default() }
        }
    });
    let mut sim = Sim::at_prompt(host);
    assert!(sim.type_and_take("/tool/mac-telnet host=74:4D:28:00:00:0B\r").ends_with("\r\n\rLogin: "));
    assert_eq!(
        sim.type_and_take("admin+ct\rpw\r"),
        "admin+ct\r\n\rPassword: \r\n\rTrying 74:4D:28:00:00:0B...\r\n\rConnected to 74:4D:28:00:00:0B\r\n"
    );
    let (mut typed, shows) = far.borrow_mut().take().unwrap();
    let all: Vec<u8> = (0..=255).collect();
    let mut got = Vec::new();
    sim.keys(&all);
    while got.len() < 256 {
        let bytes = typed.take(16);
        assert!(!bytes.is_empty(), "stalled after {}", got.len());
        got.extend(bytes);
        sim.run(Duration::ZERO);
    }
    assert_eq!(got, all, "Ctrl-C and all else go to the far router");
    shows.push(b"\r\r\r\rfar> ");
    sim.run(Duration::ZERO);
    assert_eq!(sim.take(), "\r\r\r\rfar> ");
    // What is typed after the far end is gone lands at the near prompt.
    shows.close();
    drop((typed, shows));
    sim.run(Duration::ZERO);
    let shown = sim.take();
    assert_eq!(shown, format!("\rConnection closed by foreign host\r\n\r\r\n\rWelcome back!\r\n{}", painted()));
    assert_eq!(sim.type_and_take("x"), "x");
}

#[test]
fn the_far_console_lives_inside_the_near_one() {
    // The near command runs a whole second session, as the network between them would.
    let far_end = Rc::new(Cell::new(None));
    let kernel: Rc<RefCell<Option<Kernel>>> = Rc::default();
    let (ended, kernels) = (Rc::clone(&far_end), Rc::clone(&kernel));
    let host = commanding(move |io| {
        let (ended, kernel) = (Rc::clone(&ended), kernels.borrow().as_ref().unwrap().clone());
        async move {
            let connect = async |name: Vec<u8>, _| {
                let (input, typed) = pipe(Some(4096));
                let (shows, output) = pipe(Some(4096));
                let options = SessionOptions {
                    session: SessionId(2),
                    transport: Transport::MacTelnet,
                    login: Login::Done { name },
                    from: "74:4D:28:00:00:0A".into(),
                };
                let terminal = Terminal { input: typed, output: shows, kernel: kernel.downgrade() };
                let far: Rc<dyn ConsoleHost> = Rc::new(Host { identity: "B".into(), ..first_login() });
                kernel.spawn("far", async move {
                    ended.set(run(terminal, far, options).await.map(|end| end.reason));
                });
                Ok(hop::Far { output, input, keep: () })
            };
            let error = hop::mac_telnet(&io, &parting(), "74:4D:28:00:00:0B", connect).await.err();
            LineResult { error, ..LineResult::default() }
        }
    });
    let mut sim = Sim::named(Host { identity: "A".into(), ..host }, "admin");
    *kernel.borrow_mut() = Some(sim.kernel.clone());
    let mut emulator = Emulator::new(40, 132);
    converse(&mut sim, &mut emulator);
    sim.keys("/tool/mac-telnet 74:4D:28:00:00:0B\r");
    // The far probe is answered by the near client's own terminal, through the near router.
    sim.keys("admin\rpw\r");
    converse(&mut sim, &mut emulator);
    assert!(screen(&emulator).ends_with("Do you want to see the software license? [Y/n]:"), "{}", screen(&emulator));
    sim.keys("n\x03");
    converse(&mut sim, &mut emulator);
    assert!(screen(&emulator).ends_with("[admin@B] >"), "{}", screen(&emulator));
    assert_eq!(sim.host.ran.borrow().len(), 1, "Ctrl-C went to the far console");
    sim.keys(":put \"on B\"\r/quit\r:put \"typed behind\"\r");
    converse(&mut sim, &mut emulator);
    assert_eq!(far_end.get(), Some(EndReason::Quit));
    let shown = screen(&emulator);
    assert!(shown.contains("\non B\n") && shown.contains("\ninterrupted\n"), "{shown}");
    // What was typed behind /quit went to the far console and is lost there.
    assert!(shown.ends_with("Welcome back!\n[admin@A] >"), "{shown}");
    assert_eq!(sim.host.ran.borrow().len(), 1);
    sim.keys.take();
    sim.run(Duration::from_millis(1));
    kernel.borrow_mut().take();
}
