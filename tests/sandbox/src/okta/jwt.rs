//! Headers and claims of JWTs.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous};
use serde_json::Value;

/// The header of a JWT, with all its members.
pub(super) fn header(jwt: &str) -> Option<Value> {
    let (header, _) = jwt.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()
}

/// The algorithm in a header, if it is accepted.
pub(super) fn algorithm(header: &Value, accepted: &[Algorithm]) -> Option<Algorithm> {
    let named = serde_json::from_value(header["alg"].clone()).ok()?;
    accepted.contains(&named).then_some(named)
}

/// The claims of a JWT, without verifying its signature.
pub(super) fn unverified_claims(jwt: &str) -> Option<Value> {
    dangerous::insecure_decode_claims(jwt).ok()
}

/// The claims of a JWT that this key has signed. Their values are not validated, since times are by the org's clock.
pub(super) fn verified_claims(jwt: &str, algorithm: Algorithm, key: &Jwk) -> Option<Value> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_jwk(key).ok()?;
    let decoded = jsonwebtoken::decode(jwt, &key, &validation).ok()?;
    Some(decoded.claims)
}
