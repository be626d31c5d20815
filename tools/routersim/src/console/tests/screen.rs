//! Echo, repaint and scrolling, as captured.

use super::*;

#[test]
fn reply_frames_are_those_of_the_captures() {
    let mut sim = Sim::at_prompt(Host::default());
    // T19, 1
    assert_eq!(
        sim.type_and_take(":put \"hello\"\r"),
        format!(":put \"hello\"\r{P}:put \"hello\"\r\n\rhello\r\n{}", painted())
    );
    // T19, 2
    assert_eq!(
        sim.type_and_take("/bogus/nope print\r"),
        format!("/bogus/nope print\r{P}/bogus/nope print\r\n\rsyntax error (line 1 column 7)\r\n{}", painted())
    );
    // T19, 4
    assert_eq!(sim.type_and_take(":put \"\"\r"), format!(":put \"\"\r{P}:put \"\"\r\n{}", painted()));
    // Enter alone
    assert_eq!(sim.type_and_take("\r"), format!("\r{P}\r\n{}", painted()));
}

#[test]
fn a_long_line_scrolls_sideways_as_captured() {
    // T19, 3
    let mut sim = Sim::at_prompt(Host::default());
    let line = r#"/ip/address add address=nonsense; :put ("CH" . "AIN" . "RAN")"#;
    let tail = r#"<ss=nonsense; :put ("CH" . "AIN" . "RAN")"#;
    let expected = [
        line[..60].to_owned(),
        format!("\r{P}{}>", &line[..59]),
        format!("\r{tail}{}", pad(79 - tail.len())),
        format!("\r{tail}"),
        format!("\r{tail}\r\n"),
        format!("\rsyntax error (line 1 column 7)\r\n{}", painted()),
    ];
    assert_eq!(sim.type_and_take(format!("{line}\r")), expected.concat());
}

#[test]
fn dumb_mode_repaints_at_every_key() {
    // T18: user and identity make a prompt of 33 bytes; 18 keys cost 18,910 bytes.
    let host = Host { version: Version::new(6, 49, 17), identity: "mk-rb3011-test".into(), ..Host::default() };
    let mut sim = Sim::named(host, "username12345+cte999w255h");
    sim.run(Duration::from_secs(1));
    let p = "[username12345@mk-rb3011-test] > ";
    assert_eq!(p.len(), 33);
    let first = sim.take();
    assert!(first.starts_with("\r\r\n\r\r\n\r\r\n\r\r\n\r\r\n\r\r\n\r\r\n\r\n\r  MMM      MMM  "), "{first:?}");
    let bare = p.trim_end();
    assert!(first.ends_with(&format!("level\r\n\r\r\r\r\r\r{bare}{}\r{p}", pad(966))), "{first:?}");
    assert_eq!(sim.type_and_take("/"), format!("/\r\r{p}/{}\x1b[K\r{p}/", pad(964)));
    assert_eq!(sim.type_and_take("i"), format!("i\r\r{p}/i{}\x1b[K\r{p}/i", pad(963)));
    sim.keys("p service export");
    let keys = 2 * (1 + 2 + 998 + 3 + 1 + 33) + 1 + 2 + sim.take().len();
    // With the repaint at Enter and the CR of the first line of output.
    let enter = sim.type_and_take("\r");
    let last = format!("\r{p}/ip service export\r\n\r");
    assert!(enter.starts_with(&last), "{enter:?}");
    assert_eq!(keys + last.len(), 18_910);
    assert!(enter.ends_with(&format!("\r\r\r\r{bare}{}\r{p}\r\r{bare}{}\x1b[K\r{p}", pad(966), pad(966))));
}
