//! `OktaIntegration`: keeps one Insightful account in sync with one Okta org.
#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column has a type and a path"
)]

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{CustomResource, KubeSchema, core::Duration};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::OktaIntegrationStatus;

/// The desired sync: from which Okta org, to which Insightful account, and within which bounds.
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
    doc = "Keeps the people and teams of one Insightful account in sync with one Okta org. Nothing is written to Insightful until spec.finalized is true.",
    printcolumn(name = "PHASE", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "READY",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "PEOPLE", type_ = "integer", json_path = ".status.people.total"),
    printcolumn(name = "REVIEW", type_ = "integer", json_path = ".status.people.waiting"),
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
    /// The Okta org to read.
    pub okta: OktaSource,
    /// The Insightful account to keep in sync.
    pub insightful: InsightfulTarget,
    /// How teams follow from Okta groups.
    #[serde(default)]
    pub teams: TeamPolicy,
    /// Which matches are made without a decision.
    #[serde(default)]
    pub matching: MatchingPolicy,
    /// How often to sync.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub sync: SyncSchedule,
    /// Which plans need an approval.
    #[serde(default)]
    pub approval: Approval,
    /// Approves exactly the plan with this hash, once, even if it exceeds the guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')").message(
        "approvedPlan must be a whole plan hash: copy status.plan.hash (sha256: and 64 hexadecimal digits)"
    ))]
    #[schemars(length(max = 71), regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub approved_plan: Option<String>,
    /// Bounds on the changes of one plan, together with those of the last 24 hours that nobody approved. A plan that
    /// exceeds one of them is held until `approvedPlan` names it.
    #[serde(default)]
    pub guard: GuardPolicy,
    /// What happens to the fields that the operator wrote when a match ends.
    #[serde(default)]
    pub on_unmatch: OnUnmatch,
    /// Where to send messages when a plan was applied or is held, people wait for a decision, or syncing fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// True allows the operator to apply plans within the guard. Setting it back to false stops all writes.
    #[serde(default)]
    pub finalized: bool,
    /// True stops reading and writing. Data already synced stays in Insightful.
    #[serde(default)]
    pub suspend: bool,
}

/// The Okta org to read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OktaSource {
    /// URL of the org, such as `https://acme.okta.com`.
    #[x_kube(validation = Rule::new(
        "isURL(self) && (self.matches('^https://[^/?#@[:space:]]+/?$') || self.matches('^http://(localhost|127[.]0[.]0[.]1|[[]::1[]])(:[0-9]+)?/?$'))"
    ).message(
        "orgUrl must be https:// and the org's domain, such as https://acme.okta.com, without user, path or query; http is for loopback addresses only"
    ))]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^https?://[^/?#@\s]+/?$"))]
    pub org_url: String,
    /// How to authenticate: exactly one method.
    pub auth: OktaAuth,
    /// Groups whose name starts with this prefix are team groups; the rest of the name is the team's name.
    #[serde(default = "default_group_prefix")]
    #[x_kube(validation = Rule::new("self.size() > 0").message(
        "groupPrefix must not be empty: every group of the org would become a team"
    ))]
    #[schemars(length(min = 1, max = 100))]
    pub group_prefix: String,
    /// Which people are synced.
    #[serde(default)]
    pub people: PeopleScope,
    /// What the Okta status SUSPENDED means.
    #[serde(default)]
    pub suspended: SuspendedPolicy,
    /// Accounts that are no people, such as service accounts: whoever fits any of these rules is not synced. Nothing
    /// is written for them, and nothing that was written is undone.
    #[serde(default)]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub exclude: Vec<ExclusionRule>,
    /// The percentage of each Okta rate limit that the operator may use.
    #[serde(default = "default_rate_limit_percent")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 100").message(
        "rateLimitPercent must be between 1 and 100"
    ))]
    #[schemars(range(min = 1, max = 100))]
    pub rate_limit_percent: i32,
}

