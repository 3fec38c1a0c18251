//! Access tokens for service apps, and calls with them.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sandbox::faults::{Kind, Match};
use sandbox::key_pair::KeyPair;

use super::app::{App, CLIENT, KEY, SCOPES, TOKEN, challenge, denial, oauth};
use super::*;

#[tokio::test]
async fn an_app_gets_a_token_with_any_usual_key_and_reads_page_after_page() {
    for (key, algorithm) in [
        (KeyPair::rsa(), Algorithm::RS256),
        (KeyPair::rsa(), Algorithm::PS256),
        (KeyPair::p256(), Algorithm::ES256),
    ] {
        for dpop in [false, true] {
            let mut app = App::with(key.clone(), dpop);
            app.algorithm = algorithm;
            let issued = match dpop {
                true => app.bound().await,
                false => app.bearer().await,
            };
            let mut next = Some(USERS.to_owned() + "?search=status+pr");
            let mut ids = BTreeSet::new();
            while let Some(url) = next {
                let page = app.get(&url, &issued).await;
                ids.extend(page.ids().into_iter().map(str::to_owned));
                next = page.link("next");
            }
            assert_eq!(
                ids.len(),
                app.okta.snapshot().users.len(),
                "{algorithm:?}, DPoP {dpop}"
            );
            assert!(!app.get(GROUPS, &issued).await.ids().is_empty());
            let api_calls = app.okta.journal().entries();
            let api_calls = api_calls.iter().filter(|entry| entry.path != TOKEN);
            for call in api_calls {
                assert_eq!(call.scheme.as_deref(), Some(issued.scheme.as_str()));
                assert!(call.authorized);
            }
        }
    }
}

#[tokio::test]
async fn a_token_says_its_lifetime_and_scopes() {
    let app = App::new(false);
    let reply = app.ask(None).await;
    assert_eq!(reply.body["expires_in"], 3600);
    assert_eq!(reply.body["scope"], "okta.groups.read okta.users.read");
    assert_eq!(reply.header("cache-control"), "no-cache, no-store");
    assert!(reply.header("dpop-nonce").is_empty());
    // The SSWS token stays valid beside it.
    assert_eq!(get(&app.okta, USERS, &[]).await.status, 200);
}

#[tokio::test]
async fn an_assertion_must_hold_in_every_claim() {
    let app = App::new(false);
    let now = Timestamp::now().as_second();
    let org = app.okta.url();
    let audience = "The audience claim for client_assertion must be the endpoint invoked for the request.";
    let expired = "The client_assertion token is expired.";
    let future = "The client_assertion token has an expiration too far into the future.";
    let issuer = "The issuer claim for client_assertion must be the client_id.";
    for (claim, value, description) in [
        ("aud", json!(org), audience),
        ("aud", json!(format!("{org}/oauth2/default/v1/token")), audience),
        ("aud", json!(format!("{org}{TOKEN}/")), audience),
        ("aud", json!([format!("{org}{TOKEN}"), "https://other"]), audience),
        ("aud", Value::Null, audience),
        ("exp", json!(now - 1), expired),
        ("exp", Value::Null, expired),
        ("exp", json!(now + 3700), future),
        ("iss", json!("0oaother"), issuer),
        ("iss", Value::Null, issuer),
        (
            "iat",
            json!(now + 60),
            "The client_assertion token is issued in the future.",
        ),
    ] {
        let mut claims = app.claims();
        claims[claim] = value.clone();
        let assertion = app.key.sign(&app.header(), &claims);
        let reply = app.post(&app.form(&assertion), None).await;
        assert_eq!(
            denial(&reply),
            (401, "invalid_client", description),
            "{claim} {value}"
        );
    }
    let mut plain = app.claims();
    plain.as_object_mut().unwrap().retain(|claim, _| claim != "iat");
    let assertion = app.key.sign(&app.header(), &plain);
    assert_eq!(app.post(&app.form(&assertion), None).await.status, 200);
}

