//! Private keys of service apps as people store them: PEM (PKCS#1, PKCS#8, SEC1) or a JWK.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use pem::Pem;
use rsa::{
    BoxedUint,
    pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey},
    traits::PublicKeyParts,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Okta accepts no shorter RSA key.
const MIN_RSA_BITS: u32 = 2048;

/// What is wrong with a value that should be a private key. Never contains any of it. Completes a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("is empty: store the private key there")]
    Empty,
    #[error("is no private key: store it in PEM format, from -----BEGIN to -----END, or as a JWK")]
    NotAKey,
    #[error(
        "is encrypted: store it without a passphrase, such as the output of `openssl pkcs8 -topk8 -nocrypt`"
    )]
    Encrypted,
    #[error("is a public key: store the private key, and register the public key with the app in Okta")]
    Public,
    #[error("is a set of keys: store one key, an element of \"keys\"")]
    KeySet,
    #[error("is damaged: it cannot be decoded. Copy it again, with all its lines")]
    Damaged,
    #[error(
        "is of a kind that is not supported: create an RSA key of at least 2048 bits, or an EC key on P-256"
    )]
    Unsupported,
    #[error("is an RSA key of less than {MIN_RSA_BITS} bits, which Okta refuses: create a longer one")]
    TooShort,
}

/// A private key and how it signs. Its copy is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct PrivateKey {
    pub(super) key: EncodingKey,
    pub(super) algorithm: Algorithm,
    /// The key id in a JWK.
    pub(super) key_id: Option<String>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.algorithm)
    }
}

impl PrivateKey {
    /// Reads a key in PEM format or a JWK. An RSA key signs with RS256, or with what `alg` of its JWK says; an EC key
    /// with ES256.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn parse(value: &SecretString) -> Result<Self, KeyProblem> {
        let text = value.expose_secret().trim().trim_start_matches('\u{feff}');
        if text.is_empty() {
            return Err(KeyProblem::Empty);
        }
        match text.starts_with('{') {
            true => Self::from_jwk(text),
            false => Self::from_pem(text),
        }
    }

    fn from_pem(text: &str) -> Result<Self, KeyProblem> {
        let blocks = pem::parse_many(text).map_err(|_| match text.contains("-----BEGIN") {
            true => KeyProblem::Damaged,
            false => KeyProblem::NotAKey,
        })?;
        // `openssl ecparam` writes the parameters before the key.
        let is_private = |block: &&Pem| block.tag().ends_with("PRIVATE KEY");
        let Some(block) = blocks.iter().find(is_private) else {
            return Err(match blocks.first() {
                Some(block) if block.tag().ends_with("PUBLIC KEY") || block.tag() == "CERTIFICATE" => {
                    KeyProblem::Public
                }
                Some(_) => KeyProblem::NotAKey,
                None if text.contains("-----BEGIN") => KeyProblem::Damaged,
                None => KeyProblem::NotAKey,
            });
        };
        if block.tag() == "ENCRYPTED PRIVATE KEY" || block.headers().get("Proc-Type").is_some() {
            return Err(KeyProblem::Encrypted);
        }
        let der = block.contents();
        match block.tag() {
            "RSA PRIVATE KEY" => Self::rsa(
                &rsa::PrivateKey::from_pkcs1_der(der).map_err(|_| KeyProblem::Damaged)?,
                Algorithm::RS256,
                None,
            ),
            "EC PRIVATE KEY" => Self::ec(
                &p256::SecretKey::from_sec1_der(der).map_err(|_| KeyProblem::Unsupported)?,
                None,
            ),
            "PRIVATE KEY" => match rsa::PrivateKey::from_pkcs8_der(der) {
                Ok(key) => Self::rsa(&key, Algorithm::RS256, None),
                Err(_) => match p256::SecretKey::from_pkcs8_der(der) {
                    Ok(key) => Self::ec(&key, None),
                    Err(_) => Err(KeyProblem::Unsupported),
                },
            },
            _ => Err(KeyProblem::Unsupported),
        }
    }

    fn from_jwk(text: &str) -> Result<Self, KeyProblem> {
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyProblem::Damaged)?;
        if jwk.keys.is_some() {
            return Err(KeyProblem::KeySet);
        }
        let algorithm = match (jwk.kty.as_deref(), jwk.alg.as_deref()) {
            (Some("RSA"), None | Some("RS256")) => Algorithm::RS256,
            (Some("RSA"), Some("RS384")) => Algorithm::RS384,
            (Some("RSA"), Some("RS512")) => Algorithm::RS512,
            (Some("RSA"), Some("PS256")) => Algorithm::PS256,
            (Some("EC"), None | Some("ES256")) if jwk.crv.as_deref() == Some("P-256") => Algorithm::ES256,
            (Some(_), _) => return Err(KeyProblem::Unsupported),
            (None, _) => return Err(KeyProblem::NotAKey),
        };
        let secret = jwk.d.as_deref().ok_or(KeyProblem::Public)?;
        let secret = decode(secret)?;
        if algorithm == Algorithm::ES256 {
            let key = p256::SecretKey::from_slice(&secret).map_err(|_| KeyProblem::Damaged)?;
            return Self::ec(&key, jwk.kid);
        }
        let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
        let part = |part: &Option<Zeroizing<String>>| decode(part.as_deref().ok_or(KeyProblem::Damaged)?);
        let (modulus, exponent) = (number(&part(&jwk.n)?), number(&part(&jwk.e)?));
        // They follow from the rest, if they are not there.
        let primes = match (&jwk.p, &jwk.q) {
            (Some(p), Some(q)) => vec![number(&decode(p)?), number(&decode(q)?)],
            _ => Vec::new(),
        };
        let key = rsa::PrivateKey::from_components(modulus, exponent, number(&secret), primes);
        Self::rsa(&key.map_err(|_| KeyProblem::Damaged)?, algorithm, jwk.kid)
    }

    fn rsa(key: &rsa::PrivateKey, algorithm: Algorithm, key_id: Option<String>) -> Result<Self, KeyProblem> {
        if key.n().bit_width_vartime() < MIN_RSA_BITS {
            return Err(KeyProblem::TooShort);
        }
        let der = key.to_pkcs1_der().map_err(|_| KeyProblem::Damaged)?;
        Ok(Self {
            key: EncodingKey::from_rsa_der(der.as_bytes()),
            algorithm,
            key_id,
        })
    }

    pub(super) fn ec(key: &p256::SecretKey, key_id: Option<String>) -> Result<Self, KeyProblem> {
        let der = key.to_pkcs8_der().map_err(|_| KeyProblem::Damaged)?;
        Ok(Self {
            key: EncodingKey::from_ec_der(der.as_bytes()),
            algorithm: Algorithm::ES256,
            key_id,
        })
    }
}

/// RFC 7517 and 7518. The numbers of an RSA key that follow from the others are not read.
#[derive(Deserialize)]
struct Jwk {
    keys: Option<serde::de::IgnoredAny>,
    kty: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    d: Option<Zeroizing<String>>,
    n: Option<Zeroizing<String>>,
    e: Option<Zeroizing<String>>,
    p: Option<Zeroizing<String>>,
    q: Option<Zeroizing<String>>,
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyProblem::Damaged)?;
    Ok(Zeroizing::new(bytes))
}
