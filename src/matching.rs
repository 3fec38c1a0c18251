//! Who is who? From people and employees to a proposal for each person.
//!
//! The rule for now: an equal email that one person and one employee have, with
//! names that agree, is sure enough to go on alone ([`ProposalKind::Auto`]).
//! What is weaker is shown as candidates and waits for a decision.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{
    api::{ProposalKind, UnmatchedPolicy},
    snapshot::{Employee, EmployeeId, Person, PersonId},
};

/// The most candidates that are shown.
const MOST_CANDIDATES: usize = 5;

/// How sure a match is, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(u16);

impl Confidence {
    /// Nothing speaks for it.
    pub const NONE: Self = Self(0);

    /// From a share between 0 and 1; what lies outside is cut off.
    pub fn from_fraction(share: f64) -> Self {
        // The clamp makes the cast exact.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Self((share.clamp(0.0, 1.0) * 10_000.0) as u16)
    }

    /// As a share between 0 and 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    /// In whole percent, rounded down, so that 100 means certain.
    pub fn percent(self) -> i32 {
        i32::from(self.0 / 100)
    }
}

/// An employee who may be the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub employee: EmployeeId,
    /// How surely.
    pub confidence: Confidence,
    /// Why, in plain words.
    pub reasons: Vec<String>,
}

/// Who a person is believed to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// How it would be acted on.
    pub kind: ProposalKind,
    /// At most five, best first; the first is what is proposed.
    pub candidates: Vec<Candidate>,
    /// Why it is not surer, or why nobody is proposed; in plain words.
    pub doubts: Vec<String>,
}

impl Proposal {
    /// The employee that is proposed.
    pub fn best(&self) -> Option<&Candidate> {
        self.candidates.first()
    }
}

/// A person with the team that the team groups give, if they give one.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The person.
    pub person: &'a Person,
    /// Whether the person left, by the integration's policy.
    pub left: bool,
    /// Name of the team.
    pub team: Option<&'a str>,
}

/// An employee with the name of their team.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The employee.
    pub employee: &'a Employee,
    /// Name of the team.
    pub team: Option<&'a str>,
}

/// All that proposals are made from.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The people in scope.
    pub people: Vec<Subject<'a>>,
    /// All employees.
    pub employees: Vec<Object<'a>>,
    /// Pairs that an admin ruled out.
    pub rejected: BTreeSet<(PersonId, EmployeeId)>,
    /// Employees who are taken, by decision or by a match in force: they are
    /// proposed to nobody else.
    pub bound: BTreeMap<EmployeeId, PersonId>,
    /// What happens to a person without any plausible employee.
    pub unmatched: UnmatchedPolicy,
}

/// Proposes an employee for each person. The order of the input does not
/// matter; equal candidates are ordered by id. No employee is proposed as
/// [`ProposalKind::Auto`] to two people.
pub fn propose(evidence: &Evidence<'_>) -> BTreeMap<PersonId, Proposal> {
    let index = Index::of(evidence);
    evidence
        .people
        .iter()
        .map(|subject| (subject.person.id.clone(), index.proposal(evidence, subject)))
        .collect()
}

/// Employees by what they can be found by, and how many people have each email.
struct Index<'a> {
    by_email: BTreeMap<String, Vec<&'a Employee>>,
    by_name: BTreeMap<String, Vec<&'a Employee>>,
    by_local_part: BTreeMap<String, Vec<&'a Employee>>,
    people_with_email: BTreeMap<String, usize>,
}

impl<'a> Index<'a> {
    fn of(evidence: &Evidence<'a>) -> Self {
        let mut index = Self {
            by_email: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_local_part: BTreeMap::new(),
            people_with_email: BTreeMap::new(),
        };
        for Object { employee, .. } in &evidence.employees {
            let emails: BTreeSet<String> = [&employee.email, &employee.identifier]
                .into_iter()
                .filter_map(|e| email_key(e))
                .collect();
            for email in emails {
                let local = local_part(&email).to_owned();
                index.by_local_part.entry(local).or_default().push(employee);
                index.by_email.entry(email).or_default().push(employee);
            }
            index
                .by_name
                .entry(name_key(&employee.name))
                .or_default()
                .push(employee);
        }
        for Subject { person, .. } in &evidence.people {
            if let Some(email) = person.email.as_deref().and_then(email_key) {
                *index.people_with_email.entry(email).or_default() += 1;
            }
        }
        index
    }

