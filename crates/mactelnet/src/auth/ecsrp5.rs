//! The EC-SRP5 login, both ends.
//!
//! ```text
//! i = SHA-256(salt || SHA-256(name ":" password))        V = i·G, the verifier
//! client: A = a·G                                         sends x(A), parity
//! server: B = b·G + redp1(x(V), even)                     sends x(B), parity, salt
//! h = SHA-256(x(A) || x(B))
//! client: S = (i·h + a)·(B + redp1(x(V), odd))            server: S = b·(A + h·V)
//! proof = SHA-256(h || x(S))                              sent by the client
//! ```
//!
//! The server never proves anything: a client does not learn whether it knew the password.
//!
//! The Python server that is published lifts V with an odd y always; half of all passwords fail there. Here the parity
//! is V's own, as in the C tools, and as RouterOS stores it.

use std::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::curve;
use super::error::Error;
use super::exchange::{Answer, KEY_LEN, PublicKey, Salt};
use super::name;
use super::password::Password;

/// The value of PASSWORD in this login.
pub type Proof = [u8; 32];

/// i: what identity (the name that is hashed), password and salt come to.
fn password_scalar(identity: &[u8], password: &Password, salt: &Salt) -> Zeroizing<Scalar> {
    let inner: Zeroizing<[u8; 32]> = Zeroizing::new(
        Sha256::new().chain_update(identity).chain_update(b":").chain_update(password.expose()).finalize().into(),
    );
    let i: Zeroizing<[u8; 32]> =
        Zeroizing::new(Sha256::new().chain_update(salt).chain_update(inner.as_slice()).finalize().into());
    Zeroizing::new(curve::scalar(&i))
}

/// h: what binds the two keys. Parities are left out.
fn key_hash(client: &PublicKey, server: &PublicKey) -> [u8; 32] {
    Sha256::new().chain_update(client.x).chain_update(server.x).finalize().into()
}

fn proof(h: &[u8; 32], z: &[u8; 32]) -> Proof {
    Sha256::new().chain_update(h).chain_update(z).finalize().into()
}

/// The client's end of one login.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Client {
    private: Scalar,
    #[zeroize(skip)]
    public: PublicKey,
}

impl Client {
    /// `random` are 32 random bytes, for this login alone.
    pub fn new(random: &[u8; 32]) -> Self {
        let private = curve::private_scalar(random);
        let public = curve::encode(&EdwardsPoint::mul_base(&private));
        Self { private, public }
    }

    /// The key to offer.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The proof that `password` is known, for the server's answer. `login` may carry console parameters.
    ///
    /// # Errors
    /// [`Error::KeyOffCurve`], [`Error::KeySmallOrder`]: this server cannot be logged in to.
    pub fn prove(&self, login: &[u8], password: &Password, server: &PublicKey, salt: &Salt) -> Result<Proof, Error> {
        self.prove_identity(name::without_parameters(login), password, server, salt)
    }

    /// As [`prove`](Self::prove), with the name hashed as it is: for a server whose users have a `+` in their names.
    ///
    /// # Errors
    /// As [`prove`](Self::prove).
    pub fn prove_identity(
        &self,
        identity: &[u8],
        password: &Password,
        server: &PublicKey,
        salt: &Salt,
    ) -> Result<Proof, Error> {
        let key = curve::lift_key(server)?;
        let i = password_scalar(identity, password, salt);
        let verifier = Zeroizing::new(EdwardsPoint::mul_base(&i));
        let blind = Zeroizing::new(curve::hash_to_point(&Zeroizing::new(curve::encode_x(&verifier)), true));
        let h = key_hash(&self.public, server);
        let factor = Zeroizing::new(*i * curve::scalar(&h) + self.private);
        let base = Zeroizing::new(key + *blind);
        let shared = Zeroizing::new(*base * *factor);
        Ok(proof(&h, &*curve::shared_x(&shared)?))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("public", &self.public).finish_non_exhaustive()
    }
}

/// What a server keeps in place of a password, as RouterOS does: V and the salt. It does not let its thief log in, but
/// lets him try passwords and pose as the server.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Verifier {
    key: [u8; KEY_LEN],
    salt: Salt,
}