/// How to authenticate with Okta.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "(has(self.apiToken) && self.apiToken != null) != (has(self.serviceApp) && self.serviceApp != null)"
).message("auth must have exactly one method: apiToken or serviceApp"))]
pub struct OktaAuth {
    /// An API token (SSWS) of an admin who may read users and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token: Option<SecretValue>,
    /// An API Services app with a private key, which needs the scopes okta.users.read and okta.groups.read and an admin role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_app: Option<ServiceApp>,
}

/// A value in a Secret in the integration's namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretValue {
    /// The Secret and the key in it.
    pub secret_ref: SecretKeyRef,
}

/// A key of a Secret in the integration's namespace.
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
    /// The app's client id.
    #[schemars(length(min = 1, max = 253))]
    pub client_id: String,
    /// The id of the key (`kid`), needed if the app has several keys and the private key is not a JWK with an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub key_id: Option<String>,
    /// The private key, without a passphrase: PEM (PKCS#1, PKCS#8 or SEC1) or a JWK.
    pub private_key_secret_ref: SecretKeyRef,
}

/// Which people are synced.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeopleScope {
    /// Members of at least one team group.
    #[default]
    TeamMembers,
    /// All users of the org.
    Everyone,
}

/// What the Okta status SUSPENDED means.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SuspendedPolicy {
    /// On leave: the employee stays active.
    #[default]
    Keep,
    /// Departed: the employee is deactivated.
    Deactivate,
}

/// Excludes people by an attribute of their profile in Okta. Case and surrounding blanks do not count in what it
/// compares.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "(has(self.values) && size(self.values) > 0) != (has(self.pattern) && dyn(self.pattern) != null)"
).message("a rule of exclude must have, besides its attribute, either values or a pattern: list the values that exclude, or set a pattern such as svc-*"))]
pub struct ExclusionRule {
    /// The attribute's variable name in Okta, such as `login`, `userType` or one of the org's own. Case counts.
    #[x_kube(validation = Rule::new("self.matches('^[^[:space:]]+$')").message(
        "attribute must be the variable name of a profile attribute in Okta, such as login or userType, not its display name"
    ))]
    #[schemars(length(max = 100), regex(pattern = r"^\S+$"))]
    pub attribute: String,
    /// Excludes people who have one of these values. A number, true or false is compared as text; of a list, any
    /// element counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 100),
        inner(length(min = 1, max = 255), regex(pattern = r"\S")),
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub values: Vec<String>,
    /// Instead of values: excludes people whose value fits this pattern as a whole. `*` stands for any characters, `?`
    /// for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"\S"))]
    pub pattern: Option<String>,
}

/// The Insightful account to keep in sync.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InsightfulTarget {
    /// Base URL of the API.
    #[serde(default = "default_insightful_url")]
    #[x_kube(validation = Rule::new(
        "isURL(self) && (self.matches('^https://[^/?#@[:space:]]+(/[^?#@[:space:]]*)?$') || self.matches('^http://(localhost|127[.]0[.]0[.]1|[[]::1[]])(:[0-9]+)?(/[^?#@[:space:]]*)?$'))"
    ).message(
        "url must be an https:// address, such as https://app.insightful.io/api/v1, without user or query; http is for loopback addresses only"
    ))]
    #[schemars(
        length(min = 1, max = 255),
        regex(pattern = r"^https?://[^/?#@\s]+(/[^?#@\s]*)?$")
    )]
    pub url: String,
    /// An API token with WRITE access, created by an Insightful admin.
    pub api_token: SecretValue,
    /// The team and settings of invited employees that no team group determines.
    #[serde(default)]
    pub new_employees: NewEmployees,
}

/// The team and settings of invited employees.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NewEmployees {
    /// Name of the team. Defaults to Insightful's default team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub team: Option<String>,
    /// Name of the shared settings. Defaults to Insightful's default settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub shared_settings: Option<String>,
}

/// How teams follow from Okta groups.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TeamPolicy {
    /// Whether to create teams that Insightful lacks.
    #[serde(default = "yes")]
    pub create_missing: bool,
    /// Decides the team of a person in several team groups: names of groups without the prefix, or of teams,
    /// without regard to case and blanks. The first that applies wins. Before an entry that names nothing is
    /// corrected, later entries move nobody out of the present team.
    #[serde(default)]
    // The order decides, so that two field managers cannot each have a part of it.
    #[schemars(
        length(max = 1000),
        inner(length(min = 1, max = 253)),
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub precedence: Vec<String>,
    /// The teams of single groups, whatever either is called and whatever a group was bound to before: to bind a
    /// group by hand, to correct a wrong binding, and to let several groups share a team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 300),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["group"])
    )]
    pub bindings: Vec<TeamBinding>,
}

