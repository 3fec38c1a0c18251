//! The fields of a form or a query. A form must hold the token of the page.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use url::form_urlencoded;

use super::Screen;

/// Fields in the order of the form; a name may stand several times.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of a field; None if it is empty or absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(other, _)| other == name);
        values
            .next()
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The first value of a field, which may be empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(other, _)| other == name);
        values.next().map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(other, _)| other == name);
        values.map(|(_, value)| value.as_str())
    }

    /// As a query, with another value of one field.
    pub fn with(&self, name: &str, value: &str) -> String {
        self.others(name).append_pair(name, value).finish()
    }

    /// As a query, without one field.
    pub fn without(&self, name: &str) -> String {
        self.others(name).finish()
    }

    fn others(&self, name: &str) -> form_urlencoded::Serializer<'static, String> {
        let others = self
            .0
            .iter()
            .filter(|(other, value)| other != name && !value.is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others);
        query
    }
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// The fields of a form that this screen served.
pub struct Submitted(pub Fields);

impl FromRequest<Arc<Screen>> for Submitted {
    type Rejection = Response;

    async fn from_request(request: Request, screen: &Arc<Screen>) -> Result<Self, Self::Rejection> {
        let body = Bytes::from_request(request, screen)
            .await
            .map_err(|rejection| rejection.into_response())?;
        let fields = Fields::parse(&body);
        match screen
            .access
            .is_form_token(fields.get("csrf").unwrap_or_default())
        {
            true => Ok(Self(fields)),
            false => Err(wrong_token()),
        }
    }
}

pub fn wrong_token() -> Response {
    let text = "This form is of an earlier run of `kubectl insightful review`: reload the page.\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

/// How a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By a link or a form.
    Page,
    /// By the script, after a form: what changed.
    Fragment,
    /// By the script, after a change in the cluster: what may have changed.
    Live,
}

impl Asked {
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get("x-fragment").and_then(|value| value.to_str().ok()) {
            Some("live") => Self::Live,
            Some(_) => Self::Fragment,
            None => Self::Page,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}
