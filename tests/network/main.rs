//! A company's certificate authority and HTTPS proxy, configured by the values of the chart
//! and used by the operator over real TLS.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod tls;

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{OktaIntegration, Phase, conditions};
use sandbox::{
    company::Company,
    control_plane::{
        ControlPlane,
        child_process::{ChildProcess, Ending},
    },
    insightful::Insightful,
    okta::Okta,
    webhook::Webhook,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use tls::{CertificateAuthority, Proxy};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/okta-insightful-operator");
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where the chart mounts the bundle.
const MOUNT: &str = "/etc/okta-insightful-operator/ca";

/// The environment variables that the chart sets for these values, with the CA bundle in the
/// directory `bundle`.
async fn environment(values: &Value, bundle: &Path) -> BTreeMap<String, String> {
    let values = format!("--set-json={values}");
    let arguments = [
        "template",
        "network",
        CHART,
        "--set=image.repository=registry.example/okta-insightful-operator",
        "--show-only=templates/deployment.yaml",
        &values,
    ];
    let manifest = ControlPlane::shared().helm(&arguments).await.unwrap();
    let deployment = serde_yaml::from_multiple::<Value>(&manifest)
        .unwrap()
        .into_iter()
        .find(|document| document["kind"] == "Deployment")
        .unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap().iter();
    variables
        .filter(|variable| variable["name"] != "LEASE")
        .map(|variable| {
            let text = |field: &str| variable[field].as_str().unwrap().to_owned();
            let value = text("value").replace(MOUNT, bundle.to_str().unwrap());
            (text("name"), value)
        })
        .collect()
}

fn program(environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    for variable in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "KUBECONFIG",
    ] {
        command.env_remove(variable);
    }
    command.envs(environment);
    command
}

fn address(url: &str) -> SocketAddr {
    let url: http::Uri = url.parse().unwrap();
    url.authority().unwrap().as_str().parse().unwrap()
}

fn path(url: &str) -> String {
    let url: http::Uri = url.parse().unwrap();
    url.path().to_owned()
}

