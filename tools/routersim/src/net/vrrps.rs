//! A router's VRRP machines on its interfaces: made as the configuration says, heard, and done what they say.

use std::net::Ipv4Addr;

use mactelnet::Instant;

use super::frame;
use super::host::{NetEvent, VrrpState};
use super::inner::{Inner, Instance};
use super::switch::Local;
use super::vrrp::{Action, Advert, Machine, Settings, virtual_mac};

impl Inner {
    pub(super) fn refresh_vrrps(&mut self, now: Instant) {
        let configs = self.config.vrrps.clone();
        let gone: Vec<String> =
            self.vrrps.keys().filter(|name| !configs.iter().any(|c| c.name == **name)).cloned().collect();
        for name in gone {
            self.stop_vrrp(now, &name);
            self.vrrps.remove(&name);
        }
        for config in configs {
            let name = config.name.clone();
            let settings = Settings {
                vrid: config.vrid,
                priority: config.priority.max(1),
                interval: config.interval.max(std::time::Duration::from_millis(10)),
                preemption: config.preemption,
                primary: self.primary_address(&config.parent).unwrap_or(Ipv4Addr::UNSPECIFIED),
            };
            let runs = !config.disabled
                && self.switch.enabled(&config.parent)
                && (config.runs_without_link || self.switch.runs(&config.parent) == Some(true));
            let anew = self.vrrps.get(&name).is_some_and(|i| {
                i.config.vrid != config.vrid || i.config.parent != config.parent || i.config.writes != config.writes
            });
            if anew || !runs {
                self.stop_vrrp(now, &name);
            }
            let instance = self
                .vrrps
                .entry(name.clone())
                .or_insert_with(|| Instance { config: config.clone(), machine: Machine::new(settings.clone()) });
            instance.config = config;
            instance.machine.set(settings);
            if runs {
                let actions = instance.machine.start(now);
                self.act(now, &name, actions);
            }
        }
    }

    pub(super) fn stop_vrrp(&mut self, now: Instant, name: &str) {
        if let Some(actions) = self.vrrps.get_mut(name).map(|instance| instance.machine.stop()) {
            self.act(now, name, actions);
        }
    }

    fn act(&mut self, now: Instant, name: &str, actions: Vec<Action>) {
        for action in actions {
            let Some(instance) = self.vrrps.get(name) else {
                return;
            };
            let (parent, vrid) = (instance.config.parent.clone(), instance.config.vrid);
            let addresses = || self.config.addresses.iter().filter(|a| !a.disabled && a.interface == name);
            match action {
                Action::Advertise(advert) => {
                    let addresses: Vec<Ipv4Addr> = addresses().map(|address| address.address).collect();
                    self.send(now, &parent, advert.emit(&addresses));
                }
                Action::GratuitousArp => {
                    let frames: Vec<Vec<u8>> =
                        addresses().map(|a| frame::gratuitous_arp(virtual_mac(vrid), a.address)).collect();
                    for frame in frames {
                        self.send(now, &parent, frame);
                    }
                }
                Action::Became(state) => self.event(NetEvent::Vrrp { name: name.to_owned(), state }),
            }
        }
    }

    pub(super) fn vrrp_state(&self, name: &str) -> Option<VrrpState> {
        self.vrrps.get(name).map(|instance| instance.machine.state())
    }

    pub(super) fn run_vrrps(&mut self, now: Instant) {
        let names: Vec<String> = self.vrrps.keys().cloned().collect();
        let mut changed = false;
        for name in names {
            if let Some(actions) = self.vrrps.get_mut(&name).map(|instance| instance.machine.handle_timeout(now)) {
                changed |= actions.iter().any(|action| matches!(action, Action::Became(_)));
                self.act(now, &name, actions);
            }
        }
        if changed {
            self.refresh_l3(now);
            self.tell_running();
        }
    }

    pub(super) fn handle_advert(&mut self, now: Instant, local: &Local) {
        let Some(advert) = Advert::parse(&local.frame) else {
            return;
        };
        let names: Vec<String> = self.vrrps.keys().cloned().collect();
        let mut changed = false;
        for name in names {
            let Some(instance) = self.vrrps.get_mut(&name).filter(|i| i.config.parent == local.interface) else {
                continue;
            };
            let actions = instance.machine.handle(now, &advert);
            changed |= actions.iter().any(|action| matches!(action, Action::Became(_)));
            self.act(now, &name, actions);
        }
        if changed {
            self.refresh_l3(now);
            self.tell_running();
        }
    }
}
