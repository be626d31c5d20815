//! At the prompt: editing, completion, safe mode, what is pushed in.

use super::*;

#[test]
fn prompts_follow_path_and_version() {
    let mut sim = Sim::at_prompt(Host::default());
    assert!(sim.type_and_take("/ip/address\r").ends_with("\r[admin@MikroTik] /ip/address> "));
    let mut old = Sim::at_prompt(Host { version: Version::new(6, 44, 6), ..Host::default() });
    assert!(old.type_and_take("/ip/address\r").ends_with("\r[admin@MikroTik] /ip address> "));
}

#[test]
fn open_brackets_change_the_prompt() {
    let mut sim = Sim::at_prompt(Host::default());
    let small = |prompt: &str| format!("\r\r\r\r{prompt}{}\r{prompt}", pad(79 - prompt.len()));
    assert!(sim.type_and_take("{\r").ends_with(&small("{... ")));
    assert!(sim.type_and_take(":put (1 + \\\r").ends_with(&small("{(\\... ")));
    assert!(sim.type_and_take("2)\r").ends_with(&small("{... ")));
    assert!(sim.host.ran.borrow().is_empty());
    assert!(sim.type_and_take("}\r").ends_with(&painted()));
    assert_eq!(*sim.host.ran.borrow(), [b"{\n:put (1 + \\\n2)\n}"]);
    // Recalled, and Ctrl-C drops it all.
    assert!(sim.type_and_take("\x1b[A").ends_with("\rline 4 of 4> }"));
    assert!(sim.type_and_take("\x03").ends_with(&painted()));
    assert!(sim.type_and_take("{\r").ends_with(&small("{... ")));
    assert!(sim.type_and_take("\x03").ends_with(&painted()));
    assert_eq!(sim.host.ran.borrow().len(), 1);
}

#[test]
fn two_lines_in_one_write_are_two_inputs() {
    let mut sim = Sim::at_prompt(Host::default());
    let shown = sim.type_and_take(":put \"a\"\r:put \"b\"\r");
    let one = |text: &str| format!(":put \"{text}\"\r{P}:put \"{text}\"\r\n\r{text}\r\n{}", painted());
    assert_eq!(shown, one("a") + &one("b"));
}

#[test]
fn editing_keys_change_the_line() {
    let mut sim = Sim::at_prompt(Host::default());
    sim.keys(":put \"ac\"\x1b[D\x1b[D\x1b[Cb\x02\x02\x1b[3~\x01\x05\r");
    sim.keys("junk\x15:put \"x\"\x01\x06\x0b\x15:put \"yz\x7f\"\r");
    sim.keys("\x1b[A\x1b[A\x1b[B\r");
    let ran: Vec<String> =
        sim.host.ran.borrow().iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    assert_eq!(ran, [":put \"ab\"", ":put \"y\"", ":put \"y\""]);
}

#[test]
fn the_screen_agrees_with_the_line() {
    let mut sim = Sim::at_prompt(Host::default());
    let mut emulator = Emulator::new(24, 80);
    emulator.show(painted().as_bytes());
    let line = "/ip firewall filter add chain=input comment=\"one two three four five six seven eight nine ten\"";
    for byte in line.bytes() {
        let bytes = sim.type_and_take([byte]);
        emulator.show(bytes.as_bytes());
    }
    assert_eq!(emulator.screen.screen().cursor_position().0, 0, "one screen line only");
    assert!(screen(&emulator).starts_with('<') && screen(&emulator).ends_with("nine ten\""), "{}", screen(&emulator));
    let bytes = sim.type_and_take("\x01");
    emulator.show(bytes.as_bytes());
    assert!(screen(&emulator).starts_with(&format!("{P}/ip firewall")) && screen(&emulator).ends_with('>'));
    assert_eq!(emulator.screen.screen().cursor_position(), (0, 19));
}

#[test]
fn tab_completes_and_lists() {
    let mut sim = Sim::at_prompt(Host::default());
    assert_eq!(sim.type_and_take("/id\t"), "/identity ");
    sim.keys("\x15");
    sim.take();
    assert_eq!(sim.type_and_take("/i\t"), "/i");
    assert!(sim.type_and_take("\t").starts_with(&format!("\r{P}/i\r\n\ridentity  interface  ip\r\n")));
}

#[test]
fn a_question_mark_is_help_on_6_and_text_on_7() {
    let mut old = Sim::at_prompt(Host { version: Version::new(6, 44, 6), ..Host::default() });
    let shown = old.type_and_take("/ip ?");
    assert!(shown.starts_with(&format!("/ip \r{P}/ip \r\n\rprint -- Print values\r\n")), "{shown:?}");
    assert!(shown.ends_with(&format!("\r{P}/ip ")));
    assert_eq!(old.type_and_take("\\?"), "\\?");
    let mut new = Sim::at_prompt(Host::default());
    assert_eq!(new.type_and_take("a?"), "a?");
}

