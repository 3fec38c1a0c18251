//! Key pairs of service apps and for proofs of possession, in all formats that people store them in.

#![expect(clippy::expect_used, reason = "the keys are made here")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::BoxedUint;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use serde::Serialize;
use serde_json::{Value, json};

/// The primes of two RSA keys for tests, since finding primes is slow.
const PRIMES: [[&str; 2]; 2] = [
    [
        "eef7b84ceb9e80b2606626f02cc99e857599189fba2f9f65fdc9369c13296639974bc958b97b6592152c34989602e81e\
         7d3a25241a1fbbd8012577bfdc2e1ef8d2344e21586b36371b9f9d2389f0770fd92122d6b680f9c4cfdbff1476dddd3f\
         78a68b065ff04c7da643bf577f9cb7d419110e67e125779de31dbe3bbd7051fd",
        "c85e43fd166d03c81bbb4bb8337bab4813966128e79da369bf43c49181b50d230de152dc7ffd00774f5853572d8343af\
         f66d3f24468a344eea9bd5b88c1222687f86d66e7b2d5437c2a56c5575fe6468a07c923195c1fb1c5c1b9b137657f123\
         cfe9c032f0f323d25156b6f37331263e0b7f83773a5894753bf168200f967b1b",
    ],
    [
        "c8631cf5cdc315c9fa37668a118b48c071f8fb2b14c0f0233c675e2b16df80aa8fdb0b70ac73ff8f900beb0daef7b4d5\
         e458197f9634f8caddabcf1bfbdc2be0fc59dc2379a13f84abf021e59aef139207b12de575dbba82e926019caab450ca\
         289afd09606e10751067f269251e7beccb2e6aa4ebb5f85600bb326713d0daa3",
        "b7b8aa84b33f442b60900d24faff472c1230fc500aa4a29a6722bb22deeabfea5385838aa5124ed9c7cb29121b1eee2b\
         bc36d03887c2608401075302461852352440da764ca15a5fd09ec229d4847b35520ba8f543561ec0fbe9901f4f738148\
         a6678b22c8c02b52e17d646daaa98cfd06faa03ccb7b4938a8d2905067c3a245",
    ],
];

const PRIME_BITS: u32 = 1024;
const EXPONENT: u64 = 65_537;

/// A private key and its public key.
#[derive(Clone)]
pub struct KeyPair(Private);

#[derive(Clone)]
enum Private {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::SecretKey),
}

impl KeyPair {
    /// An RSA key of 2048 bits, always the same.
    pub fn rsa() -> Self {
        Self::of_primes(PRIMES[0])
    }

    /// Another RSA key of 2048 bits, always the same.
    pub fn other_rsa() -> Self {
        Self::of_primes(PRIMES[1])
    }

    fn of_primes(primes: [&str; 2]) -> Self {
        let [p, q] = primes.map(|hex| {
            BoxedUint::from_be_hex(hex, PRIME_BITS)
                .into_option()
                .expect("a number in hex")
        });
        let key = rsa::PrivateKey::from_p_q(p, q, EXPONENT.into()).expect("two primes");
        Self(Private::Rsa(Box::new(key)))
    }

    /// A new key on the curve P-256.
    pub fn p256() -> Self {
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(32).collect();
        Self(Private::P256(
            p256::SecretKey::from_slice(&bytes).expect("a number below the order of the curve"),
        ))
    }

    /// `BEGIN PRIVATE KEY`
    pub fn pkcs8_pem(&self) -> String {
        let pem = match &self.0 {
            Private::Rsa(key) => key.to_pkcs8_pem(LineEnding::LF),
            Private::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        pem.expect("a key").to_string()
    }

    /// `BEGIN RSA PRIVATE KEY`
    pub fn pkcs1_pem(&self) -> String {
        match &self.0 {
            Private::Rsa(key) => key.to_pkcs1_pem(LineEnding::LF).expect("a key").to_string(),
            Private::P256(_) => panic!("PKCS#1 is for RSA keys"),
        }
    }

    /// `BEGIN EC PRIVATE KEY`
    pub fn sec1_pem(&self) -> String {
        match &self.0 {
            Private::Rsa(_) => panic!("SEC1 is for keys on curves"),
            Private::P256(key) => key.to_sec1_pem(LineEnding::LF).expect("a key").to_string(),
        }
    }

    /// The private JWK, as Okta shows it when it generates a key pair.
    pub fn private_jwk(&self) -> Value {
        let mut jwk = self.public_members();
        let private = match &self.0 {
            Private::Rsa(key) => {
                let [p, q] = [0, 1].map(|index| key.primes()[index].as_ref());
                let exponents = [key.dp(), key.dq()].map(|exponent| exponent.expect("a precomputed key"));
                let coefficient = key.crt_coefficient().expect("two primes");
                json!({
                    "d": number(key.d()),
                    "p": number(p),
                    "q": number(q),
                    "dp": number(exponents[0]),
                    "dq": number(exponents[1]),
                    "qi": number(&coefficient),
                })
            }
            Private::P256(key) => json!({"d": encoded(&key.to_bytes())}),
        };
        if let (Value::Object(jwk), Value::Object(private)) = (&mut jwk, private) {
            jwk.extend(private);
        }
        jwk
    }

    /// The public JWK, with the key's id if it has one.
    pub fn public_jwk(&self, key_id: Option<&str>) -> Jwk {
        let mut jwk: Jwk = serde_json::from_value(self.public_members()).expect("a JWK");
        jwk.common.key_id = key_id.map(str::to_owned);
        jwk
    }

    fn public_members(&self) -> Value {
        match &self.0 {
            Private::Rsa(key) => json!({
                "kty": "RSA",
                "n": encoded(&key.n_bytes()),
                "e": encoded(&key.e_bytes()),
            }),
            Private::P256(key) => {
                let point = key.public_key().to_sec1_point(false);
                let [x, y] = [point.x(), point.y()].map(|half| encoded(half.expect("a whole point")));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
        }
    }

    /// The most common algorithm for the key.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Private::Rsa(_) => Algorithm::RS256,
            Private::P256(_) => Algorithm::ES256,
        }
    }

    /// Signs a JWT.
    pub fn sign(&self, header: &Header, claims: &impl Serialize) -> String {
        let key = match &self.0 {
            Private::Rsa(_) => EncodingKey::from_rsa_pem(self.pkcs8_pem().as_bytes()),
            Private::P256(_) => EncodingKey::from_ec_pem(self.pkcs8_pem().as_bytes()),
        };
        jsonwebtoken::encode(header, claims, &key.expect("a key")).expect("an algorithm of the key")
    }
}

fn number(number: &BoxedUint) -> String {
    encoded(&number.to_be_bytes_trimmed_vartime())
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
