//! What is shown of each integration: computed from its spec and status at
//! every scrape, so that nothing is left of one that is gone.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{ResourceExt, runtime::reflector::Store};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Unit,
};
use tokio::time::Instant;

use super::calls::Observers;
use crate::{
    api::{OktaIntegration, OktaIntegrationStatus, Phase, TeamState, TeamStatus, conditions},
    http::Budget,
};

/// One gauge.
struct Shown {
    name: &'static str,
    help: &'static str,
    is_time: bool,
    /// Says the values of one integration, each with the labels beside the integration's.
    values: fn(&OktaIntegration, &OktaIntegrationStatus, Say<'_>),
}

type Say<'a> = &'a mut dyn FnMut(&[(&'static str, &str)], f64);

const SHOWN: &[Shown] = &[
    Shown {
        name: "integration_people",
        help: "People by where they stand",
        is_time: false,
        values: |_, status, say| {
            let Some(people) = &status.people else { return };
            for (state, count) in [
                ("matched", people.matched),
                ("review", people.review),
                ("unmatched", people.unmatched),
                ("ignored", people.ignored),
                ("conflict", people.conflicts),
                ("out_of_scope", people.out_of_scope),
            ] {
                say(&[("state", state)], count.into());
            }
        },
    },
    Shown {
        name: "integration_people_blocked",
        help: "People who cannot be synced until somebody acts",
        is_time: false,
        values: |_, status, say| {
            if let Some(people) = &status.people {
                say(&[], people.blocked.into());
            }
        },
    },
    Shown {
        name: "integration_review_waiting",
        help: "People who wait for a decision: in review, without an employee, or in conflict",
        is_time: false,
        values: |_, status, say| {
            if let Some(people) = &status.people {
                say(&[], (people.review + people.unmatched + people.conflicts).into());
            }
        },
    },
    Shown {
        name: "integration_planned_changes",
        help: "What the next apply would write, by kind; team_move and email_change are among update_employee",
        is_time: false,
        values: |_, status, say| {
            let Some(plan) = &status.plan else { return };
            for (kind, count) in [
                ("create_team", plan.create_teams),
                ("create_employee", plan.create_employees),
                ("update_employee", plan.updates),
                ("team_move", plan.team_moves),
                ("email_change", plan.email_changes),
                ("deactivate_employee", plan.deactivations),
                ("take_back", plan.relinks),
                ("restore", plan.restores),
            ] {
                say(&[("kind", kind)], count.into());
            }
        },
    },
    Shown {
        name: "integration_plan_held",
        help: "Whether the plan waits for spec.approvedPlan",
        is_time: false,
        values: |_, status, say| {
            let held = conditions::find(&status.conditions, conditions::HELD);
            say(&[], flag(held.is_some_and(|held| held.status == "True")));
        },
    },
    Shown {
        name: "integration_teams",
        help: "Teams that team groups stand for, by whether Insightful has them",
        is_time: false,
        values: |_, status, say| {
            let mut count = |word, is_counted: &dyn Fn(&TeamStatus) -> bool| {
                let count = status.teams.iter().filter(|team| is_counted(team)).count();
                say(
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
    Shown {
        name: "integration_condition",
        help: "Each condition with its reason: 1 if it is true, 0 if it is false, -1 if it is unknown",
        is_time: false,
        values: |_, status, say| {
            for condition in &status.conditions {
                let value = match condition.status.as_str() {
                    "True" => 1.0,
                    "False" => 0.0,
                    _ => -1.0,
                };
                say(
                    &[("type", &condition.type_), ("reason", &condition.reason)],
                    value,
                );
            }
        },
    },
    Shown {
        name: "integration_phase",
        help: "1 for the phase that the integration is in",
        is_time: false,
        values: |_, status, say| {
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
            say(&[("phase", phase)], 1.0);
        },
    },
    Shown {
        name: "integration_finalized",
        help: "Whether spec.finalized is true, so that plans may be written",
        is_time: false,
        values: |object, _, say| say(&[], flag(object.spec.finalized)),
    },
    Shown {
        name: "integration_suspended",
        help: "Whether spec.suspend is true, so that nothing is read or written",
        is_time: false,
        values: |object, _, say| say(&[], flag(object.spec.suspend)),
    },
    Shown {
        name: "integration_sync_interval",
        help: "spec.sync.interval",
        is_time: true,
        values: |object, _, say| {
            let interval: std::time::Duration = object.spec.sync.interval.into();
            say(&[], interval.as_secs_f64());
        },
    },
    Shown {
        name: "integration_created_timestamp",
        help: "When the integration was created",
        is_time: true,
        values: |object, _, say| say_time(object.metadata.creation_timestamp.as_ref(), say),
    },
    Shown {
        name: "integration_last_sync_timestamp",
        help: "When both services were last read whole and well",
        is_time: true,
        values: |_, status, say| say_time(status.last_sync_time.as_ref(), say),
    },
    Shown {
        name: "integration_next_sync_timestamp",
        help: "When they are to be read next",
        is_time: true,
        values: |_, status, say| say_time(status.next_sync_time.as_ref(), say),
    },
    Shown {
        name: "integration_last_apply_timestamp",
        help: "When a plan was last applied whole",
        is_time: true,
        values: |_, status, say| say_time(status.last_applied_time.as_ref(), say),
    },
];

/// The gauges of a rate limit's present window.
struct ShownBudget {
    name: &'static str,
    help: &'static str,
    value: fn(&Budget) -> u32,
}

const SHOWN_BUDGETS: &[ShownBudget] = &[
    ShownBudget {
        name: "okta_rate_limit_calls",
        help: "Calls that Okta allows everybody in the present window of the bucket",
        value: |budget| budget.limit,
    },
    ShownBudget {
        name: "okta_rate_limit_remaining_calls",
        help: "Calls that the org has left in it",
        value: |budget| budget.remaining,
    },
    ShownBudget {
        name: "okta_rate_limit_share_calls",
        help: "Calls of it that the operator may make, by spec.okta.rateLimitPercent",
        value: |budget| budget.share,
    },
    ShownBudget {
        name: "okta_rate_limit_used_calls",
        help: "Calls that the operator made in it",
        value: |budget| budget.used,
    },
];

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn say_time(time: Option<&Time>, say: Say<'_>) {
    if let Some(Time(time)) = time {
        say(&[], time.as_duration().as_secs_f64());
    }
}

/// See the module.
pub(super) struct Integrations {
    stores: Vec<Store<OktaIntegration>>,
    observers: Observers,
}

impl std::fmt::Debug for Integrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Integrations").finish_non_exhaustive()
    }
}

impl Integrations {
    pub(super) fn new(stores: Vec<Store<OktaIntegration>>, observers: Observers) -> Self {
        Self { stores, observers }
    }

    /// In the order of their names, so that two scrapes are alike.
    fn present(&self) -> Vec<Arc<OktaIntegration>> {
        let mut present: Vec<_> = self.stores.iter().flat_map(Store::state).collect();
        present.sort_by_key(|object| (object.namespace(), object.name_any()));
        present
    }

    fn encode_budgets(
        &self,
        present: &[Arc<OktaIntegration>],
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
        for ShownBudget { name, help, value } in SHOWN_BUDGETS {
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
        let nothing = OktaIntegrationStatus::default();
        for Shown {
            name,
            help,
            is_time,
            values,
        } in SHOWN
        {
            let unit = is_time.then_some(Unit::Seconds);
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            let mut result = Ok(());
            for object in &present {
                let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
                let mut say = |more: &[(&'static str, &str)], value: f64| {
                    let mut labels = vec![("namespace", namespace.as_str()), ("integration", name.as_str())];
                    labels.extend_from_slice(more);
                    if result.is_ok() {
                        result = family
                            .encode_family(&labels)
                            .and_then(|family| ConstGauge::new(value).encode(family));
                    }
                };
                values(object, object.status.as_ref().unwrap_or(&nothing), &mut say);
            }
            result?;
        }
        self.encode_budgets(&present, &mut encoder)
    }
}
