//! All EmployeeMatches of a namespace, or of all, by one watch: what each
//! integration's reconcile works with, and which integration is to be looked at
//! because one of them was changed.
//!
//! The watch never waits for a reconcile, nor one for it: what it sees lies in
//! an integration's pending until that integration's next reconcile takes it in.
//! So each object is in memory once, on a standby too, which only has inboxes.

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

use super::{
    MatchCache, Matches, WritePermits,
    cached::{CachedMatch, Uid, Version},
    watched::Watched,
};
use crate::{api::OktaIntegration, controller::readiness, model::PersonId, rules::resolve::Record};

/// How many touched integrations may wait to be looked at before the watch waits too.
const TOUCHED: usize = 1024;

/// An EmployeeMatch that this version of the operator cannot read. What it
/// holds may be a decision, so that its integration is left alone.
#[derive(Debug, thiserror::Error)]
#[error("EmployeeMatch {name} cannot be read by this version of the operator: {why}")]
pub struct Unreadable {
    /// The object.
    pub name: String,
    /// Why.
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
    /// What its reconciles know; held by the one at work.
    pub(super) known: Arc<tokio::sync::Mutex<MatchCache>>,
    pending: Mutex<PendingEvents>,
}

/// What the watch saw since the last reconcile looked.
#[derive(Default)]
struct PendingEvents {
    /// All objects that there are, by uid.
    seen: HashMap<Uid, Seen>,
    changed: BTreeMap<PersonId, (CachedMatch, Record)>,
    /// Versions that reconciles know from the API server's answers and that the
    /// watch has not come to yet: it tells nothing new until then.
    answered: HashMap<Uid, Version>,
    gone: HashSet<Uid>,
    unreadable: HashMap<Uid, (String, String)>,
    /// Whether anything of this calls for another look at the integration.
    needs_reconcile: bool,
}

/// An object as the watch last saw it.
struct Seen {
    /// The generation of its spec, to tell a changed spec from a changed status.
    generation: Option<i64>,
    /// The list that it was in last, or after which it came.
    list: u32,
}

