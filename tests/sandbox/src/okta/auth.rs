//! Who calls.

use crate::server::Call;

/// Why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
    /// No credentials at all.
    NoSession,
    /// Credentials that are not, or no longer, valid.
    InvalidToken,
}

/// The caller's token, under which requests are counted.
///
/// API tokens only: a service app's `Bearer` and `DPoP` tokens would be further schemes here.
pub(super) fn caller<'a>(call: &'a Call, valid: &str) -> Result<&'a str, Refusal> {
    let Some(authorization) = call.header("authorization") else {
        return Err(Refusal::NoSession);
    };
    match authorization.split_once(' ') {
        Some(("SSWS", token)) if token == valid => Ok(token),
        _ => Err(Refusal::InvalidToken),
    }
}
