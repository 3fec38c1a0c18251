//! May it? A plan is cleared to be written, or held with the reasons.
//!
//! Only [`judge`] makes a [`ClearedPlan`], and only a cleared plan can be applied.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::{
    api::{Applying, Approval, Decision, MatchState, OktaIntegrationSpec},
    model::PersonId,
    rules::{
        blocker::Blocker,
        plan::Plan,
        resolve::{Records, Resolution, Resolved},
    },
};

/// Whether a plan may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody finished yet: nothing may be written.
    NotFinalized,
    /// The plan waits for `approvedPlan`.
    Held(Vec<Breach>),
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
    /// The plan, to look at.
    pub fn as_plan(&self) -> &Plan {
        &self.plan
    }

    /// By what clearance it may be written.
    pub fn clearance(&self) -> &Clearance {
        &self.clearance
    }

    /// The plan, to write.
    pub fn into_inner(self) -> Plan {
        Arc::unwrap_or_clone(self.plan)
    }
}

/// By what clearance a plan may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// It stays within the guard: the resolution clearance of the Finish.
    WithinGuard,
    /// `approvedPlan` names it, by this hash.
    Approved(String),
    /// It is what is left of the plan of this hash, which `approvedPlan` named.
    Resumed(String),
}

impl Clearance {
    /// The plan that an admin named and that this one is, or is left of.
    pub fn approved_plan(&self) -> Option<&str> {
        match self {
            Self::WithinGuard => None,
            Self::Approved(plan) | Self::Resumed(plan) => Some(plan),
        }
    }
}

/// A bound that a plan goes beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// More employees switched off than `maxDeactivations`.
    Deactivations(Excess),
    /// More employees moved than `maxTeamMoves`.
    TeamMoves(Excess),
    /// More emails replaced than `maxEmailChanges`.
    EmailChanges(Excess),
    /// More matches taken back than `maxRelinks`.
    Relinks(Excess),
    /// Okta's answer lacks many of the people who were known, which no bound
    /// of single counts would show.
    PeopleMissing {
        /// Who is not there, or is in no team group any more; sorted.
        missing: Vec<PersonId>,
        /// Of how many.
        known: usize,
    },
    /// `approval: EveryPlan`.
    EveryPlan,
}

/// How many are planned, and how many are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// Planned.
    pub planned: usize,
    /// Allowed.
    pub allowed: usize,
}

impl Breach {
    /// The stable reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Deactivations(_) => "TooManyDeactivations",
            Self::TeamMoves(_) => "TooManyTeamMoves",
            Self::EmailChanges(_) => "TooManyEmailChanges",
            Self::Relinks(_) => "TooManyRelinks",
            Self::PeopleMissing { .. } => "PeopleMissing",
            Self::EveryPlan => "EveryPlanNeedsApproval",
        }
    }

    /// Whom the writes beyond the bound concern, or who is missing.
    pub fn people<'a>(&'a self, plan: &'a Plan) -> Vec<&'a PersonId> {
        match self {
            Self::Deactivations(_) => plan.deactivations.iter().map(|write| &write.person).collect(),
            Self::TeamMoves(_) => plan
                .updates
                .iter()
                .filter(|write| write.team.is_some())
                .map(|write| &write.person)
                .collect(),
            Self::EmailChanges(_) => plan
                .updates
                .iter()
                .filter(|write| write.email.is_some())
                .map(|write| &write.person)
                .collect(),
            Self::Relinks(_) => plan.unmatches.keys().collect(),
            Self::PeopleMissing { missing, .. } => missing.iter().collect(),
            Self::EveryPlan => Vec::new(),
        }
    }

    /// In words.
    pub fn message(&self) -> String {
        match self {
            Self::Deactivations(excess) => excess.message("deactivations", "maxDeactivations"),
            Self::TeamMoves(excess) => excess.message("team moves", "maxTeamMoves"),
            Self::EmailChanges(excess) => excess.message("email changes", "maxEmailChanges"),
            Self::Relinks(excess) => excess.message("matches taken back", "maxRelinks"),
            Self::PeopleMissing { missing, known } => format!(
                "{} of {known} known people are not in Okta's answer, or in no team group any more",
                missing.len()
            ),
            Self::EveryPlan => "spec.approval is EveryPlan".to_owned(),
        }
    }
}

