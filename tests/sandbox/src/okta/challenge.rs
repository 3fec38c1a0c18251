//! Refusals that a `WWW-Authenticate` header explains.

/// How a request presents its token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scheme {
    Bearer,
    Dpop,
}

/// A refusal of a token or of the proof that comes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenge {
    pub status: u16,
    pub scheme: Scheme,
    pub error: &'static str,
    pub description: &'static str,
}

impl Challenge {
    pub const INVALID_TOKEN: &str = "invalid_token";

    pub fn invalid_token(scheme: Scheme) -> Self {
        Self {
            status: 401,
            scheme,
            error: Self::INVALID_TOKEN,
            description: "The access token is invalid.",
        }
    }

    pub fn proof_required() -> Self {
        Self {
            status: 400,
            scheme: Scheme::Bearer,
            error: "invalid_request",
            description: "The resource request requires a DPoP proof.",
        }
    }

    pub fn invalid_proof(description: &'static str) -> Self {
        Self {
            status: 400,
            scheme: Scheme::Dpop,
            error: "invalid_dpop_proof",
            description,
        }
    }

    pub fn nonce_required() -> Self {
        Self {
            status: 401,
            scheme: Scheme::Dpop,
            error: "use_dpop_nonce",
            description: "Resource server requires nonce in DPoP proof.",
        }
    }

    pub fn insufficient_scope(scheme: Scheme) -> Self {
        Self {
            status: 403,
            scheme,
            error: "insufficient_scope",
            description: "The access token provided does not contain the required scopes.",
        }
    }

    /// The header's value. `url` is the org's, and `scope` the one that the resource needs.
    pub fn header(&self, url: &str, scope: &str, resource: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Dpop => "DPoP algs=\"RS256 RS384 RS512 ES256 ES384 ES512\",",
        };
        format!(
            "{scheme} authorization_uri=\"{url}/oauth2/v1/authorize\", realm=\"{url}\", scope=\"{scope}\", \
             error=\"{}\", error_description=\"{}\", resource=\"{resource}\"",
            self.error, self.description
        )
    }
}
