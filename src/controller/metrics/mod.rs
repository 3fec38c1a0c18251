//! The operator's metrics, in the OpenMetrics format.
//!
//! Label values come from closed lists, except for the namespace and name of an
//! integration, which admins choose. No label holds personal data or secrets.

mod calls;
mod integrations;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::{ResourceExt, runtime::reflector::Store};
use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use tokio::runtime::Handle;

use super::{liveness::Liveness, watched::WatchedIntegration};
use crate::api::{OktaIntegration, SyncKind};

pub use calls::IntegrationCalls;
use calls::{CallMetrics, Observers};
use integrations::Integrations;

/// The Content-Type of [`Metrics::text`].
pub const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of the program.
pub struct Metrics {
    registry: Registry,
    liveness: Arc<Liveness>,
    calls: CallMetrics,
    observers: Observers,
    syncs: Family<SyncLabels, Counter>,
    sync_seconds: Histogram,
    step_seconds: Family<StepLabel, Histogram, fn() -> Histogram>,
    applies: Family<ResultLabel, Counter>,
    reconciles: Family<ResultLabel, Counter>,
    reconcile_seconds: Histogram,
    in_flight: Gauge,
    waiting: Gauge,
    leader: Gauge,
    ready: Gauge,
    tasks: Gauge,
}

/// The measured steps of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleStep {
    /// From the start of a sync to Okta's last response.
    ReadOkta,
    /// From the start of a sync to Insightful's last response.
    ReadInsightful,
    /// Teams, matching, plan and guard.
    Assess,
    /// Creates EmployeeMatches and writes their statuses.
    WriteMatches,
    /// Writes a plan to Insightful.
    Apply,
    /// Creates, updates and deletes UnmatchedEmployees.
    WriteUnmatchedEmployees,
}

impl CycleStep {
    const ALL: [Self; 6] = [
        Self::ReadOkta,
        Self::ReadInsightful,
        Self::Assess,
        Self::WriteMatches,
        Self::Apply,
        Self::WriteUnmatchedEmployees,
    ];

    /// The value of labels and spans; stable.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOkta => "read_okta",
            Self::ReadInsightful => "read_insightful",
            Self::Assess => "assess",
            Self::WriteMatches => "write_matches",
            Self::Apply => "apply",
            Self::WriteUnmatchedEmployees => "write_unmatched",
        }
    }
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileResult {
    Done,
    Failed,
    /// Ended early: the operator shuts down, or another replica leads.
    Aborted,
}

/// See [`Metrics::waiting`].
pub struct Waiting<'a>(&'a Gauge);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl ReconcileResult {
    const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Aborted];

    /// The value of labels and spans; stable.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SyncLabels {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

fn kind_label(kind: SyncKind) -> &'static str {
    match kind {
        SyncKind::Full => "full",
        SyncKind::Delta => "delta",
        SyncKind::Decision => "decision",
    }
}

/// From a tenth of a second to some three minutes.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.1, 2.0, 12))
}

/// From a hundredth of a second, for steps without I/O and single requests.
fn short_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 15))
}

impl Metrics {
    /// The metrics of each integration are computed from `stores` at every scrape.
    pub fn new(stores: Vec<Store<WatchedIntegration>>, liveness: Arc<Liveness>) -> Arc<Self> {
        let mut registry = Registry::with_prefix("okta_insightful");
        let info = vec![
            ("version", env!("CARGO_PKG_VERSION")),
            // Set by whoever builds a release, as the Dockerfile does.
            ("commit", option_env!("BUILD_COMMIT").unwrap_or("unknown")),
        ];
        registry.register("build", "Version and commit of the operator", Info::new(info));
        let calls = CallMetrics::registered(&mut registry);
        let observers: Observers = Arc::new(Mutex::new(BTreeMap::new()));
        let metrics = Self {
            liveness,
            calls,
            observers: observers.clone(),
            syncs: Family::default(),
            sync_seconds: seconds(),
            step_seconds: Family::new_with_constructor(short_seconds),
            applies: Family::default(),
            reconciles: Family::default(),
            reconcile_seconds: short_seconds(),
            in_flight: Gauge::default(),
            waiting: Gauge::default(),
            leader: Gauge::default(),
            ready: Gauge::default(),
            tasks: Gauge::default(),
            registry: Registry::default(),
        };
        metrics.start_at_zero();
        registry.register(
            "syncs",
            "Syncs by kind (full: read both services completely; delta: read only what changed in Okta; decision: read nothing, a decision changed) and result",
            metrics.syncs.clone(),
        );
        registry.register_with_unit(
            "sync_duration",
            "Time to read both services",
            Unit::Seconds,
            metrics.sync_seconds.clone(),
        );
        registry.register_with_unit(
            "step_duration",
            "Duration of each step of a cycle",
            Unit::Seconds,
            metrics.step_seconds.clone(),
        );
        registry.register(
            "applies",
            "Applied plans by result: complete, or partial if a write failed or was not tried",
            metrics.applies.clone(),
        );
        registry.register("reconciles", "Reconciles by result", metrics.reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "Duration of a reconcile",
            Unit::Seconds,
            metrics.reconcile_seconds.clone(),
        );
        registry.register(
            "reconciles_in_flight",
            "Reconciles in flight, including those that wait for their first read; at most one per integration",
            metrics.in_flight.clone(),
        );
        registry.register(
            "integrations_waiting",
            "Integrations that wait for their first read since the start",
            metrics.waiting.clone(),
        );
        registry.register(
            "leader",
            "Whether this replica is the leader, which is the only one that writes",
            metrics.leader.clone(),
        );
        registry.register(
            "ready",
            "Whether this replica is ready: it has listed its resources",
            metrics.ready.clone(),
        );
        registry.register(
            "tasks",
            "Tokio tasks that are alive; a number that only grows indicates a leak",
            metrics.tasks.clone(),
        );
        registry.register_collector(Box::new(Integrations::new(stores, observers)));
        Arc::new(Self { registry, ..metrics })
    }

