//! What the server offers, and what both sides choose of it (RFC 4253 section 7.1).

use super::wire::{Reader, Writer};

/// `SSH_MSG_KEXINIT`
pub(super) const KEXINIT: u8 = 20;

/// How the shared secret is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchange {
    /// `diffie-hellman-group1-sha1`
    Group1Sha1,
    /// `diffie-hellman-group14-sha1`
    Group14Sha1,
    /// `diffie-hellman-group14-sha256`
    Group14Sha256,
    /// `curve25519-sha256`
    Curve25519,
}

/// How the host proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostKey {
    /// `ssh-dss`
    Dss,
    /// `ssh-rsa`
    RsaSha1,
    /// `rsa-sha2-256`
    RsaSha256,
}

/// How bytes are hidden: key length in bytes, and the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cipher {
    pub key: usize,
    pub chained: bool,
}

/// How bytes are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mac {
    /// `hmac-md5`
    Md5,
    /// `hmac-sha1`
    Sha1,
    /// `hmac-sha2-256`
    Sha256,
}

const EXCHANGES: &[(&str, Exchange)] = &[
    ("curve25519-sha256", Exchange::Curve25519),
    ("curve25519-sha256@libssh.org", Exchange::Curve25519),
    ("diffie-hellman-group14-sha256", Exchange::Group14Sha256),
    ("diffie-hellman-group14-sha1", Exchange::Group14Sha1),
    ("diffie-hellman-group1-sha1", Exchange::Group1Sha1),
];
const HOST_KEYS: &[(&str, HostKey)] =
    &[("rsa-sha2-256", HostKey::RsaSha256), ("ssh-rsa", HostKey::RsaSha1), ("ssh-dss", HostKey::Dss)];
const CIPHERS: &[(&str, Cipher)] = &[
    ("aes128-ctr", Cipher { key: 16, chained: false }),
    ("aes192-ctr", Cipher { key: 24, chained: false }),
    ("aes256-ctr", Cipher { key: 32, chained: false }),
    ("aes128-cbc", Cipher { key: 16, chained: true }),
    ("aes192-cbc", Cipher { key: 24, chained: true }),
    ("aes256-cbc", Cipher { key: 32, chained: true }),
];
const MACS: &[(&str, Mac)] = &[("hmac-sha2-256", Mac::Sha256), ("hmac-sha1", Mac::Sha1), ("hmac-md5", Mac::Md5)];

/// What a server offers, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    exchanges: Vec<&'static str>,
    host_keys: Vec<&'static str>,
    ciphers: Vec<&'static str>,
    macs: Vec<&'static str>,
}

