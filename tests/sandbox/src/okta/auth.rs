//! Authentication.

use crate::server::Call;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The request has no credentials.
    NoSession,
    InvalidToken,
}

/// The caller's API token, by which requests are counted.
pub(super) fn caller<'a>(call: &'a Call, valid: &str) -> Result<&'a str, Refusal> {
    let Some(authorization) = call.header("authorization") else {
        return Err(Refusal::NoSession);
    };
    match authorization.split_once(' ') {
        Some(("SSWS", token)) if token == valid => Ok(token),
        _ => Err(Refusal::InvalidToken),
    }
}
