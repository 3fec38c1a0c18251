//! The proposal for a person: what matching found, and whether to invite a person without an employee.

use crate::{
    api::{ProposalKind, UnmatchedPolicy},
    matching::{self, Candidate, Confidence, Reason, Resemblance, Verdict},
    model::{EmployeeId, EvidenceKind, Person, PersonId},
};

/// Who a person is believed to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// How the proposal would be acted on.
    pub kind: ProposalKind,
    /// Best first. With [`ProposalKind::None`] and [`ProposalKind::Create`] they are not proposed.
    pub candidates: Vec<Candidate>,
    /// Why the proposal is not automatic.
    pub doubts: Vec<Reason>,
    /// A candidate for whose sake the person is not invited although somebody else has it.
    contested: Option<EmployeeId>,
    /// Why a person who would be invited may be none.
    pub suspicion: Option<Reason>,
}

/// The other person who has a candidate, by a decision or a match in force.
#[derive(Clone, Debug)]
pub struct Holder {
    pub relation: Relation,
    /// The candidate and the holder, for people to read.
    pub text: String,
}

/// How a holder stands to the person who is shown the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Colleague,
    /// Another account of the same human, in use.
    SameHuman,
    Departed,
    /// In no team group, or not in Okta's response.
    OutOfScope,
}

impl Proposal {
    /// Applies the policy for people without an employee to a result of matching. `suspicion` says why the account
    /// may be no person's. `holder` returns the holder of a candidate that another person has.
    ///
    /// A person may take over the employee of a holder who is no longer synced: that is proposed, never done
    /// without a decision. Whoever resembles an employee so that they may be its human is not invited.
    pub fn new(
        found: matching::Proposal,
        person: &Person,
        departed: bool,
        unmatched: UnmatchedPolicy,
        suspicion: Option<Reason>,
        holder: impl Fn(&Candidate) -> Option<Holder>,
    ) -> Self {
        let matching::Proposal {
            verdict,
            mut candidates,
            mut doubts,
        } = found;
        let held: Vec<(EmployeeId, Holder, Resemblance)> = candidates
            .iter()
            .filter_map(|candidate| {
                Some((
                    candidate.employee.clone(),
                    holder(candidate)?,
                    candidate.resemblance,
                ))
            })
            .collect();
        let relation = |candidate: &Candidate| {
            let holder = held.iter().find(|(employee, ..)| *employee == candidate.employee);
            holder.map(|(_, holder, _)| holder.relation)
        };
        let is_takeover = |candidate: &Candidate| {
            relation(candidate).is_some_and(|relation| relation.may_be_taken_over(departed))
        };
        let contested = held
            .iter()
            .find(|(_, holder, resemblance)| match holder.relation {
                Relation::Colleague => *resemblance == Resemblance::Address,
                Relation::SameHuman | Relation::Departed | Relation::OutOfScope => true,
            });
        let contested = contested.map(|(employee, ..)| employee.clone());
        let wanted = unmatched == UnmatchedPolicy::Create && !departed && person.is_employed();
        let is_nobody = matches!(verdict, Verdict::Nobody { .. });
        let suspicion = suspicion.filter(|_| wanted && is_nobody);
        let (kind, obstacle) = match verdict {
            Verdict::Auto => (ProposalKind::Auto, None),
            Verdict::Review => {
                let mut free = candidates
                    .iter()
                    .filter(|candidate| candidate.matched_to.is_none());
                let is_weak = free
                    .next()
                    .is_some_and(|best| best.resemblance == Resemblance::Partial);
                candidates.sort_by_key(|candidate| match relation(candidate) {
                    Some(_) if is_takeover(candidate) => i32::from(!is_weak),
                    Some(_) => 2,
                    None => 1,
                });
                (ProposalKind::Review, None)
            }
            _ if candidates.iter().any(is_takeover) => {
                candidates.sort_by_key(|candidate| !is_takeover(candidate));
                (ProposalKind::Review, None)
            }
            Verdict::Implausible => (ProposalKind::None, None),
            Verdict::Nobody {
                unidentifiable,
                other_script,
            } => {
                let obstacle = obstacle(unidentifiable, other_script, person);
                let obstacle = suspicion.clone().or(obstacle).filter(|_| wanted);
                if wanted && obstacle.is_none() && contested.is_none() {
                    candidates.retain(|candidate| candidate.matched_to.is_some());
                    (ProposalKind::Create, None)
                } else {
                    (ProposalKind::None, obstacle)
                }
            }
        };
        // The doubts of matching are about the first candidate that nobody else has.
        if kind == ProposalKind::Review && candidates.first().is_some_and(|best| best.matched_to.is_some()) {
            doubts.clear();
        }
        doubts.extend(obstacle);
        doubts.extend(held.into_iter().map(|(_, holder, _)| holder.text.into()));
        Self {
            kind,
            candidates,
            doubts,
            contested,
            suspicion,
        }
    }

