//! The status of an `OktaIntegration`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Duration;
use serde::{Deserialize, Serialize};

use super::Pending;

/// The observed state of an integration.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OktaIntegrationStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// A summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Ready, Reconciling, Stalled, OktaConnected, InsightfulConnected, ReviewRequired, Held and
    /// Finalized; Notified if a webhook is set; SyncLate while the last successful sync is too old.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Progress of a long step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The teams of the team groups, including groups that are missing in Okta's last response.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub teams: Vec<TeamStatus>,
    /// The number of teams that are left out, since the object would be too large.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub teams_omitted: i32,
    /// Okta groups that are no team groups although their names look as if they were meant to be. As of the last full
    /// sync, except for groups whose name changed to another case of the prefix since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub ignored_groups: Vec<IgnoredGroup>,
    /// The number of such groups that are left out of the list.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub ignored_groups_omitted: i32,
    /// The Insightful organisation that was last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insightful: Option<InsightfulStatus>,
    /// The number of people by state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleCounts>,
    /// The number of employees in Insightful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employees: Option<EmployeeCounts>,
    /// The changes that the next apply makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSummary>,
    /// The approved plan whose apply has begun and is not complete. The rest of it needs no other approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applying: Option<Applying>,
    /// What the guard remembers of earlier syncs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardStatus>,
    /// When both services were last read successfully.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,
    /// When the last full sync was. Later syncs read only what changed in Okta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_full_sync_time: Option<Time>,
    /// When the next sync is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_sync_time: Option<Time>,
    /// The value of the annotation `sync-requested-at` that was handled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_sync_request: Option<String>,
    /// Hash of the last plan that was applied completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_plan: Option<String>,
    /// When that plan was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_time: Option<Time>,
    /// What the webhook accepted, so that nothing is sent twice. Only present if a webhook is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// The last ten cycles that wrote to Insightful, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub history: Vec<HistoryEntry>,
}

/// An Insightful organisation.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InsightfulStatus {
    /// Insightful's id of the organisation. Of two finalized integrations with the same id and URL, only the
    /// older one writes.
    pub organization_id: String,
}

/// A summary of the conditions.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not synced yet.
    Pending,
    /// Reading both services.
    Syncing,
    /// Not finalized: an admin reviews the matches.
    Review,
    /// Writing changes to Insightful.
    Applying,
    /// There is nothing to change.
    InSync,
    /// The plan is held until `approvedPlan` names it.
    Held,
    /// `spec.suspend` is true.
    Suspended,
    /// A sync or a write failed: see the conditions.
    Failed,
}

/// Progress of a long step.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The step.
    pub step: Step,
    /// The number of objects that are done.
    pub done: i32,
    /// The number of all objects, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i32>,
    /// When a service's rate limit allows the next call, while calls wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_until: Option<Time>,
    /// When the step ends, estimated from its pace and the rate limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_end: Option<Time>,
}

/// A step of a cycle that can take long.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading Okta's team groups.
    ReadingGroups,
    /// Reading the members of the team groups.
    ReadingMembers,
    /// Reading Okta's users.
    ReadingPeople,
    /// Writing the statuses of EmployeeMatches.
    WritingMatches,
    /// Writing changes to Insightful.
    Applying,
    /// Writing UnmatchedEmployees.
    WritingUnmatchedEmployees,
}

/// An Okta group that is no team group although its name looks as if it was meant to be one.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredGroup {
    /// The group's name.
    pub name: String,
    /// Okta's id of the group.
    pub group_id: String,
    /// Why the group is ignored, and what to do if it is meant.
    pub reason: String,
}

/// A team and its Okta group.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TeamStatus {
    /// The team's name, without the prefix.
    pub name: String,
    /// Okta's id of the group.
    pub group_id: String,
    /// Insightful's id of the team. Kept while Insightful's response lacks the team, and during a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Whether Insightful has the team.
    pub state: TeamState,
    /// The number of people in the group.
    pub members: i32,
    /// Whether Okta's last response lacks the group. If the group reappears, it has the same team. The
    /// entry is removed once Insightful lacks the team, too, or another group gets it by name.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub group_missing: bool,
    /// What is wrong with the team or its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The creation of the team, from before the request until a sync finds the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

/// Whether Insightful has the team.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum TeamState {
    /// Insightful has the team.
    Existing,
    /// Insightful does not have the team yet.
    New,
    /// The operator created it.
    Created,
    /// Which team the group means is unclear, as the message says: nobody is moved there.
    Conflict,
}

/// The number of people by state. All but `total`, `waiting` and `blocked` add up to `total`.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PeopleCounts {
    /// All people.
    pub total: i32,
    /// People who wait for a decision: those in review, without a plausible employee, or in conflict.
    #[serde(default)]
    pub waiting: i32,
    /// Proposed, matched or deactivated.
    pub matched: i32,
    /// Awaiting a decision.
    pub review: i32,
    /// Without a plausible employee.
    pub unmatched: i32,
    /// Not synced, by decision.
    pub ignored: i32,
    /// Claiming an employee that another person also claims.
    pub conflicts: i32,
    /// Not synced.
    pub out_of_scope: i32,
    /// People who cannot be synced until somebody acts.
    #[serde(default)]
    pub blocked: i32,
}

