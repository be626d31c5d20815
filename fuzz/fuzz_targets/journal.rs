//! A run's journal: whatever lies in the file, what is read is whole records, and each reads back as it is written.

#![no_main]

use bootstrap::journal::{decode, encode, parse, plan_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((records, good)) = parse(bytes) {
        assert!(good <= bytes.len());
        let _ = plan_of(&records);
    }
    // Behind a checksum that is right.
    let Some(body) = bytes.strip_suffix(b"}") else { return };
    let mut line = body.to_vec();
    line.extend_from_slice(format!(",\"crc\":\"{:08x}\"}}", crc32fast::hash(bytes)).as_bytes());
    let Some(record) = decode(&line) else { return };
    let again = encode(&record);
    assert_eq!(decode(again.trim_end().as_bytes()).as_ref(), Some(&record), "{again}");
    let (records, good) = parse(again.as_bytes()).expect("one whole line");
    assert_eq!((records.as_slice(), good), ([record].as_slice(), again.len()));
});
