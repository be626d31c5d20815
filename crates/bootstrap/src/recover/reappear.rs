//! A board that somebody installs over the network by hand: its login is waited for on its line.

use super::access::Access;
use crate::trouble::Trouble;
use routeros::wake::{Plan, State};
use routeros::{Waker, boot};
use std::time::Duration;
use tokio::time::Instant;

/// Listens until a login or a prompt stands on the line, and types nothing: an installer takes Enter for an answer. `false`: it
/// did not come within `patience`, or no line leads to it.
///
/// # Errors
/// Trouble with the line.
pub async fn reappears(access: &Access<'_>, patience: Duration) -> Result<bool, Trouble> {
    let until = Instant::now() + patience;
    let Some(link) = access.line().await? else { return Ok(false) };
    let mut waker = Waker::new(link, None);
    while Instant::now() < until {
        // Watched to its end where it boots; what stands there before says nothing of what comes.
        let woken = waker.wake(&Plan::watch(boot::SUSPECT)).await?;
        if matches!(woken.state, State::Login | State::Prompt(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}
