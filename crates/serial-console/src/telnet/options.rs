//! Who may use which option: the method of RFC 1143, which ends every exchange and answers nothing twice.

use super::wire::{Verb, negotiate};

/// What this side wants of one option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The option.
    pub option: u8,
    /// We may use it.
    pub ours: bool,
    /// The far side may use it.
    pub theirs: bool,
}

/// How one side of one option stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Nobody has said anything.
    #[default]
    Unsaid,
    /// We have asked.
    Asked,
    /// We have asked, and no answer came in time: not supported, as far as anybody can say. A late answer still counts.
    Unanswered,
    /// In use.
    On,
    /// Refused, or switched off.
    Off,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    ours: Standing,
    theirs: Standing,
}

/// Options with a policy; every other one is refused.
#[derive(Debug, Clone)]
pub struct Options {
    entries: Vec<(Policy, Entry)>,
}

impl Options {
    /// Nothing said yet.
    pub fn new(policies: &[Policy]) -> Self {
        Self { entries: policies.iter().map(|policy| (*policy, Entry::default())).collect() }
    }

    fn entry(&mut self, option: u8) -> Option<&mut (Policy, Entry)> {
        self.entries.iter_mut().find(|(policy, _)| policy.option == option)
    }

    /// How our use of it stands.
    pub fn ours(&self, option: u8) -> Standing {
        self.entries.iter().find(|(policy, _)| policy.option == option).map_or(Standing::Off, |(_, entry)| entry.ours)
    }

    /// How the far side's use of it stands.
    pub fn theirs(&self, option: u8) -> Standing {
        self.entries.iter().find(|(policy, _)| policy.option == option).map_or(Standing::Off, |(_, entry)| entry.theirs)
    }

    /// Offers to use it, if nothing was said about it yet.
    pub fn offer(&mut self, option: u8, out: &mut Vec<u8>) {
        if let Some((_, entry)) = self.entry(option)
            && entry.ours == Standing::Unsaid
        {
            entry.ours = Standing::Asked;
            negotiate(Verb::Will, option, out);
        }
    }

    /// Asks the far side to use it, if nothing was said about it yet.
    pub fn request(&mut self, option: u8, out: &mut Vec<u8>) {
        if let Some((_, entry)) = self.entry(option)
            && entry.theirs == Standing::Unsaid
        {
            entry.theirs = Standing::Asked;
            negotiate(Verb::Do, option, out);
        }
    }

    /// Counts what was asked of this option and is not answered yet as not supported; whether anything was.
    pub fn give_up(&mut self, option: u8) -> bool {
        let Some((_, entry)) = self.entry(option) else { return false };
        let mut any = false;
        for side in [&mut entry.ours, &mut entry.theirs] {
            if *side == Standing::Asked {
                *side = Standing::Unanswered;
                any = true;
            }
        }
        any
    }

