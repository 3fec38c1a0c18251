//! May a plan be written? The guard bounds the harm of one plan; beyond a bound, the plan is held until an
//! admin approves it by its hash.
//!
//! Only [`judge`] makes a [`ClearedPlan`], and only a cleared plan can be applied.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::{
    api::{Applying, Approval, Decision, Field, GuardPolicy, MatchState, OktaIntegrationSpec},
    model::PersonId,
    rules::{
        blocker::Blocker,
        one_writer::OtherWriter,
        plan::Plan,
        resolve::{Records, Resolution, Resolved},
    },
};

/// Whether a plan may be written, and the bounds that it exceeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The bounds that the plan exceeds, whatever the ruling: an admin wants to know them before finalizing,
    /// and after approving the plan.
    pub breaches: Vec<Breach>,
    /// Whether the plan may be written.
    pub ruling: Ruling,
}

impl Verdict {
    /// Whether the plan waits for `approvedPlan` or for another integration.
    pub fn is_held(&self) -> bool {
        self.ruling == Ruling::Held
    }

    /// Holds the plan as long as another integration writes to the organisation. No approval clears it.
    pub fn held_for(mut self, other: Option<OtherWriter>) -> Self {
        if let Some(other) = other {
            self.breaches.insert(0, Breach::AnotherIntegrationWrites(other));
            if self.ruling != Ruling::NotFinalized {
                self.ruling = Ruling::Held;
            }
        }
        self
    }

    /// The integration that the plan waits for.
    pub fn other_writer(&self) -> Option<&OtherWriter> {
        self.breaches.iter().find_map(|breach| match breach {
            Breach::AnotherIntegrationWrites(other) => Some(other),
            _ => None,
        })
    }

    /// The plan, if it may be written.
    pub fn cleared(&self) -> Option<&ClearedPlan> {
        match &self.ruling {
            Ruling::Cleared(plan) => Some(plan),
            Ruling::NotFinalized | Ruling::Held => None,
        }
    }
}

/// Whether a plan may be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ruling {
    /// The integration is not finalized: nothing may be written.
    #[default]
    NotFinalized,
    /// The plan exceeds a bound and waits for `approvedPlan`.
    Held,
    /// The plan may be written.
    Cleared(ClearedPlan),
}

/// A plan that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearedPlan {
    plan: Arc<Plan>,
    clearance: Clearance,
}

impl ClearedPlan {
    pub fn as_plan(&self) -> &Plan {
        &self.plan
    }

    pub fn clearance(&self) -> &Clearance {
        &self.clearance
    }

    pub fn into_inner(self) -> Plan {
        Arc::unwrap_or_clone(self.plan)
    }
}

/// Why a plan may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// The integration is finalized and the plan exceeds no bound.
    WithinGuard,
    /// `approvedPlan` names the plan, by this hash.
    Approved(String),
    /// The plan is the remainder of the plan of this hash, which `approvedPlan` names.
    Resumed(String),
}

impl Clearance {
    /// The hash of the approved plan that this plan is, or is the remainder of.
    pub fn approved_plan(&self) -> Option<&str> {
        match self {
            Self::WithinGuard => None,
            Self::Approved(plan) | Self::Resumed(plan) => Some(plan),
        }
    }
}

/// A kind of write whose number `spec.guard` bounds. A new bound is a variant here and a line in each table
/// below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Deactivations,
    TeamMoves,
    EmailChanges,
    /// Matches that are unmatched.
    Relinks,
}

impl Bound {
    const ALL: [Self; 4] = [
        Self::Deactivations,
        Self::TeamMoves,
        Self::EmailChanges,
        Self::Relinks,
    ];

    /// The people whom the bounded writes concern, once for each write.
    fn people(self, plan: &Plan) -> Vec<&PersonId> {
        let updates_of = |field| plan.updates_of(field).map(|write| &write.person).collect();
        match self {
            Self::Deactivations => plan.deactivations.iter().map(|write| &write.person).collect(),
            Self::TeamMoves => updates_of(Field::Team),
            Self::EmailChanges => updates_of(Field::Email),
            Self::Relinks => plan.unmatches.keys().collect(),
        }
    }

    fn allowed(self, guard: &GuardPolicy) -> &IntOrString {
        match self {
            Self::Deactivations => &guard.max_deactivations,
            Self::TeamMoves => &guard.max_team_moves,
            Self::EmailChanges => &guard.max_email_changes,
            Self::Relinks => &guard.max_relinks,
        }
    }