#[tokio::test]
async fn an_assertion_must_be_signed_by_a_key_of_the_app() {
    let app = App::with(KeyPair::rsa(), false);
    let kid = "The client_assertion JWT kid is invalid.";
    let signature = "The client_assertion signature is invalid.";
    let named = |kid: &str| Header {
        kid: Some(kid.to_owned()),
        ..app.header()
    };
    let unnamed = Header::new(Algorithm::RS256);
    let claims = app.claims();
    let secret = EncodingKey::from_secret(b"a secret that both know").unwrap();
    let symmetric = Header {
        alg: Algorithm::HS256,
        ..app.header()
    };
    let good = app.key.sign(&app.header(), &claims);
    let unsigned = good.rsplit_once('.').unwrap().0.to_owned() + ".";
    for (assertion, description) in [
        (app.key.sign(&named("k2"), &claims), kid),
        (KeyPair::other_rsa().sign(&app.header(), &claims), signature),
        (KeyPair::other_rsa().sign(&unnamed, &claims), signature),
        (
            jsonwebtoken::encode(&symmetric, &claims, &secret).unwrap(),
            signature,
        ),
        (unsigned, signature),
        (
            "not a JWT".to_owned(),
            "The parsing of the client_assertion failed.",
        ),
    ] {
        let reply = app.post(&app.form(&assertion), None).await;
        assert_eq!(
            denial(&reply),
            (401, "invalid_client", description),
            "{assertion}"
        );
    }

    // Only while there is one key an assertion need not name it.
    let unnamed_but_good = || app.key.sign(&unnamed, &app.claims());
    let ask = async |assertion: String| app.post(&app.form(&assertion), None).await;
    assert_eq!(ask(unnamed_but_good()).await.status, 200);
    app.change(|app| app.keys.push(KeyPair::other_rsa().public_jwk(Some("k2"))));
    assert_eq!(
        denial(&ask(unnamed_but_good()).await),
        (401, "invalid_client", kid)
    );
    let rotated = || KeyPair::other_rsa().sign(&named("k2"), &app.claims());
    assert_eq!(ask(rotated()).await.status, 200);
    assert_eq!(ask(app.assertion()).await.status, 200);
    app.change(|app| drop(app.keys.remove(0)));
    assert_eq!(denial(&ask(app.assertion()).await), (401, "invalid_client", kid));
    assert_eq!(ask(rotated()).await.status, 200);
}

#[tokio::test]
async fn an_assertion_with_an_id_is_good_for_one_request() {
    let app = App::new(false);
    let used = (
        401,
        "invalid_client",
        "The client_assertion token has already been used.",
    );
    let assertion = app.assertion();
    assert_eq!(app.post(&app.form(&assertion), None).await.status, 200);
    assert_eq!(denial(&app.post(&app.form(&assertion), None).await), used);

    let mut claims = app.claims();
    claims.as_object_mut().unwrap().remove("jti");
    let assertion = app.key.sign(&app.header(), &claims);
    for _ in 0..2 {
        assert_eq!(app.post(&app.form(&assertion), None).await.status, 200);
    }

    // A request that is refused later uses it up, too.
    app.change(|app| app.dpop = true);
    let assertion = app.assertion();
    assert_eq!(
        oauth(&app.post(&app.form(&assertion), None).await),
        (400, "invalid_dpop_proof")
    );
    assert_eq!(denial(&app.post(&app.form(&assertion), None).await), used);
}

