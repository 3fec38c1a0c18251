//! EmployeeMatches that somebody deleted while their match was in force, such as by removing a manifest from Git.
//! They are made again with what they recorded, so that the match stays in force and can be undone. The decision,
//! which is the admin's, is gone.

use kube::ResourceExt;
use uuid::Uuid;

use super::{MatchCache, Matches, cached::CachedMatch, unusable::UnusableObject};
use crate::{
    api::{Decision, EmployeeMatchStatus},
    model::PersonId,
    rules::{resolve::Record, status::PreviousMatchStatus},
};

/// What a deleted object recorded.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    /// The integration that owned the object.
    owner: Option<Uuid>,
    status: Box<EmployeeMatchStatus>,
}

impl Lost {
    /// None if the object recorded nothing that must not be lost. Whoever is ignored by decision is meant to be
    /// forgotten.
    pub(super) fn of(cached: &CachedMatch, record: &Record) -> Option<Self> {
        let PreviousMatchStatus {
            person,
            unmatched,
            conditions: _,
        } = cached.earlier();
        let is_kept = record.has_match() && record.decision != Decision::Ignore;
        is_kept.then(|| Self {
            owner: cached.owner,
            status: Box::new(EmployeeMatchStatus {
                person,
                unmatched,
                applied: record.applied.clone(),
                pending: record.pending.clone(),
                ..EmployeeMatchStatus::default()
            }),
        })
    }

    pub(super) fn of_unreadable(object: UnusableObject) -> Option<(PersonId, Self)> {
        let record = object.salvaged.filter(Record::has_match)?;
        let status = EmployeeMatchStatus {
            applied: record.applied,
            pending: record.pending,
            ..EmployeeMatchStatus::default()
        };
        let lost = Self {
            owner: object.owner,
            status: Box::new(status),
        };
        Some((object.person?, lost))
    }
}

impl MatchCache {
    /// Forgets the deleted objects that exist again with a record.
    pub(super) fn forget_found(&mut self) {
        let Self { records, lost, .. } = self;
        lost.retain(|person, _| !records.get(person).is_some_and(Record::has_match));
    }
}

impl Matches {
    /// Whether objects of this integration were deleted that are to be made again.
    pub fn has_lost(&self) -> bool {
        let mut lost = self.cache.lost.values();
        lost.any(|lost| lost.owner == Some(self.owner))
    }

    /// Makes the deleted objects again, each with what it recorded. Returns whose they are.
    ///
    /// # Errors
    /// The first error of the API server; the others are made by the next try.
    pub async fn recreate_lost(&mut self) -> Result<Vec<PersonId>, kube::Error> {
        // Those of an integration that was deleted with its matches.
        let owner = self.owner;
        self.cache.lost.retain(|_, lost| lost.owner == Some(owner));
        let mut recreated = Vec::new();
        while let Some((person, lost)) = self.cache.lost.first_key_value() {
            let (person, lost) = (person.clone(), lost.clone());
            let mut object = self.create(&person).await?;
            // Somebody, such as a tool that applies manifests, may have been faster.
            if !Record::from(&object).has_match() {
                let mut status = object.status.take().unwrap_or_default();
                status.person = status.person.or(lost.status.person);
                status.unmatched = status.unmatched.or(lost.status.unmatched);
                status.applied = lost.status.applied;
                status.pending = lost.status.pending;
                let version = object.resource_version().unwrap_or_default();
                object = self
                    .objects
                    .write_status(&object.name_any(), &version, &status)
                    .await?;
                recreated.push(person.clone());
            }
            self.update(&object);
            self.cache.lost.remove(&person);
        }
        Ok(recreated)
    }
}
