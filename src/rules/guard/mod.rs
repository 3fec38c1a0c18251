//! May a plan be written? The guard bounds the harm of one plan and of one day, and holds a plan that no review can
//! be about; such a plan waits until an admin approves it by its hash.
//!
//! Only [`judge`] makes a [`ClearedPlan`], and only a cleared plan can be applied.

mod bounds;
mod memory;
mod missing;

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    api::{Applying, Approval, GuardStatus, GuardedWrites, OktaIntegrationSpec, Reviewed},
    model::{EmployeeId, PersonId, Snapshot},
    rules::{
        assessment::Assessment,
        one_writer::OtherWriter,
        plan::Plan,
        resolve::{Records, Resolution},
    },
};

pub use bounds::Bound;
pub use missing::Missing;

/// Whether a plan may be written, and the bounds that it exceeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The bounds that the plan exceeds, whatever the ruling: an admin wants to know them before finalizing,
    /// and after approving the plan.
    pub breaches: Vec<Breach>,
    /// Whether the plan may be written.
    pub ruling: Ruling,
    /// Whether only an approval lets the plan through, now or once the integration is finalized.
    pub needs_approval: bool,
    /// What Okta's answer lacks of the matches in force.
    pub missing_people: Missing,
    /// What Insightful's answer lacks of the matches in force.
    pub missing_employees: Missing,
    /// When writes of the last 24 hours stop counting, if they alone hold the plan.
    pub lifts_at: Option<Timestamp>,
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
            self.lifts_at = None;
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

/// The reason of a hold that no approval ends.
pub const ANOTHER_WRITER: &str = "AnotherIntegrationWrites";

/// Why a plan needs an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// More writes than `spec.guard` allows.
    Exceeded {
        bound: Bound,
        /// Written in the last 24 hours without an approval.
        recent: usize,
        planned: usize,
        allowed: usize,
    },
    /// Okta's response lacks many people with a match in force.
    PeopleMissing { missing: Missing, accepted: i32 },
    /// Insightful's response lacks many employees of matches in force.
    EmployeesMissing { missing: Missing, accepted: i32 },
    /// The plan was never shown to anybody while the integration was not finalized.
    NotReviewed,
    /// The last review was about another Okta org.
    OrgChanged { reviewed: String },
    /// The last review was about another Insightful organisation.
    OrganizationChanged { reviewed: Reviewed },
    /// EmployeeMatches, and the decisions in them, were deleted since the last review.
    MatchesVanished { count: i32 },
    /// `approval: EveryPlan`.
    EveryPlan,
    /// An older integration writes to the same organisation.
    AnotherIntegrationWrites(OtherWriter),
}

