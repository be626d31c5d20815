//! `recover` as people run it: the real binary, a simulated router's console on a pty, at ser2net with RFC 2217, as plain TCP.

use jumplead_tests::line_process::{LineRouter, ser2net};

/// The plan's fingerprint, from what was said.
#[track_caller]
fn fingerprint(said: &str) -> String {
    let (_, rest) = said.split_once("Plan ").unwrap_or_else(|| panic!("no plan in: {said}"));
    rest.split([':', ' ']).next().unwrap().to_owned()
}

/// One stuck router, one way to its line: planned, refused without a confirmation and with a wrong one, then out of the menu.
#[track_caller]
fn out_of_the_loader(router: &LineRouter, url: &str) {
    let planned = router.jumplead(&["recover", url, "leave-loader", "--plan-only"]).expect(0);
    assert!(planned.err.contains("7F0002") || planned.out.contains("7F0002"), "{planned:?}");
    router.jumplead(&["recover", url, "leave-loader", "--non-interactive"]).refused(2, "recover.confirm");
    router.jumplead(&["recover", url, "leave-loader", "--confirm", "0000-0000"]).refused(12, "recover.confirm");
    let plan = fingerprint(&format!("{}{}", planned.out, planned.err));
    router.jumplead(&["recover", url, "leave-loader", "--confirm", &plan]).expect(0);
    router.answers(url);
}

#[test]
fn out_of_the_loader_over_each_kind_of_line() {
    let router = LineRouter::start();
    for url in router.urls() {
        router.jumplead(&["recover", &url, "leave-loader", "--plan-only"]).refused(5, "recover.not-in-the-loader");
        router.into_the_loader();
        out_of_the_loader(&router, &url);
    }
    if let Some((_server, port)) =
        ser2net("out_of_the_loader_over_each_kind_of_line", &router, "telnet(rfc2217=true),tcp")
    {
        router.into_the_loader();
        out_of_the_loader(&router, &format!("rfc2217://127.0.0.1:{port}"));
    }
}
