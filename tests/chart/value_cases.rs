//! The table of values: the name of a release, its values, and what they must
//! result in.

use serde_json::{Value, json};

use crate::made::{Made, open_ports, texts};

pub type Case = (&'static str, Value, fn(&Made));

const LONG: &str = "a-release-with-the-longest-name-that-helm-does-allow1";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Each value alone, and related values together.
pub fn cases() -> Vec<Case> {
    [
        names(),
        images(),
        environment(),
        overridden(),
        placement(),
        more_of_the_pod(),
        hosts(),
        probes(),
        replicas(),
        network(),
        rights(),
        extra_objects(),
    ]
    .concat()
}

fn names() -> Vec<Case> {
    vec![
        ("defaults", json!({}), |made| {
            assert_eq!(made.name(), "defaults-okta-insightful-operator");
            let account = made.one("ServiceAccount");
            assert_eq!(account["metadata"]["name"], made.name());
            assert_eq!(account["automountServiceAccountToken"], false);
            assert_eq!(made.pod()["automountServiceAccountToken"], true);
            assert_eq!(
                made.container()["image"],
                "registry.example/okta-insightful-operator:0.1.0"
            );
            assert_eq!(made.arguments(), ["run"]);
            // IPv4 and IPv6, because a cluster may have either.
            assert_eq!(made.variable("METRICS_ADDRESS"), Some("[::]:8080"));
            let home = made.deployment["metadata"]["namespace"].as_str().unwrap();
            assert_eq!(
                made.variable("LEASE"),
                Some(format!("{home}/{}", made.name()).as_str())
            );
            let state = "/var/lib/okta-insightful-operator";
            assert_eq!(
                made.variable("STATE_DIR"),
                Some(format!("{state}/state").as_str())
            );
            assert_eq!(
                made.container()["volumeMounts"],
                json!([{ "name": "state", "mountPath": state }])
            );
            assert_eq!(
                made.pod()["volumes"],
                json!([{ "name": "state", "emptyDir": { "sizeLimit": "512Mi" } }])
            );
            assert!(made.notes.contains("watches all namespaces"), "{}", made.notes);
            assert_eq!(made.all("NetworkPolicy").len(), 0, "it is off by default");
            assert_eq!(made.variable("RUST_LOG"), None, "the program has a default");
            assert_eq!(made.variable("AUDIT_VALUES"), None, "no values are logged");
            for pod in [made.pod(), &made.check["spec"]] {
                assert_eq!(pod["enableServiceLinks"], false);
                assert!(pod["initContainers"].is_null());
                assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
            }
        }),
        ("short", json!({ "nameOverride": "op" }), |made| {
            assert_eq!(made.name(), "short-op");
        }),
        ("whole", json!({ "fullnameOverride": "insightful" }), |made| {
            assert_eq!(made.name(), "insightful");
        }),
        // The name of the chart is not repeated.
        ("my-okta-insightful-operator", json!({}), |made| {
            assert_eq!(made.name(), "my-okta-insightful-operator");
        }),
        (LONG, json!({}), |made| assert_eq!(made.name(), LONG)),
        (
            "labelled",
            json!({
                "commonLabels": { "team": "platform", "app.kubernetes.io/name": "not-this" },
                "commonAnnotations": { "contact": "platform@acme.example" },
                "podLabels": { "tier": "back", "app.kubernetes.io/instance": "not-this" },
                "podAnnotations": { "prometheus.io/scrape": "true" },
                "deploymentAnnotations": { "reloader.stakater.com/auto": "true" },
                "serviceAccount": {
                    "name": "robot",
                    "annotations": { "cloud/role": "none" },
                    "extraLabels": { "cloud/use": "yes", "app.kubernetes.io/instance": "not-this" },
                },
            }),
            |made| {
                for object in &made.objects {
                    let metadata = &object["metadata"];
                    assert_eq!(metadata["labels"]["team"], "platform", "{object}");
                    assert_eq!(
                        metadata["labels"]["app.kubernetes.io/name"],
                        "okta-insightful-operator"
                    );
                    assert_eq!(
                        metadata["annotations"]["contact"], "platform@acme.example",
                        "{object}"
                    );
                }
                let metadata = &made.deployment["spec"]["template"]["metadata"];
                assert_eq!(metadata["labels"]["team"], "platform");
                assert_eq!(metadata["labels"]["tier"], "back");
                // The labels of the selector remain.
                assert_eq!(metadata["labels"]["app.kubernetes.io/instance"], "labelled");
                assert_eq!(metadata["annotations"]["prometheus.io/scrape"], "true");
                let own = &made.deployment["metadata"]["annotations"];
                assert_eq!(own["reloader.stakater.com/auto"], "true");
                assert_eq!(made.pod()["serviceAccountName"], "robot");
                let account = made.one("ServiceAccount");
                assert_eq!(account["metadata"]["name"], "robot");
                assert_eq!(account["metadata"]["annotations"]["cloud/role"], "none");
                assert_eq!(account["metadata"]["labels"]["cloud/use"], "yes");
                assert_eq!(
                    account["metadata"]["labels"]["app.kubernetes.io/instance"],
                    "labelled"
                );
            },
        ),
    ]
}

fn images() -> Vec<Case> {
    vec![
        (
            "image",
            json!({
                "image": { "repository": "ghcr.io/acme/operator", "tag": "1.0", "pullPolicy": "Always" },
                "imagePullSecrets": [{ "name": "registry" }],
            }),
            |made| {
                assert_eq!(made.container()["image"], "ghcr.io/acme/operator:1.0");
                assert_eq!(made.container()["imagePullPolicy"], "Always");
                assert_eq!(made.pod()["imagePullSecrets"], json!([{ "name": "registry" }]));
                assert_eq!(
                    made.check["spec"]["imagePullSecrets"],
                    made.pod()["imagePullSecrets"]
                );
            },
        ),
        (
            "image-of-a-subchart",
            json!({
                "global": {
                    "imageRegistry": "mirror.example:5000",
                    "imagePullSecrets": [{ "name": "company" }, { "name": "registry" }],
                },
                "imagePullSecrets": [{ "name": "registry" }],
            }),
            |made| {
                let image = "mirror.example:5000/okta-insightful-operator:0.1.0";
                assert_eq!(made.container()["image"], image);
                assert_eq!(made.check["spec"]["containers"][0]["image"], image);
                // Each once, because server-side apply rejects duplicates.
                let both = json!([{ "name": "registry" }, { "name": "company" }]);
                assert_eq!(made.pod()["imagePullSecrets"], both);
                assert_eq!(made.check["spec"]["imagePullSecrets"], both);
            },
        ),
        ("digest", json!({ "image": { "digest": DIGEST } }), |made| {
            assert_eq!(
                made.container()["image"],
                format!("registry.example/okta-insightful-operator@{DIGEST}")
            );
            assert_eq!(
                made.check["spec"]["containers"][0]["image"],
                made.container()["image"]
            );
        }),
        (
            "digest-and-tag",
            json!({ "image": { "digest": DIGEST, "tag": "1.0" } }),
            |made| {
                assert_eq!(
                    made.container()["image"],
                    format!("registry.example/okta-insightful-operator:1.0@{DIGEST}")
                );
            },
        ),
        (
            "mirror",
            json!({
                "global": { "imageRegistry": "mirror.example/ghcr" },
                "image": { "repository": "ghcr.io/acme/operator", "digest": DIGEST },
            }),
            |made| {
                assert_eq!(
                    made.container()["image"],
                    format!("mirror.example/ghcr/acme/operator@{DIGEST}")
                );
            },
        ),
        (
            "mirror-of-docker-hub",
            json!({
                "global": { "imageRegistry": "mirror.example" },
                "image": { "repository": "acme/operator" },
            }),
            |made| assert_eq!(made.container()["image"], "mirror.example/acme/operator:0.1.0"),
        ),
        (
            "image-on-the-nodes",
            json!({ "image": { "repository": "okta-insightful-operator", "pullPolicy": "Never" } }),
            |made| assert_eq!(made.container()["image"], "okta-insightful-operator:0.1.0"),
        ),
    ]
}

fn environment() -> Vec<Case> {
    vec![
        (
            "environment",
            json!({
                "env": [
                    { "name": "RUST_LOG", "value": "debug" },
                    { "name": "NODE", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } },
                ],
                "envFrom": [{ "secretRef": { "name": "proxy", "optional": true } }],
                "volumes": [{ "name": "scratch", "emptyDir": {} }],
                "volumeMounts": [{ "name": "scratch", "mountPath": "/scratch" }],
                "resources": {
                    "requests": { "cpu": 1 },
                    "limits": { "memory": "1Gi", "ephemeral-storage": "2Gi" },
                },
                "stateSizeLimit": "1536Mi",
            }),
            |made| {
                assert_eq!(made.variable("RUST_LOG"), Some("debug"));
                let last = made.container()["env"].as_array().unwrap().last().unwrap();
                assert_eq!(last["valueFrom"]["fieldRef"]["fieldPath"], "spec.nodeName");
                assert_eq!(made.container()["envFrom"][0]["secretRef"]["name"], "proxy");
                assert_eq!(made.pod()["volumes"][0]["name"], "scratch");
                assert_eq!(made.container()["volumeMounts"][0]["mountPath"], "/scratch");
                assert_eq!(
                    made.container()["resources"],
                    json!({
                        "requests": { "cpu": "1", "memory": "64Mi", "ephemeral-storage": "64Mi" },
                        "limits": { "memory": "1Gi", "ephemeral-storage": "2Gi" },
                    })
                );
                assert_eq!(made.pod()["volumes"][1]["emptyDir"]["sizeLimit"], "1536Mi");
                assert_eq!(made.variable("SSL_CERT_DIR"), None);
            },
        ),
        (
            "ca-of-a-configmap",
            json!({ "caBundle": { "configMap": "authorities" } }),
            |made| {
                assert_eq!(
                    made.variable("SSL_CERT_FILE"),
                    Some("/etc/ssl/certs/ca-certificates.crt")
                );
                let mount = &made.container()["volumeMounts"][0];
                assert_eq!(made.variable("SSL_CERT_DIR"), mount["mountPath"].as_str());
                let volume = &made.pod()["volumes"][0];
                assert_eq!(volume["name"], mount["name"]);
                assert_eq!(volume["configMap"]["name"], "authorities");
                assert_eq!(volume["configMap"]["items"][0]["key"], "ca.crt");
            },
        ),
        (
            "ca-of-a-secret",
            json!({
                "caBundle": { "secret": "authorities", "key": "bundle.pem" },
                "volumes": [{ "name": "scratch", "emptyDir": {} }],
                "volumeMounts": [{ "name": "scratch", "mountPath": "/scratch" }],
            }),
            |made| {
                let volume = &made.pod()["volumes"][0];
                assert_eq!(volume["secret"]["secretName"], "authorities");
                assert_eq!(volume["secret"]["items"][0]["key"], "bundle.pem");
                assert_eq!(made.pod()["volumes"][1]["name"], "scratch");
                assert_eq!(made.container()["volumeMounts"][1]["name"], "scratch");
            },
        ),
        (
            "proxied",
            json!({ "proxy": { "httpsProxy": "http://proxy:3128", "noProxy": ".acme.example" } }),
            |made| {
                assert_eq!(made.variable("HTTPS_PROXY"), Some("http://proxy:3128"));
                assert_eq!(made.variable("NO_PROXY"), Some(".acme.example"));
            },
        ),
        (
            "domains",
            json!({ "oktaDomains": ["sso.acme.example"] }),
            |made| {
                assert!(made.arguments().contains(&"--okta-domain=sso.acme.example"));
            },
        ),
        (
            "arguments",
            json!({ "watchNamespaces": ["default"], "extraArgs": ["--log-format=json"] }),
            |made| {
                assert_eq!(
                    made.arguments()[1..],
                    ["--watch-namespace=default", "--log-format=json"]
                );
                // `check` has its own arguments.
                let check = texts(&made.check["spec"]["containers"][0]["args"]);
                assert_eq!(check.last(), Some(&"--watch-namespace=default"));
            },
        ),
    ]
}

