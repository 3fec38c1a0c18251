//! Metrics of the calls to Okta and Insightful.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

use super::short_seconds;
use crate::{
    controller::liveness::Liveness,
    http::{Budget, CallObserver, CallOutcome, Operation, Service, WaitCause},
};

/// Namespace and name of an integration.
pub(super) type Key = (String, String);

/// The observers by integration; shared with the collector of the rate limits.
pub(super) type Observers = Arc<Mutex<BTreeMap<Key, Arc<IntegrationCalls>>>>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    operation: &'static str,
    outcome: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    service: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WaitLabels {
    service: &'static str,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    kind: &'static str,
    result: &'static str,
}

/// A closed list, so that no service can create new series: rare statuses share the
/// label of their class.
fn status_label(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(200) => "200",
        Some(201) => "201",
        Some(204) => "204",
        Some(400) => "400",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(409) => "409",
        Some(422) => "422",
        Some(429) => "429",
        Some(500) => "500",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(100..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(_) => "5xx",
    }
}

/// The labels of a write. None for a call without effect: a read, or a rate-limited
/// write, which is sent again.
fn change(operation: Operation, outcome: CallOutcome) -> Option<ChangeLabels> {
    let is_write = WRITES.contains(&operation);
    let result = match outcome {
        CallOutcome::Answered => "applied",
        CallOutcome::RateLimited => return None,
        CallOutcome::Refused | CallOutcome::Failed | CallOutcome::Unreachable | CallOutcome::Lost => "failed",
    };
    is_write.then_some(ChangeLabels {
        kind: operation.as_str(),
        result,
    })
}

const WRITES: [Operation; 4] = [
    Operation::CreateTeam,
    Operation::CreateEmployee,
    Operation::UpdateEmployee,
    Operation::DeactivateEmployee,
];

/// The metrics that all integrations share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct CallMetrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    waits: Family<WaitLabels, Counter<f64, AtomicU64>>,
    changes: Family<ChangeLabels, Counter>,
}

impl CallMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(short_seconds),
            waits: Family::default(),
            changes: Family::default(),
        };
        registry.register(
            "service_calls",
            "Requests to Okta and Insightful by operation, outcome and HTTP status (none: no response)",
            metrics.calls.clone(),
        );
        registry.register_with_unit(
            "service_call_duration",
            "Duration of a request to Okta or Insightful",
            Unit::Seconds,
            metrics.call_seconds.clone(),
        );
        registry.register_with_unit(
            "service_waits",
            "Time spent waiting before a request, by cause",
            Unit::Seconds,
            metrics.waits.clone(),
        );
        registry.register(
            "changes",
            "Writes to Insightful by kind and result; failed includes writes whose response was lost",
            metrics.changes.clone(),
        );
        for kind in WRITES.map(Operation::as_str) {
            for result in ["applied", "failed"] {
                drop(metrics.changes.get_or_create(&ChangeLabels { kind, result }));
            }
        }
        for service in [Service::Okta, Service::Insightful].map(Service::as_str) {
            for cause in
                [WaitCause::RateShare, WaitCause::RateLimited, WaitCause::Backoff].map(WaitCause::as_str)
            {
                drop(metrics.waits.get_or_create(&WaitLabels { service, cause }));
            }
        }
        metrics
    }
}

/// Observes the calls for one integration.
#[derive(Debug)]
pub struct IntegrationCalls {
    key: Key,
    metrics: CallMetrics,
    liveness: Arc<Liveness>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By bucket.
    budgets: BTreeMap<&'static str, Budget>,
    /// By service.
    last_responses: BTreeMap<Service, Instant>,
}

impl IntegrationCalls {
    pub(super) fn new(key: Key, metrics: CallMetrics, liveness: Arc<Liveness>) -> Self {
        Self {
            key,
            metrics,
            liveness,
            seen: Mutex::default(),
        }
    }

    /// When the last call to a service ended, unless that was before `since`.
    pub fn last_response(&self, service: Service, since: Instant) -> Option<Instant> {
        let seen = self.seen.lock();
        let last = seen.last_responses.get(&service).copied();
        last.filter(|last| *last >= since)
    }

    /// The rate limits whose window has not ended.
    pub fn budgets(&self, now: Instant) -> Vec<Budget> {
        let seen = self.seen.lock();
        let current = seen.budgets.values().filter(|budget| now < budget.ends);
        current.copied().collect()
    }
}

impl CallObserver for IntegrationCalls {
    fn call(&self, operation: Operation, outcome: CallOutcome, status: Option<u16>, took: Duration) {
        let service = operation.service();
        let labels = CallLabels {
            service: service.as_str(),
            operation: operation.as_str(),
            outcome: outcome.as_str(),
            status: status_label(status),
        };
        self.metrics.calls.get_or_create(&labels).inc();
        let labels = OperationLabels {
            service: service.as_str(),
            operation: operation.as_str(),
        };
        self.metrics
            .call_seconds
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        if let Some(labels) = change(operation, outcome) {
            self.metrics.changes.get_or_create(&labels).inc();
        }
        let mut seen = self.seen.lock();
        seen.last_responses.insert(service, Instant::now());
        drop(seen);
        self.liveness.record_progress(&self.key);
    }

    fn waiting(&self, service: Service, cause: WaitCause, wait: Duration) {
        let labels = WaitLabels {
            service: service.as_str(),
            cause: cause.as_str(),
        };
        self.metrics
            .waits
            .get_or_create(&labels)
            .inc_by(wait.as_secs_f64());
        self.liveness.record_progress(&self.key);
    }

    fn budget(&self, budget: Budget) {
        let mut seen = self.seen.lock();
        seen.budgets.insert(budget.bucket, budget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_labels_are_a_closed_list() {
        let labels: std::collections::BTreeSet<_> = (0..=u16::MAX)
            .map(|status| status_label(Some(status)))
            .chain([status_label(None)])
            .collect();
        assert_eq!(labels.len(), 19, "{labels:?}");
        for (status, label) in [
            (200, "200"),
            (206, "2xx"),
            (302, "3xx"),
            (418, "4xx"),
            (599, "5xx"),
            (999, "5xx"),
        ] {
            assert_eq!(status_label(Some(status)), label);
        }
    }

    #[test]
    fn only_writes_with_a_possible_effect_are_counted_as_changes() {
        let of = |operation, outcome| change(operation, outcome).map(|labels| (labels.kind, labels.result));
        for (operation, outcome, counted) in [
            (
                Operation::UpdateEmployee,
                CallOutcome::Answered,
                Some(("update_employee", "applied")),
            ),
            (
                Operation::CreateTeam,
                CallOutcome::Refused,
                Some(("create_team", "failed")),
            ),
            (
                Operation::CreateEmployee,
                CallOutcome::Lost,
                Some(("create_employee", "failed")),
            ),
            (Operation::DeactivateEmployee, CallOutcome::RateLimited, None),
            (Operation::GetEmployee, CallOutcome::Answered, None),
            (Operation::ListUsers, CallOutcome::Failed, None),
        ] {
            assert_eq!(of(operation, outcome), counted, "{operation} {outcome}");
        }
    }
}
