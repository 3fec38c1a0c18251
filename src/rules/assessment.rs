//! All of one cycle's thinking: teams, who is who, what would change.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    api::{FieldChange, OktaIntegrationSpec, OktaIntegrationStatus, TeamState},
    model::{GroupId, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        plan::{self, Plan},
        resolve::{self, Records, Resolution, Resolved},
        teams::{self, Binding, Bindings, DerivedTeam, DerivedTeams, TeamChoice},
    },
};

/// What follows from a snapshot, a spec, and what the cluster remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// The team of each group.
    pub teams: DerivedTeams,
    /// Where everybody stands.
    pub resolved: BTreeMap<PersonId, Resolved>,
    /// What would be written; shared with the verdict on it.
    pub plan: Arc<Plan>,
    /// The plan's changes by person, for people to read.
    pub changes: BTreeMap<PersonId, Vec<FieldChange>>,
    /// What stands in the way of people who are linked or to be created.
    held_back: BTreeMap<PersonId, Blocker>,
}

impl Assessment {
    /// Thinks. Same input, same result; nothing is read or written.
    pub fn of(
        snapshot: &Snapshot,
        spec: &OktaIntegrationSpec,
        records: &Records,
        bindings: &Bindings,
    ) -> Self {
        let teams = teams::derive(snapshot, &spec.okta.group_prefix, bindings);
        let resolved = resolve::resolve(snapshot, spec, &teams, records);
        let (plan, held_back) = plan::plan(snapshot, spec, &teams, records, &resolved);
        let changes = plan.changes(snapshot, &teams, &resolved);
        Self {
            teams,
            resolved,
            plan: Arc::new(plan),
            changes,
            held_back,
        }
    }

    /// What keeps a person from being synced, if anything does.
    pub fn blocker(&self, person: &PersonId) -> Option<&Blocker> {
        self.held_back
            .get(person)
            .or_else(|| match &self.resolved.get(person)?.resolution {
                Resolution::Waits(blocker) | Resolution::OutOfScope(blocker) => Some(blocker),
                Resolution::Matched(_) | Resolution::Create | Resolution::Ignored => None,
            })
    }

    /// The team that a person's employee stays in because its group is missing,
    /// which is no evidence that the person left it.
    pub fn vanished_team(&self, resolved: &Resolved) -> Option<&DerivedTeam> {
        let (Resolution::Matched(_), TeamChoice::Of(group)) = (&resolved.resolution, &resolved.team) else {
            return None;
        };
        self.teams.get(group).filter(|team| team.group_missing)
    }
}

/// What the status says of the groups' teams. Those that we created are bound
/// at once, the others from the first apply on that wrote anything; until then an
/// admin may still rename either side.
pub fn bindings(status: &OktaIntegrationStatus) -> Bindings {
    let mut bindings = Bindings::default();
    let was_applied = status.last_applied_time.is_some() || !status.history.is_empty();
    for team in &status.teams {
        let group: GroupId = team.group_id.as_str().into();
        if team.pending.is_some() {
            bindings.pending.insert(group.clone());
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
    fn a_team_that_we_created_is_bound_at_once_and_others_once_anything_was_written() {
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
        // One person whose write is refused keeps a plan from being applied whole, for days if need be.
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