/// The team of one group. Names are compared without regard to case and blanks.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TeamBinding {
    /// The group's whole name; the prefix may be left out.
    #[schemars(length(min = 1, max = 255))]
    pub group: String,
    /// The team's name in Insightful, or the group's own name without the prefix: that team is created if it does
    /// not exist.
    #[schemars(length(min = 1, max = 253))]
    pub team: String,
}

impl Default for TeamPolicy {
    fn default() -> Self {
        Self {
            create_missing: true,
            precedence: Vec::new(),
            bindings: Vec::new(),
        }
    }
}

/// Which matches are made without a decision.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MatchingPolicy {
    /// Whether certain proposals are applied without a decision.
    #[serde(default = "yes")]
    pub automatic: bool,
    /// What happens to a person without a plausible employee.
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

/// What happens to a person without a plausible employee.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmatchedPolicy {
    /// An admin decides.
    #[default]
    Review,
    /// The person is invited.
    Create,
}

/// How often to sync.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SyncSchedule {
    /// Time between syncs, such as `15m`; at least one second. Shortened by up to a tenth, so that
    /// many integrations do not sync at the same time.
    #[serde(default = "default_interval", deserialize_with = "duration")]
    #[schemars(schema_with = "interval_schema", extend("default" = "15m"))]
    #[x_kube(validation = Rule::new(DURATION_RULE).message(
        "interval must be a duration of at least 1s, such as 90s, 15m or 1h30m"
    ))]
    pub interval: Duration,
    /// Time between full syncs, such as `24h`, shortened like `interval`. Other syncs read only what
    /// changed in Okta; only a full sync detects deleted users and groups, and groups that lost the prefix.
    #[serde(default = "default_full_interval", deserialize_with = "duration")]
    #[schemars(schema_with = "interval_schema", extend("default" = "24h"))]
    #[x_kube(validation = Rule::new(DURATION_RULE).message(
        "fullInterval must be a duration of at least 1s, such as 12h or 24h"
    ))]
    pub full_interval: Duration,
}

const DURATION_RULE: &str = "self.matches('^([0-9]{1,6}(h|m|s))+$') && duration(self) >= duration('1s')";

/// Reads a duration. [`Duration`] panics on negative parts and on sums that do not fit.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let fits = text.len() <= 32 && !text.contains(['-', '+']) && numbers.all(|digits| digits.len() <= 9);
    let read = fits.then(|| text.parse().ok()).flatten();
    read.ok_or_else(|| D::Error::custom("not a duration such as 90s, 15m or 1h30m"))
}

/// What [`Duration`] prints.
pub(super) fn duration_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string", "maxLength": 32,
        "pattern": "^([0-9]{1,9}([.][0-9]{1,9})?(ns|µs|ms|s|m|h))+$",
    })
}

/// A duration of whole seconds.
fn interval_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string", "minLength": 2, "maxLength": 32, "pattern": "^([0-9]{1,6}(h|m|s))+$",
    })
}

impl Default for SyncSchedule {
    fn default() -> Self {
        Self {
            interval: default_interval(),
            full_interval: default_full_interval(),
        }
    }
}

/// Which plans need an approval.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Plans that exceed the guard.
    #[default]
    Guarded,
    /// All plans.
    EveryPlan,
}

