//! Steps in the boot loader's menu, over the bare line. Its keys are [`routeros::booter`]'s.

use super::access::{IN_USE, LET_GO};
use super::job::RouterJob;
use crate::diagnosis::of_line;
use crate::engine::{History, Probe, Progress};
use crate::plan::Act;
use crate::recover::Procedure;
use crate::target::quoted;
use crate::trouble::{Kind, Trouble};
use routeros::booter::Task;
use routeros::wake::{Plan, State};
use routeros::window::{Caught, catch};
use routeros::{Booter, Waker, Woken, boot};
use std::time::Duration;

/// A line whose last client has just left is given to the next one a moment later.
const TRIES: usize = 20;

impl RouterJob<'_> {
    async fn line(&mut self) -> Result<Waker, Trouble> {
        self.leave().await;
        let mut last = None;
        for _ in 0..TRIES {
            match self.access.line().await {
                Ok(Some(link)) => return Ok(Waker::new(link, None)),
                Ok(None) => {
                    return Err(Trouble::new(
                        Kind::Operator,
                        "recover.no-line",
                        "a boot loader speaks on the serial line only, and none is named",
                    )
                    .hint("as in  jumplead recover serial:///dev/serial/by-id/..."));
                }
                Err(trouble) => last = Some(trouble),
            }
            if last.as_ref().is_some_and(|trouble| trouble.kind != Kind::Transient || trouble.code == IN_USE) {
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
        if !matches!(woken.state, State::Menu(_) | State::Installer | State::NoKernel) {
            woken = waker.wake(&Plan::settle(listen)).await?;
        }
        Ok((waker, woken))
    }

    /// How long a line is listened to that may be booting. In a loop of starts nothing is typed into any of its silences.
    fn suspect(&self) -> Duration {
        if self.subject.looping { boot::STUCK } else { boot::SUSPECT }
    }

    /// The serial number that this board's menu has to tell: the plan's, or the site file's for a board that was in no menu
    /// before.
    fn wanted_serial(&self) -> Option<String> {
        let of_site = || self.access.pair.and_then(|(pair, member)| pair.site.member(member).serial_number.clone());
        self.subject.serial.clone().or_else(|| self.told.clone()).or_else(of_site)
    }

    /// What the line shows of a window that was caught by an earlier part of the run.
    pub(super) async fn probe_window(&mut self, history: &History) -> Result<Probe, Trouble> {
        if !history.started(Act::CatchWindow) {
            return Ok(Probe::NotDone);
        }
        if history.started(Act::LeaveLoader) || history.started(Act::Install) {
            return Ok(Probe::Done(Some("before the menu was left".into())));
        }
        // A menu that is open says nothing, and a loop is never silent for so long.
        let mut waker = self.line().await?;
        let plan = Plan { poke: true, ..Plan::listen_only(boot::STUCK) };
        Ok(match waker.wake(&plan).await?.state {
            State::Menu(_) => Probe::Done(Some("the menu is open".into())),
            State::Etherboot | State::Installer => {
                self.asks_network = true;
                Probe::Done(Some("it asks the network".into()))
            }
            _ => Probe::NotDone,
        })
    }

    /// The one step that types while a board boots: the announced key, while its window stands on the line.
    pub(super) async fn catch_window(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let waker = self.line().await?;
        // Ctrl+E asks the network at once, with no menu in which the board could say who it is.
        let ctrl_e = self.subject.procedure == Procedure::Etherboot && self.wanted_serial().is_none();
        let caught = catch(waker, progress.left(), ctrl_e);
        let usual = (Duration::from_secs(10), Duration::from_secs(90));
        let caught = progress.while_waiting("the boot loader's key window", usual, caught).await;
        match caught? {
            Caught::Menu(_) => {
                self.say("the boot loader's menu is open: a key was typed into its window");
                Ok(Some("the menu is open".into()))
            }
            Caught::Etherboot => {
                self.asks_network = true;
                self.say("Ctrl+E was typed into the boot loader's window: it asks the network, once");
                Ok(Some("it asks the network".into()))
            }
            Caught::Deaf { windows } => {
                self.say("it starts again and again; its boot loader heard no key");
                let message = format!("a key was typed into {windows} of its windows, and no menu opened");
                Err(Trouble::new(Kind::Operator, "recover.deaf-loader", message)
                    .hint("is the line wired both ways? does a console server pass what is typed?")
                    .hint("a protected boot loader hears no key (an LED that goes on and off each second tells it): only its button")
                    .hint("helps, held for the time that was set (20 s to 10 min), which erases everything"))
            }
            Caught::Not(State::Login) => {
                self.say("its login prompt is there");
                Err(Trouble::new(Kind::Operator, "recover.came-up", "it came up by itself: its login prompt is there")
                    .hint(format!("look:  jumplead diagnose {}", quoted(&self.access.target))))
            }
            Caught::Not(state) => {
                self.say("its boot loader's window was not seen");
                let message = format!("no key window was announced in its time: {state}");
                Err(Trouble::new(Kind::Operator, "recover.no-window", message)
                    .hint("a board with silent boot announces none: no line can catch it, its button can"))
            }
        }
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
        let wanted = self.wanted_serial();
        let first = wanted.is_none() && self.subject.looping;
        if first {
            self.told.clone_from(&told);
        } else if told != wanted {
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
        let left = self.asks_network || history.started(Act::LeaveLoader) || history.started(Act::Install);
        if act == Act::EthernetOnce && left {
            let note = if self.asks_network { "Ctrl+E has asked for it" } else { "before the menu was left" };
            return Ok(Probe::Done(Some(note.into())));
        }
        if !left {
            return Ok(Probe::NotDone);
        }
        // the menu was left by an earlier part of the run, or not: the line says which
        let (_, woken) = self.stands(self.suspect()).await?;
        match (&woken.state, act) {
            (State::Menu(_), _) => Ok(Probe::NotDone),
            (State::Login | State::Password | State::Prompt(_), _) => {
                Ok(Probe::Done(Some(format!("{} is there", woken.state))))
            }
            (State::Installer, Act::LeaveLoader) if self.subject.procedure == Procedure::Etherboot => {
                Ok(Probe::Done(Some("the installer runs".into())))
            }
            (_, Act::Install) => Ok(Probe::NotDone),
            (other, _) => Err(still_stuck(other, &self.subject.target)),
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
                return Err(still_stuck(other, &self.subject.target).acted());
            }
        }
        Ok(())
    }

    /// The program of this host waits before the board asks; both end together.
    pub(super) async fn install(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let (mut waker, woken) = self.stands(boot::IDLE).await?;
        let argv = self.subject.argv.clone();
        let limit = progress.left();
        let (access, suspect) = (self.access, self.suspect());
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
                let woken = waker.wake(&Plan::settle(suspect)).await?;
                Some((woken.boot.map(|boot| boot.to_string()).unwrap_or_default(), woken.state))
            };
            Ok::<_, routeros::Error>(ridden.unwrap_or_else(|| (String::new(), State::Installer)))
        };
        let (mut tool, mut rides) = (std::pin::pin!(tool), std::pin::pin!(rides));
        let (ended, ridden) = tokio::select! {
            biased;
            ended = &mut tool => (ended, rides.await),
            ridden = &mut rides => match ridden {
                Ok((_, State::Login | State::BootLoop(_))) => {
                    self.say("it started from its storage; nothing was installed");
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
        let (_, woken) = self.stands(suspect).await.map_err(Trouble::acted)?;
        self.left(&woken.state)?;
        Ok(Some(said))
    }
}

fn still_stuck(state: &State, target: &str) -> Trouble {
    let mut trouble = Trouble::new(Kind::Operator, "recover.still-stuck", format!("it did not come up: {state}"));
    if let Some(diagnosis) = of_line(state) {
        trouble.hints.extend(diagnosis.at(&quoted(target)).procedure);
    }
    trouble
}
