//! Requests to create something that had no response: how long they can still take effect, and what they created.
//!
//! Such a request is repeated only once it can have no effect any more and a later read does not show one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{Field, Pending, PendingOperation},
    model::{Employee, EmployeeId, GroupId, PersonId, text::is_same_email},
    rules::{
        plan::{NewValue, Plan, TeamTarget},
        resolve::Records,
        teams::Bindings,
    },
};

/// How long a request without a response can still take effect. Load balancers and proxies give up on a request
/// after at most about four minutes by default, while the service behind them goes on with it.
pub const OUTCOME_WAIT: Duration = Duration::from_secs(5 * 60);

/// How far the clocks of the operator and of Insightful may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Returns the record of a request that is about to be sent.
pub fn request(
    operation: PendingOperation,
    name: &str,
    email: Option<&str>,
    now: Timestamp,
    wait: Duration,
) -> Pending {
    Pending {
        operation,
        since: Time(now),
        until: Time(now.checked_add(wait).unwrap_or(Timestamp::MAX)),
        name: Some(name.to_owned()),
        email: email.map(str::to_owned),
    }
}

/// The invitation, for people.
pub fn sent(pending: &Pending) -> String {
    format!(
        "the invitation to {} of {:.0}",
        pending.email.as_deref().unwrap_or_default(),
        pending.since.0
    )
}

/// What an invitation without a response means, for people.
pub fn unclear(pending: &Pending) -> String {
    format!(
        "no response to {}: it can take effect until {:.0}; the employee is looked for until then, and the invitation is sent again only after that",
        sent(pending),
        pending.until.0
    )
}

/// Whether a read of Insightful that began at `read_at` does not show yet whether the request took effect.
pub fn is_open(pending: &Pending, read_at: Timestamp) -> bool {
    read_at <= pending.until.0
}

/// Returns the employee that an invitation created: one with the email that was sent, and not an older one, which
/// is somebody else's. An active one is preferred, then the youngest.
pub fn invited<'a>(pending: &Pending, employees: impl Iterator<Item = &'a Employee>) -> Option<&'a Employee> {
    let email = pending.email.as_deref()?;
    let since = pending
        .since
        .0
        .checked_sub(CLOCK_SKEW)
        .unwrap_or(Timestamp::MIN)
        .as_millisecond();
    employees
        .filter(|employee| match employee.created_at {
            // The identifier is the first email, but without its age it can be of an earlier invitation.
            None => is_same_email(&employee.email, email),
            Some(created) => {
                let emails = [&employee.email, &employee.identifier];
                created >= since && emails.into_iter().any(|theirs| is_same_email(theirs, email))
            }
        })
        .max_by_key(|employee| (!employee.deactivated, employee.created_at))
}

/// Whether a match with these employees takes in the one that an invitation without a response created.
pub fn is_adopted<'a>(
    pending: Option<&Pending>,
    matched: &[EmployeeId],
    employees: impl Iterator<Item = &'a Employee>,
) -> bool {
    let invited = pending.and_then(|pending| invited(pending, employees));
    invited.is_some_and(|invited| matched.contains(&invited.id))
}

/// What of a plan waits for the outcome of an earlier request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deferred {
    pub teams: BTreeSet<GroupId>,
    /// People who are invited, and those who are put into one of the teams.
    pub people: BTreeSet<PersonId>,
    /// When the first of the outcomes is certain, if Insightful is read after that.
    pub until: Option<Timestamp>,
}