#[tokio::test]
async fn a_request_for_a_token_must_have_every_parameter() {
    let app = App::new(false);
    let grant = (
        400,
        "unsupported_grant_type",
        "The authorization grant type is not supported by the authorization server.",
    );
    let kind = (401, "invalid_client", "The client_assertion_type is invalid.");
    let parsing = (
        401,
        "invalid_client",
        "The parsing of the client_assertion failed.",
    );
    let scope = (
        400,
        "invalid_scope",
        "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
    );
    let unknown_scope = (
        400,
        "invalid_scope",
        "One or more scopes are not configured for the authorization server resource.",
    );
    for (parameter, value, expected) in [
        ("grant_type", None, grant),
        ("grant_type", Some("authorization_code"), grant),
        ("client_assertion_type", None, kind),
        ("client_assertion_type", Some("jwt-bearer"), kind),
        ("client_assertion", None, parsing),
        ("scope", None, scope),
        ("scope", Some(""), scope),
        ("scope", Some("okta.users.read users:read"), unknown_scope),
    ] {
        let mut form = app.form(&app.assertion());
        form.retain(|(name, _)| *name != parameter);
        form.extend(value.map(|value| (parameter, value.to_owned())));
        let reply = app.post(&form, None).await;
        assert_eq!(denial(&reply), expected, "{parameter} {value:?}");
    }

    // A client that Okta does not know is told so in the format of the API.
    let unknown = "Invalid value for 'client_id' parameter.";
    let mut foreign = app.claims();
    foreign["sub"] = "0oaother".into();
    foreign["iss"] = "0oaother".into();
    let foreign = app.form(&app.key.sign(&app.header(), &foreign));
    let mut other = app.form(&app.assertion());
    other.push(("client_id", "0oaother".to_owned()));
    let anonymous = [
        ("grant_type", "client_credentials".to_owned()),
        ("scope", SCOPES.to_owned()),
    ];
    for (form, summary) in [
        (&foreign[..], unknown),
        (&other[..], unknown),
        (&anonymous[..], "A client_id must be provided in the request."),
    ] {
        let reply = app.post(form, None).await;
        assert_eq!(code(&reply), (401, "invalid_client"));
        assert_eq!(reply.body["errorSummary"], summary);
    }
    let mut own = app.form(&app.assertion());
    own.push(("client_id", CLIENT.to_owned()));
    assert_eq!(app.post(&own, None).await.status, 200);

    let mut secret = app.form(&app.assertion());
    secret.push(("client_secret", "secret".to_owned()));
    assert_eq!(oauth(&app.post(&secret, None).await), (401, "invalid_request"));
    let url = app.okta.url() + TOKEN;
    let with_token = client().post(&url).form(&app.form(&app.assertion()));
    let with_token = with_token.header("authorization", format!("SSWS {}", app.okta.token()));
    assert_eq!(oauth(&send(with_token).await.unwrap()), (401, "invalid_request"));

    let json = client()
        .post(&url)
        .json(&json!({"client_assertion": app.assertion()}));
    assert_eq!(code(&send(json).await.unwrap()), (415, "E0000021"));
    let in_the_query = client().post(&url).query(&app.form(&app.assertion()));
    assert_eq!(code(&send(in_the_query).await.unwrap()), (415, "E0000021"));
    assert_eq!(code(&send(client().get(&url)).await.unwrap()), (405, "E0000022"));
}

#[tokio::test]
async fn a_token_has_the_granted_ones_of_the_requested_scopes() {
    let app = App::new(false);
    app.change(|app| app.scopes = ["okta.users.read".to_owned()].into());
    let reply = app.ask(None).await;
    assert_eq!(reply.body["scope"], "okta.users.read");
    let issued = app.bearer().await;
    assert_eq!(app.get(USERS, &issued).await.status, 200);
    let refused = app.get(GROUPS, &issued).await;
    assert_eq!(
        challenge(&refused),
        (
            403,
            "insufficient_scope",
            "The access token provided does not contain the required scopes."
        )
    );
    assert!(
        refused
            .header("www-authenticate")
            .contains("scope=\"okta.groups.read\"")
    );

    // The token keeps what it was issued with.
    app.change(|app| app.scopes.clear());
    assert_eq!(app.get(USERS, &issued).await.status, 200);
    assert_eq!(
        denial(&app.ask(None).await),
        (
            400,
            "consent_required",
            "You are not allowed any of the requested scopes."
        )
    );
    app.okta
        .configure(|settings| settings.ungranted_scope_is_invalid = true);
    assert_eq!(
        denial(&app.ask(None).await),
        (
            400,
            "invalid_scope",
            "One or more scopes are not configured for the authorization server resource."
        )
    );
}