    /// What speaks against the proposed employee, the gravest first, then what speaks for it.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        let best = self.best();
        self.doubts
            .iter()
            .chain(best.into_iter().flat_map(|best| &best.reasons))
    }

    /// Returns how likely the person is this employee; None if it is no candidate.
    pub fn confidence(&self, employee: &EmployeeId) -> Option<Confidence> {
        let candidate = self
            .candidates
            .iter()
            .find(|candidate| candidate.employee == *employee)?;
        Some(candidate.confidence)
    }

    /// The contested candidate and its holder.
    pub fn contested(&self) -> Option<(EmployeeId, PersonId)> {
        let contested = self.contested.as_ref()?;
        let candidate = self
            .candidates
            .iter()
            .find(|candidate| candidate.employee == *contested)?;
        Some((contested.clone(), candidate.matched_to.clone()?))
    }

    /// Leaves an automatic proposal to a decision, for a reason.
    pub fn needs_decision(&mut self, reason: Reason) {
        if self.kind == ProposalKind::Auto {
            self.kind = ProposalKind::Review;
            self.doubts.push(reason);
        }
    }

    /// The proposal for a new account whose former one departed: the former account's employee.
    pub fn taking_over(mut self, employee: &EmployeeId) -> Self {
        let found = self
            .candidates
            .iter()
            .position(|candidate| candidate.employee == *employee);
        let confidence = found.map_or(Confidence::NONE, |at| self.candidates.remove(at).confidence);
        let reasons = ["same email", "same name", "the former account has departed"];
        let candidate = Candidate {
            employee: employee.clone(),
            confidence,
            reasons: reasons.map(Reason::from).into(),
            evidence: EvidenceKind::SameEmailAndName,
            resemblance: Resemblance::Address,
            matched_to: None,
        };
        self.candidates.insert(0, candidate);
        Self {
            kind: ProposalKind::Auto,
            candidates: self.candidates,
            doubts: Vec::new(),
            contested: None,
            suspicion: None,
        }
    }

    /// The proposed employee.
    pub fn best(&self) -> Option<&Candidate> {
        match self.kind {
            ProposalKind::Auto | ProposalKind::Review => self.candidates.first(),
            ProposalKind::Create | ProposalKind::None => None,
        }
    }
}

impl Relation {
    /// Whether the employee may become the person's. That of a departed holder is deactivated for the holder's
    /// sake, so that a departed person needs no decision about it.
    fn may_be_taken_over(self, departed: bool) -> bool {
        match self {
            Self::Colleague | Self::SameHuman => false,
            Self::Departed => !departed,
            Self::OutOfScope => true,
        }
    }
}

/// Returns what keeps a person without an employee from being invited.
fn obstacle(unidentifiable: usize, other_script: usize, person: &Person) -> Option<Reason> {
    match unidentifiable {
        _ if person.email.is_none() => Some("a person without an email cannot be invited".into()),
        0 if other_script > 0 => Some(of_other_script(other_script)),
        0 => None,
        1 => Some("1 employee has no name or email that identifies them and may be this person".into()),
        n => Some(
            format!(
                "{n} employees have no name or email that identifies them: one of them may be this person"
            )
            .into(),
        ),
    }
}

