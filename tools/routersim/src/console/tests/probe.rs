//! The questions about the terminal's size, and what their answers cost.

use super::*;

#[test]
fn a_true_cursor_is_probed_without_a_stall() {
    let mut sim = Sim::named(Host::default(), "admin");
    let mut emulator = Emulator::new(40, 132);
    let trips = converse(&mut sim, &mut emulator);
    assert_eq!((trips, emulator.answered), (5, 5), "one trip for each question");
    assert!(sim.now < Instant::from_millis(2000), "{:?}", sim.now);
    assert!(screen(&emulator).ends_with(P.trim_end()), "{}", screen(&emulator));
    // The width and the several-line editor are the probed ones: 120 typed characters need no scrolling mark.
    let line = "x".repeat(130);
    sim.keys(&line);
    let bytes = sim.screen.take(usize::MAX);
    emulator.show(&bytes);
    let shown = screen(&emulator);
    assert!(shown.contains(&format!("{P}{}\n{}", "x".repeat(132 - 19), "x".repeat(17))), "{shown}");
    assert_eq!(emulator.screen.screen().cursor_position(), (39, 17));
    // Enter repaints from the first row: the screen stays the same.
    sim.keys("\r");
    let bytes = sim.screen.take(usize::MAX);
    emulator.show(&bytes);
    assert_eq!(screen(&emulator).matches('x').count(), 131, "{}", screen(&emulator));
}

#[test]
fn the_first_question_is_the_captured_one() {
    let mut sim = Sim::named(Host::default(), "admin");
    sim.run(Duration::from_millis(300));
    assert_eq!(sim.take(), "\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n");
}

#[test]
fn an_unanswered_probe_stalls_ten_seconds_and_gives_80_columns() {
    let mut sim = Sim::named(Host::default(), "admin");
    sim.run(Duration::from_millis(10_183));
    assert_eq!(sim.take(), "\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n");
    sim.run(Duration::from_millis(1));
    let shown = sim.take();
    assert!(shown.starts_with("\x1b[9999B\r"), "{shown:?}");
    assert!(shown.ends_with(&painted()));
}

#[test]
fn a_wrong_answer_stalls_as_long() {
    let mut sim = Sim::named(Host::default(), "admin");
    for _ in 0..110 {
        sim.run(Duration::from_millis(100));
        let bytes = sim.screen.take(usize::MAX);
        // A fixed report, whatever the cursor did.
        for _ in 0..bytes.windows(4).filter(|bytes| bytes == b"\x1b[6n").count() {
            sim.keys("\x1b[?1;0c\x1b[24;80R");
        }
        if bytes.windows(3).any(|bytes| bytes == b"MMM") {
            break;
        }
    }
    assert!(sim.now >= Instant::from_millis(10_184) && sim.now < Instant::from_millis(10_400), "{:?}", sim.now);
}

#[test]
fn always_1_1_is_a_terminal_without_data() {
    let mut sim = Sim::named(Host::default(), "admin");
    for _ in 0..20 {
        sim.run(Duration::from_millis(100));
        let bytes = sim.screen.take(usize::MAX);
        for _ in 0..bytes.windows(4).filter(|bytes| bytes == b"\x1b[6n").count() {
            sim.keys("\x1b[?1;0c\x1b[1;1R");
        }
    }
    sim.take();
    assert_eq!(sim.type_and_take(":put \"hello\"\r"), ":put \"hello\"\r\n\r\r\r\r] > ");
}

#[test]
fn lines_typed_into_the_probe_are_glued() {
    // T21: what is sent before the prompt loses its line ends.
    let mut sim = Sim::named(Host::default(), "admin");
    sim.keys("qui\r/system\r");
    sim.run(Duration::from_secs(11));
    assert!(sim.take().ends_with("> qui/system"));
    assert!(sim.host.ran.borrow().is_empty());
}

#[test]
fn t_in_the_login_name_asks_nothing() {
    let mut sim = Sim::named(Host::default(), "admin+ct511w4098h");
    sim.run(Duration::from_millis(184));
    let shown = sim.take();
    assert!(!shown.contains('\x1b'), "{shown:?}");
    assert!(shown.ends_with(&format!("\r\r\r\r[admin@MikroTik] >{}\r{P}", pad(510 - 18))));
    // Letters first: height 511, and 80 columns.
    let mut wrong = Sim::named(Host::default(), "admin+ctw511h4098");
    wrong.run(Duration::from_millis(184));
    assert!(wrong.take().ends_with(&painted()));
}