/// Creates a CA bundle like in a mounted ConfigMap or Secret: behind two symbolic links.
fn write_bundle(dir: &Path, pem: &str) {
    fs::create_dir(dir.join("..2026_01_31")).unwrap();
    fs::write(dir.join("..2026_01_31/ca.crt"), pem).unwrap();
    std::os::unix::fs::symlink("..2026_01_31", dir.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/ca.crt", dir.join("ca.crt")).unwrap();
}

/// Runs `plan` for Acme, whose Okta org has a domain that only the proxy resolves. Returns the exit code,
/// standard output and standard error.
async fn plan(
    okta: &Okta,
    insightful: &Insightful,
    environment: &BTreeMap<String, String>,
) -> (Option<i32>, String, String) {
    let dir = TempDir::new().unwrap();
    let integration = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme" },
        "spec": {
            "okta": {
                "orgUrl": "https://sso.acme.invalid",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
        },
    });
    let file = dir.path().join("integration.yaml");
    fs::write(&file, serde_yaml::to_string(&integration).unwrap()).unwrap();
    let mut command = program(environment);
    command
        .args([
            "plan",
            "--okta-domain=acme.invalid",
            "--output=json",
            "--integration",
        ])
        .arg(&file)
        .env("OKTA_API_TOKEN", okta.token())
        .env("INSIGHTFUL_API_TOKEN", insightful.token());
    let Output {
        status,
        stdout,
        stderr,
    } = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_services_are_read_through_a_tls_inspecting_proxy() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    let authority = CertificateAuthority::new();
    let services = [
        ("sso.acme.invalid:443", address(&okta.url())),
        ("app.insightful.io:443", address(&insightful.url())),
    ];
    let proxy = Proxy::start(&authority, &services).await;
    let bundle = TempDir::new().unwrap();
    write_bundle(bundle.path(), &authority.pem());

    let proxied = json!({ "proxy": { "httpsProxy": proxy.url } });
    let mut trusted = proxied.clone();
    trusted["caBundle"] = json!({ "configMap": "authorities" });
    let trusting = environment(&trusted, bundle.path()).await;
    let (code, out, err) = plan(&okta, &insightful, &trusting).await;
    assert_eq!(code, Some(2), "there are changes: {err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["people"].as_array().unwrap().len(), 60);
    assert_eq!(
        proxy.take_hosts(),
        ["app.insightful.io:443", "sso.acme.invalid:443"]
    );

    // Without the bundle, the certificates are not trusted and nothing is sent.
    okta.journal().clear();
    let (code, _, err) = plan(&okta, &insightful, &environment(&proxied, bundle.path()).await).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("UnknownIssuer"), "{err}");
    assert!(okta.journal().entries().is_empty());
    assert!(!proxy.take_hosts().is_empty());

    // Hosts in noProxy are not reached through the proxy.
    let mut direct = trusted.clone();
    direct["proxy"]["noProxy"] = "localhost,.acme.invalid".into();
    let (code, _, err) = plan(&okta, &insightful, &environment(&direct, bundle.path()).await).await;
    assert_eq!(code, Some(1), "there is no such host");
    assert!(err.contains("no connection to Okta"), "{err}");
    assert!(!proxy.take_hosts().contains(&"sso.acme.invalid:443".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_is_not_reached_through_the_proxy() {
    let plane = ControlPlane::shared();
    let authority = CertificateAuthority::new();
    let proxy = Proxy::start(&authority, &[("nobody:443", ([127, 0, 0, 1], 1).into())]).await;
    let bundle = TempDir::new().unwrap();
    let proxied = json!({ "proxy": { "httpsProxy": proxy.url } });
    let mut command = program(&environment(&proxied, bundle.path()).await);
    command
        .args(["check", "--watch-namespace=default"])
        .env("KUBECONFIG", plane.admin_kubeconfig());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("ok      can get, list, watch oktaintegrations"),
        "{stdout}"
    );
    assert_eq!(proxy.take_hosts(), Vec::<String>::new());
}

#[tokio::test]
async fn the_chart_refers_to_the_public_ca_certificates_of_the_image() {
    let bundle = TempDir::new().unwrap();
    let values = json!({ "caBundle": { "secret": "authorities" } });
    let file = &environment(&values, bundle.path()).await["SSL_CERT_FILE"];
    let dockerfile = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Dockerfile")).unwrap();
    let copied = dockerfile
        .lines()
        .any(|line| line.starts_with("COPY --from=") && line.split(' ').next_back() == Some(file.as_str()));
    assert!(copied, "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_trusts_the_ca_bundle() {
    let plane = ControlPlane::shared();
    plane
        .install_crds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crds"))
        .await
        .unwrap();
    let namespace = plane.namespace("people").await.unwrap();
    let company = Company::acme();
    let (okta, insightful, webhook) = (
        Okta::start(&company),
        Insightful::start(&company),
        Webhook::start(),
    );
    insightful.configure(|settings| settings.limit = 100_000);
    let authority = CertificateAuthority::new();
    let behind_tls = async |url: String| {
        let server = authority.server(address(&url)).await;
        format!("{server}{}", path(&url))
    };
    let client = plane.admin_client().await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
    for (name, value) in [
        ("okta", okta.token()),
        ("insightful", insightful.token()),
        ("chat", &behind_tls(webhook.url()).await),
    ] {
        let secret = json!({ "metadata": { "name": name }, "stringData": { "value": value } });
        let secret = serde_json::from_value(secret).unwrap();
        secrets.create(&PostParams::default(), &secret).await.unwrap();
    }
    let reference = |name: &str| json!({ "name": name, "key": "value" });
    let integration = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme" },
        "spec": {
            "okta": { "orgUrl": behind_tls(okta.url()).await, "auth": { "apiToken": { "secretRef": reference("okta") } } },
            "insightful": {
                "url": behind_tls(insightful.url()).await,
                "apiToken": { "secretRef": reference("insightful") },
                "newEmployees": { "team": "Onboarding", "sharedSettings": "Default" },
            },
            "guard": {
                "maxDeactivations": "100%", "maxTeamMoves": "100%", "maxEmailChanges": "100%", "maxRelinks": "100%",
                "maxNameChanges": "100%", "maxTitleChanges": "100%", "maxInvitations": "100%", "maxNewTeams": 100,
            },
            "notify": { "webhook": { "urlSecretRef": reference("chat") } },
        },
    });
    let integrations: Api<OktaIntegration> = Api::namespaced(client, &namespace);
    let manifest = serde_json::from_value(integration).unwrap();
    integrations
        .create(&PostParams::default(), &manifest)
        .await
        .unwrap();
    let bundle = TempDir::new().unwrap();
    write_bundle(bundle.path(), &authority.pem());

    let without_bundle = start(plane, &namespace, &environment(&json!({}), bundle.path()).await);
    let seen = wait_for(&integrations, &without_bundle, |integration| {
        condition(integration, conditions::READY).0 == "False"
    })
    .await;
    // Both services are read concurrently, and either may fail first.
    let (_, message) = condition(&seen, conditions::READY);
    assert!(
        message.contains("UnknownIssuer") && message.contains("caBundle"),
        "{message}"
    );
    without_bundle.stop().await.unwrap();
    assert!(okta.journal().entries().is_empty() && webhook.received().is_empty());

    let trusted = json!({ "caBundle": { "secret": "authorities" } });
    let with_bundle = start(plane, &namespace, &environment(&trusted, bundle.path()).await);
    wait_for(&integrations, &with_bundle, |integration| {
        integration
            .status
            .as_ref()
            .is_some_and(|status| status.phase == Some(Phase::Review))
    })
    .await;
    let finalize = Patch::Merge(json!({ "spec": { "finalized": true } }));
    integrations
        .patch("acme", &PatchParams::default(), &finalize)
        .await
        .unwrap();
    let seen = wait_for(&integrations, &with_bundle, |integration| {
        condition(integration, conditions::NOTIFIED).1.contains("Applied")
    })
    .await;
    assert_eq!(seen.status.unwrap().phase, Some(Phase::InSync));
    assert!(!insightful.journal().writes().is_empty());
    let messages = webhook.received();
    let applied = messages.iter().filter(|message| message["event"] == "Applied");
    assert_eq!(applied.count(), 1);
    with_bundle.stop().await.unwrap();
}

fn start(plane: &ControlPlane, namespace: &str, environment: &BTreeMap<String, String>) -> ChildProcess {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut command = program(environment);
    command
        .args(["run", "--allow-http-loopback", "--watch-namespace", namespace])
        .arg(format!("--metrics-address=127.0.0.1:{port}"))
        .env("KUBECONFIG", plane.admin_kubeconfig());
    let log = plane.directory().join(format!("operator-{port}.log"));
    ChildProcess::spawn(&command, log, &Ending::default()).unwrap()
}

/// A condition's status and message.
fn condition(integration: &OktaIntegration, type_: &str) -> (String, String) {
    let status = integration.status.as_ref();
    status
        .and_then(|status| conditions::find(&status.conditions, type_))
        .map(|condition| (condition.status.clone(), condition.message.clone()))
        .unwrap_or_default()
}

async fn wait_for(
    integrations: &Api<OktaIntegration>,
    operator: &ChildProcess,
    predicate: impl Fn(&OktaIntegration) -> bool,
) -> OktaIntegration {
    let started = Instant::now();
    loop {
        let integration = integrations.get("acme").await.unwrap();
        if predicate(&integration) {
            return integration;
        }
        assert!(
            started.elapsed() < TIMEOUT,
            "{}\n{}",
            serde_yaml::to_string(&integration.status).unwrap(),
            operator.log_tail(30)
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
