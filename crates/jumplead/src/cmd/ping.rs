//! `ping`: MAC-Ping, times and loss.

use std::time::Duration;

use mactelnet::MacAddr;
use mactelnet::io::ping;
use mactelnet::macping::{Config, Event};
use mactelnet::wire::ping::DEFAULT_DATA;
use serde_json::json;

use super::discover::lost;
use crate::failure::{Exit, Failure, Result};
use crate::links::{self, HostLinks};
use crate::output::Output;

/// How long one answer is waited for, as the C tool does.
const TIMEOUT: Duration = Duration::from_secs(1);

pub async fn run(
    out: &Output,
    host: &HostLinks,
    mac: MacAddr,
    interface: Option<&str>,
    count: u32,
    interval: Duration,
) -> Result {
    host.raw_only("MAC-Ping")?;
    // For reading, the first interface that answers wins: ask once on each, one after another.
    let interfaces = match interface {
        Some(name) => vec![links::by_name(name)?],
        None => links::choose(&[])?,
    };
    let mut token = [0; 4];
    getrandom::fill(&mut token)
        .map_err(|error| Failure::new(Exit::Bug, "host.random", "the host has no randomness").cause(error))?;
    let names: Vec<&str> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    let mut chosen = None;
    if let [only] = interfaces.as_slice() {
        chosen = Some(only.clone());
    } else {
        for candidate in &interfaces {
            let mut link = host.open(candidate)?;
            let probe = config(candidate.mac, mac, 1, interval, Duration::from_millis(300), token);
            if ping(&mut link, probe, |_| {}).await.is_ok_and(|statistics| statistics.received > 0) {
                chosen = Some(candidate.clone());
                break;
            }
        }
    }
    let Some(interface) = chosen else {
        return Err(silent(mac, &names.join(", ")));
    };
    let mut link = host.open(&interface)?;
    out.say(format!("MAC-Ping {mac} on {}: {} data bytes", interface.name, DEFAULT_DATA));
    let mut times = Vec::new();
    let each = |event: Event| match event {
        Event::Reply { sequence, time } => {
            times.push(json!({"seq": sequence, "ms": time.as_secs_f64() * 1e3}));
            if !out.json {
                out.data(format!("{mac} seq={sequence} time={:.2} ms", time.as_secs_f64() * 1e3));
            }
        }
        Event::Lost { sequence } => {
            times.push(json!({"seq": sequence, "ms": null}));
            if !out.json {
                out.data(format!("{mac} seq={sequence} timeout"));
            }
        }
    };
    let statistics = ping(&mut link, config(interface.mac, mac, count, interval, TIMEOUT, token), each)
        .await
        .map_err(|error| lost(&interface.name, &error))?;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let silent = (statistics.received == 0).then(|| silent(mac, &interface.name));
    if out.json {
        let data = json!({"mac": mac.to_string(), "interface": interface.name, "sent": statistics.sent, "received": statistics.received,
                "min_ms": ms(statistics.min), "avg_ms": statistics.mean().map(ms), "max_ms": ms(statistics.max), "replies": times});
        match silent {
            Some(failure) => return Err(failure.found(data, Vec::new())),
            None => out.object(data, &[]),
        }
    } else {
        let mean = statistics.mean().map_or_else(String::new, |mean| {
            format!(", min/avg/max {:.2}/{:.2}/{:.2} ms", ms(statistics.min), ms(mean), ms(statistics.max))
        });
        out.say(format!(
            "{} sent, {} received, {} % lost{mean}",
            statistics.sent,
            statistics.received,
            statistics.loss_percent()
        ));
        if let Some(failure) = silent {
            return Err(failure);
        }
    }
    Ok(())
}

fn config(local: MacAddr, peer: MacAddr, count: u32, interval: Duration, timeout: Duration, token: [u8; 4]) -> Config {
    Config { local, peer, count, interval, timeout, data_len: DEFAULT_DATA, token: u32::from_be_bytes(token) }
}

fn silent(mac: MacAddr, names: &str) -> Failure {
    Failure::new(Exit::NotFound, "ping.silent", format!("{mac} does not answer MAC-Ping on {names}"))
        .hint("the router may have MAC-Ping switched off, or the cable is out; see who is there:  jumplead discover")
}
