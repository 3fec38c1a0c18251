//! Authentication of API calls: by an API token, or by a service app's access token.

use super::State;
use super::access_token::AccessToken;
use super::answer::{Refused, Rejection};
use super::challenge::{Challenge, Scheme};
use super::dpop::{self, Proof};
use crate::server::Call;

/// Who makes a call.
pub(super) enum Caller {
    ApiToken(String),
    App {
        presented: String,
        token: AccessToken,
        has_role: bool,
    },
}

impl Caller {
    /// The token or client id whose requests are counted.
    pub fn id(&self) -> &str {
        match self {
            Self::ApiToken(token) => token,
            Self::App { token, .. } => &token.client_id,
        }
    }

    pub fn scheme(&self) -> Scheme {
        match self {
            Self::App { token, .. } if token.key_thumbprint.is_some() => Scheme::Dpop,
            _ => Scheme::Bearer,
        }
    }
}

impl State {
    /// Authenticates a call by its `Authorization` header alone. A bound token also needs `verify_proof`.
    pub(super) fn caller(&self, call: &Call) -> Result<Caller, Rejection> {
        let Some(authorization) = call.header("authorization") else {
            return Err(Refused(403, "E0000005", "Invalid session".to_owned(), Vec::new()).into());
        };
        let (scheme, presented) = authorization.split_once(' ').unwrap_or_default();
        let scheme = match scheme {
            "SSWS" if presented == self.token => return Ok(Caller::ApiToken(presented.to_owned())),
            "Bearer" => Scheme::Bearer,
            "DPoP" => Scheme::Dpop,
            _ => return Err(Refused::invalid_token().into()),
        };
        let valid = self.access_tokens.get(presented, self.truth().clock());
        let valid = valid.and_then(|token| Some((token, self.app(&token.client_id)?)));
        let Some((token, app)) = valid else {
            return Err(Challenge::invalid_token(scheme).into());
        };
        match (scheme, &token.key_thumbprint) {
            (Scheme::Bearer, Some(_)) => Err(Challenge::proof_required().into()),
            (Scheme::Dpop, None) => Err(Challenge::invalid_token(scheme).into()),
            _ => Ok(Caller::App {
                presented: presented.to_owned(),
                token: token.clone(),
                has_role: app.role,
            }),
        }
    }

    /// Verifies the proof of a call with a bound token, and marks it as used.
    pub(super) fn verify_proof(&mut self, call: &Call, caller: &Caller) -> Result<(), Challenge> {
        let Caller::App { presented, token, .. } = caller else {
            return Ok(());
        };
        let Some(key_thumbprint) = &token.key_thumbprint else {
            return Ok(());
        };
        let proof = Proof::read(call, &self.url, self.truth().clock())
            .and_then(|proof| proof.ok_or(dpop::MISSING))
            .map_err(Challenge::invalid_proof)?;
        proof
            .verify_token(presented, key_thumbprint)
            .map_err(Challenge::invalid_proof)?;
        self.use_proof(&proof).map_err(Challenge::invalid_proof)?;
        if self.settings.api_nonce && !self.api_nonces.accept(&proof) {
            return Err(Challenge::nonce_required());
        }
        match proof.id {
            Some(_) => Ok(()),
            None => Err(Challenge::invalid_proof(dpop::INVALID_ID)),
        }
    }

    /// Marks a proof as used. Fails if it already was.
    pub(super) fn use_proof(&mut self, proof: &Proof) -> Result<(), dpop::ProofError> {
        match &proof.id {
            Some(id) if !self.used_proofs.insert(id.clone()) => Err(dpop::USED),
            _ => Ok(()),
        }
    }
}
