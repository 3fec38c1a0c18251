//! All of one cycle's thinking: teams, who is who, what would change.

use std::collections::BTreeMap;

use crate::{
    api::{FieldChange, OktaIntegrationSpec, OktaIntegrationStatus, TeamState},
    decisions::{self, Records, Settled, Standing},
    plan::{self, Plan},
    snapshot::{PersonId, Snapshot},
    teams::{self, Binding, Bindings, DerivedTeams},
    trouble::Trouble,
};

/// What follows from a snapshot, a spec, and what the cluster remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// The team of each group.
    pub teams: DerivedTeams,
    /// Where everybody stands.
    pub settled: BTreeMap<PersonId, Settled>,
    /// What would be written.
    pub plan: Plan,
    /// The plan's changes by person, for people to read.
    pub changes: BTreeMap<PersonId, Vec<FieldChange>>,
    /// What stands in the way of people who are linked or to be created.
    held_back: BTreeMap<PersonId, Trouble>,
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
        let settled = decisions::settle(snapshot, spec, &teams, records);
        let (plan, held_back) = plan::plan(snapshot, spec, &teams, records, &settled);
        let changes = plan.changes(snapshot, &teams, &settled);
        Self {
            teams,
            settled,
            plan,
            changes,
            held_back,
        }
    }

    /// What keeps a person from being synced, if anything does.
    pub fn trouble(&self, person: &PersonId) -> Option<&Trouble> {
        self.held_back
            .get(person)
            .or_else(|| match &self.settled.get(person)?.standing {
                Standing::Waits(trouble) | Standing::OutOfScope(trouble) => Some(trouble),
                Standing::Linked(_) | Standing::Create | Standing::Ignored => None,
            })
    }
}

/// What the status says of the groups' teams. They are bound from the first
/// apply on; until then an admin may still rename either side.
pub fn bindings(status: &OktaIntegrationStatus) -> Bindings {
    let mut bindings = Bindings::default();
    for team in &status.teams {
        let group = team.group_id.as_str().into();
        if team.pending.is_some() {
            bindings.pending.insert(group);
        } else if let (Some(id), Some(_)) = (&team.team_id, &status.last_applied_time) {
            let created = team.state == TeamState::Created;
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
