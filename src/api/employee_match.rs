//! `EmployeeMatch`: the Insightful employee of one Okta person.
#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column has a type and a path"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::object_name;
use crate::model::EvidenceKind;

/// The decision about one person. The operator writes only `integrationRef` and `oktaUserId`.
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
    doc = "One Okta person: the proposed or matched Insightful employee, with confidence, reasons and pending changes. Set spec.decision to override the proposal.",
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
    selectable = ".status.person.name",
    selectable = ".status.person.email",
    selectable = ".status.employee.id",
    selectable = ".status.proposal.evidence"
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
    /// The integration that this person belongs to, in the same namespace.
    #[x_kube(validation = Rule::new("self == oldSelf").message(
        "integrationRef cannot be changed: delete this EmployeeMatch and create one for the other integration"
    ))]
    pub integration_ref: IntegrationRef,
    /// Okta's id of the person.
    #[x_kube(validation = Rule::new("self == oldSelf").message(
        "oktaUserId cannot be changed: each person has an EmployeeMatch of their own"
    ))]
    #[schemars(length(min = 1, max = 100))]
    pub okta_user_id: String,
    /// The decision about the person.
    #[serde(default)]
    pub decision: Decision,
    /// The person's employees, with decision Match only. The first gets the email; the others (more
    /// devices) get name, title, team and status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    // The first is another than the others, so that two field managers cannot each have a part of it.
    #[schemars(
        length(max = 20),
        inner(length(min = 1, max = 64)),
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub employee_ids: Vec<String>,
    /// Employees that are never proposed for this person again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    // Each entry stands alone: what two field managers reject is rejected.
    #[schemars(length(max = 100), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub rejected_employee_ids: Vec<String>,
    /// Why the decision was made, in the admin's own words. The operator does not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub note: Option<String>,
}

/// The integration that an EmployeeMatch belongs to.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct IntegrationRef {
    /// Name of the OktaIntegration in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A decision about a person.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// No decision: the proposal is applied if it is certain enough.
    #[default]
    Auto,
    /// The person is the employees in `employeeIds`.
    Match,
    /// The person has no employee: invite them.
    Create,
    /// The person is not synced.
    Ignore,
    /// The person has left, though Okta cannot say so any more, for example because the user was deleted
    /// there: the employees of the match in force are deactivated. Refused while Okta shows the person as
    /// employed.
    Deactivate,
}

/// The observed state of one person.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EmployeeMatchStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The state of the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MatchState>,
    /// The person in Okta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonSummary>,
    /// The employee in Insightful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeSummary>,
    /// The employee that the person is believed to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalStatus>,
    /// The changes that the next apply makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub changes: Vec<FieldChange>,
    /// The number of changes.
    #[serde(default)]
    pub change_count: i32,
    /// Whether the next apply deactivates an employee of the person; otherwise absent.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub deactivates: bool,
    /// The employees that the next apply unmatches; `changes` has the values that it restores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub unmatching: Vec<String>,
    /// The match in force, with the values that it replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// The last match that was unmatched, with the fields that were restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmatched: Option<Unmatched>,
    /// A write that must not be repeated and whose outcome is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Ready, with a reason for each state that needs an action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// The state of a match.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum MatchState {
    /// Decided, or certain enough; not applied yet.
    Proposed,
    /// Awaiting a decision.
    Review,
    /// No plausible employee found.
    Unmatched,
    /// The match is in force.
    Matched,
    /// Not synced, by decision.
    Ignored,
    /// Another person claims the same employee.
    Conflict,
    /// Not synced: not a member of a team group, or not in Okta's response.
    OutOfScope,
    /// Departed; the employee is deactivated.
    Deactivated,
}

impl MatchState {
    /// Whether somebody has to decide, as `status.people.waiting` of the integration counts.
    pub fn awaits_decision(self) -> bool {
        matches!(self, Self::Review | Self::Unmatched | Self::Conflict)
    }
}

/// A person in Okta.
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
    /// Okta's status.
    pub status: String,
    /// The team by the team groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// An employee in Insightful.
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
    /// Whether the employee is deactivated.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub deactivated: bool,
}

/// What happens to a proposal.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalKind {
    /// Certain enough to be applied without a decision.
    Auto,
    /// Plausible: awaiting a decision.
    Review,
    /// No plausible employee: the person is invited.
    Create,
    /// No plausible employee: awaiting a decision.
    None,
}

