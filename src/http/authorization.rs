use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::{HttpError, Service};

/// Returns the `Authorization` header for a token. White space around the token is ignored, because
/// files often end with a line break.
pub(crate) fn authorization(
    service: Service,
    scheme: &str,
    token: &SecretString,
) -> Result<HeaderValue, HttpError> {
    let invalid = |problem| HttpError::InvalidToken { service, problem };
    let token = token.expose_secret().trim();
    if token.is_empty() {
        return Err(invalid("is empty"));
    }
    let mut header = HeaderValue::from_str(&format!("{scheme} {token}"))
        .map_err(|_| invalid("contains characters that are not allowed in a token"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_checked_and_never_shown() {
        let header = authorization(Service::Okta, "SSWS", &" 00secret\n".into()).unwrap();
        assert_eq!(header, "SSWS 00secret");
        assert!(!format!("{header:?}").contains("00secret"));
        for token in ["", " \n", "00secret\n00second"] {
            let error = authorization(Service::Okta, "SSWS", &token.into()).unwrap_err();
            assert_eq!(error.reason(), "InvalidToken");
            assert!(!format!("{error} {error:?}").contains("00se"));
        }
    }
}
