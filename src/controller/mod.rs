//! The thin shell: watches the two kinds, calls the core, and writes what it says.

mod apply;
mod backoff;
mod credentials;
mod events;
mod first_reads;
mod idle;
mod instrument;
mod integrations;
mod leader;
mod liveness;
mod match_store;
mod metrics;
mod progress;
mod read;
mod readiness;
mod reconcile;
mod report;
mod secrets;
mod server;
mod session;
mod state_dir;
mod webhook;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use futures::{StreamExt, future, stream};
use kube::{
    Api, Client, ResourceExt,
    runtime::{
        Controller, Predicate, WatchStreamExt,
        controller::{Action, Config},
        events::Recorder,
        predicates,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    api::{FIELD_MANAGER, OktaIntegration},
    http,
    services::{AllowedAddresses, SharedLimits},
};
pub use secrets::{SecretError, read as read_secret};

pub use leader::LeaseName;

use first_reads::Turns;
use leader::{Leadership, Term};
use liveness::Pulse;
use match_store::{MatchStore, write_turns};
use metrics::Metrics;
use readiness::Watch;
use reconcile::ReconcileError;
use session::Sessions;
use state_dir::StateDir;

/// Changes within this time are answered together, so that a hundred decisions
/// applied at once are one plan.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// How often what is kept for integrations that are no more is removed.
const SWEEP: Duration = Duration::from_secs(60);

/// How long work under way may take to end after SIGTERM; below the
/// termination grace period of the chart.
const SHUTDOWN: Duration = Duration::from_secs(30);

/// How the operator is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where services may be.
    pub allowed: AllowedAddresses,
    /// The namespaces that are watched; none means all.
    pub namespaces: Vec<String>,
    /// Where `/metrics`, `/healthz` and `/readyz` are served.
    pub metrics_address: SocketAddr,
    /// The Lease that says which replica writes; None where this is the only one.
    pub lease: Option<LeaseName>,
    /// Where what Okta said is kept for the next start; None keeps nothing.
    pub state_dir: Option<PathBuf>,
}

/// Why the operator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no cluster to talk to.
    #[error("no cluster: set KUBECONFIG, or run in one ({0})")]
    NoCluster(#[source] kube::Error),
    /// The address for metrics cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What happened.
        source: std::io::Error,
    },
    /// Signals cannot be heard.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// What every reconcile needs.
pub(crate) struct Context {
    client: Client,
    settings: Settings,
    sessions: Sessions,
    turns: Turns,
    limits: SharedLimits,
    state: Option<StateDir>,
    recorder: Recorder,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
    watches: Vec<Arc<Watch>>,
    stores: Vec<Store<OktaIntegration>>,
    matches: Vec<Arc<MatchStore>>,
    leadership: Leadership,
    stop: watch::Receiver<bool>,
}

impl Context {
    /// Whether a plan made for this very integration in this term may still be
    /// written: nobody changed it since, and the operator is not stopping.
    fn may_write(&self, integration: &OktaIntegration, term: Term) -> bool {
        !*self.stop.borrow()
            && self.leadership.holds(term)
            && self.seen(integration).is_some_and(|now| {
                now.metadata.uid == integration.metadata.uid
                    && now.metadata.generation == integration.metadata.generation
                    && now.metadata.deletion_timestamp.is_none()
            })
    }

    /// The integration of this name as the watch saw it last.
    fn seen(&self, integration: &OktaIntegration) -> Option<Arc<OktaIntegration>> {
        let key = ObjectRef::from_obj(integration);
        self.stores.iter().find_map(|store| store.get(&key))
    }

    /// Whether there is an integration with this uid.
    fn has(&self, uid: &str) -> bool {
        self.stores.iter().any(|store| {
            store
                .find(|object| object.metadata.uid.as_deref() == Some(uid))
                .is_some()
        })
    }