impl Breach {
    /// The stable reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Exceeded { bound, .. } => bound.words()[0],
            Self::PeopleMissing { .. } => "PeopleMissing",
            Self::EmployeesMissing { .. } => "EmployeesMissing",
            Self::NotReviewed => "NotReviewed",
            Self::OrgChanged { .. } => "OrgChanged",
            Self::OrganizationChanged { .. } => "OrganizationChanged",
            Self::MatchesVanished { .. } => "MatchesVanished",
            Self::EveryPlan => "EveryPlanNeedsApproval",
            Self::AnotherIntegrationWrites(_) => ANOTHER_WRITER,
        }
    }

    /// The people whom the bounded writes concern, or who are missing.
    pub fn people<'a>(&'a self, plan: &'a Plan) -> Vec<&'a PersonId> {
        match self {
            Self::Exceeded { bound, .. } => bound.people(plan),
            Self::PeopleMissing { missing, .. } | Self::EmployeesMissing { missing, .. } => {
                missing.people.iter().collect()
            }
            _ => Vec::new(),
        }
    }

    pub fn message(&self) -> String {
        let accepted = |accepted: i32| match accepted {
            0 => String::new(),
            1 => "; 1 of them was accepted before".to_owned(),
            accepted => format!("; {accepted} of them were accepted before"),
        };
        match self {
            Self::Exceeded {
                bound,
                recent,
                planned,
                allowed,
            } => {
                let [_, field, one, many] = bound.words();
                let noun = |count| if count == 1 { one } else { many };
                let written = match recent {
                    0 => format!("{planned} {} planned", noun(*planned)),
                    recent => format!(
                        "{recent} {} written in the last 24 hours and {planned} planned",
                        noun(*recent)
                    ),
                };
                format!("{written}, spec.guard.{field} allows {allowed}")
            }
            Self::PeopleMissing {
                missing,
                accepted: before,
            } => format!(
                "{} of {} people with a match in force are not in Okta's response or no longer in a team group{}",
                missing.people.len(),
                missing.known,
                accepted(*before)
            ),
            Self::EmployeesMissing {
                missing,
                accepted: before,
            } => format!(
                "{} of {} employees of matches in force are not in Insightful's response{}",
                missing.people.len(),
                missing.known,
                accepted(*before)
            ),
            Self::NotReviewed => {
                "no plan of this object was shown before spec.finalized was set to true: it was created \
                                  finalized, or restored"
                    .to_owned()
            }
            Self::OrgChanged { reviewed } => {
                format!("spec.okta.orgUrl is not the reviewed one, {reviewed}")
            }
            Self::OrganizationChanged { reviewed } => match &reviewed.organization_id {
                Some(id) => format!(
                    "the Insightful organisation is not the reviewed one, {id} at {}",
                    reviewed.insightful_url
                ),
                None => format!(
                    "spec.insightful.url is not the reviewed one, {}",
                    reviewed.insightful_url
                ),
            },
            Self::MatchesVanished { count: 1 } => {
                "1 EmployeeMatch was deleted since the last review, and with it the decision in it".to_owned()
            }
            Self::MatchesVanished { count } => format!(
                "{count} EmployeeMatches were deleted since the last review, and with them the decisions in them"
            ),
            Self::EveryPlan => "spec.approval is EveryPlan".to_owned(),
            Self::AnotherIntegrationWrites(other) => format!(
                "OktaIntegration {other}, which is older, writes to the same Insightful organisation: two that write would undo each other"
            ),
        }
    }

    /// What to check before approving; None if the list of changes says it all.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Exceeded { .. } | Self::EveryPlan | Self::AnotherIntegrationWrites(_) => None,
            Self::PeopleMissing { .. } => Some(
                "Nothing is written for missing people. Check spec.okta.orgUrl, the role of the admin who made the Okta \
                 token, spec.okta.groupPrefix, and the team groups in Okta. If they are right, approve: the people count \
                 as missing from then on.",
            ),
            Self::EmployeesMissing { .. } => Some(
                "Nothing is written to missing employees. Check spec.insightful.url, and that the Insightful token is of \
                 the same organisation as before. If both are right, approve: the employees count as missing from then on.",
            ),
            Self::NotReviewed => Some(
                "Compare the decisions with those in Git or a backup, and review the plan. Approve it, or set \
                 spec.finalized to false for the review.",
            ),
            Self::OrgChanged { .. } => {
                Some("If the change was not intended, set spec.okta.orgUrl back; else review the plan.")
            }
            Self::OrganizationChanged { .. } => {
                Some("If the change was not intended, set spec.insightful back; else review the plan.")
            }
            Self::MatchesVanished { .. } => {
                Some("Restore the decisions from Git or a backup, and review the plan.")
            }
        }
    }

    /// Whether the breach is about what the plan follows from, not about its size. The remainder of an approved
    /// plan is held by it too, since the approval rests on something else.
    fn is_about_facts(&self) -> bool {
        !matches!(self, Self::Exceeded { .. } | Self::EveryPlan)
    }
}

/// What a plan is judged by, besides the plan.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The integration's uid.
    pub uid: &'a str,
    pub spec: &'a OktaIntegrationSpec,
    pub snapshot: &'a Snapshot,
    pub records: &'a Records,
    /// What the status remembers; an apply that has begun is settled.
    pub memory: &'a GuardStatus,
    /// The approved plan of which [`approval::of`](crate::rules::approval::of) found this one to be the remainder.
    pub applying: Option<&'a Applying>,
    pub now: Timestamp,
}

