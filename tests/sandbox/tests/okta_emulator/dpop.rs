//! Proofs of possession (RFC 9449).

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sandbox::faults::{Kind, Match};
use sandbox::key_pair::KeyPair;

use super::app::{App, Issued, TOKEN, challenge, denial, id, oauth, proof, proof_claims, proof_header};
use super::*;

const USED: &str = "The DPoP proof JWT has already been used.";
const HTU: &str = "'htu' claim in the DPoP proof JWT is invalid.";
const HTM: &str = "'htm' claim in the DPoP proof JWT is invalid.";
const JTI: &str = "'jti' claim in the DPoP proof JWT is invalid.";
const IAT: &str = "'iat' claim in the DPoP proof JWT is invalid.";
const OLD: &str = "The DPoP proof JWT is issued more than five minutes in the past.";
const FUTURE: &str = "The DPoP proof JWT is issued in the future.";
const MISSING: &str = "The DPoP proof JWT header is missing.";
const SIGNATURE: &str = "The signature of the DPoP proof JWT is invalid.";

#[tokio::test]
async fn a_token_is_bound_after_a_handshake_for_the_nonce() {
    let app = App::new(true);
    assert_eq!(denial(&app.ask(None).await), (400, "invalid_dpop_proof", MISSING));
    let mut first = proof_claims("POST", &(app.okta.url() + TOKEN));
    first.as_object_mut().unwrap().remove("jti");
    let refused = app.ask(Some(proof(&app.proof_key, &first))).await;
    assert_eq!(
        denial(&refused),
        (
            400,
            "use_dpop_nonce",
            "Authorization server requires nonce in DPoP proof."
        )
    );
    let nonce = refused.header("dpop-nonce");
    let issued = app
        .ask(Some(proof(&app.proof_key, &app.token_proof_claims(nonce))))
        .await;
    assert_eq!((issued.status, &issued.body["token_type"]), (200, &json!("DPoP")));
    assert_eq!(issued.header("dpop-nonce"), nonce);

    // A nonce is good until it is renewed twice.
    for expected in [200, 200, 400] {
        let claims = app.token_proof_claims(nonce);
        let reply = app.ask(Some(proof(&app.proof_key, &claims))).await;
        assert_eq!(reply.status, expected);
        assert_eq!(
            expected == 400,
            oauth(&reply).1 == "use_dpop_nonce",
            "{}",
            reply.body
        );
        app.okta.rotate_nonces();
    }
    assert_ne!(app.nonce().await, nonce);
}

#[tokio::test]
async fn a_request_for_a_token_needs_a_proof_that_fits_it() {
    let app = App::new(true);
    let nonce = app.nonce().await;
    let now = Timestamp::now().as_second();
    let url = app.okta.url() + TOKEN;
    for (claim, value, description) in [
        ("htm", json!("GET"), HTM),
        ("htm", json!("post"), HTM),
        ("htu", json!(format!("{url}?scope=x")), HTU),
        ("htu", json!(format!("{url}#x")), HTU),
        ("htu", json!(format!("{url}/")), HTU),
        ("htu", json!(app.okta.url() + USERS), HTU),
        ("htu", Value::Null, HTU),
        ("iat", json!(now - 301), OLD),
        ("iat", json!(now + 60), FUTURE),
        ("iat", Value::Null, IAT),
        ("jti", Value::Null, JTI),
        ("jti", json!(""), JTI),
    ] {
        let mut claims = app.token_proof_claims(&nonce);
        claims[claim] = value.clone();
        let reply = app.ask(Some(proof(&app.proof_key, &claims))).await;
        assert_eq!(
            denial(&reply),
            (400, "invalid_dpop_proof", description),
            "{claim} {value}"
        );
    }

    let used = proof(&app.proof_key, &app.token_proof_claims(&nonce));
    assert_eq!(app.ask(Some(used.clone())).await.status, 200);
    assert_eq!(
        denial(&app.ask(Some(used)).await),
        (400, "invalid_dpop_proof", USED)
    );
    // A proof that only lacked the nonce is used, too.
    let mut claims = proof_claims("POST", &url);
    assert_eq!(
        oauth(&app.ask(Some(proof(&app.proof_key, &claims))).await).1,
        "use_dpop_nonce"
    );
    claims["nonce"] = json!(nonce);
    assert_eq!(
        denial(&app.ask(Some(proof(&app.proof_key, &claims))).await),
        (400, "invalid_dpop_proof", USED)
    );
}

