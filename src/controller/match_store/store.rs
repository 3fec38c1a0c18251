//! Watches the EmployeeMatches of one namespace, or of all, for all integrations,
//! and reports which integrations need a reconcile.
//!
//! The watch and the reconciles never wait for each other: events are pending per
//! integration until its next reconcile merges them. Each object is in memory
//! once, also on a standby, where all events stay pending.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use futures::StreamExt;
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::ObjectRef,
        watcher::{self, Event},
    },
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::{
    MatchCache, Matches, WritePermits,
    cached::{CachedMatch, uid, version},
    watched::Watched,
};
use crate::{api::OktaIntegration, controller::readiness, model::PersonId, rules::resolve::Record};

/// The capacity of the queue of integrations that need a reconcile; the watch waits while it is full.
const QUEUE_CAPACITY: usize = 1024;

/// An EmployeeMatch that this version of the operator cannot read. It may hold a
/// decision, so that its integration is not synced.
#[derive(Debug, thiserror::Error)]
#[error("EmployeeMatch {name} cannot be read by this version of the operator: {why}")]
pub struct Unreadable {
    pub name: String,
    pub why: String,
}

/// See the module.
pub struct MatchStore {
    namespace: Option<String>,
    write_permits: WritePermits,
    by_integration: Mutex<HashMap<Key, Arc<IntegrationMatches>>>,
    ready: watch::Sender<bool>,
}

/// Namespace and name of an integration.
type Key = (String, String);

/// The matches of one integration.
#[derive(Default)]
pub(super) struct IntegrationMatches {
    /// Locked by the reconcile in progress.
    pub(super) cache: Arc<tokio::sync::Mutex<MatchCache>>,
    pending: Mutex<PendingEvents>,
}

/// The events since the last reconcile merged them.
#[derive(Default)]
struct PendingEvents {
    /// All objects that exist.
    seen: HashMap<Uuid, Seen>,
    changed: BTreeMap<PersonId, (CachedMatch, Record)>,
    /// Versions that reconciles know from responses to their writes. The watch's
    /// events up to them carry nothing new.
    responses: HashMap<Uuid, u64>,
    gone: HashSet<Uuid>,
    unreadable: HashMap<Uuid, (String, String)>,
    needs_reconcile: bool,
}

/// An object as the watch last saw it.
struct Seen {
    /// Tells a changed spec from a changed status.
    generation: Option<i64>,
    /// The number of the list that last contained it, or that preceded its creation.
    list: u32,
}

impl IntegrationMatches {
    fn pending(&self) -> MutexGuard<'_, PendingEvents> {
        self.pending.lock()
    }

    /// Merges the pending events into `cache`, which may already hold later versions
    /// from responses to our own writes.
    pub(super) fn merge(&self, cache: &mut MatchCache) {
        let (changed, gone) = {
            let mut pending = self.pending();
            pending.needs_reconcile = false;
            (
                std::mem::take(&mut pending.changed),
                std::mem::take(&mut pending.gone),
            )
        };
        cache.remove(&gone);
        for (person, (cached, record)) in changed {
            let is_news = cache
                .matches
                .get(&person)
                .is_none_or(|have| cached.version > have.version);
            if is_news {
                cache.insert(person, cached, record);
            }
        }
    }

    /// Records that a reconcile has this version from a response to its write.
    pub(super) fn record_response(&self, person: &PersonId, cached: &CachedMatch) {
        let mut pending = self.pending();
        if let Some((event, _)) = pending.changed.get(person) {
            if event.version > cached.version {
                return;
            }
            let is_this = event.version == cached.version;
            pending.changed.remove(person);
            if is_this {
                return;
            }
        }
        pending.responses.insert(cached.uid, cached.version);
    }

    pub(super) fn needs_reconcile(&self) -> bool {
        self.pending().needs_reconcile
    }

    fn unreadable(&self) -> Option<Unreadable> {
        let pending = self.pending();
        let (name, why) = pending.unreadable.values().min()?.clone();
        Some(Unreadable { name, why })
    }
}

