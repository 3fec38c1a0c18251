//! The token endpoint of the org's authorization server, for service apps (RFC 6749, section 4.4).

use std::collections::BTreeSet;

use serde_json::json;

use super::answer::Refused;
use super::client_assertion::unverified_client_id;
use super::dpop::{self, Proof};
use super::limits::{Bucket, Standing};
use super::service_app::ServiceApp;
use super::{State, answer};
use crate::server::{Answer, Call};

pub(super) const TOKEN_PATH: &str = "/oauth2/v1/token";

/// The parameters in the body.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub fn of(call: &Call) -> Self {
        Self(url::form_urlencoded::parse(&call.body).into_owned().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter();
        values
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Why no token is issued.
pub(super) enum TokenError {
    /// Status, error and description.
    OAuth(u16, &'static str, &'static str),
    NonceRequired,
    /// In the format of Okta's API.
    Api(Refused),
}

impl From<Refused> for TokenError {
    fn from(refused: Refused) -> Self {
        Self::Api(refused)
    }
}

impl State {
    /// Answers a request for an access token.
    pub(super) fn access_token(&mut self, call: &Call, standings: &mut Vec<Standing>) -> Answer {
        let mut answer = self.issue(call, standings).unwrap_or_else(|error| match error {
            TokenError::Api(refused) => self.refuse(refused),
            TokenError::OAuth(status, code, description) => oauth_error(status, code, description),
            TokenError::NonceRequired => {
                let description = "Authorization server requires nonce in DPoP proof.";
                self.with_token_nonce(oauth_error(400, "use_dpop_nonce", description))
            }
        });
        answer.ignored = call.query.iter().map(|(name, _)| name.clone()).collect();
        answer
            .headers
            .push(("cache-control", "no-cache, no-store".to_owned()));
        answer
    }

    fn issue(&mut self, call: &Call, standings: &mut Vec<Standing>) -> Result<Answer, TokenError> {
        answer::check_user_agent(call)?;
        if call.method != "POST" {
            return Err(Refused::method().into());
        }
        let form = Form::of(call);
        let client = unverified_client_id(&form).unwrap_or_default();
        self.check_limits(Bucket::AccessTokens, &client, call, standings)?;
        let content_type = call.header("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default();
        if media_type.trim() != "application/x-www-form-urlencoded" {
            let summary =
                "Bad request. Accept and/or Content-Type headers likely do not match supported values.";
            return Err(Refused(415, "E0000021", summary.to_owned(), Vec::new()).into());
        }
        if call.header("authorization").is_some() || form.get("client_secret").is_some() {
            return Err(TokenError::OAuth(
                401,
                "invalid_request",
                "Cannot supply multiple client credentials. Use one of the following: credentials in the \
                 Authorization header, credentials in the post body, or a client_assertion in the post body.",
            ));
        }
        if form.get("grant_type") != Some("client_credentials") {
            return Err(TokenError::OAuth(
                400,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.",
            ));
        }
        let app = self.authenticate(&form)?;
        let key_thumbprint = self.proved_key(call, &app)?;
        let scopes = self.granted(&app, form.get("scope").unwrap_or_default())?;

        let lifetime = self.settings.token_lifetime;
        let mut body = json!({
            "token_type": if key_thumbprint.is_some() { "DPoP" } else { "Bearer" },
            "expires_in": lifetime.as_secs(),
            "scope": scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        });
        let is_bound = key_thumbprint.is_some();
        let now = self.truth().clock();
        let token = self
            .access_tokens
            .issue(&app.client_id, scopes, key_thumbprint, now, lifetime);
        body["access_token"] = token.into();
        let answer = Answer::new(200, body);
        Ok(if is_bound {
            self.with_token_nonce(answer)
        } else {
            answer
        })
    }

    /// The thumbprint of the key of the request's proof. A token is also bound if the app does not require a proof.
    fn proved_key(&mut self, call: &Call, app: &ServiceApp) -> Result<Option<String>, TokenError> {
        let invalid = |description| TokenError::OAuth(400, "invalid_dpop_proof", description);
        let proof = Proof::read(call, &self.url, self.truth().clock()).map_err(invalid)?;
        let Some(proof) = proof else {
            return if app.dpop {
                Err(invalid(dpop::MISSING))
            } else {
                Ok(None)
            };
        };
        self.use_proof(&proof).map_err(invalid)?;
        if !self.token_nonces.accept(&proof) {
            return Err(TokenError::NonceRequired);
        }
        // The first proof in Okta's guide, which has no nonce yet, has no id either.
        match proof.id {
            Some(_) => Ok(Some(proof.thumbprint)),
            None => Err(invalid(dpop::INVALID_ID)),
        }
    }

    /// The requested scopes that are granted to the app, unless none is.
    fn granted(&self, app: &ServiceApp, requested: &str) -> Result<BTreeSet<String>, TokenError> {
        let requested: BTreeSet<_> = requested.split(' ').filter(|scope| !scope.is_empty()).collect();
        let unknown = TokenError::OAuth(
            400,
            "invalid_scope",
            "One or more scopes are not configured for the authorization server resource.",
        );
        if requested.is_empty() {
            return Err(TokenError::OAuth(
                400,
                "invalid_scope",
                "The authorization server resource does not have any configured default scopes, 'scope' must be \
                 provided.",
            ));
        }
        if !requested.iter().all(|scope| is_okta_scope(scope)) {
            return Err(unknown);
        }
        let granted = requested.into_iter().filter(|scope| app.scopes.contains(*scope));
        let granted: BTreeSet<_> = granted.map(str::to_owned).collect();
        match granted.is_empty() {
            false => Ok(granted),
            true if self.settings.ungranted_scope_is_invalid => Err(unknown),
            true => Err(TokenError::OAuth(
                400,
                "consent_required",
                "You are not allowed any of the requested scopes.",
            )),
        }
    }

    fn with_token_nonce(&self, mut answer: Answer) -> Answer {
        let nonce = self.token_nonces.current.clone();
        answer.headers.push(("dpop-nonce", nonce));
        answer
    }
}

/// Whether the org's authorization server has a scope. It cannot have custom ones.
fn is_okta_scope(scope: &str) -> bool {
    scope.starts_with("okta.") && (scope.ends_with(".read") || scope.ends_with(".manage"))
}

fn oauth_error(status: u16, error: &str, description: &str) -> Answer {
    let body = json!({"error": error, "error_description": description});
    Answer::new(status, body)
}
