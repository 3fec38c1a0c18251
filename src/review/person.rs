//! One person as a reviewer sees them.

use std::collections::BTreeMap;

use super::{Decided, company::Holder};
use crate::{
    api::{
        CandidateStatus, DECIDED_BY, Decision, EmployeeMatch, EmployeeSummary, Field, FieldChange,
        MatchState, PersonSummary, ProposalStatus, conditions::READY,
    },
    model::{EvidenceKind, text},
    rules::audit::{self, SetBy},
};

/// An EmployeeMatch, read.
#[derive(Clone, Copy, Debug)]
pub struct PersonView<'a> {
    object: &'a EmployeeMatch,
}

/// A field in which the person and an employee differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: Field,
    /// The employee's value; empty if there is none.
    pub from: String,
    pub to: String,
}

impl<'a> PersonView<'a> {
    pub fn new(object: &'a EmployeeMatch) -> Self {
        Self { object }
    }

    pub fn object(&self) -> &'a EmployeeMatch {
        self.object
    }

    pub fn id(&self) -> &'a str {
        &self.object.spec.okta_user_id
    }

    fn summary(&self) -> Option<&'a PersonSummary> {
        self.object.status.as_ref()?.person.as_ref()
    }

    /// The person's name, or the Okta id if Okta does not return the person.
    pub fn name(&self) -> &'a str {
        self.summary().map_or(self.id(), |person| person.name.as_str())
    }

    /// Whether Okta returned the person.
    pub fn is_known(&self) -> bool {
        self.summary().is_some()
    }

    pub fn email(&self) -> Option<&'a str> {
        self.summary()?.email.as_deref()
    }

    pub fn title(&self) -> Option<&'a str> {
        self.summary()?.title.as_deref()
    }

    pub fn team(&self) -> Option<&'a str> {
        self.summary()?.team.as_deref()
    }

    /// Okta's status, such as `ACTIVE`.
    pub fn okta_status(&self) -> Option<&'a str> {
        Some(self.summary()?.status.as_str())
    }

    pub fn state(&self) -> Option<MatchState> {
        self.object.status.as_ref()?.state
    }

    /// Whether the status is about the present decision.
    pub fn is_observed(&self) -> bool {
        let status = self.object.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        observed == self.object.metadata.generation
    }

    /// Whether the person awaits a decision, as `status.people.waiting` counts.
    pub fn waits(&self) -> bool {
        self.state().is_some_and(MatchState::awaits_decision)
    }

    /// The employee of the match, else the proposed one.
    pub fn employee(&self) -> Option<&'a EmployeeSummary> {
        self.object.status.as_ref()?.employee.as_ref()
    }

    pub fn proposal(&self) -> Option<&'a ProposalStatus> {
        self.object.status.as_ref()?.proposal.as_ref()
    }

    /// The confidence in percent that the employee that is shown is the person.
    pub fn confidence(&self) -> Option<i32> {
        self.proposal()?.confidence
    }

    pub fn evidence(&self) -> Option<EvidenceKind> {
        self.proposal()?.evidence
    }

    /// At most five, best first.
    pub fn candidates(&self) -> &'a [CandidateStatus] {
        self.proposal()
            .map_or(&[], |proposal| proposal.candidates.as_slice())
    }

    pub fn candidate(&self, employee_id: &str) -> Option<&'a CandidateStatus> {
        self.candidates()
            .iter()
            .find(|candidate| candidate.employee_id == employee_id)
    }

    /// The employee that Enter takes: the proposed one, else the best whom nobody has, else none.
    pub fn suggested(&self) -> Option<&'a str> {
        let proposed = self.proposal()?.employee_ids.first().map(String::as_str);
        let free = || {
            let free = self
                .candidates()
                .iter()
                .find(|candidate| candidate.matched_to.is_none());
            free.map(|candidate| candidate.employee_id.as_str())
        };
        proposed.or_else(free)
    }

    /// What speaks against a candidate, and what speaks for it. The reasons of a proposal begin with what speaks against
    /// the proposed employee; those of the other candidates are not weighed.
    pub fn against_and_for(&self, candidate: &'a CandidateStatus) -> (&'a [String], &'a [String]) {
        let own = candidate.reasons.as_slice();
        let Some(proposal) = self.proposal() else {
            return (&[], own);
        };
        match proposal.employee_ids.first() == Some(&candidate.employee_id) {
            true => (proposal.reasons.strip_suffix(own).unwrap_or(&[]), own),
            false => (&[], own),
        }
    }

    /// What the operator writes with the next apply.
    pub fn changes(&self) -> &'a [FieldChange] {
        self.object
            .status
            .as_ref()
            .map_or(&[], |status| status.changes.as_slice())
    }

    /// The employees that the next apply unmatches.
    pub fn unmatching(&self) -> &'a [String] {
        self.object
            .status
            .as_ref()
            .map_or(&[], |status| status.unmatching.as_slice())
    }

    pub fn deactivates(&self) -> bool {
        self.object
            .status
            .as_ref()
            .is_some_and(|status| status.deactivates)
    }

    /// Whether the next apply invites the person: only invitations have shared settings, and nobody who exists is
    /// activated from an unknown state.
    pub fn is_invited(&self) -> bool {
        let active = |change: &FieldChange| {
            change.field == Field::Active && change.from.is_none() && change.to.as_deref() == Some("true")
        };
        self.changes().iter().any(active)
    }

    pub fn decided(&self) -> Decided {
        Decided::from(&self.object.spec)
    }

    pub fn is_decided(&self) -> bool {
        self.object.spec.decision != Decision::Auto || !self.object.spec.rejected_employee_ids.is_empty()
    }

    pub fn note(&self) -> Option<&'a str> {
        self.object.spec.note.as_deref()
    }

    pub fn decided_by(&self) -> Option<&'a str> {
        self.annotation(DECIDED_BY)
    }

    /// Who made the decision, as far as the object tells. One without its field managers tells what the annotations say.
    pub fn decider(&self) -> Option<SetBy> {
        audit::decided_by(self.object)
    }

    fn annotation(&self, key: &str) -> Option<&'a str> {
        let annotations: &BTreeMap<String, String> = self.object.metadata.annotations.as_ref()?;
        annotations.get(key).map(String::as_str)
    }

    /// The message of the condition Ready.
    pub fn message(&self) -> Option<&'a str> {
        let conditions = &self.object.status.as_ref()?.conditions;
        let ready = conditions.iter().find(|condition| condition.type_ == READY)?;
        (!ready.message.is_empty()).then_some(ready.message.as_str())
    }

    /// Whether the message says only what the state says already: there is nothing to look into.
    pub fn is_settled(&self) -> bool {
        let ready = || {
            let conditions = &self.object.status.as_ref()?.conditions;
            conditions.iter().find(|condition| condition.type_ == READY)
        };
        match self.state() {
            Some(MatchState::Proposed | MatchState::Ignored | MatchState::Deactivated) => true,
            Some(MatchState::Matched) => ready().is_none_or(|ready| ready.status != "False"),
            _ => false,
        }
    }

    /// The reason of the condition Ready.
    pub fn reason(&self) -> Option<&'a str> {
        let conditions = &self.object.status.as_ref()?.conditions;
        let ready = conditions.iter().find(|condition| condition.type_ == READY)?;
        Some(ready.reason.as_str())
    }

    /// What keeps the person from being synced, else what speaks against and for the employee that is shown.
    pub fn explanation(&self) -> String {
        let shown = self.employee().map(|employee| employee.id.as_str());
        let proposal = self.proposal();
        let proposed = proposal
            .and_then(|proposal| proposal.employee_ids.first())
            .map(String::as_str);
        let reasons = match shown {
            Some(id) if proposed != Some(id) => self
                .candidate(id)
                .map_or(&[][..], |candidate| candidate.reasons.as_slice()),
            _ => proposal.map_or(&[][..], |proposal| proposal.reasons.as_slice()),
        };
        match self.message() {
            Some(message) if self.reason() != Some("NeedsDecision") || reasons.is_empty() => {
                message.to_owned()
            }
            _ => reasons.join("; "),
        }
    }

    /// What a match with an employee would change in Insightful, as far as the cluster tells: titles are unknown there.
    pub fn differences(&self, employee: &EmployeeSummary) -> Vec<Difference> {
        let Some(person) = self.summary() else {
            return Vec::new();
        };
        let mut differences = Vec::new();
        let mut add = |field, from: &str, to: &str| {
            differences.push(Difference {
                field,
                from: from.to_owned(),
                to: to.to_owned(),
            });
        };
        if !text::is_same_name(&employee.name, &person.name) {
            add(Field::Name, &employee.name, &person.name);
        }
        if let Some(email) = &person.email
            && !text::is_same_email(&employee.email, email)
        {
            add(Field::Email, &employee.email, email);
        }
        // In several team groups, nobody knows yet which team it will be.
        if let Some(team) = person
            .team
            .as_ref()
            .filter(|_| self.reason() != Some("SeveralTeams"))
            && employee
                .team
                .as_deref()
                .is_none_or(|present| !text::is_same_text(present, team))
        {
            add(Field::Team, employee.team.as_deref().unwrap_or_default(), team);
        }
        if employee.deactivated && self.state() != Some(MatchState::Deactivated) {
            add(Field::Active, "deactivated", "active");
        }
        differences
    }

    /// The differences from a candidate; those of the employee that is shown are the changes that the operator plans.
    pub fn preview(&self, candidate: &CandidateStatus) -> Vec<Difference> {
        let is_shown = self
            .employee()
            .is_some_and(|shown| shown.id == candidate.employee_id);
        if is_shown && !self.changes().is_empty() {
            return self.planned();
        }
        self.differences(&EmployeeSummary {
            id: candidate.employee_id.clone(),
            name: candidate.name.clone(),
            email: candidate.email.clone(),
            team: candidate.team.clone(),
            deactivated: candidate.deactivated,
        })
    }

    /// The planned changes, in the words of a card.
    pub fn planned(&self) -> Vec<Difference> {
        let active = |value: &Option<String>| match value.as_deref() {
            Some("true") => "active".to_owned(),
            Some("false") => "deactivated".to_owned(),
            other => other.unwrap_or_default().to_owned(),
        };
        let of = |change: &FieldChange| match change.field {
            Field::Active => (active(&change.from), active(&change.to)),
            _ => (
                change.from.clone().unwrap_or_default(),
                change.to.clone().unwrap_or_default(),
            ),
        };
        let planned = self.changes().iter().map(|change| {
            let (from, to) = of(change);
            Difference {
                field: change.field,
                from,
                to,
            }
        });
        planned.collect()
    }

    /// Who loses an employee if this person takes it.
    pub fn loses<'h>(&self, holder: Option<&'h Holder>) -> Option<&'h Holder> {
        holder.filter(|holder| holder.okta_user_id != self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::example::{person, with};

    #[test]
    fn what_speaks_against_the_proposed_employee_stands_apart() {
        let object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        let view = PersonView::new(&object);
        let (against, in_favour) = view.against_and_for(&view.candidates()[0]);
        assert_eq!(against, ["another person has the same name"]);
        assert_eq!(in_favour, ["same name"]);
    }

    #[test]
    fn a_candidate_that_is_not_proposed_has_no_doubts_of_its_own() {
        let object = with(person("00u1", "Jane Doe", "Review", Some("w1"), 80), |status| {
            status["proposal"]["candidates"][0]["employeeId"] = serde_json::json!("w2");
        });
        let view = PersonView::new(&object);
        let (against, in_favour) = view.against_and_for(&view.candidates()[0]);
        assert!(against.is_empty());
        assert_eq!(in_favour, ["same name"]);
    }

    #[test]
    fn only_what_would_be_written_differs() {
        let object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        let view = PersonView::new(&object);
        let employee = |name: &str, email: &str, team: Option<&str>, deactivated| EmployeeSummary {
            id: "w1".to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            team: team.map(str::to_owned),
            deactivated,
        };
        let fields = |employee: &EmployeeSummary| -> Vec<Field> {
            view.differences(employee)
                .iter()
                .map(|difference| difference.field)
                .collect()
        };
        assert_eq!(
            fields(&employee(
                "Jane  Doe",
                "00U1@acme.com",
                Some("Engineering"),
                false
            )),
            []
        );
        assert_eq!(
            fields(&employee("J. Doe", "", None, true)),
            [Field::Name, Field::Email, Field::Team, Field::Active]
        );
        assert_eq!(
            fields(&employee("jane doe", "00u1@acme.com", Some("Sales"), false)),
            [Field::Name, Field::Team]
        );
    }

    #[test]
    fn enter_takes_the_best_candidate_whom_nobody_has() {
        let object = with(person("00u1", "Jane Doe", "Review", Some("w1"), 80), |status| {
            status["proposal"]["employeeIds"] = serde_json::json!([]);
        });
        assert_eq!(PersonView::new(&object).suggested(), Some("w1"));
        let taken = with(object, |status| {
            status["proposal"]["candidates"][0]["matchedTo"] = serde_json::json!("Ann Lee");
        });
        assert_eq!(PersonView::new(&taken).suggested(), None);
    }
}
