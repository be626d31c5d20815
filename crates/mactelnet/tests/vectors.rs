//! The vectors of `fixtures/vectors`, made with implementations that are not this one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use mactelnet::auth::{self, Answer, Client, Error, Offer, Password, PublicKey, Server, Verifier, curve, md5};
use mactelnet::wire::mndp::{self, Announcement};
use serde_json::Value;

fn load(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn key(vector: &Value, name: &str) -> PublicKey {
    let parity = &vector[format!("{name}_parity")];
    PublicKey { x: array(&vector[format!("{name}_x")]), odd: parity.as_u64() == Some(1) }
}

/// Each intermediate value, and each end against the other's recorded key.
#[test]
fn ecsrp5() {
    let file = load("ecsrp5-vectors.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 20);
    let mut odd = 0;
    for vector in vectors {
        let note = vector["note"].as_str().unwrap();
        let name = bytes(&vector["username_hex"]);
        let password = Password::new(bytes(&vector["password_hex"]));
        let salt = array(&vector["salt"]);
        let (client_key, server_key) = (key(vector, "client_public"), key(vector, "server_public"));
        let proof: [u8; 32] = array(&vector["client_confirmation"]);

        // One vector is of a server that takes console parameters for a part of the name; all others are not touched by them.
        let whole = note.contains("NOT stripped");
        let verifier = if whole {
            Verifier::for_identity(&name, &password, &salt)
        } else {
            Verifier::new(&name, &password, &salt)
        };
        let expected = key(vector, "verifier");
        odd += u32::from(expected.odd);
        assert_eq!(verifier.stored(), &expected.to_bytes(), "{note}");
        assert_eq!(curve::encode_x(&curve::hash_to_point(&expected.x, false)), array(&vector["redp1_x"]), "{note}");

        let client = Client::new(&array(&vector["client_private"]));
        assert_eq!(client.public_key(), client_key, "{note}");
        let offer = Offer::new(&name, client_key).unwrap();
        assert_eq!(offer.to_vec(), bytes(&vector["begin_auth_passsalt_value"]), "{note}");
        let proved = if whole {
            client.prove_identity(&name, &password, &server_key, &salt)
        } else {
            client.prove(&name, &password, &server_key, &salt)
        };
        assert_eq!(proved, Ok(proof), "{note}");

        let server = Server::new(&verifier, &array(&vector["server_private"])).unwrap();
        assert_eq!(server.public_key(), server_key, "{note}");
        let value = bytes(&vector["server_passsalt_value"]);
        assert_eq!(server.answer().to_vec(), value, "{note}");
        assert_eq!(Answer::parse(&value), Ok(Answer::EcSrp5 { key: server_key, salt }), "{note}");
        assert_eq!(server.verify(&client_key, &proof), Ok(()), "{note}");
        let mut wrong = proof;
        wrong[31] ^= 1;
        assert_eq!(server.verify(&client_key, &wrong), Err(Error::Rejected), "{note}");
        assert_eq!(server.verify(&client_key, &proof[..31]), Err(Error::Rejected), "{note}");
    }
    // Both parities of the verifier are among them: a server that takes one for granted fails here.
    assert!((1..20).contains(&odd), "{odd}");
}

/// A record that RouterOS itself stored.
#[test]
fn ecsrp5_record_of_routeros() {
    let record = &load("ecsrp5-vectors.json")["routeros_stored_record"];
    let salt = array(&record["salt"]);
    let verifier = Verifier::new(record["username"].as_str().unwrap().as_bytes(), &Password::empty(), &salt);
    assert_eq!(verifier.stored(), &array(&record["stored"]));
    assert!(Verifier::from_stored(&array(&record["stored"]), &salt).is_ok());
}

#[test]
fn md5_responses() {
    let file = load("md5-vectors.json");
    for vector in file["vectors"].as_array().unwrap() {
        let password = Password::new(bytes(&vector["password_hex"]));
        let salt = array(&vector["salt"]);
        let (whole, cut) = (bytes(&vector["password_control_value"]), bytes(&vector["peer_value_cut_at_82"]));
        assert_eq!(md5::response(&password, &salt)[..], whole);
        assert_eq!(md5::response_of_c_tools(&password, &salt)[..], cut);
        assert!(md5::verify(&password, &salt, &whole) && md5::verify(&password, &salt, &cut));
        for len in 0..17 {
            assert!(!md5::verify(&password, &salt, &whole[..len]));
        }
        let mut wrong = whole;
        wrong[0] = 1;
        assert!(!md5::verify(&password, &salt, &wrong));
    }
    for vector in file["from_captures"].as_array().unwrap() {
        let password = Password::from(vector["password"].as_str().unwrap());
        let value = bytes(&vector["password_control_value"]);
        assert_eq!(md5::response(&password, &array(&vector["salt"]))[..], value, "{}", vector["source"]);
    }
}

#[test]
fn mndp_requests_and_damage() {
    let file = load("mndp-vectors.json");
    for request in file["requests"].as_array().unwrap() {
        assert!(mndp::Packet::new_checked(&bytes(&request["hex"])).unwrap().is_request(), "{}", request["note"]);
    }
    let found: Vec<_> = file["malformed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vector| Announcement::parse(&bytes(&vector["hex"])).map_err(|error| error.kind))
        .collect();
    let with =
        |identity: Option<&str>| Ok(Some(Announcement { identity: identity.map(Into::into), ..Default::default() }));
    let truncated = Err(mactelnet::wire::Kind::Truncated);
    // In the order of the file: short, cut header, cut value, wrong MAC, wrong uptime, empty name, hostile name.
    let hostile = "\u{1b}[2J\nA";
    assert_eq!(found, [truncated, Ok(None), Ok(None), with(None), with(None), with(Some("")), with(Some(hostile))]);
    let shown = found[6].as_ref().unwrap().as_ref().unwrap().to_string();
    assert_eq!(shown, r#"MNDP identity="\u{1b}[2J\nA""#);
}

#[test]
fn mndp_announcements() {
    let file = load("mndp-vectors.json");
    let vectors = file["announcements"].as_array().unwrap();
    for vector in vectors {
        let raw = bytes(&vector["hex"]);
        let found = Announcement::parse(&raw).unwrap().unwrap();
        let text = |text: &Option<mactelnet::wire::Text>| text.as_ref().map(|text| text.as_str().unwrap().to_owned());
        let said = [
            ("mac", found.mac.map(|mac| mac.to_string().to_lowercase())),
            ("identity", text(&found.identity)),
            ("version", text(&found.version)),
            ("platform", text(&found.platform)),
            ("software_id", text(&found.software_id)),
            ("board", text(&found.board)),
            ("interface", text(&found.interface)),
            ("ipv6", found.ipv6.map(|address| address.to_string())),
            ("ipv4", found.ipv4.map(|address| address.to_string())),
        ];
        for (name, value) in said {
            assert_eq!(value.as_deref(), vector["fields"][name].as_str(), "{name}");
        }
        assert_eq!(found.uptime.map(u64::from), vector["fields"]["uptime"].as_u64());
        assert_eq!(found.unpack.map(u64::from), vector["fields"]["unpack"].as_u64());
        assert!(!mndp::Packet::new_checked(&raw).unwrap().is_request());
    }
    // The second has RouterOS's order, in which announcements are made here.
    let raw = bytes(&vectors[1]["hex"]);
    let found = Announcement::parse(&raw).unwrap().unwrap();
    assert_eq!(found.unknown, [(18, vec![0])]);
    assert_eq!(found.to_vec(raw[..4].try_into().unwrap()), Ok(raw));
}

/// The name's console parameters are no part of the hash; the salt is.
#[test]
fn ecsrp5_names_and_salts() {
    let password = Password::from("pärøl€");
    let login = |login: &[u8], salt: [u8; 16]| {
        let server = Server::new(&Verifier::new(b"admin", &password, &[3; 16]), &[1; 32]).unwrap();
        let client = Client::new(&[2; 32]);
        let proof = client.prove(login, &password, &server.public_key(), &salt).unwrap();
        server.verify(&client.public_key(), &proof)
    };
    assert_eq!(login(b"admin", [3; 16]), Ok(()));
    assert_eq!(login(b"admin+ct200w", [3; 16]), Ok(()));
    assert_eq!(login(b"Admin", [3; 16]), Err(Error::Rejected));
    assert_eq!(login(b"admin", [4; 16]), Err(Error::Rejected));
}

#[test]
fn bad_keys_are_refused_by_both_ends() {
    let verifier = Verifier::new(b"admin", &Password::empty(), &[3; 16]);
    let server = Server::new(&verifier, &[1; 32]).unwrap();
    let client = Client::new(&[2; 32]);
    let x = |low: u8| {
        let mut x = [0; 32];
        x[31] = low;
        x
    };
    for (x, error) in [(x(2), Error::KeyOffCurve), (x(0), Error::KeySmallOrder), (x(1), Error::KeySmallOrder)] {
        for odd in [false, true] {
            let key = PublicKey { x, odd };
            assert_eq!(server.verify(&key, &[0; 32]), Err(error));
            assert_eq!(client.prove(b"admin", &Password::empty(), &key, &[3; 16]), Err(error));
            assert_eq!(Verifier::from_stored(&key.to_bytes(), &[3; 16]).unwrap_err(), error);
        }
    }
    // The blind itself as the server's key: what is left without it is the identity.
    let stored = PublicKey::from_bytes(verifier.stored()).unwrap();
    let key = curve::encode(&curve::hash_to_point(&stored.x, false));
    assert_eq!(client.prove(b"admin", &Password::empty(), &key, &[3; 16]), Err(Error::KeySmallOrder));
}

#[test]
fn a_name_that_does_not_exist_looks_like_one_that_does() {
    let decoy = Verifier::decoy(&[9; 32], b"nobody");
    let again = Verifier::decoy(&[9; 32], b"nobody");
    assert_eq!((decoy.salt(), decoy.stored()), (again.salt(), again.stored()));
    let other = Verifier::decoy(&[9; 32], b"nobody2");
    assert!(decoy.salt() != other.salt() && decoy.stored() != other.stored());
    assert_ne!(decoy.salt(), Verifier::decoy(&[8; 32], b"nobody").salt());
    let server = Server::new(&decoy, &[1; 32]).unwrap();
    let client = Client::new(&[2; 32]);
    let proof = client.prove(b"nobody", &Password::empty(), &server.public_key(), decoy.salt()).unwrap();
    assert_eq!(server.verify(&client.public_key(), &proof), Err(Error::Rejected));
}

#[test]
fn nothing_secret_is_printed() {
    let verifier = Verifier::new(b"admin", &Password::from("geheim"), &[3; 16]);
    let server = Server::new(&verifier, &[1; 32]).unwrap();
    let client = Client::new(&[2; 32]);
    assert_eq!(format!("{verifier:?}"), "Verifier(..)");
    assert_eq!(format!("{client:?}"), format!("Client {{ public: {:?}, .. }}", client.public_key()));
    assert_eq!(format!("{server:?}"), format!("Server {{ public: {:?}, .. }}", server.public_key()));
    assert_eq!(auth::Error::Rejected.code(), "mactelnet.auth.rejected");
}
