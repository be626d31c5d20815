//! [`Router`]: sans-I/O like the protocol machines; one input, then drain the outputs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::Instant;

use super::arrival;
use super::ports::Adapter;
use super::serial::Serial;
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::record::{Event, EventKind, Phase, Recorder, SessionId};
use crate::spec::{Spec, SpecError, Version};
use crate::system::{Boot, PowerAction, Storage, System, Update};

/// Frames that wait to be taken. A driver takes them after each input; a burst is a few hundred.
const MAX_FRAMES: usize = 1 << 14;
/// Turns of the kernel at one instant. A router that never comes to rest is a bug; this keeps it from hanging its test.
const MAX_TURNS: usize = 100_000;
/// Unread bytes of a serial line, each way: what a terminal server holds.
const SERIAL_BUFFER: usize = 64 * 1024;

/// A simulated router.
pub struct Router {
    spec: Rc<Spec>,
    recorder: Rc<Recorder>,
    storage: Rc<RefCell<Storage>>,
    seed: u64,
    phase: Phase,
    /// When the phase ends, where the router's own kernel does not run or is about to stop.
    until: Option<Instant>,
    after: PowerAction,
    after_cut: bool,
    links: Vec<bool>,
    system: Option<Rc<System>>,
    frames: VecDeque<(usize, Vec<u8>)>,
    pub(super) serial: Serial,
    pub(super) adapters: Vec<Adapter>,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Router({}, {:?})", self.spec.name, self.phase)
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.stop_system();
    }
}

impl Router {
    /// A router that is switched off. Same specification, seed and inputs: same events.
    pub fn new(spec: Spec, seed: u64) -> Result<Self, SpecError> {
        spec.check()?;
        let spec = Rc::new(spec);
        let storage = arrival::storage(&spec, seed)?;
        let links = vec![false; spec.port_macs().len()];
        let serial = Serial::new(&spec, seed);
        let adapters = Adapter::all(&spec);
        Ok(Self {
            spec,
            recorder: Rc::new(Recorder::default()),
            storage,
            seed,
            phase: Phase::Off,
            until: None,
            after: PowerAction::Reboot,
            after_cut: false,
            links,
            system: None,
            frames: VecDeque::new(),
            serial,
            adapters,
        })
    }

    /// Its specification.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Default names of its ports, in hardware order; `port` numbers elsewhere index this.
    pub fn ports(&self) -> Vec<String> {
        self.spec.port_macs().into_iter().map(|(name, _)| name).collect()
    }

    /// The number of the port that has this default name.
    pub fn port(&self, default_name: &str) -> Option<usize> {
        self.ports().iter().position(|name| name == default_name)
    }

    /// What it is doing.
    pub fn phase(&self) -> Phase {
        match &self.system {
            Some(system) if self.phase != Phase::ShuttingDown => system.phase(),
            _ => self.phase,
        }
    }

    /// The running system, from the kernel's start until it goes down.
    pub fn system(&self) -> Option<&Rc<System>> {
        self.system.as_ref()
    }

    /// What outlives a reboot: configuration and files. Not to be borrowed across inputs.
    pub fn storage(&self) -> &Rc<RefCell<Storage>> {
        &self.storage
    }

    /// Whether a port gives a carrier to the other end of its cable: it is up and not disabled.
    pub fn carrier(&self, port: usize) -> bool {
        self.system.as_ref().and_then(|system| system.net()).is_some_and(|net| net.carrier(port))
    }

    /// Switches it on. Nothing happens when it is on already.
    pub fn power_on(&mut self, now: Instant) {
        if self.phase() == Phase::Off {
            self.enter_booter(now);
        }
    }

    fn enter(&mut self, now: Instant, phase: Phase, lasts: Option<Duration>) {
        self.phase = phase;
        self.until = lasts.map(|lasts| now + self.spec.scaled(lasts));
        self.recorder.note(now, EventKind::Phase(phase));
        match phase {
            Phase::ShuttingDown => self.console_text(now, "\nRebooting...\nStopping services...\n"),
            Phase::Kernel => self.console_text(now, "Starting...\n"),
            _ => {}
        }
    }

    fn enter_booter(&mut self, now: Instant) {
        self.enter(now, Phase::RouterBoot, Some(self.spec.boot.routerboot));
        self.start_booter(now);
    }

    /// Another RouterOS is on the storage.
    pub(super) fn set_version(&mut self, version: Version) {
        self.spec = Rc::new(Spec { version, ..(*self.spec).clone() });
    }