impl Excess {
    fn message(self, what: &str, bound: &str) -> String {
        format!(
            "{} {what}, and spec.guard.{bound} allows {}",
            self.planned, self.allowed
        )
    }
}

/// How many of the known people are missing before a plan is held: more than a
/// tenth, and more than one.
fn too_many_missing(missing: usize, known: usize) -> bool {
    missing > 1 && missing * 10 > known
}

/// Clears a plan or holds it. A plan whose hash `approvedPlan` names is cleared
/// whatever its size, and so is what is left of it: `applying` is the plan on
/// record that [`approval::of`](crate::rules::approval::of) found it to be left of.
/// Without the Finish, nothing is cleared.
pub fn judge(
    plan: Arc<Plan>,
    spec: &OktaIntegrationSpec,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
    applying: Option<&Applying>,
) -> Verdict {
    let breaches = breaches(&plan, spec, records, resolved);
    if !spec.finalized {
        return Verdict::NotFinalized;
    }
    // An answer that lacks many of the people is another one than that which was approved.
    let is_whole = !breaches
        .iter()
        .any(|breach| matches!(breach, Breach::PeopleMissing { .. }));
    let approved = || {
        spec.approved_plan
            .clone()
            .filter(|approved| *approved == plan.hash())
    };
    let clearance = match applying {
        _ if plan.is_empty() && breaches.is_empty() => Clearance::WithinGuard,
        Some(applying) if is_whole && spec.approved_plan.as_ref() == Some(&applying.plan) => {
            Clearance::Resumed(applying.plan.clone())
        }
        _ if breaches.is_empty() => Clearance::WithinGuard,
        _ => match approved() {
            Some(hash) => Clearance::Approved(hash),
            None => return Verdict::Held(breaches),
        },
    };
    Verdict::Cleared(ClearedPlan { plan, clearance })
}

/// The bounds that a plan goes beyond, finished or not: what an admin wants to
/// know before the Finish, too.
pub fn breaches(
    plan: &Plan,
    spec: &OktaIntegrationSpec,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
) -> Vec<Breach> {
    let matched = resolved
        .values()
        .filter(|resolved| matches!(resolved.resolution, Resolution::Matched(_)))
        .count();
    let excess = |planned: usize, bound: &IntOrString| {
        let allowed = allowed(bound, matched);
        (planned > allowed).then_some(Excess { planned, allowed })
    };
    let team_moves = plan.updates.iter().filter(|update| update.team.is_some()).count();
    let email_changes = plan
        .updates
        .iter()
        .filter(|update| update.email.is_some())
        .count();
    let (missing, known) = missing(records, resolved);

    let mut breaches: Vec<Breach> = [
        excess(plan.deactivations.len(), &spec.guard.max_deactivations).map(Breach::Deactivations),
        excess(team_moves, &spec.guard.max_team_moves).map(Breach::TeamMoves),
        excess(email_changes, &spec.guard.max_email_changes).map(Breach::EmailChanges),
        excess(plan.unmatches.len(), &spec.guard.max_relinks).map(Breach::Relinks),
        too_many_missing(missing.len(), known).then_some(Breach::PeopleMissing { missing, known }),
    ]
    .into_iter()
    .flatten()
    .collect();
    if spec.approval == Approval::EveryPlan && !plan.is_empty() {
        breaches.push(Breach::EveryPlan);
    }
    breaches
}

/// The bound as a count; a percentage is rounded down.
fn allowed(bound: &IntOrString, matched: usize) -> usize {
    match bound {
        IntOrString::Int(count) => usize::try_from(*count).unwrap_or(0),
        IntOrString::String(text) => {
            let percent: usize = text.trim_end_matches('%').parse().unwrap_or(0);
            matched * percent.min(100) / 100
        }
    }
}