/// An argument or a variable of the same name replaces what the chart sets. Server-side apply rejects duplicate names.
fn overridden() -> Vec<Case> {
    vec![
        (
            "listening-elsewhere",
            json!({ "extraArgs": ["--metrics-address=0.0.0.0:8080"] }),
            |made| {
                assert_eq!(made.arguments(), ["run", "--metrics-address=0.0.0.0:8080"]);
            },
        ),
        (
            "logging",
            json!({ "logging": { "level": "warn,kube=debug", "format": "json" } }),
            |made| {
                assert_eq!(made.variable("RUST_LOG"), Some("warn,kube=debug"));
                assert_eq!(made.variable("LOG_FORMAT"), Some("json"));
            },
        ),
        ("audit-values", json!({ "audit": { "values": true } }), |made| {
            assert_eq!(made.variable("AUDIT_VALUES"), Some("true"));
        }),
        (
            "logging-by-variables",
            json!({
                "logging": { "level": "warn", "format": "json" },
                "env": [{ "name": "RUST_LOG", "value": "debug" }],
            }),
            |made| {
                assert_eq!(made.variable("RUST_LOG"), Some("debug"));
                assert_eq!(made.variable("LOG_FORMAT"), Some("json"));
            },
        ),
        (
            "variables-of-ones-own",
            json!({
                "proxy": { "httpsProxy": "http://proxy:3128" },
                "env": [
                    { "name": "METRICS_ADDRESS", "value": "0.0.0.0:8080" },
                    { "name": "HTTPS_PROXY", "valueFrom": { "secretKeyRef": { "name": "proxy", "key": "url" } } },
                ],
            }),
            |made| {
                assert_eq!(made.variable("METRICS_ADDRESS"), Some("0.0.0.0:8080"));
                assert_eq!(made.variable("HTTPS_PROXY"), None, "it comes from the Secret");
                let mut names: Vec<&str> = made.container()["env"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|variable| variable["name"].as_str().unwrap())
                    .collect();
                let all = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), all, "each once");
            },
        ),
    ]
}

