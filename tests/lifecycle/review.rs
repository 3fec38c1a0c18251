//! Review: decisions show their effect within seconds and without calls to Okta.

use okta_insightful_operator::api::{Field, MatchState, Phase, conditions, match_name};
use sandbox::{company::Company, okta};
use serde_json::json;

use crate::world::{NAME, World, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_shows_its_effect_without_calls_to_okta() {
    let world = World::in_review(json!({})).await;
    let plan = world.status().await.plan.unwrap();
    world.okta.journal().clear();
    world.insightful.journal().clear();

    let anna = world.company.employee("anna.becker").to_owned();
    world.decide_match("anna.becker", &[&anna]).await;
    let status = world.wait_for_state("anna.becker", MatchState::Proposed).await;
    let fields: Vec<Field> = status.changes.iter().map(|change| change.field).collect();
    assert_eq!(fields, [Field::Name, Field::Email, Field::Title]);
    assert_eq!(status.employee.unwrap().name, "Anna Becker");

    world
        .decide("nick.newcomer", json!({ "decision": "Create" }))
        .await;
    world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
    assert_eq!(world.reason("nick.newcomer").await, "CreationPlanned");

    world.decide("jane.doe", json!({ "decision": "Ignore" })).await;
    let status = world.wait_for_state("jane.doe", MatchState::Ignored).await;
    assert!(status.changes.is_empty());

    let integration = world
        .wait_for("the new plan", |integration| {
            let status = integration.status.as_ref().and_then(|status| status.plan.clone());
            status.is_some_and(|now| {
                now.create_employees == 1 && now.email_changes == 1 && now.updates == plan.updates
            })
        })
        .await;
    let changed = integration.status.unwrap().plan.unwrap();
    assert_ne!(changed.hash, plan.hash, "another plan has another hash");
    assert_eq!(
        changed.updates, plan.updates,
        "one update is added by Match and one removed by Ignore"
    );
    assert_eq!(world.okta.journal().entries().len(), 0, "no calls to Okta");
    assert_eq!(world.writes(), Vec::<String>::new());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_employee_is_not_proposed_again() {
    let world = World::in_review(json!({})).await;
    let jane = world.company.employee("jane.doe").to_owned();
    world
        .decide("jane.doe", json!({ "rejectedEmployeeIds": [jane] }))
        .await;
    let status = world.wait_for_state("jane.doe", MatchState::Unmatched).await;
    let proposal = status.proposal.unwrap();
    assert!(
        !proposal
            .candidates
            .iter()
            .any(|candidate| candidate.employee_id == jane),
        "{proposal:?}"
    );
    world.sync().await;
    assert_eq!(world.state("jane.doe").await, MatchState::Unmatched);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_claim_one_employee_are_in_conflict_and_not_written() {
    let world = World::in_review(open_guard()).await;
    let john = world.company.employee("john.smith").to_owned();
    for handle in ["john.smith", "john.smith2"] {
        world.decide_match(handle, &[&john]).await;
    }
    world.wait_for_state("john.smith", MatchState::Conflict).await;
    world.wait_for_state("john.smith2", MatchState::Conflict).await;
    assert_eq!(world.reason("john.smith").await, "EmployeeClaimedTwice");
    world
        .wait_for("the count of conflicts", |integration| {
            integration
                .status
                .as_ref()
                .and_then(|status| status.people)
                .is_some_and(|people| people.conflicts == 2)
        })
        .await;

    world.finalize().await;
    let writes = world.insightful.journal().writes();
    assert!(
        !writes.iter().any(|entry| entry.path.contains(&john)),
        "{writes:?}"
    );

    world
        .decide("john.smith2", json!({ "decision": "Ignore", "employeeIds": [] }))
        .await;
    world.wait_for_state("john.smith", MatchState::Matched).await;
    assert_eq!(
        world.insightful.snapshot().employee(&john)["email"],
        "john.smith@acme.com"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_for_an_unknown_employee_is_reported() {
    let world = World::in_review(json!({})).await;
    world.decide_match("jane.doe", &["wnosuchemployee"]).await;
    world
        .wait_for_match("jane.doe", "EmployeeNotFound", |status| {
            conditions::find(&status.conditions, conditions::READY)
                .is_some_and(|ready| ready.status == "False" && ready.reason == "EmployeeNotFound")
        })
        .await;
    assert!(world.match_status("jane.doe").await.changes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explicit_decision_outranks_a_proposal() {
    let world = World::in_review(json!({})).await;
    let jane = world.company.employee("jane.doe").to_owned();
    world.decide_match("nick.newcomer", &[&jane]).await;
    world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
    let status = world.wait_for_state("jane.doe", MatchState::Unmatched).await;
    assert_eq!(world.reason("jane.doe").await, "MatchedWithAnother");
    let proposal = status.proposal.unwrap();
    assert_eq!(
        proposal.employee_ids,
        Vec::<String>::new(),
        "the employee is taken"
    );
    let taken = &proposal.candidates[0];
    assert_eq!(taken.employee_id, jane);
    assert_eq!(taken.matched_to.as_deref(), Some("Nick Turner"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_record_of_a_person_is_left_as_it_is() {
    let world = World::prepared().await;
    let copy = world.insightful.edit(|account| {
        let copy = account.add_employee("Jane Doe", "jane.first@acme.com", "Sales");
        account.deactivate(&copy);
        copy
    });
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    let status = world.wait_for_state("jane.doe", MatchState::Proposed).await;
    let proposal = status.proposal.unwrap();
    assert_eq!(proposal.employee_ids, [world.company.employee("jane.doe")]);
    let named = format!("a deactivated record of the same name ({copy}) is left as it is");
    assert!(proposal.reasons.contains(&named), "{:?}", proposal.reasons);
    world.okta.edit(|org| org.set_status("jane.doe", "DEPROVISIONED"));
    world.sync().await;
    world.finalize().await;
    assert_eq!(world.state("jane.doe").await, MatchState::Deactivated);
    let account = world.insightful.snapshot();
    assert!(account.employee(world.company.employee("jane.doe"))["deactivated"].as_i64() > Some(0));
    let writes = world.insightful.journal().writes();
    assert!(
        !writes.iter().any(|entry| entry.path.contains(&copy)),
        "{writes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_invited_who_may_have_the_employee_of_somebody_out_of_scope() {
    let mut spec = open_guard();
    spec["matching"] = json!({ "unmatched": "Create" });
    let world = World::in_review(spec).await;
    world.finalize().await;
    let employees = world.insightful.snapshot().employees().count();
    world.okta.edit(|org| {
        for group in org.groups_of("jane.doe") {
            org.remove_member(&group, "jane.doe");
        }
        org.add_user("jane.doe.new", "Jane", "Doe");
        org.add_member("OKTA_INSGRP_Engineering", "jane.doe.new");
    });
    world.sync().await;
    assert_eq!(world.state("jane.doe").await, MatchState::OutOfScope);
    let status = world.wait_for_state("jane.doe.new", MatchState::Review).await;
    let proposal = status.proposal.unwrap();
    assert_eq!(
        proposal.employee_ids,
        [world.company.employee("jane.doe")],
        "{proposal:#?}"
    );
    assert_eq!(proposal.candidates[0].matched_to.as_deref(), Some("Jane Doe"));
    assert_eq!(world.insightful.snapshot().employees().count(), employees);
}

#[tokio::test(flavor = "multi_thread")]
async fn precedence_resolves_an_ambiguous_team() {
    let world = World::in_review(json!({})).await;
    assert_eq!(world.state("diego.doubtful").await, MatchState::Review);
    world
        .patch(json!({ "teams": { "precedence": ["Engineering", "Sales", "Marketing"] } }))
        .await;
    let status = world.wait_for_state("diego.doubtful", MatchState::Proposed).await;
    assert_eq!(status.person.unwrap().team.as_deref(), Some("Marketing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_automatic_matching_every_proposal_needs_a_decision() {
    let world = World::in_review(json!({ "matching": { "automatic": false } })).await;
    assert_eq!(world.state("jane.doe").await, MatchState::Review);
    let plan = world.status().await.plan.unwrap();
    assert_eq!((plan.updates, plan.deactivations), (0, 0));
    assert_eq!(
        world.wait_for_phase(Phase::Review).await.people.unwrap().matched,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn field_selectors_list_matches_by_state_email_and_decision() {
    let world = World::in_review(json!({})).await;
    let count = async |selector: &str| {
        let namespace = world.namespace.as_str();
        let arguments = [
            "get",
            "em",
            "-n",
            namespace,
            "--field-selector",
            selector,
            "-o",
            "name",
        ];
        world.plane.kubectl(&arguments).await.unwrap().lines().count()
    };
    let people = world.status().await.people.unwrap();
    assert_eq!(
        count("status.state=Review").await,
        usize::try_from(people.review).unwrap()
    );
    assert_eq!(count("status.person.email=jane.doe@acme.com").await, 1);
    assert_eq!(count("spec.decision=Auto").await, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_from_a_recording_equals_the_plan_in_the_cluster() {
    let world = World::in_review(open_guard()).await;
    let nick = json!({ "decision": "Create" });
    world.decide("nick.newcomer", nick).await;
    world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
    for phase in [Phase::Review, Phase::InSync] {
        if phase == Phase::InSync {
            world.finalize().await;
            world
                .okta
                .edit(|org| org.set_title("jane.doe", Some("Principal Engineer")));
            world.patch(json!({ "finalized": false })).await;
            world.wait_for_phase(Phase::Review).await;
        }
        let expected = world.sync().await;
        let recording = tempfile::TempDir::new().unwrap();
        let out = recording.path().join("recording");
        let out = out.to_str().unwrap();
        let cluster = format!("{}/{NAME}", world.namespace);
        world
            .run_cli(&[
                "record",
                "--cluster",
                &cluster,
                "--allow-http-loopback",
                "--out",
                out,
            ])
            .await;
        let report = world.run_cli(&["plan", "--from", out, "-o", "json"]).await;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["summary"], serde_json::to_value(expected.plan).unwrap());
        assert_eq!(report["teams"], serde_json::to_value(expected.teams).unwrap());
        let matches = world.matches().await;
        assert_eq!(report["people"].as_array().unwrap().len(), matches.len());
        for person in report["people"].as_array().unwrap() {
            let id = person["oktaUserId"].as_str().unwrap();
            let status = matches[&match_name(NAME, id)].status.clone().unwrap();
            assert_eq!(
                person["state"],
                serde_json::to_value(status.state).unwrap(),
                "{id}"
            );
            assert_eq!(
                person["changes"],
                serde_json::to_value(status.changes).unwrap(),
                "{id}"
            );
            let proposal = status.proposal.unwrap();
            assert_eq!(
                person["proposal"]["kind"],
                serde_json::to_value(proposal.kind).unwrap(),
                "{id}"
            );
            assert_eq!(
                person["proposal"]["employeeIds"],
                json!(proposal.employee_ids),
                "{id}"
            );
            assert_eq!(person["proposal"]["reasons"], json!(proposal.reasons), "{id}");
            let confidence = person["proposal"]["confidence"].as_f64();
            let percent = confidence.map(|confidence| ((confidence * 10_000.0).round() / 100.0).floor());
            assert_eq!(percent, proposal.confidence.map(f64::from), "{id}");
        }
    }
}

/// A name is data in the status, which the API server has to take, and text in a message and in the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_control_characters_is_kept_in_the_status_and_shown_as_codes_in_messages() {
    const NAME: &str = "Anna\n\u{1b}[2J\u{0}\u{9b}31m\u{202e}Becker \u{2028}علی\u{200c}رضا";
    let mut company = Company::acme();
    let anna = company.employee("anna.becker").to_owned();
    let mut employees = company.employees.iter_mut();
    employees
        .find(|employee| employee["id"] == anna.as_str())
        .unwrap()["name"] = json!(NAME);
    let world = World::prepared_with(company, okta::Settings::default()).await;
    world.activate(json!({})).await;
    world.wait_for_phase(Phase::Review).await;

    for who in ["anna.becker", "nick.newcomer"] {
        world.decide_match(who, &[&anna]).await;
    }
    for who in ["anna.becker", "nick.newcomer"] {
        let status = world.wait_for_state(who, MatchState::Conflict).await;
        let shown = status.employee.expect("the one that the decision names");
        assert_eq!((shown.id.as_str(), shown.name.as_str()), (anna.as_str(), NAME));
        let message = &conditions::find(&status.conditions, conditions::READY)
            .unwrap()
            .message;
        let escaped = r"Anna\u{a}\u{1b}[2J\u{0}\u{9b}31m\u{202e}Becker \u{2028}";
        assert!(message.contains(&format!("{escaped}علی\u{200c}رضا")), "{message}");
    }
    let log = world.log_of(world.operator.as_ref().unwrap());
    assert!(!log.contains(['\u{1b}', '\u{9b}', '\u{202e}']));
    world.idle_sync_writes_nothing().await;
}
