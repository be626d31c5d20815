//! Drives discovery and MAC-Ping over links.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Clock;
use super::link::{BoxLink, Link, recv, recv_any};
use crate::discovery::Discovery;
use crate::macping::{Config, Event, Pinger, Statistics};
use crate::wire::{frame, mndp};
use crate::{Instant, MacAddr};

/// The port of MAC-Telnet and MAC-Ping.
const MAC_TELNET_PORT: u16 = 20561;

/// Asks and listens on `links` for `duration`; `news` is told of every router that is new or changed, by its place in
/// what is known so far, and may end the search by returning false. Links that fail are left out and named in the second part of the result.
pub async fn discover(
    links: Vec<BoxLink>,
    duration: Duration,
    news: impl FnMut(&Discovery, usize) -> bool,
) -> (Discovery, Vec<(String, io::Error)>) {
    let found = new_discovery(links.len());
    let failed = discover_into(&found, links, duration, news).await;
    (lock(&found).clone(), failed)
}

/// What [`discover_into`] fills, for so many links.
pub fn new_discovery(links: usize) -> Mutex<Discovery> {
    Mutex::new(Discovery::new(Instant::ZERO, links))
}

fn lock(found: &Mutex<Discovery>) -> MutexGuard<'_, Discovery> {
    // Whoever panicked while looking at it has not made it wrong.
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`discover`], into something that can be looked at meanwhile: a copy at every announcement would be work without
/// end on a segment that is flooded with them.
pub async fn discover_into(
    found: &Mutex<Discovery>,
    mut links: Vec<BoxLink>,
    duration: Duration,
    mut news: impl FnMut(&Discovery, usize) -> bool,
) -> Vec<(String, io::Error)> {
    let clock = Clock::new();
    let end = clock.now() + duration;
    let mut failed: Vec<(usize, io::Error)> = Vec::new();
    let mut buffer = Vec::new();
    let mut ip_id = 1;
    let mut start = 0;
    while failed.len() < links.len() {
        let now = clock.now();
        if now >= end {
            break;
        }
        loop {
            let Some((place, payload)) = lock(found).poll_transmit(now) else { break };
            let Some(link) = links.get_mut(place) else { continue };
            let repr = frame::Repr::new(link.info().mac, MacAddr::BROADCAST, mndp::PORT, mndp::PORT, ip_id);
            ip_id = ip_id.wrapping_add(1);
            if let Ok(bytes) = repr.to_vec(&payload)
                && let Err(error) = link.send(&bytes)
                && !failed.iter().any(|(other, _)| *other == place)
            {
                failed.push((place, error));
            }
        }
        let wake = clock.at(lock(found).poll_timeout().min(end));
        tokio::select! {
            biased;
            (place, result) = recv_any(&mut links, start, &mut buffer) => {
                start = place + 1;
                match result {
                    Ok(()) => {
                        let Ok(view) = frame::Frame::new_checked(&buffer) else { continue };
                        if view.dst_port() != mndp::PORT {
                            continue;
                        }
                        let mut discovery = lock(found);
                        let told = discovery.handle_payload(clock.now(), place, view.src_mac(), view.payload());
                        if let Some(place) = told
                            && !news(&discovery, place)
                        {
                            break;
                        }
                    }
                    Err(error) => {
                        if !failed.iter().any(|(other, _)| *other == place) {
                            failed.push((place, error));
                        }
                        // A dead link is always ready; do not spin on it.
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            }
            () = tokio::time::sleep_until(wake) => {}
        }
    }
    failed.into_iter().filter_map(|(place, error)| Some((links.get(place)?.info().name.clone(), error))).collect()
}

/// Pings over `link`; `each` is told of every answer and loss.
///
/// # Errors
/// The link failed.
pub async fn ping(link: &mut dyn Link, config: Config, mut each: impl FnMut(Event)) -> io::Result<Statistics> {
    let clock = Clock::new();
    let (local, peer) = (config.local, config.peer);
    let mut pinger = Pinger::new(clock.now(), config);
    let mut buffer = Vec::new();
    let mut ip_id = 1;
    loop {
        let now = clock.now();
        while let Some(event) = pinger.handle_timeout(now) {
            each(event);
        }
        if pinger.is_finished() {
            return Ok(pinger.statistics());
        }
        while let Some(payload) = pinger.poll_transmit(now) {
            let repr = frame::Repr::new(local, peer, MAC_TELNET_PORT, MAC_TELNET_PORT, ip_id);
            ip_id = ip_id.wrapping_add(1);
            if let Ok(bytes) = repr.to_vec(&payload) {
                link.send(&bytes)?;
            }
        }
        let wake = pinger.poll_timeout().unwrap_or(now);
        tokio::select! {
            biased;
            result = recv(link, &mut buffer) => {
                result?;
                let Ok(view) = frame::Frame::new_checked(&buffer) else { continue };
                if let Some(event) = pinger.handle_payload(clock.now(), view.payload()) {
                    each(event);
                }
            }
            () = tokio::time::sleep_until(clock.at(wake)) => {}
        }
    }
}
