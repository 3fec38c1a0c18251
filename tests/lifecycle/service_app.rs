//! An integration that logs in to Okta as a service app.

use okta_insightful_operator::api::{MatchState, Phase, conditions};
use sandbox::{
    company::Company,
    key_pair::KeyPair,
    okta::{self, ServiceApp},
};
use serde_json::{Value, json};

use crate::world::{World, open_guard};

const CLIENT_ID: &str = "0oa1sandbox2app3xyz4";

/// Acme's services, whose org knows a service app with this key, and the Secret with the private key.
async fn prepared(key: &KeyPair) -> World {
    let settings = okta::Settings {
        max_page: Some(7),
        api_nonce: true,
        service_apps: vec![ServiceApp::new(CLIENT_ID, "k1", key)],
        ..okta::Settings::default()
    };
    let world = World::prepared_with(Company::acme(), settings).await;
    world.write_secret("app", "key.pem", &key.pkcs8_pem()).await;
    world
}

fn auth(key_id: &str) -> Value {
    json!({ "okta": { "auth": {
        "apiToken": null,
        "serviceApp": {
            "clientId": CLIENT_ID,
            "keyId": key_id,
            "privateKeySecretRef": { "name": "app", "key": "key.pem" },
        },
    } } })
}

async fn in_sync(key: &KeyPair) -> World {
    let world = prepared(key).await;
    let mut spec = open_guard();
    spec["okta"] = auth("k1")["okta"].clone();
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;
    world
}

/// How the calls to Okta's API were authorized.
fn schemes(world: &World) -> Vec<String> {
    let entries = world.okta.journal().entries();
    let calls = entries.iter().filter(|entry| entry.path.starts_with("/api/"));
    let mut schemes: Vec<String> = calls.filter_map(|entry| entry.scheme.clone()).collect();
    schemes.sort_unstable();
    schemes.dedup();
    schemes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_life_with_proofs_of_possession() {
    let world = in_sync(&KeyPair::rsa()).await;
    assert_eq!(schemes(&world), ["DPoP"]);

    // Between two syncs all tokens end, and the nonces change.
    world.okta.revoke_access_tokens();
    world.okta.rotate_nonces();
    world.okta.rotate_nonces();
    world
        .okta
        .edit(|org| org.rename_user("amir.haddad", "Amir", "Haddad-Stone"));
    world.sync().await;
    assert_eq!(
        world.match_status("amir.haddad").await.person.unwrap().name,
        "Amir Haddad-Stone"
    );

    // The person is read by id right before the deactivation.
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    world.sync().await;
    world.wait_for_state("amir.haddad", MatchState::Deactivated).await;

    world.decide("jane.doe", json!({ "decision": "Ignore" })).await;
    world.wait_until_unmatched("jane.doe").await;
    world.idle_sync_writes_nothing().await;
    assert_eq!(schemes(&world), ["DPoP"]);

    // The next tokens need no proof.
    world
        .okta
        .configure(|settings| settings.service_apps[0].dpop = false);
    world.okta.revoke_access_tokens();
    world.sync().await;
    let message = world
        .wait_for_condition(conditions::OKTA_CONNECTED, "True", "Connected")
        .await;
    assert!(!message.contains("eyJ"), "{message}");

    let arguments = ["plan", "--allow-http-loopback", "--cluster"];
    let cluster = format!("{}/acme", world.namespace);
    let plan = world.run_cli(&[&arguments[..], &[&cluster]].concat()).await;
    assert!(plan.contains("people need a decision"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_without_a_restart() {
    let (old, new) = (KeyPair::rsa(), KeyPair::p256());
    let world = in_sync(&old).await;

    // Both keys are valid for a while.
    world.okta.configure(|settings| {
        let keys = &mut settings.service_apps[0].keys;
        keys.push(new.public_jwk(Some("k2")));
    });
    world.write_secret("app", "key.pem", &new.sec1_pem()).await;
    world.patch(auth("k2")).await;
    world.sync().await;
    world.okta.configure(|settings| {
        settings.service_apps[0].keys.remove(0);
    });
    world.okta.revoke_access_tokens();
    world.sync().await;
    world
        .wait_for_condition(conditions::OKTA_CONNECTED, "True", "Connected")
        .await;

    // The key in the Secret is no longer the app's.
    world
        .okta
        .configure(|settings| settings.service_apps[0].keys = vec![old.public_jwk(Some("k2"))]);
    world.okta.revoke_access_tokens();
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "PrivateKeyRefused")
        .await;
    assert!(message.contains("Register its public key"), "{message}");
    world
        .write_secret("app", "key.pem", &old.private_jwk().to_string())
        .await;
    world
        .wait_for_condition(conditions::OKTA_CONNECTED, "True", "Connected")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_and_mended_without_a_restart() {
    let key = KeyPair::rsa();
    let world = prepared(&key).await;
    let encrypted = key.pkcs8_pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    world.write_secret("app", "key.pem", &encrypted).await;
    world.activate(auth("k1")).await;
    let message = world
        .wait_for_condition(conditions::STALLED, "True", "InvalidPrivateKey")
        .await;
    assert!(message.contains("without a passphrase"), "{message}");
    let secrets = [key.pkcs8_pem(), encrypted];

    world
        .okta
        .configure(|settings| settings.service_apps[0].role = false);
    world.write_secret("app", "key.pem", &key.pkcs1_pem()).await;
    let message = world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "NoUsers")
        .await;
    assert!(message.contains("Assign the service app"), "{message}");

    world.okta.configure(|settings| {
        let app = &mut settings.service_apps[0];
        app.role = true;
        app.scopes.remove("okta.groups.read");
    });
    world.okta.revoke_access_tokens();
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "ScopeMissing")
        .await;
    assert!(message.contains("okta.groups.read"), "{message}");

    world
        .okta
        .configure(|settings| settings.service_apps[0].client_id = "0oaAnother".to_owned());
    world.okta.revoke_access_tokens();
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "ServiceAppUnknown")
        .await;
    assert!(message.contains("clientId"), "{message}");

    world.okta.configure(|settings| {
        let app = &mut settings.service_apps[0];
        app.client_id = CLIENT_ID.to_owned();
        app.scopes.insert("okta.groups.read".to_owned());
    });
    world.request_sync().await;
    world.wait_for_phase(Phase::Review).await;

    let log = world.log_tail();
    for line in secrets.iter().flat_map(|secret| secret.lines()) {
        assert!(
            line.starts_with("-----") || !log.contains(line),
            "a line of a key is in the log"
        );
    }
}