#[tokio::test]
async fn a_proof_says_in_its_header_which_public_key_has_signed_it() {
    let app = App::new(true);
    let nonce = app.nonce().await;
    let key = &app.proof_key;
    let header = || proof_header(key);
    let claims = || app.token_proof_claims(&nonce);
    let algorithm = "'alg' in the DPoP proof JWT header is invalid.";
    let jwk = "'jwk' in the DPoP proof JWT header is invalid.";
    let typ = "'typ' in the DPoP proof JWT header is invalid.";
    let rsa = KeyPair::rsa();
    let pss = Header {
        alg: Algorithm::PS256,
        ..proof_header(&rsa)
    };
    let symmetric = Header {
        alg: Algorithm::HS256,
        ..header()
    };
    let secret = EncodingKey::from_secret(b"a secret that both know").unwrap();
    let jwt = Header {
        typ: Some("JWT".to_owned()),
        ..header()
    };
    let keyless = Header {
        jwk: None,
        ..header()
    };
    let of_another = Header {
        jwk: Some(KeyPair::p256().public_jwk(None)),
        ..header()
    };
    // The private key stands in the header. jsonwebtoken has no place for it.
    let private = {
        let mut whole = serde_json::to_value(header()).unwrap();
        whole["jwk"] = key.private_jwk();
        signed(key, &whole, &claims())
    };
    for (proof, description) in [
        (key.sign(&jwt, &claims()), typ),
        (key.sign(&keyless, &claims()), jwk),
        (private, jwk),
        (key.sign(&of_another, &claims()), SIGNATURE),
        (rsa.sign(&pss, &claims()), algorithm),
        (
            jsonwebtoken::encode(&symmetric, &claims(), &secret).unwrap(),
            algorithm,
        ),
        ("nonsense".to_owned(), "The DPoP proof JWT is malformed."),
    ] {
        let reply = app.ask(Some(proof.clone())).await;
        assert_eq!(
            denial(&reply),
            (400, "invalid_dpop_proof", description),
            "{proof}"
        );
    }
    let two = client()
        .post(app.okta.url() + TOKEN)
        .form(&app.form(&app.assertion()))
        .header("dpop", proof(key, &claims()))
        .header("dpop", proof(key, &claims()));
    assert_eq!(oauth(&send(two).await.unwrap()), (400, "invalid_dpop_proof"));
    let reply = app.ask(Some(proof(&rsa, &claims()))).await;
    assert_eq!(reply.status, 200, "RS256: {}", reply.body);
}

