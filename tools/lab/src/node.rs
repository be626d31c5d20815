//! What a world drives.

use mactelnet::Instant;
use routersim::router::Router;

/// Something with Ethernet ports and a clock from outside. Ports count from 0.
pub trait Node {
    /// A frame arrived at a port.
    fn handle_frame(&mut self, now: Instant, port: usize, frame: &[u8]);

    /// The other end of a port's cable came alive or died.
    fn set_link(&mut self, now: Instant, port: usize, up: bool);

    /// Time has passed.
    fn handle_timeout(&mut self, now: Instant);

    /// The next frame to send, and by which port.
    fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)>;

    /// When [`Node::handle_timeout`] is wanted next.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Whether the port drives its end of the cable: without power, or disabled, the far end has no link.
    fn carrier(&self, port: usize) -> bool {
        let _ = port;
        true
    }
}

impl Node for Router {
    fn handle_frame(&mut self, now: Instant, port: usize, frame: &[u8]) {
        Self::handle_frame(self, now, port, frame);
    }

    fn set_link(&mut self, now: Instant, port: usize, up: bool) {
        Self::set_link(self, now, port, up);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)> {
        Self::poll_transmit(self)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }
    fn carrier(&self, port: usize) -> bool {
        Self::carrier(self, port)
    }
}