#[tokio::test]
async fn an_app_without_a_role_sees_nothing() {
    let app = App::new(false);
    let issued = app.bearer().await;
    app.change(|app| app.role = false);
    let org = app.okta.snapshot();
    let user = format!("{USERS}/{}", org.user_id("jane.doe"));
    let group = format!("{GROUPS}/{}", org.group_id("Sales"));
    let members = format!("{group}/users");
    for list in [USERS, GROUPS, &members] {
        let reply = app.get(list, &issued).await;
        assert_eq!((reply.status, &reply.body), (200, &json!([])), "{list}");
        assert_eq!(reply.link("next"), None, "{list}");
    }
    for record in [&user, &group] {
        assert_eq!(code(&app.get(record, &issued).await), (403, "E0000006"));
    }
    // What the API token may do is another question.
    app.okta.configure(|settings| settings.admin_role = false);
    assert_eq!(code(&get(&app.okta, USERS, &[]).await), (403, "E0000006"));
    app.change(|app| app.role = true);
    assert!(!app.get(USERS, &issued).await.ids().is_empty());
    assert_eq!(app.get(&user, &issued).await.status, 200);
}

#[tokio::test]
async fn a_token_ends() {
    let app = App::new(false);
    let invalid = |reply: &Reply| {
        assert_eq!(code(reply), (401, "E0000011"));
        let challenge = reply.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
            "{challenge}"
        );
    };
    let issued = app.bearer().await;
    app.okta
        .configure(|settings| settings.clock_offset = SignedDuration::from_mins(59));
    assert_eq!(app.get(USERS, &issued).await.status, 200);
    app.okta
        .configure(|settings| settings.clock_offset = SignedDuration::from_mins(61));
    invalid(&app.get(USERS, &issued).await);

    app.okta.configure(|settings| {
        settings.clock_offset = SignedDuration::ZERO;
        settings.token_lifetime = Duration::from_secs(600);
    });
    assert_eq!(app.ask(None).await.body["expires_in"], 600);
    let issued = app.bearer().await;
    app.okta.revoke_access_tokens();
    invalid(&app.get(USERS, &issued).await);

    let issued = app.bearer().await;
    app.okta.configure(|settings| settings.service_apps.clear());
    invalid(&app.get(USERS, &issued).await);

    // An access token is no API token, and the other way round.
    let entries = app.okta.journal().entries();
    assert!(!entries[entries.len() - 1].authorized);
    for (scheme, token) in [("SSWS", issued.token.as_str()), ("Bearer", app.okta.token())] {
        let issued = super::app::Issued {
            scheme: scheme.to_owned(),
            token: token.to_owned(),
        };
        assert_eq!(code(&app.get(USERS, &issued).await), (401, "E0000011"));
    }
}

#[tokio::test]
async fn requests_count_by_app_whichever_token_they_have() {
    let app = App::new(false);
    app.okta.configure(|settings| {
        settings.limits.users = 8;
        settings.limits.access_tokens = 4;
    });
    let (first, second) = (app.bearer().await, app.bearer().await);
    for (issued, remaining) in [(&first, "3"), (&second, "2"), (&first, "1"), (&second, "0")] {
        let reply = app.get(USERS, issued).await;
        assert_eq!(reply.header("x-rate-limit-limit"), "4");
        assert_eq!(reply.header("x-rate-limit-remaining"), remaining);
    }
    assert_eq!(code(&app.get(USERS, &first).await), (429, "E0000047"));
    assert_eq!(get(&app.okta, USERS, &[]).await.status, 200);

    // The token endpoint has a bucket of its own, of which an app may use all.
    let third = app.ask(None).await;
    assert_eq!(third.header("x-rate-limit-limit"), "4");
    assert_eq!(third.header("x-rate-limit-remaining"), "1");
    assert_eq!(app.post(&app.form("nonsense"), None).await.status, 401);
    let refused = app.ask(None).await;
    assert_eq!(code(&refused), (429, "E0000047"));
    assert_eq!(refused.header("x-rate-limit-remaining"), "0");
    assert_eq!(app.okta.most_used(Bucket::AccessTokens).1, 4);
}

