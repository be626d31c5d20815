//! Strings are bytes: those that are no UTF-8 come back by every road as they came in.

use super::desk::Desk;
use super::*;

/// Not UTF-8, as comments made under Windows are.
const GREEN: &[u8] = b"gr\xFCn";

/// What `line` shows on the screen, up to the next prompt.
fn shown(desk: &mut Desk, bench: &mut Bench, line: &[u8]) -> Vec<u8> {
    desk.types_bytes(bench, &[line, b"\r"].concat());
    bench.wait(Duration::from_secs(5));
    desk.takes()
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

#[track_caller]
fn has(bytes: &[u8], wanted: &[u8]) {
    assert!(holds(bytes, wanted), "no {} in {}", wanted.escape_ascii(), bytes.escape_ascii());
}

/// An export without its heading.
fn export(bench: &mut Bench) -> Vec<u8> {
    let show = if bench.router.spec().version.is_v7() { " show-sensitive" } else { "" };
    bench.run(&format!("/export file=all{show}"));
    bench.wait(Duration::from_secs(10));
    let all = bench.router.system().unwrap().read_file("all.rsc").unwrap();
    let lines = all.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn bytes_typed_and_bytes_escaped_come_back_by_every_road() {
    for new in [Bench::v6 as fn() -> Bench, Bench::v7] {
        let mut bench = new();
        let mut desk = Desk::at(&mut bench);
        desk.log_in(&mut bench);
        desk.takes();
        shown(&mut desk, &mut bench, b"/interface bridge add name=typed comment=\"gr\xFCn\"");
        shown(&mut desk, &mut bench, b"/interface bridge add name=\"br\\E9\" comment=\"gr\\FCn\"");
        shown(&mut desk, &mut bench, b"/ip address add address=10.9.9.9/24 interface=\"br\xE9\"");
        shown(&mut desk, &mut bench, b"/system script add name=says source=\":put \\\"gr\xFCn\\\"\"");
        let every: Vec<u8> = (1..=255).collect();
        let every = routeros_script::quote::literal(&every);
        shown(&mut desk, &mut bench, format!("/system note set note={every} show-at-login=no").as_bytes());

        for query in [
            ":put [/interface bridge get typed comment]",
            ":put [/interface bridge get [find comment=\"gr\\FCn\" name!=typed] comment]",
            ":put [:pick [/interface bridge get [find where comment~\"r\\FC\" name=typed]] 0 99]",
            ":put ([/interface bridge print as-value where name=typed]->0->\"comment\")",
            ":put [/interface bridge get value-name=comment number=\"br\\E9\"]",
            "/interface bridge print",
            "/interface bridge print detail",
            "/interface bridge print terse without-paging",
            "/system script run says",
            ":do {:error \"gr\\FCn\"} on-error={}; :put \"gr\\FCn\"",
            ":error \"gr\\FCn\"",
            ":log info \"gr\\FCn\"; /log print where message~\"gr\"",
            "/system identity set name=\"gr\\FCn\"",
        ] {
            // The echo shows the escape, never the byte.
            has(&shown(&mut desk, &mut bench, query.as_bytes()), GREEN);
        }
        has(
            &shown(&mut desk, &mut bench, b":put [/ip address get [find interface=\"br\\E9\"] interface]"),
            b"\rbr\xE9\r\n",
        );
        assert_eq!(bench.get("[:len [/system note get note]]"), "255");

        // The announcement carries it, and who hears it keeps it.
        let mut other = Bench::of(Spec::pair_b().version(bench.router.spec().version));
        for router in [&mut bench, &mut other] {
            let now = router.now;
            router.router.set_link(now, 0, true);
        }
        let end = bench.now + Duration::from_secs(90);
        let mut announcement = None;
        while announcement.is_none() {
            assert!(bench.now < end, "never announced");
            bench.now = bench.router.poll_timeout().unwrap().max(bench.now);
            bench.router.handle_timeout(bench.now);
            while let Some((_, frame)) = bench.router.poll_transmit() {
                announcement = announcement.or(Some(frame).filter(|frame| holds(frame, b"\x00\x05\x00\x04gr\xFCn")));
            }
        }
        other.router.handle_frame(other.now, 0, &announcement.unwrap());
        assert_eq!(other.get("([/ip neighbor get [find] identity] = \"gr\\FCn\")"), "true");

        let first = export(&mut bench);
        assert!(first.is_ascii(), "an export is printable");
        has(&first, b"comment=\"gr\\FCn\"");
        other.router.system().unwrap().write_file("all.rsc", first.clone()).unwrap();
        other.run("/import all.rsc");
        assert_eq!(first.escape_ascii().to_string(), export(&mut other).escape_ascii().to_string());
        assert_eq!(other.get("[:len [/system note get note]]"), "255");
    }
}

#[test]
fn a_password_is_bytes_as_well() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/user add name=\"j\\F6rg\" password=\"gr\\FCn\" group=full");
        let mut desk = Desk::at(&mut bench);
        desk.types(&mut bench, "\r");
        desk.sees(&mut bench, "Login: ");
        desk.types_bytes(&mut bench, b"j\xF6rg+ct160w4098h\r");
        desk.sees(&mut bench, "Password: ");
        desk.types_bytes(&mut bench, b"gr\xC3\xBCn\r");
        desk.sees(&mut bench, "incorrect");
        desk.sees(&mut bench, "Login: ");
        desk.types_bytes(&mut bench, b"j\xF6rg+ct160w4098h\r");
        desk.sees(&mut bench, "Password: ");
        desk.types_bytes(&mut bench, b"gr\xFCn\r");
        bench.wait(Duration::from_secs(2));
        desk.types(&mut bench, "n");
        bench.wait(Duration::from_secs(2));
        has(&desk.takes(), b"j\xF6rg@");
    }
}
