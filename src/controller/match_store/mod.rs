//! The EmployeeMatches of one integration: what is known of them, creating them,
//! writing their statuses.
//!
//! Every status is written over the very version that it was made for. So what
//! is known may lag behind the cluster by a moment: the API server then refuses
//! the write, and neither a decision made meanwhile nor another replica's record
//! is overlooked.

mod cached;
mod store;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, FuturesUnordered},
};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
    core::Status,
};
use serde_json::{Value, json};
use tokio::sync::{OwnedMutexGuard, Semaphore};

use crate::{
    api::{
        EmployeeMatch, EmployeeMatchStatus, FIELD_MANAGER, INTEGRATION_LABEL, OktaIntegration, match_name,
    },
    model::{PersonId, digest::Digest},
    rules::{
        approval::Announcements,
        resolve::{Record, Records},
    },
};

pub use cached::CachedMatch;
pub use store::{MatchStore, Unreadable};

use cached::{Uid, Version};
use store::IntegrationMatches;

/// How many objects of one integration are written at a time.
const MAX_WRITES_PER_INTEGRATION: usize = 16;

/// How many of all integrations: the API server has others to serve.
const MAX_WRITES: usize = 32;

/// What is known of an integration's EmployeeMatches.
#[derive(Default)]
struct MatchCache {
    records: Records,
    kept: BTreeMap<PersonId, CachedMatch>,
}

impl MatchCache {
    fn insert(&mut self, person: PersonId, kept: CachedMatch, record: Record) {
        self.records.insert(person.clone(), record);
        self.kept.insert(person, kept);
    }

    /// Takes what the API server answered. Gives whether it holds anything for
    /// the core that was not known.
    fn update(&mut self, object: &EmployeeMatch) -> bool {
        let person: PersonId = object.spec.okta_user_id.as_str().into();
        let record = Record::from(object);
        let is_news = match self.records.get(&person) {
            Some(before) => *before != record,
            None => record != Record::default(),
        };
        self.insert(person, CachedMatch::of(object), record);
        is_news
    }

    fn remove(&mut self, gone: &HashSet<Uid>) {
        if gone.is_empty() {
            return;
        }
        let Self { records, kept } = self;
        kept.retain(|person, kept| {
            let stays = !gone.contains(&kept.uid);
            if !stays {
                records.remove(person);
            }
            stays
        });
    }
}

/// Turns to write, which all integrations share.
pub type WritePermits = Arc<Semaphore>;

/// As many permits as there may be writes under way.
pub fn write_permits() -> WritePermits {
    Arc::new(Semaphore::new(MAX_WRITES))
}

/// The EmployeeMatches of one integration, in the hands of its reconcile.
pub struct Matches {
    objects: MatchApi,
    integration: String,
    /// Uid of the integration.
    owner: Uid,
    /// The owner reference and label that each object gets.
    metadata: Value,
    of_integration: Arc<IntegrationMatches>,
    known: OwnedMutexGuard<MatchCache>,
}

/// What came of writing many statuses.
#[derive(Debug, Default)]
pub struct StatusWrites {
    /// How many were written.
    pub count: usize,
    /// People whose object was changed meanwhile: nothing was written, since
    /// what would be said rests on the object before the change.
    pub conflicts: BTreeSet<PersonId>,
}

impl Matches {
    async fn new(
        client: &Client,
        permits: WritePermits,
        integration: &OktaIntegration,
        of_integration: Arc<IntegrationMatches>,
    ) -> Self {
        let name = integration.name_any();
        let owner = integration.owner_ref(&());
        let mut matches = Self {
            objects: MatchApi {
                api: Api::namespaced(client.clone(), &integration.namespace().unwrap_or_default()),
                permits,
            },
            owner: integration.uid().unwrap_or_default().as_str().into(),
            metadata: json!({ "labels": { INTEGRATION_LABEL: name }, "ownerReferences": [owner] }),
            integration: name,
            known: of_integration.known.clone().lock_owned().await,
            of_integration,
        };
        matches.merge_events();
        matches
    }

    /// Takes in what was changed in the cluster since the last look.
    pub fn merge_events(&mut self) {
        self.of_integration.merge(&mut self.known);
    }

