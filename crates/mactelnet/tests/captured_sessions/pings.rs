//! MAC-Ping, asked and answered.

use std::time::Duration;

use mactelnet::wire::packet::PORT;
use mactelnet::wire::{Frame, ping};
use mactelnet::{Instant, macping};

use crate::SERVER;
use crate::capture::frames;

pub const PINGS: [&str; 3] = ["d1", "d2", "d3"];

#[test]
fn pings_are_answered_with_the_captured_bytes() {
    for prefix in PINGS {
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        for (_, bytes) in frames(prefix) {
            let frame = Frame::new_checked(&bytes).unwrap();
            match ping::Repr::parse(frame.payload()) {
                Ok((header, _)) if frame.dst_port() == PORT && header.reply => answered.push(frame.payload().to_vec()),
                Ok(_) if frame.dst_port() == PORT => {
                    asked.push(macping::answer(SERVER, frame.payload()).unwrap().unwrap());
                }
                _ => {}
            }
        }
        // A flood's last reply may have come after the capture's end.
        assert!(!answered.is_empty() && asked.starts_with(&answered), "{prefix}");
    }
}

/// Our ping in the C tool's place: it asks when that asked, with as many bytes, and its times are the captured ones.
/// The C tool's own answers, which pass by, are none to it.
#[test]
fn pings_are_asked_as_they_were_captured() {
    for prefix in PINGS {
        let mut pings = Vec::new();
        for (at, bytes) in frames(prefix) {
            let frame = Frame::new_checked(&bytes).unwrap();
            if frame.dst_port() == PORT
                && let Ok((header, data)) = ping::Repr::parse(frame.payload())
            {
                pings.push((at, header, frame.payload().to_vec(), data.len()));
            }
        }
        let (_, first, _, data_len) = pings[0].clone();
        let config = macping::Config {
            local: first.src,
            peer: first.dst,
            count: 0,
            interval: Duration::ZERO,
            timeout: Duration::from_secs(60),
            data_len,
            token: 7,
        };
        let mut pinger = macping::Pinger::new(Instant::ZERO, config);
        let (mut waiting, mut times) = (std::collections::VecDeque::new(), Vec::new());
        for (at, header, payload, _) in pings {
            if header.reply {
                assert_eq!(pinger.handle_payload(at, &payload), None, "{prefix}: an answer to somebody else");
                let (asked, ours): (Instant, Vec<u8>) = waiting.pop_front().unwrap();
                let (_, data) = ping::Repr::parse(&ours).unwrap();
                let event = pinger.handle_payload(at, &header.to_vec(data));
                assert!(
                    matches!(event, Some(macping::Event::Reply { time, .. }) if time == at.saturating_since(asked)),
                    "{prefix}: {event:?}"
                );
                times.push(at.saturating_since(asked));
            } else {
                let ours = pinger.poll_transmit(at).unwrap();
                assert_eq!((ping::Repr::parse(&ours).unwrap().0, ours.len()), (header, payload.len()), "{prefix}");
                waiting.push_back((at, ours));
            }
        }
        let found = pinger.statistics();
        assert_eq!(usize::try_from(found.received).unwrap(), times.len());
        assert_eq!((Some(found.min), Some(found.max)), (times.iter().min().copied(), times.iter().max().copied()));
    }
}
