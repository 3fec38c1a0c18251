//! The thin shell: watches the two kinds, calls the core, and writes what it says.

mod apply;
mod credentials;
mod events;
mod health;
mod integrations;
mod leadership;
mod matches;
mod metrics;
mod notify;
mod progress;
mod reconcile;
mod secrets;
mod session;
mod triggers;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future, stream};
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
    services::AllowedAddresses,
    transport::{self, CallObserver},
};
pub use secrets::{SecretError, read as read_secret};

pub use leadership::LeaseName;

use leadership::Leadership;
use metrics::Metrics;
use reconcile::{ReconcileError, reconcile};
use session::Sessions;

/// Changes within this time are answered together, so that a hundred decisions
/// applied at once are one plan.
const DEBOUNCE: Duration = Duration::from_millis(300);

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
    recorder: Recorder,
    metrics: Arc<Metrics>,
    observer: Arc<dyn CallObserver>,
    stores: Vec<Store<OktaIntegration>>,
    leadership: Leadership,
    stop: watch::Receiver<bool>,
}

impl Context {
    /// Whether a plan made for this very integration may still be written:
    /// nobody changed it since, and the operator is not stopping.
    fn may_write(&self, integration: &OktaIntegration) -> bool {
        let key = ObjectRef::from_obj(integration);
        let now = self.stores.iter().find_map(|store| store.get(&key));
        !*self.stop.borrow()
            && self.leadership.holds()
            && now.is_some_and(|now| {
                now.metadata.uid == integration.metadata.uid
                    && now.metadata.generation == integration.metadata.generation
                    && now.metadata.deletion_timestamp.is_none()
            })
    }

    /// Comes back when the operator is told to stop.
    async fn stopped(&self) {
        // A sender that is gone has stopped too.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Whether the integrations of every watched namespace have been read.
    fn is_ready(&self) -> bool {
        self.stores.iter().all(|store| {
            store
                .wait_until_ready()
                .now_or_never()
                .is_some_and(|ready| ready.is_ok())
        })
    }
}

/// Runs the operator until SIGTERM or Ctrl-C.
///
/// # Errors
/// Why it cannot start, or cannot go on.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let client = transport::cluster::client().await.map_err(RunError::NoCluster)?;
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
    let metrics = Metrics::new();
    let (stop, stopped) = watch::channel(false);
    let ctx = Arc::new(Context {
        recorder: Recorder::new(client.clone(), FIELD_MANAGER.into()),
        client,
        sessions: Sessions::default(),
        observer: metrics.clone(),
        metrics,
        stores,
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

    let controllers =
        scopes
            .into_iter()
            .zip(writers)
            .zip(ctx.stores.clone())
            .map(|((scope, writer), store)| {
                let mut stopped = stopped.clone();
                let stop = async move {
                    let _ = stopped.wait_for(|stopped| *stopped).await;
                };
                control(scope, writer, store, ctx.clone(), stop)
            });
    let controllers = future::join_all(controllers.collect::<Vec<_>>());
    tokio::pin!(controllers);
    let address = ctx.settings.metrics_address;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, "started");

    tokio::select! {
        result = health::serve(address, ctx.clone()) => {
            return result.map_err(|source| RunError::Listen { address, source });
        }
        _ = &mut controllers => return Ok(()),
        () = &mut campaign => {}
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

/// Watches one namespace, or all, until told to stop.
async fn control(
    namespace: Option<String>,
    writer: reflector::store::Writer<OktaIntegration>,
    store: Store<OktaIntegration>,
    ctx: Arc<Context>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let integrations: Api<OktaIntegration> = scoped(&ctx.client, namespace.as_deref());
    let changes = watcher(integrations, watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .applied_objects()
        .predicate_filter(
            predicates::generation.combine(predicates::annotations),
            Default::default(),
        );
    let decisions = triggers::of_matches(scoped(&ctx.client, namespace.as_deref()), store.clone());

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
        .run(reconcile, error_policy, ctx.clone())
        .for_each(|result| {
            ctx.sessions.retain(|uid| {
                ctx.stores.iter().any(|store| {
                    store
                        .find(|object| object.metadata.uid.as_deref() == Some(uid))
                        .is_some()
                })
            });
            if let Err(error) = result {
                tracing::debug!(%error, "a reconcile was not done");
            }
            future::ready(())
        })
        .await;
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
fn error_policy(integration: Arc<OktaIntegration>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    ctx.metrics.reconcile_failed();
    tracing::warn!(
        integration = %integration.name_any(),
        namespace = integration.namespace(),
        %error,
        "the reconcile could not be finished"
    );
    let session = ctx.sessions.of(&integration.uid().unwrap_or_default());
    let delay = session
        .try_lock()
        .map_or(Duration::from_secs(1), |mut session| session.backoff());
    Action::requeue(delay)
}