    /// Whether somebody changed or removed one of the objects since the last
    /// [`merge_events`](Self::merge_events). Outlives this.
    pub fn needs_reconcile(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let of_integration = Arc::clone(&self.of_integration);
        move || of_integration.needs_reconcile()
    }

    /// What the cluster remembers of each person.
    pub fn records(&self) -> &Records {
        &self.known.records
    }

    /// What the statuses announce, as they stand.
    pub fn announcements(&self) -> Announcements {
        let kept = self.known.kept.iter();
        kept.map(|(id, kept)| (id.clone(), kept.announced.clone()))
            .collect()
    }

    /// A short stand-in for all that is known: who has an object, and which
    /// version of it.
    pub fn digest(&self) -> Digest {
        let kept = self.known.kept.iter();
        Digest::of_all(kept.map(|(person, kept)| (person, kept.version.to_string())))
    }

    /// What is kept of one person's object.
    pub fn get(&self, person: &PersonId) -> Option<&CachedMatch> {
        self.known.kept.get(person)
    }

    /// What an event about one person's object refers to.
    pub fn reference(&self, person: &PersonId) -> Option<ObjectReference> {
        let kept = self.get(person)?;
        Some(ObjectReference {
            api_version: Some(EmployeeMatch::api_version(&()).into_owned()),
            kind: Some(EmployeeMatch::kind(&()).into_owned()),
            name: Some(match_name(&self.integration, person.as_str())),
            namespace: self.objects.api.namespace().map(str::to_owned),
            uid: Some(kept.uid.to_string()),
            resource_version: Some(kept.version.to_string()),
            field_path: None,
        })
    }

