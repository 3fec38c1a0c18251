//! The EmployeeMatches of one integration: caches them, creates them and writes
//! their statuses.
//!
//! Each status is written over exactly the version that it was computed from. If
//! the cache lags behind the cluster, the API server refuses the write, so that no
//! new decision and no record of another replica is overwritten.

mod cached;
mod deleted;
mod store;
mod unusable;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, FuturesUnordered},
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ListParams, PatchParams},
    core::Status,
};
use serde_json::{Value, json};
use tokio::sync::{OwnedMutexGuard, Semaphore};
use uuid::Uuid;

use super::status;
use crate::{
    api::{
        EmployeeMatch, EmployeeMatchStatus, FIELD_MANAGER, INTEGRATION_LABEL, OktaIntegration, match_name,
    },
    http::apply_patch::apply_patch,
    model::{PersonId, Snapshot, digest::Digest},
    rules::{
        approval::Announcements,
        records::{self, Unusable, WhyUnusable},
        resolve::{self, Record, Records},
        status::wrong_name_status,
    },
};

pub use cached::{CachedMatch, owner, uid, version};
pub use store::MatchStore;
pub use unusable::Reading;
pub use watched::Watched;

use deleted::Lost;
use store::IntegrationMatches;
use unusable::UnusableObject;

/// Concurrent writes for one integration.
const MAX_WRITES_PER_INTEGRATION: usize = 16;

/// Objects in one page of a count.
const COUNT_PAGE: u32 = 1000;

/// Concurrent writes for all integrations, so that the API server can serve others.
const MAX_WRITES: usize = 32;

/// An integration's EmployeeMatches, as seen by the watch and in responses to writes.
#[derive(Default)]
struct MatchCache {
    /// Of all `matches`, and of the people of `unusable`.
    records: Records,
    matches: BTreeMap<PersonId, CachedMatch>,
    /// Objects that are not used.
    unusable: Vec<UnusableObject>,
    /// Objects that were deleted while their match was in force, and are made again.
    lost: BTreeMap<PersonId, Lost>,
}

impl MatchCache {
    fn insert(&mut self, person: PersonId, cached: CachedMatch, record: Record) {
        self.records.insert(person.clone(), record);
        self.matches.insert(person, cached);
    }

    /// Stores a response of the API server. Returns whether its decision or record differs from the cached one.
    fn update(&mut self, object: &EmployeeMatch) -> bool {
        let person: PersonId = object.spec.okta_user_id.as_str().into();
        let mut record = Record::from(object);
        let is_news = match self.records.get(&person) {
            Some(before) => {
                record.unusable.clone_from(&before.unusable);
                *before != record
            }
            None => record != Record::default(),
        };
        self.insert(person, CachedMatch::of(object), record);
        is_news
    }

    fn remove(&mut self, gone: &HashSet<Uuid>) {
        if gone.is_empty() {
            return;
        }
        let Self {
            records,
            matches,
            lost,
            ..
        } = self;
        matches.retain(|person, cached| {
            let is_gone = gone.contains(&cached.uid);
            if is_gone {
                let record = records.remove(person);
                let record = record.and_then(|record| Lost::of(cached, &record));
                lost.extend(record.map(|record| (person.clone(), record)));
            }
            !is_gone
        });
    }

    /// Takes the objects that are not used out of the records, before events are merged.
    fn forget_unusable(&mut self) {
        for person in std::mem::take(&mut self.unusable)
            .into_iter()
            .filter_map(|object| object.person)
        {
            match self.records.get_mut(&person) {
                Some(record) if self.matches.contains_key(&person) => record.unusable.clear(),
                _ => {
                    self.records.remove(&person);
                }
            }
        }
    }

    /// Adds the objects that are not used to the records of their people.
    fn add_unusable(&mut self, unusable: Vec<UnusableObject>) {
        for object in &unusable {
            let Some(person) = &object.person else { continue };
            if object.salvaged.is_some() {
                self.matches.remove(person);
            }
            let (person, salvaged) = (person.clone(), object.salvaged.as_ref());
            records::add_unusable(&mut self.records, person, object.unusable.clone(), salvaged);
        }
        self.unusable = unusable;
    }

    /// Whether an object that cannot be read has this name.
    fn is_unreadable(&self, name: impl FnOnce() -> String) -> bool {
        let mut unreadable = self
            .unusable
            .iter()
            .filter(|object| object.misnamed.is_none())
            .peekable();
        unreadable.peek().is_some() && {
            let name = name();
            unreadable.any(|object| object.unusable.name == name)
        }
    }
}