fn of_other_script(employees: usize) -> Reason {
    if employees == 1 {
        "1 employee has a name in another script, which cannot be compared, and may be this person".into()
    } else {
        format!(
            "{employees} employees have names in another script, which cannot be compared: one of them may be this \
             person"
        )
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OktaStatus, OtherNames};

    fn person() -> Person {
        Person {
            id: "p1".into(),
            login: "p1".into(),
            given_name: Some("Jane".into()),
            family_name: Some("Doe".into()),
            email: Some("x@a.com".into()),
            other_names: OtherNames::default(),
            second_email: None,
            title: None,
            employee_number: None,
            status: OktaStatus::Active,
            transitioning_to: None,
            created: None,
            last_updated: None,
            attributes: Box::default(),
        }
    }

    fn found(verdict: Verdict) -> matching::Proposal {
        matching::Proposal {
            verdict,
            candidates: vec![Candidate {
                employee: "e1".into(),
                confidence: Confidence::NONE,
                reasons: Vec::new(),
                evidence: EvidenceKind::PartialName,
                resemblance: Resemblance::Partial,
                matched_to: None,
            }],
            doubts: vec!["no employee".into()],
        }
    }

    #[test]
    fn a_name_in_another_script_prevents_an_invitation() {
        for (other_script, kind) in [
            (0, ProposalKind::Create),
            (1, ProposalKind::None),
            (2, ProposalKind::None),
        ] {
            let nobody = found(Verdict::Nobody {
                unidentifiable: 0,
                other_script,
            });
            let proposal = Proposal::new(nobody, &person(), false, UnmatchedPolicy::Create, None, |_| None);
            assert_eq!(proposal.kind, kind, "{other_script}");
            let doubt = proposal
                .doubts
                .iter()
                .find(|doubt| doubt.contains("another script"));
            assert_eq!(doubt.is_some(), other_script > 0, "{:?}", proposal.doubts);
        }
    }

    fn proposal(unidentifiable: usize, person: &Person, departed: bool) -> Proposal {
        let found = found(Verdict::Nobody {
            unidentifiable,
            other_script: 0,
        });
        Proposal::new(found, person, departed, UnmatchedPolicy::Create, None, |_| None)
    }

    #[test]
    fn a_person_without_an_employee_is_invited_only_by_policy() {
        let invited = proposal(0, &person(), false);
        assert_eq!(
            (invited.kind, invited.candidates.len()),
            (ProposalKind::Create, 0)
        );
        let nobody = found(Verdict::Nobody {
            unidentifiable: 0,
            other_script: 0,
        });
        let reviewed = Proposal::new(nobody, &person(), false, UnmatchedPolicy::Review, None, |_| None);
        assert_eq!(
            (reviewed.kind, reviewed.candidates.len()),
            (ProposalKind::None, 1)
        );
        let unlikely = Proposal::new(
            found(Verdict::Implausible),
            &person(),
            false,
            UnmatchedPolicy::Create,
            None,
            |_| None,
        );
        assert_eq!((unlikely.kind, unlikely.best()), (ProposalKind::None, None));
    }

    #[test]
    fn whoever_may_be_no_person_is_not_invited_by_policy() {
        let nobody = || {
            found(Verdict::Nobody {
                unidentifiable: 0,
                other_script: 0,
            })
        };
        let new = |found, unmatched| {
            let suspicion = Some(Reason::from("a role"));
            Proposal::new(found, &person(), false, unmatched, suspicion, |_| None)
        };
        let waits = new(nobody(), UnmatchedPolicy::Create);
        assert_eq!((waits.kind, waits.candidates.len()), (ProposalKind::None, 1));
        assert_eq!(waits.suspicion.as_deref(), Some("a role"));
        assert_eq!(waits.reasons().last().map(AsRef::as_ref), Some("a role"));
        // Where nobody is invited anyway, nothing else is said.
        for other in [
            new(nobody(), UnmatchedPolicy::Review),
            new(found(Verdict::Auto), UnmatchedPolicy::Create),
            new(found(Verdict::Review), UnmatchedPolicy::Create),
        ] {
            assert_eq!(other.suspicion, None, "{:?}", other.kind);
        }
    }

    #[test]
    fn only_people_who_work_here_and_have_an_email_are_invited() {
        assert_eq!(proposal(0, &person(), true).kind, ProposalKind::None);
        let staged = Person {
            status: OktaStatus::Staged,
            ..person()
        };
        assert_eq!(proposal(0, &staged, false).kind, ProposalKind::None);
        let without_email = Person {
            email: None,
            ..person()
        };
        let proposal = proposal(0, &without_email, false);
        assert_eq!(proposal.kind, ProposalKind::None);
        assert_eq!(proposal.doubts[1], "a person without an email cannot be invited");
    }

    #[test]
    fn unidentifiable_employees_prevent_an_invitation() {
        for (count, text) in [(1, "1 employee has"), (2, "2 employees have")] {
            let proposal = proposal(count, &person(), false);
            assert_eq!(proposal.kind, ProposalKind::None);
            assert!(proposal.doubts[1].starts_with(text), "{:?}", proposal.doubts);
        }
    }
}
