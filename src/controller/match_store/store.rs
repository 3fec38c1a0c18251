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
    Lost, MatchCache, Matches, WritePermits,
    cached::{CachedMatch, uid, version},
    unusable::{Reading, UnusableObject},
    watched::Watched,
};
use crate::{
    api::{EmployeeMatch, OktaIntegration},
    controller::{readiness, watched::WatchedIntegration},
    model::PersonId,
    rules::resolve::Record,
};

/// The capacity of the queue of integrations that need a reconcile; the watch waits while it is full.
const QUEUE_CAPACITY: usize = 1024;

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
    /// All objects that exist and are not used.
    unusable: BTreeMap<Uuid, UnusableObject>,
    /// Objects that were deleted while their match was in force and before they were merged.
    lost: BTreeMap<PersonId, Lost>,
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
        let (changed, gone, lost, unusable) = {
            let mut pending = self.pending();
            pending.needs_reconcile = false;
            (
                std::mem::take(&mut pending.changed),
                std::mem::take(&mut pending.gone),
                std::mem::take(&mut pending.lost),
                pending.unusable.values().cloned().collect(),
            )
        };
        cache.forget_unusable();
        cache.remove(&gone);
        cache.lost.extend(lost);
        for (person, (cached, record)) in changed {
            let is_news = cache
                .matches
                .get(&person)
                .is_none_or(|have| cached.version > have.version);
            if is_news {
                cache.insert(person, cached, record);
            }
        }
        cache.add_unusable(unusable);
        cache.forget_found();
    }

    /// Changes what is remembered of an object that is not used, if it still exists.
    pub(super) fn change_unusable(&self, uid: Uuid, change: impl FnOnce(&mut UnusableObject)) {
        self.pending().unusable.get_mut(&uid).map(change);
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
    pub async fn matches(&self, client: &Client, integration: &OktaIntegration) -> Matches {
        // The sender lives as long as the store.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
        let key = (
            integration.namespace().unwrap_or_default(),
            integration.name_any(),
        );
        let shared = self.integration_matches(&key);
        let permits = self.write_permits.clone();
        Matches::new(client, permits, integration, shared).await
    }

    /// Forgets the matches of integrations that do not exist, once there are none.
    pub fn retain(&self, exists: impl Fn(&str, &str) -> bool) {
        self.by_integration
            .lock()
            .retain(|(namespace, name), shared| !shared.pending().seen.is_empty() || exists(namespace, name));
    }

    /// Watches for ever. Returns the integrations that need a reconcile: a match's spec
    /// was changed, or a match was deleted. The operator's own writes need none.
    pub fn follow(
        self: Arc<Self>,
        api: Api<Watched>,
        initial_list: Arc<readiness::InitialList>,
    ) -> mpsc::Receiver<ObjectRef<WatchedIntegration>> {
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
        let key = key(&object)?;
        let shared = self.integration_matches(&key);
        let uid = uid(&object);
        let version = version(&object);
        let generation = object.meta().generation;
        let is_ours = object.is_only_ours();
        let mut pending = shared.pending();
        if pending.is_news(uid, version) {
            match object.reading() {
                Reading::Used(object) => pending.changed(&object),
                Reading::NotUsed(object) => pending.not_used(*object),
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
        let key = key(object)?;
        let shared = self.integration_matches(&key);
        let mut pending = shared.pending();
        pending.forget(uid(object));
        pending.needs_reconcile = true;
        drop(pending);
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

    fn changed(&mut self, object: &EmployeeMatch) {
        let (cached, record) = (CachedMatch::of(object), Record::from(object));
        let person = PersonId::from(object.spec.okta_user_id.as_str());
        self.unusable.remove(&cached.uid);
        if record.has_match() {
            self.lost.remove(&person);
        }
        self.changed.insert(person, (cached, record));
    }

    fn not_used(&mut self, mut object: UnusableObject) {
        if let Some(before) = self.unusable.get(&object.uid) {
            if before.version > object.version {
                return;
            }
            object.is_reported = before.is_reported && before.unusable.why == object.unusable.why;
        }
        tracing::warn!(name = object.unusable.name, why = ?object.unusable.why, "an EmployeeMatch is not used");
        self.unusable.insert(object.uid, object);
    }

    fn forget(&mut self, uid: Uuid) {
        self.seen.remove(&uid);
        self.responses.remove(&uid);
        let Self {
            changed,
            unusable,
            lost,
            ..
        } = self;
        let changed = changed.extract_if(.., |_, (cached, _)| cached.uid == uid);
        lost.extend(
            changed.filter_map(|(person, (cached, record))| Some((person, Lost::of(&cached, &record)?))),
        );
        lost.extend(unusable.remove(&uid).and_then(Lost::of_unreadable));
        self.gone.insert(uid);
    }
}

/// The integration that an object belongs to.
fn key(object: &Watched) -> Option<Key> {
    let namespace = object.namespace().unwrap_or_default();
    Some((namespace, object.integration()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
            let unused = cache.unusable.iter().filter_map(|object| object.person.as_ref());
            let people: BTreeSet<_> = cache.matches.keys().chain(unused).collect();
            assert!(cache.records.keys().eq(people));
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
        let misnamed =
            json!({ "/metadata/name": "acme-d", "/metadata/managedFields": [{ "manager": "flux" }] });
        assert_eq!(
            apply(object("d", "u4", 6, misnamed.clone())),
            1,
            "with a wrong name"
        );
        assert_eq!(apply(object("d", "u4", 7, misnamed)), 0, "our status on it");
        for deleted in [object("c", "u3", 7, none()), object("d", "u4", 8, none())] {
            assert_eq!(watched.handle_event(Event::Delete(deleted)), 1);
        }
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
        watched.store.retain(|_, name| name == "acme");
        assert_eq!(
            watched.store.by_integration.lock().len(),
            1,
            "it may hold what was lost"
        );
        watched.store.retain(|_, _| false);
        assert!(watched.store.by_integration.lock().is_empty());
    }

    /// Whom objects that are not used stop, with the names of these objects.
    fn stopped(cache: &MatchCache) -> Vec<(&str, Vec<&str>)> {
        let records = cache
            .records
            .iter()
            .filter(|(_, record)| !record.unusable.is_empty());
        records
            .map(|(person, record)| {
                let names = record.unusable.iter().map(|object| object.name.as_str());
                (person.as_str(), names.collect())
            })
            .collect()
    }

    #[test]
    fn an_object_with_a_wrong_name_stops_its_person_until_it_is_deleted() {
        let misnamed = |name: &str, uid, version| {
            let decided = json!({ "/metadata/name": name, "/spec/decision": "Ignore" });
            object("a", uid, version, decided)
        };
        let mut watched = Watch::listed(vec![
            object("a", "u1", 1, none()),
            object("b", "u2", 2, none()),
            misnamed("acme-a", "u3", 3),
            misnamed("alice", "u4", 4),
        ]);
        let mut cache = MatchCache::default();
        for _ in 0..2 {
            assert_eq!(watched.merge(&mut cache), ["a@1", "b@2"]);
            assert_eq!(stopped(&cache), [("a", vec!["acme-a", "alice"])]);
            assert_eq!(cache.records[&"a".into()].decision, Decision::Auto);
        }
        // A response to a write of the status of the object with the right name.
        assert!(!cache.update(&object("a", "u1", 5, none()).read().unwrap()));
        assert_eq!(stopped(&cache).len(), 1);
        watched.handle_event(Event::Delete(misnamed("acme-a", "u3", 6)));
        watched.merge(&mut cache);
        assert_eq!(stopped(&cache), [("a", vec!["alice"])]);
        assert_eq!(
            watched.list(vec![object("a", "u1", 5, none()), object("b", "u2", 2, none())]),
            1
        );
        watched.merge(&mut cache);
        assert_eq!(stopped(&cache), []);
        // Without another object of the person, too.
        watched.handle_event(Event::Apply(object(
            "c",
            "u5",
            7,
            json!({ "/metadata/name": "carol" }),
        )));
        assert_eq!(watched.merge(&mut cache), ["a@5", "b@2"]);
        assert_eq!(stopped(&cache), [("c", vec!["carol"])]);
        watched.handle_event(Event::Delete(object("c", "u5", 8, none())));
        watched.merge(&mut cache);
        assert!(!cache.records.contains_key(&"c".into()));
    }

    /// A status with a match in force.
    fn applied(employee: &str) -> Value {
        json!({ "applied": { "employeeIds": [employee], "time": "2026-03-01T12:00:00Z" } })
    }

    #[test]
    fn an_object_that_cannot_be_read_stops_its_person_only() {
        let name = match_name("acme", "a");
        let unreadable = json!({ "/spec/decision": "Promote", "/status": applied("e1") });
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none()), object("b", "u2", 2, none())]);
        let mut cache = MatchCache::default();
        watched.merge(&mut cache);
        watched.handle_event(Event::Apply(object("a", "u1", 3, unreadable.clone())));
        for _ in 0..2 {
            assert_eq!(watched.merge(&mut cache), ["b@2"], "its status is not written");
            assert_eq!(stopped(&cache), [("a", vec![name.as_str()])]);
            assert_eq!(cache.records[&"a".into()].employees_in_force(), ["e1".into()]);
        }
        assert!(cache.is_unreadable(|| name.clone()) && !cache.is_unreadable(|| match_name("acme", "b")));
        let why = &cache.unusable[0].unusable.why;
        assert!(format!("{why:?}").contains("Promote"), "{why:?}");
        watched.handle_event(Event::Apply(object(
            "a",
            "u1",
            4,
            json!({ "/status": applied("e1") }),
        )));
        assert_eq!(watched.merge(&mut cache), ["a@4", "b@2"], "mended");
        assert_eq!(stopped(&cache), []);
        watched.handle_event(Event::Apply(object("a", "u1", 5, unreadable)));
        watched.handle_event(Event::Delete(object("a", "u1", 6, none())));
        assert_eq!(watched.merge(&mut cache), ["b@2"]);
        assert!(!cache.records.contains_key(&"a".into()));
        assert!(cache.lost.contains_key(&"a".into()), "it was in force");
        // One that does not even say whose it is.
        let anonymous = json!({ "/spec": { "integrationRef": { "name": "acme" } } });
        watched.handle_event(Event::Apply(object("d", "u4", 7, anonymous)));
        assert_eq!(watched.merge(&mut cache), ["b@2"]);
        assert!(cache.is_unreadable(|| match_name("acme", "d")));
    }

    #[test]
    fn a_match_in_force_that_is_deleted_is_made_again() {
        type Delete = fn(&mut Watch);
        let cases: [(&str, Delete); 2] = [
            ("seen", |watched| {
                watched.handle_event(Event::Delete(object("a", "u1", 3, none())));
                watched.handle_event(Event::Delete(object("b", "u2", 4, none())));
            }),
            ("by a list", |watched| {
                watched.list(vec![]);
            }),
        ];
        let in_force = |uid, version| object("a", uid, version, json!({ "/status": applied("e1") }));
        for is_merged in [true, false] {
            for (case, delete) in cases {
                let mut watched = Watch::listed(vec![in_force("u1", 1), object("b", "u2", 2, none())]);
                let mut cache = MatchCache::default();
                if is_merged {
                    watched.merge(&mut cache);
                }
                delete(&mut watched);
                watched.merge(&mut cache);
                let lost: Vec<_> = cache.lost.keys().map(PersonId::as_str).collect();
                assert_eq!(lost, ["a"], "{case}: b recorded nothing");
                // Made by somebody without what it recorded, and then with it.
                watched.handle_event(Event::Apply(object("a", "u3", 5, none())));
                watched.merge(&mut cache);
                assert_eq!(cache.lost.len(), 1, "{case}");
                watched.handle_event(Event::Apply(in_force("u3", 6)));
                watched.merge(&mut cache);
                assert_eq!(cache.lost.len(), 0, "{case}");
            }
        }
        // Whoever is ignored by decision is meant to be forgotten.
        let ignored = json!({ "/spec/decision": "Ignore", "/status": applied("e1") });
        let mut watched = Watch::listed(vec![object("a", "u1", 1, ignored)]);
        watched.handle_event(Event::Delete(object("a", "u1", 2, none())));
        let mut cache = MatchCache::default();
        watched.merge(&mut cache);
        assert!(cache.lost.is_empty());
        // Another replica made it again: this one, on standby, has nothing to make.
        let mut watched = Watch::listed(vec![in_force("u1", 1)]);
        watched.handle_event(Event::Delete(in_force("u1", 2)));
        assert_eq!(watched.integration_matches().pending().lost.len(), 1);
        watched.handle_event(Event::Apply(in_force("u3", 3)));
        assert_eq!(watched.integration_matches().pending().lost.len(), 0);
    }
}