    /// The reason for the condition, the field of `spec.guard`, and the bounded write in singular and plural.
    fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Deactivations => (
                "TooManyDeactivations",
                "maxDeactivations",
                "deactivation",
                "deactivations",
            ),
            Self::TeamMoves => ("TooManyTeamMoves", "maxTeamMoves", "team move", "team moves"),
            Self::EmailChanges => (
                "TooManyEmailChanges",
                "maxEmailChanges",
                "email change",
                "email changes",
            ),
            Self::Relinks => ("TooManyRelinks", "maxRelinks", "unmatch", "unmatches"),
        }
    }
}

/// Why a plan needs an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// More writes than `spec.guard` allows.
    Exceeded {
        bound: Bound,
        planned: usize,
        allowed: usize,
    },
    /// Okta's response lacks many of the known people. They need no write, so that no bound counts them.
    PeopleMissing {
        /// Known people who are not in the response or no longer in a team group; sorted.
        missing: Vec<PersonId>,
        known: usize,
    },
    /// `approval: EveryPlan`.
    EveryPlan,
    /// An older integration writes to the same organisation.
    AnotherIntegrationWrites(OtherWriter),
}

impl Breach {
    /// The stable reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Exceeded { bound, .. } => bound.words().0,
            Self::PeopleMissing { .. } => "PeopleMissing",
            Self::EveryPlan => "EveryPlanNeedsApproval",
            Self::AnotherIntegrationWrites(_) => "AnotherIntegrationWrites",
        }
    }

    /// The people whom the bounded writes concern, or who are missing.
    pub fn people<'a>(&'a self, plan: &'a Plan) -> Vec<&'a PersonId> {
        match self {
            Self::Exceeded { bound, .. } => bound.people(plan),
            Self::PeopleMissing { missing, .. } => missing.iter().collect(),
            Self::EveryPlan | Self::AnotherIntegrationWrites(_) => Vec::new(),
        }
    }

    pub fn message(&self) -> String {
        match self {
            Self::Exceeded {
                bound,
                planned,
                allowed,
            } => {
                let (_, field, one, many) = bound.words();
                let noun = if *planned == 1 { one } else { many };
                format!("{planned} {noun} planned, spec.guard.{field} allows {allowed}")
            }
            Self::PeopleMissing { missing, known } => format!(
                "{} of {known} known people are not in Okta's response or no longer in a team group",
                missing.len()
            ),
            Self::EveryPlan => "spec.approval is EveryPlan".to_owned(),
            Self::AnotherIntegrationWrites(other) => format!(
                "OktaIntegration {other}, which is older, writes to the same Insightful organisation: two that write would undo each other"
            ),
        }
    }
}

/// Whether a plan may be written. `records` and `resolved` are those that the plan was made from; `applying`
/// is the approved plan of which [`approval::of`](crate::rules::approval::of) found this one to be the
/// remainder.
pub fn judge(
    plan: Arc<Plan>,
    spec: &OktaIntegrationSpec,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
    applying: Option<&Applying>,
) -> Verdict {
    let breaches = breaches(&plan, spec, records, resolved);
    let ruling = if !spec.finalized {
        Ruling::NotFinalized
    } else if let Some(clearance) = clearance(&plan, spec, &breaches, applying) {
        Ruling::Cleared(ClearedPlan { plan, clearance })
    } else {
        Ruling::Held
    };
    Verdict { breaches, ruling }
}

/// Why the plan of a finalized integration may be written; None if it is held.
fn clearance(
    plan: &Plan,
    spec: &OktaIntegrationSpec,
    breaches: &[Breach],
    applying: Option<&Applying>,
) -> Option<Clearance> {
    let approved = spec.approved_plan.as_ref();
    // A response that lacks many people is not the one that the approval rests on.
    let is_missing_people = breaches
        .iter()
        .any(|breach| matches!(breach, Breach::PeopleMissing { .. }));
    let resumed = applying.filter(|applying| !is_missing_people && approved == Some(&applying.plan));
    if let Some(Applying { plan, .. }) = resumed {
        return Some(Clearance::Resumed(plan.clone()));
    }
    if breaches.is_empty() {
        return Some(Clearance::WithinGuard);
    }
    let approved = approved.filter(|hash| **hash == plan.hash())?;
    Some(Clearance::Approved(approved.clone()))
}

