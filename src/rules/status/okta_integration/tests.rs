//! Each case changes a small company or a cycle and checks the integration's status.

use super::*;
use crate::{
    api::{TeamState, conditions::find},
    rules::{
        example::{Example, request},
        guard::{Bound, Breach, Ruling},
        one_writer::OtherWriter,
        records::WhyUnusable,
        status::WriteFailure,
        teams::Bindings,
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The owned parts of a [`SyncedCycle`].
#[derive(Default)]
struct Synced {
    verdict: Verdict,
    unusable: Vec<Unusable>,
    applied: Option<ApplySummary>,
    failures: WriteFailures,
    disconnected: Option<Disconnected>,
    assessed: Option<(Snapshot, Assessment)>,
    times: SyncTimes,
    history: Option<HistoryEntry>,
}

impl Synced {
    fn of(example: &Example) -> Self {
        Self {
            assessed: Some((example.snapshot(), example.assess())),
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
        let (snapshot, assessment) = self.assessed.as_ref().unwrap();
        let cycle = Cycle::Synced(SyncedCycle {
            snapshot,
            assessment,
            records: &example.records,
            employees: EmployeeCounts::default(),
            unusable: &self.unusable,
            verdict: &self.verdict,
            guard: &example.guard,
            applying: None,
            applied: self.applied.as_ref(),
            failures: &self.failures,
            disconnected: self.disconnected.as_ref(),
            times: self.times.clone(),
            history: self.history.clone(),
        });
        integration_status(previous, &example.spec, META, &cycle, now)
    }
}

const META: IntegrationMeta<'_> = IntegrationMeta {
    namespace: "people",
    name: "acme",
    generation: Some(7),
    sync_request: Some("now"),
};

/// Returns status and reason of the conditions of these types.
fn conditions_of(status: &OktaIntegrationStatus, types: &[&str]) -> Vec<String> {
    let conditions = types.iter().map(|type_| match find(&status.conditions, type_) {
        Some(condition) => format!("{type_}={} {}", condition.status, condition.reason),
        None => format!("{type_} is absent"),
    });
    conditions.collect()
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
fn an_unchanged_status_is_equal() {
    let example = Example::jane();
    let cycle = Synced::of(&example);
    let first = cycle.status(&OktaIntegrationStatus::default(), &example);
    let later = NOW + std::time::Duration::from_secs(60);
    assert_eq!(cycle.status_at(&first, &example, later), first);
}

#[test]
fn an_unchanged_cycle_writes_the_status_that_a_synced_one_would() {
    let mut example = Example::jane();
    example.records.clear();
    let mut synced = Synced::of(&example);
    let first = synced.status(&OktaIntegrationStatus::default(), &example);
    let later = NOW + std::time::Duration::from_secs(3600);
    synced.times = SyncTimes {
        last_sync: Some(later),
        last_full_sync: Some(NOW),
        next_sync: Some(later + std::time::Duration::from_secs(900)),
    };
    let after = |cycle: Cycle<'_>| integration_status(&first, &example.spec, META, &cycle, NOW);
    let syncing = OktaIntegrationStatus {
        phase: Some(Phase::Syncing),
        conditions: vec![],
        ..first.clone()
    };
    for present in [
        first.clone(),
        syncing,
        after(Cycle::ReadFailed(broken(true))),
        after(Cycle::Suspended),
    ] {
        let unchanged = Cycle::Unchanged(&first, synced.times.clone());
        assert_eq!(
            integration_status(&present, &example.spec, META, &unchanged, later),
            synced.status_at(&present, &example, later)
        );
    }
}

#[test]
fn phase_and_conditions_follow_from_the_cycle() {
    type Case = (
        &'static str,
        fn(&mut Example),
        fn(&mut Synced),
        Phase,
        [&'static str; 4],
    );
    let renamed = |e: &mut Example| e.people[0].family_name = Some("Roe".into());
    let cases: [Case; 8] = [
        (
            "in sync",
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
            "not finalized",
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
                c.verdict.ruling = Ruling::Held;
                c.verdict.breaches = vec![Breach::EveryPlan];
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
            "not finalized and beyond the guard",
            |e| e.spec.finalized = false,
            |c| {
                c.verdict.breaches = vec![Breach::Exceeded {
                    bound: Bound::TeamMoves,
                    recent: 0,
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
            "changes left to write",
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
                c.applied = Some(ApplySummary {
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
            "disconnected",
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
        let mut synced = Synced::of(&example);
        end(&mut synced);
        let status = synced.status(&OktaIntegrationStatus::default(), &example);
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
            synced.disconnected.is_none(),
            "{case}"
        );
        assert_eq!(status.last_handled_sync_request.as_deref(), Some("now"), "{case}");
        assert_eq!(status.observed_generation, Some(7), "{case}");
        let applied = synced.applied.as_ref().map(|applied| applied.plan.clone());
        assert_eq!(status.last_applied_plan, applied, "{case}");
        assert_eq!(status.plan.unwrap(), example.assess().plan.summary(), "{case}");
    }
}

#[test]
fn a_cycle_without_a_sync_keeps_the_lasting_parts() {
    let mut example = Example::jane();
    example.records.clear();
    example.spec.matching.automatic = false;
    let first = Synced::of(&example).status(&OktaIntegrationStatus::default(), &example);
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
            Cycle::ReadFailed(broken(false)),
            Phase::Failed,
            "Ready=False Unauthorized",
            "Reconciling=True Unauthorized",
            "Stalled=False Unauthorized",
            false,
        ),
        (
            Cycle::ReadFailed(broken(true)),
            Phase::Failed,
            "Ready=False Unauthorized",
            "Reconciling=False Unauthorized",
            "Stalled=True Unauthorized",
            false,
        ),
    ];
    for (cycle, phase, ready, reconciling, stalled, answered) in cases {
        let asked = IntegrationMeta {
            sync_request: Some("again"),
            ..META
        };
        let status = integration_status(&first, &example.spec, asked, &cycle, NOW);
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
            conditions_of(&first, &kept),
            "{phase:?}"
        );
        let connected = find(&status.conditions, conditions::INSIGHTFUL_CONNECTED).unwrap();
        assert_eq!(connected.status == "True", !matches!(cycle, Cycle::ReadFailed(_)));
        assert_eq!((&status.people, &status.plan), (&first.people, &first.plan));
        let handled = status.last_handled_sync_request.as_deref();
        assert_eq!(handled, Some(if answered { "again" } else { "now" }), "{phase:?}");
    }
}

#[test]
fn a_missed_interval_is_a_condition_until_the_next_sync() {
    let example = Example::jane();
    let sync = |status: &OktaIntegrationStatus, at: Timestamp| {
        let mut synced = Synced::of(&example);
        synced.times.last_sync = Some(at);
        synced.status_at(status, &example, at)
    };
    let late = |status: &OktaIntegrationStatus| {
        find(&status.conditions, conditions::SYNC_LATE).map(|condition| condition.message.clone())
    };
    let minutes = |minutes| NOW + jiff::SignedDuration::from_mins(minutes);
    let mut status = sync(&OktaIntegrationStatus::default(), NOW);
    assert_eq!(late(&status), None);
    // The interval is 15 minutes.
    for (minute, cycle, is_late) in [
        (20, Cycle::ReadFailed(broken(false)), false),
        (32, Cycle::ReadFailed(broken(false)), false),
        (33, Cycle::ReadFailed(broken(false)), true),
        (40, Cycle::ReadFailed(broken(true)), true),
        (
            41,
            Cycle::Unusable {
                reason: "SecretNotFound".into(),
                message: String::new(),
            },
            true,
        ),
        (42, Cycle::Suspended, false),
        (43, Cycle::ReadFailed(broken(false)), true),
    ] {
        status = integration_status(&status, &example.spec, META, &cycle, minutes(minute));
        let message = late(&status);
        assert_eq!(message.is_some(), is_late, "{minute}: {cycle:?}");
        if let Some(message) = message {
            assert!(message.contains("at 1970-01-01T00:00:00Z"), "{message}");
        }
    }
    status = sync(&status, minutes(44));
    assert_eq!(late(&status), None);
    assert_eq!(
        late(&integration_status(
            &OktaIntegrationStatus::default(),
            &example.spec,
            META,
            &Cycle::ReadFailed(broken(true)),
            minutes(1000)
        )),
        None,
        "an integration that was never synced is not late"
    );
}

#[test]
fn people_without_an_employee_need_a_review() {
    let mut example = Example::jane();
    example.records.clear();
    example.employees.clear();
    let status = Synced::of(&example).status(&OktaIntegrationStatus::default(), &example);
    let review = find(&status.conditions, conditions::REVIEW_REQUIRED).unwrap();
    assert_eq!(
        (review.status.as_str(), review.reason.as_str()),
        ("True", "DecisionsPending")
    );
    assert_eq!(
        review.message,
        "1 person needs a decision (1 Unmatched). To review them: kubectl insightful review acme -n people. To list them: kubectl get em -n people --field-selector spec.integrationRef.name=acme,status.state=Unmatched"
    );
    let counts = status.people.unwrap();
    assert_eq!((counts.total, counts.unmatched, counts.blocked), (1, 1, 1));
}

#[test]
fn a_held_plan_names_people_and_the_command_that_approves_it() {
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
    let mut synced = Synced::of(&example);
    synced.verdict.ruling = Ruling::Held;
    synced.verdict.breaches = vec![Breach::Exceeded {
        bound: Bound::TeamMoves,
        recent: 0,
        planned: 5,
        allowed: 1,
    }];
    let status = synced.status(&OktaIntegrationStatus::default(), &example);
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
fn missing_people_are_named_and_the_command_lists_them() {
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
    // One is in no team group, three are not in Okta, and one of those is ignored.
    example.groups[0].members.remove(&"p0".into());
    example.people.drain(1..4);
    example.record("p3").decision = crate::api::Decision::Ignore;
    example.former_names.insert("p1".into(), "Ann Former".into());
    let mut synced = Synced::of(&example);
    let (snapshot, assessment) = synced.assessed.clone().unwrap();
    synced.verdict.breaches = example.judge(&assessment, None, NOW).breaches;
    synced.verdict.ruling = Ruling::Held;
    let status = synced.status(&OktaIntegrationStatus::default(), &example);
    let held = &find(&status.conditions, conditions::HELD).unwrap().message;
    for part in [
        "3 of 8 people with a match in force are not in Okta's response or no longer in a team group (Ann Doe0, Ann Former, p2).",
        "kubectl get em -n people -o wide --field-selector spec.integrationRef.name=acme,spec.decision!=Ignore,status.state=OutOfScope.",
    ] {
        assert!(held.contains(part), "{part:?} in {held:?}");
    }
    let listed = example.records.iter().filter(|(id, record)| {
        let state = match_state(id, &snapshot, &example.spec, &assessment, record);
        state == MatchState::OutOfScope && record.decision != crate::api::Decision::Ignore
    });
    let listed: Vec<_> = listed.map(|(id, _)| id).collect();
    assert_eq!(listed, synced.verdict.breaches[0].people(&assessment.plan));
}

#[test]
fn a_new_team_stays_pending_until_a_read_shows_it() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    let mut announced = Synced::of(&example).status(&OktaIntegrationStatus::default(), &example);
    announced.teams[0].pending = Some(request("Sales", None));
    example.bindings = crate::rules::assessment::bindings(&announced);
    let still = Synced::of(&example).status(&announced, &example);
    assert_eq!(still.teams[0].pending, announced.teams[0].pending);
    let bindings: Bindings = crate::rules::assessment::bindings(&still);
    example.team("Sales");
    let assessment = Assessment::of(&example.snapshot(), &example.spec, &example.records, &bindings);
    let synced = Synced {
        assessed: Some((example.snapshot(), assessment)),
        ..Synced::default()
    };
    let seen = synced.status(&still, &example);
    assert_eq!(
        (seen.teams[0].state, &seen.teams[0].pending),
        (TeamState::Created, &None)
    );
}

#[test]
fn a_group_that_reappears_under_another_name_keeps_its_team() {
    let mut example = Example::jane();
    example.person("jane", "Jane", "Doe", "Support");
    example.team("Support");
    let mut status = OktaIntegrationStatus {
        last_applied_time: Some(Time(NOW)),
        ..OktaIntegrationStatus::default()
    };
    let mut cycle = |example: &mut Example| {
        example.bindings = crate::rules::assessment::bindings(&status);
        let synced = Synced::of(example);
        status = synced.status(&status, example);
        (status.clone(), synced.assessed.unwrap().1.plan)
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
        assert!(message.ends_with("1 synced person stays there"), "{message}");
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
    assert_eq!(status.teams.len(), 1, "missing on both sides: {:?}", status.teams);
}

/// An apply of one minute that began at this minute.
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
fn the_history_has_the_last_entries_newest_first() {
    let example = Example::jane();
    let mut status = OktaIntegrationStatus::default();
    for writes in 0..12 {
        let synced = Synced {
            history: Some(entry(0, writes)),
            ..Synced::of(&example)
        };
        status = synced.status(&status, &example);
    }
    let writes: Vec<i32> = status.history.iter().map(|entry| entry.writes).collect();
    assert_eq!(writes, (2..12).rev().collect::<Vec<_>>());
}

#[test]
fn a_late_report_goes_to_its_place_in_the_history() {
    // The minutes at which applies began, in the order of their reports; the resulting history;
    // and the minute of the last applied plan.
    let table: &[(&[i64], &[i64], i64)] = &[
        (&[1], &[1], 1),
        (&[1, 5], &[5, 1], 5),
        (&[5, 1], &[5, 1], 5),
        (&[1, 9, 5], &[9, 5, 1], 9),
        (&[3, 3], &[3, 3], 3),
    ];
    let example = Example::jane();
    for (reports, history, last) in table {
        let mut status = OktaIntegrationStatus::default();
        for (n, minute) in (1..).zip(*reports) {
            let synced = Synced {
                applied: Some(ApplySummary {
                    plan: format!("sha256:{minute}"),
                    completed: true,
                    ..ApplySummary::default()
                }),
                history: Some(entry(*minute, n)),
                ..Synced::of(&example)
            };
            // Long after the applies.
            status = synced.status_at(&status, &example, at(60).0);
        }
        let began: Vec<Time> = status
            .history
            .iter()
            .map(|entry| entry.start_time.clone())
            .collect();
        let expected: Vec<Time> = history.iter().map(|minute| at(*minute)).collect();
        assert_eq!(began, expected, "{reports:?}");
        let of_the_last = (Some(format!("sha256:{last}")), Some(at(last + 1)));
        assert_eq!(
            (status.last_applied_plan, status.last_applied_time),
            of_the_last,
            "{reports:?}"
        );
    }
}

#[test]
fn a_name_in_the_spec_that_names_nothing_is_said() {
    let mut example = Example::jane();
    let condition = |example: &Example| {
        let status = Synced::of(example).status(&OktaIntegrationStatus::default(), example);
        find(&status.conditions, conditions::RESOLVED_REFS).cloned()
    };
    example.spec.teams.precedence = vec!["sales".into()];
    assert_eq!(condition(&example), None);
    example.spec.teams.precedence.push("Vendors".into());
    let found = condition(&example).unwrap();
    assert_eq!(
        (found.status.as_str(), found.reason.as_str()),
        ("False", "NamesNothing")
    );
    assert!(
        found.message.contains("spec.teams.precedence names \"Vendors\""),
        "{}",
        found.message
    );
}

#[test]
fn a_plan_that_waits_for_another_integration_cannot_be_approved() {
    let other = || {
        Some(OtherWriter {
            namespace: "hr".into(),
            name: "old".into(),
        })
    };
    let message = |status: &OktaIntegrationStatus, type_: &str| {
        find(&status.conditions, type_).unwrap().message.clone()
    };
    for (finalized, phase, held) in [
        (true, Phase::Held, "Held=True AnotherIntegrationWrites"),
        (false, Phase::Review, "Held=False AnotherIntegrationWrites"),
    ] {
        // Without a change, too: it would write whatever changes next.
        for mut example in [Example::new(), Example::jane()] {
            example.spec.finalized = finalized;
            let mut synced = Synced::of(&example);
            let plan = synced.assessed.as_ref().unwrap().1.plan.clone();
            example.spec.approved_plan = Some(plan.hash());
            synced.verdict = Verdict {
                breaches: vec![],
                ruling: if finalized {
                    Ruling::Held
                } else {
                    Ruling::NotFinalized
                },
                ..Verdict::default()
            }
            .held_for(other());
            assert!(synced.verdict.cleared().is_none());
            let status = synced.status(&OktaIntegrationStatus::default(), &example);
            assert_eq!(status.phase, Some(phase));
            assert_eq!(conditions_of(&status, &["Held"]), [held]);
            let why = message(&status, "Held");
            assert!(
                why.contains("OktaIntegration hr/old, which is older, writes to the same"),
                "{why}"
            );
            assert!(
                why.contains("goes on by itself once hr/old is suspended"),
                "{why}"
            );
            assert!(!why.contains("kubectl patch"), "{why}");
            if finalized {
                for type_ in ["Ready", "Finalized"] {
                    assert!(message(&status, type_).contains("while OktaIntegration hr/old writes"));
                }
            }
        }
    }
}

#[test]
fn phase_and_conditions_agree_in_every_state() {
    type Change = fn(&mut Example);
    type End = fn(&mut Synced);
    let plans: [(&str, Change); 2] = [
        ("empty", |_| ()),
        ("a change", |e| e.people[0].family_name = Some("Roe".into())),
    ];
    let rulings: [(&str, Change); 11] = [
        ("not finalized", |e| e.spec.finalized = false),
        ("within the guard", |_| ()),
        ("every plan", |e| {
            e.spec.approval = crate::api::Approval::EveryPlan
        }),
        ("a bound", |e| {
            e.spec.guard.max_name_changes = crate::api::GuardPolicy::default().max_relinks
        }),
        ("not reviewed", |e| e.guard.reviewed = None),
        ("another org", |e| {
            e.spec.okta.org_url = "https://other.okta.com".into()
        }),
        ("another organisation", |e| {
            e.spec.insightful.url = "https://other.insightful.io".into()
        }),
        ("matches vanished", |e| e.guard.matches_vanished = 1),
        ("people missing", |e| {
            for id in ["ann", "bob"] {
                e.in_force(id, &format!("e-{id}"), &[]);
                e.employee(&format!("e-{id}"), id, id);
            }
        }),
        ("employees missing", |e| {
            for id in ["ann", "bob"] {
                e.person(id, id, id, "Sales");
                e.in_force(id, &format!("e-{id}"), &[]);
            }
        }),
        ("approved", |e| {
            e.spec.approval = crate::api::Approval::EveryPlan;
            e.spec.approved_plan = Some(e.assess().plan.hash());
        }),
    ];
    let ends: [(&str, End); 3] = [
        ("all went well", |_| ()),
        ("a write was refused", |c| {
            let failure = WriteFailure {
                reason: "WriteRefused".into(),
                message: String::new(),
            };
            c.failures.insert("jane".into(), failure);
        }),
        ("disconnected", |c| c.disconnected = Some(broken(true))),
    ];
    for ((plan, change), (ruling, of_ruling), (ending, end)) in plans
        .iter()
        .flat_map(|plan| rulings.iter().map(move |ruling| (plan, ruling)))
        .flat_map(|(plan, ruling)| ends.iter().map(move |end| (*plan, *ruling, *end)))
    {
        let case = format!("{plan}, {ruling}, {ending}");
        let mut example = Example::jane();
        change(&mut example);
        of_ruling(&mut example);
        let mut synced = Synced::of(&example);
        let assessment = &synced.assessed.as_ref().unwrap().1;
        synced.verdict = example.judge(assessment, None, NOW);
        end(&mut synced);
        let status = synced.status(&OktaIntegrationStatus::default(), &example);
        let is = |type_| {
            let condition = find(&status.conditions, type_).unwrap();
            (
                condition.status == "True",
                condition.reason.as_str(),
                condition.message.as_str(),
            )
        };
        let is_connected = synced.disconnected.is_none();
        let (is_held, why, message) = is(conditions::HELD);
        assert_eq!(is_held, synced.verdict.is_held(), "{case}");
        assert_eq!(
            status.phase == Some(Phase::Held),
            is_held && is_connected,
            "{case}"
        );
        assert_eq!(
            is(conditions::READY).1 == "Held",
            is_held && is_connected,
            "{case}"
        );
        assert_eq!(is(conditions::FINALIZED).1 == "Held", is_held, "{case}");
        assert!(!is_held || !is(conditions::FINALIZED).0, "{case}");
        assert_eq!(
            message.starts_with("nothing is written: "),
            is_held,
            "{case}: {message}"
        );
        // The way out is in the message, and harms nobody.
        let hash = synced.assessed.as_ref().unwrap().1.plan.hash();
        assert_eq!(is_held, is_held && message.contains(&hash), "{case}: {message}");
        assert!(!message.contains("to Ignore"), "{case}: {message}");
        assert_eq!(why == "WithinGuard", synced.verdict.breaches.is_empty(), "{case}");
        assert_eq!(
            is(conditions::READY).0,
            matches!(status.phase, Some(Phase::Review | Phase::InSync)),
            "{case}"
        );
    }
}

#[test]
fn objects_that_are_not_used_are_counted_and_named() {
    let example = Example::jane();
    let object = |name: &str, why| Unusable {
        name: name.into(),
        why,
        employees: vec![],
    };
    let misnamed = |count: usize| (1..=count).map(|n| object(&format!("m{n}"), WhyUnusable::WrongName));
    let unreadable = || object("u1", WhyUnusable::Unreadable("unknown variant".into()));
    for (unusable, reason, parts) in [
        (
            misnamed(1).collect(),
            "WrongName",
            "people: 1 with the wrong name: m1.",
        ),
        (
            misnamed(5).collect(),
            "WrongName",
            "5 with the wrong name: m1, m2, m3 and 2 more.",
        ),
        (
            misnamed(1).chain([unreadable()]).collect::<Vec<_>>(),
            "Unreadable",
            "1 that this version of the operator cannot read: u1; 1 with the wrong name: m1.",
        ),
    ] {
        let mut synced = Synced::of(&example);
        let clean = synced.status(&OktaIntegrationStatus::default(), &example);
        assert_eq!(
            conditions_of(&clean, &["MatchesUnusable"]),
            ["MatchesUnusable is absent"]
        );
        synced.unusable = unusable;
        let status = synced.status(&clean, &example);
        let condition = find(&status.conditions, conditions::MATCHES_UNUSABLE).unwrap();
        assert_eq!(
            (condition.status.as_str(), condition.reason.as_str()),
            ("True", reason)
        );
        assert!(condition.message.contains(parts), "{}", condition.message);
        synced.unusable.clear();
        assert_eq!(
            conditions_of(&synced.status(&status, &example), &["MatchesUnusable"]),
            ["MatchesUnusable is absent"]
        );
    }
}

#[test]
fn members_whom_okta_does_not_show_are_counted_and_named() {
    let mut example = Example::jane();
    example.former_names.insert("x2".into(), "Ann Former".into());
    for (unknown, expected) in [
        (0, None),
        (
            1,
            Some("1 member is not synced, since Okta does not show the record: Okta user x1"),
        ),
        (
            5,
            Some(
                "5 members are not synced, since Okta does not show their records: Okta user x1, Ann Former (Okta user x2), Okta user x3 and 2 more",
            ),
        ),
    ] {
        for n in 1..=unknown {
            example.groups[0].members.insert(format!("x{n}").as_str().into());
        }
        let teams = team_statuses(&example.snapshot(), &example.assess());
        assert_eq!(teams[0].members, 1 + unknown);
        assert_eq!(teams[0].message.as_deref(), expected);
    }
}

#[test]
fn records_that_cannot_be_read_are_counted_and_named() {
    let mut example = Example::jane();
    let mut synced = Synced::of(&example);
    let clean = synced.status(&OktaIntegrationStatus::default(), &example);
    let type_ = conditions::RECORDS_UNREADABLE;
    assert!(find(&clean.conditions, type_).is_none());
    for (kind, id, reason, message) in [
        (
            RecordKind::Team,
            "Sales",
            "InInsightful",
            "1 record cannot be read and is passed over, and nothing is written for the people concerned: Insightful team Sales: name: must be a string. Correct each where it comes from",
        ),
        (
            RecordKind::User,
            "jane",
            "InBothServices",
            "2 records cannot be read and are passed over, and nothing is written for the people concerned: Okta user jane: name: must be a string; Insightful team Sales: ",
        ),
    ] {
        example.unreadable(kind, id);
        synced = Synced::of(&example);
        let status = synced.status(&clean, &example);
        let condition = find(&status.conditions, type_).unwrap();
        assert_eq!(
            (condition.status.as_str(), condition.reason.as_str()),
            ("True", reason)
        );
        assert!(condition.message.starts_with(message), "{}", condition.message);
    }
    for n in 0..20 {
        example.unreadable(RecordKind::Employee, &format!("e{n}"));
    }
    synced = Synced::of(&example);
    let status = synced.status(&clean, &example);
    let message = &find(&status.conditions, type_).unwrap().message;
    assert!(message.contains("; and 12 more. "), "{message}");
}