    /// The people whose object is not there, or lacks our label or owner.
    pub fn missing<'a>(&self, people: impl Iterator<Item = &'a PersonId>) -> Vec<PersonId> {
        people.filter(|id| !self.has(id)).cloned().collect()
    }

    /// Creates people's objects, and gives label and owner to those made by
    /// others. Gives whether one was there already with a decision or a record
    /// that was not known: what was thought before rests on less.
    ///
    /// # Errors
    /// The API server's first.
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

    /// Creates one person's object, or gives it label and owner.
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

    /// Takes what the API server answered. Gives whether it holds anything for
    /// the core that was not known.
    fn update(&mut self, object: &EmployeeMatch) -> bool {
        let is_news = self.known.update(object);
        let person = object.spec.okta_user_id.as_str().into();
        if let Some(kept) = self.known.kept.get(&person) {
            self.of_integration.answered(&person, kept);
        }
        is_news
    }

    /// Whether a person's object is there, with our label and owner.
    fn has(&self, person: &PersonId) -> bool {
        self.get(person)
            .is_some_and(|kept| kept.is_labelled && kept.owner.as_ref() == Some(&self.owner))
    }

    /// Edits one person's status as it stands in the cluster.
    ///
    /// # Errors
    /// The API server's. A conflict, and nothing written, if the object is not
    /// the one that was known: it was changed meanwhile.
    pub async fn edit_status(
        &mut self,
        person: &PersonId,
        edit: impl FnOnce(&mut EmployeeMatchStatus),
    ) -> Result<(), kube::Error> {
        self.edit_statuses(vec![(person.clone(), edit)]).await
    }

    /// The same for many people at a time.
    ///
    /// # Errors
    /// The API server's first, or the first conflict; what was written until then stands.
    pub async fn edit_statuses<E: FnOnce(&mut EmployeeMatchStatus)>(
        &mut self,
        edits: Vec<(PersonId, E)>,
    ) -> Result<(), kube::Error> {
        let edits: Vec<_> = edits
            .into_iter()
            .map(|(person, edit)| {
                let confirmed = self.read_current(&person);
                let objects = self.objects.clone();
                async move {
                    let object = match confirmed.await? {
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
        while let Some(confirmed) = edits.try_next().await? {
            let (Current::Unchanged(object) | Current::Changed(object)) = &confirmed;
            self.update(object);
            if let Current::Changed(object) = confirmed {
                changed.get_or_insert(object);
            }
        }
        changed.map_or(Ok(()), |object| Err(conflict(&object)))
    }

    /// Makes sure that one person's object is the one that is known, for a
    /// write outside that is not preceded by one to its status.
    ///
    /// # Errors
    /// The API server's. A conflict if it was changed meanwhile.
    pub async fn confirm(&mut self, person: &PersonId) -> Result<(), kube::Error> {
        match self.read_current(person).await? {
            Current::Unchanged(_) => Ok(()),
            Current::Changed(object) => {
                self.update(&object);
                Err(conflict(&object))
            }
        }
    }

    /// Reads one person's object, to see whether it is the one that is known.
    fn read_current(&self, person: &PersonId) -> impl Future<Output = Result<Current, kube::Error>> + use<> {
        let api = self.objects.api.clone();
        let name = match_name(&self.integration, person.as_str());
        let known = self.get(person).map(|kept| kept.version.clone());
        async move {
            let object = Box::new(api.get(&name).await?);
            let version = object.resource_version();
            let is_known = known.is_some_and(|known| Some(known) == version.as_deref().map(Version::from));
            Ok(if is_known {
                Current::Unchanged(object)
            } else {
                Current::Changed(object)
            })
        }
    }

    /// Writes the statuses that say anything new, many at a time. `status_of`
    /// gives a person's; `on_progress` is told of how many people it is done.
    ///
    /// # Errors
    /// The API server's first.
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
                let (Some(record), Some(kept)) = (self.known.records.get(id), self.get(id)) else {
                    continue;
                };
                let status = status_of(id, record, kept);
                if kept.has_status(Digest::of(&status)) {
                    continue;
                }
                let (id, version, objects) = (id.clone(), kept.version.to_string(), self.objects.clone());
                let name = match_name(&self.integration, id.as_str());
                writes.push(async move {
                    let answer = objects.write_status(&name, &version, &status).await;
                    (id, answer)
                });
            }
            let Some((id, answer)) = writes.next().await else {
                return Ok(written);
            };
            match answer {
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

/// An object as the API server has it.
enum Current {
    /// It is the one that is known.
    Unchanged(Box<EmployeeMatch>),
    /// It was changed meanwhile.
    Changed(Box<EmployeeMatch>),
}

fn conflict(object: &EmployeeMatch) -> kube::Error {
    let message = format!("EmployeeMatch {} was changed meanwhile", object.name_any());
    kube::Error::Api(Status::failure(&message, "Conflict").with_code(409).boxed())
}

/// Whether somebody else changed the object since it was read.
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// The objects on the API server, written by permits.
#[derive(Clone)]
struct MatchApi {
    api: Api<EmployeeMatch>,
    permits: WritePermits,
}

impl MatchApi {
    /// Creates an object, or gives it the fields that are ours.
    async fn apply(&self, name: &str, object: &Value) -> Result<EmployeeMatch, kube::Error> {
        // Nobody closes the permits.
        let _permit = self.permits.acquire().await;
        let params = PatchParams::apply(FIELD_MANAGER);
        self.api.patch(name, &params, &Patch::Apply(object)).await
    }

    /// Writes a status over this very version of the object.
    async fn write_status(
        &self,
        name: &str,
        version: &str,
        status: &EmployeeMatchStatus,
    ) -> Result<EmployeeMatch, kube::Error> {
        let patch = json!({
            "apiVersion": EmployeeMatch::api_version(&()),
            "kind": EmployeeMatch::kind(&()),
            "metadata": { "name": name, "resourceVersion": version },
            "status": status,
        });
        let _permit = self.permits.acquire().await;
        // The whole status is ours: whoever else wrote a field of it has no say.
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.api.patch_status(name, &params, &Patch::Apply(patch)).await
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

    /// An API server that takes a second for each write and counts those under way.
    fn slow_api_server(most: Arc<AtomicUsize>) -> Client {
        let under_way = Arc::new(AtomicUsize::new(0));
        let service = tower::service_fn(move |_: http::Request<Body>| {
            let (under_way, most) = (under_way.clone(), most.clone());
            async move {
                most.fetch_max(under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                under_way.fetch_sub(1, Ordering::Relaxed);
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
    async fn all_integrations_together_write_so_many_at_a_time() {
        let most = Arc::new(AtomicUsize::new(0));
        let objects = MatchApi {
            api: Api::default_namespaced(slow_api_server(most.clone())),
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
        assert_eq!((written, most.load(Ordering::Relaxed)), (400, MAX_WRITES));
    }
}
