use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Header, encode};
use parking_lot::Mutex;
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, DATE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{ServiceApp, proof::ProofKey};
use crate::{
    http::{Call, HttpClient, HttpError, Operation, Response, Retries, RetryPolicy, WaitCause, http_date},
    okta::{OktaError, rate_limit::RateHeaders},
};

/// What the operator reads.
const SCOPES: &str = "okta.users.read okta.groups.read";

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion is valid. Okta accepts at most an hour.
const ASSERTION_SECONDS: i64 = 300;

/// A token is replaced so long before it expires, or before a tenth of its life is left, whichever is later.
const MAX_RENEWAL_MARGIN: Duration = Duration::from_secs(300);

/// Requests for one token: Okta may ask for another time, for a proof, for a nonce in it, and for another nonce.
const MAX_EXCHANGES: usize = 5;

/// A `Date` has whole seconds, and takes time to arrive.
const MAX_CLOCK_ERROR: SignedDuration = SignedDuration::from_secs(10);

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A token that Okta granted.
#[derive(Clone)]
pub(in crate::okta) struct AccessToken {
    value: SecretString,
    /// Whether each call needs a proof.
    is_bound: bool,
    renew_at: Instant,
}

/// The access tokens of a service app, one at a time, which all calls of a client share.
pub(in crate::okta) struct AccessTokens {
    app: ServiceApp,
    /// Of the token endpoint.
    url: Url,
    proof_key: ProofKey,
    state: Mutex<State>,
    /// Held while a token is requested, so that calls in parallel request one together.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    token: Option<AccessToken>,
    /// Whether the app asks for proofs.
    needs_proof: bool,
    /// The latest nonce of the token endpoint.
    token_nonce: Option<String>,
    /// The latest nonce of the API, which has nonces of its own.
    api_nonce: Option<String>,
    /// How far Okta's clock is ahead of ours: Okta refuses what is signed in its future, or too long ago.
    clock_offset: SignedDuration,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    jti: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: u64,
}

impl AccessTokens {
    /// `org_url` has no path.
    pub(in crate::okta) fn new(app: ServiceApp, org_url: &Url) -> Result<Self, OktaError> {
        let mut url = org_url.clone();
        url.set_path("/oauth2/v1/token");
        Ok(Self {
            app,
            url,
            proof_key: ProofKey::generate().map_err(|_| OktaError::SigningFailed)?,
            state: Mutex::default(),
            renewal: tokio::sync::Mutex::default(),
        })
    }

    /// The present token, or a new one if it expires soon.
    pub(in crate::okta) async fn get(
        &self,
        http: &HttpClient,
        retry_policy: &RetryPolicy,
    ) -> Result<AccessToken, OktaError> {
        if let Some(token) = self.present() {
            return Ok(token);
        }
        let _renewal = self.renewal.lock().await;
        // Another call may have requested one in the meantime.
        if let Some(token) = self.present() {
            return Ok(token);
        }
        let call = http.call(Method::POST, &self.url);
        let mut retries = Retries::new(retry_policy);
        loop {
            let error = match self.request(http, &call).await {
                Ok(token) => {
                    self.state.lock().token = Some(token.clone());
                    return Ok(token);
                }
                Err(error) => error,
            };
            if !error.is_transient() {
                return Err(error);
            }
            let cause = match error.rate_limited() {
                Some(_) => WaitCause::RateLimited,
                None => WaitCause::Backoff,
            };
            let Some(wait) = retries.next(cause, error.retryability()) else {
                return Err(error);
            };
            http.wait(cause, wait).await;
        }
    }

    fn present(&self) -> Option<AccessToken> {
        let token = self.state.lock().token.clone();
        token.filter(|token| Instant::now() < token.renew_at)
    }

