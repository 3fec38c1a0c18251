//! What is said of an integration in its own status: what came of a cycle, and
//! what must be on record before one writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt;

use super::{
    events, integrations,
    match_store::Matches,
    reconcile::{Reconcile, ReconcileError, View},
    session::Untold,
};
use crate::{
    api::OktaIntegrationStatus,
    model::{PersonId, Snapshot},
    rules::{
        approval,
        guard::{Breach, Clearance, ClearedPlan},
        schedule,
        status::{self, About, Cycle, Known, Times, integration_status},
    },
};

/// What the people were called whom Okta's answer lacks and a bound is about: so
/// their matches still say.
fn former_names(
    breaches: &[Breach],
    view: &View,
    snapshot: &Snapshot,
    matches: &Matches,
) -> BTreeMap<PersonId, String> {
    let people = breaches
        .iter()
        .flat_map(|breach| breach.people(&view.assessment.plan));
    people
        .filter(|person| !snapshot.people().contains_key(*person))
        .filter_map(|person| Some((person.clone(), matches.get(person)?.earlier().person?.name)))
        .collect()
}

impl Reconcile<'_> {
    /// The status as it stands: what was written last, else what the cluster has.
    pub(super) fn said(&self) -> OktaIntegrationStatus {
        self.session
            .said()
            .or_else(|| self.integration.status.clone())
            .unwrap_or_default()
    }

    pub(super) fn sync_request(&self) -> Option<&str> {
        integrations::sync_request(self.integration)
    }

    pub(super) async fn report(&self, cycle: &Cycle<'_>) -> Result<(), ReconcileError> {
        self.check_leadership()?;
        let before = self.said();
        let namespace = self.integration.namespace().unwrap_or_default();
        let about = About {
            namespace: &namespace,
            name: &self.integration.name_any(),
            generation: self.integration.metadata.generation,
            sync_request: self.sync_request(),
        };
        let after = integration_status(&before, &self.integration.spec, about, cycle, Timestamp::now());
        integrations::write_status(self.ctx, self.integration, &self.session.said, &after)
            .await
            .map_err(ReconcileError::while_("writing the integration's status"))?;
        events::publish_transition(self.ctx, self.integration, &before, &after).await;
        Ok(())
    }

    pub(super) async fn report_known(
        &self,
        view: &View,
        matches: &Matches,
        untold: Option<&Untold>,
        notification: Option<&status::Notification>,
    ) -> Result<(), ReconcileError> {
        let Some(snapshot) = self.session.known.snapshot() else {
            return Ok(());
        };
        let View {
            assessment,
            verdict,
            applying,
            bindings: _,
        } = view;
        let records = matches.records();
        self.report(&Cycle::Known(Known {
            snapshot,
            assessment,
            records,
            breaches: &verdict.breaches,
            former_names: former_names(&verdict.breaches, view, snapshot, matches),
            held: verdict.is_held(),
            applying: applying.as_ref(),
            done: untold.map(|untold| &untold.outcome.done),
            failures: &self.session.failures,
            disconnected: self.session.broken_off.as_ref(),
            times: self.times(),
            history: untold.and_then(|untold| untold.history.clone()),
            notification,
        }))
        .await
    }

    /// Puts on record what must be known if this apply is cut short: the teams
    /// that are about to be created, and the plan that an admin let through.
    pub(super) async fn begin(&self, cleared: &ClearedPlan, view: &mut View) -> Result<(), ReconcileError> {
        self.check_leadership()?;
        let plan = cleared.as_plan();
        let is_approved = matches!(cleared.clearance(), Clearance::Approved(_));
        let Some(snapshot) = self.session.known.snapshot() else {
            return Ok(());
        };
        if plan.teams.is_empty() && !is_approved {
            return Ok(());
        }
        let teams = status::team_statuses(snapshot, &view.assessment);
        let status = approval::begun(self.said(), teams, cleared, Timestamp::now());
        let pending = plan.teams.iter().map(|team| team.group.clone());
        view.bindings.pending.extend(pending);
        integrations::write_status(self.ctx, self.integration, &self.session.said, &status)
            .await
            .map_err(ReconcileError::while_("recording what is about to be written"))
    }

    /// Takes an approved plan off the record where more is planned than what is
    /// left of it: whatever is shown while it stands counts as approved.
    pub(super) async fn take_approval_off_record(&self, view: &View) -> Result<(), ReconcileError> {
        let mut status = self.said();
        if view.applying.is_some() || view.assessment.plan.is_empty() || status.applying.take().is_none() {
            return Ok(());
        }
        status::fit(&mut status);
        integrations::write_status(self.ctx, self.integration, &self.session.said, &status)
            .await
            .map_err(ReconcileError::while_("taking an approved plan off the record"))
    }

    pub(super) fn times(&self) -> Times {
        let interval = schedule::interval(&self.integration.spec.sync, &self.uid());
        Times {
            last_sync: self.session.last_sync,
            last_full_sync: self.session.last_full,
            next_sync: self
                .session
                .last_sync
                .and_then(|last| last.checked_add(interval).ok()),
        }
    }
}
