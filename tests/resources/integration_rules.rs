//! The validation rules of OktaIntegration: manifests that each rule rejects, and similar ones that are accepted.

use okta_insightful_operator::api::OktaIntegration;
use serde_json::{Value, json};

use crate::{
    manifests::{integration, with},
    verdicts::{
        Case,
        Verdict::{self, Accepted, Refused},
        assert_every_rule_has_a_case, assert_verdicts,
    },
};

#[tokio::test]
async fn each_rule_rejects_invalid_manifests_and_accepts_valid_ones() {
    let mut cases = Vec::new();
    cases.extend(auth());
    cases.extend(addresses());
    cases.extend(bounds());
    cases.extend(durations());
    cases.extend(exclusions());
    cases.extend(single_fields());
    assert_every_rule_has_a_case::<OktaIntegration>(&cases, &[]);
    assert_verdicts("oktaintegrations", &cases).await;
}

/// The minimal integration with `value` at `path`.
fn case(path: &str, value: Value, verdict: Verdict) -> Case {
    (
        format!("{path}: {value}"),
        with(integration(), path, value),
        verdict,
    )
}

/// The value of `notify` with these fields of the webhook.
fn webhook(mut fields: Value) -> Value {
    fields["urlSecretRef"] = json!({ "name": "chat", "key": "url" });
    json!({ "webhook": fields })
}

fn auth() -> Vec<Case> {
    let token = json!({ "secretRef": { "name": "okta", "key": "token" } });
    let app = json!({ "clientId": "0oa1", "privateKeySecretRef": { "name": "okta", "key": "key.pem" } });
    let one = Refused("auth must have exactly one method: apiToken or serviceApp");
    vec![
        case("okta.auth", json!({}), one),
        case("okta.auth", json!({ "apiToken": token, "serviceApp": app }), one),
        case("okta.auth", json!({ "apiToken": token }), Accepted),
        case("okta.auth", json!({ "serviceApp": app }), Accepted),
        case(
            "okta.auth",
            Value::Null,
            Refused("spec.okta.auth: Required value"),
        ),
        case(
            "okta.auth.apiToken.secretRef.key",
            json!(""),
            Refused("at least 1 chars long"),
        ),
        case(
            "okta.auth.apiToken.secretRef.name",
            Value::Null,
            Refused("name: Required value"),
        ),
    ]
}

fn addresses() -> Vec<Case> {
    let org = Refused("orgUrl must be https:// and the org's domain, such as https://acme.okta.com");
    let account = Refused("url must be an https:// address, such as https://app.insightful.io/api/v1");
    let mut cases = Vec::new();
    for (path, refused) in [("okta.orgUrl", org), ("insightful.url", account)] {
        for (url, verdict) in [
            ("https://acme.example", Accepted),
            ("https://acme.example/", Accepted),
            ("https://acme.example:8443", Accepted),
            ("http://localhost:8080", Accepted),
            ("http://127.0.0.1", Accepted),
            ("http://127.0.0.1:8080", Accepted),
            ("http://[::1]:8080", Accepted),
            ("http://acme.example", refused),
            ("http://10.0.0.1", refused),
            ("http://127.0.0.1.evil.test", refused),
            ("http://localhost.evil.test", refused),
            ("http://localhost@evil.test", refused),
            ("https://user@acme.example", refused),
            ("https://user:password@acme.example", refused),
            ("https://acme.example?a=b", refused),
            ("https://acme.example#a", refused),
            ("https://acme.example:port", refused),
            ("https:///api/v1", refused),
            ("https://", refused),
            ("https://acme example", refused),
            ("https://acme.example\n", refused),
            ("acme.example", refused),
            ("ftp://acme.example", refused),
            ("", refused),
        ] {
            cases.push(case(path, json!(url), verdict));
        }
    }
    cases.extend([
        case("okta.orgUrl", json!("https://acme.okta.com/api/v1"), org),
        case("okta.orgUrl", json!("http://127.0.0.1:8080/api/v1"), org),
        case(
            "okta.orgUrl",
            Value::Null,
            Refused("spec.okta.orgUrl: Required value"),
        ),
        case(
            "insightful.url",
            json!("https://app.insightful.io/api/v1"),
            Accepted,
        ),
        case("insightful.url", json!("http://127.0.0.1:8080/api/v1"), Accepted),
        case("insightful.url", json!("http://[::1]:8080/api/v1"), Accepted),
        case(
            "insightful.url",
            json!("http://127.0.0.1:8080/api/v1?a=b"),
            account,
        ),
    ]);
    cases
}