impl IntegrationMatches {
    fn pending(&self) -> MutexGuard<'_, PendingEvents> {
        self.pending.lock()
    }

    /// Puts what the watch saw into `known`, where that is not newer itself:
    /// our own writes are there before the watch shows them.
    pub(super) fn merge(&self, known: &mut MatchCache) {
        let (changed, gone) = {
            let mut pending = self.pending();
            pending.needs_reconcile = false;
            (
                std::mem::take(&mut pending.changed),
                std::mem::take(&mut pending.gone),
            )
        };
        known.remove(&gone);
        for (person, (kept, record)) in changed {
            let is_news = known
                .kept
                .get(&person)
                .is_none_or(|have| kept.version.is_later_than(&have.version));
            if is_news {
                known.insert(person, kept, record);
            }
        }
    }

    /// Hears that a reconcile has this version of a person's object from an answer.
    pub(super) fn answered(&self, person: &PersonId, kept: &CachedMatch) {
        let mut pending = self.pending();
        if let Some((heard, _)) = pending.changed.get(person) {
            if heard.version.is_later_than(&kept.version) {
                return;
            }
            let is_this = heard.version == kept.version;
            pending.changed.remove(person);
            if is_this {
                return;
            }
        }
        pending.answered.insert(kept.uid.clone(), kept.version.clone());
    }

    /// Whether somebody changed or removed a match since the last look.
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
    /// A store of one namespace, or of all. It is empty until [`Self::follow`] has read the list.
    pub fn new(namespace: Option<String>, write_permits: WritePermits) -> Self {
        Self {
            namespace,
            write_permits,
            by_integration: Mutex::default(),
            ready: watch::Sender::new(false),
        }
    }

    /// Whether the matches of this namespace are in this store.
    pub fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    /// Whether the whole list has been read once.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// The matches of one integration, for the reconcile at work. Waits until
    /// the whole list has been read: nobody is taken for unknown before.
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
        let of_integration = self.of_integration(&key);
        if let Some(unreadable) = of_integration.unreadable() {
            return Err(unreadable);
        }
        let permits = self.write_permits.clone();
        Ok(Matches::new(client, permits, integration, of_integration).await)
    }

    /// Watches for ever. Gives each integration of which a match's spec was
    /// changed, or that lost one; what the operator itself writes touches none.
    /// `watch` takes note of when the first list has come.
    pub fn follow(
        self: Arc<Self>,
        api: Api<Watched>,
        initial_list: Arc<readiness::InitialList>,
    ) -> mpsc::Receiver<ObjectRef<OktaIntegration>> {
        let (touched, receiver) = mpsc::channel(TOUCHED);
        tokio::spawn(async move {
            let events = watcher::watcher(api, watcher::Config::default()).default_backoff();
            let events = initial_list.observe(events);
            futures::pin_mut!(events);
            let mut list = 0;
            while let Some(event) = events.next().await {
                // An error is tried again; what was seen stands until then.
                let Ok(event) = event else { continue };
                for (namespace, name) in self.handle_event(event, &mut list) {
                    let integration = ObjectRef::new(&name).within(&namespace);
                    if touched.send(integration).await.is_err() {
                        // The operator has stopped.
                        return;
                    }
                }
            }
        });
        receiver
    }

    fn of_integration(&self, key: &Key) -> Arc<IntegrationMatches> {
        let mut by_integration = self.by_integration.lock();
        match by_integration.get(key) {
            Some(of_integration) => of_integration.clone(),
            None => by_integration.entry(key.clone()).or_default().clone(),
        }
    }

    /// Puts an event where it belongs. Gives the integrations touched. `list`
    /// counts the lists begun.
    fn handle_event(&self, event: Event<Watched>, list: &mut u32) -> Vec<Key> {
        match event {
            Event::Init => {
                *list += 1;
                Vec::new()
            }
            // Every integration is looked at anyway once the first list is read.
            Event::InitApply(object) => self
                .handle_applied(object, *list)
                .filter(|_| self.is_ready())
                .into_iter()
                .collect(),
            Event::InitDone => {
                let touched = self.forget_unlisted(*list);
                self.ready.send_replace(true);
                touched
            }
            Event::Apply(object) => self.handle_applied(object, *list).into_iter().collect(),
            Event::Delete(object) => self.handle_deleted(&object).into_iter().collect(),
        }
    }

    fn handle_applied(&self, object: Watched, list: u32) -> Option<Key> {
        let (key, person) = whose(&object)?;
        let of_integration = self.of_integration(&key);
        let uid = Uid::from(object.uid().unwrap_or_default().as_str());
        let version = Version::from(object.resource_version().unwrap_or_default().as_str());
        let generation = object.meta().generation;
        let is_ours = object.is_only_ours();
        let mut pending = of_integration.pending();
        pending.unreadable.remove(&uid);
        if pending.is_news(&uid, &version) {
            let name = object.name_any();
            match object.read() {
                Ok(object) => {
                    let heard = (CachedMatch::of(&object), Record::from(&object));
                    pending.changed.insert(person, heard);
                }
                Err(error) => {
                    tracing::warn!(name, %error, "an EmployeeMatch cannot be read");
                    pending.unreadable.insert(uid.clone(), (name, error.to_string()));
                }
            }
        }
        let touches = match pending.seen.insert(uid, Seen { generation, list }) {
            Some(before) => before.generation != generation,
            None => !is_ours,
        };
        pending.needs_reconcile |= touches;
        drop(pending);
        touches.then_some(key)
    }

    fn handle_deleted(&self, object: &Watched) -> Option<Key> {
        let (key, person) = whose(object)?;
        let of_integration = self.of_integration(&key);
        let uid = Uid::from(object.uid().unwrap_or_default().as_str());
        let mut pending = of_integration.pending();
        if pending
            .changed
            .get(&person)
            .is_some_and(|(kept, _)| kept.uid == uid)
        {
            pending.changed.remove(&person);
        }
        pending.forget(uid);
        pending.needs_reconcile = true;
        let is_empty = pending.seen.is_empty();
        drop(pending);
        if is_empty {
            // Nobody is left: the next reconcile, if there is one, begins anew.
            let mut by_integration = self.by_integration.lock();
            by_integration.remove(&key);
        }
        Some(key)
    }

    /// What was there before a list and is not in it is gone.
    fn forget_unlisted(&self, list: u32) -> Vec<Key> {
        let by_integration = self.by_integration.lock();
        let mut touched = Vec::new();
        for (key, of_integration) in by_integration.iter() {
            let mut pending = of_integration.pending();
            let unlisted = pending.seen.iter().filter(|(_, seen)| seen.list != list);
            let unlisted: Vec<Uid> = unlisted.map(|(uid, _)| uid.clone()).collect();
            if unlisted.is_empty() {
                continue;
            }
            touched.push(key.clone());
            for uid in unlisted {
                pending.forget(uid);
            }
            let PendingEvents { changed, gone, .. } = &mut *pending;
            changed.retain(|_, (kept, _)| !gone.contains(&kept.uid));
        }
        touched
    }
}