fn placement() -> Vec<Case> {
    vec![(
        "placed",
        json!({
            "nodeSelector": { "kubernetes.io/os": "linux" },
            "tolerations": [{ "key": "dedicated", "operator": "Exists" }],
            "affinity": { "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
                "weight": 1,
                "preference": { "matchExpressions": [{ "key": "arch", "operator": "Exists" }] },
            }] } },
            "topologySpreadConstraints": [
                { "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway" },
                { "maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway",
                  "labelSelector": { "matchLabels": { "mine": "yes" } } },
            ],
            "priorityClassName": "system-cluster-critical",
            "terminationGracePeriodSeconds": 90,
            "revisionHistoryLimit": 1,
            "podSecurityContext": { "fsGroup": 65532 },
            "securityContext": { "runAsUser": 65532 },
        }),
        |made| {
            assert_eq!(made.pod()["nodeSelector"], json!({ "kubernetes.io/os": "linux" }));
            assert_eq!(made.pod()["tolerations"][0]["key"], "dedicated");
            let affinity = &made.pod()["affinity"];
            assert!(affinity["nodeAffinity"].is_object() && affinity["podAntiAffinity"].is_null());
            let spread = &made.pod()["topologySpreadConstraints"];
            let selector = &made.deployment["spec"]["selector"];
            assert_eq!(
                &spread[0]["labelSelector"], selector,
                "that of the pods by default"
            );
            assert_eq!(
                spread[1]["labelSelector"],
                json!({ "matchLabels": { "mine": "yes" } })
            );
            assert_eq!(made.pod()["priorityClassName"], "system-cluster-critical");
            assert_eq!(made.pod()["terminationGracePeriodSeconds"], 90);
            assert_eq!(made.deployment["spec"]["revisionHistoryLimit"], 1);
            // Merged with the defaults.
            assert_eq!(made.pod()["securityContext"]["fsGroup"], 65532);
            assert_eq!(made.pod()["securityContext"]["runAsNonRoot"], true);
            assert_eq!(made.container()["securityContext"]["runAsUser"], 65532);
            assert_eq!(made.check["spec"]["nodeSelector"], made.pod()["nodeSelector"]);
        },
    )]
}

