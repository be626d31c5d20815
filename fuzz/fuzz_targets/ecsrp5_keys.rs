//! EC-SRP5 with keys, salts and proofs of a peer's choosing: refused or used, never a panic, never a login.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mactelnet::auth::{Client, Password, PublicKey, Server, Verifier, curve};

static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new(&[2; 32]));
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let verifier = Verifier::new(b"admin", &Password::from("secret"), &[3; 16]);
    Server::new(&verifier, &[1; 32]).expect("a verifier that was made")
});

fuzz_target!(|input: ([u8; 33], [u8; 16], &[u8], &[u8])| {
    let (mut key, salt, login, rest) = input;
    key[32] &= 1;
    let key = PublicKey::from_bytes(&key).expect("the parity is a bit");
    if let Ok(point) = curve::lift(&key.x, key.odd) {
        let again = curve::encode(&point);
        assert!(again.odd == key.odd || again.x == [0; 32]);
        assert_eq!(curve::lift(&again.x, again.odd), Ok(point));
        assert_eq!(curve::encode_x(&point), again.x);
    }
    let _ = CLIENT.prove(login, &Password::from(rest), &key, &salt);
    assert!(SERVER.verify(&key, rest).is_err());
    if let Ok(verifier) = Verifier::from_stored(&key.to_bytes(), &salt) {
        let server = Server::new(&verifier, &[4; 32]).expect("it was checked");
        let _ = server.verify(&CLIENT.public_key(), rest);
    }
});
