//! What is counted, in the format of Prometheus. No label names a person.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::transport::{CallObserver, CallOutcome, Operation, Service, WaitCause};

/// All metrics of the program.
pub struct Metrics {
    registry: Registry,
    syncs: Family<ResultLabel, Counter>,
    sync_seconds: Histogram,
    calls: Family<CallLabels, Counter>,
    waits: Family<WaitLabels, Counter<f64, std::sync::atomic::AtomicU64>>,
    writes: Family<ResultLabel, Counter>,
    reconcile_errors: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WaitLabels {
    service: &'static str,
    cause: &'static str,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Arc<Self> {
        let mut metrics = Self {
            registry: Registry::with_prefix("okta_insightful"),
            syncs: Family::default(),
            sync_seconds: Histogram::new(exponential_buckets(0.1, 2.0, 12)),
            calls: Family::default(),
            waits: Family::default(),
            writes: Family::default(),
            reconcile_errors: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "syncs",
            "Reads of both services, by result",
            metrics.syncs.clone(),
        );
        registry.register_with_unit(
            "sync_duration",
            "Time to read both services",
            Unit::Seconds,
            metrics.sync_seconds.clone(),
        );
        registry.register(
            "service_calls",
            "Requests to Okta and Insightful",
            metrics.calls.clone(),
        );
        registry.register_with_unit(
            "service_waits",
            "Time spent waiting before a request",
            Unit::Seconds,
            metrics.waits.clone(),
        );
        registry.register(
            "writes",
            "Writes to Insightful, by result",
            metrics.writes.clone(),
        );
        registry.register(
            "reconcile_errors",
            "Reconciles that failed because of the API server",
            metrics.reconcile_errors.clone(),
        );
        Arc::new(metrics)
    }

    /// Both services were read, or could not be.
    pub fn synced(&self, well: bool, took: Duration) {
        let result = if well { "complete" } else { "failed" };
        self.syncs.get_or_create(&ResultLabel { result }).inc();
        self.sync_seconds.observe(took.as_secs_f64());
    }

    /// A plan was written.
    pub fn wrote(&self, done: usize, failed: usize) {
        for (result, count) in [("done", done), ("failed", failed)] {
            self.writes
                .get_or_create(&ResultLabel { result })
                .inc_by(count as u64);
        }
    }

    /// A reconcile failed.
    pub fn reconcile_failed(&self) {
        self.reconcile_errors.inc();
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl CallObserver for Metrics {
    fn call(&self, operation: Operation, outcome: CallOutcome, _took: Duration) {
        let labels = CallLabels {
            service: operation.service().as_str(),
            operation: operation.as_str(),
            outcome: outcome.as_str(),
        };
        self.calls.get_or_create(&labels).inc();
    }

    fn waiting(&self, service: Service, cause: WaitCause, wait: Duration) {
        let labels = WaitLabels {
            service: service.as_str(),
            cause: cause.as_str(),
        };
        self.waits.get_or_create(&labels).inc_by(wait.as_secs_f64());
    }
}