    fn proposal(&self, evidence: &Evidence<'a>, subject: &Subject<'a>) -> Proposal {
        let person = subject.person;
        let email = person.email.as_deref().and_then(email_key);
        let name = person
            .full_name()
            .map(|name| name_key(&name))
            .filter(|name| !name.is_empty());

        let mut found: BTreeMap<&EmployeeId, &'a Employee> = BTreeMap::new();
        let mut look_up = |hits: Option<&Vec<&'a Employee>>| {
            found.extend(
                hits.into_iter()
                    .flatten()
                    .map(|employee| (&employee.id, *employee)),
            );
        };
        if let Some(email) = &email {
            look_up(self.by_email.get(email));
            look_up(self.by_local_part.get(local_part(email)));
        }
        if let Some(name) = &name {
            look_up(self.by_name.get(name));
        }

        let mut candidates: Vec<Candidate> = found
            .values()
            .filter(|employee| {
                !evidence
                    .rejected
                    .contains(&(person.id.clone(), employee.id.clone()))
            })
            .filter(|employee| {
                evidence
                    .bound
                    .get(&employee.id)
                    .is_none_or(|holder| *holder == person.id)
            })
            .filter_map(|employee| self.candidate(subject, email.as_deref(), name.as_deref(), employee))
            .collect();
        candidates.sort_by(|a, b| {
            b.confidence
                .cmp(&a.confidence)
                .then_with(|| a.employee.cmp(&b.employee))
        });
        candidates.truncate(MOST_CANDIDATES);

        let mut doubts = Vec::new();
        let sure = candidates.first().is_some_and(|best| {
            let employee = found[&best.employee];
            doubts = self.doubts(email.as_deref(), name.as_deref(), employee, subject);
            doubts.is_empty()
        });
        let kind = if sure {
            ProposalKind::Auto
        } else if !candidates.is_empty() {
            ProposalKind::Review
        } else {
            doubts.push("no employee has this email or this name".to_owned());
            match evidence.unmatched {
                UnmatchedPolicy::Create if person.is_employed() && email.is_some() => ProposalKind::Create,
                UnmatchedPolicy::Create | UnmatchedPolicy::Review => ProposalKind::None,
            }
        };
        Proposal {
            kind,
            candidates,
            doubts,
        }
    }

    /// What speaks for one employee; None if nothing does.
    fn candidate(
        &self,
        subject: &Subject<'_>,
        email: Option<&str>,
        name: Option<&str>,
        employee: &Employee,
    ) -> Option<Candidate> {
        let mut reasons = Vec::new();
        let mut share: f64 = 0.0;
        let employee_email = email_key(&employee.email);
        let first_email = email_key(&employee.identifier);
        if email.is_some() && email == employee_email.as_deref() {
            reasons.push("same email".to_owned());
            share = 0.7;
        } else if email.is_some() && email == first_email.as_deref() {
            reasons.push("the employee's first email was this person's email".to_owned());
            share = 0.6;
        } else if email.is_some_and(|email| {
            employee_email
                .as_deref()
                .is_some_and(|other| local_part(email) == local_part(other))
        }) {
            reasons.push("same email but for what follows the @".to_owned());
            share = 0.4;
        }
        let employee_name = name_key(&employee.name);
        if name.is_some_and(|name| names_equal(name, &employee_name)) {
            reasons.push("same name".to_owned());
            share = if share > 0.0 { share + 0.29 } else { 0.5 };
        } else if name.is_some_and(|name| names_agree(name, &employee_name)) {
            reasons.push("names agree in part".to_owned());
            share = if share > 0.0 { share + 0.25 } else { 0.3 };
        }
        if share > 0.0 && employee.deactivated && !subject.left {
            reasons.push("the employee is deactivated in Insightful".to_owned());
            share /= 2.0;
        }
        (share > 0.0).then(|| Candidate {
            employee: employee.id.clone(),
            confidence: Confidence::from_fraction(share),
            reasons,
        })
    }

    /// Why the best candidate is not sure enough; empty if it is.
    fn doubts(
        &self,
        email: Option<&str>,
        name: Option<&str>,
        employee: &Employee,
        subject: &Subject<'_>,
    ) -> Vec<String> {
        let mut doubts = Vec::new();
        let same_email = email.filter(|email| email_key(&employee.email).as_deref() == Some(*email));
        let Some(email) = same_email else {
            doubts.push("the emails differ".to_owned());
            return doubts;
        };
        if self
            .people_with_email
            .get(email)
            .is_some_and(|people| *people > 1)
        {
            doubts.push("another person in Okta has the same email".to_owned());
        }
        if self
            .by_email
            .get(email)
            .is_some_and(|employees| employees.len() > 1)
        {
            doubts.push("another employee in Insightful has the same email".to_owned());
        }
        if !name.is_some_and(|name| names_agree(name, &name_key(&employee.name))) {
            doubts.push("the names do not agree".to_owned());
        }
        if employee.deactivated && !subject.left {
            doubts.push("the person works here, the employee is deactivated".to_owned());
        }
        doubts
    }
}

