//! All rules of one cycle in one: the teams, which employee each person is, and the plan.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    api::{FieldChange, OktaIntegrationSpec, OktaIntegrationStatus, TeamState},
    model::{GroupId, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        plan::{self, Omission, Plan, Planned},
        records,
        resolve::{self, Records, Resolution, Resolved},
        teams::{self, Binding, Bindings, DerivedTeam, DerivedTeams, TeamChoice},
    },
};

/// The result of all rules for a snapshot, a spec and the records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    pub teams: DerivedTeams,
    pub resolved: BTreeMap<PersonId, Resolved>,
    /// Shared with the verdict on it.
    pub plan: Arc<Plan>,
    /// The plan's changes by person, for the statuses.
    pub changes: BTreeMap<PersonId, Vec<FieldChange>>,
    /// What keeps people who are matched or to be created from being written.
    blockers: BTreeMap<PersonId, Blocker>,
    /// What `spec.teams` names and neither service has.
    pub unresolved: Vec<String>,
    /// The fields that are left out of people who are written otherwise.
    pub omissions: BTreeMap<PersonId, Vec<Omission>>,
}

impl Assessment {
    /// Applies all rules. The same input gives the same result; nothing is read or written.
    pub fn of(
        snapshot: &Snapshot,
        spec: &OktaIntegrationSpec,
        records: &Records,
        bindings: &Bindings,
    ) -> Self {
        let prefix = &spec.okta.group_prefix;
        let records = &*records::in_effect(records);
        let teams = teams::derive(snapshot, prefix, &spec.teams, bindings);
        let resolved = resolve::resolve(snapshot, spec, &teams, records);
        let Planned {
            plan,
            blockers,
            omissions,
        } = plan::plan(snapshot, spec, &teams, records, &resolved);
        let changes = plan.changes(snapshot, &teams, &resolved);
        Self {
            unresolved: teams::unresolved(snapshot, prefix, &spec.teams, &teams),
            teams,
            resolved,
            plan: Arc::new(plan),
            changes,
            blockers,
            omissions,
        }
    }

    /// The assessment with its plan as the one after another, whose approval is spent.
    pub fn after(mut self, spent: Option<&String>) -> Self {
        let plan = Arc::make_mut(&mut self.plan);
        plan.after = spent.cloned();
        self
    }

    /// Returns what keeps a person from being synced.
    pub fn blocker(&self, person: &PersonId) -> Option<&Blocker> {
        self.blockers
            .get(person)
            .or_else(|| match &self.resolved.get(person)?.resolution {
                Resolution::Waits(blocker) | Resolution::OutOfScope(blocker) => Some(blocker),
                Resolution::Matched(_) | Resolution::Create | Resolution::Ignored => None,
            })
    }

    /// Returns the team that a person's employee stays in although its group is missing.
    pub fn team_of_missing_group(&self, resolved: &Resolved) -> Option<&DerivedTeam> {
        let (Resolution::Matched(_), TeamChoice::Of(group)) = (&resolved.resolution, &resolved.team) else {
            return None;
        };
        self.teams.get(group).filter(|team| team.group_missing)
    }
}

/// Returns the bindings of groups to teams in a status. A team that the operator created is bound
/// at once, any other from the first apply that wrote anything: until then, an admin may still
/// rename either side.
pub fn bindings(status: &OktaIntegrationStatus) -> Bindings {
    let mut bindings = Bindings::default();
    let was_applied = status.last_applied_time.is_some() || !status.history.is_empty();
    for team in &status.teams {
        let group: GroupId = team.group_id.as_str().into();
        if let Some(pending) = &team.pending {
            bindings.pending.insert(group.clone(), pending.clone());
        }
        if let Some(id) = &team.team_id {
            let created = team.state == TeamState::Created;
            if !created && !was_applied {
                continue;
            }
            bindings.bound.insert(
                group,
                Binding {
                    team: id.as_str().into(),
                    created,
                },
            );
        }
    }
    bindings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use crate::api::{CycleResult, HistoryEntry, SyncKind, TeamStatus};

    #[test]
    fn created_teams_are_bound_at_once_and_others_after_the_first_write() {
        let team = |group: &str, state| TeamStatus {
            name: group.to_owned(),
            group_id: group.to_owned(),
            team_id: Some(format!("t-{group}")),
            state,
            members: 0,
            group_missing: false,
            message: None,
            pending: None,
        };
        let mut status = OktaIntegrationStatus {
            teams: vec![
                team("made", TeamState::Created),
                team("found", TeamState::Existing),
            ],
            ..OktaIntegrationStatus::default()
        };
        let bound = bindings(&status).bound;
        assert!(bound[&"made".into()].created);
        assert!(!bound.contains_key(&"found".into()));
        // A refused write can keep a plan from being completed for days.
        status.history = vec![HistoryEntry {
            start_time: Time(Timestamp::UNIX_EPOCH),
            duration: Duration::ZERO.into(),
            kind: SyncKind::Full,
            result: CycleResult::PartlyApplied,
            plan: String::new(),
            writes: 1,
            failed: 1,
        }];
        assert!(bindings(&status).bound.contains_key(&"found".into()));
    }
}
