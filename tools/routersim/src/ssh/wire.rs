//! The data types of RFC 4251 section 5.

use num_bigint::BigUint;

/// Reads fields off a packet; `None` when it is too short or not what it says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn bool(&mut self) -> Option<bool> {
        Some(self.u8()? != 0)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }

    pub(super) fn names(&mut self) -> Option<Vec<&'a str>> {
        Some(self.text()?.split(',').collect())
    }

    /// A positive number.
    pub(super) fn mpint(&mut self) -> Option<BigUint> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
            return None;
        }
        Some(BigUint::from_bytes_be(bytes))
    }
}

/// Writes fields behind one another.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    /// A packet of this message number.
    pub(super) fn message(number: u8) -> Self {
        Self(vec![number])
    }

    pub(super) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(super) fn bool(self, value: bool) -> Self {
        self.u8(u8::from(value))
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// Nothing here is near 4 GiB.
    pub(super) fn string(self, bytes: &[u8]) -> Self {
        let mut with = self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        with.0.extend(bytes);
        with
    }

    pub(super) fn mpint(self, value: &BigUint) -> Self {
        let mut bytes = if *value == BigUint::ZERO { Vec::new() } else { value.to_bytes_be() };
        if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
            bytes.insert(0, 0);
        }
        self.string(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4251 section 5.
    #[test]
    fn numbers_are_the_rfcs() {
        let cases: [(u64, &[u8]); 3] = [
            (0, &[0, 0, 0, 0]),
            (0x09a3_78f9_b2e3_32a7, &[0, 0, 0, 8, 0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7]),
            (0x80, &[0, 0, 0, 2, 0, 0x80]),
        ];
        for (number, bytes) in cases {
            assert_eq!(Writer::default().mpint(&BigUint::from(number)).0, bytes);
            assert_eq!(Reader(bytes).mpint(), Some(BigUint::from(number)));
        }
        assert_eq!(Reader(&[0, 0, 0, 1, 0x80]).mpint(), None, "negative");
        assert_eq!(Reader(&[0, 0, 0, 5, 1]).string(), None, "short");
        assert_eq!(Reader(b"\0\0\0\x09zlib,none").names(), Some(vec!["zlib", "none"]));
    }
}
