//! Proofs of possession (DPoP, RFC 9449): an access token is of use only to who holds the key that it is bound to.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Header, encode, errors::Error, jwk::Jwk};
use p256::elliptic_curve::Generate;
use reqwest::Method;
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use super::{KeyProblem, PrivateKey};

/// A key that lives as long as the client that made it.
pub(super) struct ProofKey {
    key: PrivateKey,
    public: Jwk,
}

#[derive(Serialize)]
struct Claims<'a> {
    htm: &'a str,
    /// The URL without query and fragment.
    htu: &'a str,
    iat: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    /// Digest of the access token that comes with the proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

impl ProofKey {
    pub(super) fn generate() -> Result<Self, KeyProblem> {
        let key = p256::SecretKey::generate();
        let key = PrivateKey::ec(&key, None)?;
        let mut public =
            Jwk::from_encoding_key(&key.key, key.algorithm).map_err(|_| KeyProblem::Unsupported)?;
        // RFC 9449 asks for the public key alone.
        public.common.key_algorithm = None;
        Ok(Self { key, public })
    }

    /// A proof for one request: Okta refuses it a second time.
    pub(super) fn prove(
        &self,
        method: &Method,
        url: &Url,
        now: Timestamp,
        nonce: Option<&str>,
        access_token: Option<&str>,
    ) -> Result<String, Error> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let mut header = Header::new(self.key.algorithm);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.public.clone());
        let claims = Claims {
            htm: method.as_str(),
            htu: target.as_str(),
            iat: now.as_second(),
            jti: Uuid::new_v4().to_string(),
            nonce,
            ath: access_token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token))),
        };
        encode(&header, &claims, &self.key.key)
    }
}