/// The employee that a person is believed to be.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ProposalStatus {
    /// What happens to the proposal.
    pub kind: ProposalKind,
    /// The proposed employee.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub employee_ids: Vec<String>,
    /// Confidence in percent that the employee in `status.employee` is the person, rounded down: 100
    /// is certain. Absent if there is no such employee, or if it is by decision and not among the candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<i32>,
    /// The kind of evidence for the proposed employee. Absent if none is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceKind>,
    /// Why the confidence is what it is: first what speaks against the proposed employee, the gravest first, then what
    /// speaks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub reasons: Vec<String>,
    /// At most five possible employees, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub candidates: Vec<CandidateStatus>,
}

/// An employee that may be the person.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CandidateStatus {
    /// Insightful's id, to use in `employeeIds`.
    pub employee_id: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// Name of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whether the employee is deactivated.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub deactivated: bool,
    /// Name of another person who has the employee by a decision or a match in force. The employee is
    /// matched with this person only by a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_to: Option<String>,
    /// Confidence in percent, rounded down.
    pub confidence: i32,
    /// Why the confidence is what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub reasons: Vec<String>,
}

/// A field that is synced.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// First and last name.
    Name,
    /// Work email.
    Email,
    /// Job title. Insightful's API accepts it but never returns it.
    Title,
    /// Team.
    Team,
    /// Whether the employee is active.
    Active,
    /// Shared settings. They are set by an invitation only, never on an employee who exists.
    Settings,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Title => "title",
            Self::Team => "team",
            Self::Active => "active",
            Self::Settings => "settings",
        })
    }
}

/// A pending change of one field. An unknown value is absent.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// The employee, if not the person's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    /// The field.
    pub field: Field,
    /// The present value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value after the apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl FieldChange {
    /// Whether the change deactivates the employee.
    pub fn deactivates(&self) -> bool {
        self.field == Field::Active && self.to.as_deref() == Some("false")
    }
}

/// A match in force, with the values that it replaced.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The person's employees.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub employee_ids: Vec<String>,
    /// When the match came into force.
    pub time: Time,
    /// Whether the operator invited the employee.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub created: bool,
    /// The fields that were written, with their before-images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub fields: Vec<AppliedField>,
}

/// A field that was written, with its before-image.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AppliedField {
    /// The employee.
    pub employee_id: String,
    /// The field.
    pub field: Field,
    /// The value before the match; absent if there was none or it could not be read (titles).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value that the operator wrote.
    pub after: String,
    /// The value that Insightful stored instead of `after`, if it stored another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// The value that the operator wrote before `after`, until a read shows that the later write took effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// Whether an earlier match of the employee wrote the field and this match does not.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub inherited: bool,
}

/// A match that was unmatched.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Unmatched {
    /// The employee that was unmatched.
    pub employee_id: String,
    /// When the match ended.
    pub time: Time,
    /// The fields that were restored to their values before the match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub restored: Vec<Field>,
    /// The fields that were not restored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub not_restored: Vec<NotRestoredField>,
}

/// A field that was not restored.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct NotRestoredField {
    /// The field.
    pub field: Field,
    /// Why it was not restored.
    pub reason: String,
}

/// A write whose outcome is unknown until Insightful's response arrives or a later read shows its effect.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The write.
    pub operation: PendingOperation,
    /// When the write began.
    pub since: Time,
    /// Until when the write can still take effect without a response. It is not repeated before a read after that
    /// time has shown that it did not.
    pub until: Time,
    /// The name that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The email that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A kind of write that must not be repeated.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingOperation {
    /// The invitation of an employee.
    CreateEmployee,
    /// The creation of a team.
    CreateTeam,
}

/// Returns the name of a person's EmployeeMatch: `<integration>-<lower-case Okta id>-<first 5
/// hexadecimal digits of the SHA-256 of the exact id>`. The digits are needed since Okta's ids are
/// case-sensitive and Kubernetes names are not.
pub fn match_name(integration: &str, okta_user_id: &str) -> String {
    object_name(integration, &okta_user_id.to_lowercase(), okta_user_id)
}

#[cfg(test)]
mod tests {
    use super::match_name;

    #[test]
    fn ids_that_differ_only_in_case_have_different_names() {
        let upper = match_name("acme", "00u1A");
        let lower = match_name("acme", "00u1a");
        assert_ne!(upper, lower);
        assert!(upper.starts_with("acme-00u1a-") && lower.starts_with("acme-00u1a-"));
        assert_eq!(upper.len(), "acme-00u1a-".len() + 5);
    }
}