/// The number of employees in Insightful. `matched` and `unmatched` add up to `total`.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EmployeeCounts {
    /// All employees.
    pub total: i32,
    /// Employees whom a person is matched with or proposed for.
    pub matched: i32,
    /// All others: each has an UnmatchedEmployee.
    pub unmatched: i32,
    /// Deactivated employees, with and without a person.
    pub deactivated: i32,
    /// Unmatched employees without an UnmatchedEmployee, since there are too many.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub omitted: i32,
}

/// The changes that the next apply makes.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    /// Hash of all writes and the values that they replace.
    pub hash: String,
    /// Number of writes. An invitation with a title takes two.
    #[serde(default)]
    pub total: i32,
    /// Teams to create.
    pub create_teams: i32,
    /// Employees to invite.
    pub create_employees: i32,
    /// Employees to update.
    pub updates: i32,
    /// Updates that move the employee to another team.
    pub team_moves: i32,
    /// Updates that replace the email.
    pub email_changes: i32,
    /// Updates that change the letters of the name.
    #[serde(default)]
    pub name_changes: i32,
    /// Updates that replace a title that the operator wrote.
    #[serde(default)]
    pub title_changes: i32,
    /// Employees to invite by policy, without a decision.
    #[serde(default)]
    pub invitations: i32,
    /// Employees to deactivate.
    pub deactivations: i32,
    /// Matches to unmatch.
    pub relinks: i32,
    /// Employees whose former values are restored.
    pub restores: i32,
}

/// An approved plan whose apply has begun. While this is set, `changes` and `unmatching` of the
/// EmployeeMatches and the pending teams are the approved plan or the rest of it.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Applying {
    /// Hash of the approved plan.
    pub plan: String,
    /// When the apply began.
    pub since: Time,
    /// Insightful's id of the shared settings for the plan's invitations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_settings: Option<String>,
}

/// What the guard remembers of earlier syncs: a restart forgets nothing.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GuardStatus {
    /// The last review: the plan was shown while `spec.finalized` was false, or was approved. A plan of another
    /// object, Okta org or Insightful organisation is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<Reviewed>,
    /// The number of the integration's EmployeeMatches.
    #[serde(default)]
    pub matches: i32,
    /// EmployeeMatches that were deleted since the last review.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub matches_vanished: i32,
    /// People with a match in force who were missing in Okta when the last plan was applied or approved.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub people_missing: i32,
    /// Employees of matches in force who were missing in Insightful when the last plan was applied or approved.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub employees_missing: i32,
    /// Hash of the last plan that was applied or whose approval was withdrawn. It is part of the next plan's
    /// hash, so that an approval is for one plan, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_plan: Option<String>,
    /// Writes of the last 24 hours that nobody approved, by hour, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub recent: Vec<RecentWrites>,
    /// The writes of an apply that has begun and whose result is not counted in `recent` yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<GuardedWrites>,
}

/// What a review was about.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    /// The uid of the OktaIntegration: a restored object has another.
    pub uid: String,
    /// The URL of the Okta org.
    pub org_url: String,
    /// The URL of Insightful's API.
    pub insightful_url: String,
    /// Insightful's id of the organisation, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
}

/// Writes of one hour.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RecentWrites {
    /// When the hour began.
    pub hour: Time,
    /// The number of writes.
    pub writes: GuardedWrites,
}

/// The number of writes of each kind that `spec.guard` bounds.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GuardedWrites {
    /// Employees that were deactivated.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub deactivations: i32,
    /// Employees that were moved to another team.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub team_moves: i32,
    /// Employees whose email was replaced.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub email_changes: i32,
    /// Matches that were unmatched.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub relinks: i32,
    /// Employees whose name was changed.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub name_changes: i32,
    /// Employees whose title was changed.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub title_changes: i32,
    /// Employees who were invited without a decision.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub invitations: i32,
    /// Teams that were created.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub new_teams: i32,
}

/// What the webhook accepted: a restart or another leader sends none of it again.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// Hash of the last plan whose apply was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_plan: Option<String>,
    /// The last held plan that was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<ReportedHold>,
    /// The last report of people who wait for a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReportedReview>,
    /// The reasons of failures that were reported since syncing last succeeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub failures: Vec<String>,
}

/// A held plan that was reported.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ReportedHold {
    /// Hash of the plan.
    pub plan: String,
    /// The reason of the condition Held.
    pub reason: String,
    /// When it was reported. Absent once that plan is no longer held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// A report of people who wait for a decision.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ReportedReview {
    /// The number of people who waited. Falls with the decisions, so that a later rise is reported.
    pub people: i32,
    /// The last sync at the time of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_time: Option<Time>,
}

/// A cycle that wrote to Insightful.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// When the cycle began.
    pub start_time: Time,
    /// How long the cycle took.
    #[serde(deserialize_with = "super::okta_integration::duration")]
    #[schemars(schema_with = "super::okta_integration::duration_schema")]
    pub duration: Duration,
    /// Which kind of sync the cycle was.
    pub kind: SyncKind,
    /// Whether the plan was applied completely.
    pub result: CycleResult,
    /// Hash of the plan.
    pub plan: String,
    /// Writes that took effect.
    pub writes: i32,
    /// Writes that failed.
    #[serde(default)]
    pub failed: i32,
}

/// What a cycle read.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    /// All of both services.
    Full,
    /// The changes in Okta since the last read, and all of Insightful.
    Delta,
    /// Nothing from Okta: a decision or the spec changed.
    Decision,
}

/// Whether a plan was applied completely.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleResult {
    /// All writes took effect.
    Applied,
    /// Some writes took effect.
    PartlyApplied,
}
