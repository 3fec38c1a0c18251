//! Authentication as a service app: short-lived access tokens for a signed assertion (OAuth 2.0 client credentials with
//! `private_key_jwt`, RFC 7523), bound to a key of ours where the app asks for it (DPoP, RFC 9449).

mod access_token;
mod private_key;
mod proof;

pub(super) use access_token::{AccessToken, AccessTokens};
pub use private_key::{KeyProblem, PrivateKey};

/// An API Services app of an org, with its private key.
#[derive(Clone, Debug)]
pub struct ServiceApp {
    pub client_id: String,
    /// Which of the app's keys it is (`kid`); otherwise the key's own id, if it is a JWK with one.
    pub key_id: Option<String>,
    pub key: PrivateKey,
}
