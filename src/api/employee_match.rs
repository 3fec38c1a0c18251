//! `EmployeeMatch`: one Okta person, and which Insightful employee they are.
#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column has a type and a path"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::digest::hex;

/// What an admin decides about one person. The operator writes `integrationRef`
/// and `oktaUserId` only.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "integrations.insightful.io",
    version = "v1alpha1",
    kind = "EmployeeMatch",
    plural = "employeematches",
    namespaced,
    shortname = "em",
    category = "insightful",
    status = "EmployeeMatchStatus",
    derive = "PartialEq",
    doc = "One Okta person: which Insightful employee it is believed to be, why, how surely, and what would change. Set spec.decision to overrule.",
    printcolumn(name = "PERSON", type_ = "string", json_path = ".status.person.name"),
    printcolumn(name = "EMAIL", type_ = "string", json_path = ".status.person.email"),
    printcolumn(name = "EMPLOYEE", type_ = "string", json_path = ".status.employee.name"),
    printcolumn(name = "STATE", type_ = "string", json_path = ".status.state"),
    printcolumn(
        name = "CONFIDENCE",
        type_ = "integer",
        json_path = ".status.proposal.confidence"
    ),
    printcolumn(name = "TEAM", type_ = "string", json_path = ".status.person.team"),
    printcolumn(name = "CHANGES", type_ = "integer", json_path = ".status.changeCount"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "REASON",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    printcolumn(
        name = "DECISION",
        type_ = "string",
        json_path = ".spec.decision",
        priority = 1
    ),
    printcolumn(
        name = "OKTA ID",
        type_ = "string",
        json_path = ".spec.oktaUserId",
        priority = 1
    ),
    selectable = ".spec.integrationRef.name",
    selectable = ".spec.oktaUserId",
    selectable = ".spec.decision",
    selectable = ".status.state",
    selectable = ".status.person.email",
    selectable = ".status.employee.id"
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(
        "self.decision != 'Match' || (has(self.employeeIds) && size(self.employeeIds) > 0)"
    ).message("decision Match needs employeeIds: name the employee (see status.proposal.candidates)"),
    validation = Rule::new(
        "self.decision == 'Match' || !has(self.employeeIds) || size(self.employeeIds) == 0"
    ).message("employeeIds go with decision Match only: set decision to Match, or remove employeeIds"),
    validation = Rule::new(
        "!has(self.employeeIds) || self.employeeIds.all(id, self.employeeIds.exists_one(other, other == id))"
    ).message("employeeIds names an employee twice: name each once"),
    validation = Rule::new(
        "!has(self.employeeIds) || !has(self.rejectedEmployeeIds) || !self.employeeIds.exists(id, id in self.rejectedEmployeeIds)"
    ).message("an employee cannot be both in employeeIds and in rejectedEmployeeIds")
)]
pub struct EmployeeMatchSpec {
    /// The integration, in the same namespace.
    #[x_kube(validation = Rule::new("self == oldSelf").message(
        "integrationRef cannot be changed: delete this EmployeeMatch and make one for the other integration"
    ))]
    pub integration_ref: IntegrationRef,
    /// Okta's id of the person.
    #[x_kube(validation = Rule::new("self == oldSelf").message(
        "oktaUserId cannot be changed: each person has an EmployeeMatch of their own"
    ))]
    #[schemars(length(min = 1, max = 100))]
    pub okta_user_id: String,
    /// What an admin decided.
    #[serde(default)]
    pub decision: Decision,
    /// With decision Match, and only then: the person's employees. The first
    /// takes the email; the others (more devices) name, title, team and status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 64)))]
    pub employee_ids: Vec<String>,
    /// Employees never to propose for this person again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub rejected_employee_ids: Vec<String>,
}

/// The integration that an EmployeeMatch belongs to.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct IntegrationRef {
    /// Name of the OktaIntegration in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What an admin decided about a person.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the proposal stands if it is sure enough.
    #[default]
    Auto,
    /// The employees in `employeeIds` are this person.
    Match,
    /// No employee is: invite the person.
    Create,
    /// Leave the person alone.
    Ignore,
}

/// What the operator believes and did about one person.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EmployeeMatchStatus {
    /// The generation of the spec that this status answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the person stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MatchState>,
    /// The person as Okta has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonSummary>,
    /// The employee as Insightful has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeSummary>,
    /// Who the person is believed to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalStatus>,
    /// What the next apply would write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub changes: Vec<FieldChange>,
    /// How many changes there are.
    #[serde(default)]
    pub change_count: i32,
    /// The employees whom the next apply lets go: the match with them is taken
    /// back, and `changes` has what they get back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub unmatching: Vec<String>,
    /// The match in force, with what it replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// The match that was taken back last: what was given back, and what was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmatched: Option<Unmatched>,
    /// A write that cannot be repeated and whose outcome is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Ready, with a reason for each state that needs somebody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Where a person stands.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum MatchState {
    /// Sure enough, or decided; not applied yet.
    Proposed,
    /// An admin decides.
    Review,
    /// No plausible employee.
    Unmatched,
    /// In force.
    Matched,
    /// Left alone by decision.
    Ignored,
    /// Another person claims the same employee.
    Conflict,
    /// Not synced: no member of a team group, or not in Okta's answer.
    OutOfScope,
    /// Left, and the employee is switched off.
    Deactivated,
}

