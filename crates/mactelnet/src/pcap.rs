//! Capture files: classic pcap, Ethernet. Written with microseconds, little-endian; read in either byte order, with
//! microseconds or nanoseconds.
//!
//! Times are [`Instant`]s; in a file their epoch is 1970, so who writes a file of real time gives the clock's time.

use std::io::{self, Read, Write};

use crate::Instant;

/// Bytes of a frame that are kept in a file. Jumbo frames fit.
pub const SNAP_LEN: u32 = 65_535;
/// The longest record that is believed: libpcap's own limit. A damaged length must not become an allocation.
pub const MAX_RECORD: u32 = 262_144;

const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const LINK_ETHERNET: u32 = 1;

/// Why a capture cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read the capture: {0}")]
    Io(io::ErrorKind),
    /// It begins with something else, or is a pcapng file.
    #[error("no classic pcap file")]
    Magic,
    /// It holds frames of something that is no Ethernet (pcap's number for it).
    #[error("a capture of link type {0}, not of Ethernet")]
    LinkType(u32),
    /// It ends inside a record.
    #[error("the capture ends inside a record")]
    Truncated,
    /// A record claims an impossible length.
    #[error("a record of {0} bytes")]
    RecordLength(u32),
}

impl Error {
    /// A stable name, for logs and machine-readable output.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "mactelnet.pcap.io",
            Self::Magic => "mactelnet.pcap.magic",
            Self::LinkType(_) => "mactelnet.pcap.link-type",
            Self::Truncated => "mactelnet.pcap.truncated",
            Self::RecordLength(_) => "mactelnet.pcap.record-length",
        }
    }
}

/// One captured frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When; whole microseconds.
    pub at: Instant,
    /// The frame, or the beginning of it that was kept.
    pub frame: Vec<u8>,
    /// Length that the frame had.
    pub original_len: u32,
}

/// Reads records from anything that can be read. An iterator; after an error it ends.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    big_endian: bool,
    /// Units of a record's fraction in a microsecond.
    per_micro: u32,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// [`Error::Magic`], [`Error::LinkType`], [`Error::Truncated`], [`Error::Io`].
    pub fn new(mut source: R) -> Result<Self, Error> {
        let mut header = [0; 24];
        if !fill(&mut source, &mut header)? {
            return Err(Error::Truncated);
        }
        let magic = [header[0], header[1], header[2], header[3]];
        let (big_endian, per_micro) = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (MAGIC_MICROS, _) => (false, 1),
            (MAGIC_NANOS, _) => (false, 1000),
            (_, MAGIC_MICROS) => (true, 1),
            (_, MAGIC_NANOS) => (true, 1000),
            _ => return Err(Error::Magic),
        };
        let reader = Self { source, big_endian, per_micro, ended: false };
        // The upper half of the field tells of a frame check sequence.
        match reader.word([header[20], header[21], header[22], header[23]]) & 0xffff {
            LINK_ETHERNET => Ok(reader),
            other => Err(Error::LinkType(other)),
        }
    }

    fn word(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    fn record(&mut self) -> Result<Option<Record>, Error> {
        let mut header = [0; 16];
        if !fill(&mut self.source, &mut header)? {
            return Ok(None);
        }
        let [s0, s1, s2, s3, f0, f1, f2, f3, l0, l1, l2, l3, o0, o1, o2, o3] = header;
        let seconds = self.word([s0, s1, s2, s3]);
        let micros = self.word([f0, f1, f2, f3]) / self.per_micro;
        let captured = self.word([l0, l1, l2, l3]);
        let original_len = self.word([o0, o1, o2, o3]);
        let len = usize::try_from(captured).ok().filter(|_| captured <= MAX_RECORD);
        let mut frame = vec![0; len.ok_or(Error::RecordLength(captured))?];
        if !frame.is_empty() && !fill(&mut self.source, &mut frame)? {
            return Err(Error::Truncated);
        }
        let at = Instant::from_micros(u64::from(seconds) * 1_000_000 + u64::from(micros));
        Ok(Some(Record { at, frame, original_len }))
    }
}

/// Fills `buffer`; `false` if the source had ended before.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> Result<bool, Error> {
    let mut rest = &mut *buffer;
    let whole = rest.len();
    while !rest.is_empty() {
        match source.read(rest) {
            Ok(0) if rest.len() == whole => return Ok(false),
            Ok(0) => return Err(Error::Truncated),
            Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Io(error.kind())),
        }
    }
    Ok(true)
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.record().transpose();
        self.ended = !matches!(record, Some(Ok(_)));
        record
    }
}

