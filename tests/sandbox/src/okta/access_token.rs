//! The access tokens that the org has issued.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::dpop::random_text;

#[derive(Clone)]
pub(super) struct AccessToken {
    pub client_id: String,
    pub scopes: BTreeSet<String>,
    /// The thumbprint of the key that the token is bound to.
    pub key_thumbprint: Option<String>,
    expires: Timestamp,
}

#[derive(Default)]
pub(super) struct AccessTokens(HashMap<String, AccessToken>);

impl AccessTokens {
    /// Issues an opaque token with the shape and length of Okta's JWTs.
    pub fn issue(
        &mut self,
        client_id: &str,
        scopes: BTreeSet<String>,
        key_thumbprint: Option<String>,
        now: Timestamp,
        lifetime: Duration,
    ) -> String {
        let text = format!(
            "eyJ{}.eyJ{}.{}",
            random_text(80),
            random_text(500),
            random_text(342)
        );
        let token = AccessToken {
            client_id: client_id.to_owned(),
            scopes,
            key_thumbprint,
            expires: now + lifetime,
        };
        self.0.insert(text.clone(), token);
        text
    }

    /// Looks up a valid token.
    pub fn get(&self, text: &str, now: Timestamp) -> Option<&AccessToken> {
        self.0.get(text).filter(|token| token.expires > now)
    }

    pub fn revoke_all(&mut self) {
        self.0.clear();
    }
}
