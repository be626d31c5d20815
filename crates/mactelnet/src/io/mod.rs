//! Links and tokio drivers. Time is tokio's clock.

pub mod clock;
pub mod discover;
pub mod fault;
pub mod interfaces;
pub mod knock;
pub mod link;
pub mod memory;
pub mod pcap;
pub mod raw;
pub mod session;
pub mod trace;
pub mod udp;

pub use clock::Clock;
pub use discover::{discover, discover_into, new_discovery, ping};
pub use interfaces::{Interface, interfaces};
pub use link::{BoxLink, Link, LinkInfo, LinkKind};
pub use pcap::{Contents, PcapLink, PcapSink};
pub use session::{Company, Session};
