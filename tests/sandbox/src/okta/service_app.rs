//! The org's service apps.

use std::collections::BTreeSet;

use jsonwebtoken::jwk::Jwk;

use crate::key_pair::KeyPair;

/// An app of the type API Services, which gets access tokens with assertions that its private key signs.
#[derive(Clone, Debug)]
pub struct ServiceApp {
    pub client_id: String,
    /// The active public keys. If there are several, an assertion needs a `kid`.
    pub keys: Vec<Jwk>,
    /// The Okta API scopes that are granted to the app.
    pub scopes: BTreeSet<String>,
    /// Whether a request for a token needs a proof of possession, the default in Okta.
    pub dpop: bool,
    /// Whether an admin role is assigned to the app. Otherwise lists are empty, and reading by id is a 403.
    pub role: bool,
}

impl ServiceApp {
    /// An app with one key that may read users and groups, and needs proofs of possession.
    pub fn new(client_id: &str, key_id: &str, key: &KeyPair) -> Self {
        Self {
            client_id: client_id.to_owned(),
            keys: vec![key.public_jwk(Some(key_id))],
            scopes: ["okta.groups.read", "okta.users.read"].map(str::to_owned).into(),
            dpop: true,
            role: true,
        }
    }
}
