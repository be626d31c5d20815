//! routeros-script
