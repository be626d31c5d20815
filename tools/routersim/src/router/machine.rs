//! [`Router`]: sans-I/O like the protocol machines; one input, then drain the outputs.

use std::rc::Rc;

use mactelnet::Instant;

use crate::record::{Event, EventKind, Phase, Recorder};
use crate::spec::{Spec, SpecError};

/// A simulated router.
#[derive(Debug)]
pub struct Router {
    spec: Spec,
    recorder: Rc<Recorder>,
    phase: Phase,
    seed: u64,
}

impl Router {
    /// A router that is switched off. Same specification, seed and inputs: same events.
    pub fn new(spec: Spec, seed: u64) -> Result<Self, SpecError> {
        spec.check()?;
        Ok(Self { spec, recorder: Rc::new(Recorder::default()), phase: Phase::Off, seed })
    }

    /// Its specification.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Default names of its ports, in hardware order; `port` numbers elsewhere index this.
    pub fn ports(&self) -> Vec<String> {
        self.spec.port_macs().into_iter().map(|(name, _)| name).collect()
    }

    /// What it is doing.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Switches it on.
    pub fn power_on(&mut self, now: Instant) {
        let _ = self.seed;
        self.recorder.note(now, EventKind::Phase(Phase::RouterBoot));
        self.phase = Phase::RouterBoot;
    }

    /// Takes the power away, now.
    pub fn power_cut(&mut self, now: Instant) {
        self.recorder.note(now, EventKind::PowerCut { lost: 0 });
        self.phase = Phase::Off;
    }

    /// A frame arrived on port number `port`.
    pub fn handle_frame(&mut self, now: Instant, port: usize, frame: &[u8]) {
        let _ = (now, port, frame);
    }

    /// The cable of port number `port` was plugged in or pulled.
    pub fn set_link(&mut self, now: Instant, port: usize, up: bool) {
        let _ = (now, port, up);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// The next frame to send, and on which port.
    pub fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)> {
        None
    }

    /// When [`Router::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.recorder.poll()
    }
}
