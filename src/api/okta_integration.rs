//! `OktaIntegration`: one Okta org kept in step with one Insightful account.
#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column has a type and a path"
)]

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{CustomResource, KubeSchema, core::Duration};
use serde::{Deserialize, Serialize};

use super::OktaIntegrationStatus;

/// What an admin asks for: which Okta org, which Insightful account, and how
/// far the operator may go.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "integrations.insightful.io",
    version = "v1alpha1",
    kind = "OktaIntegration",
    namespaced,
    shortname = "oi",
    category = "insightful",
    status = "OktaIntegrationStatus",
    derive = "PartialEq",
    doc = "Keeps the people and teams of one Insightful account in step with one Okta org. Nothing is written to Insightful before spec.finalized is true.",
    printcolumn(name = "PHASE", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "READY",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "PEOPLE", type_ = "integer", json_path = ".status.people.total"),
    printcolumn(name = "REVIEW", type_ = "integer", json_path = ".status.people.review"),
    printcolumn(name = "CHANGES", type_ = "integer", json_path = ".status.plan.total"),
    printcolumn(name = "FINALIZED", type_ = "boolean", json_path = ".spec.finalized"),
    printcolumn(name = "SYNCED", type_ = "date", json_path = ".status.lastSyncTime"),
    printcolumn(name = "ORG", type_ = "string", json_path = ".spec.okta.orgUrl", priority = 1),
    printcolumn(
        name = "PLAN",
        type_ = "string",
        json_path = ".status.plan.hash",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub struct OktaIntegrationSpec {
    /// The Okta org that is read.
    pub okta: OktaSource,
    /// The Insightful account that is kept in step.
    pub insightful: InsightfulTarget,
    /// Where teams come from.
    #[serde(default)]
    pub teams: TeamPolicy,
    /// How far matches are made without asking.
    #[serde(default)]
    pub matching: MatchingPolicy,
    /// How often both services are read.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub sync: SyncSchedule,
    /// Which plans wait for `approvedPlan`.
    #[serde(default)]
    pub approval: Approval,
    /// Lets exactly the plan with this hash through, whatever the guard says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')").message(
        "approvedPlan must be a whole plan hash: copy status.plan.hash (sha256: and 64 hexadecimal digits)"
    ))]
    #[schemars(length(max = 80))]
    pub approved_plan: Option<String>,
    /// Bounds on the harm of one plan. A plan beyond any of them is held until
    /// `approvedPlan` names it.
    #[serde(default)]
    pub guard: GuardPolicy,
    /// What happens to the fields we wrote when a match is taken back.
    #[serde(default)]
    pub on_unmatch: OnUnmatch,
    /// Who is told when a plan has been applied, beside the Event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// The Finish gate: true is the standing leave to write plans inside the
    /// guard to Insightful. Back to false stops all writes.
    #[serde(default)]
    pub finalized: bool,
    /// True stops reading and writing. Data already synced stays.
    #[serde(default)]
    pub suspend: bool,
}

/// The Okta org that is read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OktaSource {
    /// Address of the org, such as `https://acme.okta.com`.
    #[x_kube(validation = Rule::new(
        "isURL(self) && (self.matches('^https://[^/?#@[:space:]]+/?$') || self.matches('^http://(localhost|127[.]0[.]0[.]1|[[]::1[]])(:[0-9]+)?/?$'))"
    ).message(
        "orgUrl must be https:// and the org's domain, such as https://acme.okta.com, without user, path or query; http is for loopback addresses only"
    ))]
    #[schemars(length(max = 255))]
    pub org_url: String,
    /// How to log in: exactly one method.
    pub auth: OktaAuth,
    /// Groups whose name starts with this stand for teams; the rest of the name is the team's.
    #[serde(default = "default_group_prefix")]
    #[x_kube(validation = Rule::new("self.size() > 0").message(
        "groupPrefix must not be empty: every group of the org would become a team"
    ))]
    #[schemars(length(max = 100))]
    pub group_prefix: String,
    /// Who is in scope.
    #[serde(default)]
    pub people: PeopleScope,
    /// What a SUSPENDED person means.
    #[serde(default)]
    pub suspended: SuspendedPolicy,
    /// The share of each Okta rate limit, in percent, that we may use.
    #[serde(default = "default_rate_limit_percent")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 100").message(
        "rateLimitPercent must be between 1 and 100"
    ))]
    pub rate_limit_percent: i32,
}