/// Bounds on changes, each a count or a percentage of the matched employees who are active, rounded down. The changes
/// of the plan count, and those of the last 24 hours that nobody approved.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GuardPolicy {
    /// Employees that are deactivated.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxDeactivations must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_deactivations: IntOrString,
    /// Employees that are moved to another team.
    #[serde(default = "twenty_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxTeamMoves must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_team_moves: IntOrString,
    /// Employees whose email is replaced.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxEmailChanges must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_email_changes: IntOrString,
    /// Matches in force that are unmatched.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxRelinks must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_relinks: IntOrString,
    /// Employees whose name is changed beyond case, blanks and the order of its words.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxNameChanges must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_name_changes: IntOrString,
    /// Employees whose title is changed. The first title that the operator writes to an employee is not a change.
    #[serde(default = "twenty_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxTitleChanges must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_title_changes: IntOrString,
    /// Employees who are invited by `matching.unmatched: Create`, without a decision.
    #[serde(default = "five_percent")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxInvitations must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_invitations: IntOrString,
    /// Teams that are created.
    #[serde(default = "five")]
    #[schemars(schema_with = "bound_schema")]
    #[x_kube(validation = Rule::new(BOUND_RULE).message(
        "maxNewTeams must be a count up to 1000000, such as 10, or a percentage from 0% to 100%"
    ))]
    pub max_new_teams: IntOrString,
}

const BOUND_RULE: &str =
    "type(self) == int ? self >= 0 && self <= 1000000 : string(self).matches('^(100|[0-9]{1,2})%$')";

fn bound_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "x-kubernetes-int-or-string": true,
        // A count, or else a text. A maximum length would hide the sentence of the rule.
        "minimum": 0, "maximum": 1_000_000, "pattern": "^(100|[0-9]{1,2})%$",
        // Or kube allows null, which the API server then stores instead of the default.
        "nullable": false,
    })
}

impl Default for GuardPolicy {
    fn default() -> Self {
        Self {
            max_deactivations: five_percent(),
            max_team_moves: twenty_percent(),
            max_email_changes: five_percent(),
            max_relinks: five_percent(),
            max_name_changes: five_percent(),
            max_title_changes: twenty_percent(),
            max_invitations: five_percent(),
            max_new_teams: five(),
        }
    }
}

/// What happens to the fields that the operator wrote when a match ends.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnmatch {
    /// Fields that nobody has changed since are restored to their former values.
    #[default]
    Restore,
    /// The fields are kept.
    Keep,
}

/// Where messages about an integration are sent.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// The webhook that receives the messages.
    pub webhook: Webhook,
}

/// An incoming webhook.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The URL, which is itself a secret.
    pub url_secret_ref: SecretKeyRef,
    /// The form of the messages: what the receiver accepts.
    #[serde(default)]
    pub format: WebhookFormat,
    /// The events that cause a message; all by default.
    #[serde(default = "every_event")]
    #[schemars(length(min = 1, max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub events: Vec<WebhookEvent>,
}

/// The form of a webhook's messages.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookFormat {
    /// An object with named fields, for programs.
    #[default]
    Json,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow of Microsoft Teams that posts an Adaptive Card.
    Teams,
    /// An incoming webhook of a Google Chat space.
    GoogleChat,
}

/// An event that causes a message.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum WebhookEvent {
    /// A plan was applied completely.
    Applied,
    /// A plan is held.
    Held,
    /// More people wait for a decision than were reported.
    ReviewRequired,
    /// Syncing has stopped until somebody acts, or has failed for longer than one interval.
    Failed,
}

fn every_event() -> Vec<WebhookEvent> {
    vec![
        WebhookEvent::Applied,
        WebhookEvent::Held,
        WebhookEvent::ReviewRequired,
        WebhookEvent::Failed,
    ]
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

fn five() -> IntOrString {
    IntOrString::Int(5)
}

fn twenty_percent() -> IntOrString {
    IntOrString::String("20%".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_duration_that_cannot_be_computed_is_an_error_and_no_panic() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("1h30m", Some(5400)),
            ("999999h", Some(3_599_996_400)),
            ("", Some(0)),
            ("1h-5m", None),
            ("-5m", None),
            ("+-5m", None),
            ("99999999999999999999h", None),
            ("1e30h", None),
            ("15", None),
            ("soon", None),
        ] {
            let read = serde_json::from_value::<SyncSchedule>(json!({ "interval": text }));
            let read = read.map(|schedule| std::time::Duration::from(schedule.interval).as_secs());
            assert_eq!(read.ok(), seconds, "{text}");
        }
    }
}
