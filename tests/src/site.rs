//! The site file of the standard pair.

/// `edge-1`: A reached by `reach_a`, B through A; MACs and serial numbers are those of the standard simulated pair.
pub fn edge_1(reach_a: &str) -> String {
    format!(
        r#"format = 1
[pair]
name = "edge-1"
ha_interface = "ether8"
[pair.a]
ha_mac = "74:4D:28:00:00:0A"
serial_number = "7F0001"
reach = ["{reach_a}"]
user = "admin"
password = "env:EDGE1_A"
[pair.b]
ha_mac = "74:4D:28:00:00:0B"
serial_number = "7F0002"
reach = ["via:a"]
[secrets]
ha_password = "env:EDGE1_HA"
"#
    )
}