/// A JWT whose header is as given.
fn signed(key: &KeyPair, header: &Value, claims: &Value) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = message.join(".");
    let encoding = EncodingKey::from_ec_pem(key.pkcs8_pem().as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &encoding, Algorithm::ES256).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn a_call_needs_a_fresh_proof_that_fits_it() {
    let app = App::new(true);
    let issued = app.bound().await;
    let now = Timestamp::now().as_second();
    let url = app.okta.url() + USERS;
    let ath = "'ath' claim in the DPoP proof does not match the presented access_token.";
    for (claim, value, description) in [
        ("htm", json!("POST"), HTM),
        ("htu", json!(format!("{url}?limit=1")), HTU),
        ("htu", json!(app.okta.url() + GROUPS), HTU),
        ("htu", json!(app.okta.url() + TOKEN), HTU),
        ("iat", json!(now - 301), OLD),
        ("iat", json!(now + 60), FUTURE),
        ("jti", Value::Null, JTI),
        ("ath", Value::Null, ath),
        ("ath", json!(id()), ath),
    ] {
        let mut claims = app.get_proof_claims(USERS, &issued);
        claims[claim] = value.clone();
        let proof = proof(&app.proof_key, &claims);
        let reply = app
            .get_with(&format!("{USERS}?limit=1"), &issued, Some(proof))
            .await;
        assert_eq!(
            challenge(&reply),
            (400, "invalid_dpop_proof", description),
            "{claim} {value}"
        );
        let header = reply.header("www-authenticate");
        assert!(
            header.starts_with("DPoP algs=\"RS256 ") && header.contains("resource=\"/api/v1/users\""),
            "{header}"
        );
    }

    assert_eq!(
        challenge(&app.get_with(USERS, &issued, None).await),
        (400, "invalid_dpop_proof", MISSING)
    );
    let used = proof(&app.proof_key, &app.get_proof_claims(USERS, &issued));
    assert_eq!(app.get_with(USERS, &issued, Some(used.clone())).await.status, 200);
    assert_eq!(
        challenge(&app.get_with(USERS, &issued, Some(used)).await),
        (400, "invalid_dpop_proof", USED)
    );
    let stolen = proof(&KeyPair::p256(), &app.get_proof_claims(USERS, &issued));
    assert_eq!(
        challenge(&app.get_with(USERS, &issued, Some(stolen)).await),
        (
            400,
            "invalid_dpop_proof",
            "The DPoP proof JWT is not signed by the key that the presented access_token is bound to."
        )
    );
    // The path counts as it is decoded.
    let path = format!("{USERS}/jane.doe%40acme.com");
    assert_eq!(
        challenge(&app.get(&path, &issued).await),
        (400, "invalid_dpop_proof", HTU)
    );
    let decoded = app.get_proof_claims(&path.replace("%40", "@"), &issued);
    let reply = app
        .get_with(&path, &issued, Some(proof(&app.proof_key, &decoded)))
        .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn okta_knows_the_proof_of_a_request_that_it_limits() {
    let app = App::new(true);
    let issued = app.bound().await;
    let again = || proof(&app.proof_key, &app.get_proof_claims(USERS, &issued));
    app.okta.faults().once(Match::get(USERS), Kind::RateLimited);
    let limited = again();
    for expected in [429, 400] {
        let reply = app.get_with(USERS, &issued, Some(limited.clone())).await;
        assert_eq!(reply.status, expected);
    }
    // A request that did not reach Okta leaves no trace there.
    app.okta.faults().once(Match::get(USERS), Kind::Status(503, None));
    let unavailable = again();
    for expected in [503, 200] {
        let reply = app.get_with(USERS, &issued, Some(unavailable.clone())).await;
        assert_eq!(reply.status, expected);
    }
}

#[tokio::test]
async fn a_token_is_presented_as_it_was_issued() {
    let app = App::new(true);
    let bound = app.bound().await;
    let as_bearer = Issued {
        scheme: "Bearer".to_owned(),
        token: bound.token.clone(),
    };
    assert_eq!(
        challenge(&app.get(USERS, &as_bearer).await),
        (
            400,
            "invalid_request",
            "The resource request requires a DPoP proof."
        )
    );
    app.okta.revoke_access_tokens();
    let ended = app.get(USERS, &bound).await;
    assert_eq!(code(&ended), (401, "E0000011"));
    let header = ended.header("www-authenticate");
    assert!(
        header.starts_with("DPoP ") && header.contains("error=\"invalid_token\""),
        "{header}"
    );

    // An app that need not prove anything gets a bound token if it does.
    app.change(|app| app.dpop = false);
    let bound = app.bound().await;
    let bearer = app.bearer().await;
    let as_bound = Issued {
        scheme: "DPoP".to_owned(),
        token: bearer.token.clone(),
    };
    assert_eq!(code(&app.get(USERS, &as_bound).await), (401, "E0000011"));
    // What was issued stays valid when the app's setting changes.
    app.change(|app| app.dpop = true);
    for issued in [&bound, &bearer] {
        assert_eq!(app.get(USERS, issued).await.status, 200);
    }
    assert_eq!(oauth(&app.ask(None).await), (400, "invalid_dpop_proof"));
}

#[tokio::test]
async fn calls_may_need_a_nonce_that_is_renewed_between_pages() {
    let app = App::new(true);
    let issued = app.bound().await;
    let token_nonce = app.nonce().await;
    app.okta.configure(|settings| settings.api_nonce = true);
    let with = async |path: &str, nonce: &str| {
        let mut claims = app.get_proof_claims(path, &issued);
        claims["nonce"] = nonce.into();
        app.get_with(path, &issued, Some(proof(&app.proof_key, &claims)))
            .await
    };
    let required = (
        401,
        "use_dpop_nonce",
        "Resource server requires nonce in DPoP proof.",
    );
    let refused = app.get(USERS, &issued).await;
    assert_eq!(challenge(&refused), required);
    assert_eq!(challenge(&with(USERS, &token_nonce).await), required);
    let nonce = refused.header("dpop-nonce").to_owned();
    let first = with(USERS, &nonce).await;
    assert_eq!(first.status, 200);

    // The nonce before stays valid, and each response has the present one.
    app.okta.rotate_nonces();
    let next = first.link("next").unwrap();
    let second = with(&next, &nonce).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.header("dpop-nonce"), nonce);
    app.okta.rotate_nonces();
    let next = second.link("next").unwrap();
    let refused = with(&next, &nonce).await;
    assert_eq!(challenge(&refused), required);
    let third = with(&next, refused.header("dpop-nonce")).await;
    assert_eq!(third.status, 200);
    let (second, third) = (second.ids(), third.ids());
    assert!(!third.is_empty() && third.iter().all(|id| !second.contains(id)));
}
