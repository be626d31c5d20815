//! Several programs on one host's interface: each hears every frame, as packet sockets do.

use std::sync::{Arc, Mutex};

use mactelnet::MacAddr;
use mactelnet::io::link::recv;
use mactelnet::io::memory::{MemoryLink, QUEUE};
use mactelnet::io::{BoxLink, Link};
use tokio::sync::mpsc;

type Listeners = Arc<Mutex<Vec<mpsc::Sender<Vec<u8>>>>>;

/// Shares one link. Ends with its last clone and link.
#[derive(Debug, Clone)]
pub struct Hub {
    name: String,
    mac: MacAddr,
    out: mpsc::Sender<Vec<u8>>,
    listeners: Listeners,
}

impl Hub {
    /// Takes `link` over; a task carries its frames from now on.
    pub fn new(mut link: impl Link + 'static) -> Self {
        let info = link.info().clone();
        let (out, mut to_send) = mpsc::channel::<Vec<u8>>(QUEUE);
        let listeners = Listeners::default();
        let heard_by = Arc::clone(&listeners);
        tokio::spawn(async move {
            let mut frame = Vec::new();
            loop {
                tokio::select! {
                    biased;
                    sent = to_send.recv() => {
                        let Some(sent) = sent else { return };
                        if link.send(&sent).is_err() {
                            return;
                        }
                    }
                    received = recv(&mut link, &mut frame) => {
                        if received.is_err() {
                            return;
                        }
                        let Ok(mut listeners) = heard_by.lock() else { return };
                        // One that is full loses the frame; one that is gone is forgotten.
                        listeners.retain(|to| !matches!(to.try_send(frame.clone()), Err(mpsc::error::TrySendError::Closed(_))));
                    }
                }
            }
        });
        Self { name: info.name, mac: info.mac, out, listeners }
    }

    /// One more link on it. It hears what comes from now on.
    pub fn open(&self) -> BoxLink {
        let (to, inbox) = mpsc::channel(QUEUE);
        if let Ok(mut listeners) = self.listeners.lock() {
            listeners.push(to);
        }
        Box::new(MemoryLink::new(&self.name, self.mac, self.out.clone(), inbox))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mactelnet::io::memory::wire;

    #[tokio::test(start_paused = true)]
    async fn all_hear_and_all_speak() {
        let (near, mut far) = wire(("eth1", MacAddr([2, 0, 0, 0, 0, 1])), ("far", MacAddr([2, 0, 0, 0, 0, 2])));
        let hub = Hub::new(near);
        let (mut first, mut second) = (hub.open(), hub.open());
        let mut frame = Vec::new();
        far.send(b"hello").unwrap();
        for link in [&mut first, &mut second] {
            recv(link, &mut frame).await.unwrap();
            assert_eq!(frame, b"hello");
        }
        drop(first);
        second.send(b"back").unwrap();
        recv(&mut far, &mut frame).await.unwrap();
        assert_eq!(frame, b"back");
        far.send(b"again").unwrap();
        recv(&mut second, &mut frame).await.unwrap();
        assert_eq!(frame, b"again");
    }
}
