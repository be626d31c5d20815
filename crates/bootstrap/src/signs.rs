//! What is under way on a router, beside what it has: jobs, a transfer, the other member's answer. Nothing here changes anything.

use crate::diagnosis::StartupLog;
use crate::facts::{Facts, Lines, tolerant};
use crate::state::ha_address;
use crate::target::Member;
use routeros::{Error, Shell};
use std::time::Duration;

/// A configuration that was sent longer ago and is not loaded will not be: the router restarts within seconds
/// (ha-system.md section 3, F7).
const LOADS: Duration = Duration::from_secs(30);

/// Signs of what is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signs {
    /// Scripts whose jobs run.
    pub jobs: Vec<String>,
    /// The other member is putting files on it, or has just done so: what shows that.
    pub push: Option<String>,
    /// Of an active: the other member answers on the HA network. `None`: not asked.
    pub peer: Option<bool>,
    /// Of an active: pushes in a row that did not bring the standby in sync, by the count that its scripts keep.
    pub pushes: u32,
    /// The scheduler that runs its startup is off: a restart runs nothing of it. So a quarantine leaves it.
    pub held: bool,
}

impl Signs {
    /// Reads what `facts` and `log` make worth reading.
    ///
    /// # Errors
    /// Those of [`Shell::run`].
    pub async fn read(shell: &Shell, facts: &Facts, log: &StartupLog) -> Result<Self, Error> {
        let mut signs = Self { jobs: tolerant(shell, JOBS).await?.all("job"), ..Self::default() };
        if facts.schedulers.iter().any(|scheduler| scheduler == "ha_startup") {
            signs.held = tolerant(shell, HELD).await?.one("held").is_some_and(|count| count.trim() != "0");
        }
        if facts.is_active() {
            signs.peer = peer(shell, facts).await?;
            if log.paused().is_some() {
                let told = tolerant(shell, PUSHES).await?.one("pushes");
                signs.pushes = told.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            }
        } else if !facts.scripts.iter().any(|script| script == "ha_startup") {
            signs.push = push(shell).await?;
        }
        Ok(signs)
    }

    /// That script runs.
    pub fn runs(&self, script: &str) -> bool {
        self.jobs.iter().any(|job| job == script)
    }
}

async fn peer(shell: &Shell, facts: &Facts) -> Result<Option<bool>, Error> {
    let own = |member: Member| {
        let address = format!("{}/24", ha_address(member));
        facts.addresses.iter().any(|one| one.address == address)
    };
    let Some(member) = [Member::A, Member::B].into_iter().find(|member| own(*member)) else { return Ok(None) };
    let output = shell.run(format!("/ping {} count=2", ha_address(member.other()))).await?;
    let count =
        output.text.rsplit("received=").next().and_then(|rest| rest.split(' ').next()?.trim().parse::<u32>().ok());
    Ok(count.filter(|_| output.text.contains("received=")).map(|count| count > 0))
}

async fn push(shell: &Shell) -> Result<Option<String>, Error> {
    let lines = tolerant(shell, FTP).await?;
    if let Some(last) = lines.all("ftp").into_iter().next_back().filter(|line| line.contains(" logged in ")) {
        return Ok(Some(last));
    }
    let Some(clock) = once(shell, CLOCK).await?.one("clock") else { return Ok(None) };
    // The name of the time is the version's: the other one is refused.
    for made in [MODIFIED, CREATED] {
        if let Some(made) = once(shell, made).await?.all("made").into_iter().next_back() {
            let age = age(&made, &clock).filter(|age| *age <= LOADS);
            return Ok(age.map(|age| format!("HA_b2s.backup is {} s old", age.as_secs())));
        }
    }
    Ok(None)
}

/// Asked once: the answer is another one each second, or a refusal. What is not told is no trouble: it is one sign among others.
async fn once(shell: &Shell, command: &str) -> Result<Lines, Error> {
    match shell.run(command).await {
        Ok(output) => Ok(Lines::of(&output.text)),
        Err(Error::Refused(_) | Error::Unknown(_)) => Ok(Lines::of("")),
        Err(error) => Err(error),
    }
}

/// Between two times of one day, as RouterOS writes them: `jan/02/2026 03:04:05`, `2026-01-02 03:04:05`.
fn age(then: &str, now: &str) -> Option<Duration> {
    let ((then_day, then), (day, now)) = (then.trim().rsplit_once(' ')?, now.trim().rsplit_once(' ')?);
    let seconds = |text: &str| {
        let parts: Vec<u64> = text.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [h, m, s] = parts.as_slice() else { return None };
        Some(h * 3600 + m * 60 + s)
    };
    (then_day == day).then(|| seconds(now)?.checked_sub(seconds(then)?).map(Duration::from_secs))?
}

const JOBS: &str =
    ":foreach j in=[/system script job find] do={:put (\"job=\" . [:tostr [/system script job get $j script]])}";

const HELD: &str = ":put (\"held=\" . [:len [/system scheduler find where name=\"ha_startup\" and disabled=yes]])";

const PUSHES: &str =
    ":foreach i in=[/file find name=\"HA_pushes.txt\"] do={:put (\"pushes=\" . [/file get $i contents])}";

const FTP: &str = ":foreach i in=[/log find where message~\"user ha logged\" message~\"via ftp\"] do={:put (\"ftp=\" . [/log get $i message])}";

const CLOCK: &str = ":put (\"clock=\" . [:tostr [/system clock get date]] . \" \" . [:tostr [/system clock get time]])";

const MODIFIED: &str =
    ":foreach i in=[/file find name~\"HA_b2s.backup\"] do={:put (\"made=\" . [:tostr [/file get $i last-modified]])}";

const CREATED: &str =
    ":foreach i in=[/file find name~\"HA_b2s.backup\"] do={:put (\"made=\" . [:tostr [/file get $i creation-time]])}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_of_one_day() {
        assert_eq!(age("jan/02/2026 03:04:05", "jan/02/2026 03:05:00"), Some(Duration::from_secs(55)));
        assert_eq!(age("2026-01-02 03:04:05", "2026-01-02 03:04:10"), Some(Duration::from_secs(5)));
        for (then, now) in
            [("2026-01-01 23:59:59", "2026-01-02 00:00:01"), ("", ""), ("x y", "x z"), ("d 1:2:9", "d 1:2:3")]
        {
            assert_eq!(age(then, now), None, "{then} {now}");
        }
    }

    #[test]
    fn every_line_parses_on_both_versions() {
        for version in ["6.43.13", "7.24"] {
            let version: routeros_script::Version = version.parse().unwrap();
            for line in [JOBS, HELD, PUSHES, FTP, CLOCK, MODIFIED, CREATED] {
                routeros_script::parse(line.as_bytes(), version)
                    .unwrap_or_else(|error| panic!("{line}: {}", error.message));
            }
        }
    }
}