impl Verifier {
    /// For a user's password and 16 random bytes, chosen once for each password.
    pub fn new(login: &[u8], password: &Password, salt: &Salt) -> Self {
        Self::for_identity(name::without_parameters(login), password, salt)
    }

    /// As [`new`](Self::new), with the name hashed as it is.
    pub fn for_identity(identity: &[u8], password: &Password, salt: &Salt) -> Self {
        let i = password_scalar(identity, password, salt);
        let v = Zeroizing::new(EdwardsPoint::mul_base(&i));
        Self { key: curve::encode(&v).to_bytes(), salt: *salt }
    }

    /// From what [`stored`](Self::stored) gave.
    ///
    /// # Errors
    /// [`Error::KeyParity`], [`Error::KeyOffCurve`], [`Error::KeySmallOrder`] if it is no such thing.
    pub fn from_stored(stored: &[u8; KEY_LEN], salt: &Salt) -> Result<Self, Error> {
        curve::lift_key(&PublicKey::from_bytes(stored)?)?;
        Ok(Self { key: *stored, salt: *salt })
    }

    /// x and parity of V, as RouterOS stores them. A secret.
    pub fn stored(&self) -> &[u8; KEY_LEN] {
        &self.key
    }

    /// The salt, which every client is told.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// For a name that does not exist: looks like a user's, always the same for one name, and no password fits (none
    /// that could be found). `secret` are 32 random bytes that the server keeps for as long as it keeps its users.
    pub fn decoy(secret: &[u8; 32], login: &[u8]) -> Self {
        let derive = |label: &[u8]| -> Zeroizing<[u8; 32]> {
            let hash = Sha256::new().chain_update(secret).chain_update(label).chain_update(login);
            Zeroizing::new(hash.finalize().into())
        };
        let mut salt = [0; 16];
        salt.copy_from_slice(&derive(b"salt:")[..16]);
        let i = Zeroizing::new(curve::private_scalar(&derive(b"verifier:")));
        let v = Zeroizing::new(EdwardsPoint::mul_base(&i));
        Self { key: curve::encode(&v).to_bytes(), salt }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

/// The server's end of one login. Kept for the whole login: a BEGINAUTH that comes again gets the same key, or the two
/// ends disagree (as mactelnetd 0.6.3 and its client do over a round trip of more than 15 ms).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Server {
    private: Scalar,
    verifier: EdwardsPoint,
    #[zeroize(skip)]
    public: PublicKey,
    salt: Salt,
}

impl Server {
    /// `random` are 32 random bytes, for this login alone.
    ///
    /// # Errors
    /// [`Error::KeyOffCurve`], [`Error::KeySmallOrder`], [`Error::KeyParity`] if the verifier is none.
    pub fn new(verifier: &Verifier, random: &[u8; 32]) -> Result<Self, Error> {
        let v = PublicKey::from_bytes(&verifier.key)?;
        let point = curve::lift_key(&v)?;
        let private = curve::private_scalar(random);
        let blind = Zeroizing::new(curve::hash_to_point(&v.x, false));
        let public = curve::encode(&(EdwardsPoint::mul_base(&private) + *blind));
        Ok(Self { private, verifier: point, public, salt: verifier.salt })
    }

    /// The key to answer with.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The value of PASSSALT to answer with.
    pub fn answer(&self) -> Answer {
        Answer::EcSrp5 { key: self.public, salt: self.salt }
    }

    /// Whether `proof`, the value of PASSWORD, comes from one who knows the password.
    ///
    /// # Errors
    /// [`Error::Rejected`], and [`Error::KeyOffCurve`], [`Error::KeySmallOrder`] for a client's key that is none.
    pub fn verify(&self, client: &PublicKey, proof: &[u8]) -> Result<(), Error> {
        let key = curve::lift_key(client)?;
        let h = key_hash(client, &self.public);
        let base = Zeroizing::new(key + self.verifier * curve::scalar(&h));
        let shared = Zeroizing::new(*base * self.private);
        let expected = Zeroizing::new(self::proof(&h, &*curve::shared_x(&shared)?));
        if expected.ct_eq(proof).into() { Ok(()) } else { Err(Error::Rejected) }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("public", &self.public).finish_non_exhaustive()
    }
}