fn bounds() -> Vec<Case> {
    let fields = [
        (
            "guard.maxDeactivations",
            "maxDeactivations must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxTeamMoves",
            "maxTeamMoves must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxEmailChanges",
            "maxEmailChanges must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxRelinks",
            "maxRelinks must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxNameChanges",
            "maxNameChanges must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxTitleChanges",
            "maxTitleChanges must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxInvitations",
            "maxInvitations must be a count up to 1000000, such as 10",
        ),
        (
            "guard.maxNewTeams",
            "maxNewTeams must be a count up to 1000000, such as 10",
        ),
    ];
    let mut cases = Vec::new();
    for (path, message) in fields {
        let refused = Refused(message);
        for (value, verdict) in [
            (json!("0%"), Accepted),
            (json!("5%"), Accepted),
            (json!("100%"), Accepted),
            (json!(0), Accepted),
            (json!(10), Accepted),
            (json!(1_000_000), Accepted),
            (json!("101%"), refused),
            (json!("150%"), refused),
            (json!("1000%"), refused),
            (json!("-5%"), refused),
            (json!("2.5%"), refused),
            (json!("%"), refused),
            (json!("5 %"), refused),
            (json!("10"), refused),
            (json!("many"), refused),
            (json!(""), refused),
            (json!(-1), refused),
            // Exceeds a 32-bit integer.
            (json!(3_000_000_000_u32), refused),
            (json!(0.5), Refused("must be of type integer,string")),
        ] {
            cases.push(case(path, value, verdict));
        }
    }
    cases
}

fn durations() -> Vec<Case> {
    let fields = [
        (
            "sync.interval",
            "interval must be a duration of at least 1s, such as 90s, 15m or 1h30m",
        ),
        (
            "sync.fullInterval",
            "fullInterval must be a duration of at least 1s, such as 12h or 24h",
        ),
    ];
    let mut cases = Vec::new();
    for (path, message) in fields {
        for good in ["1s", "90s", "15m", "1h30m", "24h", "0h1s"] {
            cases.push(case(path, json!(good), Accepted));
        }
        for bad in [
            "15", "abc", "-5m", "0s", "0h0m", "500ms", "1.5h", "1d", "P1D", " 15m", "", "9999999h",
        ] {
            cases.push(case(path, json!(bad), Refused(message)));
        }
        cases.push(case(path, json!(15), Refused("must be of type string")));
    }
    cases
}

