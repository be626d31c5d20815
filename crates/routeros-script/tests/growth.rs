//! Twice the text takes twice the time: a text is read on whoever's machine, and often is somebody else's.

#![expect(clippy::disallowed_methods, reason = "the ratio of two times is what is looked at")]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use routeros_script::{Outcome, Version, judge, lint};

const V7: Version = Version::new(7, 22, 1);
const TIMES: usize = 32;
/// Linear work takes 32 times as long for 32 times the text, quadratic work 1024 times. Larger texts leave the caches, and
/// machines have other work.
const MOST: u32 = 200;
/// One measures at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The best of some: other work on the machine only adds.
fn best(tries: usize, mut work: impl FnMut()) -> Duration {
    (0..tries)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

#[track_caller]
fn grows_evenly(name: &str, text: impl Fn(usize) -> Vec<u8>, pieces: usize) {
    let _alone = ALONE.lock();
    let (small, large) = (text(pieces), text(pieces * TIMES));
    let read = |text: &[u8]| drop(lint(text, V7));
    read(b":put a");
    let little = best(5, || read(&small));
    let much = best(2, || read(&large));
    assert!(much < little * MOST, "{name}: {} bytes in {little:?}, {} in {much:?}", small.len(), large.len());
}

#[test]
fn statements_in_brackets_take_what_stands_before_them_without_a_copy() {
    grows_evenly("brackets", |n| "[:put a]\n".repeat(n).into_bytes(), 600);
    grows_evenly("brackets in a block", |n| format!("{{{}}}", ":put b;[:put a];".repeat(n)).into_bytes(), 300);
    let Outcome::Accepted { form, .. } = judge(b":put a;[:put b] c;[:put d];:put e", V7) else {
        panic!("refused");
    };
    assert_eq!(
        form,
        "(<%% (evl (<%% (evl (evl /putmessage=a);(evl /putmessage=b)) c);(evl /putmessage=d)) );(evl /putmessage=e)"
    );
}

#[test]
fn chains_of_operators_are_not_copied_for_each_of_them() {
    grows_evenly("minus", |n| format!(":put (1{})", "-1".repeat(n)).into_bytes(), 600);
    grows_evenly("alternating", |n| format!(":put (1{})", "-1+1".repeat(n)).into_bytes(), 300);
}

#[test]
fn what_may_be_tried_twice_is_read_once() {
    grows_evenly("names in quotes", |n| format!(":put \"{}\"", "$\"a\"".repeat(n)).into_bytes(), 300);
    grows_evenly("quotes that never close", |n| format!(":put \"{}", "$\"a".repeat(n)).into_bytes(), 300);
    grows_evenly("names without a sign", |n| format!(":do {{}}{}", " while 1".repeat(n)).into_bytes(), 300);
    grows_evenly("comments in joined lines", |n| format!(":put{} a", " \\\n# c\n".repeat(n)).into_bytes(), 300);
    grows_evenly("the same operator", |n| format!(":put (1{})", "*(1*1)".repeat(n)).into_bytes(), 300);
}

#[test]
fn places_are_not_counted_from_the_start_for_each_finding() {
    grows_evenly("questions", |n| "/system reboot\n".repeat(n).into_bytes(), 600);
    grows_evenly("unknown names", |n| "/zzz\n:put a\n/ip zzz\n".repeat(n).into_bytes(), 300);
}
