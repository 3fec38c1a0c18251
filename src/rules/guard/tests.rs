//! Each case changes a small company and checks the verdict on its plan.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::*;
use crate::{
    api::{Decision, Field, GuardPolicy, MatchState, OktaIntegrationStatus, UnmatchedPolicy},
    model::OktaStatus,
    rules::example::Example,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

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

/// Twenty people in sync: their matches are in force.
fn in_force() -> Example {
    let mut example = Example::new();
    example.team("Sales");
    for n in 0..20 {
        let (id, employee) = (format!("p{n:02}"), format!("e{n:02}"));
        example.person(&id, "Ann", &format!("Doe{n}"), "Sales");
        let email = format!("{id}@acme.com");
        example.employee(&employee, &format!("Ann Doe{n}"), &email).team = "Sales".into();
        example.in_force(&id, &employee, &[(Field::Title, None, "Engineer")]);
        example.record(&id).state = Some(MatchState::Matched);
    }
    assert!(example.assess().plan.is_empty());
    example
}

fn reasons(example: &Example) -> Vec<&'static str> {
    let Verdict { breaches, ruling, .. } = example.verdict();
    match ruling {
        Ruling::Held => breaches.iter().map(Breach::reason).collect(),
        Ruling::Cleared(_) => vec![],
        Ruling::NotFinalized => vec!["NotFinalized"],
    }
}

fn approve(example: &mut Example) {
    example.spec.approved_plan = Some(example.assess().plan.hash());
}

/// Applies the plan of a verdict as the controller does, as far as the guard is concerned.
fn apply(example: &mut Example, now: Timestamp) {
    let assessment = example.assess();
    let verdict = example.judge(&assessment, None, now);
    let cleared = verdict.cleared().expect("it is cleared");
    example.guard.begin(cleared, &verdict, example.review());
    example.guard.settle(GuardedWrites::default(), now);
    example.guard.complete(&assessment.plan.hash(), &verdict);
}

#[test]
fn nothing_is_cleared_before_the_integration_is_finalized() {
    let mut example = twenty();
    assert_eq!(reasons(&example), Vec::<&str>::new());
    example.spec.finalized = false;
    approve(&mut example);
    assert_eq!(reasons(&example), ["NotFinalized"], "not even an approved plan");
}

#[test]
fn a_plan_is_held_beyond_a_bound_and_cleared_at_it() {
    type Change = fn(&mut Example);
    type BoundOf = fn(&mut GuardPolicy) -> &mut IntOrString;
    let cases: [(&str, Change, BoundOf, i32); 8] = [
        (
            "TooManyTeamMoves",
            |e| e.team("Support"),
            |guard| &mut guard.max_team_moves,
            20,
        ),
        (
            "TooManyDeactivations",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.people[1].status = OktaStatus::Deprovisioned;
            },
            |guard| &mut guard.max_deactivations,
            2,
        ),
        (
            "TooManyEmailChanges",
            |e| e.people[0].email = Some("other@acme.com".into()),
            |guard| &mut guard.max_email_changes,
            1,
        ),
        (
            "TooManyRelinks",
            |e| {
                e.in_force("p00", "e00", &[(Field::Name, Some("x"), "Ann Doe0")]);
                e.record("p00").decision = Decision::Ignore;
                e.record("p00").employee_ids.clear();
            },
            |guard| &mut guard.max_relinks,
            1,
        ),
        (
            "TooManyNameChanges",
            |e| {
                for (n, name) in ["ANN  DOE0", "Doe1, Ann", "Ann Roe", "Mary Doe3"]
                    .into_iter()
                    .enumerate()
                {
                    e.employees[n].name = name.into();
                }
            },
            |guard| &mut guard.max_name_changes,
            2,
        ),
        (
            "TooManyTitleChanges",
            |e| {
                // The first title of everybody else is no change.
                e.in_force("p00", "e00", &[(Field::Title, None, "Intern")]);
                e.in_force("p01", "e01", &[(Field::Title, None, "Engineer")]);
            },
            |guard| &mut guard.max_title_changes,
            1,
        ),
        (
            "TooManyInvitations",
            |e| {
                e.spec.matching.unmatched = UnmatchedPolicy::Create;
                for (id, family) in [("q0", "Zhu"), ("q1", "Quist")] {
                    e.person(id, "Wilhelmina", family, "Sales");
                }
                e.record("q1").decision = Decision::Create;
            },
            |guard| &mut guard.max_invitations,
            1,
        ),
        (
            "TooManyNewTeams",
            |e| {
                e.person("p00", "", "", "Legal");
                e.spec.teams.precedence = vec!["Sales".into()];
            },
            |guard| &mut guard.max_new_teams,
            2,
        ),
    ];
    for (reason, change, bound, count) in cases {
        let mut example = twenty();
        change(&mut example);
        *bound(&mut example.spec.guard) = IntOrString::Int(count);
        assert_eq!(reasons(&example), Vec::<&str>::new(), "{reason}");
        *bound(&mut example.spec.guard) = IntOrString::Int(count - 1);
        assert_eq!(reasons(&example), [reason]);
        let message = example.verdict().breaches[0].message();
        assert!(message.starts_with(&format!("{count} ")), "{message}");
        approve(&mut example);
        assert_eq!(reasons(&example), Vec::<&str>::new(), "{reason}: approved");
    }
}