    /// A counter that does not exist yet has no rate: those with closed label lists start at zero.
    fn start_at_zero(&self) {
        for kind in [SyncKind::Full, SyncKind::Delta, SyncKind::Decision] {
            for result in ["complete", "failed"] {
                let kind = kind_label(kind);
                drop(self.syncs.get_or_create(&SyncLabels { kind, result }));
            }
        }
        for step in CycleStep::ALL {
            let label = StepLabel { step: step.as_str() };
            drop(self.step_seconds.get_or_create(&label));
        }
        for result in ["complete", "partial"] {
            drop(self.applies.get_or_create(&ResultLabel { result }));
        }
        for result in ReconcileResult::ALL {
            let result = result.as_str();
            drop(self.reconciles.get_or_create(&ResultLabel { result }));
        }
    }

    /// The observer of the calls for an integration.
    pub fn call_observer(&self, integration: &OktaIntegration) -> Arc<IntegrationCalls> {
        let key = (
            integration.namespace().unwrap_or_default(),
            integration.name_any(),
        );
        let mut observers = self.observers.lock();
        observers
            .entry(key.clone())
            .or_insert_with(|| {
                Arc::new(IntegrationCalls::new(
                    key,
                    self.calls.clone(),
                    self.liveness.clone(),
                ))
            })
            .clone()
    }

    pub fn record_sync(&self, kind: SyncKind, succeeded: bool, took: Duration) {
        let result = if succeeded { "complete" } else { "failed" };
        let kind = kind_label(kind);
        self.syncs.get_or_create(&SyncLabels { kind, result }).inc();
        self.sync_seconds.observe(took.as_secs_f64());
    }

    /// Records a cycle that read nothing.
    pub fn record_decision(&self) {
        let (kind, result) = (kind_label(SyncKind::Decision), "complete");
        self.syncs.get_or_create(&SyncLabels { kind, result }).inc();
    }

    pub fn observe_step(&self, step: CycleStep, took: Duration) {
        let label = StepLabel { step: step.as_str() };
        self.step_seconds
            .get_or_create(&label)
            .observe(took.as_secs_f64());
    }

    pub fn record_apply(&self, completed: bool) {
        let result = if completed { "complete" } else { "partial" };
        self.applies.get_or_create(&ResultLabel { result }).inc();
    }

    pub fn reconcile_started(&self) {
        self.in_flight.inc();
    }

    /// Counts an integration as waiting for its first read until the returned guard is dropped.
    pub fn waiting(&self) -> Waiting<'_> {
        self.waiting.inc();
        Waiting(&self.waiting)
    }

    pub fn reconcile_finished(&self, result: ReconcileResult, took: Duration) {
        self.in_flight.dec();
        let result = result.as_str();
        self.reconciles.get_or_create(&ResultLabel { result }).inc();
        self.reconcile_seconds.observe(took.as_secs_f64());
    }

    /// The response to a scrape.
    ///
    /// # Errors
    /// None: writing to memory does not fail.
    pub fn text(&self, is_leader: bool, is_ready: bool) -> Result<String, std::fmt::Error> {
        self.leader.set(i64::from(is_leader));
        self.ready.set(i64::from(is_ready));
        // Some tests have no runtime.
        let tasks = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
        self.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