fn more_of_the_pod() -> Vec<Case> {
    let restricted = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
    });
    vec![(
        "more-containers",
        json!({
            "extraContainers": [{ "name": "beside", "image": "proxy:1.0", "securityContext": restricted }],
            "extraInitContainers": [{ "name": "before", "image": "fetch:1.0", "securityContext": restricted }],
            "podSpecExtra": { "schedulerName": "mine", "shareProcessNamespace": false },
            "enableServiceLinks": true,
        }),
        |made| {
            let names = |containers: &Value| -> Vec<String> {
                let containers = containers.as_array().unwrap().iter();
                let names = containers.map(|container| container["name"].as_str().unwrap().to_owned());
                names.collect()
            };
            assert_eq!(names(&made.pod()["containers"]), ["operator", "beside"]);
            assert_eq!(names(&made.pod()["initContainers"]), ["before"]);
            // The pod of the check has no extra containers, but the same pod spec.
            assert_eq!(names(&made.check["spec"]["containers"]), ["check"]);
            for pod in [made.pod(), &made.check["spec"]] {
                assert_eq!(pod["schedulerName"], "mine");
                assert_eq!(pod["shareProcessNamespace"], false);
                assert_eq!(pod["enableServiceLinks"], true);
            }
        },
    )]
}

fn hosts() -> Vec<Case> {
    vec![(
        "hosts",
        json!({
            "hostAliases": [{ "ip": "10.1.2.3", "hostnames": ["hooks.acme.example"] }],
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": ["10.0.0.10"],
                "searches": ["acme.example"],
                "options": [{ "name": "ndots", "value": "1" }],
            },
        }),
        |made| {
            for pod in [made.pod(), &made.check["spec"]] {
                assert_eq!(
                    pod["hostAliases"],
                    json!([{ "ip": "10.1.2.3", "hostnames": ["hooks.acme.example"] }])
                );
                assert_eq!(pod["dnsPolicy"], "None");
                assert_eq!(
                    pod["dnsConfig"],
                    json!({
                        "nameservers": ["10.0.0.10"],
                        "searches": ["acme.example"],
                        "options": [{ "name": "ndots", "value": "1" }],
                    })
                );
            }
        },
    )]
}