#[test]
fn a_percentage_is_of_the_matched_employees_who_are_active() {
    let mut example = in_force();
    example.spec.guard.max_deactivations = IntOrString::String("10%".into());
    for n in 0..2 {
        example.people[n].status = OktaStatus::Deprovisioned;
    }
    assert_eq!(
        reasons(&example),
        Vec::<&str>::new(),
        "two of twenty who are active"
    );
    for n in 2..8 {
        example.people[n].status = OktaStatus::Deprovisioned;
        example.employees[n].deactivated = true;
    }
    assert_eq!(reasons(&example), ["TooManyDeactivations"], "two of fourteen");

    let mut company = Example::new();
    company.spec.matching.unmatched = UnmatchedPolicy::Create;
    company.spec.guard = GuardPolicy::default();
    company.person("jane", "Jane", "Doe", "Sales");
    assert_eq!(reasons(&company), ["TooManyInvitations"], "nobody is matched yet");
}

#[test]
fn an_approval_is_for_one_plan_once() {
    let mut example = twenty();
    example.spec.approval = Approval::EveryPlan;
    assert_eq!(reasons(&example), ["EveryPlanNeedsApproval"]);
    approve(&mut example);
    assert_eq!(reasons(&example), Vec::<&str>::new());
    let mut changed = example.clone();
    changed.people[0].title = Some("Manager".into());
    assert_eq!(
        reasons(&changed),
        ["EveryPlanNeedsApproval"],
        "a later change makes it another plan"
    );

    // Whatever was applied is undone by hand, several times: each time it needs an approval, which the same command
    // gives.
    let mut hashes = vec![];
    for _ in 0..3 {
        let hash = example.assess().plan.hash();
        assert!(!hashes.contains(&hash), "another hash each time");
        hashes.push(hash);
        apply(&mut example, NOW);
        for spent in &hashes {
            example.spec.approved_plan = Some(spent.clone());
            assert_eq!(reasons(&example), ["EveryPlanNeedsApproval"], "spent");
        }
        approve(&mut example);
        assert_eq!(reasons(&example), Vec::<&str>::new());
    }
}