/// How to log in to Okta.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.apiToken) != has(self.serviceApp)").message(
    "auth must have exactly one method: apiToken or serviceApp"
))]
pub struct OktaAuth {
    /// An API token (SSWS), made by an admin who may read users and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token: Option<SecretValue>,
    /// An API Services app with a private key. Not built yet: the integration
    /// says so in its conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_app: Option<ServiceApp>,
}

/// A value kept in a Secret of the integration's namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretValue {
    /// Which Secret, and which of its keys.
    pub secret_ref: SecretKeyRef,
}

/// One key of a Secret in the integration's namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// An Okta API Services app.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceApp {
    /// Client id of the app.
    #[schemars(length(min = 1, max = 253))]
    pub client_id: String,
    /// Id of the key (`kid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub key_id: Option<String>,
    /// The private key in PEM form.
    pub private_key_secret_ref: SecretKeyRef,
}

/// Who is in scope.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeopleScope {
    /// Members of at least one team group.
    #[default]
    TeamMembers,
    /// Every user of the org.
    Everyone,
}

/// What a SUSPENDED person means.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SuspendedPolicy {
    /// On leave: nothing is deactivated.
    #[default]
    Keep,
    /// Left: the employee is deactivated.
    Deactivate,
}

/// The Insightful account that is kept in step.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InsightfulTarget {
    /// Base address of the API.
    #[serde(default = "default_insightful_url")]
    #[x_kube(validation = Rule::new(
        "isURL(self) && (self.matches('^https://[^/?#@[:space:]]+(/[^?#@[:space:]]*)?$') || self.matches('^http://(localhost|127[.]0[.]0[.]1|[[]::1[]])(:[0-9]+)?(/[^?#@[:space:]]*)?$'))"
    ).message(
        "url must be an https:// address, such as https://app.insightful.io/api/v1, without user or query; http is for loopback addresses only"
    ))]
    #[schemars(length(max = 255))]
    pub url: String,
    /// A WRITE token, made by an Insightful admin.
    pub api_token: SecretValue,
    /// Where created employees go when no team group says otherwise.
    #[serde(default)]
    pub new_employees: NewEmployees,
}

/// Where created employees go.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NewEmployees {
    /// Name of the team; without it, Insightful's default team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub team: Option<String>,
    /// Name of the shared settings; without it, Insightful's default settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub shared_settings: Option<String>,
}

/// Where teams come from.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TeamPolicy {
    /// Whether a team that Insightful does not have is created.
    #[serde(default = "yes")]
    pub create_missing: bool,
    /// Team names without the prefix, the winning first: settles which team a
    /// person in several team groups gets.
    #[serde(default)]
    #[schemars(length(max = 1000), inner(length(min = 1, max = 253)))]
    pub precedence: Vec<String>,
}

impl Default for TeamPolicy {
    fn default() -> Self {
        Self {
            create_missing: true,
            precedence: Vec::new(),
        }
    }
}

/// How far matches are made without asking.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MatchingPolicy {
    /// False: every proposal waits for a decision.
    #[serde(default = "yes")]
    pub automatic: bool,
    /// What happens to a person without any plausible employee.
    #[serde(default)]
    pub unmatched: UnmatchedPolicy,
}

impl Default for MatchingPolicy {
    fn default() -> Self {
        Self {
            automatic: true,
            unmatched: UnmatchedPolicy::default(),
        }
    }
}