/// Why a plan needs an approval, whether or not the integration is finalized.
fn breaches(
    plan: &Plan,
    spec: &OktaIntegrationSpec,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
) -> Vec<Breach> {
    let matched = resolved
        .values()
        .filter(|resolved| matches!(resolved.resolution, Resolution::Matched(_)))
        .count();
    let mut breaches: Vec<Breach> = Bound::ALL
        .into_iter()
        .map(|bound| Breach::Exceeded {
            bound,
            planned: bound.people(plan).len(),
            allowed: allowed(bound.allowed(&spec.guard), matched),
        })
        .filter(|breach| matches!(breach, Breach::Exceeded { planned, allowed, .. } if planned > allowed))
        .collect();
    let (missing, known) = missing(records, resolved);
    if too_many_missing(missing.len(), known) {
        breaches.push(Breach::PeopleMissing { missing, known });
    }
    if spec.approval == Approval::EveryPlan && !plan.is_empty() {
        breaches.push(Breach::EveryPlan);
    }
    breaches
}

/// The bound as a count; a percentage is of the matched people, rounded down.
fn allowed(bound: &IntOrString, matched: usize) -> usize {
    match bound {
        IntOrString::Int(count) => usize::try_from(*count).unwrap_or(0),
        IntOrString::String(text) => {
            let percent: usize = text.trim_end_matches('%').parse().unwrap_or(0);
            matched * percent.min(100) / 100
        }
    }
}

/// A plan is held if more than a tenth of the known people are missing, and more than one.
fn too_many_missing(missing: usize, known: usize) -> bool {
    missing > 1 && missing * 10 > known
}