#[test]
fn an_approval_older_than_the_status_is_spent() {
    let mut example = twenty();
    example.spec.approval = Approval::EveryPlan;
    approve(&mut example);
    let status = OktaIntegrationStatus {
        guard: Some(example.guard.clone()),
        ..OktaIntegrationStatus::default()
    };
    for (status, reason) in [
        (status, None),
        (OktaIntegrationStatus::default(), Some("EveryPlanNeedsApproval")),
    ] {
        let reviewed = example.guard.reviewed.take();
        example.guard = GuardStatus::recall(&status, &example.spec);
        example.guard.reviewed = reviewed;
        assert_eq!(reasons(&example), reason.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn what_nobody_approved_counts_for_a_day() {
    let mut example = in_force();
    example.spec.guard.max_deactivations = IntOrString::Int(3);
    let deactivate = |example: &mut Example, n: usize| {
        example.people[n].status = OktaStatus::Deprovisioned;
        example.employees[n].deactivated = false;
    };
    let at = |minutes| NOW + SignedDuration::from_mins(minutes);
    let held = |example: &Example, now| {
        let verdict = example.judge(&example.assess(), None, now);
        let messages: Vec<String> = verdict.breaches.iter().map(Breach::message).collect();
        (verdict.is_held(), messages.join("; "), verdict.lifts_at)
    };
    for (n, minute) in [(0, 5), (1, 59), (2, 61)] {
        deactivate(&mut example, n);
        apply(&mut example, at(minute));
        example.employees[n].deactivated = true;
    }
    assert_eq!(example.guard.recent.len(), 2, "one entry an hour");
    assert_eq!(
        held(&example, at(70)),
        (false, String::new(), None),
        "an empty plan is not held"
    );
    deactivate(&mut example, 3);
    let message =
        "3 deactivations written in the last 24 hours and 1 planned, spec.guard.maxDeactivations allows 3";
    let lifts_at = Some(at(25 * 60));
    assert_eq!(held(&example, at(70)), (true, message.into(), lifts_at));
    assert_eq!(held(&example, at(25 * 60 - 1)), (true, message.into(), lifts_at));
    assert_eq!(held(&example, at(25 * 60)), (false, String::new(), None));

    // What an admin approved does not count, and clears nothing else.
    approve(&mut example);
    apply(&mut example, at(80));
    example.employees[3].deactivated = true;
    assert_eq!(example.guard.recent_writes(at(80)).deactivations, 3);
    // A plan that exceeds the bound by itself does not go on by itself.
    for n in 4..8 {
        deactivate(&mut example, n);
    }
    let message =
        "3 deactivations written in the last 24 hours and 4 planned, spec.guard.maxDeactivations allows 3";
    assert_eq!(held(&example, at(90)), (true, message.into(), None));
}

#[test]
fn the_memory_does_not_grow_and_a_clock_that_was_wrong_does_not_stop_it() {
    let mut guard = GuardStatus::default();
    let one = GuardedWrites {
        team_moves: 1,
        ..GuardedWrites::default()
    };
    let write = |guard: &mut GuardStatus, now: Timestamp| {
        guard.in_flight = Some(one);
        guard.settle(GuardedWrites::default(), now);
    };
    for minutes in (0..60 * 24 * 10).step_by(7) {
        let now = NOW + SignedDuration::from_mins(minutes);
        write(&mut guard, now);
        assert!(guard.recent.len() <= 25);
        let counted = guard.recent_writes(now).team_moves;
        assert!(
            counted >= (60 * 24 / 7).min(i32::try_from(minutes / 7).unwrap()),
            "{counted} after {minutes} minutes"
        );
        assert!(counted <= 60 * 25 / 7 + 1, "{counted} after {minutes} minutes");
    }
    // The clock is set back by a week.
    let earlier = NOW + SignedDuration::from_hours(72);
    write(&mut guard, earlier);
    assert_eq!(guard.recent.len(), 1);
    let day_later = earlier + SignedDuration::from_hours(25);
    assert!(guard.recent_writes(day_later).is_zero());
}

#[test]
fn a_crash_hides_no_write() {
    let mut example = in_force();
    for n in 0..4 {
        example.people[n].status = OktaStatus::Deprovisioned;
    }
    let assessment = example.assess();
    let verdict = example.judge(&assessment, None, NOW);
    let (review, cleared) = (example.review(), verdict.cleared().unwrap());
    example.guard.begin(cleared, &verdict, review);
    let status = OktaIntegrationStatus {
        guard: Some(example.guard),
        ..OktaIntegrationStatus::default()
    };
    for (still_planned, written) in [(4, 0), (1, 3), (0, 4), (9, 0)] {
        let mut guard = GuardStatus::recall(&status, &example.spec);
        let still_planned = GuardedWrites {
            deactivations: still_planned,
            ..GuardedWrites::default()
        };
        guard.settle(still_planned, NOW);
        assert_eq!(guard.recent_writes(NOW).deactivations, written);
        guard.settle(still_planned, NOW);
        assert_eq!(guard.recent_writes(NOW).deactivations, written, "once");
    }
}

#[test]
fn a_plan_is_held_while_many_people_with_a_match_in_force_are_missing() {
    type Change = fn(&mut Example);
    let vanish = |e: &mut Example, count: usize| {
        e.people.drain(0..count);
    };
    let cases: [(&str, Change, bool); 9] = [
        ("two of twenty", |e| drop(e.people.drain(0..2)), false),
        ("three of twenty", |e| drop(e.people.drain(0..3)), true),
        (
            "three are in no team group",
            |e| e.groups[0].members.retain(|id| id.as_str() >= "p03"),
            true,
        ),
        (
            "ignored people do not count",
            |e| {
                e.people.drain(0..3);
                e.record("p00").decision = Decision::Ignore;
                e.record("p01").decision = Decision::Ignore;
            },
            false,
        ),
        (
            "nor do departed people",
            |e| {
                e.people.drain(0..3);
                e.record("p00").state = Some(MatchState::Deactivated);
                e.record("p01").state = Some(MatchState::Deactivated);
            },
            false,
        ),
        (
            "nor does who is out of scope since the employee was deactivated",
            |e| {
                e.people.drain(0..3);
                for n in 0..2 {
                    e.record(&format!("p0{n}")).state = Some(MatchState::OutOfScope);
                    e.employees[n].deactivated = true;
                }
            },
            false,
        ),
        (
            "nor do decisions for people whom Okta does not have yet",
            |e| {
                for n in 0..20 {
                    e.matched(&format!("new{n}"), &[]);
                    e.record(&format!("new{n}")).state = Some(MatchState::OutOfScope);
                }
            },
            false,
        ),
        (
            "an org with many other people lacks everybody",
            |e| {
                e.people.clear();
                e.groups[0].members.clear();
                for n in 0..400 {
                    let id = format!("other{n}");
                    e.person(&id, "Mia", &format!("Else{n}"), "Sales");
                    e.record(&id).state = Some(MatchState::Unmatched);
                }
            },
            true,
        ),
        (
            "those who were missing at the last apply are accepted",
            |e| {
                e.people.drain(0..5);
                e.guard.people_missing = 3;
            },
            false,
        ),
    ];
    for (case, change, held) in cases {
        let mut example = in_force();
        change(&mut example);
        let expected: &[&str] = if held { &["PeopleMissing"] } else { &[] };
        assert_eq!(reasons(&example), expected, "{case}");
    }

    let mut example = in_force();
    vanish(&mut example, 3);
    let verdict = example.verdict();
    let plan = example.assess().plan;
    let people = verdict.breaches[0].people(&plan).into_iter();
    assert_eq!(
        people.map(PersonId::as_str).collect::<Vec<_>>(),
        ["p00", "p01", "p02"]
    );
    // Approving accepts the missing people, although there is nothing to write.
    let before = example.assess().plan.hash();
    approve(&mut example);
    let verdict = example.verdict();
    assert!(example.assess().plan.is_empty());
    let review = example.review();
    assert!(example.guard.accept_empty(&verdict, || review));
    assert_eq!(reasons(&example), Vec::<&str>::new());
    assert_ne!(example.assess().plan.hash(), before, "the approval is spent");
    // Two more vanish: not many. Then all come back, and vanish again.
    vanish(&mut example, 2);
    assert_eq!(reasons(&example), Vec::<&str>::new());
    let back = Verdict::default();
    example.guard = example.guard.shown(&back, 20, true, None, NOW);
    assert_eq!(reasons(&example), ["PeopleMissing"]);
}

#[test]
fn a_plan_is_held_while_many_employees_of_matches_in_force_are_missing() {
    type Change = fn(&mut Example);
    let cases: [(&str, Change, bool); 6] = [
        ("two of twenty", |e| drop(e.employees.drain(0..2)), false),
        ("three of twenty", |e| drop(e.employees.drain(0..3)), true),
        ("an empty answer", |e| e.employees.clear(), true),
        (
            "an organisation with others",
            |e| {
                for employee in &mut e.employees {
                    employee.id = format!("other-{}", employee.id).as_str().into();
                }
            },
            true,
        ),
        (
            "ignored people's do not count",
            |e| {
                e.employees.drain(0..3);
                e.record("p00").decision = Decision::Ignore;
                e.record("p01").decision = Decision::Ignore;
            },
            false,
        ),
        (
            "nor do those that the operator deactivated",
            |e| {
                e.employees.drain(0..3);
                for n in 0..2 {
                    e.people[n].status = OktaStatus::Deprovisioned;
                    let image = [(Field::Active, Some("true"), "false")];
                    e.in_force(&format!("p0{n}"), &format!("e0{n}"), &image);
                }
            },
            false,
        ),
    ];
    for (case, change, held) in cases {
        let mut example = in_force();
        change(&mut example);
        let expected: &[&str] = if held { &["EmployeesMissing"] } else { &[] };
        assert_eq!(reasons(&example), expected, "{case}");
        approve(&mut example);
        assert_eq!(reasons(&example), Vec::<&str>::new(), "{case}: approved");
    }
}

#[test]
fn a_plan_that_no_review_was_about_is_held() {
    type Change = fn(&mut Example);
    let cases: [(&str, Change, &[&str]); 9] = [
        ("reviewed", |_| (), &[]),
        (
            "finalized in the first manifest",
            |e| e.guard.reviewed = None,
            &["NotReviewed"],
        ),
        (
            "restored: another object",
            |e| e.guard.reviewed.as_mut().unwrap().uid = "other".into(),
            &["NotReviewed"],
        ),
        (
            "another Okta org",
            |e| e.spec.okta.org_url = "https://other.okta.com".into(),
            &["OrgChanged"],
        ),
        ("the same org", |e| e.spec.okta.org_url += "/", &[]),
        (
            "another Insightful",
            |e| e.spec.insightful.url = "https://eu.insightful.io/api/v1".into(),
            &["OrganizationChanged"],
        ),
        (
            "objects vanished",
            |e| {
                e.guard.matches = 20;
                e.guard.count_matches(18);
            },
            &["MatchesVanished"],
        ),
        (
            "more objects than before",
            |e| {
                e.guard.matches = 18;
                e.guard.count_matches(20);
            },
            &[],
        ),
        (
            "all at once",
            |e| {
                e.spec.okta.org_url = "https://other.okta.com".into();
                e.guard.matches_vanished = 1;
                e.spec.approval = Approval::EveryPlan;
            },
            &["OrgChanged", "MatchesVanished", "EveryPlanNeedsApproval"],
        ),
    ];
    for (case, change, expected) in cases {
        let mut example = twenty();
        change(&mut example);
        assert_eq!(reasons(&example), expected, "{case}");
        approve(&mut example);
        assert_eq!(reasons(&example), Vec::<&str>::new(), "{case}: approved");
        apply(&mut example, NOW);
        example.spec.approval = Approval::Guarded;
        assert_eq!(
            reasons(&example),
            Vec::<&str>::new(),
            "{case}: the approval was a review"
        );

        let mut example = twenty();
        change(&mut example);
        example.spec.approval = Approval::Guarded;
        example.spec.finalized = false;
        let verdict = example.verdict();
        assert_eq!(verdict.breaches, [], "{case}: a review is possible");
        let review = example.review();
        example.guard = example.guard.shown(&verdict, 20, false, Some(review), NOW);
        example.spec.finalized = true;
        assert_eq!(reasons(&example), Vec::<&str>::new(), "{case}: reviewed");

        let mut example = in_force();
        change(&mut example);
        assert_eq!(
            reasons(&example),
            Vec::<&str>::new(),
            "{case}: nothing is to be written"
        );
    }
}

#[test]
fn the_remainder_of_an_approved_plan_needs_no_approval_unless_its_facts_changed() {
    let mut example = twenty();
    example.spec.approval = Approval::EveryPlan;
    approve(&mut example);
    let plan = example.spec.approved_plan.clone().unwrap();
    let applying = Applying {
        plan: plan.clone(),
        since: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(NOW),
        shared_settings: None,
    };
    example.employees[0].name = "Ann Doe-Zero".into();
    let ruling = |example: &Example| example.judge(&example.assess(), Some(&applying), NOW).ruling;
    match ruling(&example) {
        Ruling::Cleared(cleared) => assert_eq!(cleared.clearance(), &Clearance::Resumed(plan)),
        other => panic!("{other:?}"),
    }
    example.guard.matches_vanished = 1;
    assert_eq!(ruling(&example), Ruling::Held);
}

#[test]
fn a_verdict_carries_its_breaches_whatever_the_ruling() {
    let mut example = twenty();
    example.spec.guard.max_team_moves = IntOrString::Int(1);
    let breach = Breach::Exceeded {
        bound: Bound::TeamMoves,
        recent: 0,
        planned: 20,
        allowed: 1,
    };
    assert_eq!(
        breach.message(),
        "20 team moves planned, spec.guard.maxTeamMoves allows 1"
    );
    let breaches = [breach];
    assert_eq!(example.verdict().breaches, breaches, "held");
    approve(&mut example);
    let approved = example.verdict();
    assert!(approved.cleared().is_some());
    assert_eq!(approved.breaches, breaches, "approved");
    example.spec.finalized = false;
    assert_eq!(example.verdict().breaches, breaches, "not finalized");
}

#[test]
fn a_percentage_is_rounded_down() {
    let percent = |text: &str| IntOrString::String(text.to_owned());
    for (bound, active, expected) in [
        (percent("5%"), 100, 5),
        (percent("5%"), 39, 1),
        (percent("5%"), 19, 0),
        (percent("100%"), 7, 7),
        (percent("0%"), 7, 0),
        (percent("5%"), 0, 0),
        (IntOrString::Int(3), 7, 3),
        (IntOrString::Int(-1), 7, 0),
    ] {
        assert_eq!(bounds::allowed(&bound, active), expected, "{bound:?} of {active}");
    }
}

#[test]
fn more_than_a_tenth_and_more_than_one_are_many() {
    for (missing, known, accepted, held) in [
        (0, 0, 0, false),
        (1, 3, 0, false),
        (2, 3, 0, true),
        (6, 60, 0, false),
        (7, 60, 0, true),
        (7, 60, 1, false),
        (9, 60, 2, true),
        (3, 60, 9, false),
    ] {
        let missing = Missing {
            people: vec!["p".into(); missing],
            known,
        };
        assert_eq!(
            missing.are_too_many(accepted),
            held,
            "{missing:?}, {accepted} accepted"
        );
    }
}
