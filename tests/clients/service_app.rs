//! Reads of an org as a service app.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use okta_insightful_operator::okta::{
    KeyProblem, OktaClient, OktaConfig, OktaCredential, PrivateKey, Progress, ServiceApp,
};
use sandbox::company::Company;
use sandbox::faults::{Kind, Match};
use sandbox::key_pair::KeyPair;
use sandbox::okta::{self, Okta, Settings};
use serde_json::json;

use crate::okta::{config, small_pages};

const CLIENT_ID: &str = "0oa1sandbox2app3xyz4";
const KEY_ID: &str = "k1";

fn org(key: &KeyPair, change: impl FnOnce(&mut okta::ServiceApp)) -> Okta {
    let mut app = okta::ServiceApp::new(CLIENT_ID, KEY_ID, key);
    change(&mut app);
    let settings = Settings {
        service_apps: vec![app],
        ..small_pages()
    };
    Okta::start_with(&Company::acme(), settings)
}

fn client(okta: &Okta, key: &str) -> OktaClient {
    client_of(okta, CLIENT_ID, Some(KEY_ID), key)
}

fn client_of(okta: &Okta, client_id: &str, key_id: Option<&str>, key: &str) -> OktaClient {
    let credential = OktaCredential::ServiceApp(Box::new(ServiceApp {
        client_id: client_id.to_owned(),
        key_id: key_id.map(str::to_owned),
        key: PrivateKey::parse(&key.into()).unwrap(),
    }));
    OktaClient::new(OktaConfig {
        credential,
        ..config(&okta.url(), "")
    })
    .unwrap()
}

/// Reads all users in pages.
async fn read(client: &OktaClient) -> Result<usize, String> {
    let users = client.users(&|_| ()).await;
    users.map(|users| users.len()).map_err(|error| {
        assert!(
            !error.to_string().contains("eyJ"),
            "a token or an assertion: {error}"
        );
        error.reason().to_owned()
    })
}

fn count(okta: &Okta, path: &str, status: u16) -> usize {
    let entries = okta.journal().entries();
    let of = entries
        .iter()
        .filter(|entry| entry.path == path && entry.status == Some(status));
    of.count()
}

/// Lets something happen in the middle of a list.
fn after_three_pages(happens: impl Fn() + Send + Sync) -> impl Fn(Progress) + Send + Sync {
    let pages = AtomicUsize::new(0);
    move |_| {
        if pages.fetch_add(1, Ordering::Relaxed) == 2 {
            happens();
        }
    }
}

const TOKEN: &str = "/oauth2/v1/token";
const USERS: &str = "/api/v1/users";

#[tokio::test]
async fn a_key_of_each_form_reads_all_pages_with_one_token() {
    let all = Company::acme().users.len();
    let (rsa, ec) = (KeyPair::rsa(), KeyPair::p256());
    let pss = {
        let mut jwk = rsa.private_jwk();
        jwk["alg"] = json!("PS256");
        jwk["kid"] = json!(KEY_ID);
        jwk.to_string()
    };
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let with_parameters = format!("{parameters}{}", ec.sec1_pem());
    for (pair, key) in [
        (&rsa, rsa.pkcs1_pem()),
        (&rsa, rsa.pkcs8_pem().replace('\n', "\r\n")),
        (&rsa, rsa.private_jwk().to_string()),
        (&rsa, pss),
        (&ec, format!("\n{}\n", ec.pkcs8_pem())),
        (&ec, with_parameters),
        (&ec, ec.private_jwk().to_string()),
    ] {
        for dpop in [false, true] {
            let okta = org(pair, |app| app.dpop = dpop);
            assert_eq!(read(&client(&okta, &key)).await, Ok(all), "DPoP: {dpop}");
            assert_eq!(count(&okta, TOKEN, 200), 1);
            assert!(count(&okta, USERS, 200) > 3);
            let entries = okta.journal().entries();
            let scheme = match dpop {
                true => "DPoP",
                false => "Bearer",
            };
            let calls = entries.iter().filter(|entry| entry.path == USERS);
            assert!(calls.clone().all(|call| call.scheme.as_deref() == Some(scheme)));
        }
    }
}

