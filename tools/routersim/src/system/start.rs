//! One boot, from the kernel's start to the console, and what comes after.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::Instant;

use super::core::{Socket, Storage, System, Volatile};
use super::scripts::Caller;
use super::who::Who;
use crate::console::Notices;
use crate::kernel::Kernel;
use crate::menu::catalog::Collected;
use crate::menu::tables::EXPIRING_MENUS;
use crate::net::{Net, NetEvent, NetHost, VrrpState};
use crate::quirks::PortOrder;
use crate::record::{EventKind, Phase, Recorder, Via};
use crate::script::Silent;
use crate::spec::{Spec, SpecError};

/// What a boot starts from.
#[derive(Debug)]
pub struct Boot {
    /// What the router is.
    pub spec: Rc<Spec>,
    /// Where events go.
    pub recorder: Rc<Recorder>,
    /// What outlives it.
    pub storage: Rc<RefCell<Storage>>,
    /// Whether the power had been cut before.
    pub after_cut: bool,
    /// Whether a live cable is in each socket.
    pub links: Vec<bool>,
}

impl System {
    /// A system whose kernel has just come up. Nothing of it runs yet.
    pub fn boot(now: Instant, seed: u64, boot: Boot) -> Result<Rc<Self>, SpecError> {
        let Boot { spec, recorder, storage, after_cut, links } = boot;
        let board = spec.board()?;
        let quirks = spec.quirks();
        let kernel = Kernel::new(now, seed);
        if let Some(event) = storage.borrow_mut().settle(&spec) {
            recorder.note(now, event);
        }
        storage.borrow_mut().boots += 1;
        for menu in EXPIRING_MENUS {
            storage.borrow_mut().config.items_mut(menu).retain(|item| item.get("timeout").is_none());
        }
        let sockets = sockets(&spec, quirks.port_order);
        let ports = super::ports::Ports::of(&spec);
        let sys = Rc::new_cyclic(|me| Self {
            spec,
            quirks,
            board,
            recorder,
            storage,
            kernel,
            booted: now,
            sockets: RefCell::new(sockets),
            links: RefCell::new(links),
            volatile: RefCell::new(Volatile::default()),
            globals: RefCell::new(BTreeMap::new()),
            notices: Notices::new(),
            ports: RefCell::new(ports),
            me: me.clone(),
            net: RefCell::new(None),
            phase: Cell::new(Phase::Services),
            power: Cell::new(None),
            console_jobs: RefCell::new(Vec::new()),
            collected: Collected::default(),
        });
        sys.note(EventKind::Phase(Phase::Services));
        let starting = Rc::clone(&sys);
        sys.kernel.spawn("services", async move { starting.start_services(after_cut).await });
        Ok(sys)
    }

    /// Ends everything that runs. Jobs hold the system and the system holds them: without this neither would go.
    pub fn stop(&self) {
        for (id, _) in self.kernel.jobs() {
            self.kernel.kill(id);
        }
        self.net.borrow_mut().take();
    }

    async fn start_services(self: Rc<Self>, after_cut: bool) {
        let all = self.spec.scaled(self.spec.boot.services);
        // Ports come up before the console does: that is the window in which a restored standby shows cloned addresses
        // (ha-system.md section 7).
        self.kernel.sleep(all / 2).await;
        let host: Rc<dyn NetHost> = Rc::<Self>::clone(&self);
        let net = Net::new(&self.kernel, Rc::downgrade(&host));
        for (port, up) in self.links.borrow().iter().enumerate() {
            net.set_link(port, *up);
        }
        *self.net.borrow_mut() = Some(net);
        if self.quirks.late_ports_ms == 0 {
            self.ports_appear();
        }
        self.kernel.sleep(all - all / 2).await;
        if after_cut {
            self.log("system,error,critical", "router was rebooted without proper shutdown");
        } else {
            self.log("system,info", "router rebooted");
        }
        let notes = std::mem::take(&mut self.storage.borrow_mut().boot_notes);
        for (topics, message) in notes {
            self.log(&topics, &message);
        }
        self.enter(Phase::Up);
        if self.quirks.late_ports_ms > 0 {
            let late = Rc::clone(&self);
            let delay = Duration::from_millis(u64::from(self.quirks.late_ports_ms));
            self.kernel.spawn("late ports", async move {
                late.kernel.sleep(delay).await;
                late.ports_appear();
            });
        }
        let after_reset = self.storage.borrow_mut().run_after_reset.take();
        if let Some(file) = after_reset {
            self.run_after_reset(file);
        }
        self.start_netwatch();
        let starting = Rc::clone(&self);
        let job = self.kernel.spawn("scheduler", async move {
            starting.kernel.sleep(starting.spec.scaled(starting.spec.boot.startup)).await;
            starting.start_scheduler();
        });
        self.belongs_to_console(job);
    }

    fn ports_appear(&self) {
        for socket in self.sockets.borrow_mut().iter_mut() {
            socket.present = true;
        }
        self.reconfigure();
    }