    pub(super) fn note(&self, now: Instant, kind: EventKind) {
        self.recorder.note(now, kind);
    }

    /// The boot loader has written its settings.
    pub(super) fn restart_booter(&mut self, now: Instant) {
        self.enter_booter(now);
    }

    /// The boot loader has loaded the kernel; true when that was what the boot waited for.
    pub(super) fn leave_booter(&mut self, now: Instant) -> bool {
        let waited = self.until.is_none();
        if waited {
            self.enter(now, Phase::Kernel, Some(self.spec.boot.kernel));
        }
        waited
    }

    /// Takes the power away, now. Nothing happens when it is off already.
    pub fn power_cut(&mut self, now: Instant) {
        if self.phase() == Phase::Off {
            return;
        }
        self.storage.borrow_mut().device.touched(now);
        self.stop_system();
        self.frames.clear();
        let lost = self.storage.borrow_mut().files.power_cut(now);
        self.recorder.note(now, EventKind::PowerCut { lost });
        self.after_cut = true;
        self.serial.off();
        self.adapters.iter_mut().for_each(Adapter::off);
        self.enter(now, Phase::Off, None);
    }

    /// Presses the reset or mode button while the router runs: it starts again at once, and a change of device-mode that
    /// waits comes true.
    pub fn press_button(&mut self, now: Instant) {
        if !matches!(self.phase(), Phase::Up | Phase::Services) {
            return;
        }
        self.storage.borrow_mut().device.touched(now);
        self.stop_system();
        self.frames.clear();
        self.storage.borrow_mut().files.shut_down();
        self.enter_booter(now);
    }

    /// The console process dies and comes back.
    pub fn crash_console(&mut self, now: Instant) {
        self.pump(now);
        if let Some(system) = &self.system
            && system.phase() == Phase::Up
        {
            system.crash_console();
        }
        self.pump(now);
    }

    /// A frame arrived on port number `port`.
    pub fn handle_frame(&mut self, now: Instant, port: usize, frame: &[u8]) {
        if let Some(net) = self.system.as_ref().and_then(|system| system.net()) {
            net.handle_frame(port, frame);
            self.pump(now);
        }
    }

    /// The cable of port number `port` was plugged in or pulled.
    pub fn set_link(&mut self, now: Instant, port: usize, up: bool) {
        let Some(link) = self.links.get_mut(port) else { return };
        *link = up;
        if let Some(system) = &self.system {
            system.links.borrow_mut().clone_from(&self.links);
            if let Some(net) = system.net() {
                // The network reads the kernel's clock.
                system.kernel.run(now);
                net.set_link(port, up);
            }
            self.pump(now);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.pump(now);
    }

    /// The next frame to send, and on which port.
    pub fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)> {
        self.frames.pop_front()
    }

