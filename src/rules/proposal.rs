//! The proposal for a person: what matching found, and whether to invite a person without an employee.

use crate::{
    api::{ProposalKind, UnmatchedPolicy},
    matching::{self, Candidate, Confidence, Reason, Verdict},
    model::{EmployeeId, Person},
};

/// Who a person is believed to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// How the proposal would be acted on.
    pub kind: ProposalKind,
    /// Best first; none for [`ProposalKind::Create`]. With [`ProposalKind::None`] they are not proposed.
    pub candidates: Vec<Candidate>,
    /// Why the proposal is not automatic.
    pub doubts: Vec<Reason>,
}

impl Proposal {
    /// Applies the policy for people without an employee to a result of matching.
    pub fn new(
        found: matching::Proposal,
        person: &Person,
        departed: bool,
        unmatched: UnmatchedPolicy,
    ) -> Self {
        let kind = match found.verdict {
            Verdict::Auto => ProposalKind::Auto,
            Verdict::Review => ProposalKind::Review,
            Verdict::Implausible => ProposalKind::None,
            Verdict::Nobody { unidentifiable } => {
                return Self::without_employee(found, unidentifiable, person, departed, unmatched);
            }
        };
        Self {
            kind,
            candidates: found.candidates,
            doubts: found.doubts,
        }
    }

    fn without_employee(
        found: matching::Proposal,
        unidentifiable: usize,
        person: &Person,
        departed: bool,
        unmatched: UnmatchedPolicy,
    ) -> Self {
        let wanted = unmatched == UnmatchedPolicy::Create && !departed && person.is_employed();
        let obstacle: Option<Reason> = match unidentifiable {
            _ if !wanted => None,
            _ if person.email.is_none() => Some("a person without an email cannot be invited".into()),
            0 => None,
            1 => Some("1 employee has no name or email that identifies them and may be this person".into()),
            n => Some(
                format!(
                    "{n} employees have no name or email that identifies them: one of them may be this person"
                )
                .into(),
            ),
        };
        let invited = wanted && obstacle.is_none();
        Self {
            kind: if invited {
                ProposalKind::Create
            } else {
                ProposalKind::None
            },
            candidates: if invited { Vec::new() } else { found.candidates },
            doubts: found.doubts.into_iter().chain(obstacle).collect(),
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
        };
        self.candidates.insert(0, candidate);
        Self {
            kind: ProposalKind::Auto,
            candidates: self.candidates,
            doubts: Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        matching::Confidence,
        model::{OktaStatus, OtherNames},
    };

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
            created: None,
            last_updated: None,
        }
    }

    fn found(verdict: Verdict) -> matching::Proposal {
        matching::Proposal {
            verdict,
            candidates: vec![Candidate {
                employee: "e1".into(),
                confidence: Confidence::NONE,
                reasons: Vec::new(),
            }],
            doubts: vec!["no employee".into()],
        }
    }

    fn proposal(unidentifiable: usize, person: &Person, departed: bool) -> Proposal {
        let found = found(Verdict::Nobody { unidentifiable });
        Proposal::new(found, person, departed, UnmatchedPolicy::Create)
    }

    #[test]
    fn a_person_without_an_employee_is_invited_only_by_policy() {
        let invited = proposal(0, &person(), false);
        assert_eq!(
            (invited.kind, invited.candidates.len()),
            (ProposalKind::Create, 0)
        );
        let nobody = found(Verdict::Nobody { unidentifiable: 0 });
        let reviewed = Proposal::new(nobody, &person(), false, UnmatchedPolicy::Review);
        assert_eq!(
            (reviewed.kind, reviewed.candidates.len()),
            (ProposalKind::None, 1)
        );
        let unlikely = Proposal::new(
            found(Verdict::Implausible),
            &person(),
            false,
            UnmatchedPolicy::Create,
        );
        assert_eq!((unlikely.kind, unlikely.best()), (ProposalKind::None, None));
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
