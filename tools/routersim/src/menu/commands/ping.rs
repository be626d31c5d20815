//! `/ping`, of an IP or a MAC address.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::MacAddr;

use crate::menu::refused::Refused;
use crate::menu::values::text_of;
use crate::net::{PingOptions, PingOutcome, PingReply};
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::System;

#[derive(Clone, Copy)]
enum Target {
    Ip(Ipv4Addr),
    Mac(MacAddr),
}

fn number<T: TryFrom<i64>>(command: &MenuCommand, name: &str, or: T) -> Result<T, Error> {
    match command.named(name) {
        Some(arg) => {
            let number = arg.value.as_num().and_then(|n| T::try_from(n).ok());
            number.ok_or_else(|| Error::invalid_value(name))
        }
        None => Ok(or),
    }
}

pub(super) async fn ping(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let arg = command.named("address").or_else(|| {
        command.unnamed().find(|arg| !matches!(arg.literal.as_deref(), Some("as-value" | "without-paging")))
    });
    let text = arg.map(text_of).ok_or(Refused::Missing(vec!["address"]))?;
    let target = match (text.parse(), text.parse()) {
        (Ok(ip), _) => Target::Ip(ip),
        (_, Ok(mac)) => Target::Mac(mac),
        _ => return Err(Error::invalid_value("address")),
    };
    let interval = match command.named("interval") {
        Some(arg) => {
            let nanos = arg.value.as_time().and_then(|time| u64::try_from(time).ok());
            Duration::from_nanos(nanos.ok_or_else(|| Error::invalid_value("interval"))?)
        }
        None => Duration::from_secs(1),
    };
    let options = PingOptions {
        count: 1,
        interval: interval.max(Duration::from_millis(10)),
        size: number(command, "size", 56)?,
        ttl: number(command, "ttl", 255)?,
        source: match command.named("src-address") {
            Some(arg) => Some(text_of(arg).parse().map_err(|_| Error::invalid_value("src-address"))?),
            None => None,
        },
        interface: command.named("interface").map(text_of),
    };
    if let Some(interface) = &options.interface
        && !sys.interface_names().contains(interface)
    {
        return Err(Refused::NoMatch("interface".to_owned()).into());
    }
    let count: u32 = number(command, "count", u32::MAX)?;
    let quiet = command.flag("as-value") || command.in_brackets;
    let net = sys.net().ok_or_else(|| Error::failure("no network"))?;
    let mut replies: Vec<PingReply> = Vec::new();
    let mut tally = Tally::default();
    if !quiet {
        ctx.output.line(HEAD);
    }
    let mut sequence = 0;
    while sequence < count {
        let begun = sys.kernel.now();
        let short = u16::try_from(sequence % 65_536).unwrap_or(0);
        let reply = match target {
            Target::Ip(ip) => net.ping_once(ip, short, &options).await,
            Target::Mac(mac) => net.mac_ping_once(mac, short, &options).await,
        };
        tally.take(&reply);
        if quiet {
            replies.push(reply);
            // Nobody reads what an endless ping gathers.
            if replies.len() > 10_000 {
                replies.remove(0);
            }
        } else {
            ctx.output.line(row(&text, &reply).as_bytes());
        }
        sequence += 1;
        if sequence < count {
            sys.kernel.sleep_until(begun + options.interval).await;
        }
    }
    if !quiet {
        ctx.output.line(tally.line().as_bytes());
    }
    if command.flag("as-value") {
        let records: Vec<Value> = replies.iter().map(|reply| record(&text, reply)).collect();
        return Ok(match records.as_slice() {
            [one] => one.clone(),
            _ => Value::list(records),
        });
    }
    Ok(if sys.quirks.ping_gives_count { Value::Num(i64::from(tally.received)) } else { Value::Nothing })
}

const HEAD: &[u8] = b"  SEQ HOST                                     SIZE TTL TIME       STATUS";

#[derive(Default)]
struct Tally {
    sent: u32,
    received: u32,
    least: Option<Duration>,
    most: Duration,
    sum: Duration,
}

impl Tally {
    fn take(&mut self, reply: &PingReply) {
        self.sent += 1;
        if let PingOutcome::Reply { time, .. } = reply.outcome {
            self.received += 1;
            self.least = Some(self.least.map_or(time, |least| least.min(time)));
            self.most = self.most.max(time);
            self.sum += time;
        }
    }

    fn line(&self) -> String {
        let loss = 100 - 100 * self.received / self.sent.max(1);
        let mut line = format!("    sent={} received={} packet-loss={loss}%", self.sent, self.received);
        if let Some(least) = self.least {
            let mean = self.sum / self.received.max(1);
            line.push_str(&format!(" min-rtt={} avg-rtt={} max-rtt={}", time(least), time(mean), time(self.most)));
        }
        line
    }
}

fn time(duration: Duration) -> String {
    if duration < Duration::from_millis(1) {
        format!("{}us", duration.as_micros())
    } else {
        format!("{}ms{}us", duration.as_millis(), duration.as_micros() % 1000)
    }
}

fn row(host: &str, reply: &PingReply) -> String {
    match &reply.outcome {
        PingOutcome::Reply { size, ttl, time: rtt } => {
            let ttl = if *ttl == 0 { String::new() } else { ttl.to_string() };
            format!("{:>5} {host:<40} {size:>4} {ttl:>3} {:<10}", reply.sequence, time(*rtt)).trim_end().to_owned()
        }
        PingOutcome::Timeout => format!("{:>5} {host:<40} {:>4} {:>3} {:<10} timeout", reply.sequence, "", "", ""),
        PingOutcome::Failed(error) => {
            format!("{:>5} {host:<40} {:>4} {:>3} {:<10} {error}", reply.sequence, "", "", "")
        }
    }
}

fn record(host: &str, reply: &PingReply) -> Value {
    let mut values = vec![("host", Value::str(host)), ("seq", Value::Num(i64::from(reply.sequence)))];
    match &reply.outcome {
        PingOutcome::Reply { size, ttl, time } => {
            values.push(("size", Value::Num(i64::from(*size))));
            if *ttl > 0 {
                values.push(("ttl", Value::Num(i64::from(*ttl))));
            }
            values.push(("time", Value::time(*time)));
        }
        PingOutcome::Timeout => values.push(("status", Value::str("timeout"))),
        PingOutcome::Failed(error) => values.push(("status", Value::str(error.to_string()))),
    }
    Value::record(values)
}
