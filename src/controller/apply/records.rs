//! What goes on a person's record before a write outside, and after it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Run, Stop};
use crate::{
    api::{AppliedField, Decision, EmployeeMatchStatus},
    applied,
    plan::Link,
    snapshot::PersonId,
};

impl Run<'_> {
    /// Puts every match of the plan on record before anything is written: what the
    /// apply changes in Insightful makes nobody doubtful who is yet to be written.
    pub(super) async fn put_into_force(&mut self, links: BTreeMap<PersonId, Link>) -> Result<(), Stop> {
        let now = Timestamp::now();
        let links = links.into_iter().filter(|(person, _)| self.goes_on(person));
        let statuses: BTreeMap<PersonId, EmployeeMatchStatus> = links
            .filter_map(|(person, link)| {
                let object = self.apply.matches.get(&person)?;
                let decided = object.spec.decision == Decision::Match;
                let mut status = object.status.clone().unwrap_or_default();
                // A creation whose answer was lost, and that has been found by its email.
                let adopted = status.pending.take().is_some() && !decided;
                let on_record = status.applied.take();
                let applied = applied::before_write(on_record, Some(link), adopted, Vec::new(), now);
                status.applied = Some(applied);
                Some((person, status))
            })
            .collect();
        if statuses.is_empty() {
            return Ok(());
        }
        self.check_leave()?;
        // The API server keeps no more than the seconds of a time.
        let linked = |status: &EmployeeMatchStatus| {
            let applied = status.applied.clone()?;
            Some((applied.employee_ids, applied.fields))
        };
        let wanted: Vec<_> = statuses
            .iter()
            .map(|(person, status)| (person.clone(), linked(status)))
            .collect();
        self.apply.matches.write_statuses(statuses, |_, _| ()).await?;
        let on_record = |person| linked(self.apply.matches.get(person)?.status.as_ref()?);
        if wanted.iter().all(|(person, wanted)| on_record(person) == *wanted) {
            Ok(())
        } else {
            // A decision that was changed under way asks for another plan.
            Err(Stop::LeaveTaken)
        }
    }

    /// Puts before-images on the person's record.
    pub(super) async fn record(&mut self, person: &PersonId, images: Vec<AppliedField>) -> Result<(), Stop> {
        if images.is_empty() {
            return Ok(());
        }
        self.edit_status(person, |status| {
            status.pending = None;
            let on_record = status.applied.take();
            let applied = applied::before_write(on_record, None, false, images, Timestamp::now());
            status.applied = Some(applied);
        })
        .await
    }

    /// Takes what was written to some employees off the person's record.
    pub(super) async fn release(
        &mut self,
        person: &PersonId,
        let_go: impl Fn(&str) -> bool,
    ) -> Result<(), Stop> {
        self.edit_status(person, |status| {
            status.applied = applied::let_go(status.applied.take(), let_go);
        })
        .await
    }

    pub(super) async fn edit_status(
        &mut self,
        person: &PersonId,
        edit: impl FnOnce(&mut EmployeeMatchStatus),
    ) -> Result<(), Stop> {
        let mut status = self
            .apply
            .matches
            .get(person)
            .and_then(|object| object.status.clone())
            .unwrap_or_default();
        edit(&mut status);
        self.apply.matches.write_status(person, status).await?;
        Ok(())
    }
}
