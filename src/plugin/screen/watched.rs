//! The objects of one integration, kept current by watches.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use futures::StreamExt as _;
use kube::{
    Resource, ResourceExt as _,
    core::NamespaceResourceScope,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee},
    http::cluster::watch_message,
    plugin::cluster::{Cluster, Guarded, of_integration},
    review::Company,
};

/// An integration with its people and employees, as of now.
pub struct Watched {
    integration: Objects<OktaIntegration>,
    matches: Objects<EmployeeMatch>,
    unmatched: Objects<UnmatchedEmployee>,
    changed: watch::Sender<u64>,
    /// Of the version that it was made for.
    company: Mutex<Option<(u64, Arc<Company>)>>,
    trouble: Arc<Mutex<Option<String>>>,
    _tasks: JoinSet<()>,
}

impl Watched {
    /// Begins to watch, and waits until everything was read once. None if a watch ends before.
    pub async fn new(cluster: &Cluster, name: &str) -> Option<Self> {
        let changed = watch::Sender::new(1);
        let trouble = Arc::new(Mutex::new(None));
        let mut tasks = JoinSet::new();
        let of_this = of_integration(name);
        let mut begin = Begin {
            cluster,
            tasks: &mut tasks,
            changed: &changed,
            trouble: &trouble,
        };
        let integration = begin.watch::<OktaIntegration>(&format!("metadata.name={name}"));
        let matches = begin.watch::<EmployeeMatch>(&of_this);
        let unmatched = begin.watch::<UnmatchedEmployee>(&of_this);
        integration.wait_until_read().await?;
        matches.wait_until_read().await?;
        unmatched.wait_until_read().await?;
        Some(Self {
            integration,
            matches,
            unmatched,
            changed,
            company: Mutex::new(None),
            trouble,
            _tasks: tasks,
        })
    }

    /// None if the integration was deleted, or cannot be read.
    pub fn company(&self) -> Option<Arc<Company>> {
        let version = *self.changed.borrow();
        let mut company = self.company.lock();
        if let Some((of, company)) = &*company
            && *of == version
        {
            return Some(company.clone());
        }
        let integration = self.integration.all().pop()?;
        let made = Company::new(integration, self.matches.all(), self.unmatched.all());
        let made = Arc::new(made);
        *company = Some((version, made.clone()));
        Some(made)
    }

    /// A number that grows with each change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What keeps the watches from the API server.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }
}

/// The objects of one kind that can be read, each once: kube's own store would hold a second copy.
struct Objects<K> {
    by_name: Arc<Mutex<BTreeMap<String, Arc<K>>>>,
    was_read: watch::Receiver<bool>,
}

impl<K> Objects<K> {
    fn all(&self) -> Vec<Arc<K>> {
        self.by_name.lock().values().cloned().collect()
    }

    /// None if the watch ends before everything was read once.
    async fn wait_until_read(&self) -> Option<()> {
        let mut was_read = self.was_read.clone();
        was_read
            .wait_for(|was_read| *was_read)
            .await
            .is_ok()
            .then_some(())
    }
}

struct Begin<'a> {
    cluster: &'a Cluster,
    tasks: &'a mut JoinSet<()>,
    changed: &'a watch::Sender<u64>,
    trouble: &'a Arc<Mutex<Option<String>>>,
}

impl Begin<'_> {
    fn watch<K>(&mut self, selector: &str) -> Objects<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
        let api = self.cluster.objects::<Guarded<K>>();
        let stream = watcher(api, watcher::Config::default().fields(selector)).default_backoff();
        let by_name = Arc::new(Mutex::new(BTreeMap::new()));
        let (read, was_read) = watch::channel(false);
        let objects = Objects {
            by_name: by_name.clone(),
            was_read,
        };
        let (changed, trouble) = (self.changed.clone(), self.trouble.clone());
        self.tasks.spawn(async move {
            let mut stream = std::pin::pin!(stream);
            // A list that is not complete yet.
            let mut listed = BTreeMap::new();
            while let Some(event) = stream.next().await {
                let event = match event {
                    Ok(event) => event,
                    Err(error) => {
                        *trouble.lock() = Some(watch_message(&error));
                        changed.send_modify(|version| *version += 1);
                        continue;
                    }
                };
                *trouble.lock() = None;
                match event {
                    Event::Init => listed.clear(),
                    Event::InitApply(object) => {
                        put(&mut listed, object);
                        continue;
                    }
                    Event::InitDone => {
                        *by_name.lock() = std::mem::take(&mut listed);
                        read.send_replace(true);
                    }
                    Event::Apply(object) => put(&mut by_name.lock(), object),
                    Event::Delete(object) => {
                        by_name.lock().remove(&object.name_any());
                    }
                }
                changed.send_modify(|version| *version += 1);
            }
        });
        objects
    }
}

/// Puts an object that can be read in the place of its earlier version; one that cannot leaves none.
fn put<K: Resource<DynamicType = ()>>(objects: &mut BTreeMap<String, Arc<K>>, object: Guarded<K>) {
    let name = object.name_any();
    match object.0 {
        Ok(mut object) => {
            object.managed_fields_mut().clear();
            objects.insert(name, Arc::new(object));
        }
        Err(_) => {
            objects.remove(&name);
        }
    }
}