/// Permits to write, shared by all integrations.
pub type WritePermits = Arc<Semaphore>;

pub fn write_permits() -> WritePermits {
    Arc::new(Semaphore::new(MAX_WRITES))
}

/// Exclusive access to the EmployeeMatches of one integration, for one reconcile.
pub struct Matches {
    objects: MatchApi,
    integration: String,
    owner: Uuid,
    /// The owner reference and label of each object.
    metadata: Value,
    shared: Arc<IntegrationMatches>,
    cache: OwnedMutexGuard<MatchCache>,
}

/// The result of writing many statuses.
#[derive(Debug, Default)]
pub struct StatusWrites {
    /// How many were written.
    pub count: usize,
    /// People whose status was not written because their object has changed.
    pub conflicts: BTreeSet<PersonId>,
}

impl Matches {
    async fn new(
        client: &Client,
        permits: WritePermits,
        integration: &OktaIntegration,
        shared: Arc<IntegrationMatches>,
    ) -> Self {
        let name = integration.name_any();
        let owner = integration.owner_ref(&());
        let mut matches = Self {
            objects: MatchApi {
                api: Api::namespaced(client.clone(), &integration.namespace().unwrap_or_default()),
                permits,
            },
            owner: uid(integration),
            metadata: json!({ "labels": { INTEGRATION_LABEL: name }, "ownerReferences": [owner] }),
            integration: name,
            cache: shared.cache.clone().lock_owned().await,
            shared,
        };
        matches.merge_events();
        matches
    }

    /// Updates the cache with the changes that the watch has seen.
    pub fn merge_events(&mut self) {
        self.shared.merge(&mut self.cache);
    }

    /// Whether anybody else changed or deleted one of the objects since the last
    /// [`merge_events`](Self::merge_events). The closure does not borrow `self`.
    pub fn needs_reconcile(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.needs_reconcile()
    }

    /// The permits to write of all integrations.
    pub fn write_permits(&self) -> WritePermits {
        self.objects.permits.clone()
    }

    /// Each person's decision and record.
    pub fn records(&self) -> &Records {
        &self.cache.records
    }

    /// The last known names of people whom the snapshot lacks: those that their statuses show, else those that
    /// their matches wrote.
    pub fn former_names(&self, snapshot: &Snapshot) -> BTreeMap<PersonId, String> {
        let mut names = resolve::former_names(snapshot, &self.cache.records);
        let matches = self.cache.matches.iter();
        let missing = matches.filter(|(id, _)| !snapshot.people().contains_key(*id));
        names.extend(missing.filter_map(|(id, cached)| Some((id.clone(), cached.earlier().person?.name))));
        names
    }

    /// The number of objects as far as the watch has seen.
    pub fn len(&self) -> usize {
        self.cache.matches.len()
    }

