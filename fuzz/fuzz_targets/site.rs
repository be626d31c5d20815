//! Site files and target URLs: what is taken reads back as the same, and what is shown is only text.

#![no_main]

use bootstrap::site::Site;
use bootstrap::target::TargetUrl;
use libfuzzer_sys::fuzz_target;

fn same_again(url: &TargetUrl) {
    let shown = url.to_string();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert_eq!(shown.parse::<TargetUrl>().as_ref(), Ok(url), "{shown:?}");
}

fuzz_target!(|text: &str| {
    match text.parse::<TargetUrl>() {
        Ok(url) => same_again(&url),
        Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
    }
    let Ok(site) = Site::parse(text) else { return };
    site.a.reach.iter().chain(&site.b.reach).for_each(same_again);
    let _ = site.redacted();
});
