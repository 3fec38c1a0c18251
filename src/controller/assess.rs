//! Stage 2: what follows from the snapshot, the spec and the matches. No I/O.

use super::{match_store::Matches, metrics::CycleStep, scope::Scope};
use crate::{
    api::Applying,
    model::Snapshot,
    rules::{
        approval::{self, Announcements},
        assessment::Assessment,
        guard::{self, Verdict},
        teams::Bindings,
    },
};

/// What follows from the snapshot, the spec and the matches.
pub struct View {
    pub bindings: Bindings,
    pub assessment: Assessment,
    pub verdict: Verdict,
    /// The approved plan on record, if the present plan is the remainder of it.
    pub applying: Option<Applying>,
}

impl View {
    /// Computes the view again. The previous one is dropped first: of a large company, both together would take
    /// half as much memory again.
    pub fn renew(self, scope: &Scope<'_>, snapshot: &Snapshot, matches: &Matches) -> Self {
        let Self { bindings, .. } = self;
        assess(scope, snapshot, matches, bindings)
    }
}

/// Derives teams, matches and the plan, and judges the plan. `bindings` are the teams that groups are bound to.
pub fn assess(scope: &Scope<'_>, snapshot: &Snapshot, matches: &Matches, bindings: Bindings) -> View {
    let _measured = scope.time_step(CycleStep::Assess);
    let (spec, records) = (scope.spec(), matches.records());
    // Takes seconds for a large company.
    let assessment = tokio::task::block_in_place(|| Assessment::of(snapshot, spec, records, &bindings));
    let status = scope.status();
    let announcements = match status.applying {
        Some(_) => matches.announcements(),
        None => Announcements::new(),
    };
    let applying = approval::of(&status, spec, &assessment, &announcements);
    let plan = assessment.plan.clone();
    let verdict = guard::judge(plan, spec, records, &assessment.resolved, applying)
        .held_for(scope.other_writer(snapshot.organization()));
    View {
        bindings,
        verdict,
        applying: applying.cloned(),
        assessment,
    }
}