    /// When [`Router::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let kernel = self.system.as_ref().and_then(|system| system.kernel.poll_timeout());
        let adapters = self.adapters.iter().filter_map(Adapter::poll_timeout).min();
        [kernel, self.until, self.serial.poll_timeout(), adapters].into_iter().flatten().min()
    }

    /// Events that were lost because nobody took them in time: what was recorded proves nothing then.
    pub fn events_dropped(&self) -> u64 {
        self.recorder.dropped()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.recorder.poll()
    }

    /// Attaches to the serial console: what is typed, what is shown. `None` while no console runs.
    pub fn open_serial(&mut self, now: Instant) -> Option<(SessionId, PipeWriter, PipeReader)> {
        let system = Rc::clone(self.system.as_ref()?);
        if system.phase() != Phase::Up {
            return None;
        }
        let (typed, input) = pipe(Some(SERIAL_BUFFER));
        let (output, shown) = pipe(Some(SERIAL_BUFFER));
        let session =
            system.open_console(crate::console::Transport::Serial, crate::console::Login::Ask, "", input, output)?;
        self.pump(now);
        Some((session, typed, shown))
    }

    /// Runs the router's jobs until all of them wait, and takes what comes of it.
    pub(super) fn pump(&mut self, now: Instant) {
        self.turn_phases(now);
        for _ in 0..MAX_TURNS {
            let mut moved = self.turn_serial(now) | self.turn_adapters(now);
            let Some(system) = self.system.clone() else {
                if moved {
                    continue;
                }
                return;
            };
            system.kernel.run(now);
            if let Some(net) = system.net() {
                while let Some(event) = net.poll_event() {
                    system.on_net_event(event);
                    moved = true;
                }
                while let Some(frame) = net.poll_transmit() {
                    if self.frames.len() < MAX_FRAMES {
                        self.frames.push_back(frame);
                    }
                }
            }
            if let Some(action) = system.power.take()
                && self.phase != Phase::ShuttingDown
            {
                self.after = action;
                self.enter(now, Phase::ShuttingDown, Some(self.spec.boot.shutdown));
                moved = true;
            }
            // What the jobs have just said goes on the line now: nothing else may wake for it.
            moved |= self.turn_serial(now) | self.turn_adapters(now);
            if !moved && system.kernel.poll_timeout().is_none_or(|at| at > now) {
                return;
            }
        }
    }

    /// Goes from phase to phase as far as the clock says.
    fn turn_phases(&mut self, now: Instant) {
        while let Some(at) = self.until.filter(|at| *at <= now) {
            self.until = None;
            match self.phase {
                Phase::ShuttingDown => self.go_down(at),
                Phase::RouterBoot => {
                    self.turn_serial(at);
                    // It goes on when whoever is in the menu leaves it.
                    if self.phase == Phase::RouterBoot && !self.serial.holds_the_boot() {
                        self.enter(at, Phase::Kernel, Some(self.spec.boot.kernel));
                    }
                }
                Phase::Kernel => self.start_system(at),
                Phase::Off | Phase::Services | Phase::Up => {}
            }
        }
    }

    fn go_down(&mut self, now: Instant) {
        let uptime = self.system.as_ref().map(|system| system.uptime()).unwrap_or_default();
        if let Some(system) = &self.system {
            system.kernel.run(now);
            if let Some(net) = system.net() {
                net.shutdown();
                system.kernel.run(now);
                while let Some(frame) = net.poll_transmit() {
                    self.frames.push_back(frame);
                }
            }
        }
        self.stop_system();
        self.stage_packages();
        self.storage.borrow_mut().files.shut_down();
        match self.after {
            PowerAction::Reboot => {
                // Version 7's kernel signs its lines with the time (transcript 04).
                let line = if self.spec.version.is_v7() {
                    format!("[{:12.6}] reboot: Restarting system\n\n", uptime.as_secs_f64())
                } else {
                    "Restarting system.\n\n".to_owned()
                };
                self.console_text(now, &line);
                self.enter_booter(now);
            }
            PowerAction::Halt => {
                self.console_text(now, "Power down.\n");
                self.enter(now, Phase::Off, None);
            }
        }
    }

    fn stage_packages(&mut self) {
        // The specification was checked when the router was made, so its board is known.
        if let Ok(board) = self.spec.board() {
            self.storage.borrow_mut().stage_packages(self.spec.version, board);
        }
    }

    fn start_system(&mut self, now: Instant) {
        if self.serial.broken {
            // The kernel's own words for a storage that it can't read \[I\]; no transcript has a board in such a loop.
            self.console_text(now, "Kernel panic - not syncing: No working init found.\nRebooting in 1 seconds..\n");
            self.enter_booter(now);
            return;
        }
        if self.storage.borrow().installing.is_none() {
            self.stage_packages();
        }
        let update = self.storage.borrow_mut().next_update(self.spec.version);
        if let Some(update) = update {
            if let Update::Packages(version) = update {
                self.set_version(version);
            }
            // Either way the board starts once more \[I: with the same words\].
            self.console_text(now, "Rebooting...\n");
            self.enter_booter(now);
            return;
        }
        let boots = self.storage.borrow().boots;
        let boot = Boot {
            spec: Rc::clone(&self.spec),
            recorder: Rc::clone(&self.recorder),
            storage: Rc::clone(&self.storage),
            after_cut: std::mem::take(&mut self.after_cut),
            links: self.links.clone(),
        };
        self.phase = Phase::Services;
        self.console_text(now, "Starting services...\n");
        // The specification was checked when the router was made, so a boot does not fail.
        self.system = System::boot(now, self.seed.wrapping_add(boots.wrapping_mul(0x9E37_79B9)), boot).ok();
        if let Some(system) = &self.system {
            self.adapters.iter().for_each(|adapter| adapter.tell(system));
        }
    }

    /// Ends all jobs, which hold the system as it holds them.
    fn stop_system(&mut self) {
        self.serial.drop_console();
        if let Some(system) = self.system.take() {
            system.stop();
        }
    }
}