#[test]
fn a_comment_line_is_chat_on_7() {
    let mut sim = Sim::at_prompt(Host::default());
    sim.keys("# hello\r");
    assert!(sim.host.ran.borrow().is_empty());
    sim.take();
    sim.run(Duration::from_secs(2));
    assert!(sim.take().starts_with("\radmin:  hello "));
}

#[test]
fn quit_says_interrupted() {
    let mut sim = Sim::at_prompt(Host::default());
    assert_eq!(sim.type_and_take("/quit\r"), format!("/quit\r{P}/quit\r\n\rinterrupted\r\n"));
    assert_eq!(sim.end.get(), Some(EndReason::Quit));
    let mut sim = Sim::at_prompt(Host::default());
    sim.keys("x\x04\x7f\x04");
    assert_eq!(sim.end.get(), Some(EndReason::LoggedOut));
}

#[test]
fn safe_mode_is_in_the_prompt_and_undone_by_ctrl_d() {
    let mut sim = Sim::at_prompt(Host::default());
    let shown = sim.type_and_take("\x18");
    assert!(shown.starts_with("\r\n\rTaking Safe Mode session... Success!\r\n"), "{shown:?}");
    assert!(shown.ends_with("\r[admin@MikroTik] <SAFE> "));
    sim.keys("\x04");
    assert_eq!(*sim.host.safe.borrow(), [SafeMode::Take, SafeMode::Unroll]);
    let mut sim = Sim::at_prompt(Host { version: Version::new(6, 44, 6), ..Host::default() });
    assert!(sim.type_and_take("\x18").contains("\r[Safe Mode taken]\r\n"));
    sim.keys("/quit\r");
    assert_eq!(*sim.host.safe.borrow(), [SafeMode::Take, SafeMode::Release]);
}

#[test]
fn log_lines_come_into_an_idle_session_only() {
    let line = LogLine {
        clock: "23:17:46".into(),
        topics: "system,error,critical".into(),
        message: "login failure for user admin from 192.168.4.31 via api".into(),
        ..LogLine::default()
    };
    // T22, on a probed terminal
    let mut sim = Sim::named(Host { identity: "CHR".into(), ..Host::default() }, "admin");
    let mut emulator = Emulator::new(40, 132);
    converse(&mut sim, &mut emulator);
    sim.host.notices.publish(Notice::Log(line.clone()));
    sim.run(Duration::from_millis(900));
    sim.keys("x\x7f");
    sim.take();
    sim.run(Duration::from_millis(900));
    assert_eq!(sim.take(), "", "a key was typed meanwhile");
    sim.run(Duration::from_millis(100));
    assert_eq!(
        sim.take(),
        "\r23:17:46 echo: system,error,critical login failure for user admin from 192.168.4.31 via api\x1b[K\r\n\r\x1b[9999B[admin@CHR] > "
    );
    // The half-typed line comes back.
    let mut plain = Sim::at_prompt(Host::default());
    plain.keys("/ip ad");
    plain.host.notices.publish(Notice::Log(line));
    plain.take();
    plain.run(Duration::from_secs(2));
    let shown = plain.take();
    assert!(shown.starts_with("\r23:17:46 echo: system,error,critical login failure"), "{shown:?}");
    assert!(shown.ends_with(&format!("\r{P}/ip ad")), "{shown:?}");
}

#[test]
fn an_idle_session_ends_silently() {
    let mut host = Host::default();
    host.quirks.idle_logout = Some(Duration::from_secs(30));
    let mut sim = Sim::at_prompt(host);
    sim.run(Duration::from_secs(20));
    sim.keys("x");
    sim.take();
    sim.run(Duration::from_millis(29_999));
    assert_eq!(sim.end.get(), None);
    sim.run(Duration::from_millis(1));
    assert_eq!((sim.end.get(), sim.take().as_str()), (Some(EndReason::Idle), ""));
}

#[test]
fn only_waiting_for_the_user_is_idle() {
    let mut host = commanding(|io| async move {
        io.sleep(Duration::from_secs(100)).await;
        io.confirm("Reboot, yes?").await;
        LineResult::default()
    });
    host.quirks.idle_logout = Some(Duration::from_secs(30));
    let mut sim = Sim::at_prompt(host);
    sim.keys("/system/reboot\r");
    sim.run(Duration::from_secs(129));
    assert_eq!(sim.end.get(), None, "100 s of work and 29 s of waiting");
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.end.get(), Some(EndReason::Idle));
}

#[test]
fn the_prompt_comes_twice_where_it_does() {
    // T22, over SSH
    let mut host = Host { identity: "CHR".into(), ..Host::default() };
    host.quirks.double_prompt = true;
    let mut sim = Sim::named(host, "admin");
    let mut emulator = Emulator::new(40, 132);
    converse(&mut sim, &mut emulator);
    let shown = sim.type_and_take(":put \"x\"\r");
    let p = "\x1b[9999B[admin@CHR] > ";
    assert!(shown.ends_with(&format!("\rx\r\n\r\r\r{p}\r\n\r\r\r\r{p}")), "{shown:?}");
}
