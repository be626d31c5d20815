//! Wires, faults and pairs.