    /// Takes a word about an option, and answers where an answer is due. A word that changes nothing is not answered:
    /// otherwise two sides could go on for ever.
    pub fn receive(&mut self, verb: Verb, option: u8, out: &mut Vec<u8>) {
        let Some((policy, entry)) = self.entry(option) else {
            match verb {
                Verb::Will => negotiate(Verb::Dont, option, out),
                Verb::Do => negotiate(Verb::Wont, option, out),
                Verb::Wont | Verb::Dont => {}
            }
            return;
        };
        let (side, allowed, yes, no) = match verb {
            Verb::Do | Verb::Dont => (&mut entry.ours, policy.ours, Verb::Will, Verb::Wont),
            Verb::Will | Verb::Wont => (&mut entry.theirs, policy.theirs, Verb::Do, Verb::Dont),
        };
        let on = matches!(verb, Verb::Do | Verb::Will);
        match (*side, on) {
            // The answer to our question.
            (Standing::Asked | Standing::Unanswered, true) => *side = Standing::On,
            (Standing::Asked | Standing::Unanswered, false) => *side = Standing::Off,
            (Standing::On, true) => {}
            (Standing::Unsaid | Standing::Off, true) if allowed => {
                *side = Standing::On;
                negotiate(yes, option, out);
            }
            (Standing::Unsaid | Standing::Off, true) => {
                *side = Standing::Off;
                negotiate(no, option, out);
            }
            (Standing::On, false) => {
                *side = Standing::Off;
                negotiate(no, option, out);
            }
            (Standing::Unsaid | Standing::Off, false) => *side = Standing::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telnet::{Decoder, Item};
    use proptest::prelude::*;

    fn both(option: u8) -> Policy {
        Policy { option, ours: true, theirs: true }
    }

    #[test]
    fn an_answer_is_not_answered() {
        let mut options = Options::new(&[both(0)]);
        let mut out = Vec::new();
        options.offer(0, &mut out);
        options.request(0, &mut out);
        assert_eq!(out, [255, 251, 0, 255, 253, 0]);
        out.clear();
        options.receive(Verb::Do, 0, &mut out);
        options.receive(Verb::Will, 0, &mut out);
        options.receive(Verb::Will, 0, &mut out);
        assert_eq!((out.as_slice(), options.ours(0), options.theirs(0)), (&[][..], Standing::On, Standing::On));
        options.receive(Verb::Wont, 0, &mut out);
        assert_eq!((out.as_slice(), options.theirs(0)), (&[255, 254, 0][..], Standing::Off));
    }

    #[test]
    fn a_late_answer_counts_and_is_not_answered() {
        let mut options = Options::new(&[both(0)]);
        let mut out = Vec::new();
        options.offer(0, &mut out);
        options.request(0, &mut out);
        options.receive(Verb::Do, 0, &mut out);
        assert!(options.give_up(0));
        assert_eq!((options.ours(0), options.theirs(0)), (Standing::On, Standing::Unanswered));
        assert!(!options.give_up(0), "nothing is open any more");
        out.clear();
        options.receive(Verb::Will, 0, &mut out);
        assert_eq!((out.as_slice(), options.theirs(0)), (&[][..], Standing::On));
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        let mut options = Options::new(&[Policy { option: 1, ours: false, theirs: true }]);
        let mut out = Vec::new();
        options.receive(Verb::Do, 1, &mut out);
        options.receive(Verb::Do, 24, &mut out);
        options.receive(Verb::Will, 24, &mut out);
        options.receive(Verb::Dont, 24, &mut out);
        assert_eq!(out, [255, 252, 1, 255, 252, 24, 255, 254, 24]);
    }

    proptest! {
        /// Two sides with any policies come to rest, and agree.
        #[test]
        fn two_sides_come_to_rest(a in any::<[bool; 4]>(), b in any::<[bool; 4]>()) {
            let make = |want: [bool; 4]| Options::new(&[Policy { option: 0, ours: want[0], theirs: want[1] }]);
            let mut sides = [make(a), make(b)];
            let mut wires = [Vec::new(), Vec::new()];
            for (index, want) in [a, b].into_iter().enumerate() {
                if want[2] && want[0] { sides[index].offer(0, &mut wires[index]); }
                if want[3] && want[1] { sides[index].request(0, &mut wires[index]); }
            }
            let mut rounds = 0;
            while wires.iter().any(|wire| !wire.is_empty()) {
                rounds += 1;
                prop_assert!(rounds < 10);
                for from in 0..2 {
                    let bytes = std::mem::take(&mut wires[from]);
                    let (mut decoder, mut rest) = (Decoder::default(), bytes.as_slice());
                    while let (Some(item), left) = decoder.next(rest) {
                        rest = left;
                        if let Item::Negotiate(verb, option) = item {
                            let mut out = Vec::new();
                            sides[1 - from].receive(verb, option, &mut out);
                            wires[1 - from].extend(out);
                        }
                    }
                }
            }
            prop_assert_eq!(sides[0].ours(0) == Standing::On, sides[1].theirs(0) == Standing::On);
            prop_assert_eq!(sides[1].ours(0) == Standing::On, sides[0].theirs(0) == Standing::On);
        }
    }
}