fn probes() -> Vec<Case> {
    vec![
        ("probed", json!({}), |made| {
            let [startup, liveness, readiness] = made.probes();
            for (probe, path, seconds) in [
                (startup, "/healthz", 2),
                (liveness, "/healthz", 10),
                (readiness, "/readyz", 5),
            ] {
                assert_eq!(probe["httpGet"]["path"], path);
                assert_eq!(probe["httpGet"]["port"], "metrics");
                assert_eq!(probe["periodSeconds"], seconds);
            }
            assert_eq!(startup["failureThreshold"], 30);
        }),
        (
            "probed-slowly",
            json!({
                "startupProbe": { "failureThreshold": 60 },
                "livenessProbe": { "timeoutSeconds": 15, "periodSeconds": 20 },
                "readinessProbe": { "initialDelaySeconds": 3 },
            }),
            |made| {
                let [startup, liveness, readiness] = made.probes();
                assert_eq!(startup["failureThreshold"], 60);
                // Merged with the defaults.
                assert_eq!(startup["periodSeconds"], 2);
                assert_eq!(liveness["timeoutSeconds"], 15);
                assert_eq!(liveness["periodSeconds"], 20);
                assert_eq!(liveness["failureThreshold"], 3);
                assert_eq!(readiness["initialDelaySeconds"], 3);
            },
        ),
    ]
}

