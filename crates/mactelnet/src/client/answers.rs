//! Whether it is one router that answers. A MAC address may stand for two: a router that was restored from another's
//! backup has its addresses. Both get what is broadcast, and both answer.

/// What of the first packet is kept to be compared: the salt, and of EC-SRP5 the key before it.
const KEPT: usize = 64;
/// Two salts, which are random, differ in more bytes than this; a copy that was damaged on its way in fewer. Of 16 random
/// bytes 8 are the same by chance once in 10^15.
const DAMAGED: usize = 8;

/// How many routers answer to the address, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answerers {
    /// Nothing speaks for a second one.
    #[default]
    One,
    /// START was answered more often than it was sent: there are two, or the network doubles frames.
    Unsure,
    /// Two: one session was given two different salts.
    Two,
}

/// What came back to START and BEGINAUTH.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) starts: u32,
    pub(super) to_start: u32,
    /// The router's first packet, by which it says what it wants to be proved.
    first: Vec<u8>,
    differ: bool,
}

impl Answers {
    /// Takes a packet that stands at the beginning of the router's stream.
    pub(super) fn first_packet(&mut self, data: &[u8]) {
        if self.first.is_empty() {
            self.first = data.get(..KEPT).unwrap_or(data).to_vec();
            return;
        }
        // Sent again, it may be longer or shorter: what went with it in one packet need not go with it again.
        self.differ |= self.first.iter().zip(data).filter(|(one, other)| one != other).count() > DAMAGED;
    }

    /// The router's stream begins anew, with another salt.
    pub(super) fn forget_first(&mut self) {
        self.first.clear();
    }

    pub(super) fn answerers(&self) -> Answerers {
        match (self.differ, self.to_start > self.starts) {
            (true, _) => Answerers::Two,
            (false, true) => Answerers::Unsure,
            (false, false) => Answerers::One,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_no_second_router_and_another_salt_is_one() {
        let salt: Vec<u8> = (0..25).collect();
        let mut answers = Answers { starts: 1, to_start: 1, ..Answers::default() };
        answers.first_packet(&salt);
        answers.first_packet(&salt);
        let mut damaged = salt.clone();
        damaged[12] ^= 0x40;
        answers.first_packet(&damaged);
        answers.first_packet(&[&salt[..], b"and what was sent behind it"].concat());
        answers.first_packet(&salt[..9]);
        assert_eq!(answers.answerers(), Answerers::One);
        answers.to_start = 2;
        assert_eq!(answers.answerers(), Answerers::Unsure);
        let other: Vec<u8> = (0..9).chain(100..116).collect();
        answers.first_packet(&other);
        assert_eq!(answers.answerers(), Answerers::Two);
    }

    #[test]
    fn a_stream_that_begins_anew_has_a_salt_of_its_own() {
        let mut answers = Answers::default();
        answers.first_packet(&[1; 25]);
        answers.forget_first();
        answers.first_packet(&[2; 25]);
        assert_eq!(answers.answerers(), Answerers::One);
    }
}
