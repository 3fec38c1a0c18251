//! What goes on a person's record before a write outside, and after it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Run, Stop};
use crate::{
    api::{AppliedField, Decision, EmployeeMatchStatus},
    model::{EmployeeId, PersonId},
    rules::{
        plan::{MatchInForce, unmatch},
        record,
    },
};

impl Run<'_> {
    /// Puts every match of the plan on record before anything is written: what the
    /// apply changes in Insightful makes nobody doubtful who is yet to be written.
    pub(super) async fn put_into_force(
        &mut self,
        matches: BTreeMap<PersonId, MatchInForce>,
    ) -> Result<(), Stop> {
        let now = Timestamp::now();
        self.left_out |= !matches.keys().all(|person| self.goes_on(person));
        let records = self.apply.matches.records();
        let edits: Vec<_> = matches
            .into_iter()
            .filter(|(person, _)| self.goes_on(person))
            .map(|(person, link)| {
                let record = records.get(&person);
                let decided = record.is_some_and(|record| record.decision == Decision::Match);
                let edit = move |status: &mut EmployeeMatchStatus| {
                    // A creation whose answer was lost, and that has been found by its email.
                    let adopted = status.pending.take().is_some() && !decided;
                    let on_record = status.applied.take();
                    let applied = record::before_write(on_record, Some(link), adopted, Vec::new(), now);
                    status.applied = Some(applied);
                };
                (person, edit)
            })
            .collect();
        if edits.is_empty() {
            return Ok(());
        }
        self.check_leave()?;
        Ok(self.apply.matches.edit_statuses(edits).await?)
    }

    /// Puts before-images on the person's record.
    pub(super) async fn record(&mut self, person: &PersonId, images: Vec<AppliedField>) -> Result<(), Stop> {
        if images.is_empty() {
            // Nothing is put on record before the write, so that nothing else says
            // whether the decision still is what the plan rests on.
            return Ok(self.apply.matches.confirm(person).await?);
        }
        self.edit_status(person, |status| {
            status.pending = None;
            let on_record = status.applied.take();
            let applied = record::before_write(on_record, None, false, images, Timestamp::now());
            status.applied = Some(applied);
        })
        .await
    }

    /// Takes what was written to some employees off the person's record.
    pub(super) async fn unmatch(
        &mut self,
        person: &PersonId,
        employees: &BTreeSet<EmployeeId>,
    ) -> Result<(), Stop> {
        self.edit_status(person, |status| {
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
