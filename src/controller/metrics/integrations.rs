//! Metrics of each integration, computed from its spec and status at every scrape,
//! so that those of a deleted integration disappear.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{Resource, ResourceExt, core::object::HasStatus, runtime::reflector::Store};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Unit,
};
use tokio::time::Instant;

use super::calls::Observers;
use crate::{
    api::{OktaIntegrationSpec, OktaIntegrationStatus, Phase, TeamState, TeamStatus, conditions},
    controller::watched::WatchedIntegration,
    http::Budget,
};

struct IntegrationGauge {
    name: &'static str,
    help: &'static str,
    is_time: bool,
    /// Emits the values of one integration, each with its labels besides the integration's.
    values: fn(&Shown<'_>, Emit<'_>),
}

/// What the gauges show of an integration.
struct Shown<'a> {
    metadata: &'a ObjectMeta,
    /// What is legible of it; None if that is too little.
    spec: Option<&'a OktaIntegrationSpec>,
    status: &'a OktaIntegrationStatus,
}

type Emit<'a> = &'a mut dyn FnMut(&[(&'static str, &str)], f64);

const INTEGRATION_GAUGES: &[IntegrationGauge] = &[
    IntegrationGauge {
        name: "integration_people",
        help: "People by state of their match",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            let Some(people) = &status.people else { return };
            for (state, count) in [
                ("matched", people.matched),
                ("review", people.review),
                ("unmatched", people.unmatched),
                ("ignored", people.ignored),
                ("conflict", people.conflicts),
                ("out_of_scope", people.out_of_scope),
            ] {
                emit(&[("state", state)], count.into());
            }
        },
    },
    IntegrationGauge {
        name: "integration_people_blocked",
        help: "People who cannot be synced until somebody acts",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            if let Some(people) = &status.people {
                emit(&[], people.blocked.into());
            }
        },
    },
    IntegrationGauge {
        name: "integration_review_waiting",
        help: "People who await a decision: in review, unmatched or in conflict",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            if let Some(people) = &status.people {
                emit(&[], (people.review + people.unmatched + people.conflicts).into());
            }
        },
    },
    IntegrationGauge {
        name: "integration_planned_changes",
        help: "Planned changes by kind; update_employee includes team_move and email_change",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            let Some(plan) = &status.plan else { return };
            for (kind, count) in [
                ("create_team", plan.create_teams),
                ("create_employee", plan.create_employees),
                ("update_employee", plan.updates),
                ("team_move", plan.team_moves),
                ("email_change", plan.email_changes),
                ("deactivate_employee", plan.deactivations),
                ("unmatch", plan.relinks),
                ("restore", plan.restores),
            ] {
                emit(&[("kind", kind)], count.into());
            }
        },
    },
    IntegrationGauge {
        name: "integration_plan_held",
        help: "Whether the plan is held until spec.approvedPlan approves it",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            let held = conditions::find(&status.conditions, conditions::HELD);
            emit(&[], flag(held.is_some_and(|held| held.status == "True")));
        },
    },
    IntegrationGauge {
        name: "integration_teams",
        help: "Teams of team groups by state in Insightful",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            let mut count = |word, is_counted: &dyn Fn(&TeamStatus) -> bool| {
                let count = status.teams.iter().filter(|team| is_counted(team)).count();
                emit(
                    &[("state", word)],
                    u32::try_from(count).unwrap_or(u32::MAX).into(),
                );
            };
            for (word, state) in [
                ("existing", TeamState::Existing),
                ("new", TeamState::New),
                ("created", TeamState::Created),
                ("conflict", TeamState::Conflict),
            ] {
                count(word, &|team| team.state == state && !team.group_missing);
            }
            count("group_missing", &|team| team.group_missing);
        },
    },
    IntegrationGauge {
        name: "integration_condition",
        help: "Each condition with its reason: 1 if true, 0 if false, -1 if unknown",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            for condition in &status.conditions {
                let value = match condition.status.as_str() {
                    "True" => 1.0,
                    "False" => 0.0,
                    _ => -1.0,
                };
                emit(
                    &[("type", &condition.type_), ("reason", &condition.reason)],
                    value,
                );
            }
        },
    },
    IntegrationGauge {
        name: "integration_phase",
        help: "1 for the current phase",
        is_time: false,
        values: |Shown { status, .. }, emit| {
            let phase = match status.phase.unwrap_or(Phase::Pending) {
                Phase::Pending => "pending",
                Phase::Syncing => "syncing",
                Phase::Review => "review",
                Phase::Applying => "applying",
                Phase::InSync => "in_sync",
                Phase::Held => "held",
                Phase::Suspended => "suspended",
                Phase::Failed => "failed",
            };
            emit(&[("phase", phase)], 1.0);
        },
    },
    IntegrationGauge {
        name: "integration_finalized",
        help: "Whether spec.finalized is true, so that plans are applied",
        is_time: false,
        values: |shown, emit| {
            if let Some(spec) = shown.spec {
                emit(&[], flag(spec.finalized));
            }
        },
    },
    IntegrationGauge {
        name: "integration_suspended",
        help: "Whether spec.suspend is true, so that nothing is read or written",
        is_time: false,
        values: |shown, emit| {
            if let Some(spec) = shown.spec {
                emit(&[], flag(spec.suspend));
            }
        },
    },
    IntegrationGauge {
        name: "integration_sync_interval",
        help: "spec.sync.interval",
        is_time: true,
        values: |shown, emit| {
            if let Some(spec) = shown.spec {
                let interval: std::time::Duration = spec.sync.interval.into();
                emit(&[], interval.as_secs_f64());
            }
        },
    },
    IntegrationGauge {
        name: "integration_created_timestamp",
        help: "Time at which the integration was created",
        is_time: true,
        values: |shown, emit| emit_time(shown.metadata.creation_timestamp.as_ref(), emit),
    },
    IntegrationGauge {
        name: "integration_last_sync_timestamp",
        help: "Time of the last successful sync",
        is_time: true,
        values: |shown, emit| emit_time(shown.status.last_sync_time.as_ref(), emit),
    },
    IntegrationGauge {
        name: "integration_next_sync_timestamp",
        help: "Time of the next scheduled sync",
        is_time: true,
        values: |shown, emit| emit_time(shown.status.next_sync_time.as_ref(), emit),
    },
    IntegrationGauge {
        name: "integration_last_apply_timestamp",
        help: "Time at which a plan was last applied completely",
        is_time: true,
        values: |shown, emit| emit_time(shown.status.last_applied_time.as_ref(), emit),
    },
];

