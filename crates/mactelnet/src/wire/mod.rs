//! Wire formats: checked views over received bytes, owned values to be sent.
//!
//! Views (`Packet`, `Frame`) are made by `new_checked`, which looks at every length once; after it no
//! accessor fails, panics or allocates. Owned values (`Repr`, `Announcement`) hold only what can be sent;
//! `parse` makes them from a view and `emit` appends them to a buffer. Enums keep values they do not know.
//! What a peer sent in names is [`text::Text`], and prints escaped.
//!
//! Nothing of this is published by MikroTik; every fact is read from other implementations or captured.

pub mod control;
pub mod error;
pub mod frame;
pub mod mndp;
pub mod packet;
pub mod ping;
pub mod text;

pub use control::{Control, ControlType};
pub use error::{Error, Kind};
pub use frame::Frame;
pub use packet::{Direction, Packet, PacketType};
pub use text::{Escaped, Text};
