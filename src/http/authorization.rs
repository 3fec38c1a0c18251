use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::{HttpError, Service, TokenProblem};

/// Returns the `Authorization` header for a token.
pub(crate) fn authorization(
    service: Service,
    scheme: &str,
    token: &SecretString,
) -> Result<HeaderValue, HttpError> {
    let invalid = |problem| HttpError::InvalidToken { service, problem };
    let token = super::token(token.expose_secret()).map_err(invalid)?;
    let mut header =
        HeaderValue::from_str(&format!("{scheme} {token}")).map_err(|_| invalid(TokenProblem::Foreign))?;
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