    /// Comes back when the operator is told to stop.
    async fn stopped(&self) {
        // A sender that is gone has stopped too.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// What has not been read yet; empty when the operator is ready.
    fn missing(&self) -> Vec<String> {
        readiness::missing(&self.watches)
    }
}

/// Runs the operator until SIGTERM or Ctrl-C.
///
/// # Errors
/// Why it cannot start, or cannot go on.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let client = http::cluster::client().await.map_err(RunError::NoCluster)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let scopes: Vec<Option<String>> = if settings.namespaces.is_empty() {
        vec![None]
    } else {
        settings.namespaces.iter().cloned().map(Some).collect()
    };
    let (stores, writers): (Vec<_>, Vec<_>) = scopes
        .iter()
        .map(|_| reflector::store::<OktaIntegration>())
        .unzip();
    let pulse = Pulse::new();
    let watches: Vec<_> = scopes.iter().map(|scope| Watches::of(scope.as_deref())).collect();
    let (stop, stopped) = watch::channel(false);
    let write_turns = write_turns();
    let ctx = Arc::new(Context {
        recorder: Recorder::new(client.clone(), FIELD_MANAGER.into()),
        client,
        sessions: Sessions::default(),
        turns: Turns::default(),
        limits: SharedLimits::default(),
        state: open_state(&settings),
        metrics: Metrics::new(stores.clone(), pulse.clone()),
        pulse,
        watches: watches.iter().flat_map(Watches::all).collect(),
        stores,
        matches: scopes
            .iter()
            .map(|scope| Arc::new(MatchStore::of(scope.clone(), write_turns.clone())))
            .collect(),
        leadership: if settings.lease.is_some() {
            Leadership::contested()
        } else {
            Leadership::alone()
        },
        stop: stopped.clone(),
        settings,
    });
    let identity = format!(
        "{}_{:08x}",
        std::env::var("HOSTNAME").unwrap_or_default(),
        fastrand::u32(..)
    );
    let campaign = async {
        match &ctx.settings.lease {
            Some(lease) => ctx.leadership.campaign(&ctx.client, lease, &identity).await,
            None => future::pending().await,
        }
    };
    tokio::pin!(campaign);

    let controllers = scopes
        .into_iter()
        .zip(writers)
        .zip(ctx.stores.clone())
        .zip(watches)
        .zip(ctx.matches.clone())
        .map(|((((scope, writer), store), watches), matches)| {
            let mut stopped = stopped.clone();
            let stop = async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            control(scope, writer, store, watches, matches, ctx.clone(), stop)
        });
    let controllers = future::join_all(controllers.collect::<Vec<_>>());
    tokio::pin!(controllers);
    let address = ctx.settings.metrics_address;
    // In a task of its own, so that it can tell when this one stands still.
    let served = tokio::spawn(server::serve(address, ctx.clone()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, "started");

    tokio::select! {
        result = served => {
            let result = result.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            return result.map_err(|source| RunError::Listen { address, source });
        }
        () = ctx.pulse.beat() => {}
        _ = &mut controllers => return Ok(()),
        () = &mut campaign => {}
        () = sweep(&ctx) => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping: what is being written is finished, nothing more is begun");
    let _ = stop.send(true);
    let finished = async {
        tokio::select! {
            _ = controllers => true,
            () = campaign => true,
            () = tokio::time::sleep(SHUTDOWN) => false,
        }
    };
    if !finished.await {
        tracing::warn!("stopped in the middle of something that took too long");
    }
    if let Some(lease) = &ctx.settings.lease {
        ctx.leadership.resign(&ctx.client, lease, &identity).await;
    }
    Ok(())
}

/// The directory that the settings name. Without one that can be used, every
/// start reads everything: slower, and no reason not to start.
fn open_state(settings: &Settings) -> Option<StateDir> {
    let path = settings.state_dir.as_ref()?;
    StateDir::open(path)
        .inspect_err(|error| tracing::warn!(%error, "nothing is kept: after a restart everything is read"))
        .ok()
}

/// Removes what is kept for integrations that are no more, again and again.
async fn sweep(ctx: &Arc<Context>) {
    let Some(state) = &ctx.state else {
        return future::pending().await;
    };
    // Before all integrations have been read, nobody knows which are no more.
    while !ctx.missing().is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    loop {
        let (state, known) = (state.clone(), ctx.clone());
        let swept = tokio::task::spawn_blocking(move || state.sweep(|uid| known.has(uid))).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "what is kept for an integration that is no more could not be removed");
        }
        tokio::time::sleep(SWEEP).await;
    }
}

/// The watches of one namespace, or of all.
struct Watches {
    integrations: Arc<Watch>,
    matches: Arc<Watch>,
}

impl Watches {
    fn of(namespace: Option<&str>) -> Self {
        Self {
            integrations: Watch::new("OktaIntegrations", namespace),
            matches: Watch::new("EmployeeMatches", namespace),
        }
    }

    fn all(&self) -> [Arc<Watch>; 2] {
        [self.integrations.clone(), self.matches.clone()]
    }
}

/// Watches one namespace, or all, until told to stop.
async fn control(
    namespace: Option<String>,
    writer: reflector::store::Writer<OktaIntegration>,
    store: Store<OktaIntegration>,
    watches: Watches,
    matches: Arc<MatchStore>,
    ctx: Arc<Context>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let integrations: Api<OktaIntegration> = scoped(&ctx.client, namespace.as_deref());
    let changes = watcher(integrations, watcher::Config::default()).default_backoff();
    let changes = watches
        .integrations
        .observe(changes.reflect(writer))
        .applied_objects()
        .predicate_filter(
            predicates::generation.combine(predicates::annotations),
            Default::default(),
        );
    let touched = matches.follow(scoped(&ctx.client, namespace.as_deref()), watches.matches);
    let decisions = stream::unfold(touched, |mut touched| async {
        Some((touched.recv().await?, touched))
    });

    // What a standby left undone is looked at once it leads.
    let gained = stream::unfold(ctx.leadership.gained(), |mut gained| async {
        gained.changed().await.ok()?;
        Some(((), gained))
    });

    Controller::for_stream(changes, store)
        .with_config(Config::default().debounce(DEBOUNCE))
        .reconcile_on(decisions)
        .reconcile_all_on(gained)
        .graceful_shutdown_on(stop)
        .run(reconcile_apart, error_policy, ctx.clone())
        .for_each(|result| {
            ctx.sessions.retain(|uid| ctx.has(uid));
            if let Err(error) = result {
                tracing::debug!(%error, "a reconcile was not done");
            }
            future::ready(())
        })
        .await;
}

/// Each reconcile has a task of its own: one that thinks long about a large
/// company keeps nobody else's waiting.
async fn reconcile_apart(
    integration: Arc<OktaIntegration>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    match tokio::spawn(instrument::observed(integration, ctx)).await {
        Ok(result) => result,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the program ends a task.
            Err(_) => Err(ReconcileError::Stopping),
        },
    }
}

fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// What could not be finished is tried again, later each time.
fn error_policy(integration: Arc<OktaIntegration>, _: &ReconcileError, ctx: Arc<Context>) -> Action {
    let session = ctx.sessions.of(&integration.uid().unwrap_or_default());
    let delay = session
        .try_lock()
        .map_or(Duration::from_secs(1), |mut session| session.backoff());
    Action::requeue(delay)
}