impl MatchStore {
    /// A store of one namespace, or of all; empty until [`Self::follow`] has read the list.
    pub fn new(namespace: Option<String>, write_permits: WritePermits) -> Self {
        Self {
            namespace,
            write_permits,
            by_integration: Mutex::default(),
            ready: watch::Sender::new(false),
        }
    }

    pub fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    /// Whether the first list is complete.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Locks the matches of one integration for a reconcile. Waits for the first list
    /// to be complete: until then a missing match proves nothing.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub async fn matches(
        &self,
        client: &Client,
        integration: &OktaIntegration,
    ) -> Result<Matches, Unreadable> {
        // The sender lives as long as the store.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
        let key = (
            integration.namespace().unwrap_or_default(),
            integration.name_any(),
        );
        let shared = self.integration_matches(&key);
        if let Some(unreadable) = shared.unreadable() {
            return Err(unreadable);
        }
        let permits = self.write_permits.clone();
        Ok(Matches::new(client, permits, integration, shared).await)
    }

    /// Watches for ever. Returns the integrations that need a reconcile: a match's spec
    /// was changed, or a match was deleted. The operator's own writes need none.
    pub fn follow(
        self: Arc<Self>,
        api: Api<Watched>,
        initial_list: Arc<readiness::InitialList>,
    ) -> mpsc::Receiver<ObjectRef<OktaIntegration>> {
        let (sender, receiver) = mpsc::channel(QUEUE_CAPACITY);
        tokio::spawn(async move {
            let events = watcher::watcher(api, watcher::Config::default()).default_backoff();
            let events = initial_list.observe(events);
            futures::pin_mut!(events);
            let mut list = 0;
            while let Some(event) = events.next().await {
                // The watcher retries by itself.
                let Ok(event) = event else { continue };
                for (namespace, name) in self.handle_event(event, &mut list) {
                    let integration = ObjectRef::new(&name).within(&namespace);
                    if sender.send(integration).await.is_err() {
                        // The operator is shutting down.
                        return;
                    }
                }
            }
        });
        receiver
    }

    fn integration_matches(&self, key: &Key) -> Arc<IntegrationMatches> {
        let mut by_integration = self.by_integration.lock();
        match by_integration.get(key) {
            Some(shared) => shared.clone(),
            None => by_integration.entry(key.clone()).or_default().clone(),
        }
    }

    /// Returns the integrations that need a reconcile. `list` counts the lists so far.
    fn handle_event(&self, event: Event<Watched>, list: &mut u32) -> Vec<Key> {
        match event {
            Event::Init => {
                *list += 1;
                Vec::new()
            }
            // Every integration is reconciled anyway after the first list.
            Event::InitApply(object) => self
                .handle_applied(object, *list)
                .filter(|_| self.is_ready())
                .into_iter()
                .collect(),
            Event::InitDone => {
                let integrations = self.forget_unlisted(*list);
                self.ready.send_replace(true);
                integrations
            }
            Event::Apply(object) => self.handle_applied(object, *list).into_iter().collect(),
            Event::Delete(object) => self.handle_deleted(&object).into_iter().collect(),
        }
    }

    fn handle_applied(&self, object: Watched, list: u32) -> Option<Key> {
        let (key, person) = whose(&object)?;
        let shared = self.integration_matches(&key);
        let uid = uid(&object);
        let version = version(&object);
        let generation = object.meta().generation;
        let is_ours = object.is_only_ours();
        let mut pending = shared.pending();
        pending.unreadable.remove(&uid);
        if pending.is_news(uid, version) {
            let name = object.name_any();
            match object.read() {
                Ok(object) => {
                    let changed = (CachedMatch::of(&object), Record::from(&object));
                    pending.changed.insert(person, changed);
                }
                Err(error) => {
                    tracing::warn!(name, %error, "an EmployeeMatch cannot be read");
                    pending.unreadable.insert(uid, (name, error.to_string()));
                }
            }
        }
        let needs_reconcile = match pending.seen.insert(uid, Seen { generation, list }) {
            Some(before) => before.generation != generation,
            None => !is_ours,
        };
        pending.needs_reconcile |= needs_reconcile;
        drop(pending);
        needs_reconcile.then_some(key)
    }

    fn handle_deleted(&self, object: &Watched) -> Option<Key> {
        let (key, person) = whose(object)?;
        let shared = self.integration_matches(&key);
        let uid = uid(object);
        let mut pending = shared.pending();
        if pending
            .changed
            .get(&person)
            .is_some_and(|(cached, _)| cached.uid == uid)
        {
            pending.changed.remove(&person);
        }
        pending.forget(uid);
        pending.needs_reconcile = true;
        let is_empty = pending.seen.is_empty();
        drop(pending);
        if is_empty {
            let mut by_integration = self.by_integration.lock();
            by_integration.remove(&key);
        }
        Some(key)
    }

    /// Removes the objects that a complete list does not contain.
    fn forget_unlisted(&self, list: u32) -> Vec<Key> {
        let by_integration = self.by_integration.lock();
        let mut affected = Vec::new();
        for (key, shared) in by_integration.iter() {
            let mut pending = shared.pending();
            let unlisted = pending.seen.iter().filter(|(_, seen)| seen.list != list);
            let unlisted: Vec<Uuid> = unlisted.map(|(uid, _)| *uid).collect();
            if unlisted.is_empty() {
                continue;
            }
            affected.push(key.clone());
            for uid in unlisted {
                pending.forget(uid);
            }
            let PendingEvents { changed, gone, .. } = &mut *pending;
            changed.retain(|_, (cached, _)| !gone.contains(&cached.uid));
        }
        affected
    }
}