/// The people on record whom Okta's response lacks, and the number of people on record. Departed and ignored
/// people do not count. Every missing person has the state `OutOfScope`, by which they can be listed.
fn missing(records: &Records, resolved: &BTreeMap<PersonId, Resolved>) -> (Vec<PersonId>, usize) {
    let known = records.iter().filter(|(_, record)| {
        record.state.is_some_and(|state| state != MatchState::Deactivated)
            && record.decision != Decision::Ignore
    });
    known.fold((Vec::new(), 0), |(mut missing, known), (id, record)| {
        let is_missing = match resolved.get(id).map(|resolved| &resolved.resolution) {
            Some(
                Resolution::OutOfScope(Blocker::NotInOktaResponse)
                | Resolution::Waits(Blocker::DeletedInOkta { .. }),
            ) => true,
            Some(Resolution::OutOfScope(Blocker::NotInTeamGroup)) => record.applied.is_some(),
            _ => false,
        };
        missing.extend(is_missing.then(|| id.clone()));
        (missing, known + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::OktaStatus, rules::example::Example};

    /// Twenty people, matched by decision, each of whom would be moved to a new team.
    fn twenty() -> Example {
        let mut example = Example::new();
        for n in 0..20 {
            let id = format!("p{n:02}");
            example.person(&id, "Ann", &format!("Doe{n}"), "Sales");
            example.employee(
                &format!("e{n:02}"),
                &format!("Ann Doe{n}"),
                &format!("{id}@acme.com"),
            );
            example.matched(&id, &[&format!("e{n:02}")]);
        }
        example
    }

    fn verdict(example: &Example) -> Verdict {
        let assessment = example.assess();
        judge(
            assessment.plan.clone(),
            &example.spec,
            &example.records,
            &assessment.resolved,
            None,
        )
    }

    fn reasons(example: &Example) -> Vec<&'static str> {
        let Verdict { breaches, ruling } = verdict(example);
        match ruling {
            Ruling::Held => breaches.iter().map(Breach::reason).collect(),
            Ruling::Cleared(_) => vec![],
            Ruling::NotFinalized => vec!["NotFinalized"],
        }
    }

    #[test]
    fn nothing_is_cleared_before_the_integration_is_finalized() {
        let mut example = twenty();
        assert_eq!(reasons(&example), Vec::<&str>::new());
        example.spec.finalized = false;
        example.spec.approved_plan = Some(example.assess().plan.hash());
        assert_eq!(reasons(&example), ["NotFinalized"], "not even an approved plan");
    }

    #[test]
    fn a_plan_is_held_beyond_a_bound_and_cleared_at_it() {
        let bound = |count| IntOrString::Int(count);
        let mut example = twenty();
        example.spec.guard.max_team_moves = bound(20);
        assert_eq!(reasons(&example), Vec::<&str>::new());
        example.spec.guard.max_team_moves = bound(19);
        assert_eq!(reasons(&example), ["TooManyTeamMoves"]);

        let mut example = twenty();
        example.people[0].status = OktaStatus::Deprovisioned;
        example.people[1].status = OktaStatus::Deprovisioned;
        example.spec.guard.max_deactivations = IntOrString::String("5%".into());
        assert_eq!(reasons(&example), ["TooManyDeactivations"], "5% of 20 is one");
        example.people[1].status = OktaStatus::Active;
        assert_eq!(reasons(&example), Vec::<&str>::new());

        let mut example = twenty();
        example.matched("p00", &["e00"]);
        example.people[0].email = Some("other@acme.com".into());
        example.spec.guard.max_email_changes = bound(0);
        assert_eq!(reasons(&example), ["TooManyEmailChanges"]);

        let mut example = twenty();
        example.in_force("p00", "e00", &[(Field::Name, Some("x"), "Ann Doe0")]);
        example.record("p00").decision = Decision::Ignore;
        example.spec.guard.max_relinks = bound(0);
        assert_eq!(reasons(&example), ["TooManyRelinks"]);
    }

    #[test]
    fn an_approved_hash_clears_only_that_plan() {
        let mut example = twenty();
        example.spec.approval = Approval::EveryPlan;
        assert_eq!(reasons(&example), ["EveryPlanNeedsApproval"]);
        example.spec.approved_plan = Some(example.assess().plan.hash());
        assert_eq!(reasons(&example), Vec::<&str>::new());
        example.people[0].title = Some("Manager".into());
        assert_eq!(
            reasons(&example),
            ["EveryPlanNeedsApproval"],
            "a later change makes it another plan"
        );
    }

    #[test]
    fn a_plan_is_held_when_many_known_people_are_missing() {
        let mut example = twenty();
        for n in 0..20 {
            example.record(&format!("p{n:02}")).state = Some(MatchState::Matched);
        }
        example.people.drain(0..2);
        assert_eq!(reasons(&example), Vec::<&str>::new(), "two of twenty");
        example.people.drain(0..1);
        assert_eq!(reasons(&example), ["PeopleMissing"], "three of twenty");
        let people = |example: &Example| {
            let plan = example.assess().plan;
            let Verdict { breaches, .. } = verdict(example);
            let people = breaches[0].people(&plan);
            people.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(people(&example), ["p00", "p01", "p02"]);
        for id in ["p00", "p01"] {
            example.record(id).decision = Decision::Ignore;
        }
        assert_eq!(
            reasons(&example),
            Vec::<&str>::new(),
            "ignored people do not count"
        );
        for id in ["p00", "p01"] {
            example.matched(id, &[]);
            example.record(id).state = Some(MatchState::Deactivated);
        }
        assert_eq!(reasons(&example), Vec::<&str>::new(), "nor do departed people");
    }

    #[test]
    fn a_verdict_carries_its_breaches_whatever_the_ruling() {
        let mut example = twenty();
        example.spec.guard.max_team_moves = IntOrString::Int(1);
        let breach = Breach::Exceeded {
            bound: Bound::TeamMoves,
            planned: 20,
            allowed: 1,
        };
        assert_eq!(
            breach.message(),
            "20 team moves planned, spec.guard.maxTeamMoves allows 1"
        );
        let breaches = [breach];
        assert_eq!(verdict(&example).breaches, breaches, "held");
        example.spec.approved_plan = Some(example.assess().plan.hash());
        let approved = verdict(&example);
        assert!(approved.cleared().is_some());
        assert_eq!(approved.breaches, breaches, "approved");
        example.spec.finalized = false;
        assert_eq!(verdict(&example).breaches, breaches, "not finalized");
    }

    #[test]
    fn a_percentage_is_rounded_down() {
        let percent = |text: &str| IntOrString::String(text.to_owned());
        for (bound, matched, expected) in [
            (percent("5%"), 100, 5),
            (percent("5%"), 39, 1),
            (percent("5%"), 19, 0),
            (percent("100%"), 7, 7),
            (percent("0%"), 7, 0),
            (IntOrString::Int(3), 7, 3),
            (IntOrString::Int(-1), 7, 0),
        ] {
            assert_eq!(allowed(&bound, matched), expected, "{bound:?} of {matched}");
        }
    }

    #[test]
    fn a_plan_is_held_when_more_than_a_tenth_of_the_people_are_missing() {
        for (missing, known, held) in [
            (0, 0, false),
            (1, 3, false),
            (2, 3, true),
            (6, 60, false),
            (7, 60, true),
        ] {
            assert_eq!(too_many_missing(missing, known), held, "{missing} of {known}");
        }
    }
}
