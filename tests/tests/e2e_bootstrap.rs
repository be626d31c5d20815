//! The real binary and a pair of simulated routers on real interfaces, in network namespaces.

use std::time::Instant;

use jumplead_tests::leak;
use jumplead_tests::pair::{Pair, SECRETS, Settings};
use lab::netns::available;

#[test]
fn from_erased_to_proved() {
    if !available("from_erased_to_proved", &["ip"]) {
        return;
    }
    let began = Instant::now();
    let pair = Pair::new(&Settings::default());
    eprintln!("up {:?}", began.elapsed());
    let plan = pair.plan();
    eprintln!("plan {:?}", began.elapsed());
    let ended = pair.jumplead(&["bootstrap", "edge-1", "--confirm", &plan]);
    eprintln!("done {:?}", began.elapsed());
    eprintln!("{}", ended.err);
    ended.expect(0);
    leak::none_below(&pair.home(), &SECRETS);
}