/// An email as it is compared: without case and surrounding space; None if it is not an address.
fn email_key(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    email
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        .then_some(email)
}

fn local_part(email: &str) -> &str {
    email.split_once('@').map_or(email, |(local, _)| local)
}

/// A name as it is compared: no case, no marks, words parted by one space.
fn name_key(name: &str) -> String {
    let plain: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same words in any order.
fn names_equal(a: &str, b: &str) -> bool {
    let words = |name: &str| {
        let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    !a.is_empty() && words(a) == words(b)
}

/// Equal, or the same family name with given names of the same initial.
fn names_agree(a: &str, b: &str) -> bool {
    let ends = |name: &str| {
        let mut words = name.split(' ');
        let first = words.next().and_then(|word| word.chars().next());
        (first, words.next_back().map(str::to_owned))
    };
    names_equal(a, b)
        || matches!((ends(a), ends(b)), ((Some(i), Some(f)), (Some(j), Some(g))) if i == j && f == g)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::OktaStatus;

    fn person(id: &str, name: &str, email: Option<&str>) -> Person {
        let (given, family) = name.split_once(' ').unwrap();
        Person {
            id: id.into(),
            login: id.into(),
            given_name: Some(given.into()),
            family_name: Some(family.into()),
            email: email.map(str::to_owned),
            second_email: None,
            title: None,
            employee_number: None,
            status: OktaStatus::Active,
            created: None,
            last_updated: None,
        }
    }

    fn employee(id: &str, name: &str, email: &str) -> Employee {
        Employee {
            id: id.into(),
            name: name.into(),
            email: email.into(),
            identifier: email.into(),
            team: "t".into(),
            settings: None,
            deactivated: false,
            created_at: None,
        }
    }

    fn evidence<'a>(people: &'a [Person], employees: &'a [Employee]) -> Evidence<'a> {
        Evidence {
            people: people
                .iter()
                .map(|person| Subject {
                    person,
                    left: false,
                    team: None,
                })
                .collect(),
            employees: employees
                .iter()
                .map(|employee| Object { employee, team: None })
                .collect(),
            rejected: BTreeSet::new(),
            bound: BTreeMap::new(),
            unmatched: UnmatchedPolicy::Review,
        }
    }

    fn outcome(proposals: &BTreeMap<PersonId, Proposal>, id: &str) -> (ProposalKind, Option<String>) {
        let proposal = &proposals[&id.into()];
        (
            proposal.kind,
            proposal.best().map(|best| best.employee.to_string()),
        )
    }

    #[test]
    fn an_equal_email_with_names_that_agree_is_automatic_and_nothing_else_is() {
        use ProposalKind::{Auto, None as Nobody, Review};
        for (name, email, employee_name, employee_email, expected) in [
            (
                "Jane Doe",
                Some("Jane@Acme.com "),
                "jane doe",
                "jane@acme.com",
                Auto,
            ),
            (
                "Jörg Müller",
                Some("jm@acme.com"),
                "Jorg Muller",
                "jm@acme.com",
                Auto,
            ),
            (
                "Jane Doe",
                Some("jane@acme.com"),
                "Doe, Jane",
                "jane@acme.com",
                Auto,
            ),
            ("Jane Doe", Some("jane@acme.com"), "J. Doe", "jane@acme.com", Auto),
            (
                "Jane Doe",
                Some("jane@acme.com"),
                "Mark Smith",
                "jane@acme.com",
                Review,
            ),
            (
                "Jane Doe",
                Some("jane@acme.com"),
                "Jane Doe",
                "jane@old.com",
                Review,
            ),
            ("Jane Doe", None, "Jane Doe", "jane@acme.com", Review),
            (
                "Jane Doe",
                Some("jane@acme.com"),
                "Ann Lee",
                "ann@acme.com",
                Nobody,
            ),
        ] {
            let people = [person("p", name, email)];
            let employees = [employee("e", employee_name, employee_email)];
            let proposals = propose(&evidence(&people, &employees));
            assert_eq!(
                outcome(&proposals, "p").0,
                expected,
                "{name} {email:?} / {employee_name} {employee_email}"
            );
        }
    }

    #[test]
    fn an_email_that_two_have_is_reviewed() {
        let people = [
            person("p1", "Jane Doe", Some("x@a.com")),
            person("p2", "Jane Doe", Some("x@a.com")),
        ];
        let employees = [employee("e1", "Jane Doe", "x@a.com")];
        let proposals = propose(&evidence(&people, &employees));
        assert_eq!(
            outcome(&proposals, "p1"),
            (ProposalKind::Review, Some("e1".into()))
        );
        assert_eq!(
            outcome(&proposals, "p2"),
            (ProposalKind::Review, Some("e1".into()))
        );

        let people = [person("p1", "Jane Doe", Some("x@a.com"))];
        let employees = [
            employee("e2", "Jane Doe", "x@a.com"),
            employee("e1", "Jane Doe", "x@a.com"),
        ];
        let proposals = propose(&evidence(&people, &employees));
        assert_eq!(
            outcome(&proposals, "p1"),
            (ProposalKind::Review, Some("e1".into())),
            "ties go by id"
        );
    }

    #[test]
    fn rejected_and_taken_employees_are_not_proposed() {
        let people = [person("p1", "Jane Doe", Some("x@a.com"))];
        let employees = [employee("e1", "Jane Doe", "x@a.com")];
        let mut rejected = evidence(&people, &employees);
        rejected.rejected.insert(("p1".into(), "e1".into()));
        assert_eq!(outcome(&propose(&rejected), "p1"), (ProposalKind::None, None));

        let mut taken = evidence(&people, &employees);
        taken.bound.insert("e1".into(), "p2".into());
        assert_eq!(outcome(&propose(&taken), "p1"), (ProposalKind::None, None));
        taken.bound.insert("e1".into(), "p1".into());
        assert_eq!(
            outcome(&propose(&taken), "p1"),
            (ProposalKind::Auto, Some("e1".into()))
        );
    }

    #[test]
    fn who_has_nobody_is_invited_by_policy_only() {
        let mut people = vec![person("p1", "Jane Doe", Some("x@a.com"))];
        let kind = |people: &[Person], unmatched| {
            outcome(
                &propose(&Evidence {
                    unmatched,
                    ..evidence(people, &[])
                }),
                "p1",
            )
            .0
        };
        assert_eq!(kind(&people, UnmatchedPolicy::Review), ProposalKind::None);
        assert_eq!(kind(&people, UnmatchedPolicy::Create), ProposalKind::Create);
        people[0].status = OktaStatus::Staged;
        assert_eq!(kind(&people, UnmatchedPolicy::Create), ProposalKind::None);
        people[0].status = OktaStatus::Active;
        people[0].email = None;
        assert_eq!(kind(&people, UnmatchedPolicy::Create), ProposalKind::None);
    }

    #[test]
    fn a_person_at_work_is_not_a_record_that_was_switched_off() {
        let people = [person("p1", "Jane Doe", Some("x@a.com"))];
        let mut employees = [employee("e1", "Jane Doe", "x@a.com")];
        employees[0].deactivated = true;
        assert_eq!(
            outcome(&propose(&evidence(&people, &employees)), "p1").0,
            ProposalKind::Review
        );
        let mut left = evidence(&people, &employees);
        left.people[0].left = true;
        assert_eq!(outcome(&propose(&left), "p1").0, ProposalKind::Auto);
    }
}
