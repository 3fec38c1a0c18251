//! Properties of every plan, and of the state in which plans end.

use std::collections::{BTreeMap, BTreeSet};

use okta_insightful_operator::{
    api::{Decision, Field, PeopleScope, SuspendedPolicy, UnmatchedPolicy},
    model::{EmployeeId, OktaStatus, Person, PersonId},
    rules::{
        assessment::{Assessment, bindings},
        blocker::Blocker,
        plan::{FieldWrites, NotRestored, Plan, Restore, fields, is_ours},
        resolve::{Record, Resolution, Resolved},
        status::{WriteFailures, people_counts},
    },
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{
    story::{Happening, decided, story},
    world::World,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_is_deactivated_without_a_record_that_says_they_departed(story in story()) {
        let world = World::after(&story);
        let Assessment { plan, resolved, .. } = world.assess();
        for write in &plan.deactivations {
            let says_so = match world.people.get(&write.person) {
                Some(person) => has_departed(&world, person),
                None => world.records[&write.person].decision == Decision::Deactivate,
            };
            prop_assert!(says_so, "{write:?}");
            let employee = &world.employees[&write.employee];
            for other in world.people.values().filter(|other| !has_departed(&world, other)) {
                let has_email = other.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(&employee.email));
                let record = world.records.get(&other.id);
                let rejects = record.is_some_and(|record| record.rejected.contains(&employee.id));
                prop_assert!(!has_email || rejects, "{write:?} of an employee with the email of {other:?}");
            }
            let Resolution::Matched(employees) = &resolved[&write.person].resolution else {
                panic!("{write:?} of an employee that nobody is matched with");
            };
            prop_assert!(employees.contains(&write.employee), "{write:?}");
        }
    }

    #[test]
    fn only_matched_employees_in_scope_are_written(story in story()) {
        let world = World::after(&story);
        let assessment = world.assess();
        let plan = &assessment.plan;
        let nothing = Record::default();
        let record = |id: &PersonId| world.records.get(id).unwrap_or(&nothing);
        let overwritten = plan.updates.iter().map(|write| (&write.person, &write.employee));
        let deactivated = plan.deactivations.iter().map(|write| (&write.person, &write.employee));
        for (person, employee) in overwritten.chain(deactivated) {
            let Resolution::Matched(employees) = &assessment.resolved[person].resolution else {
                panic!("{person} is not matched");
            };
            prop_assert!(employees.contains(employee));
            prop_assert_eq!(assessment.blocker(person), None);
            let record = record(person);
            prop_assert!(record.decision != Decision::Ignore);
            prop_assert!(!record.rejected.contains(employee), "{} is rejected for {}", employee, person);
            if record.decision == Decision::Match {
                prop_assert!(record.employee_ids.contains(employee));
            }
            let decided_for_another = world.records.iter().any(|(other, record)| {
                other != person && record.decision == Decision::Match && record.employee_ids.contains(employee)
            });
            prop_assert!(!decided_for_another, "{} is matched with another person by decision", employee);
            prop_assert!(in_scope(&world, person));
        }
        for creation in &plan.creations {
            let by_policy = record(&creation.person).decision == Decision::Auto
                && world.spec.matching.unmatched == UnmatchedPolicy::Create
                && world.people[&creation.person].is_employed();
            prop_assert!(by_policy || record(&creation.person).decision == Decision::Create);
            prop_assert!(in_scope(&world, &creation.person));
            let shares_email = |(id, person): (&PersonId, &Person)| {
                let email = person.work_email();
                *id != creation.person
                    && in_scope(&world, id)
                    && person.is_employed()
                    && email.is_some_and(|email| email.eq_ignore_ascii_case(&creation.email))
            };
            prop_assert!(!creation.automatic || !world.people.iter().any(shares_email), "{:?}", creation);
        }
        prop_assert!(plan.teams.is_empty() || world.spec.teams.create_missing);
        for restore in &plan.restores {
            let employee = &world.employees[&restore.employee];
            let on_record = |of: Field, now: &str, before: &str| world.fields_on_record().any(|field| {
                field.employee_id == restore.employee.as_str()
                    && field.field == of
                    && is_ours(field, now)
                    && field.before.as_deref() == Some(before)
            });
            for (field, replace) in &restore.fields {
                let now = fields::value(employee, *field).unwrap();
                prop_assert!(on_record(*field, now, replace.to.as_text().unwrap()));
            }
        }
    }

    #[test]
    fn the_match_of_an_excluded_person_rests(story in story()) {
        let world = World::after(&story);
        let assessment = world.assess();
        let plan = &assessment.plan;
        let decision = |id: &PersonId| world.records.get(id).map(|record| record.decision);
        let rests = |id: &PersonId| world.excludes(id) && decision(id) != Some(Decision::Ignore);
        let writes = plan.creations.iter().map(|write| &write.person);
        let writes = writes.chain(plan.updates.iter().map(|write| &write.person));
        let writes = writes.chain(plan.restores.iter().map(|write| &write.person));
        let writes = writes.chain(plan.deactivations.iter().map(|write| &write.person));
        for person in writes.chain(plan.matches.keys()) {
            prop_assert!(!rests(person), "{} in {:#?}", person, plan);
        }
        // Only a match of somebody else ends theirs.
        for (person, employees) in plan.unmatches.iter().filter(|(person, _)| rests(person)) {
            for employee in employees {
                let takes = |(other, resolved): (&PersonId, &Resolved)| {
                    other != person
                        && matches!(&resolved.resolution, Resolution::Matched(matched) if matched.contains(employee))
                };
                prop_assert!(assessment.resolved.iter().any(takes), "{} leaves {}", employee, person);
            }
        }
        for (person, resolved) in &assessment.resolved {
            let is_excluded = matches!(&resolved.resolution, Resolution::OutOfScope(Blocker::Excluded { .. }));
            prop_assert_eq!(is_excluded, rests(person), "{}: {:?}", person, resolved.resolution);
        }
        for breach in &world.judge(&assessment).breaches {
            prop_assert!(!breach.people(plan).into_iter().any(rests), "{:?}", breach);
        }
    }

    #[test]
    fn each_employee_is_written_once_and_each_write_changes_something(story in story()) {
        let world = World::after(&story);
        let plan = world.assess().plan;
        let mut written: BTreeMap<&EmployeeId, usize> = BTreeMap::new();
        let updates = plan.updates.iter().map(|write| &write.employee);
        let restores = plan.restores.iter().filter(|write| write.writes()).map(|write| &write.employee);
        let deactivations = plan.deactivations.iter().map(|write| &write.employee);
        for employee in updates.chain(restores).chain(deactivations) {
            *written.entry(employee).or_default() += 1;
        }
        prop_assert!(written.values().all(|times| *times == 1), "{:?}", written);
        for update in &plan.updates {
            prop_assert!(!update.fields.is_empty() && changes(&update.fields), "{:?}", update);
        }
        for restore in &plan.restores {
            prop_assert!(changes(&restore.fields), "{:?}", restore);
        }
    }

    /// The model of Insightful asserts at each write that nobody else holds the email.
    #[test]
    fn plans_end_in_an_empty_one(story in story()) {
        let mut world = World::after(&story);
        world.cycle_until_in_sync();
        prop_assert!(world.assess().plan.is_empty());
        let emails = world.employees.values().map(|e| e.email.to_lowercase());
        let emails: Vec<String> = emails.filter(|email| !email.is_empty()).collect();
        prop_assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len());
    }

    /// Only for decisions: a plan that was cut short may change what matching proposes.
    #[test]
    fn a_crash_at_any_step_does_not_change_the_outcome(mut story in story(), steps in 0..30_usize) {
        story.spec.matching.automatic = false;
        story.spec.matching.unmatched = UnmatchedPolicy::Review;
        let mut undisturbed = World::after(&story);
        let mut crashed = undisturbed.clone();
        crashed.cycle(Some(steps));
        crashed.cycle_until_in_sync();
        undisturbed.cycle_until_in_sync();
        prop_assert_eq!(outcome(&crashed), outcome(&undisturbed));
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(story in story()) {
        let world = World::after(&story);
        let forward = world.assess();
        let backward =
            Assessment::of(&world.reversed_snapshot(), &world.spec, &world.records, &bindings(&world.status))
                .after(world.guard().spent_plan.as_ref());
        prop_assert_eq!(forward.plan.hash(), backward.plan.hash());
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn two_plans_have_the_same_hash_only_if_they_are_equal(story in story(), who in 0..5_usize, decided in decided()) {
        let mut world = World::after(&story);
        let before = world.assess().plan;
        world.happens(&crate::story::Happening::Decide(who, decided));
        let after = world.assess().plan;
        prop_assert_eq!(before == after, before.hash() == after.hash());
    }

    #[test]
    fn counts_add_up(story in story()) {
        let world = World::after(&story);
        let snapshot = world.snapshot();
        let assessment = world.assess();
        let counts =
            people_counts(&snapshot, &world.spec, &assessment, &world.records, &WriteFailures::new());
        let parts = counts.matched + counts.review + counts.unmatched + counts.ignored + counts.conflicts
            + counts.out_of_scope;
        prop_assert_eq!(parts, counts.total);
        prop_assert_eq!(counts.total, i32::try_from(assessment.resolved.len()).unwrap());
        prop_assert!(counts.blocked <= counts.total);
        check_summary(&assessment.plan);
    }
}

fn check_summary(plan: &Plan) {
    let summary = plan.summary();
    let count = |n: usize| i32::try_from(n).unwrap();
    let titles = plan
        .creations
        .iter()
        .filter(|write| write.title.is_some())
        .count();
    let restores = plan.restores.iter().filter(|write| write.writes()).count();
    assert_eq!(summary.create_teams, count(plan.teams.len()));
    assert_eq!(summary.create_employees, count(plan.creations.len()));
    assert_eq!(summary.updates, count(plan.updates.len()));
    assert_eq!(summary.restores, count(restores));
    assert_eq!(summary.deactivations, count(plan.deactivations.len()));
    assert_eq!(summary.relinks, count(plan.unmatches.len()));
    assert!(summary.team_moves <= summary.updates && summary.email_changes <= summary.updates);
    let writes = summary.create_teams + summary.create_employees + count(titles) + summary.updates;
    assert_eq!(summary.total, writes + summary.restores + summary.deactivations);
    assert_eq!(summary.hash, plan.hash());
}

fn changes(fields: &FieldWrites) -> bool {
    let mut replaced = fields.values();
    replaced.all(|replace| replace.from.is_none() || replace.from.as_deref() != replace.to.as_text())
}

fn has_departed(world: &World, person: &Person) -> bool {
    match person.status {
        OktaStatus::Deprovisioned => true,
        OktaStatus::Suspended => world.spec.okta.suspended == SuspendedPolicy::Deactivate,
        _ => false,
    }
}

fn in_scope(world: &World, id: &PersonId) -> bool {
    let Some(person) = world.people.get(id) else {
        return world.records[id].decision == Decision::Deactivate;
    };
    if world.excludes(id) {
        return false;
    }
    world.spec.okta.people == PeopleScope::Everyone
        || world.members.values().any(|members| members.contains(id))
        || has_departed(world, person)
}

/// The employees and the records, without the ids that Insightful gives.
fn outcome(world: &World) -> (BTreeSet<String>, BTreeMap<&PersonId, String>) {
    let team = |id| &world.teams[id].name;
    let named = |id: &str| {
        world
            .employees
            .get(&id.into())
            .map_or_else(|| id.to_owned(), |employee| employee.identifier.clone())
    };
    let employees = world.employees.values().map(|employee| {
        let (name, email, team) = (&employee.name, &employee.email, team(&employee.team));
        format!("{name} {email} {team} {}", employee.deactivated)
    });
    let records = world.records.iter().map(|(id, record)| {
        let applied = record.applied.as_ref().map(|applied| {
            let employees: Vec<String> = applied.employee_ids.iter().map(|id| named(id)).collect();
            let fields = applied
                .fields
                .iter()
                .filter(|field| world.holds(field))
                .map(|field| {
                    let text = |value: &str| {
                        world
                            .teams
                            .get(&value.into())
                            .map_or(value, |team| &team.name)
                            .to_owned()
                    };
                    (
                        named(&field.employee_id),
                        field.field,
                        field.before.as_deref().map(text),
                        text(&field.after),
                    )
                });
            (employees, applied.created, fields.collect::<BTreeSet<_>>())
        });
        (id, format!("{:?} {:?} {applied:?}", record.state, record.pending))
    });
    (employees.collect(), records.collect())
}

/// A kind of write that no story leads to would not be tested.
#[test]
fn stories_lead_to_every_kind_of_write() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..8192 {
        if !seen.is_empty() && seen.values().all(|plans| *plans > 0) {
            break;
        }
        let story = story().new_tree(&mut runner).unwrap().current();
        let mut world = World::of(&story);
        for happening in &story.happenings {
            let before = matches!(happening, Happening::Cycle(_)).then(|| world.assess());
            let Some(plan) = world.happens(happening) else {
                continue;
            };
            let is_blocked = |reason| {
                let mut people = world.records.keys();
                let blocker = |id| before.as_ref()?.blocker(id);
                people.any(|id| blocker(id).map(Blocker::reason) == Some(reason))
            };
            let mut updated = plan.updates.iter().flat_map(|update| update.fields.values());
            for (kind, is) in [
                ("a team", !plan.teams.is_empty()),
                ("an invitation", !plan.creations.is_empty()),
                ("an update", !plan.updates.is_empty()),
                ("an email", plan.updates_of(Field::Email).next().is_some()),
                (
                    "a field restored in an update",
                    updated.any(|replace| replace.restores),
                ),
                ("a restore", plan.restores.iter().any(Restore::writes)),
                (
                    "a field that is not restored",
                    plan.restores
                        .iter()
                        .any(|restore| !restore.not_restored.is_empty()),
                ),
                (
                    "an empty email that is not restored",
                    plan.restores
                        .iter()
                        .any(|restore| restore.not_restored.contains(&(Field::Email, NotRestored::Empty))),
                ),
                (
                    "a name that Insightful stores in its own way",
                    world.fields_on_record().any(|field| field.stored.is_some()),
                ),
                ("a deactivation", !plan.deactivations.is_empty()),
                (
                    "a deactivation by decision",
                    plan.deactivations
                        .iter()
                        .any(|write| write.evidence.is_by_decision()),
                ),
                ("a record that was handed on", is_blocked("EmployeeHandedOn")),
                ("a new account", is_blocked("AccountReplaced")),
                ("an excluded person", is_blocked("Excluded")),
                ("an address of several people", is_blocked("MaybeNotAPerson")),
                ("an unmatch", !plan.unmatches.is_empty()),
                (
                    "an inherited before-image",
                    plan.matches
                        .values()
                        .any(|in_force| !in_force.inherited.is_empty()),
                ),
                (
                    "a lost response",
                    world.records.values().any(|record| record.pending.is_some()),
                ),
            ] {
                *seen.entry(kind).or_default() += usize::from(is);
            }
        }
    }
    assert!(seen.values().all(|plans| *plans > 0), "{seen:?}");
}