/// Whom of the people on record Okta's answer lacks, and of how many. Those who
/// have left, and those an admin leaves alone, do not count. All who are missing
/// are in the state `OutOfScope`, by which they can be listed.
fn missing(records: &Records, resolved: &BTreeMap<PersonId, Resolved>) -> (Vec<PersonId>, usize) {
    let known = records.iter().filter(|(_, record)| {
        record.state != Some(MatchState::Deactivated)
            && record.decision != Decision::Ignore
            && record.state.is_some()
    });
    known.fold((Vec::new(), 0), |(mut missing, known), (id, record)| {
        let gone = match resolved.get(id).map(|resolved| &resolved.resolution) {
            Some(Resolution::OutOfScope(Blocker::NotInOktaResponse)) => true,
            Some(Resolution::OutOfScope(Blocker::NotInTeamGroup)) => record.applied.is_some(),
            _ => false,
        };
        missing.extend(gone.then(|| id.clone()));
        (missing, known + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::Field, model::OktaStatus, rules::example::Example};

    /// Twenty people who are matched by decision, of whom each would be moved to a new team.
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
        match verdict(example) {
            Verdict::Held(breaches) => breaches.iter().map(Breach::reason).collect(),
            Verdict::Cleared(_) => vec![],
            Verdict::NotFinalized => vec!["NotFinalized"],
        }
    }

    #[test]
    fn nothing_is_cleared_before_the_finish() {
        let mut example = twenty();
        assert_eq!(reasons(&example), Vec::<&str>::new());
        example.spec.finalized = false;
        example.spec.approved_plan = Some(example.assess().plan.hash());
        assert_eq!(reasons(&example), ["NotFinalized"], "not even an approved plan");
    }

    #[test]
    fn each_bound_holds_what_is_beyond_it_and_lets_through_what_is_at_it() {
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
    fn an_approved_hash_lets_exactly_that_plan_through() {
        let mut example = twenty();
        example.spec.approval = Approval::EveryPlan;
        assert_eq!(reasons(&example), ["EveryPlanNeedsApproval"]);
        example.spec.approved_plan = Some(example.assess().plan.hash());
        assert_eq!(reasons(&example), Vec::<&str>::new());
        example.people[0].title = Some("Manager".into());
        assert_eq!(
            reasons(&example),
            ["EveryPlanNeedsApproval"],
            "what changed since is another plan"
        );
    }

    #[test]
    fn an_org_that_lacks_many_of_the_known_people_is_held() {
        let mut example = twenty();
        for n in 0..20 {
            example.record(&format!("p{n:02}")).state = Some(MatchState::Matched);
        }
        example.people.drain(0..2);
        assert_eq!(reasons(&example), Vec::<&str>::new(), "two of twenty");
        example.people.drain(0..1);
        assert_eq!(reasons(&example), ["PeopleMissing"], "three of twenty");
        let missing = |example: &Example| match verdict(example) {
            Verdict::Held(breaches) => {
                let plan = example.assess().plan;
                let people = breaches[0].people(&plan);
                people.iter().map(ToString::to_string).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(&example), ["p00", "p01", "p02"]);
        for id in ["p00", "p01"] {
            example.record(id).decision = Decision::Ignore;
        }
        assert_eq!(
            reasons(&example),
            Vec::<&str>::new(),
            "who is left alone is not missed"
        );
        for id in ["p00", "p01"] {
            example.matched(id, &[]);
            example.record(id).state = Some(MatchState::Deactivated);
        }
        assert_eq!(reasons(&example), Vec::<&str>::new(), "nor who has left");
    }

    #[test]
    fn a_percentage_is_rounded_down_and_a_count_is_a_count() {
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
    fn a_tenth_of_the_people_may_be_missing() {
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