#[tokio::test]
async fn faults_affect_the_token_endpoint() {
    let app = App::new(false);
    let endpoint = || Match::post(TOKEN);
    let faults = app.okta.faults();
    faults.once(endpoint(), Kind::Status(503, None));
    assert_eq!(code(&app.ask(None).await), (503, "E0000010"));
    faults.once(endpoint(), Kind::RateLimited);
    let limited = app.ask(None).await;
    assert_eq!(code(&limited), (429, "E0000047"));
    assert_eq!(limited.header("x-rate-limit-limit"), "150");

    // Only a request that came through uses its assertion up.
    let request = |assertion: &str| client().post(app.okta.url() + TOKEN).form(&app.form(assertion));
    let (early, late) = (app.assertion(), app.assertion());
    faults.once(endpoint(), Kind::CutBefore);
    assert!(send(request(&early)).await.is_err());
    assert_eq!(send(request(&early)).await.unwrap().status, 200);
    faults.once(endpoint(), Kind::CutAfter);
    assert!(send(request(&late)).await.is_err());
    assert_eq!(
        denial(&send(request(&late)).await.unwrap()).2,
        "The client_assertion token has already been used."
    );

    let delay = Duration::from_millis(300);
    faults.once(endpoint(), Kind::Delay(delay));
    let start = std::time::Instant::now();
    assert_eq!(app.ask(None).await.status, 200);
    assert!(start.elapsed() >= delay);
}

#[tokio::test]
async fn the_journal_holds_no_credentials() {
    let app = App::new(true);
    let issued = app.bound().await;
    assert_eq!(app.get(USERS, &issued).await.status, 200);
    let misplaced = app.assertion();
    let in_the_query = client()
        .post(app.okta.url() + TOKEN)
        .query(&[("client_assertion", &misplaced)])
        .json(&json!({"client_assertion": &misplaced}));
    assert_eq!(send(in_the_query).await.unwrap().status, 415);

    let entries = app.okta.journal().entries();
    let printed = format!("{entries:?}");
    for secret in [&issued.token, &misplaced] {
        assert!(!printed.contains(secret), "the journal contains {secret}");
    }
    // All JWTs begin like this.
    assert!(!printed.contains("eyJ"), "{printed}");
    assert!(app.okta.journal().writes().is_empty(), "a token is no write");
    assert!(entries.iter().take(3).all(|entry| entry.authorized));
    assert!(!entries[3].authorized, "the assertion is not where Okta looks");
}

#[test]
fn a_key_pair_is_the_same_in_every_form() {
    let rsa = KeyPair::rsa();
    let key = |pem: String| EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    assert!(rsa.pkcs1_pem().starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert_eq!(key(rsa.pkcs1_pem()).as_bytes(), key(rsa.pkcs8_pem()).as_bytes());
    let curve = KeyPair::p256();
    assert!(curve.sec1_pem().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert_ne!(curve.sec1_pem(), KeyPair::p256().sec1_pem());
    for (pair, members) in [
        (&rsa, &["d", "dp", "dq", "e", "kty", "n", "p", "q", "qi"][..]),
        (&curve, &["crv", "d", "kty", "x", "y"][..]),
    ] {
        let private = pair.private_jwk();
        let names: Vec<_> = private.as_object().unwrap().keys().collect();
        assert_eq!(names, members);
        let public = serde_json::to_value(pair.public_jwk(Some(KEY))).unwrap();
        for (name, value) in public.as_object().unwrap() {
            let expected = if name == "kid" {
                &json!(KEY)
            } else {
                &private[name]
            };
            assert_eq!(value, expected, "{name}");
        }
    }
}
