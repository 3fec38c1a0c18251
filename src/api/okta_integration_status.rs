//! The status of an `OktaIntegration`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Duration;
use serde::{Deserialize, Serialize};

use super::Pending;

/// What the operator saw and did.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OktaIntegrationStatus {
    /// The generation of the spec that this status answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// A summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Ready, Reconciling, Stalled, OktaConnected, InsightfulConnected,
    /// ReviewRequired, Held, Finalized and, where a webhook is set, Notified;
    /// SyncLate while the last good sync is older than two intervals and a bit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// How far long work has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The teams that the team groups stand for, also those of groups that are missing by now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub teams: Vec<TeamStatus>,
    /// How many more there are than an object has room for.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub teams_omitted: i32,
    /// How many people stand where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleCounts>,
    /// What the next apply would write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSummary>,
    /// The plan that `approvedPlan` let through and that is not written whole
    /// yet. What is left of it needs no other approval, whatever cut it short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applying: Option<Applying>,
    /// When both services were last read whole and well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,
    /// When everything was last read anew; the syncs since then read what changed in Okta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_full_sync_time: Option<Time>,
    /// When they are read next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_sync_time: Option<Time>,
    /// The value of the annotation `sync-requested-at` that was answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_sync_request: Option<String>,
    /// Hash of the plan that was applied last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_plan: Option<String>,
    /// When it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_time: Option<Time>,
    /// Hash of the plan whose completion was last told to the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_notified_plan: Option<String>,
    /// The last ten cycles that did something, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub history: Vec<HistoryEntry>,
}

/// A summary of the conditions.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was read yet.
    Pending,
    /// Both services are being read.
    Syncing,
    /// Not finished: an admin reviews.
    Review,
    /// Changes are being written.
    Applying,
    /// Nothing to change.
    InSync,
    /// A plan waits for `approvedPlan`.
    Held,
    /// Suspended.
    Suspended,
    /// Something is in the way, or Insightful refused somebody's changes: see
    /// the conditions.
    Failed,
}

/// How far long work has come.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// How many are done.
    pub done: i32,
    /// Of how many, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i32>,
    /// Until when calls wait for a service's rate limit, while they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_until: Option<Time>,
    /// When the step ends, as far as its pace so far and the rate limits tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_end: Option<Time>,
}

/// The steps of a cycle that can take long.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading Okta's team groups.
    ReadingGroups,
    /// Reading the members of the team groups.
    ReadingMembers,
    /// Reading Okta's users.
    ReadingPeople,
    /// Reading Insightful.
    ReadingEmployees,
    /// Writing EmployeeMatches.
    WritingMatches,
    /// Writing the plan to Insightful.
    Applying,
}

/// A team and the Okta group it stands for.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TeamStatus {
    /// Name, without the prefix.
    pub name: String,
    /// Okta's id of the group.
    pub group_id: String,
    /// Insightful's id of the team, once there is one. It stays while Insightful's list lacks that team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Whether Insightful has it.
    pub state: TeamState,
    /// People in scope who are members of the group.
    pub members: i32,
    /// Whether Okta's last answer lacks the group: it was deleted, renamed so that
    /// it lost its prefix, or left out. Its team stays bound to it, in case it comes
    /// back, until Insightful lacks the team too or another group takes its name.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub group_missing: bool,
    /// What is wrong, where the state alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its creation, from before it was asked for until it is known to exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

/// Whether Insightful has the team.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum TeamState {
    /// Insightful has one team of this very name.
    Existing,
    /// Insightful has none: it will be created.
    New,
    /// The operator created it.
    Created,
    /// Two groups or two teams have the name: nobody is moved there.
    Conflict,
}

/// How many people stand where; all but `total` add up to it.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PeopleCounts {
    /// All.
    pub total: i32,
    /// Proposed, matched or deactivated.
    pub matched: i32,
    /// Waiting for a decision between candidates, or for a doubt to be resolved.
    pub review: i32,
    /// Without a plausible employee.
    pub unmatched: i32,
    /// Left alone by decision.
    pub ignored: i32,
    /// Claiming an employee that another person claims too.
    pub conflicts: i32,
    /// Not in scope any more, or not yet.
    pub out_of_scope: i32,
    /// Of all these, how many cannot be synced until somebody acts.
    #[serde(default)]
    pub blocked: i32,
}

/// What the next apply would write.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    /// Hash over every write and the values it replaces.
    pub hash: String,
    /// All writes; an invitation with a title takes two.
    #[serde(default)]
    pub total: i32,
    /// Teams created.
    pub create_teams: i32,
    /// Employees invited.
    pub create_employees: i32,
    /// Employees overwritten in at least one field.
    pub updates: i32,
    /// Of these, moved to another team.
    pub team_moves: i32,
    /// Of these, given another email.
    pub email_changes: i32,
    /// Employees switched off.
    pub deactivations: i32,
    /// Matches in force that are taken back.
    pub relinks: i32,
    /// Employees given back what they held before their match.
    pub restores: i32,
}

/// An approved plan whose apply has begun. As long as this stands, what the
/// matches announce in `changes` and `unmatching`, and the teams that are
/// pending, are what was approved, or what is left of it.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Applying {
    /// Hash of the plan, as `approvedPlan` names it.
    pub plan: String,
    /// When its apply began.
    pub since: Time,
    /// Insightful's id of the shared settings that its invitations get: the
    /// one value of a write that no match announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_settings: Option<String>,
}

/// A cycle that did something.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// When it began.
    pub start_time: Time,
    /// How long it took.
    #[schemars(schema_with = "super::okta_integration::duration_schema")]
    pub duration: Duration,
    /// What was read for it.
    pub kind: SyncKind,
    /// How it ended.
    pub result: CycleResult,
    /// Hash of the plan.
    pub plan: String,
    /// Writes to Insightful that took effect.
    pub writes: i32,
    /// Writes that Insightful refused.
    #[serde(default)]
    pub failed: i32,
}

/// What was read for a cycle.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    /// Everything.
    Full,
    /// What changed in Okta since the last read, and all of Insightful.
    Delta,
    /// Nothing from Okta: a decision changed.
    Decision,
}

/// How a cycle ended.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleResult {
    /// Every write of the plan took effect.
    Applied,
    /// Some did.
    PartlyApplied,
}
