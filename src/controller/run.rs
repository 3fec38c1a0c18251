//! Starting the operator, shutting it down, and the tasks beside the reconciles.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use futures::{StreamExt, future, stream};
use kube::{
    Api, Client,
    runtime::{
        Controller, Predicate, WatchStreamExt,
        controller::{self, Action, Config},
        events::Recorder,
        predicates,
        reflector::{self, Store, store::Writer},
        watcher,
    },
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{
    context::Context,
    error::ReconcileError,
    first_reads::FirstReads,
    instrument,
    leader::{Leadership, LeaseName},
    liveness::Liveness,
    match_store::{MatchStore, WritePermits, write_permits},
    memory,
    metrics::Metrics,
    one_writer,
    readiness::InitialList,
    reconcile::Reconciler,
    server,
    state_dir::StateDir,
    watched::WatchedIntegration,
    webhook,
};
use crate::{
    api::FIELD_MANAGER,
    http,
    services::{AllowedAddresses, SharedLimits},
};

/// Changes within this time cause one reconcile, so that many decisions applied
/// at once become one plan.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// How often state files of deleted integrations are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How long in-flight work may take after SIGTERM; below the chart's termination grace period.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// How the operator is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses at which Okta and Insightful may be.
    pub allowed: AllowedAddresses,
    /// The namespaces to watch; empty for all.
    pub namespaces: Vec<String>,
    /// Serves `/metrics`, `/healthz` and `/readyz`.
    pub metrics_address: SocketAddr,
    /// The Lease of the leader election; None for a single replica.
    pub lease: Option<LeaseName>,
    /// Where Okta's directory is saved for the next start; None to save nothing.
    pub state_dir: Option<PathBuf>,
    /// How long a request to create something in Insightful is not repeated after it had no response.
    pub outcome_wait: Duration,
    /// Whether the audit log has the values that are written.
    pub audit_values: bool,
}

/// Why the operator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("no cluster: set KUBECONFIG, or run in a cluster ({})", http::cluster::message(.0))]
    NoCluster(#[source] kube::Error),
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// The watches and stores of one watched namespace, or of all of them.
struct WatchedNamespace {
    namespace: Option<String>,
    integrations: Store<WatchedIntegration>,
    writer: Writer<WatchedIntegration>,
    integrations_list: Arc<InitialList>,
    matches: Arc<MatchStore>,
    matches_list: Arc<InitialList>,
}

impl WatchedNamespace {
    fn new(namespace: Option<String>, permits: WritePermits) -> Self {
        let (integrations, writer) = reflector::store();
        Self {
            integrations,
            writer,
            integrations_list: InitialList::new("OktaIntegrations", namespace.as_deref()),
            matches: Arc::new(MatchStore::new(namespace.clone(), permits)),
            matches_list: InitialList::new("EmployeeMatches", namespace.as_deref()),
            namespace,
        }
    }

    fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        }
    }
}