/// Whether the assessment's plan may be written.
pub fn judge(assessment: &Assessment, circumstances: &Circumstances<'_>) -> Verdict {
    let Circumstances {
        spec,
        snapshot,
        records,
        memory,
        now,
        ..
    } = *circumstances;
    let plan = &assessment.plan;
    let (missing_people, missing_employees) = missing::of(snapshot, records, &assessment.resolved);
    let mut breaches = facts_breached(plan, circumstances);
    if missing_people.are_too_many(memory.people_missing) {
        breaches.push(Breach::PeopleMissing {
            missing: missing_people.clone(),
            accepted: memory.people_missing,
        });
    }
    if missing_employees.are_too_many(memory.employees_missing) {
        breaches.push(Breach::EmployeesMissing {
            missing: missing_employees.clone(),
            accepted: memory.employees_missing,
        });
    }
    breaches.extend(bounds_exceeded(assessment, circumstances));
    if spec.approval == Approval::EveryPlan && !plan.is_empty() {
        breaches.push(Breach::EveryPlan);
    }
    let clearance = clearance(plan, &breaches, circumstances);
    let needs_approval = clearance.is_none();
    let ruling = if !spec.finalized {
        Ruling::NotFinalized
    } else if let Some(clearance) = clearance {
        let plan = plan.clone();
        Ruling::Cleared(ClearedPlan { plan, clearance })
    } else {
        Ruling::Held
    };
    let by_memory_alone =
        |breach: &Breach| matches!(breach, Breach::Exceeded { planned, allowed, .. } if planned <= allowed);
    let lifts = ruling == Ruling::Held && breaches.iter().all(by_memory_alone);
    Verdict {
        breaches,
        ruling,
        needs_approval,
        missing_people,
        missing_employees,
        lifts_at: memory.next_expiry(now).filter(|_| lifts),
    }
}

/// Why the plan of a finalized integration may be written; None if it is held.
fn clearance(plan: &Plan, breaches: &[Breach], circumstances: &Circumstances<'_>) -> Option<Clearance> {
    let approved = circumstances.spec.approved_plan.as_ref();
    let rests_on_other_facts = breaches.iter().any(Breach::is_about_facts);
    let resumed = circumstances
        .applying
        .filter(|applying| !rests_on_other_facts && approved == Some(&applying.plan));
    if let Some(Applying { plan, .. }) = resumed {
        return Some(Clearance::Resumed(plan.clone()));
    }
    // What was approved counts as approved, whether or not it needed to be.
    match approved.filter(|hash| **hash == plan.hash()) {
        Some(approved) => Some(Clearance::Approved(approved.clone())),
        None => breaches.is_empty().then_some(Clearance::WithinGuard),
    }
}

/// Why no review can be about a plan that writes anything.
fn facts_breached(plan: &Plan, circumstances: &Circumstances<'_>) -> Vec<Breach> {
    let Circumstances {
        uid,
        spec,
        snapshot,
        memory,
        ..
    } = *circumstances;
    if !spec.finalized || plan.is_empty() {
        return Vec::new();
    }
    let now = Reviewed::now(uid, spec, snapshot);
    let Some(reviewed) = memory.reviewed.as_ref().filter(|reviewed| reviewed.uid == uid) else {
        return vec![Breach::NotReviewed];
    };
    let org = (reviewed.org_url != now.org_url).then(|| Breach::OrgChanged {
        reviewed: reviewed.org_url.clone(),
    });
    let organization = (!reviewed.is_same_organization(&now)).then(|| Breach::OrganizationChanged {
        reviewed: reviewed.clone(),
    });
    let vanished = (memory.matches_vanished > 0).then_some(Breach::MatchesVanished {
        count: memory.matches_vanished,
    });
    org.into_iter().chain(organization).chain(vanished).collect()
}

/// The bounds that the plan exceeds, together with what was written in the last 24 hours.
fn bounds_exceeded<'a>(
    assessment: &'a Assessment,
    circumstances: &'a Circumstances<'_>,
) -> impl Iterator<Item = Breach> + use<'a> {
    let planned = GuardedWrites::all_of(&assessment.plan);
    let recent = circumstances.memory.recent_writes(circumstances.now);
    let active = active_matched(assessment, circumstances.snapshot);
    Bound::ALL.into_iter().filter_map(move |bound| {
        let (recent, planned) = (recent.get(bound), planned.get(bound));
        let allowed = bounds::allowed(bound.allowed(&circumstances.spec.guard), active);
        (planned > 0 && recent + planned > allowed).then_some(Breach::Exceeded {
            bound,
            recent,
            planned,
            allowed,
        })
    })
}

/// The number of matched employees who are active, which includes those who are about to be deactivated.
fn active_matched(assessment: &Assessment, snapshot: &Snapshot) -> usize {
    let matched = assessment
        .resolved
        .values()
        .flat_map(|resolved| match &resolved.resolution {
            Resolution::Matched(employees) => employees.as_slice(),
            _ => &[],
        });
    let is_active = |id: &&EmployeeId| {
        let employee = snapshot.employees().get(*id);
        employee.is_some_and(|employee| !employee.deactivated)
    };
    matched.filter(is_active).count()
}

#[cfg(test)]
mod tests;
