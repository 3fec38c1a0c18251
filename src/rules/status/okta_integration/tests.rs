//! Tables: a small company, and what is said of the whole of it.

use super::*;
use crate::{
    api::{PendingOperation, conditions::find},
    rules::{
        example::Example,
        guard::{Bound, judge},
        status::WriteFailure,
        teams::Bindings,
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A cycle with a snapshot, and what there is to be said of it.
#[derive(Default)]
struct Cycled {
    breaches: Vec<Breach>,
    former_names: BTreeMap<PersonId, String>,
    held: bool,
    done: Option<Done>,
    failures: WriteFailures,
    disconnected: Option<Disconnected>,
    known: Option<(Snapshot, Assessment)>,
    times: Times,
    history: Option<HistoryEntry>,
}

impl Cycled {
    fn of(example: &Example) -> Self {
        let known = (example.snapshot(), example.assess());
        Self {
            known: Some(known),
            ..Self::default()
        }
    }

    fn status(&self, previous: &OktaIntegrationStatus, example: &Example) -> OktaIntegrationStatus {
        self.status_at(previous, example, NOW)
    }

    fn status_at(
        &self,
        previous: &OktaIntegrationStatus,
        example: &Example,
        now: Timestamp,
    ) -> OktaIntegrationStatus {
        let (snapshot, assessment) = self.known.as_ref().unwrap();
        let cycle = Cycle::Known(Known {
            snapshot,
            assessment,
            records: &example.records,
            breaches: &self.breaches,
            former_names: self.former_names.clone(),
            held: self.held,
            applying: None,
            done: self.done.as_ref(),
            failures: &self.failures,
            disconnected: self.disconnected.as_ref(),
            times: self.times.clone(),
            history: self.history.clone(),
            notification: None,
        });
        integration_status(previous, &example.spec, ABOUT, &cycle, now)
    }
}

const ABOUT: About<'_> = About {
    namespace: "people",
    name: "acme",
    generation: Some(7),
    sync_request: Some("now"),
};

/// The reasons of these conditions, each with what it says.
fn conditions_of(status: &OktaIntegrationStatus, types: &[&str]) -> Vec<String> {
    let said = types.iter().map(|type_| match find(&status.conditions, type_) {
        Some(condition) => format!("{type_}={} {}", condition.status, condition.reason),
        None => format!("{type_} is not said"),
    });
    said.collect()
}

fn broken(needs_action: bool) -> Disconnected {
    Disconnected {
        condition: conditions::INSIGHTFUL_CONNECTED,
        reason: "Unauthorized".into(),
        message: "the token is refused".into(),
        needs_action,
    }
}

#[test]
fn a_status_that_says_nothing_new_is_equal() {
    let example = Example::jane();
    let cycle = Cycled::of(&example);
    let first = cycle.status(&OktaIntegrationStatus::default(), &example);
    let later = NOW + std::time::Duration::from_secs(60);
    assert_eq!(cycle.status_at(&first, &example, later), first);
}

#[test]
fn to_say_it_as_before_is_to_say_what_would_follow_anew() {
    let mut example = Example::jane();
    example.records.clear();
    let mut cycled = Cycled::of(&example);
    let first = cycled.status(&OktaIntegrationStatus::default(), &example);
    let later = NOW + std::time::Duration::from_secs(3600);
    cycled.times = Times {
        last_sync: Some(later),
        last_full_sync: Some(NOW),
        next_sync: Some(later + std::time::Duration::from_secs(900)),
    };
    let after = |cycle: Cycle<'_>| integration_status(&first, &example.spec, ABOUT, &cycle, NOW);
    let under_way = OktaIntegrationStatus {
        phase: Some(Phase::Syncing),
        conditions: vec![],
        ..first.clone()
    };
    for stands in [
        first.clone(),
        under_way,
        after(Cycle::Unread(broken(true))),
        after(Cycle::Suspended),
    ] {
        let as_before = Cycle::AsBefore(&first, cycled.times.clone());
        assert_eq!(
            integration_status(&stands, &example.spec, ABOUT, &as_before, later),
            cycled.status_at(&stands, &example, later)
        );
    }
}

#[test]
fn how_a_cycle_that_knows_both_services_ends() {
    type Case = (
        &'static str,
        fn(&mut Example),
        fn(&mut Cycled),
        Phase,
        [&'static str; 4],
    );
    let renamed = |e: &mut Example| e.people[0].family_name = Some("Roe".into());
    let cases: [Case; 8] = [
        (
            "in step",
            |_| (),
            |_| (),
            Phase::InSync,
            [
                "Ready=True InSync",
                "Held=False WithinGuard",
                "Finalized=True NothingToApply",
                "Stalled=False InSync",
            ],
        ),
        (
            "before the Finish",
            |e| e.spec.finalized = false,
            |_| (),
            Phase::Review,
            [
                "Ready=True AwaitingFinalize",
                "Held=False WithinGuard",
                "Finalized=False NotFinalized",
                "Stalled=False AwaitingFinalize",
            ],
        ),
        (
            "held",
            renamed,
            |c| {
                c.held = true;
                c.breaches = vec![Breach::EveryPlan];
            },
            Phase::Held,
            [
                "Ready=False Held",
                "Held=True EveryPlanNeedsApproval",
                "Finalized=False Held",
                "Stalled=False Held",
            ],
        ),
        (
            "would be held",
            |e| e.spec.finalized = false,
            |c| {
                c.breaches = vec![Breach::Exceeded {
                    bound: Bound::TeamMoves,
                    planned: 2,
                    allowed: 1,
                }];
            },
            Phase::Review,
            [
                "Ready=True AwaitingFinalize",
                "Held=False TooManyTeamMoves",
                "Finalized=False NotFinalized",
                "Stalled=False AwaitingFinalize",
            ],
        ),
        (
            "more to write",
            renamed,
            |_| (),
            Phase::Applying,
            [
                "Ready=False Applying",
                "Held=False WithinGuard",
                "Finalized=False Applying",
                "Stalled=False Applying",
            ],
        ),
        (
            "applied",
            |_| (),
            |c| {
                c.done = Some(Done {
                    plan: "sha256:1".into(),
                    writes: 1,
                    failed: 0,
                    completed: true,
                });
            },
            Phase::InSync,
            [
                "Ready=True InSync",
                "Held=False WithinGuard",
                "Finalized=True PlanApplied",
                "Stalled=False InSync",
            ],
        ),
        (
            "one write refused",
            renamed,
            |c| {
                let failure = WriteFailure {
                    reason: "WriteRefused".into(),
                    message: String::new(),
                };
                c.failures.insert("jane".into(), failure);
            },
            Phase::Failed,
            [
                "Ready=False WritesRefused",
                "Held=False WithinGuard",
                "Finalized=False Applying",
                "Stalled=False WritesRefused",
            ],
        ),
        (
            "broke off",
            renamed,
            |c| c.disconnected = Some(broken(true)),
            Phase::Failed,
            [
                "Ready=False Unauthorized",
                "Held=False WithinGuard",
                "Finalized=False Applying",
                "Stalled=True Unauthorized",
            ],
        ),
    ];
    for (case, change, end, phase, expected) in cases {
        let mut example = Example::jane();
        change(&mut example);
        let mut cycled = Cycled::of(&example);
        end(&mut cycled);
        let status = cycled.status(&OktaIntegrationStatus::default(), &example);
        assert_eq!(status.phase, Some(phase), "{case}");
        let types = [
            conditions::READY,
            conditions::HELD,
            conditions::FINALIZED,
            conditions::STALLED,
        ];
        assert_eq!(conditions_of(&status, &types), expected, "{case}");
        let connected = find(&status.conditions, conditions::INSIGHTFUL_CONNECTED).unwrap();
        assert_eq!(
            connected.status == "True",
            cycled.disconnected.is_none(),
            "{case}"
        );
        assert_eq!(status.last_handled_sync_request.as_deref(), Some("now"), "{case}");
        assert_eq!(status.observed_generation, Some(7), "{case}");
        let applied = cycled.done.as_ref().map(|done| done.plan.clone());
        assert_eq!(status.last_applied_plan, applied, "{case}");
        assert_eq!(status.plan.unwrap(), example.assess().plan.summary(), "{case}");
    }
}

#[test]
fn a_cycle_that_learns_nothing_keeps_what_was_known() {
    let mut example = Example::jane();
    example.records.clear();
    example.spec.matching.automatic = false;
    let known = Cycled::of(&example).status(&OktaIntegrationStatus::default(), &example);
    let unusable = Cycle::Unusable {
        reason: "SecretNotFound".into(),
        message: "no Secret okta".into(),
    };
    let cases = [
        (
            Cycle::Suspended,
            Phase::Suspended,
            "Ready=True Suspended",
            "Reconciling=False Suspended",
            "Stalled=False Suspended",
            true,
        ),
        (
            unusable,
            Phase::Failed,
            "Ready=False SecretNotFound",
            "Reconciling=False SecretNotFound",
            "Stalled=True SecretNotFound",
            true,
        ),
        (
            Cycle::Unread(broken(false)),
            Phase::Failed,
            "Ready=False Unauthorized",
            "Reconciling=True Unauthorized",
            "Stalled=False Unauthorized",
            false,
        ),
        (
            Cycle::Unread(broken(true)),
            Phase::Failed,
            "Ready=False Unauthorized",
            "Reconciling=False Unauthorized",
            "Stalled=True Unauthorized",
            false,
        ),
    ];
    for (cycle, phase, ready, reconciling, stalled, answered) in cases {
        let asked = About {
            sync_request: Some("again"),
            ..ABOUT
        };
        let status = integration_status(&known, &example.spec, asked, &cycle, NOW);
        assert_eq!(status.phase, Some(phase));
        let types = [conditions::READY, conditions::RECONCILING, conditions::STALLED];
        assert_eq!(conditions_of(&status, &types), [ready, reconciling, stalled]);
        let kept = [
            conditions::OKTA_CONNECTED,
            conditions::REVIEW_REQUIRED,
            conditions::HELD,
            conditions::FINALIZED,
        ];
        assert_eq!(
            conditions_of(&status, &kept),
            conditions_of(&known, &kept),
            "{phase:?}"
        );
        let connected = find(&status.conditions, conditions::INSIGHTFUL_CONNECTED).unwrap();
        assert_eq!(connected.status == "True", !matches!(cycle, Cycle::Unread(_)));
        assert_eq!((&status.people, &status.plan), (&known.people, &known.plan));
        let handled = status.last_handled_sync_request.as_deref();
        assert_eq!(handled, Some(if answered { "again" } else { "now" }), "{phase:?}");
    }
}

#[test]
fn a_missed_interval_is_a_condition_while_it_lasts() {
    let example = Example::jane();
    let known = |status: &OktaIntegrationStatus, at: Timestamp| {
        let mut cycled = Cycled::of(&example);
        cycled.times.last_sync = Some(at);
        cycled.status_at(status, &example, at)
    };
    let late = |status: &OktaIntegrationStatus| {
        find(&status.conditions, conditions::SYNC_LATE).map(|condition| condition.message.clone())
    };
    let minutes = |minutes| NOW + jiff::SignedDuration::from_mins(minutes);
    let mut status = known(&OktaIntegrationStatus::default(), NOW);
    assert_eq!(late(&status), None);
    // Every quarter of an hour is asked for.
    for (minute, cycle, is_late) in [
        (20, Cycle::Unread(broken(false)), false),
        (32, Cycle::Unread(broken(false)), false),
        (33, Cycle::Unread(broken(false)), true),
        (40, Cycle::Unread(broken(true)), true),
        (
            41,
            Cycle::Unusable {
                reason: "SecretNotFound".into(),
                message: String::new(),
            },
            true,
        ),
        (42, Cycle::Suspended, false),
        (43, Cycle::Unread(broken(false)), true),
    ] {
        status = integration_status(&status, &example.spec, ABOUT, &cycle, minutes(minute));
        let said = late(&status);
        assert_eq!(said.is_some(), is_late, "{minute}: {cycle:?}");
        if let Some(said) = said {
            assert!(said.contains("at 1970-01-01T00:00:00Z"), "{said}");
        }
    }
    status = known(&status, minutes(44));
    assert_eq!(late(&status), None);
    assert_eq!(
        late(&integration_status(
            &OktaIntegrationStatus::default(),
            &example.spec,
            ABOUT,
            &Cycle::Unread(broken(true)),
            minutes(1000)
        )),
        None,
        "what was never read is not late but broken"
    );
}

#[test]
fn people_who_wait_are_counted_and_said() {
    let mut example = Example::jane();
    example.records.clear();
    example.employees.clear();
    let status = Cycled::of(&example).status(&OktaIntegrationStatus::default(), &example);
    let review = find(&status.conditions, conditions::REVIEW_REQUIRED).unwrap();
    assert_eq!(
        (review.status.as_str(), review.reason.as_str()),
        ("True", "DecisionsPending")
    );
    let counts = status.people.unwrap();
    assert_eq!((counts.total, counts.unmatched, counts.blocked), (1, 1, 1));
}

#[test]
fn a_held_plan_says_who_and_how_to_let_it_through() {
    let mut example = Example::new();
    for n in 0..5 {
        example.person(&format!("p{n}"), "Ann", &format!("Doe{n}"), "Sales");
        example.employee(
            &format!("e{n}"),
            &format!("Ann Doe{n}"),
            &format!("p{n}@acme.com"),
        );
        example.matched(&format!("p{n}"), &[&format!("e{n}")]);
    }
    let mut cycled = Cycled::of(&example);
    cycled.held = true;
    cycled.breaches = vec![Breach::Exceeded {
        bound: Bound::TeamMoves,
        planned: 5,
        allowed: 1,
    }];
    let status = cycled.status(&OktaIntegrationStatus::default(), &example);
    let held = &find(&status.conditions, conditions::HELD).unwrap().message;
    let hash = example.assess().plan.hash();
    for part in [
        "5 team moves planned, spec.guard.maxTeamMoves allows 1 (Ann Doe0, Ann Doe1, Ann Doe2 and 2 more)",
        "kubectl get em -n people",
        &format!(
            "kubectl patch oi acme -n people --type=merge -p '{{\"spec\":{{\"approvedPlan\":\"{hash}\"}}}}'"
        ),
    ] {
        assert!(held.contains(part), "{part:?} in {held:?}");
    }
}

#[test]
fn who_is_missing_is_named_and_can_be_listed() {
    let mut example = Example::new();
    for n in 0..9 {
        let id = format!("p{n}");
        example.person(&id, "Ann", &format!("Doe{n}"), "Sales");
        example.employee(
            &format!("e{n}"),
            &format!("Ann Doe{n}"),
            &format!("{id}@acme.com"),
        );
        example.in_force(&id, &format!("e{n}"), &[]);
        example.record(&id).state = Some(MatchState::Matched);
    }
    // One is in no team group, three are not there at all, one of them left alone.
    example.groups[0].members.remove(&"p0".into());
    example.people.drain(1..4);
    example.record("p3").decision = crate::api::Decision::Ignore;
    let mut cycled = Cycled::of(&example);
    let (snapshot, assessment) = cycled.known.clone().unwrap();
    cycled.breaches = judge(
        assessment.plan.clone(),
        &example.spec,
        &example.records,
        &assessment.resolved,
        None,
    )
    .breaches;
    cycled.former_names.insert("p1".into(), "Ann Former".into());
    cycled.held = true;
    let status = cycled.status(&OktaIntegrationStatus::default(), &example);
    let held = &find(&status.conditions, conditions::HELD).unwrap().message;
    for part in [
        "3 of 8 known people are not in Okta's response or no longer in a team group (Ann Doe0, Ann Former, p2).",
        "kubectl get em -n people -o wide --field-selector spec.integrationRef.name=acme,spec.decision!=Ignore,status.state=OutOfScope.",
    ] {
        assert!(held.contains(part), "{part:?} in {held:?}");
    }
    let listed = example.records.iter().filter(|(id, record)| {
        let state = match_state(id, &snapshot, &example.spec, &assessment, record);
        state == MatchState::OutOfScope && record.decision != crate::api::Decision::Ignore
    });
    let listed: Vec<&PersonId> = listed.map(|(id, _)| id).collect();
    assert_eq!(listed, cycled.breaches[0].people(&assessment.plan));
}

#[test]
fn a_team_that_is_being_created_stays_on_record_until_a_read_shows_it() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    let mut announced = Cycled::of(&example).status(&OktaIntegrationStatus::default(), &example);
    announced.teams[0].pending = Some(Pending {
        operation: PendingOperation::CreateTeam,
        since: Time(NOW),
    });
    let still = Cycled::of(&example).status(&announced, &example);
    assert_eq!(still.teams[0].pending, announced.teams[0].pending);
    let bindings: Bindings = crate::rules::assessment::bindings(&still);
    example.team("Sales");
    let assessment = Assessment::of(&example.snapshot(), &example.spec, &example.records, &bindings);
    let cycled = Cycled {
        known: Some((example.snapshot(), assessment)),
        ..Cycled::default()
    };
    let seen = cycled.status(&still, &example);
    assert_eq!(
        (seen.teams[0].state, &seen.teams[0].pending),
        (TeamState::Created, &None)
    );
}

#[test]
fn a_group_that_comes_back_has_its_team_whatever_it_is_called() {
    let mut example = Example::jane();
    example.person("jane", "Jane", "Doe", "Support");
    example.team("Support");
    let mut status = OktaIntegrationStatus {
        last_applied_time: Some(Time(NOW)),
        ..OktaIntegrationStatus::default()
    };
    let mut cycle = |example: &mut Example| {
        example.bindings = crate::rules::assessment::bindings(&status);
        let cycled = Cycled::of(example);
        status = cycled.status(&status, example);
        (status.clone(), cycled.known.unwrap().1.plan)
    };
    cycle(&mut example);
    let sales = |example: &mut Example| {
        let group = example
            .groups
            .iter()
            .position(|group| group.id == "g-Sales".into());
        example.groups.remove(group.unwrap())
    };

    let mut group = sales(&mut example);
    for _ in 0..2 {
        let (status, plan) = cycle(&mut example);
        assert!(plan.is_empty(), "{plan:?}");
        let team = status.teams.iter().find(|team| team.name == "Sales").unwrap();
        assert_eq!(
            (team.team_id.as_deref(), team.members, team.group_missing),
            (Some("Sales"), 0, true)
        );
        let message = team.message.as_ref().unwrap();
        assert!(message.ends_with("1 synced people stay there"), "{message}");
    }

    group.name = "P_Selling".into();
    example.groups.push(group);
    let (status, plan) = cycle(&mut example);
    assert!(plan.is_empty(), "{plan:?}");
    let team = status.teams.iter().find(|team| team.name == "Sales").unwrap();
    assert_eq!((team.state, team.group_missing), (TeamState::Existing, false));

    sales(&mut example);
    example.teams.retain(|team| team.name != "Sales");
    let (status, _) = cycle(&mut example);
    assert_eq!(status.teams.len(), 1, "gone on both sides: {:?}", status.teams);
}

/// A minute of work that began so many minutes after `NOW`.
fn entry(minute: i64, writes: i32) -> HistoryEntry {
    HistoryEntry {
        start_time: at(minute),
        duration: Duration::from_secs(60).into(),
        kind: crate::api::SyncKind::Full,
        result: crate::api::CycleResult::Applied,
        plan: format!("sha256:{writes}"),
        writes,
        failed: 0,
    }
}

fn at(minute: i64) -> Time {
    Time(Timestamp::from_second(minute * 60).unwrap())
}

#[test]
fn the_history_keeps_the_last_ten() {
    let example = Example::jane();
    let mut status = OktaIntegrationStatus::default();
    for writes in 0..12 {
        let cycled = Cycled {
            history: Some(entry(0, writes)),
            ..Cycled::of(&example)
        };
        status = cycled.status(&status, &example);
    }
    let writes: Vec<i32> = status.history.iter().map(|entry| entry.writes).collect();
    assert_eq!(writes, (2..12).rev().collect::<Vec<_>>());
}

#[test]
fn what_is_told_late_stands_where_it_belongs() {
    // When each apply began, in the order in which they are told; the history
    // then, and which of them was the last.
    let table: &[(&[i64], &[i64], i64)] = &[
        (&[1], &[1], 1),
        (&[1, 5], &[5, 1], 5),
        (&[5, 1], &[5, 1], 5),
        (&[1, 9, 5], &[9, 5, 1], 9),
        (&[3, 3], &[3, 3], 3),
    ];
    let example = Example::jane();
    for (told, history, last) in table {
        let mut status = OktaIntegrationStatus::default();
        for (n, minute) in (1..).zip(*told) {
            let cycled = Cycled {
                done: Some(Done {
                    plan: format!("sha256:{minute}"),
                    completed: true,
                    ..Done::default()
                }),
                history: Some(entry(*minute, n)),
                ..Cycled::of(&example)
            };
            // Long after all of it.
            status = cycled.status_at(&status, &example, at(60).0);
        }
        let began: Vec<Time> = status
            .history
            .iter()
            .map(|entry| entry.start_time.clone())
            .collect();
        let expected: Vec<Time> = history.iter().map(|minute| at(*minute)).collect();
        assert_eq!(began, expected, "{told:?}");
        let of_the_last = (Some(format!("sha256:{last}")), Some(at(last + 1)));
        assert_eq!(
            (status.last_applied_plan, status.last_applied_time),
            of_the_last,
            "{told:?}"
        );
    }
}
