//! What is counted, in the format of OpenMetrics.
//!
//! Labels come from closed lists, but for the namespace and the name of an
//! integration, which admins choose. None names a person, an address or a token.

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

use super::liveness::Liveness;
use crate::api::{OktaIntegration, SyncKind};

pub use calls::IntegrationCalls;
use calls::{CallMetrics, Observers};
use integrations::Integrations;

/// The format that [`Metrics::text`] gives, as a Content-Type.
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

/// The steps of a cycle that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleStep {
    /// From the beginning of a read to the last answer of Okta.
    ReadOkta,
    /// From the beginning of a read to the last answer of Insightful.
    ReadInsightful,
    /// Teams, matching, plan and guard.
    Assess,
    /// Creating EmployeeMatches and writing their statuses.
    WriteMatches,
    /// Writing a plan to Insightful.
    Apply,
}

impl CycleStep {
    const ALL: [Self; 5] = [
        Self::ReadOkta,
        Self::ReadInsightful,
        Self::Assess,
        Self::WriteMatches,
        Self::Apply,
    ];

    /// The stable word for labels and spans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOkta => "read_okta",
            Self::ReadInsightful => "read_insightful",
            Self::Assess => "assess",
            Self::WriteMatches => "write_matches",
            Self::Apply => "apply",
        }
    }
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileResult {
    /// To its end.
    Done,
    /// The API server failed.
    Failed,
    /// It was cut short, since the operator stops or another replica leads.
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

    /// The stable word for labels and spans.
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

/// From a hundredth of a second: thinking and single requests are quick.
fn short_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 15))
}

impl Metrics {
    /// All at zero. What is said of each integration is read from `stores` at
    /// every scrape, so that it goes with the integration.
    pub fn new(stores: Vec<Store<OktaIntegration>>, liveness: Arc<Liveness>) -> Arc<Self> {
        let mut registry = Registry::with_prefix("okta_insightful");
        let info = vec![
            ("version", env!("CARGO_PKG_VERSION")),
            // Set by whoever builds a release, as the Dockerfile does.
            ("commit", option_env!("BUILD_COMMIT").unwrap_or("unknown")),
        ];
        registry.register("build", "Which program this is", Info::new(info));
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
            "Syncs by what was read (full: both services; delta: of Okta what changed; decision: nothing, since a decision changed) and result",
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
            "Time of each step of a cycle",
            Unit::Seconds,
            metrics.step_seconds.clone(),
        );
        registry.register(
            "applies",
            "Plans that were written, whole or in part",
            metrics.applies.clone(),
        );
        registry.register("reconciles", "Reconciles by result", metrics.reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "Time of a reconcile, whatever it did",
            Unit::Seconds,
            metrics.reconcile_seconds.clone(),
        );
        registry.register(
            "reconciles_in_flight",
            "Reconciles under way, those that wait for their turn among them; each integration has at most one",
            metrics.in_flight.clone(),
        );
        registry.register(
            "integrations_waiting",
            "Integrations that wait for their turn to read for the first time since the start",
            metrics.waiting.clone(),
        );
        registry.register(
            "leader",
            "Whether this replica is the one that writes",
            metrics.leader.clone(),
        );
        registry.register(
            "ready",
            "Whether this replica has read its resources",
            metrics.ready.clone(),
        );
        registry.register(
            "tasks",
            "Tasks of the program's runtime; a number that only grows is a leak",
            metrics.tasks.clone(),
        );
        registry.register_collector(Box::new(Integrations::new(stores, observers)));
        Arc::new(Self { registry, ..metrics })
    }

    /// A counter that is not there yet has no rate: those with closed lists start at zero.
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
        for result in ["whole", "partly"] {
            drop(self.applies.get_or_create(&ResultLabel { result }));
        }
        for result in ReconcileResult::ALL {
            let result = result.as_str();
            drop(self.reconciles.get_or_create(&ResultLabel { result }));
        }
    }

    /// Who hears of the calls that are made for an integration.
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

    /// The services were read, or could not be, in this time.
    pub fn record_sync(&self, kind: SyncKind, well: bool, took: Duration) {
        let result = if well { "complete" } else { "failed" };
        let kind = kind_label(kind);
        self.syncs.get_or_create(&SyncLabels { kind, result }).inc();
        self.sync_seconds.observe(took.as_secs_f64());
    }

    /// A decision was looked at without reading a service.
    pub fn record_decision(&self) {
        let (kind, result) = (kind_label(SyncKind::Decision), "complete");
        self.syncs.get_or_create(&SyncLabels { kind, result }).inc();
    }

    /// A step of a cycle was done.
    pub fn observe_step(&self, step: CycleStep, took: Duration) {
        let label = StepLabel { step: step.as_str() };
        self.step_seconds
            .get_or_create(&label)
            .observe(took.as_secs_f64());
    }

    /// A plan was written, whole or not.
    pub fn record_apply(&self, whole: bool) {
        let result = if whole { "whole" } else { "partly" };
        self.applies.get_or_create(&ResultLabel { result }).inc();
    }

    /// A reconcile begins.
    pub fn reconcile_started(&self) {
        self.in_flight.inc();
    }

    /// An integration waits for its turn to read, until what this gives is dropped.
    pub fn waiting(&self) -> Waiting<'_> {
        self.waiting.inc();
        Waiting(&self.waiting)
    }

    /// A reconcile ended.
    pub fn reconcile_finished(&self, result: ReconcileResult, took: Duration) {
        self.in_flight.dec();
        let result = result.as_str();
        self.reconciles.get_or_create(&ResultLabel { result }).inc();
        self.reconcile_seconds.observe(took.as_secs_f64());
    }

    /// The text that Prometheus reads, with what is so at this moment.
    ///
    /// # Errors
    /// None that can happen: writing to memory does not fail.
    pub fn text(&self, leads: bool, is_ready: bool) -> Result<String, std::fmt::Error> {
        self.leader.set(i64::from(leads));
        self.ready.set(i64::from(is_ready));
        // Outside a runtime, as in a test of the text, there are none.
        let tasks = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
        self.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
