//! What is recorded on a person's EmployeeMatch before a write to Insightful, and after it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::run::{Run, Stop};
use crate::{
    api::{AppliedField, Decision, EmployeeMatchStatus},
    model::{EmployeeId, PersonId},
    rules::{
        pending,
        plan::{MatchInForce, unmatch},
        record,
    },
};

impl Run<'_> {
    /// Records every match of the plan before anything is written, so that what the apply changes in Insightful
    /// makes no other match doubtful.
    pub(super) async fn put_into_force(
        &mut self,
        matches: BTreeMap<PersonId, MatchInForce>,
    ) -> Result<(), Stop> {
        let now = Timestamp::now();
        self.is_incomplete |= !matches.keys().all(|person| self.may_go_on(person));
        let records = self.apply.matches.records();
        let edits: Vec<_> = matches
            .into_iter()
            .filter(|(person, _)| self.may_go_on(person))
            .map(|(person, new)| {
                let record = records.get(&person);
                let decided = record.is_some_and(|record| record.decision == Decision::Match);
                let pending = record.and_then(|record| record.pending.as_ref());
                let employees = self.apply.snapshot.employees().values();
                let adopted = pending::is_adopted(pending, &new.employees, employees);
                let edit = move |status: &mut EmployeeMatchStatus| {
                    status.pending.take_if(|_| adopted);
                    let on_record = status.applied.take();
                    let created = adopted && !decided;
                    let applied = record::before_write(on_record, Some(new), created, Vec::new(), now);
                    status.applied = Some(applied);
                };
                (person, edit)
            })
            .collect();
        if edits.is_empty() {
            return Ok(());
        }
        self.check_may_write()?;
        Ok(self.apply.matches.edit_statuses(edits).await?)
    }

    /// Records before-images.
    pub(super) async fn record(&mut self, person: &PersonId, images: Vec<AppliedField>) -> Result<(), Stop> {
        if images.is_empty() {
            // Without an update of the record, the decision that the plan follows from has to be confirmed.
            return Ok(self.apply.matches.confirm(person).await?);
        }
        self.edit_status(person, |status| {
            let on_record = status.applied.take();
            let applied = record::before_write(on_record, None, false, images, Timestamp::now());
            status.applied = Some(applied);
        })
        .await
    }

    /// Removes some employees, and what was written to them, from the person's record. Nothing was restored of one
    /// that another person's match takes over, but the status still says that it was unmatched.
    pub(super) async fn unmatch(
        &mut self,
        person: &PersonId,
        employees: &BTreeSet<EmployeeId>,
    ) -> Result<(), Stop> {
        self.edit_status(person, |status| {
            status.unmatched = unmatch::last_unmatched(status.unmatched.take(), employees, Timestamp::now());
            status.applied = unmatch::without_employees(status.applied.take(), employees);
        })
        .await
    }

    pub(super) async fn edit_status(
        &mut self,
        person: &PersonId,
        edit: impl FnOnce(&mut EmployeeMatchStatus),
    ) -> Result<(), Stop> {
        Ok(self.apply.matches.edit_status(person, edit).await?)
    }
}
