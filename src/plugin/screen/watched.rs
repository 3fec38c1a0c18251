//! The objects of one integration, kept current by watches.

use std::{fmt::Debug, hash::Hash, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _};
use kube::{
    Resource, ResourceExt as _,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher,
    },
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinSet};

use super::super::cluster::{Cluster, Guarded, of_integration};
use crate::{
    api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee},
    http::cluster::watch_message,
    review::Company,
};

/// An integration with its people and employees, as of now.
pub struct Watched {
    integration: Store<Guarded<OktaIntegration>>,
    matches: Store<Guarded<EmployeeMatch>>,
    unmatched: Store<Guarded<UnmatchedEmployee>>,
    changed: watch::Sender<u64>,
    /// Of the version that it was made for.
    company: Mutex<Option<(u64, Arc<Company>)>>,
    trouble: Arc<Mutex<Option<String>>>,
    _tasks: JoinSet<()>,
}

impl Watched {
    /// Begins to watch, and waits until everything was read once.
    pub async fn new(cluster: &Cluster, name: &str) -> Result<Self, reflector::store::WriterDropped> {
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
        integration.wait_until_ready().await?;
        matches.wait_until_ready().await?;
        unmatched.wait_until_ready().await?;
        Ok(Self {
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
        let integration = readable(&self.integration).next()?;
        let made = Company::new(integration, readable(&self.matches), readable(&self.unmatched));
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

fn readable<K>(store: &Store<Guarded<K>>) -> impl Iterator<Item = Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let objects = store.state().into_iter();
    objects.filter_map(|object| object.0.as_ref().ok().map(|object| Arc::new(object.clone())))
}

struct Begin<'a> {
    cluster: &'a Cluster,
    tasks: &'a mut JoinSet<()>,
    changed: &'a watch::Sender<u64>,
    trouble: &'a Arc<Mutex<Option<String>>>,
}

impl Begin<'_> {
    fn watch<K>(&mut self, selector: &str) -> Store<Guarded<K>>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
        K::DynamicType: Hash + Eq,
    {
        let (store, writer) = reflector::store();
        let api = self.cluster.matches::<Guarded<K>>();
        let config = watcher::Config::default().fields(selector);
        let (changed, trouble) = (self.changed.clone(), self.trouble.clone());
        let stream = watcher(api, config)
            .default_backoff()
            .modify(|object| object.managed_fields_mut().clear())
            .reflect(writer);
        self.tasks.spawn(async move {
            let mut stream = std::pin::pin!(stream.into_stream());
            while let Some(event) = stream.next().await {
                *trouble.lock() = event.err().map(|error| watch_message(&error));
                changed.send_modify(|version| *version += 1);
            }
        });
        store
    }
}