/// Writes frames to anything that can be written to.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: Write> Writer<W> {
    /// Writes the file's header.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn new(mut sink: W) -> io::Result<Self> {
        let mut header = Vec::with_capacity(24);
        header.extend_from_slice(&MAGIC_MICROS.to_le_bytes());
        header.extend_from_slice(&[2, 0, 4, 0]);
        header.extend_from_slice(&[0; 8]);
        header.extend_from_slice(&SNAP_LEN.to_le_bytes());
        header.extend_from_slice(&LINK_ETHERNET.to_le_bytes());
        sink.write_all(&header)?;
        Ok(Self { sink })
    }

    /// Writes one frame in one piece, cut to [`SNAP_LEN`]. Seconds are counted modulo 2^32, as the format has it.
    ///
    /// # Errors
    /// Those of the sink; the file may then end inside the record.
    pub fn write(&mut self, at: Instant, frame: &[u8]) -> io::Result<()> {
        let kept = frame.get(..SNAP_LEN as usize).unwrap_or(frame);
        let seconds = (at.as_micros() / 1_000_000) & u64::from(u32::MAX);
        let words = [
            seconds,
            at.as_micros() % 1_000_000,
            u64::try_from(kept.len()).unwrap_or(0),
            u64::try_from(frame.len()).unwrap_or(u64::MAX).min(u64::from(u32::MAX)),
        ];
        let mut record = Vec::with_capacity(16 + kept.len());
        for word in words {
            // Each fits: masked, a fraction, cut or capped above.
            record.extend_from_slice(&u32::try_from(word).unwrap_or(u32::MAX).to_le_bytes());
        }
        record.extend_from_slice(kept);
        self.sink.write_all(&record)
    }

    /// Flushes the sink.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    /// The sink.
    pub fn into_inner(self) -> W {
        self.sink
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_record_byte_for_byte() {
        let mut writer = Writer::new(Vec::new()).unwrap();
        writer.write(Instant::from_micros(3_000_007), &[0xaa, 0xbb]).unwrap();
        #[rustfmt::skip]
        let bytes = [
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
            3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb,
        ];
        assert_eq!(writer.into_inner(), bytes);
    }

    #[test]
    fn the_other_byte_order_and_nanoseconds() {
        let mut bytes = vec![0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 1];
        bytes.extend_from_slice(&[0, 0, 0, 3, 0, 0, 0x1f, 0x40, 0, 0, 0, 1, 0, 0, 0, 9, 0xaa]);
        let records: Vec<_> = Reader::new(&bytes[..]).unwrap().collect();
        let record = Record { at: Instant::from_micros(3_000_008), frame: vec![0xaa], original_len: 9 };
        assert_eq!(records, [Ok(record)]);
    }

    #[test]
    fn damage() {
        let mut writer = Writer::new(Vec::new()).unwrap();
        writer.write(Instant::ZERO, &[1, 2, 3]).unwrap();
        let bytes = writer.into_inner();
        for len in 0..24 {
            assert_eq!(Reader::new(&bytes[..len]).unwrap_err(), Error::Truncated);
        }
        assert_eq!(Reader::new(&bytes[..24]).unwrap().count(), 0);
        for len in 25..bytes.len() {
            let records: Vec<_> = Reader::new(&bytes[..len]).unwrap().collect();
            assert_eq!(records, [Err(Error::Truncated)], "{len}");
        }
        let mut long = bytes.clone();
        long[35] = 0x7f;
        assert_eq!(Reader::new(&long[..]).unwrap().next(), Some(Err(Error::RecordLength(0x7f00_0003))));
        let mut other = bytes.clone();
        other[20] = 113;
        assert_eq!(Reader::new(&other[..]).unwrap_err(), Error::LinkType(113));
        other[0] = 0;
        assert_eq!(Reader::new(&other[..]).unwrap_err(), Error::Magic);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(records in prop::collection::vec((0u64..4_000_000_000_000_000, any::<Vec<u8>>()), 0..9)) {
            let mut writer = Writer::new(Vec::new()).unwrap();
            for (at, frame) in &records { writer.write(Instant::from_micros(*at), frame).unwrap(); }
            let bytes = writer.into_inner();
            let read: Result<Vec<_>, _> = Reader::new(&bytes[..]).unwrap().collect();
            let read: Vec<_> = read.unwrap().into_iter().map(|record| (record.at.as_micros(), record.frame)).collect();
            prop_assert_eq!(read, records);
        }
    }
}
