//! An integration with its people and employees, as the cluster holds them.

use std::{collections::BTreeMap, sync::Arc};

use super::person::PersonView;
use crate::{
    api::{
        CandidateStatus, Decision, EmployeeMatch, EmployeeSummary, MatchState, OktaIntegration,
        UnmatchedEmployee,
    },
    model::text::folded,
    rules::records,
};

/// What the cluster holds about one integration.
#[derive(Clone, Debug)]
pub struct Company {
    pub integration: Arc<OktaIntegration>,
    people: BTreeMap<String, Arc<EmployeeMatch>>,
    employees: BTreeMap<String, KnownEmployee>,
    /// Names of EmployeeMatches that are not used, because they are not named after their person.
    pub unused: Vec<String>,
}

/// An employee whom a match or an UnmatchedEmployee names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEmployee {
    pub id: String,
    pub name: String,
    pub email: String,
    pub team: Option<String>,
    pub deactivated: bool,
    /// The person whose employee this is.
    pub holder: Option<Holder>,
    /// The person who resembles an unmatched employee most, with the confidence in percent.
    pub nearest: Option<(String, String, i32)>,
    /// Whether the employee has an UnmatchedEmployee.
    pub is_unmatched: bool,
    /// What a search looks in.
    key: String,
}

/// A person who has an employee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub okta_user_id: String,
    pub name: String,
    pub claim: Claim,
}

/// How a person has an employee. A later one outranks an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// By a proposal that needs no decision, with the confidence in percent if known.
    Sure(Option<i32>),
    /// By a match in force.
    InForce,
    /// By a decision.
    Decided,
}

impl Holder {
    /// Such as `sure match of Francisco Morgan, 99`.
    pub fn describe(&self) -> String {
        let name = &self.name;
        match self.claim {
            Claim::Sure(Some(confidence)) => format!("sure match of {name}, {confidence}"),
            Claim::Sure(None) => format!("sure match of {name}"),
            Claim::InForce => format!("matched to {name}"),
            Claim::Decided => format!("matched to {name} by decision"),
        }
    }
}

impl Company {
    /// Takes the objects of one integration.
    pub fn new(
        integration: Arc<OktaIntegration>,
        matches: impl IntoIterator<Item = Arc<EmployeeMatch>>,
        unmatched: impl IntoIterator<Item = Arc<UnmatchedEmployee>>,
    ) -> Self {
        let (mut people, mut unused) = (BTreeMap::new(), Vec::new());
        for object in matches {
            match records::wrong_name(&object) {
                None => {
                    people.insert(object.spec.okta_user_id.clone(), object);
                }
                Some(wrong) => unused.push(wrong.name),
            }
        }
        let mut employees = BTreeMap::new();
        for object in unmatched {
            if let Some(employee) = KnownEmployee::unmatched(&object) {
                employees.insert(employee.id.clone(), employee);
            }
        }
        for object in people.values() {
            add_employees(&mut employees, object);
        }
        for (holder, employee) in people.values().flat_map(|object| claims(object)) {
            if let Some(known) = employees.get_mut(&employee)
                && known
                    .holder
                    .as_ref()
                    .is_none_or(|other| other.claim < holder.claim)
            {
                known.holder = Some(holder);
            }
        }
        Self {
            integration,
            people,
            employees,
            unused,
        }
    }

    /// The name of the integration.
    pub fn name(&self) -> &str {
        self.integration.metadata.name.as_deref().unwrap_or_default()
    }

    /// All people, by Okta id.
    pub fn people(&self) -> impl ExactSizeIterator<Item = PersonView<'_>> {
        self.people.values().map(|object| PersonView::new(object))
    }

    pub fn person(&self, okta_user_id: &str) -> Option<PersonView<'_>> {
        self.people
            .get(okta_user_id)
            .map(|object| PersonView::new(object))
    }

    /// All employees that are known from the cluster, by Insightful id.
    pub fn employees(&self) -> impl ExactSizeIterator<Item = &KnownEmployee> {
        self.employees.values()
    }

    pub fn employee(&self, id: &str) -> Option<&KnownEmployee> {
        self.employees.get(id)
    }
}

