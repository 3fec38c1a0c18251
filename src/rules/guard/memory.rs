//! What the guard remembers from one cycle to the next, in the integration's status: what was reviewed, what was
//! missing then, which approval is spent, and what was written in the last 24 hours.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Clearance, ClearedPlan, Verdict, bounds::as_count};
use crate::{
    api::{GuardStatus, GuardedWrites, OktaIntegrationSpec, OktaIntegrationStatus, RecentWrites, Reviewed},
    model::Snapshot,
};

/// How long an entry counts after its hour has begun: 24 hours for the last write of that hour.
const RECENT: SignedDuration = SignedDuration::from_hours(25);

impl Reviewed {
    /// What a review of this integration is about now.
    pub fn now(uid: &str, spec: &OktaIntegrationSpec, snapshot: &Snapshot) -> Self {
        Self {
            uid: uid.to_owned(),
            org_url: spec.okta.org_url.trim_end_matches('/').to_owned(),
            insightful_url: spec.insightful.url.trim_end_matches('/').to_owned(),
            organization_id: snapshot.organization().map(str::to_owned),
        }
    }

    /// Whether both name one Insightful organisation. The URL tells only where the id is not known.
    pub(super) fn is_same_organization(&self, other: &Self) -> bool {
        match (&self.organization_id, &other.organization_id) {
            (Some(one), Some(other)) => one == other,
            _ => self.insightful_url == other.insightful_url,
        }
    }
}

impl GuardStatus {
    /// What a status remembers. An approval that is older than the object's first status is of an earlier object, and
    /// spent.
    pub fn recall(status: &OktaIntegrationStatus, spec: &OktaIntegrationSpec) -> Self {
        status.guard.clone().unwrap_or_else(|| Self {
            spent_plan: spec.approved_plan.clone(),
            ..Self::default()
        })
    }

    /// Whether there were more EmployeeMatches after the last cycle.
    pub fn counts_more_than(&self, matches: usize) -> bool {
        self.matches > as_count(matches)
    }

    /// Counts the EmployeeMatches at the beginning of a cycle. Those that are fewer than after the last cycle were
    /// deleted by somebody, with the decisions in them.
    pub fn count_matches(&mut self, matches: usize) {
        let matches = as_count(matches);
        self.matches_vanished += (self.matches - matches).max(0);
        self.matches = matches;
    }

    /// Counts what an apply that has begun wrote: what it was to write, except for what is still planned.
    pub fn settle(&mut self, still_planned: GuardedWrites, now: Timestamp) {
        let Some(begun) = self.in_flight.take() else {
            return;
        };
        let written = begun.minus(still_planned);
        if !written.is_zero() {
            self.forget_old(now);
            let this_hour = hour(now);
            match self.recent.last_mut().filter(|last| last.hour.0 == this_hour) {
                Some(last) => last.writes = last.writes.plus(written),
                None => self.recent.push(RecentWrites {
                    hour: Time(this_hour),
                    writes: written,
                }),
            }
        }
    }

    /// Drops the entries that no longer count, so that there is at most one for each hour. A time in the future
    /// comes from another clock.
    fn forget_old(&mut self, now: Timestamp) {
        let this_hour = hour(now);
        let mut recent: Vec<RecentWrites> = Vec::new();
        for RecentWrites { hour, writes } in std::mem::take(&mut self.recent) {
            let hour = hour.0.min(this_hour);
            match recent.last_mut().filter(|last| last.hour.0 == hour) {
                _ if !counts(hour, now) => {}
                Some(last) => last.writes = last.writes.plus(writes),
                None => recent.push(RecentWrites {
                    hour: Time(hour),
                    writes,
                }),
            }
        }
        self.recent = recent;
    }

    /// What was written in the last 24 hours without an approval.
    pub fn recent_writes(&self, now: Timestamp) -> GuardedWrites {
        let recent = self.recent.iter().filter(|entry| counts(entry.hour.0, now));
        recent.fold(GuardedWrites::default(), |sum, entry| sum.plus(entry.writes))
    }

    /// When the first of the entries that count now no longer does.
    pub(super) fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        let recent = self.recent.iter().map(|entry| entry.hour.0.min(hour(now)));
        recent
            .filter(|hour| counts(*hour, now))
            .map(|hour| hour.saturating_add(RECENT).unwrap_or(Timestamp::MAX))
            .min()
    }

    /// An apply begins. Writes that nobody approved count from now on, so that a crash does not hide them.
    pub fn begin(&mut self, cleared: &ClearedPlan, verdict: &Verdict, now: Reviewed) {
        match cleared.clearance() {
            Clearance::WithinGuard => {
                let writes = GuardedWrites::all_of(cleared.as_plan());
                self.in_flight = (!writes.is_zero()).then_some(writes);
            }
            Clearance::Approved(_) => self.accept(verdict, now),
            Clearance::Resumed(_) => {}
        }
    }

    /// An admin approved the plan, and with it what is missing.
    pub fn accept(&mut self, verdict: &Verdict, now: Reviewed) {
        self.reviewed = Some(now);
        self.matches_vanished = 0;
        self.set_missing(verdict);
    }

    /// An approved plan without a write is applied at once: the approval accepts what is missing. Returns whether there
    /// was one.
    pub fn accept_empty(&mut self, verdict: &Verdict, now: impl FnOnce() -> Reviewed) -> bool {
        let Some((plan, Clearance::Approved(hash))) = verdict
            .cleared()
            .map(|cleared| (cleared.as_plan(), cleared.clearance()))
        else {
            return false;
        };
        if plan.is_empty() {
            self.accept(verdict, now());
            self.complete(hash, verdict);
        }
        plan.is_empty()
    }

    /// A plan was applied completely.
    pub fn complete(&mut self, plan: &str, verdict: &Verdict) {
        self.spent_plan = Some(plan.to_owned());
        self.set_missing(verdict);
    }

    fn set_missing(&mut self, verdict: &Verdict) {
        self.people_missing = as_count(verdict.missing_people.people.len());
        self.employees_missing = as_count(verdict.missing_employees.people.len());
    }

    /// The memory at the end of a cycle that showed its plan. `matches` are all EmployeeMatches by then; `reviewing`
    /// is what an admin reviews, unless the integration is finalized.
    pub fn shown(
        mut self,
        verdict: &Verdict,
        matches: usize,
        is_plan_empty: bool,
        reviewing: Option<Reviewed>,
        now: Timestamp,
    ) -> Self {
        self.matches = as_count(matches);
        if reviewing.is_some() || is_plan_empty {
            self.matches_vanished = 0;
        }
        self.reviewed = reviewing.or(self.reviewed);
        // Whoever comes back is missed when they vanish again.
        self.people_missing = self
            .people_missing
            .min(as_count(verdict.missing_people.people.len()));
        self.employees_missing = self
            .employees_missing
            .min(as_count(verdict.missing_employees.people.len()));
        self.forget_old(now);
        self
    }
}

fn counts(hour: Timestamp, now: Timestamp) -> bool {
    now.duration_since(hour) < RECENT
}

/// The beginning of the hour.
fn hour(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(3600)).unwrap_or(time)
}
