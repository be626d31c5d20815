//! When two members have the same configuration: their exports, without what is each router's own.

/// An export's commands, one a string with its menu in front, in a form that is the same on both members of a pair in sync.
///
/// Left out: the comment lines at the top, items with the comment `HA_AUTO` (made anew at every start), the ports' own
/// `mac-address`, and `disabled` of ports, bonds and BGP connections (the role decides them), the role in the identity, and VRRP's
/// own items.
pub fn normalised(export: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut menu = String::new();
    for line in joined(export) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('/') {
            menu = line.to_owned();
            continue;
        }
        let words = words(line);
        if words.iter().any(|word| word == "comment=HA_AUTO" || word == "comment=\"HA_AUTO\"") {
            continue;
        }
        let kept: Vec<String> = match menu.as_str() {
            "/interface ethernet" => words.into_iter().filter(|word| !own_of_a_port(word)).collect(),
            "/interface bonding" | "/routing bgp connection" | "/routing bgp peer" => {
                words.into_iter().filter(|word| !word.starts_with("disabled=")).collect()
            }
            "/system identity" => words.into_iter().map(|word| without_role(&word)).collect(),
            _ => words,
        };
        // a port that had nothing but its own
        if menu == "/interface ethernet"
            && !kept.iter().any(|word| word.contains('=') && !word.starts_with("default-name="))
        {
            continue;
        }
        lines.push(format!("{menu} {}", kept.join(" ")));
    }
    lines.sort();
    lines
}

/// What is in one of two normalised exports and not in the other: menu and names of properties, no values, which may be
/// anything. Empty if they are equal.
pub fn differences(a: &[String], b: &[String]) -> Vec<String> {
    let only = |one: &[String], other: &[String], who: &str| -> Vec<String> {
        let mut left = other.to_vec();
        let mut found = Vec::new();
        for line in one {
            match left.iter().position(|known| known == line) {
                Some(at) => drop(left.remove(at)),
                None => found.push(format!("only {who} has: {}", names_of(line))),
            }
        }
        found
    };
    let mut all = only(a, b, "a");
    all.extend(only(b, a, "b"));
    all
}

fn names_of(line: &str) -> String {
    let shown = words(line).into_iter().map(|word| word.split('=').next().unwrap_or_default().to_owned());
    let text: String = shown.collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

fn own_of_a_port(word: &str) -> bool {
    word.starts_with("mac-address=") || word.starts_with("disabled=") || word.starts_with("orig-mac-address=")
}

fn without_role(word: &str) -> String {
    let quote = if word.ends_with('"') { "\"" } else { "" };
    word.find("_HA_").map_or_else(|| word.to_owned(), |at| format!("{}{quote}", word.get(..at).unwrap_or_default()))
}

/// Lines, with those that a backslash at the end continues made one.
fn joined(export: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in export.lines() {
        let (text, continues) = line.strip_suffix('\\').map_or((line, false), |text| (text, true));
        match lines.last_mut() {
            Some(last) if open => last.push_str(text.trim_start()),
            _ => lines.push(text.to_owned()),
        }
        open = continues;
    }
    lines
}

/// Words of a command; a space in a quoted value doesn't end one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in line.chars() {
        if c == ' ' && !quoted {
            if words.last().is_some_and(|word| !word.is_empty()) {
                words.push(String::new());
            }
            continue;
        }
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_each_routers_own_makes_no_difference() {
        let a = "# jan/02/2026 03:04:05 by RouterOS 6.44.6\r\n# serial number = 7F0001\r\n/interface ethernet\r\nset [ find default-name=ether1 ] comment=\"to b\"\r\n/ip address\r\nadd address=169.254.23.1/24 comment=HA_AUTO interface=bridge-ether8\r\nadd address=192.0.2.1/24 \\\r\n    interface=ether1\r\n/system identity\r\nset name=edge_HA_A_ACTIVE\r\n";
        let b = "# 2026-01-02\n/interface ethernet\nset [ find default-name=ether1 ] comment=\"to b\" disabled=yes\nset [ find default-name=ether2 ] disabled=yes mac-address=74:4D:28:0A:00:02\n/ip address\nadd address=192.0.2.1/24 interface=ether1\nadd address=169.254.23.2/24 comment=HA_AUTO interface=bridge-ether8\n/system identity\nset name=edge_HA_B_STANDBY\n";
        assert_eq!(normalised(a), normalised(b));
        assert_eq!(normalised(a).len(), 3);
        assert_ne!(normalised(a), normalised(&b.replace("192.0.2.1", "192.0.2.2")));
        assert_ne!(normalised(a), normalised(&b.replace("to b", "to  b")), "spaces inside a value count");
        let other = normalised(&b.replace("192.0.2.1/24", "192.0.2.2/24"));
        assert_eq!(
            differences(&normalised(a), &other),
            ["only a has: /ip address add address interface", "only b has: /ip address add address interface"]
        );
        assert_eq!(differences(&other, &other), Vec::<String>::new());
        let twice = [other.clone(), other.clone()].concat();
        assert_eq!(differences(&twice, &other).len(), other.len(), "how often counts");
    }
}