impl PendingEvents {
    /// Whether this version is later than the one of any response.
    fn is_news(&mut self, uid: Uuid, version: u64) -> bool {
        let Some(&response) = self.responses.get(&uid) else {
            return true;
        };
        let is_news = version > response;
        if is_news || version == response {
            self.responses.remove(&uid);
        }
        is_news
    }

    fn forget(&mut self, uid: Uuid) {
        self.seen.remove(&uid);
        self.unreadable.remove(&uid);
        self.responses.remove(&uid);
        self.gone.insert(uid);
    }
}

/// The integration and the person that an object belongs to.
fn whose(object: &Watched) -> Option<(Key, PersonId)> {
    let (integration, person) = object.belongs_to()?;
    let namespace = object.namespace().unwrap_or_default();
    Some(((namespace, integration.to_owned()), person.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::{Decision, FIELD_MANAGER, match_name};

    /// A store, and the number of lists so far.
    struct Watch {
        store: MatchStore,
        list: u32,
    }

    /// A UUID for `u1`, `u2` and so on.
    fn uuid(uid: &str) -> String {
        format!("{:0>8}-0000-0000-0000-000000000000", uid.trim_start_matches('u'))
    }

    /// A version of a person's match, with other values at some JSON pointers.
    fn object(person: &str, uid: &str, version: u64, more: Value) -> Watched {
        let mut object = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
            "metadata": {
                "namespace": "people", "name": match_name("acme", person), "uid": uuid(uid),
                "resourceVersion": version.to_string(), "generation": 1,
                "managedFields": [{ "manager": FIELD_MANAGER }],
            },
            "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": person },
        });
        for (pointer, value) in more.as_object().unwrap() {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            object.pointer_mut(parent).unwrap()[field] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    impl Watch {
        fn new() -> Self {
            Self {
                store: MatchStore::new(None, super::super::write_permits()),
                list: 0,
            }
        }

        fn listed(objects: Vec<Watched>) -> Self {
            let mut watched = Self::new();
            assert_eq!(watched.list(objects), 0);
            watched
        }

        /// How many integrations need a reconcile after an event.
        fn handle_event(&mut self, event: Event<Watched>) -> usize {
            self.store.handle_event(event, &mut self.list).len()
        }

        fn list(&mut self, objects: Vec<Watched>) -> usize {
            let mut count = self.handle_event(Event::Init);
            for object in objects {
                count += self.handle_event(Event::InitApply(object));
            }
            count + self.handle_event(Event::InitDone)
        }

        fn integration_matches(&self) -> Arc<IntegrationMatches> {
            self.store.integration_matches(&("people".into(), "acme".into()))
        }

        /// The cached people after a merge, with the versions of their objects.
        fn merge(&self, cache: &mut MatchCache) -> Vec<String> {
            self.integration_matches().merge(cache);
            assert!(cache.records.keys().eq(cache.matches.keys()));
            cache
                .matches
                .iter()
                .map(|(person, cached)| format!("{person}@{}", cached.version))
                .collect()
        }
    }

    fn none() -> Value {
        json!({})
    }

    #[test]
    fn a_changed_spec_needs_a_reconcile_and_a_changed_status_does_not() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none())]);
        let mut apply = |object| watched.handle_event(Event::Apply(object));
        assert_eq!(apply(object("a", "u1", 2, none())), 0, "status");
        let decided = json!({ "/metadata/generation": 2 });
        assert_eq!(apply(object("a", "u1", 3, decided.clone())), 1, "decision");
        assert_eq!(apply(object("b", "u2", 4, none())), 0, "created by us");
        let by_git = json!({ "/metadata/managedFields": [{ "manager": "flux" }] });
        assert_eq!(apply(object("c", "u3", 5, by_git.clone())), 1, "created by Git");
        let foreign = json!({ "/metadata/name": "acme-d" });
        assert_eq!(apply(object("d", "u4", 6, foreign)), 0, "under a foreign name");
        assert_eq!(
            watched.handle_event(Event::Delete(object("c", "u3", 7, none()))),
            1
        );
        let decided_again = json!({ "/metadata/generation": 3 });
        let list = vec![
            object("a", "u1", 8, decided_again),
            object("b", "u2", 4, none()),
            object("e", "u5", 9, by_git),
        ];
        assert_eq!(watched.list(list), 2, "a decision, and an object created by Git");
        let mut cache = MatchCache::default();
        assert_eq!(watched.merge(&mut cache), ["a@8", "b@4", "e@9"]);
    }

    #[test]
    fn the_store_is_not_ready_before_the_first_list_is_complete() {
        let mut watched = Watch::new();
        watched.handle_event(Event::Init);
        watched.handle_event(Event::InitApply(object("a", "u1", 1, none())));
        assert!(!watched.store.is_ready());
        watched.handle_event(Event::Init);
        watched.handle_event(Event::InitDone);
        assert!(watched.store.is_ready());
        assert_eq!(
            watched.merge(&mut MatchCache::default()),
            [""; 0],
            "the list that was completed does not contain it"
        );
    }

    #[test]
    fn an_event_never_replaces_a_later_response() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none())]);
        let mut cache = MatchCache::default();
        assert_eq!(watched.merge(&mut cache), ["a@1"]);
        let written = object("a", "u1", 9, json!({ "/status": { "state": "Review" } }));
        cache.update(&written.read().unwrap());
        let decided = json!({ "/spec/decision": "Ignore", "/metadata/generation": 2 });
        watched.handle_event(Event::Apply(object("a", "u1", 8, decided.clone())));
        assert_eq!(watched.merge(&mut cache), ["a@9"]);
        assert_eq!(cache.records[&"a".into()].decision, Decision::Auto);
        watched.handle_event(Event::Apply(object("a", "u1", 10, decided)));
        assert_eq!(watched.merge(&mut cache), ["a@10"]);
        assert_eq!(cache.records[&"a".into()].decision, Decision::Ignore);
    }

    #[test]
    fn events_of_our_own_writes_are_not_pending() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none())]);
        let mut cache = MatchCache::default();
        watched.merge(&mut cache);
        let shared = watched.integration_matches();
        let mut respond = |version| {
            cache.update(&object("a", "u1", version, none()).read().unwrap());
            shared.record_response(&"a".into(), &cache.matches[&"a".into()]);
        };
        let waiting = || {
            let pending = shared.pending();
            let changed = pending.changed.values().next();
            let changed = changed.map(|(cached, _)| cached.version.to_string());
            (changed, pending.responses.len())
        };
        respond(2);
        respond(3);
        watched.handle_event(Event::Apply(object("a", "u1", 2, none())));
        assert_eq!(waiting(), (None, 1));
        watched.handle_event(Event::Apply(object("a", "u1", 3, none())));
        assert_eq!(waiting(), (None, 0), "the watch has caught up");
        watched.handle_event(Event::Apply(object("a", "u1", 4, none())));
        assert_eq!(waiting(), (Some("4".into()), 0), "a write of somebody else");
        respond(4);
        assert_eq!(waiting(), (None, 0), "the event came before the response");
        watched.handle_event(Event::Apply(object("a", "u1", 6, none())));
        respond(5);
        assert_eq!(waiting(), (Some("6".into()), 0));
        respond(7);
        assert_eq!(waiting(), (None, 1));
        watched.handle_event(Event::Delete(object("a", "u1", 8, none())));
        assert_eq!(waiting(), (None, 0));
    }

    #[test]
    fn a_response_with_an_unseen_decision_is_news() {
        let mut cache = MatchCache::default();
        let decided = json!({ "/spec/decision": "Ignore", "/metadata/generation": 2 });
        let mut is_news = |object: Watched| cache.update(&object.read().unwrap());
        assert!(!is_news(object("a", "u1", 1, none())), "just created");
        assert!(!is_news(object("a", "u1", 2, none())));
        assert!(is_news(object("a", "u1", 3, decided.clone())));
        assert!(is_news(object("b", "u2", 4, decided)), "existed already");
    }

    #[test]
    fn a_deleted_object_is_removed_and_its_successor_stays() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none()), object("b", "u2", 2, none())]);
        let mut cache = MatchCache::default();
        watched.merge(&mut cache);
        // Deleted by somebody, and created again by us before the event.
        cache.update(&object("a", "u9", 5, none()).read().unwrap());
        watched.handle_event(Event::Delete(object("a", "u1", 4, none())));
        assert_eq!(watched.merge(&mut cache), ["a@5", "b@2"]);
        watched.handle_event(Event::Apply(object("a", "u9", 5, none())));
        assert_eq!(watched.list(vec![object("a", "u9", 5, none())]), 1, "b is gone");
        assert_eq!(watched.merge(&mut cache), ["a@5"]);
        watched.handle_event(Event::Apply(object("c", "u3", 6, none())));
        watched.handle_event(Event::Delete(object("c", "u3", 7, none())));
        assert_eq!(
            watched.merge(&mut cache),
            ["a@5"],
            "created and deleted between two merges"
        );
        watched.handle_event(Event::Delete(object("a", "u9", 8, none())));
        assert!(watched.store.by_integration.lock().is_empty());
    }

    #[test]
    fn an_unreadable_object_stops_its_own_integration_only() {
        let unreadable = json!({ "/spec/decision": "Promote" });
        let mut watched = Watch::listed(vec![object("a", "u1", 1, unreadable.clone())]);
        let why = watched.integration_matches().unreadable().unwrap().to_string();
        assert!(why.contains("acme-a-") && why.contains("Promote"), "{why}");
        let other = watched
            .store
            .integration_matches(&("people".into(), "other".into()));
        assert!(other.unreadable().is_none());
        watched.handle_event(Event::Apply(object("a", "u1", 2, none())));
        assert!(watched.integration_matches().unreadable().is_none());
        watched.handle_event(Event::Apply(object("a", "u1", 3, unreadable)));
        watched.handle_event(Event::Delete(object("a", "u1", 4, none())));
        assert!(watched.integration_matches().unreadable().is_none());
    }
}