fn names<T>(table: &[(&'static str, T)], keep: impl Fn(&T) -> bool) -> Vec<&'static str> {
    table.iter().filter(|(_, value)| keep(value)).map(|(name, _)| *name).collect()
}

impl Offer {
    /// As RouterOS of that generation offers it; `strong` is `strong-crypto=yes` of `/ip ssh`, which leaves the
    /// weakest out (and gives 6.x the better hashes). Known: the MACs of 6.49.18; the rest is inferred.
    pub fn of(v7: bool, strong: bool) -> Self {
        Self {
            exchanges: names(EXCHANGES, |exchange| match exchange {
                Exchange::Curve25519 => v7,
                Exchange::Group14Sha256 => v7 || strong,
                Exchange::Group14Sha1 => !(v7 && strong),
                Exchange::Group1Sha1 => !v7 && !strong,
            }),
            host_keys: names(HOST_KEYS, |key| match key {
                HostKey::RsaSha256 => v7,
                HostKey::RsaSha1 => !(v7 && strong),
                HostKey::Dss => !v7,
            }),
            ciphers: names(CIPHERS, |cipher| !strong || (!cipher.chained && cipher.key > 16)),
            macs: names(MACS, |mac| match mac {
                Mac::Sha256 => v7 || strong,
                Mac::Sha1 => true,
                Mac::Md5 => !v7 && !strong,
            }),
        }
    }

    fn lists(&self) -> [String; 8] {
        let (ciphers, macs) = (self.ciphers.join(","), self.macs.join(","));
        let (exchanges, host_keys) = (self.exchanges.join(","), self.host_keys.join(","));
        let none = || "none".to_owned();
        [exchanges, host_keys, ciphers.clone(), ciphers, macs.clone(), macs, none(), none()]
    }

    /// The `SSH_MSG_KEXINIT` that says so.
    pub(super) fn message(&self, cookie: &[u8]) -> Vec<u8> {
        let mut message = Writer::message(KEXINIT);
        message.0.extend(cookie);
        let with = self.lists().iter().fold(message, |message, list| message.string(list.as_bytes()));
        with.string(b"").string(b"").bool(false).u32(0).0
    }
}

/// What both sides will use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub exchange: Exchange,
    pub host_key: HostKey,
    /// From the client to the server, and back.
    pub ciphers: [Cipher; 2],
    pub macs: [Mac; 2],
    /// The client has sent a packet of another exchange than the chosen one: it is to be passed over.
    pub wrong_guess: bool,
}

/// The first of the client's that the server has too.
fn first<T: Copy>(table: &[(&'static str, T)], client: &[&str], server: &str) -> Option<T> {
    let name = client.iter().find(|name| server.split(',').any(|own| own == **name))?;
    table.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
}

/// Chooses by the client's `SSH_MSG_KEXINIT`. `Err`: for what nothing fits.
pub(super) fn choose(offer: &Offer, client: &[u8]) -> Result<Choice, &'static str> {
    let read = || {
        let mut reader = Reader(client.get(17..)?);
        let lists = (0..10).map(|_| reader.names()).collect::<Option<Vec<_>>>()?;
        Some((lists, reader.bool()?))
    };
    let (theirs, guessed) = read().ok_or("a key exchange message")?;
    let own = offer.lists();
    let list = |at: usize| theirs.get(at).map_or(&[][..], Vec::as_slice);
    let own = |at: usize| own.get(at).map_or("", String::as_str);
    let exchange = first(EXCHANGES, list(0), own(0)).ok_or("key exchange")?;
    let host_key = first(HOST_KEYS, list(1), own(1)).ok_or("host key")?;
    let cipher = |at| first(CIPHERS, list(at), own(at)).ok_or("cipher");
    let mac = |at| first(MACS, list(at), own(at)).ok_or("mac");
    for at in [6, 7] {
        if !list(at).contains(&"none") {
            return Err("compression");
        }
    }
    let agreed = |at: usize| list(at).first().copied() == own(at).split(',').next();
    Ok(Choice {
        exchange,
        host_key,
        ciphers: [cipher(2)?, cipher(3)?],
        macs: [mac(4)?, mac(5)?],
        wrong_guess: guessed && !(agreed(0) && agreed(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_have_little_in_common() {
        let (old, new) = (Offer::of(false, false), Offer::of(true, false));
        assert_eq!(old.exchanges, ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"]);
        assert_eq!(old.macs, ["hmac-sha1", "hmac-md5"], "6.49.18, from a public log");
        assert_eq!(old.host_keys, ["ssh-rsa", "ssh-dss"]);
        assert_eq!(new.host_keys, ["rsa-sha2-256", "ssh-rsa"]);
        let choice = choose(&old, &new.message(&[0; 16])).unwrap();
        assert_eq!((choice.exchange, choice.host_key), (Exchange::Group14Sha1, HostKey::RsaSha1));
        assert_eq!(choice.macs, [Mac::Sha1; 2]);
        assert_eq!(choose(&Offer::of(false, true), &Offer::of(true, true).message(&[0; 16])), Err("host key"));
    }

    #[test]
    fn no_message_is_too_short() {
        let whole = Offer::of(true, false).message(&[0; 16]);
        for length in 0..whole.len() - 5 {
            assert!(choose(&Offer::of(true, false), &whole[..length]).is_err(), "{length}");
        }
    }
}