fn exclusions() -> Vec<Case> {
    let one = Refused("a rule of exclude must have, besides its attribute, either values or a pattern");
    let name = Refused("attribute must be the variable name of a profile attribute in Okta");
    let by_login = || json!({ "attribute": "login", "pattern": "svc-*" });
    let rules = [
        (by_login(), Accepted),
        (
            json!({ "attribute": "userType", "values": ["Service", "Bot"] }),
            Accepted,
        ),
        (
            json!({ "attribute": "userType", "values": ["Service"], "pattern": null }),
            Accepted,
        ),
        (
            json!({ "attribute": "login", "values": [], "pattern": "*" }),
            Accepted,
        ),
        (json!({ "attribute": "login" }), one),
        (json!({ "attribute": "login", "values": [] }), one),
        (json!({ "attribute": "login", "pattern": null }), one),
        (
            json!({ "attribute": "login", "values": ["a"], "pattern": "b" }),
            one,
        ),
        (
            json!({ "pattern": "svc-*" }),
            Refused("attribute: Required value"),
        ),
        (json!({ "attribute": "", "pattern": "*" }), name),
        (json!({ "attribute": "User type", "pattern": "*" }), name),
        (
            json!({ "attribute": "x".repeat(101), "pattern": "*" }),
            Refused("Too long"),
        ),
        (
            json!({ "attribute": "login", "pattern": "" }),
            Refused("at least 1 chars long"),
        ),
        (
            json!({ "attribute": "login", "pattern": " " }),
            Refused("should match"),
        ),
        (
            json!({ "attribute": "login", "pattern": "x".repeat(256) }),
            Refused("Too long"),
        ),
        (
            json!({ "attribute": "login", "values": [""] }),
            Refused("at least 1 chars long"),
        ),
        (
            json!({ "attribute": "login", "values": [" "] }),
            Refused("should match"),
        ),
        (
            json!({ "attribute": "login", "values": vec!["x"; 101] }),
            Refused("at most 100 items"),
        ),
        (
            json!({ "attribute": "login", "regex": "^svc-" }),
            Refused(r#"unknown field "spec.okta.exclude[0].regex""#),
        ),
    ];
    let rules = rules.into_iter();
    let mut cases: Vec<Case> = rules
        .map(|(rule, verdict)| case("okta.exclude", json!([rule]), verdict))
        .collect();
    cases.extend([
        case("okta.exclude", json!([]), Accepted),
        case("okta.exclude", json!(vec![by_login(); 50]), Accepted),
        case(
            "okta.exclude",
            json!(vec![by_login(); 51]),
            Refused("at most 50 items"),
        ),
    ]);
    cases
}

fn single_fields() -> Vec<Case> {
    let share = Refused("rateLimitPercent must be between 1 and 100");
    let hash = Refused("approvedPlan must be a whole plan hash: copy status.plan.hash");
    let digits = "9f2c1d7e5b8a4036c2e9f07184ab3d6512f8e0c94b7a65d3210fedcba9876543";
    vec![
        case(
            "okta.groupPrefix",
            json!(""),
            Refused("groupPrefix must not be empty"),
        ),
        case("okta.groupPrefix", json!("T"), Accepted),
        case("okta.rateLimitPercent", json!(0), share),
        case("okta.rateLimitPercent", json!(101), share),
        case("okta.rateLimitPercent", json!(-1), share),
        case("okta.rateLimitPercent", json!(1), Accepted),
        case("okta.rateLimitPercent", json!(100), Accepted),
        case(
            "okta.rateLimitPercent",
            json!("50%"),
            Refused("must be of type integer"),
        ),
        case("approvedPlan", json!("sha256:9f2c"), hash),
        case("approvedPlan", json!(digits), hash),
        case(
            "approvedPlan",
            json!(format!("sha256:{}", digits.to_uppercase())),
            hash,
        ),
        case("approvedPlan", json!(format!("md5:{digits}")), hash),
        case("approvedPlan", json!(""), hash),
        case("approvedPlan", json!(format!("sha256:{digits}")), Accepted),
        case("okta.people", json!("Everyone"), Accepted),
        case(
            "okta.people",
            json!("Nobody"),
            Refused(r#"supported values: "TeamMembers", "Everyone""#),
        ),
        case("okta.suspended", json!("Deactivate"), Accepted),
        case(
            "okta.suspended",
            json!("Delete"),
            Refused(r#"supported values: "Keep", "Deactivate""#),
        ),
        case("matching.unmatched", json!("Create"), Accepted),
        case(
            "matching.unmatched",
            json!("create"),
            Refused(r#"supported values: "Review", "Create""#),
        ),
        case("approval", json!("EveryPlan"), Accepted),
        case(
            "approval",
            json!("Never"),
            Refused(r#"supported values: "Guarded", "EveryPlan""#),
        ),
        case("onUnmatch", json!("Keep"), Accepted),
        case(
            "onUnmatch",
            json!("Undo"),
            Refused(r#"supported values: "Restore", "Keep""#),
        ),
        case("finalized", json!("yes"), Refused("must be of type boolean")),
        case(
            "notify",
            json!({}),
            Refused("spec.notify.webhook: Required value"),
        ),
        case("notify", webhook(json!({})), Accepted),
        case(
            "notify",
            webhook(json!({ "format": "Teams", "events": ["Held", "Failed"] })),
            Accepted,
        ),
        case(
            "notify",
            webhook(json!({ "format": null, "events": null })),
            Accepted,
        ),
        case(
            "notify",
            webhook(json!({ "format": "Discord" })),
            Refused(r#"supported values: "Json", "Slack", "Teams", "GoogleChat""#),
        ),
        case(
            "notify",
            webhook(json!({ "events": [] })),
            Refused("should have at least 1 items"),
        ),
        case(
            "notify",
            webhook(json!({ "events": ["Held", "Held"] })),
            Refused("Duplicate value"),
        ),
        case(
            "notify",
            webhook(json!({ "events": ["Approved"] })),
            Refused(r#"supported values: "Applied", "Held", "ReviewRequired", "Failed""#),
        ),
        case(
            "notify",
            webhook(json!({ "formats": "Slack" })),
            Refused(r#"unknown field "spec.notify.webhook.formats""#),
        ),
        case("teams.precedence", json!([""]), Refused("at least 1 chars long")),
        case(
            "teams.bindings",
            json!([{ "group": "P_A", "team": "A" }, { "group": "P_B", "team": "A" }]),
            Accepted,
        ),
        case(
            "teams.bindings",
            json!([{ "group": "P_A", "team": "A" }, { "group": "P_A", "team": "B" }]),
            Refused("Duplicate value"),
        ),
        case(
            "insightful.newEmployees.team",
            json!(""),
            Refused("at least 1 chars long"),
        ),
        case(
            "finalised",
            json!(true),
            Refused(r#"unknown field "spec.finalised""#),
        ),
        case(
            "guard.maxDeactivation",
            json!(1),
            Refused(r#"unknown field "spec.guard.maxDeactivation""#),
        ),
        case(
            "okta.auth.token",
            json!("x"),
            Refused(r#"unknown field "spec.okta.auth.token""#),
        ),
    ]
}
