//! Capture files: no record is longer than the file, and what was read is written and read again as the same frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mactelnet::pcap::{Reader, Writer};

fuzz_target!(|bytes: &[u8]| {
    let Ok(reader) = Reader::new(bytes) else { return };
    let records: Vec<_> = reader.map_while(Result::ok).collect();
    assert!(records.iter().map(|record| record.frame.len() + 16).sum::<usize>() + 24 <= bytes.len());
    let mut writer = Writer::new(Vec::new()).expect("memory takes it");
    for record in &records {
        writer.write(record.at, &record.frame).expect("memory takes it");
    }
    let written = writer.into_inner();
    let again: Vec<_> = Reader::new(&written[..]).expect("our own header").map(|record| record.map(|r| r.frame)).collect();
    assert!(again.into_iter().eq(records.into_iter().map(|record| Ok(record.frame))));
});
