//! Authentication of service apps by JWTs that their private keys sign (RFC 7523).

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use serde_json::Value;

use super::answer::Refused;
use super::oauth::{Form, TOKEN_PATH, TokenError};
use super::service_app::ServiceApp;
use super::{State, jwt};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
];
const MAX_LIFETIME_SECONDS: i64 = 60 * 60;

/// The client id in the assertion, before its signature is verified.
pub(super) fn unverified_client_id(form: &Form) -> Option<String> {
    let claims = jwt::unverified_claims(form.get("client_assertion")?)?;
    claims["sub"].as_str().map(str::to_owned)
}

impl State {
    pub(super) fn app(&self, client_id: &str) -> Option<&ServiceApp> {
        let mut apps = self.settings.service_apps.iter();
        apps.find(|app| app.client_id == client_id)
    }

    /// Returns the app that signed the request's assertion, and marks the assertion as used.
    pub(super) fn authenticate(&mut self, form: &Form) -> Result<ServiceApp, TokenError> {
        let assertion = form.get("client_assertion").unwrap_or_default();
        match form.get("client_assertion_type") {
            None if assertion.is_empty() => {
                return Err(unknown_client("A client_id must be provided in the request."));
            }
            Some(ASSERTION_TYPE) => {}
            _ => return Err(invalid("The client_assertion_type is invalid.")),
        }
        let unparsable = || invalid("The parsing of the client_assertion failed.");
        let header = jwt::header(assertion).ok_or_else(unparsable)?;
        let client = unverified_client_id(form).ok_or_else(unparsable)?;
        let is_other = form.get("client_id").is_some_and(|client_id| client_id != client);
        let app = self
            .app(&client)
            .filter(|_| !is_other)
            .ok_or_else(|| unknown_client("Invalid value for 'client_id' parameter."))?;
        let key = key(app, &header).ok_or_else(|| invalid("The client_assertion JWT kid is invalid."))?;
        let claims = jwt::algorithm(&header, &ALGORITHMS)
            .and_then(|algorithm| jwt::verified_claims(assertion, algorithm, key))
            .ok_or_else(|| invalid("The client_assertion signature is invalid."))?;
        let app = app.clone();
        self.check_claims(&app, &claims)?;
        if let Some(id) = claims["jti"].as_str()
            && !self.used_assertions.insert((client, id.to_owned()))
        {
            return Err(invalid("The client_assertion token has already been used."));
        }
        Ok(app)
    }

    /// The texts are Okta's, except those for `iss` and `iat`, of which there is no record.
    fn check_claims(&self, app: &ServiceApp, claims: &Value) -> Result<(), TokenError> {
        if claims["iss"] != app.client_id.as_str() {
            return Err(invalid(
                "The issuer claim for client_assertion must be the client_id.",
            ));
        }
        if claims["aud"] != format!("{}{TOKEN_PATH}", self.url) {
            return Err(invalid(
                "The audience claim for client_assertion must be the endpoint invoked for the request.",
            ));
        }
        let now = self.truth().clock().as_second();
        match claims["exp"].as_i64().map(|expires| expires - now) {
            None | Some(..=0) => return Err(invalid("The client_assertion token is expired.")),
            Some(1..=MAX_LIFETIME_SECONDS) => {}
            Some(_) => {
                return Err(invalid(
                    "The client_assertion token has an expiration too far into the future.",
                ));
            }
        }
        match &claims["iat"] {
            Value::Null => Ok(()),
            issued if issued.as_i64().is_some_and(|issued| issued <= now) => Ok(()),
            _ => Err(invalid("The client_assertion token is issued in the future.")),
        }
    }
}

/// The key that a header names, or the only one if it names none.
fn key<'a>(app: &'a ServiceApp, header: &Value) -> Option<&'a Jwk> {
    match (&header["kid"], &app.keys[..]) {
        (Value::Null, [only]) => Some(only),
        (Value::String(id), keys) => keys.iter().find(|key| key.common.key_id.as_ref() == Some(id)),
        _ => None,
    }
}

fn invalid(description: &'static str) -> TokenError {
    TokenError::OAuth(401, "invalid_client", description)
}

/// Unlike other errors, this one is in the format of Okta's API.
fn unknown_client(summary: &str) -> TokenError {
    TokenError::Api(Refused(401, "invalid_client", summary.to_owned(), Vec::new()))
}