/// What happens to a person without any plausible employee.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmatchedPolicy {
    /// An admin decides.
    #[default]
    Review,
    /// The person is invited.
    Create,
}

/// How often both services are read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SyncSchedule {
    /// Time from one sync to the next, such as `15m`; at least a second. It is
    /// shortened by up to a tenth, always by the same for the same integration,
    /// so that many integrations do not sync at once.
    #[serde(default = "default_interval")]
    #[schemars(schema_with = "duration_schema", extend("default" = "15m"))]
    #[x_kube(validation = Rule::new(DURATION_RULE).message(
        "interval must be a duration of at least 1s, such as 90s, 15m or 1h30m"
    ))]
    pub interval: Duration,
    /// Time between two syncs that read everything anew, such as `24h`, shortened
    /// as `interval` is. Those between read of Okta what changed. A deletion, and
    /// a group that lost the prefix, show at the next full one only.
    #[serde(default = "default_full_interval")]
    #[schemars(schema_with = "duration_schema", extend("default" = "24h"))]
    #[x_kube(validation = Rule::new(DURATION_RULE).message(
        "fullInterval must be a duration of at least 1s, such as 12h or 24h"
    ))]
    pub full_interval: Duration,
}

const DURATION_RULE: &str = "self.matches('^([0-9]{1,6}(h|m|s))+$') && duration(self) >= duration('1s')";

pub(super) fn duration_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "maxLength": 32 })
}

impl Default for SyncSchedule {
    fn default() -> Self {
        Self {
            interval: default_interval(),
            full_interval: default_full_interval(),
        }
    }
}

/// Which plans wait for `approvedPlan`.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Those beyond the guard.
    #[default]
    Guarded,
    /// All.
    EveryPlan,
}

/// Bounds on the harm of one plan, each a count or a percentage of the matched
/// employees (rounded down: the smaller number of writes is safe).
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GuardPolicy {
    /// Employees switched off.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxDeactivations must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_deactivations: IntOrString,
    /// Employees moved to another team.
    #[serde(default = "twenty_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxTeamMoves must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_team_moves: IntOrString,
    /// Emails replaced by other ones.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxEmailChanges must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_email_changes: IntOrString,
    /// Matches in force that are taken back.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxRelinks must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_relinks: IntOrString,
}

const BOUND_RULE: &str =
    "type(self) == int ? self >= 0 && self <= 1000000 : string(self).matches('^(100|[0-9]{1,2})%$')";

fn bound_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-int-or-string": true })
}

impl Default for GuardPolicy {
    fn default() -> Self {
        Self {
            max_deactivations: five_percent(),
            max_team_moves: twenty_percent(),
            max_email_changes: five_percent(),
            max_relinks: five_percent(),
        }
    }
}

/// What happens to the fields we wrote when a match is taken back.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnmatch {
    /// Each field that still holds what we wrote gets back what it held before.
    #[default]
    Restore,
    /// They stay.
    Keep,
}

/// Who is told when a plan has been applied.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// An incoming webhook that takes JSON with a `text`, as Slack's and Teams' do.
    pub webhook: Webhook,
}

/// An incoming webhook.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The address, which is itself a secret.
    pub url_secret_ref: SecretKeyRef,
}

fn default_group_prefix() -> String {
    "OKTA_INSGRP_".to_owned()
}

fn default_rate_limit_percent() -> i32 {
    50
}

fn default_insightful_url() -> String {
    "https://app.insightful.io/api/v1".to_owned()
}

fn default_interval() -> Duration {
    std::time::Duration::from_secs(15 * 60).into()
}

fn default_full_interval() -> Duration {
    std::time::Duration::from_secs(24 * 60 * 60).into()
}

fn yes() -> bool {
    true
}

fn five_percent() -> IntOrString {
    IntOrString::String("5%".to_owned())
}

fn twenty_percent() -> IntOrString {
    IntOrString::String("20%".to_owned())
}