#[tokio::test]
async fn calls_in_parallel_share_one_token() {
    let key = KeyPair::p256();
    let okta = org(&key, |_| ());
    let client = client(&okta, &key.pkcs8_pem());
    let (one, other, groups) = tokio::join!(
        read(&client),
        read(&client),
        client.team_groups(sandbox::company::GROUP_PREFIX, &|_| ())
    );
    assert_eq!(one, other);
    assert!(!groups.unwrap().is_empty());
    assert_eq!(count(&okta, TOKEN, 200), 1);
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_before_it_does() {
    let key = KeyPair::p256();
    let okta = org(&key, |_| ());
    okta.configure(|settings| settings.token_lifetime = Duration::from_secs(1));
    let client = client(&okta, &key.pkcs8_pem());
    read(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(950)).await;
    read(&client).await.unwrap();
    assert_eq!((count(&okta, TOKEN, 200), count(&okta, USERS, 401)), (2, 0));
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_list_is_replaced() {
    for dpop in [false, true] {
        let key = KeyPair::p256();
        let okta = org(&key, |app| app.dpop = dpop);
        let client = client(&okta, &key.pkcs8_pem());
        let all = read(&client).await.unwrap();
        let after_three_pages = after_three_pages(|| okta.revoke_access_tokens());
        assert_eq!(client.users(&after_three_pages).await.unwrap().len(), all);
        assert_eq!((count(&okta, TOKEN, 200), count(&okta, USERS, 401)), (2, 1));
    }
}

#[tokio::test]
async fn a_nonce_that_changes_in_the_middle_of_a_list_is_taken() {
    let key = KeyPair::p256();
    let okta = org(&key, |_| ());
    okta.configure(|settings| settings.api_nonce = true);
    let client = client(&okta, &key.pkcs8_pem());
    let all = read(&client).await.unwrap();
    let first = count(&okta, USERS, 401);
    assert_eq!(first, 1, "the first call learns the nonce");
    let after_three_pages = after_three_pages(|| {
        okta.rotate_nonces();
        okta.rotate_nonces();
    });
    assert_eq!(client.users(&after_three_pages).await.unwrap().len(), all);
    assert_eq!((count(&okta, TOKEN, 200), count(&okta, USERS, 401)), (1, 2));
}

#[tokio::test]
async fn an_app_may_start_and_stop_to_ask_for_proofs() {
    let key = KeyPair::p256();
    let okta = org(&key, |app| app.dpop = false);
    let client = client(&okta, &key.pkcs8_pem());
    for dpop in [false, true, false] {
        okta.configure(|settings| settings.service_apps[0].dpop = dpop);
        okta.revoke_access_tokens();
        read(&client).await.unwrap();
    }
}

#[tokio::test]
async fn each_refusal_has_its_reason() {
    let key = KeyPair::rsa();
    let other = KeyPair::other_rsa();
    let pem = key.pkcs8_pem();
    type Change = fn(&mut okta::ServiceApp);
    let as_is: Change = |_| ();
    for (client_id, key_id, pem, change, reason) in [
        ("0oaUnknown", Some(KEY_ID), &pem, as_is, "ServiceAppUnknown"),
        (CLIENT_ID, Some("k2"), &pem, as_is, "PrivateKeyRefused"),
        (
            CLIENT_ID,
            Some(KEY_ID),
            &other.pkcs8_pem(),
            as_is,
            "PrivateKeyRefused",
        ),
        (
            CLIENT_ID,
            Some(KEY_ID),
            &pem,
            |app| app.scopes.clear(),
            "ScopeMissing",
        ),
        (
            CLIENT_ID,
            Some(KEY_ID),
            &pem,
            |app| app.scopes.retain(|scope| scope != "okta.users.read"),
            "ScopeMissing",
        ),
        (CLIENT_ID, Some(KEY_ID), &pem, |app| app.role = false, "NoUsers"),
    ] {
        for dpop in [false, true] {
            let okta = org(&key, |app| {
                change(app);
                app.dpop = dpop;
            });
            let found = read(&client_of(&okta, client_id, key_id, pem)).await;
            assert_eq!(found, Err(reason.to_owned()), "DPoP: {dpop}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_does_not_matter() {
    for hours in [-2, 2] {
        let key = KeyPair::p256();
        let okta = org(&key, |_| ());
        okta.configure(|settings| settings.clock_offset = SignedDuration::from_hours(hours));
        read(&client(&okta, &key.pkcs8_pem())).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_asked_again() {
    let key = KeyPair::p256();
    for kind in [
        Kind::Status(503, None),
        Kind::CutBefore,
        Kind::CutAfter,
        Kind::RateLimited,
        Kind::BrokenJson,
    ] {
        let okta = org(&key, |app| app.dpop = false);
        okta.faults().once(Match::post(TOKEN), kind);
        read(&client(&okta, &key.pkcs8_pem())).await.unwrap();
    }
}

#[test]
fn what_is_wrong_with_a_private_key_is_said_without_showing_it() {
    let (rsa, ec) = (KeyPair::rsa(), KeyPair::p256());
    let pem = ec.pkcs8_pem();
    let half = &pem[..pem.len() / 2];
    let encrypted = pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let legacy = rsa
        .pkcs1_pem()
        .replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1);
    let public = serde_json::to_string(&rsa.public_jwk(None)).unwrap();
    let mut p384 = ec.private_jwk();
    p384["crv"] = json!("P-384");
    let mut damaged = rsa.private_jwk();
    damaged["n"] = json!("AQAB");
    let set = json!({ "keys": [ec.private_jwk()] });
    for (value, problem) in [
        ("", KeyProblem::Empty),
        (" \n", KeyProblem::Empty),
        ("00secret", KeyProblem::NotAKey),
        (half, KeyProblem::Damaged),
        (&encrypted, KeyProblem::Encrypted),
        (&legacy, KeyProblem::Encrypted),
        (&pem.replace("PRIVATE KEY", "PUBLIC KEY"), KeyProblem::Public),
        (&pem.replace("PRIVATE KEY", "CERTIFICATE"), KeyProblem::Public),
        (&public, KeyProblem::Public),
        ("{}", KeyProblem::NotAKey),
        ("{\"kty\": 1}", KeyProblem::Damaged),
        (&p384.to_string(), KeyProblem::Unsupported),
        (&damaged.to_string(), KeyProblem::Damaged),
        (&set.to_string(), KeyProblem::KeySet),
        (
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----",
            KeyProblem::Unsupported,
        ),
    ] {
        assert_eq!(
            PrivateKey::parse(&value.into()).unwrap_err(),
            problem,
            "{problem}"
        );
    }
    let shown = format!("{:?}", PrivateKey::parse(&pem.clone().into()).unwrap());
    assert!(pem.lines().skip(1).all(|line| !shown.contains(line)), "{shown}");
}
