//! The client's side of a service app.

use jsonwebtoken::{Algorithm, Header};
use sandbox::key_pair::KeyPair;
use sandbox::okta::ServiceApp;
use sha2::{Digest, Sha256};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

pub const CLIENT: &str = "0oa4service8app2ACME1";
pub const KEY: &str = "k1";
pub const SCOPES: &str = "okta.users.read okta.groups.read";
pub const TOKEN: &str = "/oauth2/v1/token";

/// An org with one service app, and all that the app's program has.
pub struct App {
    pub okta: Okta,
    pub key: KeyPair,
    pub algorithm: Algorithm,
    /// What proofs are signed with.
    pub proof_key: KeyPair,
}

/// A token as the token endpoint issued it.
pub struct Issued {
    pub scheme: String,
    pub token: String,
}

impl App {
    pub fn new(dpop: bool) -> Self {
        Self::with(KeyPair::p256(), dpop)
    }

    pub fn with(key: KeyPair, dpop: bool) -> Self {
        let app = ServiceApp {
            dpop,
            ..ServiceApp::new(CLIENT, KEY, &key)
        };
        let settings = Settings {
            service_apps: vec![app],
            ..small_pages()
        };
        Self {
            okta: Okta::start_with(&Company::acme(), settings),
            algorithm: key.algorithm(),
            key,
            proof_key: KeyPair::p256(),
        }
    }

    pub fn change(&self, change: impl FnOnce(&mut ServiceApp)) {
        self.okta
            .configure(|settings| change(&mut settings.service_apps[0]));
    }

    /// The claims of a good assertion.
    pub fn claims(&self) -> Value {
        let now = Timestamp::now().as_second();
        json!({
            "iss": CLIENT,
            "sub": CLIENT,
            "aud": self.okta.url() + TOKEN,
            "iat": now,
            "exp": now + 300,
            "jti": id(),
        })
    }

    pub fn header(&self) -> Header {
        Header {
            kid: Some(KEY.to_owned()),
            ..Header::new(self.algorithm)
        }
    }

    pub fn assertion(&self) -> String {
        self.key.sign(&self.header(), &self.claims())
    }

    /// The parameters of a good request for a token, but with this assertion.
    pub fn form(&self, assertion: &str) -> Vec<(&'static str, String)> {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("scope", SCOPES.to_owned()),
            ("client_assertion_type", kind.to_owned()),
            ("client_assertion", assertion.to_owned()),
        ]
    }

    pub async fn post(&self, form: &[(&str, String)], proof: Option<String>) -> Reply {
        let mut request = client().post(self.okta.url() + TOKEN).form(form);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        send(request).await.unwrap()
    }

    /// Asks for a token with a fresh assertion.
    pub async fn ask(&self, proof: Option<String>) -> Reply {
        self.post(&self.form(&self.assertion()), proof).await
    }

    /// The claims of a proof of a request for a token.
    pub fn token_proof_claims(&self, nonce: &str) -> Value {
        let mut claims = proof_claims("POST", &(self.okta.url() + TOKEN));
        claims["nonce"] = nonce.into();
        claims
    }

    /// The token endpoint's present nonce.
    pub async fn nonce(&self) -> String {
        let proof = proof(&self.proof_key, &proof_claims("POST", &(self.okta.url() + TOKEN)));
        let refused = self.ask(Some(proof)).await;
        assert_eq!(oauth(&refused), (400, "use_dpop_nonce"), "{}", refused.body);
        refused.header("dpop-nonce").to_owned()
    }

    pub async fn bearer(&self) -> Issued {
        issued(&self.ask(None).await, "Bearer")
    }

    pub async fn bound(&self) -> Issued {
        let claims = self.token_proof_claims(&self.nonce().await);
        let reply = self.ask(Some(proof(&self.proof_key, &claims))).await;
        assert!(!reply.header("dpop-nonce").is_empty());
        issued(&reply, "DPoP")
    }

    /// The claims of a proof of a GET with a token.
    pub fn get_proof_claims(&self, path: &str, issued: &Issued) -> Value {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.okta.url() + path
        };
        let mut claims = proof_claims("GET", url.split('?').next().unwrap());
        claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(&issued.token)).into();
        claims
    }

    /// A GET with a token, and with a proof if it is bound.
    pub async fn get(&self, path: &str, issued: &Issued) -> Reply {
        let proof =
            (issued.scheme == "DPoP").then(|| proof(&self.proof_key, &self.get_proof_claims(path, issued)));
        self.get_with(path, issued, proof).await
    }

    pub async fn get_with(&self, path: &str, issued: &Issued, proof: Option<String>) -> Reply {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.okta.url() + path
        };
        let authorization = format!("{} {}", issued.scheme, issued.token);
        let mut request = client().get(url).header("authorization", authorization);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        send(request).await.unwrap()
    }
}

pub fn id() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(20).collect()
}

pub fn proof_claims(method: &str, url: &str) -> Value {
    json!({"htm": method, "htu": url, "iat": Timestamp::now().as_second(), "jti": id()})
}

pub fn proof_header(key: &KeyPair) -> Header {
    Header {
        typ: Some("dpop+jwt".to_owned()),
        jwk: Some(key.public_jwk(None)),
        ..Header::new(key.algorithm())
    }
}

pub fn proof(key: &KeyPair, claims: &Value) -> String {
    key.sign(&proof_header(key), claims)
}

/// Status and error of the token endpoint's response.
pub fn oauth(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.body["error"].as_str().unwrap_or("no error"))
}

/// Status, error and description of the token endpoint's response.
pub fn denial(reply: &Reply) -> (u16, &str, &str) {
    let (status, error) = oauth(reply);
    (
        status,
        error,
        reply.body["error_description"].as_str().unwrap_or_default(),
    )
}

/// Status, error and description of an API response that only its header explains.
pub fn challenge(reply: &Reply) -> (u16, &str, &str) {
    let header = reply.header("www-authenticate");
    let part = |name: &str| {
        let start = header.find(&format!("{name}=\""));
        let value = start.map_or("", |start| &header[start + name.len() + 2..]);
        value.split('"').next().unwrap()
    };
    assert_eq!(reply.body, json!(""), "an empty body");
    // `error` is also the beginning of `error_description`, which follows it.
    (reply.status, part(" error"), part("error_description"))
}

fn issued(reply: &Reply, scheme: &str) -> Issued {
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["token_type"], scheme);
    Issued {
        scheme: scheme.to_owned(),
        token: reply.body["access_token"].as_str().unwrap().to_owned(),
    }
}
