//! Stage 2: what follows from the snapshot, the spec and the matches. No I/O.

use jiff::Timestamp;

use super::{match_store::Matches, metrics::CycleStep, scope::Scope};
use crate::{
    api::{Applying, GuardStatus, Reviewed},
    model::Snapshot,
    rules::{
        approval::{self, Announcements},
        assessment::Assessment,
        guard::{self, Circumstances, Verdict},
        teams::Bindings,
    },
};

/// What follows from the snapshot, the spec and the matches.
pub struct View {
    pub bindings: Bindings,
    /// What the guard remembers as of now.
    pub guard: GuardStatus,
    pub assessment: Assessment,
    pub verdict: Verdict,
    /// The approved plan on record, if the present plan is the remainder of it.
    pub applying: Option<Applying>,
}

impl View {
    /// Computes the view again. The previous one is dropped first: of a large company, both together would take
    /// half as much memory again.
    pub fn renew(self, scope: &Scope<'_>, snapshot: &Snapshot, matches: &Matches) -> Self {
        let Self { bindings, guard, .. } = self;
        assess(scope, snapshot, matches, bindings, guard)
    }
}

/// Derives teams, matches and the plan, and judges the plan. `bindings` are the teams that groups are bound to, and
/// `guard` is what the guard remembers.
pub fn assess(
    scope: &Scope<'_>,
    snapshot: &Snapshot,
    matches: &Matches,
    bindings: Bindings,
    mut guard: GuardStatus,
) -> View {
    let _measured = scope.time_step(CycleStep::Assess);
    let (spec, records, uid, now) = (scope.spec(), matches.records(), scope.uid(), Timestamp::now());
    // Takes seconds for a large company.
    let assessment = tokio::task::block_in_place(|| Assessment::of(snapshot, spec, records, &bindings));
    let status = scope.status();
    let announcements = match (&status.applying, &guard.in_flight) {
        (None, None) => Announcements::new(),
        _ => matches.announcements(),
    };
    let applying = approval::of(&status, spec, &assessment, &announcements).cloned();
    guard.settle(
        approval::announced_writes(&status, &assessment, &announcements),
        now,
    );
    // An approval ends with its plan, whether all of it was applied or something else is planned now.
    if let Some(ended) = status.applying.filter(|_| applying.is_none()) {
        guard.spent_plan = Some(ended.plan);
    }
    let other_writer = scope.other_writer(snapshot.organization());
    let judge = |assessment: &Assessment, memory: &GuardStatus| {
        let circumstances = Circumstances {
            uid: &uid,
            spec,
            snapshot,
            records,
            memory,
            applying: applying.as_ref(),
            now,
        };
        guard::judge(assessment, &circumstances).held_for(other_writer.clone())
    };
    let mut assessment = assessment.after(guard.spent_plan.as_ref());
    let mut verdict = judge(&assessment, &guard);
    if guard.accept_empty(&verdict, || Reviewed::now(&uid, spec, snapshot)) {
        assessment = assessment.after(guard.spent_plan.as_ref());
        verdict = judge(&assessment, &guard);
    }
    View {
        bindings,
        guard,
        verdict,
        applying,
        assessment,
    }
}
