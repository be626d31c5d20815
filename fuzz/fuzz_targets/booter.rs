//! What a boot loader's menu shows, read: whatever it is, only single letters and digits that stand there are ever keys.

#![no_main]

use libfuzzer_sys::fuzz_target;
use routeros::booter::Page;
use routeros::wake::{State, classify};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let current = lines.pop().unwrap_or_default();
    let recent: Vec<&str> = lines.iter().map(String::as_str).collect();
    let _ = classify(&recent, &current).as_ref().map(State::name);
    let page = Page::read(lines.clone(), current);
    // Each was read off a line of the screen, not made up.
    for (key, _) in page.keys() {
        assert!(key.is_ascii_alphanumeric());
        assert!(lines.iter().any(|line| line.contains(&format!("{} - ", char::from(key)))));
    }
    let _ = page.info();
});