fn replicas() -> Vec<Case> {
    vec![
        (
            "one-at-a-time",
            json!({ "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } } }),
            |made| {
                assert_eq!(
                    made.deployment["spec"]["strategy"],
                    json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } })
                );
            },
        ),
        ("two", json!({}), |made| {
            assert_eq!(made.deployment["spec"]["replicas"], 2);
            let budget = &made.one("PodDisruptionBudget")["spec"];
            assert_eq!(budget["maxUnavailable"], 1);
            assert_eq!(budget["selector"], made.deployment["spec"]["selector"]);
            let rather_not =
                &made.pod()["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
            let term = &rather_not[0]["podAffinityTerm"];
            assert_eq!(term["topologyKey"], "kubernetes.io/hostname");
            assert_eq!(term["labelSelector"], made.deployment["spec"]["selector"]);
        }),
        ("one", json!({ "replicas": 1 }), |made| {
            assert_eq!(made.deployment["spec"]["replicas"], 1);
            // A budget for a single pod would block every drain.
            assert_eq!(made.all("PodDisruptionBudget").len(), 0);
        }),
        (
            "two-unprotected",
            json!({ "podDisruptionBudget": { "enabled": false } }),
            |made| {
                assert_eq!(made.all("PodDisruptionBudget").len(), 0);
            },
        ),
        (
            "three-by-share",
            json!({ "replicas": 3, "podDisruptionBudget": { "maxUnavailable": "50%" } }),
            |made| {
                assert_eq!(made.one("PodDisruptionBudget")["spec"]["maxUnavailable"], "50%");
            },
        ),
    ]
}

fn network() -> Vec<Case> {
    vec![
        (
            "closed",
            json!({ "networkPolicy": { "enabled": true } }),
            |made| {
                let policy = made.operators_policy();
                assert_eq!(open_ports(policy), [53, 53, 443, 6443, 443]);
                assert_eq!(policy["podSelector"], made.deployment["spec"]["selector"]);
                assert_eq!(policy["ingress"][0]["ports"][0]["port"], "metrics");
                assert_eq!(made.container()["ports"][0]["name"], "metrics");
                assert!(policy["ingress"][0]["from"].is_null());
                // Where everything else is denied, the pod of `helm test` still finds the API server.
                let policy = made.policy(&made.check["metadata"]["labels"]);
                assert_eq!(open_ports(policy), [53, 53, 443, 6443]);
                assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
                assert!(policy["ingress"].is_null(), "nobody calls it");
            },
        ),
        (
            "closed-behind-a-proxy",
            json!({
                "proxy": { "httpsProxy": "http://user:password@proxy:3128" },
                "networkPolicy": { "enabled": true, "apiServerCidrs": ["10.0.0.1/32"], "apiServerPorts": [6443] },
            }),
            |made| {
                // The services are only reached through the proxy.
                let policy = made.operators_policy();
                assert_eq!(open_ports(policy), [53, 53, 6443, 3128]);
                let check = made.policy(&made.check["metadata"]["labels"]);
                assert_eq!(open_ports(check), [53, 53, 6443]);
                for policy in [policy, check] {
                    let to = &policy["egress"][1]["to"];
                    assert_eq!(to, &json!([{ "ipBlock": { "cidr": "10.0.0.1/32" } }]));
                }
            },
        ),
        (
            "closed-behind-a-proxy-without-port",
            json!({
                "proxy": { "httpsProxy": "https://proxy.acme.example" },
                "networkPolicy": {
                    "enabled": true,
                    "metricsFrom": [{ "namespaceSelector": { "matchLabels": { "name": "monitoring" } } }],
                    "extraEgress": [{ "ports": [{ "port": 8443, "protocol": "TCP" }] }],
                },
            }),
            |made| {
                let policy = made.operators_policy();
                assert_eq!(open_ports(policy), [53, 53, 443, 6443, 443, 8443]);
                let from = &policy["ingress"][0]["from"][0];
                assert_eq!(from["namespaceSelector"]["matchLabels"]["name"], "monitoring");
            },
        ),
    ]
}