impl Deferred {
    pub fn of(plan: &Plan, records: &Records, bindings: &Bindings, read_at: Timestamp) -> Self {
        let open = |pending: &Pending| is_open(pending, read_at).then_some(pending.until.0);
        let teams: BTreeMap<&GroupId, Timestamp> = plan
            .teams
            .iter()
            .filter_map(|team| Some((&team.group, open(bindings.pending.get(&team.group)?)?)))
            .collect();
        let people: BTreeMap<&PersonId, Timestamp> = plan
            .creations
            .iter()
            .filter_map(|creation| {
                let pending = records.get(&creation.person)?.pending.as_ref()?;
                Some((&creation.person, open(pending)?))
            })
            .collect();
        let creations = plan
            .creations
            .iter()
            .map(|creation| (&creation.person, &creation.team));
        let moves = plan
            .updates_of(Field::Team)
            .filter_map(|update| match &update.fields[&Field::Team].to {
                NewValue::Team(team) => Some((&update.person, team)),
                NewValue::Text(_) => None,
            });
        let is_deferred =
            |team: &TeamTarget| matches!(team, TeamTarget::Created(group) if teams.contains_key(group));
        let members = creations.chain(moves).filter(|(_, team)| is_deferred(team));
        Self {
            until: teams.values().chain(people.values()).min().copied(),
            people: people
                .keys()
                .copied()
                .chain(members.map(|(person, _)| person))
                .cloned()
                .collect(),
            teams: teams.into_keys().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Decision, MatchState},
        rules::example::{Example, request},
    };

    const MINUTE: i64 = 60_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn an_invitation_is_open_until_a_read_after_its_last_moment() {
        let pending = request("Jane Doe", Some("jane@acme.com"));
        for (read_at, open) in [(0, true), (5 * MINUTE, true), (5 * MINUTE + 1, false)] {
            assert_eq!(is_open(&pending, at(read_at)), open, "{read_at}");
        }
    }

    #[test]
    fn an_invitation_created_the_employee_with_the_email_that_was_sent() {
        let pending = request("Jane Doe", Some("jane@acme.com"));
        let hour = 60 * MINUTE;
        for (email, identifier, created, deactivated, found) in [
            ("jane@acme.com", "jane@acme.com", Some(MINUTE), false, true),
            (" Jane@ACME.com", "x", None, false, true),
            ("jane@acme.com", "jane@acme.com", Some(-4 * MINUTE), false, true),
            ("jane@acme.com", "jane@acme.com", Some(-hour), false, false),
            ("new@acme.com", "jane@acme.com", Some(MINUTE), false, true),
            ("new@acme.com", "jane@acme.com", Some(-hour), false, false),
            ("new@acme.com", "jane@acme.com", None, false, false),
            ("jane@acme.com", "jane@acme.com", Some(MINUTE), true, true),
            ("jane.doe@acme.com", "x", Some(MINUTE), false, false),
        ] {
            let mut example = Example::new();
            let employee = example.employee("e1", "Jane Doe", email);
            (employee.identifier, employee.created_at) = (identifier.into(), created);
            employee.deactivated = deactivated;
            let is_found = invited(&pending, example.employees.iter()).is_some();
            assert_eq!(is_found, found, "{email} {identifier} {created:?}");
        }
        let mut example = Example::new();
        example.employee("e1", "Jane Doe", "jane@acme.com").deactivated = true;
        example.employee("e2", "Jane Doe", "jane@acme.com");
        assert_eq!(
            invited(&pending, example.employees.iter()).unwrap().id,
            "e2".into()
        );
    }

    /// Jane is to be invited into a new team. Both requests had no response.
    fn jane() -> Example {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        let record = example.record("jane");
        record.decision = Decision::Create;
        record.pending = Some(request("Jane Doe", Some("jane@acme.com")));
        example
    }

    #[test]
    fn an_open_request_defers_itself_and_who_needs_its_team() {
        let mut example = jane();
        example.person("mary", "Mary", "Major", "Sales");
        example.employee("e1", "Mary Major", "mary@acme.com");
        example.person("ann", "Ann", "Doe", "Ops");
        example.record("ann").decision = Decision::Create;
        let deferred = |example: &Example, read_at| {
            Deferred::of(
                &example.assess().plan,
                &example.records,
                &example.bindings,
                at(read_at),
            )
        };
        let people = |example: &Example, read_at| {
            let deferred = deferred(example, read_at);
            let people = deferred
                .people
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>();
            (people, deferred.teams.len(), deferred.until.is_some())
        };
        assert_eq!(people(&example, 0), (vec!["jane".to_owned()], 0, true));
        example
            .bindings
            .pending
            .insert("g-Sales".into(), request("Sales", None));
        let both = vec!["jane".to_owned(), "mary".to_owned()];
        assert_eq!(people(&example, 0), (both, 1, true));
        assert_eq!(
            deferred(&example, 5 * MINUTE + 1),
            Deferred::default(),
            "then both are repeated"
        );
        assert_eq!(example.assess().plan.creations.len(), 2);
        example.employee("e2", "Jane Doe", "jane@acme.com");
        example.team("Sales");
        assert_eq!(deferred(&example, 0), Deferred::default(), "both took effect");
    }