/// Runs the operator until SIGTERM or Ctrl-C.
///
/// # Errors
/// Why it cannot start, or cannot go on.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let client = http::cluster::client().await.map_err(RunError::NoCluster)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let (stop, stopped) = watch::channel(false);
    let watched = watched_namespaces(&settings.namespaces);
    let ctx = Arc::new(new_context(client, settings, &watched, stopped));
    let identity = format!(
        "{}_{:08x}",
        std::env::var("HOSTNAME").unwrap_or_default(),
        fastrand::u32(..)
    );
    let election = async {
        match &ctx.settings.lease {
            Some(lease) => ctx.leadership.run(&ctx.client, lease, &identity).await,
            None => future::pending().await,
        }
    };
    tokio::pin!(election);
    let reconciler = Arc::new(Reconciler::new(ctx.clone()));
    let controllers = watched.into_iter().map(|watched| {
        let messages = webhook::run(watched.integrations.clone(), reconciler.clone());
        future::join(run_controller(watched, reconciler.clone()), messages)
    });
    let controllers = future::join_all(controllers);
    tokio::pin!(controllers);
    let address = ctx.settings.metrics_address;
    // In its own task, so that /healthz answers while this one hangs.
    let served = tokio::spawn(server::serve(address, ctx.clone()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, "started");
    memory::watch();

    tokio::select! {
        result = served => {
            let result = result.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            return result.map_err(|source| RunError::Listen { address, source });
        }
        () = ctx.liveness.run_heartbeat() => {}
        _ = &mut controllers => return Ok(()),
        () = &mut election => {}
        () = sweep_state_dir(&ctx) => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("shutting down: finishing in-flight writes");
    let _ = stop.send(true);
    let finished = async {
        tokio::select! {
            _ = controllers => true,
            () = election => true,
            () = tokio::time::sleep(SHUTDOWN_TIMEOUT) => false,
        }
    };
    if !finished.await {
        tracing::warn!("shut down with work in flight: it did not finish in time");
    }
    if let Some(lease) = &ctx.settings.lease {
        ctx.leadership.release(&ctx.client, lease, &identity).await;
    }
    Ok(())
}

fn watched_namespaces(namespaces: &[String]) -> Vec<WatchedNamespace> {
    let permits = write_permits();
    let new = |namespace| WatchedNamespace::new(namespace, permits.clone());
    if namespaces.is_empty() {
        vec![new(None)]
    } else {
        namespaces.iter().cloned().map(Some).map(new).collect()
    }
}

fn new_context(
    client: Client,
    settings: Settings,
    watched: &[WatchedNamespace],
    stop: watch::Receiver<bool>,
) -> Context {
    let integrations: Vec<_> = watched
        .iter()
        .map(|watched| watched.integrations.clone())
        .collect();
    let liveness = Liveness::new();
    Context {
        recorder: Recorder::new(client.clone(), FIELD_MANAGER.into()),
        client,
        first_reads: FirstReads::default(),
        limits: SharedLimits::default(),
        state_dir: open_state_dir(&settings),
        metrics: Metrics::new(integrations.clone(), liveness.clone()),
        liveness,
        leadership: if settings.lease.is_some() {
            Leadership::elected()
        } else {
            Leadership::single_replica()
        },
        initial_lists: watched
            .iter()
            .flat_map(|watched| [watched.integrations_list.clone(), watched.matches_list.clone()])
            .collect(),
        integrations,
        integrations_changed: watch::Sender::new(()),
        reported: watch::Sender::new(()),
        match_stores: watched.iter().map(|watched| watched.matches.clone()).collect(),
        stop,
        settings,
    }
}

/// The state directory of the settings. The operator runs without it if it cannot
/// be used: every start is then a full sync.
fn open_state_dir(settings: &Settings) -> Option<StateDir> {
    StateDir::open(settings.state_dir.as_ref()?)
        .inspect_err(|error| {
            tracing::warn!(%error, "cannot use the state directory: every start will be a full sync");
        })
        .ok()
}

/// Removes the state files of deleted integrations, for ever.
async fn sweep_state_dir(ctx: &Arc<Context>) {
    let Some(dir) = &ctx.state_dir else {
        return future::pending().await;
    };
    // Until all integrations have been listed, an unknown one need not be deleted.
    while !ctx.not_ready().is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    loop {
        let (dir, context) = (dir.clone(), ctx.clone());
        let swept = tokio::task::spawn_blocking(move || dir.sweep(|uid| context.exists(uid))).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "cannot remove the state file of a deleted integration");
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

/// Watches one namespace, or all, and reconciles its integrations until shutdown.
async fn run_controller(watched: WatchedNamespace, reconciler: Arc<Reconciler>) {
    let ctx = &reconciler.ctx;
    let stop = {
        let ctx = ctx.clone();
        async move { ctx.stopped().await }
    };
    let (integrations, matches) = (watched.api(&ctx.client), watched.api(&ctx.client));
    let changes = watcher(integrations, watcher::Config::default()).default_backoff();
    let noted = ctx.clone();
    let changes = watched
        .integrations_list
        .observe(changes.reflect(watched.writer))
        .inspect(move |_| noted.integrations_changed.send_replace(()))
        .applied_objects()
        .predicate_filter(
            predicates::generation
                .combine(predicates::annotations)
                .combine(WatchedIntegration::legibility),
            Default::default(),
        );
    let decisions = watched.matches.follow(matches, watched.matches_list);
    let decisions = stream::unfold(decisions, |mut decisions| async {
        Some((decisions.recv().await?, decisions))
    });
    // A standby skips every reconcile, so that a new leader owes one to each integration.
    let terms = stream::unfold(ctx.leadership.subscribe(), |mut terms| async {
        terms.changed().await.ok()?;
        Some(((), terms))
    });

    let writers = one_writer::changes(ctx.clone(), watched.integrations.clone());

    Controller::for_stream(changes, watched.integrations)
        .with_config(Config::default().debounce(DEBOUNCE))
        .reconcile_on(decisions)
        .reconcile_on(writers)
        .reconcile_all_on(terms)
        .graceful_shutdown_on(stop)
        .run(reconcile_in_task, error_policy, reconciler.clone())
        .for_each(|result| {
            reconciler.forget_deleted();
            if let Err(error) = result {
                // A failed reconcile has logged its error, and so has a failed watch.
                let error = match error {
                    controller::Error::QueueError(error) => http::cluster::watch_message(&error),
                    error => error.to_string(),
                };
                tracing::debug!(error, "controller error");
            }
            future::ready(())
        })
        .await;
}

/// Reconciles in a task of its own: assessing a large company takes seconds of
/// CPU, which must not delay other integrations.
async fn reconcile_in_task(
    integration: Arc<WatchedIntegration>,
    reconciler: Arc<Reconciler>,
) -> Result<Action, ReconcileError> {
    match tokio::spawn(instrument::reconcile_instrumented(integration, reconciler)).await {
        Ok(result) => result,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the runtime cancels a task.
            Err(_) => Err(ReconcileError::Stopping),
        },
    }
}

/// Retries with exponential backoff.
fn error_policy(
    integration: Arc<WatchedIntegration>,
    _: &ReconcileError,
    reconciler: Arc<Reconciler>,
) -> Action {
    Action::requeue(reconciler.retry_in(&integration))
}