/// The person as Okta has them.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct PersonSummary {
    /// First and last name.
    pub name: String,
    /// Work email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Status in Okta's words.
    pub status: String,
    /// The team that the team groups give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// The employee as Insightful has them.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct EmployeeSummary {
    /// Insightful's id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// Name of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whether tracking is switched off.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub deactivated: bool,
}

/// How a proposal would be acted on.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalKind {
    /// Sure enough to go on without a decision.
    Auto,
    /// Plausible: an admin decides.
    Review,
    /// Nobody plausible: invite.
    Create,
    /// Nobody plausible.
    None,
}

/// Who the person is believed to be.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ProposalStatus {
    /// How it would be acted on.
    pub kind: ProposalKind,
    /// The employee that is proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub employee_ids: Vec<String>,
    /// How sure, in percent, rounded down: 100 is certain.
    pub confidence: i32,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub reasons: Vec<String>,
    /// At most five, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub candidates: Vec<CandidateStatus>,
}

/// An employee who may be the person.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CandidateStatus {
    /// Insightful's id: what goes into `employeeIds`.
    pub employee_id: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// How sure, in percent, rounded down.
    pub confidence: i32,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub reasons: Vec<String>,
}

/// The fields that are synced.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// First and last name.
    Name,
    /// Work email.
    Email,
    /// Job title: Insightful takes it and never shows it.
    Title,
    /// Team.
    Team,
    /// Whether the employee is tracked.
    Active,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Title => "title",
            Self::Team => "team",
            Self::Active => "active",
        })
    }
}

/// One field that would change. A value that is not known is absent.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Which employee, where it is not the person's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    /// Which field.
    pub field: Field,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it would hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The match in force, with what it replaced.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The person's employees.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub employee_ids: Vec<String>,
    /// When the match came into force.
    pub time: Time,
    /// Whether the operator created the employee.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub created: bool,
    /// Every field written, with its before-image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub fields: Vec<AppliedField>,
}

/// A field that was written, with its before-image.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AppliedField {
    /// Which employee.
    pub employee_id: String,
    /// Which field.
    pub field: Field,
    /// What it held before the match; absent where that could not be read
    /// (titles) or there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What we wrote.
    pub after: String,
    /// What we had written before that, where this overwrites it: what the
    /// field holds as long as the write did not take effect. Gone once it is
    /// seen to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// Whether an earlier match of the employee wrote it and this one does not,
    /// or does no longer: an undo of it alone may be under way.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub inherited: bool,
}

/// A match that was taken back.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Unmatched {
    /// The employee that was let go.
    pub employee_id: String,
    /// When.
    pub time: Time,
    /// The fields that hold again what they held before the match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub restored: Vec<Field>,
    /// The fields that were left as they are, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub not_restored: Vec<NotRestoredField>,
}

/// A field that was not given back.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct NotRestoredField {
    /// Which.
    pub field: Field,
    /// Why, in words.
    pub reason: String,
}

/// A write that cannot be repeated.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub operation: PendingOperation,
    /// Since when.
    pub since: Time,
}

/// The writes that cannot be repeated.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingOperation {
    /// An invitation.
    CreateEmployee,
    /// A new team.
    CreateTeam,
}

/// The name of a person's EmployeeMatch: `<integration>-<lower-case Okta
/// id>-<first 5 hexadecimal digits of the SHA-256 of the exact id>`. Okta's ids
/// are case-sensitive and names are not, hence the digits.
pub fn match_name(integration: &str, okta_user_id: &str) -> String {
    let digest = Sha256::digest(okta_user_id.as_bytes());
    format!(
        "{integration}-{}-{}",
        okta_user_id.to_lowercase(),
        &hex(&digest)[..5]
    )
}

#[cfg(test)]
mod tests {
    use super::match_name;

    #[test]
    fn ids_that_differ_in_case_only_have_names_of_their_own() {
        let upper = match_name("acme", "00u1A");
        let lower = match_name("acme", "00u1a");
        assert_ne!(upper, lower);
        assert!(upper.starts_with("acme-00u1a-") && lower.starts_with("acme-00u1a-"));
        assert_eq!(upper.len(), "acme-00u1a-".len() + 5);
    }
}