    #[test]
    fn a_late_employee_is_the_persons_whatever_happened_since() {
        let resolution = |change: fn(&mut Example)| {
            let mut example = jane();
            example.team("Sales");
            example.employee("late", "Jane Doe", "jane@acme.com").created_at = Some(MINUTE);
            change(&mut example);
            let plan = example.assess().plan;
            let employees = plan
                .matches
                .get(&"jane".into())
                .map(|new| new.employees[0].to_string());
            let emails = plan.updates_of(Field::Email).count();
            (employees, plan.creations.len(), emails, plan.deactivations.len())
        };
        let late = Some("late".to_owned());
        assert_eq!(resolution(|_| ()), (late.clone(), 0, 0, 0));
        let new_email = |e: &mut Example| e.people[0].email = Some("doe@acme.com".into());
        assert_eq!(
            resolution(new_email),
            (late.clone(), 0, 1, 0),
            "the email changed in Okta"
        );
        let departed: fn(&mut Example) = |e| {
            e.people[0].status = crate::model::OktaStatus::Deprovisioned;
            e.groups.clear();
        };
        assert_eq!(
            resolution(departed),
            (late.clone(), 0, 0, 1),
            "offboarded in between"
        );
        let older: fn(&mut Example) = |e| {
            e.people[0].email = Some("doe@acme.com".into());
            e.employees[0].created_at = Some(-60 * MINUTE);
            e.employees[0].name = "Somebody Else".into();
        };
        assert_eq!(resolution(older), (None, 1, 0, 0), "a stranger's older record");
        assert_eq!(
            resolution(|e| e.record("jane").decision = Decision::Ignore),
            (None, 0, 0, 0)
        );
    }

    #[test]
    fn a_late_employee_that_was_handed_on_is_not_deactivated_for_the_person_who_was_invited() {
        let mut example = jane();
        example.employee("late", "Bob Roe", "jane@acme.com").created_at = Some(MINUTE);
        example.person("bob", "Bob", "Roe", "Sales");
        example.people[0].status = crate::model::OktaStatus::Deprovisioned;
        let assessment = example.assess();
        let reason = assessment.blocker(&"jane".into()).map(|blocker| blocker.reason());
        assert_eq!(reason, Some("EmployeeHandedOn"));
        assert!(assessment.plan.deactivations.is_empty());
    }

    #[test]
    fn a_late_employee_of_nobody_is_named() {
        let status = |change: fn(&mut Example), read_at| {
            let mut example = jane();
            change(&mut example);
            example.status(&"jane".into(), at(read_at))
        };
        let message = |status: &crate::api::EmployeeMatchStatus| status.conditions[0].message.clone();
        let open = status(|_| (), 0);
        assert_eq!(open.conditions[0].reason, "CreationUnclear");
        assert_eq!(open.state, Some(MatchState::Proposed));
        assert!(
            message(&open).contains("until 1970-01-01T00:05:00Z"),
            "{}",
            message(&open)
        );
        let closed = status(|_| (), 6 * MINUTE);
        assert_eq!(
            (closed.conditions[0].reason.as_str(), closed.pending),
            ("CreationPlanned", None)
        );

        let ignored: fn(&mut Example) = |e| e.record("jane").decision = Decision::Ignore;
        let waiting = status(ignored, 0);
        assert!(
            message(&waiting).contains("can still create an employee"),
            "{}",
            message(&waiting)
        );
        assert!(status(ignored, 6 * MINUTE).pending.is_none());
        let late = status(
            |e| {
                e.record("jane").decision = Decision::Ignore;
                e.employee("late", "Jane Doe", "jane@acme.com");
            },
            6 * MINUTE,
        );
        assert!(
            message(&late).contains("created employee Jane Doe (late)"),
            "{}",
            message(&late)
        );
        assert!(late.pending.is_some(), "as long as it is nobody's");
    }
}
