//! How an org knows the caller.

use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use secrecy::SecretString;
use url::Url;

use super::{
    OktaError,
    service_app::{AccessToken, AccessTokens, ServiceApp},
};
use crate::http::{HttpClient, HttpError, RetryPolicy, Service, authorization};

/// What an org knows the caller by.
#[derive(Clone, Debug)]
pub enum OktaCredential {
    /// An API token (SSWS).
    ApiToken(SecretString),
    /// An app of the type API Services.
    ServiceApp(Box<ServiceApp>),
}

impl<T: Into<SecretString>> From<T> for OktaCredential {
    fn from(token: T) -> Self {
        Self::ApiToken(token.into())
    }
}

/// Authorizes each call.
pub(super) enum Authorizer {
    ApiToken(HeaderValue),
    ServiceApp(Box<AccessTokens>),
}

impl Authorizer {
    pub(super) fn new(credential: OktaCredential, org_url: &Url) -> Result<Self, OktaError> {
        Ok(match credential {
            OktaCredential::ApiToken(token) => Self::ApiToken(authorization(Service::Okta, "SSWS", &token)?),
            OktaCredential::ServiceApp(app) => Self::ServiceApp(Box::new(AccessTokens::new(*app, org_url)?)),
        })
    }

    /// The access token for the next call, if the credential needs one.
    pub(super) async fn access_token(
        &self,
        http: &HttpClient,
        retry_policy: &RetryPolicy,
    ) -> Result<Option<AccessToken>, OktaError> {
        match self {
            Self::ApiToken(_) => Ok(None),
            Self::ServiceApp(tokens) => tokens.get(http, retry_policy).await.map(Some),
        }
    }

    /// The headers that authorize one call.
    pub(super) fn headers(
        &self,
        token: Option<&AccessToken>,
        method: &Method,
        url: &Url,
    ) -> Result<HeaderMap, OktaError> {
        match (self, token) {
            (Self::ServiceApp(tokens), Some(token)) => tokens.headers(token, method, url),
            (Self::ServiceApp(_), None) => Ok(HeaderMap::new()),
            (Self::ApiToken(token), _) => Ok(HeaderMap::from_iter([(AUTHORIZATION, token.clone())])),
        }
    }

    /// Remembers what a response says about the next call.
    pub(super) fn learn(&self, headers: &HeaderMap) {
        if let Self::ServiceApp(tokens) = self {
            tokens.learn(headers);
        }
    }

    /// The error for this kind of credential.
    pub(super) fn explain(&self, error: OktaError) -> OktaError {
        match (self, error) {
            (Self::ServiceApp(_), OktaError::Http(HttpError::TokenRefused { call, body })) => {
                OktaError::AccessTokenRefused { call, body }
            }
            (_, error) => error,
        }
    }

    /// Whether a call that was refused may pass at once: with another nonce, or with a new access token.
    pub(super) fn is_worth_another_try(&self, error: &OktaError, token: Option<&AccessToken>) -> bool {
        match (self, error, token) {
            (Self::ServiceApp(_), OktaError::NonceRequired { .. }, _) => true,
            (Self::ServiceApp(tokens), OktaError::AccessTokenRefused { .. }, Some(token)) => {
                tokens.discard(token);
                true
            }
            _ => false,
        }
    }
}