    fn run_after_reset(self: &Rc<Self>, file: String) {
        let Some(text) = self.read_file(&file) else {
            self.log("system,error", &format!("run-after-reset: no such file {file}"));
            return;
        };
        let sys = Rc::clone(self);
        let job = self.kernel.spawn("run-after-reset", async move {
            let who = Who::system(Via::Reset);
            let ctx = sys.ctx(Caller::alone(who), Rc::new(Silent));
            let script = sys.run_text(&file, None, &text, ctx);
            let result = match sys.quirks.reset_script_seconds {
                Some(limit) => sys.kernel.timeout(Duration::from_secs(u64::from(limit)), script).await,
                None => Some(script.await),
            };
            match result {
                None => sys.log("script,error", "run-after-reset: runtime limit exceeded"),
                Some(Err(error)) => sys.script_failed("run-after-reset", &error),
                Some(Ok(_)) => {}
            }
        });
        self.belongs_to_console(job);
    }

    /// What the network told.
    pub fn on_net_event(self: &Rc<Self>, event: NetEvent) {
        match event {
            NetEvent::Running { interface, running } => {
                let word = if running { "up" } else { "down" };
                self.log("interface,info", &format!("{interface} link {word}"));
                self.note(EventKind::Port { name: interface, running });
            }
            NetEvent::Loop { interface, from, sender } => {
                let text = format!("{interface} received loop protect packet originated from {from} ({sender})");
                self.log("interface,warning", &text);
            }
            NetEvent::Vrrp { name, state } => self.on_vrrp(&name, state),
            NetEvent::FtpUploaded { user, path } => self.on_upload(&user, path),
        }
    }

    fn on_vrrp(self: &Rc<Self>, name: &str, state: VrrpState) {
        let (property, word, master) = match state {
            VrrpState::Master => ("on-master", "MASTER", true),
            VrrpState::Backup => ("on-backup", "BACKUP", false),
            VrrpState::Initialize => return,
        };
        self.note(EventKind::Vrrp { interface: name.to_owned(), master });
        self.log("vrrp,info", &format!("{name} now {word}"));
        let script = self.config(|config| config.by_name("/interface/vrrp", name)?.get(property).map(str::to_owned));
        let Some(script) = script.filter(|script| !script.is_empty()) else { return };
        // No script runs before the console's startup items may: a restored standby's first disable comes 3 s after the
        // console's start at the earliest, though its VRRP is backup long before (ha-system.md section 7; that the script
        // waits, rather than being lost, is inferred).
        let ready = self.booted + self.spec.scaled(self.spec.boot.services) + self.spec.scaled(self.spec.boot.startup);
        let wait = ready.saturating_since(self.kernel.now());
        if wait.is_zero() {
            self.spawn_event(&script.clone(), script, Who::system(Via::Vrrp));
            return;
        }
        let sys = Rc::clone(self);
        self.kernel.spawn(format!("{script} waits"), async move {
            sys.kernel.sleep(wait).await;
            sys.spawn_event(&script.clone(), script, Who::system(Via::Vrrp));
        });
    }

    /// `NAME.auto.rsc` runs on arrival, with the uploader's rights; what it prints goes to `NAME.auto.log`.
    fn on_upload(self: &Rc<Self>, user: &str, path: String) {
        let Some(stem) = path.strip_suffix(".auto.rsc").map(str::to_owned) else { return };
        if self.quirks.auto_rsc_dead {
            return;
        }
        let Some(mut text) = self.read_file(&path) else { return };
        for _ in 0..self.quirks.auto_rsc_lost_lines {
            // a line ends where the one before it does
            let without_end = text.strip_suffix(b"\n").unwrap_or(&text);
            text.truncate(without_end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        }
        let sys = Rc::clone(self);
        let who = self.who(user, Via::AutoRsc);
        let job = self.kernel.spawn(path.clone(), async move {
            let output = super::scripts::Collect::default();
            let ctx = sys.ctx(Caller::alone(who), Rc::new(output.clone()));
            let result = sys.run_text(&path, None, &text, ctx).await;
            let mut said = output.take();
            if let Err(error) = &result {
                said.extend(error.to_string().bytes());
                said.push(b'\n');
                sys.script_failed(&path, error);
            }
            if sys.write_file(&format!("{stem}.auto.log"), said).is_err() {
                sys.log("system,error", &format!("could not write {stem}.auto.log"));
            }
        });
        self.belongs_to_console(job);
    }
}

/// The board's sockets, under the names that this start gives them.
fn sockets(spec: &Spec, order: PortOrder) -> Vec<Socket> {
    let mut sockets: Vec<Socket> = spec
        .port_macs()
        .into_iter()
        .enumerate()
        .map(|(index, (default_name, mac))| Socket { index, default_name, mac, present: false })
        .collect();
    let count = sockets.len();
    let swapped = match order {
        PortOrder::Right => None,
        PortOrder::FirstTwoSwapped => Some((0, 1)),
        PortOrder::LastTwoSwapped => count.checked_sub(2).map(|at| (at, at + 1)),
    };
    if let Some((one, other)) = swapped
        && other < count
    {
        let name = sockets[one].default_name.clone();
        sockets[one].default_name = std::mem::replace(&mut sockets[other].default_name, name);
    }
    sockets
}