    async fn request(&self, http: &HttpClient, call: &Call) -> Result<AccessToken, OktaError> {
        for _ in 0..MAX_EXCHANGES {
            let (needs_proof, nonce, clock_offset) = {
                let state = self.state.lock();
                (state.needs_proof, state.token_nonce.clone(), state.clock_offset)
            };
            let now = okta_time(clock_offset);
            let assertion = self.assertion(now)?;
            let mut request = http.request(Method::POST, self.url.clone()).form(&[
                ("grant_type", "client_credentials"),
                ("scope", SCOPES),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.expose_secret()),
            ]);
            if needs_proof {
                let proof = self
                    .proof_key
                    .prove(&Method::POST, &self.url, now, nonce.as_deref(), None);
                request = request.header(DPOP, proof.map_err(|_| OktaError::SigningFailed)?);
            }
            let response = http.execute(Operation::GetAccessToken, call, request).await?;
            let mut state = self.state.lock();
            if let Some(nonce) = nonce_of(&response.headers) {
                state.token_nonce = Some(nonce);
            }
            if let Some(date) = response.headers.get(DATE).and_then(http_date) {
                state.clock_offset = date.duration_since(Timestamp::now());
            }
            if response.status == StatusCode::OK {
                return granted(call, &response);
            }
            let was_wrong = (state.clock_offset - clock_offset).abs() > MAX_CLOCK_ERROR;
            let rate = RateHeaders::read(&response.headers);
            match OktaError::from_token_response(call, &response, rate) {
                OktaError::NonceRequired { .. } => state.needs_proof = true,
                OktaError::ProofRefused { .. } if !needs_proof => state.needs_proof = true,
                OktaError::PrivateKeyRefused { .. } | OktaError::ProofRefused { .. } if was_wrong => {}
                error => return Err(error),
            }
        }
        Err(HttpError::invalid_response(call, "asks for another DPoP nonce each time").into())
    }

    fn assertion(&self, now: Timestamp) -> Result<SecretString, OktaError> {
        let ServiceApp {
            client_id,
            key_id,
            key,
        } = &self.app;
        let mut header = Header::new(key.algorithm);
        header.kid = key_id.clone().or_else(|| key.key_id.clone());
        let claims = Assertion {
            iss: client_id,
            sub: client_id,
            aud: self.url.as_str(),
            exp: now.as_second() + ASSERTION_SECONDS,
            jti: Uuid::new_v4().to_string(),
        };
        encode(&header, &claims, &key.key)
            .map(SecretString::from)
            .map_err(|_| OktaError::SigningFailed)
    }

    /// The headers that authorize one request. Okta refuses a proof a second time.
    pub(in crate::okta) fn headers(
        &self,
        token: &AccessToken,
        method: &Method,
        url: &Url,
    ) -> Result<HeaderMap, OktaError> {
        let value = token.value.expose_secret();
        let authorization = match token.is_bound {
            true => format!("DPoP {value}"),
            false => format!("Bearer {value}"),
        };
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| OktaError::SigningFailed);
        let mut authorization = header(&authorization)?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
        if token.is_bound {
            let (nonce, clock_offset) = {
                let state = self.state.lock();
                (state.api_nonce.clone(), state.clock_offset)
            };
            let now = okta_time(clock_offset);
            let proof = self
                .proof_key
                .prove(method, url, now, nonce.as_deref(), Some(value))
                .map_err(|_| OktaError::SigningFailed)?;
            headers.insert(DPOP, header(&proof)?);
        }
        Ok(headers)
    }

    /// Remembers the nonce that a response of the API may have.
    pub(in crate::okta) fn learn(&self, headers: &HeaderMap) {
        if let Some(nonce) = nonce_of(headers) {
            self.state.lock().api_nonce = Some(nonce);
        }
    }

    /// Makes the next call request a new token, if this one is still the present one.
    pub(in crate::okta) fn discard(&self, refused: &AccessToken) {
        let mut state = self.state.lock();
        state
            .token
            .take_if(|token| token.value.expose_secret() == refused.value.expose_secret());
    }
}

/// The time by Okta's clock.
fn okta_time(clock_offset: SignedDuration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(clock_offset).unwrap_or(now)
}

fn nonce_of(headers: &HeaderMap) -> Option<String> {
    let nonce = headers.get(DPOP_NONCE)?;
    nonce.to_str().ok().map(str::to_owned)
}

fn granted(call: &Call, response: &Response) -> Result<AccessToken, OktaError> {
    let granted: Granted =
        // The error could quote the token.
        serde_json::from_slice(&response.body)
            .map_err(|_| HttpError::invalid_response(call, "is not an access token"))?;
    let is_bound = match granted.token_type.to_ascii_lowercase().as_str() {
        "dpop" => true,
        "bearer" => false,
        _ => return Err(HttpError::invalid_response(call, "has a token of an unknown type").into()),
    };
    let lifetime = Duration::from_secs(granted.expires_in);
    Ok(AccessToken {
        value: granted.access_token.into(),
        is_bound,
        renew_at: Instant::now() + lifetime - MAX_RENEWAL_MARGIN.min(lifetime / 10),
    })
}
