//! What comes before the prompt: login, licence, password, the default configuration.

use super::*;

#[test]
fn serial_and_telnet_ask_for_name_and_password() {
    let mut sim = Sim::new(Host::default(), Transport::Serial, Login::Ask);
    sim.run(Duration::from_millis(20));
    assert_eq!(sim.take(), "\r\nMikroTik 7.21.5 (stable)\r\nMikroTik Login: ");
    // CR LF is two Enters here: name, and an empty password.
    sim.keys("admin\r\n");
    sim.run(Duration::from_millis(55));
    sim.run(Duration::from_millis(20));
    assert_eq!(
        sim.take(),
        "admin\r\nPassword: \r\nLogin failed, incorrect username or password\r\n\r\nMikroTik Login: "
    );
    assert_eq!(*sim.host.failures.borrow(), ["admin"]);
    sim.keys("admin+ct80w24h\rsecret\r");
    sim.run(Duration::from_secs(1));
    let shown = sim.take();
    assert!(shown.starts_with("admin+ct80w24h\r\nPassword: \r\n") && shown.ends_with(&painted()), "{shown:?}");

    let mut telnet =
        Sim::new(Host { version: Version::new(6, 44, 6), ..Host::default() }, Transport::Telnet, Login::Ask);
    telnet.run(Duration::from_millis(20));
    assert_eq!(telnet.take(), "\r\nMikroTik v6.44.6 (long-term)\r\nLogin: ");
    telnet.keys("admin+ct\r\0secret\r\n");
    telnet.run(Duration::from_secs(1));
    assert!(telnet.take().ends_with(&painted()), "CR NUL and CR LF are one Enter");
}

#[test]
fn a_refused_mac_telnet_login_is_text() {
    // T26: 46 bytes, about a second after the exchange.
    let mut sim = Sim::new(Host::default(), Transport::MacTelnet, Login::Refused);
    sim.run(Duration::from_millis(1000));
    assert_eq!(sim.take(), "");
    sim.run(Duration::from_millis(100));
    let text = sim.take();
    assert_eq!((text.as_str(), text.len()), ("Login failed, incorrect username or password\r\n", 46));
    assert_eq!(sim.end.get(), Some(EndReason::Refused));
}

#[test]
fn a_first_login_asks_for_licence_and_password() {
    // T15
    let mut sim = Sim::named(first_login(), "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    let banner = sim.take();
    for row in [
        "  MMM      MMM       KKK                          TTTTTTTTTTT      KKK",
        "  MMM  MM  MMM  III  KKKKK     RRR  RRR  OOO  OOO     TTT     III  KKKKK",
        "  MikroTik RouterOS 7.21.5 (c) 1999-2025       https://www.mikrotik.com/",
    ] {
        assert!(banner.contains(&format!("\r{row}\r\n")), "{banner}");
    }
    assert!(banner.ends_with("\rDo you want to see the software license? [Y/n]: \r\n"));
    let shown = sim.type_and_take("n");
    assert!(sim.host.license_seen.get());
    let repainted = |prompt: &str| format!("\r\r\r\r{prompt}{}\r{prompt}", pad(79 - prompt.len()));
    let expected = [
        "n\r\n\rPress F1 for help\r\n\r\r\n",
        "\r2025-07-21 17:18:42 system,error,critical login failure for user admin via local\r\n\r\r\n",
        "\rChange your password\r\n",
        &repainted("new password> "),
    ];
    assert_eq!(shown, expected.concat());
    assert_eq!(sim.type_and_take("abc\r"), format!("***\rnew password> ***\r\n{}", repainted("repeat new password> ")));
    assert_eq!(
        sim.type_and_take("abd\r"),
        format!(
            "***\rrepeat new password> ***\r\n\r\r\n\rTry again, error: New passwords do not match!\r\n{}",
            repainted("new password> ")
        )
    );
    let shown = sim.type_and_take("abc\rabc\r");
    assert!(shown.ends_with(&format!("\r\r\n\rPassword changed\r\n{}", painted())), "{shown:?}");
    assert_eq!(*sim.host.passwords.borrow(), [b"abc"]);
}

#[test]
fn ctrl_c_skips_the_password_and_an_extra_enter_is_an_answer() {
    let mut sim = Sim::named(Host { version: Version::new(7, 23, 2), ..first_login() }, "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    // One Enter too many after the licence question: an empty new password.
    let shown = sim.type_and_take("n\r");
    assert!(shown.contains("\rChange your password (Ctrl-C to skip)\r\n"));
    assert!(shown.ends_with("\rrepeat new password> "), "{shown:?}");
    let shown = sim.type_and_take("\r");
    assert!(shown.contains("\rTry again, error: password too short\r\n"), "{shown:?}");
    let shown = sim.type_and_take("ab\x03");
    assert!(shown.ends_with(&painted()) && !shown.contains("Password changed"));
    assert!(sim.host.passwords.borrow().is_empty());
}

#[test]
fn a_late_probe_answer_becomes_the_password() {
    let mut host = first_login();
    host.welcome.license_question = false;
    host.quirks.probe_at_password = true;
    let mut sim = Sim::named(host, "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    assert!(sim.take().ends_with("new password> \x1b[6n"));
    sim.keys("\x1b[1;1R\r");
    sim.keys("\x1b[1;1R\r");
    assert_eq!(*sim.host.passwords.borrow(), [b"\x1b[1;1R"]);
}

#[test]
fn the_licence_is_left_by_q_enter() {
    let mut sim = Sim::named(first_login(), "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    assert!(sim.type_and_take("y").ends_with("press Enter (q to abort)"));
    assert!(sim.type_and_take("\r").ends_with("press Enter (q to abort)"));
    assert!(sim.type_and_take("q\r").ends_with("new password> "));
}

#[test]
fn the_default_configuration_screen_takes_one_key() {
    // T16
    let welcome = Welcome { default_configuration: Some("RouterMode:\n * WAN port".into()), ..Welcome::default() };
    for (key, removed) in [("\r", false), ("r", true), ("x", false)] {
        let host = Host { version: Version::new(6, 44, 6), welcome: welcome.clone(), ..Host::default() };
        let mut sim = Sim::named(host, "admin+ct80w24h");
        sim.run(Duration::from_secs(1));
        let shown = sim.take();
        assert!(shown.contains("\r[?]             Gives the list of available commands\r\n"));
        assert!(shown.contains("\rRouterMode:\r\n\r * WAN port\r\n"), "{shown:?}");
        assert!(shown.replace("\r\n\r", "").ends_with("you will be disconnected.\r\n"));
        assert!(sim.type_and_take(key).ends_with(&painted()));
        assert_eq!(sim.host.defaults_removed.get(), Some(removed), "{key:?}");
    }
}
