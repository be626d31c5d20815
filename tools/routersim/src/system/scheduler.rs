//! `/system scheduler`: startup items and intervals.

use std::rc::Rc;
use std::time::Duration;

use mactelnet::Instant;

use super::core::System;
use super::who::{Policy, Who};
use crate::menu::Item;
use crate::menu::tables::ALL_POLICIES;
use crate::menu::time::{Calendar, parse_duration};
use crate::record::{Phase, Via};

const MENU: &str = "/system/scheduler";

fn at_startup(item: &Item) -> bool {
    item.get("start-time") == Some("startup")
}

fn interval(item: &Item) -> Duration {
    item.get("interval").and_then(parse_duration).unwrap_or_default()
}

impl System {
    /// Runs the startup items in list order and starts the timers of the others: at each start of the console process.
    pub(crate) fn start_scheduler(self: &Rc<Self>) {
        let items = self.config(|config| config.items(MENU).to_vec());
        for item in items.iter().filter(|item| !item.disabled) {
            if at_startup(item) {
                self.fire(item);
            }
            self.start_timer(item);
        }
    }

    /// After an item was added, changed or removed.
    pub(crate) fn reschedule(&self, id: u32, gone: bool) {
        self.next_generation(id);
        self.volatile.borrow_mut().due.remove(&id);
        let item = self.config(|config| config.item(MENU, id).cloned());
        if let (false, Some(item), Some(sys), Phase::Up) = (gone, item, self.rc(), self.phase())
            && !item.disabled
        {
            sys.start_timer(&item);
        }
    }

    /// Timers of the item that were started before end at their next turn.
    fn next_generation(&self, id: u32) -> u64 {
        let mut volatile = self.volatile.borrow_mut();
        let generation = volatile.timers.entry(id).or_insert(0);
        *generation += 1;
        *generation
    }

    /// When an item is due for the first time from now on; never, for one that is over.
    fn first_run(&self, item: &Item) -> Option<Instant> {
        let now = self.kernel.now();
        let every = interval(item);
        if at_startup(item) {
            return (!every.is_zero()).then(|| now + every);
        }
        let unix = self.unix_time();
        let mut start = Calendar::parse_date(item.get("start-date")?)?;
        start.second = parse_duration(item.get("start-time")?)?.as_secs();
        let start = start.to_unix();
        let due = if start > unix {
            start
        } else if every.is_zero() {
            return None;
        } else {
            let every = every.as_secs().max(1);
            start + ((unix - start) / every + 1) * every
        };
        Some(now + Duration::from_secs(due - unix))
    }

    /// When an item's timer runs out next, in seconds of the clock.
    pub(crate) fn due(&self, id: u32) -> Option<u64> {
        let due = self.volatile.borrow().due.get(&id).copied()?;
        Some(self.unix_time() + due.saturating_since(self.kernel.now()).as_secs())
    }

    fn start_timer(self: &Rc<Self>, item: &Item) {
        let Some(mut due) = self.first_run(item) else { return };
        let id = item.id;
        let generation = self.next_generation(id);
        self.volatile.borrow_mut().due.insert(id, due);
        let sys = Rc::clone(self);
        let job = self.kernel.spawn(format!("scheduler *{id:X}"), async move {
            loop {
                sys.kernel.sleep_until(due).await;
                if sys.volatile.borrow().timers.get(&id).copied().unwrap_or(0) != generation {
                    return;
                }
                let Some(item) = sys.config(|config| config.item(MENU, id).cloned()) else { return };
                sys.fire(&item);
                let every = interval(&item);
                if every.is_zero() {
                    sys.volatile.borrow_mut().due.remove(&id);
                    return;
                }
                due += every;
                sys.volatile.borrow_mut().due.insert(id, due);
            }
        });
        self.belongs_to_console(job);
    }

    /// Runs an item's event with its owner's name and its own policies.
    fn fire(self: &Rc<Self>, item: &Item) {
        let now = self.unix_time();
        {
            let mut volatile = self.volatile.borrow_mut();
            let runs = volatile.runs.entry((MENU, item.id)).or_insert((0, now));
            *runs = (runs.0 + 1, now);
        }
        let owner = item.get("owner").unwrap_or("admin");
        let policy = Policy::from_list(item.get("policy").unwrap_or(ALL_POLICIES));
        let who = Who { user: Rc::from(owner), policy, via: Via::Scheduler, session: None };
        let event = item.get("on-event").unwrap_or_default().to_owned();
        self.spawn_event(item.get("name").unwrap_or_default(), event, who);
    }
}
