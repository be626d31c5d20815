//! The bootstrap behind a rescue that installed a board: it is picked up when the board is back, with a plan and a question of
//! its own.

use bootstrap::recover::{Access, Procedure, Subject, reappears};
use bootstrap::target::{Member, quoted};
use std::time::Duration;
use tokio::sync::watch;

use super::change::{repeated, unless_stopped};
use crate::cli::{Change, Global};
use crate::failure::{Exit, Result};
use crate::output::Output;
use crate::term;

/// For a person with netinstall-cli.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The pair whose standby was installed, as it was typed, where the rescue left a board that is up. One that waits for
/// netinstall-cli is waited for where somebody is there to run it.
pub async fn installed(
    out: &Output,
    global: &Global,
    access: &Access<'_>,
    subject: &Subject,
    stop: &mut watch::Receiver<bool>,
) -> Option<String> {
    // The last line of a stream of events is the run's result.
    let pair = access.pair_name.clone().filter(|_| !out.json && access.member() == Some(Member::B))?;
    match subject.procedure {
        Procedure::Netinstall => Some(pair),
        Procedure::Etherboot if somebody(out, global) => {
            let minutes = PATIENCE.as_secs() / 60;
            out.say(format!(
                "Its login is waited for, up to {minutes} minutes; nothing is typed. Ctrl-C ends the waiting."
            ));
            match unless_stopped(stop, reappears(access, PATIENCE)).await {
                Ok(Ok(true)) => Some(pair),
                Ok(Ok(false)) => {
                    out.warn(format!("its login did not come; {}", later(global, &pair)));
                    None
                }
                Ok(Err(trouble)) => {
                    out.warn(format!("its line can't be listened to: {trouble}; {}", later(global, &pair)));
                    None
                }
                Err(_) => {
                    out.say(format!("Not waited for any more; {}", later(global, &pair)));
                    None
                }
            }
        }
        _ => None,
    }
}

fn somebody(out: &Output, global: &Global) -> bool {
    !global.non_interactive && !out.json && term::interactive()
}

fn later(global: &Global, pair: &str) -> String {
    format!("when it is up:  jumplead bootstrap {} --plan-only{}", quoted(pair), repeated(global))
}

/// The bootstrap of that pair: its plan and its question, or the plan alone where nobody is there to be asked. The rescue is done,
/// whatever comes of this.
pub async fn bootstrap(out: &Output, global: &Global, pair: &str) -> Result {
    out.say(format!("It is back. The bootstrap of {pair} is next:"));
    let asked = somebody(out, global);
    let change = Change { plan_only: !asked, ..Change::default() };
    match super::bootstrap::run(out, global, pair, &change).await {
        Err(failure) if !asked && failure.exit != Exit::Interrupted => {
            out.warn(format!("the bootstrap can't be planned yet: {}: {}", failure.code, failure.message));
            out.say(format!("The rescue is done; {}", later(global, pair)));
            Ok(())
        }
        ended => ended,
    }
}
