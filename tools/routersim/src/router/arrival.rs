//! The storage with which a router leaves the shelf.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::Instant;

use crate::record::{Recorder, Via};
use crate::script::Silent;
use crate::spec::{FileSpec, Spec, SpecError};
use crate::system::{Boot, Caller, DeviceState, Files, LogRing, Storage, System};

/// How long a specification's setup may take, in virtual time.
const SETUP_TIME: Duration = Duration::from_secs(3600);
/// What files stay in RAM for on a board with slow write-back \[doc\].
const SLOW_WRITE_BACK: u32 = 40;

/// What lies on the storage before the first boot: the arrival state, files, and what the setup commands make.
pub(super) fn storage(spec: &Rc<Spec>, seed: u64) -> Result<Rc<RefCell<Storage>>, SpecError> {
    let board = spec.board()?;
    let quirks = spec.quirks();
    let slow = if board.slow_write_back { SLOW_WRITE_BACK } else { 0 };
    let write_back = Duration::from_secs(u64::from(quirks.write_back_seconds.unwrap_or(slow)));
    let mut files = Files::new(board.storage / 2, write_back, quirks.flash_directory);
    for (name, file) in &spec.files {
        let FileSpec::Text(text) = file else {
            return Err(SpecError::File { name: name.clone(), cause: "was not read from the host".to_owned() });
        };
        let full = || SpecError::File { name: name.clone(), cause: "does not fit on the storage".to_owned() };
        if let Some((directory, _)) = name.rsplit_once('/') {
            files.make_directory(Instant::ZERO, spec.epoch, directory).map_err(|_| full())?;
        }
        files.write(Instant::ZERO, spec.epoch, name, text.clone().into_bytes()).map_err(|_| full())?;
    }
    let storage = Rc::new(RefCell::new(Storage {
        config: crate::system::arrival(spec),
        files,
        clock_offset: 0,
        // Whoever set the router up has seen the question.
        license_pending: quirks.license_question && spec.setup.is_empty(),
        pending: None,
        run_after_reset: None,
        last_logins: BTreeMap::new(),
        sessions: 0,
        boots: 0,
        firmware: spec.version,
        factory_firmware: spec.version,
        firmware_next: None,
        installing: None,
        downgrade: false,
        boot_notes: Vec::new(),
        device: DeviceState::new(quirks.device_mode),
        disk_log: LogRing::default(),
    }));
    if !spec.setup.is_empty() {
        setup(spec, seed, &storage)?;
    }
    let mut stored = storage.borrow_mut();
    stored.files.shut_down();
    (stored.sessions, stored.boots) = (0, 0);
    stored.boot_notes.clear();
    drop(stored);
    Ok(storage)
}

/// Runs the setup commands on a system of their own, whose events nobody sees.
fn setup(spec: &Rc<Spec>, seed: u64, storage: &Rc<RefCell<Storage>>) -> Result<(), SpecError> {
    let boot = Boot {
        spec: Rc::clone(spec),
        recorder: Rc::new(Recorder::default()),
        storage: Rc::clone(storage),
        after_cut: false,
        links: Vec::new(),
    };
    let system = System::boot(Instant::ZERO, seed, boot)?;
    for socket in system.sockets.borrow_mut().iter_mut() {
        socket.present = true;
    }
    let result = Rc::new(RefCell::new(None));
    let (running, told) = (Rc::clone(&system), Rc::clone(&result));
    system.kernel.spawn("setup", async move {
        let ctx = running.ctx(Caller::alone(running.who("admin", Via::Test)), Rc::new(Silent));
        let ended = running.run_text("setup", None, running.spec.setup.as_bytes(), ctx).await;
        *told.borrow_mut() = Some(ended.map(|_| ()));
    });
    let mut now = Instant::ZERO;
    while result.borrow().is_none() && now < Instant::ZERO + SETUP_TIME {
        system.kernel.run(now);
        match system.kernel.poll_timeout() {
            Some(at) => now = at,
            None => break,
        }
    }
    system.stop();
    let ended = result.borrow_mut().take();
    match ended {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(SpecError::Setup(error.to_string())),
        None => Err(SpecError::Setup("it did not end".to_owned())),
    }
}
