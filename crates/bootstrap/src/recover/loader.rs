//! Steps in the boot loader's menu, over the bare line. Its keys are [`routeros::booter`]'s.

use super::job::RouterJob;
use crate::diagnosis::of_line;
use crate::engine::{History, Probe, Progress};
use crate::plan::Act;
use crate::recover::Procedure;
use crate::trouble::{Kind, Trouble};
use routeros::booter::Task;
use routeros::wake::{Plan, State};
use routeros::{Booter, Waker, Woken, boot};
use std::time::Duration;

/// A line whose last client has just left is given to the next one a moment later.
const LET_GO: Duration = Duration::from_millis(500);
const TRIES: usize = 20;

impl RouterJob<'_> {
    async fn line(&mut self) -> Result<Waker, Trouble> {
        self.leave().await;
        let mut last = None;
        for _ in 0..TRIES {
            match self.access.lines.line().await {
                Ok(Some(link)) => return Ok(Waker::new(link, None)),
                Ok(None) => {
                    return Err(Trouble::new(
                        Kind::Operator,
                        "recover.no-line",
                        "a boot loader speaks on the serial line only, and none is named",
                    )
                    .hint("as in  jumplead recover serial:///dev/serial/by-id/..."));
                }
                Err(error) => last = Some(Trouble::from(error)),
            }
            if last.as_ref().is_some_and(|trouble| trouble.kind != Kind::Transient) {
                break;
            }
            tokio::time::sleep(LET_GO).await;
        }
        Err(last.unwrap_or_else(super::job::closed))
    }

    /// What stands on the line, a boot being waited out. `listen` is longer where this run may have made it boot.
    async fn stands(&mut self, listen: Duration) -> Result<(Waker, Woken), Trouble> {
        let mut waker = self.line().await?;
        let mut woken = waker.wake(&Plan::listen_only(boot::IDLE)).await?;
        if !matches!(woken.state, State::Menu(_) | State::Installer | State::NoKernel | State::Dead) {
            woken = waker.wake(&Plan::settle(listen)).await?;
        }
        Ok((waker, woken))
    }

    async fn menu(&mut self) -> Result<Booter, Trouble> {
        let (waker, woken) = self.stands(boot::IDLE).await?;
        if !matches!(woken.state, State::Menu(_)) {
            return Err(Trouble::new(
                Kind::Operator,
                "recover.not-in-the-loader",
                format!("no boot-loader menu is open: {}", woken.state),
            ));
        }
        let mut booter = Booter::open(waker).await?;
        // every session proves the board anew: cables get swapped
        let told = booter.info().await?.get("serial number").map(str::to_owned);
        if told != self.subject.serial {
            let told = told.unwrap_or_else(|| "none".into());
            return Err(Trouble::new(
                Kind::WrongRouter,
                "bootstrap.proof.wrong-serial",
                format!("another board is on this line: its serial number is {told}"),
            ));
        }
        self.say("the boot loader's menu is open, as it was");
        Ok(booter)
    }

    pub(super) async fn probe_loader(&mut self, act: Act, history: &History) -> Result<Probe, Trouble> {
        let left = history.started(Act::LeaveLoader) || history.started(Act::Install);
        if act == Act::EthernetOnce && left {
            return Ok(Probe::Done(Some("before the menu was left".into())));
        }
        if !left {
            return Ok(Probe::NotDone);
        }
        // the menu was left by an earlier part of the run, or not: the line says which
        let (_, woken) = self.stands(boot::SUSPECT).await?;
        match (&woken.state, act) {
            (State::Menu(_), _) => Ok(Probe::NotDone),
            (State::Login | State::Password | State::Prompt(_), _) => {
                Ok(Probe::Done(Some(format!("{} is there", woken.state))))
            }
            (State::Installer, Act::LeaveLoader) if self.subject.procedure == Procedure::Etherboot => {
                Ok(Probe::Done(Some("the installer runs".into())))
            }
            (_, Act::Install) => Ok(Probe::NotDone),
            (other, _) => Err(still_stuck(other)),
        }
    }

    pub(super) async fn ethernet_once(&mut self) -> Result<Option<String>, Trouble> {
        let mut booter = self.menu().await?;
        self.say("the boot loader's menu is open; what was set in it is written when it is left");
        booter.run(&Task::EthernetOnce).await.map_err(|error| Trouble::from(error).acted())?;
        Ok(Some("written when the menu is left".into()))
    }

    /// Leaves the menu and waits for what comes of it, typing nothing.
    pub(super) async fn leave_loader(&mut self) -> Result<Option<String>, Trouble> {
        let booter = self.menu().await?;
        self.say("the menu was left; what became of it was not seen");
        let (ridden, state) = booter.leave().await.map_err(|error| Trouble::from(error).acted())?;
        self.left(&state)?;
        Ok(Some(format!("{state}; {ridden}")))
    }

    fn left(&mut self, state: &State) -> Result<(), Trouble> {
        match (state, self.subject.procedure) {
            (State::Login, _) => self.say("its login prompt is there"),
            (State::Installer, Procedure::Etherboot) => self.say("the installer runs and waits for netinstall-cli"),
            (other, _) => {
                self.say("the boot loader's menu was left; the router is not up");
                return Err(still_stuck(other).acted());
            }
        }
        Ok(())
    }

    /// The program of this host waits before the board asks; both end together.
    pub(super) async fn install(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let (mut waker, woken) = self.stands(boot::IDLE).await?;
        let argv = self.subject.argv.clone();
        let limit = progress.left();
        let access = self.access;
        let tool = async { tokio::time::timeout(limit, access.tools.run(&argv)).await };
        self.say("a network installation is under way");
        let rides = async {
            let ridden = if matches!(woken.state, State::Menu(_)) {
                let booter = Booter::open(waker).await?;
                let (boot, state) = booter.leave().await?;
                if state != State::Installer {
                    return Ok((boot.to_string(), state));
                }
                None
            } else {
                let woken = waker.wake(&Plan::settle(boot::SUSPECT)).await?;
                Some((woken.boot.map(|boot| boot.to_string()).unwrap_or_default(), woken.state))
            };
            Ok::<_, routeros::Error>(ridden.unwrap_or_else(|| (String::new(), State::Installer)))
        };
        let (mut tool, mut rides) = (std::pin::pin!(tool), std::pin::pin!(rides));
        let (ended, ridden) = tokio::select! {
            biased;
            ended = &mut tool => (ended, rides.await),
            ridden = &mut rides => match ridden {
                Ok((_, State::Login)) => {
                    self.say("its login prompt is there; nothing was installed");
                    return Err(Trouble::new(
                        Kind::Operator,
                        "recover.not-installed",
                        "it started from its storage: nobody had answered it on the port marked BOOT",
                    )
                    .hint("is the cable on the port marked BOOT, and the host's interface the right one?")
                    .acted());
                }
                ridden => (tool.await, ridden),
            },
        };
        let ended = match ended {
            Ok(ended) => ended.map_err(Trouble::acted)?,
            Err(_) => {
                return Err(Trouble::new(Kind::Operator, "recover.netinstall", "netinstall did not end in its time")
                    .hint("is the cable on the port marked BOOT, and the host's interface the right one?")
                    .acted());
            }
        };
        let said = self.redactor.text(&ended.said);
        if !ended.ok {
            return Err(Trouble::new(Kind::Operator, "recover.netinstall", format!("netinstall failed: {said}"))
                .hint("is the cable on the port marked BOOT, and the host's interface the right one?")
                .acted());
        }
        let (_, state) = ridden.map_err(|error| Trouble::from(error).acted())?;
        if state == State::Login {
            self.say("its login prompt is there");
            return Ok(Some(said));
        }
        // it restarts by itself when it was installed
        let (_, woken) = self.stands(boot::SUSPECT).await.map_err(Trouble::acted)?;
        self.left(&woken.state)?;
        Ok(Some(said))
    }
}

fn still_stuck(state: &State) -> Trouble {
    let mut trouble = Trouble::new(Kind::Operator, "recover.still-stuck", format!("it did not come up: {state}"));
    if let Some(diagnosis) = of_line(state) {
        trouble.hints.extend(diagnosis.procedure);
    }
    trouble
}
