//! Proofs of possession of a key (RFC 9449), and the nonces that they must contain.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::jwt;
use crate::server::Call;

/// The algorithms in Okta's challenges, except ES512.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
];
/// The members of a JWK that only a private or a secret key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const MAX_AGE_SECONDS: i64 = 5 * 60;

/// The `error_description` of an `invalid_dpop_proof`.
///
/// The texts are Okta's, except those for the JWT's header and signature, for `htm`, `jti` and a future `iat`, and for
/// a key other than the token's, of which there is no record.
pub(super) type ProofError = &'static str;

pub(super) const MISSING: ProofError = "The DPoP proof JWT header is missing.";
pub(super) const USED: ProofError = "The DPoP proof JWT has already been used.";
pub(super) const INVALID_ID: ProofError = "'jti' claim in the DPoP proof JWT is invalid.";

/// A proof that is valid for its request.
pub(super) struct Proof {
    /// The thumbprint of the key (RFC 7638).
    pub thumbprint: String,
    pub id: Option<String>,
    pub nonce: Option<String>,
    token_hash: Option<String>,
}

impl Proof {
    /// Reads and verifies a request's proof, if it has one. `url` is the org's.
    pub fn read(call: &Call, url: &str, now: Timestamp) -> Result<Option<Self>, ProofError> {
        let mut headers = call.headers.get_all("dpop").iter();
        let Some(jwt) = headers.next() else {
            return Ok(None);
        };
        if headers.next().is_some() {
            return Err("The request has more than one DPoP proof JWT header.");
        }
        let malformed = "The DPoP proof JWT is malformed.";
        let jwt = jwt.to_str().map_err(|_| malformed)?;
        let header = jwt::header(jwt).ok_or(malformed)?;
        if header["typ"] != "dpop+jwt" {
            return Err("'typ' in the DPoP proof JWT header is invalid.");
        }
        let algorithm =
            jwt::algorithm(&header, &ALGORITHMS).ok_or("'alg' in the DPoP proof JWT header is invalid.")?;
        let (key, thumbprint) =
            public_key(&header["jwk"]).ok_or("'jwk' in the DPoP proof JWT header is invalid.")?;
        let claims = jwt::verified_claims(jwt, algorithm, &key)
            .ok_or("The signature of the DPoP proof JWT is invalid.")?;
        if claims["htm"] != call.method.as_str() {
            return Err("'htm' claim in the DPoP proof JWT is invalid.");
        }
        // Okta compares with the decoded path.
        if claims["htu"] != format!("{url}/{}", call.segments().join("/")) {
            return Err("'htu' claim in the DPoP proof JWT is invalid.");
        }
        let issued = claims["iat"]
            .as_i64()
            .ok_or("'iat' claim in the DPoP proof JWT is invalid.")?;
        match now.as_second() - issued {
            ..0 => return Err("The DPoP proof JWT is issued in the future."),
            0..=MAX_AGE_SECONDS => {}
            _ => return Err("The DPoP proof JWT is issued more than five minutes in the past."),
        }
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        Ok(Some(Self {
            thumbprint,
            id: text("jti").filter(|id| !id.is_empty()),
            nonce: text("nonce"),
            token_hash: text("ath"),
        }))
    }

    /// Checks that the proof is for this access token and by the key that the token is bound to.
    pub fn verify_token(&self, token: &str, key_thumbprint: &str) -> Result<(), ProofError> {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
        if self.token_hash.as_ref() != Some(&hash) {
            return Err("'ath' claim in the DPoP proof does not match the presented access_token.");
        }
        if self.thumbprint != key_thumbprint {
            return Err(
                "The DPoP proof JWT is not signed by the key that the presented access_token is bound to.",
            );
        }
        Ok(())
    }
}

/// The key of a JWK without private members, and its thumbprint.
fn public_key(jwk: &Value) -> Option<(Jwk, String)> {
    let is_private = PRIVATE_MEMBERS.iter().any(|member| jwk.get(member).is_some());
    let key: Jwk = serde_json::from_value(jwk.clone()).ok().filter(|_| !is_private)?;
    let thumbprint = key.thumbprint(ThumbprintHash::SHA256).ok()?;
    Some((key, thumbprint))
}

/// The valid nonces of the token endpoint or the API: the current one and the previous one.
pub(super) struct Nonces {
    pub current: String,
    previous: Option<String>,
}

impl Nonces {
    pub fn new() -> Self {
        Self {
            current: random_text(32),
            previous: None,
        }
    }

    pub fn rotate(&mut self) {
        self.previous = Some(std::mem::replace(&mut self.current, random_text(32)));
    }

    pub fn accept(&self, proof: &Proof) -> bool {
        let nonce = proof.nonce.as_ref();
        nonce.is_some_and(|nonce| *nonce == self.current || Some(nonce) == self.previous.as_ref())
    }
}

/// Random characters, which differ between orgs whatever their seed.
pub(super) fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(length)
        .collect()
}