    /// The number of objects that the API server has now.
    ///
    /// # Errors
    /// The API server's.
    pub async fn count(&self) -> Result<usize, kube::Error> {
        let of_this = format!("spec.integrationRef.name={}", self.integration);
        let mut page = ListParams::default().fields(&of_this).limit(COUNT_PAGE);
        let mut count = 0;
        loop {
            let list = self.objects.api.list_metadata(&page).await?;
            count += list.items.len();
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => return Ok(count),
            }
        }
    }

    /// The changes that the statuses announce.
    pub fn announcements(&self) -> Announcements {
        let matches = self.cache.matches.iter();
        matches
            .map(|(id, cached)| (id.clone(), cached.announced.clone()))
            .collect()
    }

    /// Changes whenever an object is created, changed or deleted.
    pub fn digest(&self) -> Digest {
        let matches = self.cache.matches.iter();
        let used = matches.map(|(person, cached)| (person.as_str(), cached.version));
        let unusable = self.cache.unusable.iter();
        let unusable = unusable.map(|object| (object.unusable.name.as_str(), object.version));
        Digest::of_all(used.chain(unusable))
    }

    /// The objects that are not used.
    pub fn unusable(&self) -> Vec<Unusable> {
        let unusable = self.cache.unusable.iter();
        unusable.map(|object| object.unusable.clone()).collect()
    }

    /// Finds whom the objects are about that cannot be read and do not tell: their names do.
    pub fn attribute<'a>(&mut self, people: impl Iterator<Item = &'a PersonId> + Clone) {
        let mut is_changed = false;
        for object in self
            .cache
            .unusable
            .iter()
            .filter(|object| object.person.is_none())
        {
            let mut people = people.clone();
            let person = people.find(|id| match_name(&self.integration, id.as_str()) == object.unusable.name);
            is_changed |= person.is_some();
            self.shared
                .change_unusable(object.uid, |object| object.person = person.cloned());
        }
        if is_changed {
            self.merge_events();
        }
    }

    /// The objects that cannot be read and of which no Event says so yet, with the reason. They count as reported.
    pub fn take_unreported(&mut self) -> Vec<(ObjectReference, String)> {
        let mut unreported = Vec::new();
        for object in self
            .cache
            .unusable
            .iter_mut()
            .filter(|object| !object.is_reported)
        {
            if let WhyUnusable::Unreadable(why) = &object.unusable.why {
                unreported.push((object.reference.clone(), why.clone()));
                object.is_reported = true;
                self.shared
                    .change_unusable(object.uid, |object| object.is_reported = true);
            }
        }
        unreported
    }

    /// Writes the status of each object with a wrong name, with the right name in the message.
    ///
    /// # Errors
    /// The first error of the API server. An object that was changed or deleted is left to the next cycle.
    pub async fn write_wrong_names(&mut self, now: Timestamp) -> Result<(), kube::Error> {
        for object in &mut self.cache.unusable {
            let Some((right_name, cached)) = &mut object.misnamed else {
                continue;
            };
            let status = wrong_name_status(right_name, &cached.earlier(), cached.generation, now);
            if cached.has_status(Digest::of(&status)) {
                continue;
            }
            let (name, version) = (&object.unusable.name, cached.version.to_string());
            match self.objects.write_status(name, &version, &status).await {
                Ok(written) => {
                    *cached = CachedMatch::of(&written);
                    object.version = cached.version;
                    let written = object.clone();
                    self.shared
                        .change_unusable(object.uid, |object| *object = written);
                }
                Err(kube::Error::Api(answer)) if answer.code == 409 || answer.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub fn get(&self, person: &PersonId) -> Option<&CachedMatch> {
        self.cache.matches.get(person)
    }

    /// The reference for an Event about one person's object.
    pub fn reference(&self, person: &PersonId) -> Option<ObjectReference> {
        let cached = self.get(person)?;
        Some(ObjectReference {
            api_version: Some(EmployeeMatch::api_version(&()).into_owned()),
            kind: Some(EmployeeMatch::kind(&()).into_owned()),
            name: Some(match_name(&self.integration, person.as_str())),
            namespace: self.objects.api.namespace().map(str::to_owned),
            uid: Some(cached.uid.to_string()),
            resource_version: Some(cached.version.to_string()),
            field_path: None,
        })
    }

    /// The people whose object does not exist, or lacks our label or owner.
    pub fn missing<'a>(&self, people: impl Iterator<Item = &'a PersonId>) -> Vec<PersonId> {
        people.filter(|id| !self.has(id)).cloned().collect()
    }

    /// Creates people's objects, and adds label and owner to objects that others
    /// created. Returns whether one of them held a decision or record that was not
    /// cached: the assessment must then be repeated.
    ///
    /// # Errors
    /// The first error of the API server.
    pub async fn create_missing(
        &mut self,
        missing: Vec<PersonId>,
        on_progress: impl Fn(usize),
    ) -> Result<bool, kube::Error> {
        let (mut done, mut is_news) = (0, false);
        let mut missing = missing.iter();
        let mut writes = FuturesUnordered::new();
        loop {
            let more = missing.by_ref().map(|id| self.create(id));
            writes.extend(more.take(MAX_WRITES_PER_INTEGRATION - writes.len()));
            let Some(object) = writes.try_next().await? else {
                return Ok(is_news);
            };
            is_news |= self.update(&object);
            done += 1;
            on_progress(done);
        }
    }

    fn create(&self, person: &PersonId) -> impl Future<Output = Result<EmployeeMatch, kube::Error>> + use<> {
        let objects = self.objects.clone();
        let name = match_name(&self.integration, person.as_str());
        let mut metadata = self.metadata.clone();
        metadata["name"] = json!(name);
        let object = json!({
            "apiVersion": EmployeeMatch::api_version(&()),
            "kind": EmployeeMatch::kind(&()),
            "metadata": metadata,
            "spec": { "integrationRef": { "name": self.integration }, "oktaUserId": person.as_str() },
        });
        async move { objects.apply(&name, &object).await }
    }

    /// See [`MatchCache::update`].
    fn update(&mut self, object: &EmployeeMatch) -> bool {
        let is_news = self.cache.update(object);
        let person = object.spec.okta_user_id.as_str().into();
        if let Some(cached) = self.cache.matches.get(&person) {
            self.shared.record_response(&person, cached);
        }
        is_news
    }

    /// Whether a person's object exists, with our label and owner. One that cannot be read is left as it is.
    fn has(&self, person: &PersonId) -> bool {
        self.get(person)
            .is_some_and(|cached| cached.is_labelled && cached.owner == Some(self.owner))
            || self
                .cache
                .is_unreadable(|| match_name(&self.integration, person.as_str()))
    }

    /// Edits one person's status.
    ///
    /// # Errors
    /// The API server's. A conflict, and nothing is written, if the object differs
    /// from the cached one.
    pub async fn edit_status(
        &mut self,
        person: &PersonId,
        edit: impl FnOnce(&mut EmployeeMatchStatus),
    ) -> Result<(), kube::Error> {
        self.edit_statuses(vec![(person.clone(), edit)]).await
    }

    /// Edits many people's statuses.
    ///
    /// # Errors
    /// The first error of the API server, or the first conflict; earlier edits are written.
    pub async fn edit_statuses<E: FnOnce(&mut EmployeeMatchStatus)>(
        &mut self,
        edits: Vec<(PersonId, E)>,
    ) -> Result<(), kube::Error> {
        let edits: Vec<_> = edits
            .into_iter()
            .map(|(person, edit)| {
                let current = self.read_current(&person);
                let objects = self.objects.clone();
                async move {
                    let object = match current.await? {
                        Current::Unchanged(object) => object,
                        changed @ Current::Changed(_) => return Ok::<_, kube::Error>(changed),
                    };
                    let mut status = object.status.clone().unwrap_or_default();
                    edit(&mut status);
                    if object.status.as_ref() == Some(&status) {
                        return Ok(Current::Unchanged(object));
                    }
                    let version = object.resource_version().unwrap_or_default();
                    let written = objects
                        .write_status(&object.name_any(), &version, &status)
                        .await?;
                    Ok(Current::Unchanged(written.into()))
                }
            })
            .collect();
        let mut edits = stream::iter(edits).buffer_unordered(MAX_WRITES_PER_INTEGRATION);
        let mut changed = None;
        while let Some(current) = edits.try_next().await? {
            let (Current::Unchanged(object) | Current::Changed(object)) = &current;
            self.update(object);
            if let Current::Changed(object) = current {
                changed.get_or_insert(object);
            }
        }
        changed.map_or(Ok(()), |object| Err(conflict(&object)))
    }

    /// Checks that one person's object is the cached one, before a write to Insightful
    /// that no write to its status precedes.
    ///
    /// # Errors
    /// The API server's. A conflict if the object has changed.
    pub async fn confirm(&mut self, person: &PersonId) -> Result<(), kube::Error> {
        match self.read_current(person).await? {
            Current::Unchanged(_) => Ok(()),
            Current::Changed(object) => {
                self.update(&object);
                Err(conflict(&object))
            }
        }
    }

    fn read_current(&self, person: &PersonId) -> impl Future<Output = Result<Current, kube::Error>> + use<> {
        let api = self.objects.api.clone();
        let name = match_name(&self.integration, person.as_str());
        let cached = self.get(person).map(|cached| cached.version);
        async move {
            let object = Box::new(api.get(&name).await?);
            Ok(if cached == Some(version(&*object)) {
                Current::Unchanged(object)
            } else {
                Current::Changed(object)
            })
        }
    }

    /// Writes the statuses that changed. `on_progress` takes the number of people that are done.
    ///
    /// # Errors
    /// The first error of the API server.
    pub async fn write_statuses(
        &mut self,
        mut people: impl Iterator<Item = &PersonId>,
        status_of: impl Fn(&PersonId, &Record, &CachedMatch) -> EmployeeMatchStatus,
        on_progress: impl Fn(usize),
    ) -> Result<StatusWrites, kube::Error> {
        let mut written = StatusWrites::default();
        let mut done = 0;
        let mut writes = FuturesUnordered::new();
        loop {
            while writes.len() < MAX_WRITES_PER_INTEGRATION
                && let Some(id) = people.next()
            {
                done += 1;
                let (Some(record), Some(cached)) = (self.cache.records.get(id), self.get(id)) else {
                    continue;
                };
                let status = status_of(id, record, cached);
                if cached.has_status(Digest::of(&status)) {
                    continue;
                }
                let (id, version, objects) = (id.clone(), cached.version.to_string(), self.objects.clone());
                let name = match_name(&self.integration, id.as_str());
                writes.push(async move {
                    let response = objects.write_status(&name, &version, &status).await;
                    (id, response)
                });
            }
            let Some((id, response)) = writes.next().await else {
                return Ok(written);
            };
            match response {
                Ok(object) => {
                    self.update(&object);
                    written.count += 1;
                }
                Err(error) if is_conflict(&error) => {
                    written.conflicts.insert(id);
                }
                Err(error) => return Err(error),
            }
            on_progress(done - writes.len());
        }
    }
}

/// An object as the API server has it now, compared with the cached one.
enum Current {
    Unchanged(Box<EmployeeMatch>),
    Changed(Box<EmployeeMatch>),
}

fn conflict(object: &EmployeeMatch) -> kube::Error {
    let message = format!("EmployeeMatch {} has changed", object.name_any());
    kube::Error::Api(Status::failure(&message, "Conflict").with_code(409).boxed())
}

/// Whether somebody else changed the object since it was read.
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// The objects on the API server.
#[derive(Clone)]
struct MatchApi {
    api: Api<EmployeeMatch>,
    permits: WritePermits,
}

impl MatchApi {
    /// Creates an object, or sets our fields on it.
    async fn apply(&self, name: &str, object: &Value) -> Result<EmployeeMatch, kube::Error> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await;
        let params = PatchParams::apply(FIELD_MANAGER);
        self.api.patch(name, &params, &apply_patch(object)?).await
    }

    /// Writes a status over exactly this version of the object.
    async fn write_status(
        &self,
        name: &str,
        version: &str,
        status: &EmployeeMatchStatus,
    ) -> Result<EmployeeMatch, kube::Error> {
        let metadata = json!({ "name": name, "resourceVersion": version });
        let _permit = self.permits.acquire().await;
        status::write(&self.api, metadata, status).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use kube::client::Body;

    use super::*;

    /// An API server that takes a second for each write and records the highest concurrency.
    fn slow_api_server(max_in_flight: Arc<AtomicUsize>) -> Client {
        let in_flight = Arc::new(AtomicUsize::new(0));
        let service = tower::service_fn(move |_: http::Request<Body>| {
            let (in_flight, max_in_flight) = (in_flight.clone(), max_in_flight.clone());
            async move {
                max_in_flight.fetch_max(in_flight.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                in_flight.fetch_sub(1, Ordering::Relaxed);
                let object = json!({
                    "metadata": {},
                    "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "00u1" },
                });
                Ok::<_, Infallible>(http::Response::new(Body::from(object.to_string().into_bytes())))
            }
        });
        Client::new(service, "people")
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_writes_of_all_integrations_are_limited() {
        let max_in_flight = Arc::new(AtomicUsize::new(0));
        let objects = MatchApi {
            api: Api::default_namespaced(slow_api_server(max_in_flight.clone())),
            permits: write_permits(),
        };
        let integration = |objects: MatchApi| async move {
            let status = EmployeeMatchStatus::default();
            let object = json!({});
            let creations = (0..40).map(|_| objects.apply("acme-00u1", &object));
            let created: Vec<_> = stream::iter(creations)
                .buffer_unordered(MAX_WRITES_PER_INTEGRATION)
                .try_collect()
                .await
                .unwrap();
            let statuses = (0..40).map(|_| objects.write_status("acme-00u1", "1", &status));
            let written: Vec<_> = stream::iter(statuses)
                .buffer_unordered(MAX_WRITES_PER_INTEGRATION)
                .try_collect()
                .await
                .unwrap();
            created.len() + written.len()
        };
        let integrations = (0..5).map(|_| integration(objects.clone()));
        let written: usize = futures::future::join_all(integrations).await.into_iter().sum();
        assert_eq!(
            (written, max_in_flight.load(Ordering::Relaxed)),
            (400, MAX_WRITES)
        );
    }
}