fn rights() -> Vec<Case> {
    vec![
        (
            "kept",
            json!({ "watchNamespaces": ["default", "kube-public"] }),
            |made| {
                assert_eq!(
                    made.arguments()[1..],
                    ["--watch-namespace=default", "--watch-namespace=kube-public"]
                );
                let expected = "watches the namespaces default, kube-public.";
                assert!(made.notes.contains(expected), "{}", made.notes);
                let check = texts(&made.check["spec"]["containers"][0]["args"]);
                assert_eq!(check[2..], made.arguments()[1..]);
                // The policies only apply there.
                let bindings = made.all("ValidatingAdmissionPolicyBinding");
                assert_eq!(bindings.len(), 2);
                for binding in bindings {
                    let kept = &binding["spec"]["matchResources"]["namespaceSelector"];
                    assert_eq!(
                        kept["matchExpressions"][0]["values"],
                        json!(["default", "kube-public"])
                    );
                }
            },
        ),
        (
            "kept-to-secrets",
            json!({ "watchNamespaces": ["default"], "rbac": { "secretNames": ["okta", "insightful"] } }),
            |made| {
                let roles = made.all("Role");
                let role = roles
                    .iter()
                    .find(|role| role["metadata"]["namespace"] == "default");
                let rules = role.unwrap()["rules"].as_array().unwrap();
                let secrets = rules
                    .iter()
                    .find(|rule| rule["resources"] == json!(["secrets"]))
                    .unwrap();
                assert_eq!(secrets["resourceNames"], json!(["okta", "insightful"]));
                assert_eq!(secrets["verbs"], json!(["get"]));
            },
        ),
        (
            "nothing-of-the-cluster",
            json!({
                "watchNamespaces": ["default"],
                "rbac": { "create": false, "peopleRoles": false },
                "finalizePolicy": { "enabled": false },
            }),
            |made| {
                // For an installation without cluster-wide permissions.
                for object in &made.objects {
                    assert!(object["metadata"]["namespace"].is_string(), "{object}");
                    let group = object["apiVersion"].as_str().unwrap();
                    assert!(!group.starts_with("rbac."), "{object}");
                }
                let expected = "This release does not create the operator's roles (rbac.create=false)";
                assert!(made.notes.contains(expected), "{}", made.notes);
            },
        ),
        (
            "a-foreign-account",
            json!({ "serviceAccount": { "create": false, "name": "default" } }),
            |made| {
                assert_eq!(made.all("ServiceAccount").len(), 0);
                assert_eq!(made.pod()["serviceAccountName"], "default");
                assert_eq!(made.one("ClusterRoleBinding")["subjects"][0]["name"], "default");
            },
        ),
    ]
}

fn extra_objects() -> Vec<Case> {
    vec![(
        "more",
        json!({ "extraObjects": [
            {
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "{{ .Release.Name }}-authorities", "labels": { "mine": "yes" } },
                "data": { "image": "{{ .Values.image.repository }}" },
            },
            { "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "more" }, "spec": { "limits": [] } },
        ] }),
        |made| {
            let map = made.one("ConfigMap");
            assert_eq!(map["metadata"]["name"], "more-authorities");
            assert_eq!(map["data"]["image"], "registry.example/okta-insightful-operator");
            assert_eq!(made.one("LimitRange")["metadata"]["name"], "more");
        },
    )]
}