impl KnownEmployee {
    fn new(id: &str, name: &str, email: &str, team: Option<&str>, deactivated: bool) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            team: team.map(str::to_owned),
            deactivated,
            holder: None,
            nearest: None,
            is_unmatched: false,
            key: folded(&format!("{name} {email} {} {id}", team.unwrap_or_default())),
        }
    }

    fn unmatched(object: &UnmatchedEmployee) -> Option<Self> {
        let status = object.status.as_ref()?;
        let employee = status.employee.as_ref()?;
        let mut known = Self::new(
            &employee.id,
            &employee.name,
            &employee.email,
            employee.team.as_deref(),
            employee.deactivated,
        );
        known.is_unmatched = true;
        known.nearest = status.nearest.as_ref().map(|nearest| {
            (
                nearest.okta_user_id.clone(),
                nearest.person.clone(),
                nearest.confidence,
            )
        });
        Some(known)
    }

    pub fn summary(&self) -> EmployeeSummary {
        EmployeeSummary {
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            team: self.team.clone(),
            deactivated: self.deactivated,
        }
    }

    /// The employee for somebody who has to choose.
    pub fn describe(&self) -> String {
        let Self {
            id,
            name,
            email,
            team,
            deactivated,
            holder,
            ..
        } = self;
        let mut text = format!("{name} <{email}> {}", team.as_deref().unwrap_or_default());
        if *deactivated {
            text += ", deactivated";
        }
        if let Some(holder) = holder {
            text += &format!(", {}", holder.describe());
        }
        format!("{text} ({id})")
    }

    /// How well the employee fits the folded words of a search: a lower one is better, None does not fit.
    pub fn fits(&self, words: &[String]) -> Option<u8> {
        if !words.iter().all(|word| self.key.contains(word.as_str())) {
            return None;
        }
        let starts =
            |word: &String| self.key.starts_with(word.as_str()) || self.key.contains(&format!(" {word}"));
        let first = words.first()?;
        Some(
            match (self.key.starts_with(first.as_str()), words.iter().all(starts)) {
                (true, true) => 0,
                (_, true) => 1,
                _ => 2,
            } + u8::from(self.deactivated),
        )
    }
}

/// The employees that the status of a match describes.
fn add_employees(employees: &mut BTreeMap<String, KnownEmployee>, object: &EmployeeMatch) {
    let Some(status) = &object.status else { return };
    if let Some(EmployeeSummary {
        id,
        name,
        email,
        team,
        deactivated,
    }) = &status.employee
    {
        let known = || KnownEmployee::new(id, name, email, team.as_deref(), *deactivated);
        employees.entry(id.clone()).or_insert_with(known);
    }
    let candidates = status.proposal.iter().flat_map(|proposal| &proposal.candidates);
    for candidate in candidates {
        let CandidateStatus {
            employee_id: id,
            name,
            email,
            team,
            deactivated,
            ..
        } = candidate;
        let known = || KnownEmployee::new(id, name, email, team.as_deref(), *deactivated);
        employees.entry(id.clone()).or_insert_with(known);
    }
}

/// The employees that a person has.
fn claims(object: &EmployeeMatch) -> Vec<(Holder, String)> {
    let person = PersonView::new(object);
    let status = object.status.as_ref();
    let in_force = status.and_then(|status| status.applied.as_ref());
    let (claim, employees) = match (object.spec.decision, in_force) {
        (Decision::Match, _) => (Claim::Decided, object.spec.employee_ids.clone()),
        (_, Some(applied)) => (Claim::InForce, applied.employee_ids.clone()),
        (_, None) if person.state() == Some(MatchState::Proposed) => {
            let employee = status.and_then(|status| status.employee.as_ref());
            let employee = employee.map(|employee| employee.id.clone());
            (Claim::Sure(person.confidence()), employee.into_iter().collect())
        }
        _ => return Vec::new(),
    };
    let holder = Holder {
        okta_user_id: object.spec.okta_user_id.clone(),
        name: person.name().to_owned(),
        claim,
    };
    employees
        .into_iter()
        .map(|employee| (holder.clone(), employee))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::example::{company, employee, person, with};

    #[test]
    fn whose_an_employee_is_follows_decision_then_match_in_force_then_proposal() {
        let sure = person("00u1", "Jane Doe", "Proposed", Some("w1"), 99);
        let in_force = with(person("00u2", "Ann Lee", "Matched", Some("w2"), 90), |status| {
            status["applied"] = serde_json::json!({ "employeeIds": ["w2"], "time": "2026-01-01T00:00:00Z" });
        });
        let mut decided = person("00u3", "Bob Roe", "Proposed", Some("w1"), 60);
        decided.spec.decision = Decision::Match;
        decided.spec.employee_ids = vec!["w1".to_owned()];
        let waiting = person("00u4", "Carl Poe", "Review", Some("w4"), 70);
        let company = company(
            vec![sure, in_force, decided, waiting],
            vec![employee("w9", "Zoe")],
        );
        let whose = |id: &str| {
            company
                .employee(id)
                .unwrap()
                .holder
                .as_ref()
                .map(Holder::describe)
        };
        assert_eq!(whose("w1").as_deref(), Some("matched to Bob Roe by decision"));
        assert_eq!(whose("w2").as_deref(), Some("matched to Ann Lee"));
        assert_eq!(whose("w4"), None);
        assert_eq!(whose("w9"), None);
        assert!(company.employee("w9").unwrap().is_unmatched);
    }

    #[test]
    fn a_match_that_is_not_named_after_its_person_is_not_used() {
        let mut object = person("00u1", "Jane Doe", "Proposed", Some("w1"), 99);
        object.metadata.name = Some("jane".to_owned());
        let company = company(vec![object], vec![]);
        assert_eq!(
            (company.people().len(), company.unused.as_slice()),
            (0, &["jane".to_owned()][..])
        );
    }
}