/// A gauge of a rate limit's current window.
struct BudgetGauge {
    name: &'static str,
    help: &'static str,
    value: fn(&Budget) -> u32,
}

const BUDGET_GAUGES: &[BudgetGauge] = &[
    BudgetGauge {
        name: "okta_rate_limit_calls",
        help: "Calls that Okta allows the org in the current window of the bucket",
        value: |budget| budget.limit,
    },
    BudgetGauge {
        name: "okta_rate_limit_remaining_calls",
        help: "Calls that the org has left in the current window",
        value: |budget| budget.remaining,
    },
    BudgetGauge {
        name: "okta_rate_limit_share_calls",
        help: "Calls that the operator may make in the current window, by spec.okta.rateLimitPercent",
        value: |budget| budget.share,
    },
    BudgetGauge {
        name: "okta_rate_limit_used_calls",
        help: "Calls that the operator made in the current window",
        value: |budget| budget.used,
    },
];

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn emit_time(time: Option<&Time>, emit: Emit<'_>) {
    if let Some(Time(time)) = time {
        emit(&[], time.as_duration().as_secs_f64());
    }
}

/// See the module.
pub(super) struct Integrations {
    stores: Vec<Store<WatchedIntegration>>,
    observers: Observers,
}

impl std::fmt::Debug for Integrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Integrations").finish_non_exhaustive()
    }
}

impl Integrations {
    pub(super) fn new(stores: Vec<Store<WatchedIntegration>>, observers: Observers) -> Self {
        Self { stores, observers }
    }

    /// Sorted by name, so that scrapes are comparable.
    fn present(&self) -> Vec<Arc<WatchedIntegration>> {
        let mut present: Vec<_> = self.stores.iter().flat_map(Store::state).collect();
        present.sort_by_key(|object| (object.namespace(), object.name_any()));
        present
    }

    fn encode_budgets(
        &self,
        present: &[Arc<WatchedIntegration>],
        encoder: &mut DescriptorEncoder,
    ) -> std::fmt::Result {
        let now = Instant::now();
        let budgets: Vec<_> = {
            let mut observers = self.observers.lock();
            observers.retain(|(namespace, name), _| {
                let mut present = present.iter();
                present.any(|object| {
                    object.namespace().as_ref() == Some(namespace) && object.name_any() == *name
                })
            });
            let known = observers.iter();
            known
                .flat_map(|(key, calls)| calls.budgets(now).into_iter().map(|budget| (key.clone(), budget)))
                .collect()
        };
        for BudgetGauge { name, help, value } in BUDGET_GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for ((namespace, name), budget) in &budgets {
                let labels = [
                    ("namespace", namespace.as_str()),
                    ("integration", name.as_str()),
                    ("bucket", budget.bucket),
                ];
                ConstGauge::new(i64::from(value(budget))).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Collector for Integrations {
    fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
        let present = self.present();
        let no_status = OktaIntegrationStatus::default();
        for IntegrationGauge {
            name,
            help,
            is_time,
            values,
        } in INTEGRATION_GAUGES
        {
            let unit = is_time.then_some(Unit::Seconds);
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            let mut result = Ok(());
            for object in &present {
                let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
                let mut emit = |more: &[(&'static str, &str)], value: f64| {
                    let mut labels = vec![("namespace", namespace.as_str()), ("integration", name.as_str())];
                    labels.extend_from_slice(more);
                    if result.is_ok() {
                        result = family
                            .encode_family(&labels)
                            .and_then(|family| ConstGauge::new(value).encode(family));
                    }
                };
                let shown = Shown {
                    metadata: object.meta(),
                    spec: object.legible().map(|legible| &legible.spec),
                    status: object.status().unwrap_or(&no_status),
                };
                values(&shown, &mut emit);
            }
            result?;
        }
        self.encode_budgets(&present, &mut encoder)
    }
}