impl PendingEvents {
    /// Whether no answer has told this version, or a later one, of an object.
    fn is_news(&mut self, uid: &Uid, version: &Version) -> bool {
        let Some(answered) = self.answered.get(uid) else {
            return true;
        };
        let is_news = version.is_later_than(answered);
        if is_news || version == answered {
            self.answered.remove(uid);
        }
        is_news
    }

    fn forget(&mut self, uid: Uid) {
        self.seen.remove(&uid);
        self.unreadable.remove(&uid);
        self.answered.remove(&uid);
        self.gone.insert(uid);
    }
}

/// The integration and the person that an object is about.
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

    /// A store, and how many lists its watch has begun.
    struct Watch {
        store: MatchStore,
        list: u32,
    }

    /// A version of Jane's match, or of another person's.
    fn object(person: &str, uid: &str, version: u64, more: Value) -> Watched {
        let mut object = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
            "metadata": {
                "namespace": "people", "name": match_name("acme", person), "uid": uid,
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

        /// How many integrations an event touches.
        fn handle_event(&mut self, event: Event<Watched>) -> usize {
            self.store.handle_event(event, &mut self.list).len()
        }

        fn list(&mut self, objects: Vec<Watched>) -> usize {
            let mut touched = self.handle_event(Event::Init);
            for object in objects {
                touched += self.handle_event(Event::InitApply(object));
            }
            touched + self.handle_event(Event::InitDone)
        }

        fn of_integration(&self) -> Arc<IntegrationMatches> {
            self.store.of_integration(&("people".into(), "acme".into()))
        }

        /// The people known after `known` took in what came, with their version.
        fn merge(&self, known: &mut MatchCache) -> Vec<String> {
            self.of_integration().merge(known);
            assert!(known.records.keys().eq(known.kept.keys()));
            known
                .kept
                .iter()
                .map(|(person, kept)| format!("{person}@{}", kept.version))
                .collect()
        }
    }

    fn none() -> Value {
        json!({})
    }

    #[test]
    fn a_changed_spec_touches_its_integration_and_a_changed_status_does_not() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none())]);
        let mut touches = |object| watched.handle_event(Event::Apply(object));
        assert_eq!(touches(object("a", "u1", 2, none())), 0, "status");
        let decided = json!({ "/metadata/generation": 2 });
        assert_eq!(touches(object("a", "u1", 3, decided.clone())), 1, "decision");
        assert_eq!(touches(object("b", "u2", 4, none())), 0, "made by us");
        let by_git = json!({ "/metadata/managedFields": [{ "manager": "flux" }] });
        assert_eq!(touches(object("c", "u3", 5, by_git.clone())), 1, "made by Git");
        let foreign = json!({ "/metadata/name": "acme-d" });
        assert_eq!(touches(object("d", "u4", 6, foreign)), 0, "not under its name");
        assert_eq!(
            watched.handle_event(Event::Delete(object("c", "u3", 7, none()))),
            1
        );
        let changed_meanwhile = json!({ "/metadata/generation": 3 });
        let list = vec![
            object("a", "u1", 8, changed_meanwhile),
            object("b", "u2", 4, none()),
            object("e", "u5", 9, by_git),
        ];
        assert_eq!(watched.list(list), 2, "a decision, and one made by Git");
        let mut known = MatchCache::default();
        assert_eq!(watched.merge(&mut known), ["a@8", "b@4", "e@9"]);
    }

    #[test]
    fn nothing_is_ready_before_the_whole_list_is_read() {
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
            "the list that came to its end did not hold it"
        );
    }

    #[test]
    fn what_the_watch_shows_never_replaces_a_newer_write_of_our_own() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none())]);
        let mut known = MatchCache::default();
        assert_eq!(watched.merge(&mut known), ["a@1"]);
        let written = object("a", "u1", 9, json!({ "/status": { "state": "Review" } }));
        known.update(&written.read().unwrap());
        let decided = json!({ "/spec/decision": "Ignore", "/metadata/generation": 2 });
        watched.handle_event(Event::Apply(object("a", "u1", 8, decided.clone())));
        assert_eq!(watched.merge(&mut known), ["a@9"]);
        assert_eq!(known.records[&"a".into()].decision, Decision::Auto);
        watched.handle_event(Event::Apply(object("a", "u1", 10, decided)));
        assert_eq!(watched.merge(&mut known), ["a@10"]);
        assert_eq!(known.records[&"a".into()].decision, Decision::Ignore);
    }

    #[test]
    fn the_echo_of_an_answer_is_not_kept_twice() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none())]);
        let mut known = MatchCache::default();
        watched.merge(&mut known);
        let of_integration = watched.of_integration();
        let mut answer = |version| {
            known.update(&object("a", "u1", version, none()).read().unwrap());
            of_integration.answered(&"a".into(), &known.kept[&"a".into()]);
        };
        let waiting = || {
            let pending = of_integration.pending();
            let changed = pending.changed.values().next();
            let changed = changed.map(|(kept, _)| kept.version.to_string());
            (changed, pending.answered.len())
        };
        answer(2);
        answer(3);
        watched.handle_event(Event::Apply(object("a", "u1", 2, none())));
        assert_eq!(waiting(), (None, 1));
        watched.handle_event(Event::Apply(object("a", "u1", 3, none())));
        assert_eq!(waiting(), (None, 0), "the watch has come so far");
        watched.handle_event(Event::Apply(object("a", "u1", 4, none())));
        assert_eq!(waiting(), (Some("4".into()), 0), "somebody else's");
        answer(4);
        assert_eq!(waiting(), (None, 0), "the watch was faster than the answer");
        watched.handle_event(Event::Apply(object("a", "u1", 6, none())));
        answer(5);
        assert_eq!(waiting(), (Some("6".into()), 0));
        answer(7);
        assert_eq!(waiting(), (None, 1));
        watched.handle_event(Event::Delete(object("a", "u1", 8, none())));
        assert_eq!(waiting(), (None, 0));
    }

    #[test]
    fn an_answer_that_holds_what_was_not_known_is_news() {
        let mut known = MatchCache::default();
        let decided = json!({ "/spec/decision": "Ignore", "/metadata/generation": 2 });
        let mut is_news = |object: Watched| known.update(&object.read().unwrap());
        assert!(!is_news(object("a", "u1", 1, none())), "made just now");
        assert!(!is_news(object("a", "u1", 2, none())));
        assert!(is_news(object("a", "u1", 3, decided.clone())));
        assert!(is_news(object("b", "u2", 4, decided)), "was there already");
    }

    #[test]
    fn what_is_deleted_is_gone_and_what_took_its_place_stays() {
        let mut watched = Watch::listed(vec![object("a", "u1", 1, none()), object("b", "u2", 2, none())]);
        let mut known = MatchCache::default();
        watched.merge(&mut known);
        // Deleted by somebody, and made again by us before the watch says so.
        known.update(&object("a", "u9", 5, none()).read().unwrap());
        watched.handle_event(Event::Delete(object("a", "u1", 4, none())));
        assert_eq!(watched.merge(&mut known), ["a@5", "b@2"]);
        watched.handle_event(Event::Apply(object("a", "u9", 5, none())));
        assert_eq!(watched.list(vec![object("a", "u9", 5, none())]), 1, "b is gone");
        assert_eq!(watched.merge(&mut known), ["a@5"]);
        watched.handle_event(Event::Apply(object("c", "u3", 6, none())));
        watched.handle_event(Event::Delete(object("c", "u3", 7, none())));
        assert_eq!(watched.merge(&mut known), ["a@5"], "come and gone unseen");
        watched.handle_event(Event::Delete(object("a", "u9", 8, none())));
        assert!(watched.store.by_integration.lock().is_empty());
    }

    #[test]
    fn an_object_that_cannot_be_read_stops_its_own_integration_until_it_can() {
        let unreadable = json!({ "/spec/decision": "Promote" });
        let mut watched = Watch::listed(vec![object("a", "u1", 1, unreadable.clone())]);
        let why = watched.of_integration().unreadable().unwrap().to_string();
        assert!(why.contains("acme-a-") && why.contains("Promote"), "{why}");
        let other = watched.store.of_integration(&("people".into(), "other".into()));
        assert!(other.unreadable().is_none());
        watched.handle_event(Event::Apply(object("a", "u1", 2, none())));
        assert!(watched.of_integration().unreadable().is_none());
        watched.handle_event(Event::Apply(object("a", "u1", 3, unreadable)));
        watched.handle_event(Event::Delete(object("a", "u1", 4, none())));
        assert!(watched.of_integration().unreadable().is_none());
    }
}
