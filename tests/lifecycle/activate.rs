//! Activating an integration: the first sync shows proposals and writes nothing to Insightful.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{
    Decision, EmployeeMatch, INTEGRATION_LABEL, MatchState, Phase, ProposalKind, Step, TeamState,
};
use sandbox::{company::Company, okta};
use serde_json::json;

use crate::world::{NAME, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sync_shows_every_person_in_scope_and_writes_nothing() {
    let world = World::in_review(json!({})).await;
    let status = world.status().await;

    let teams: Vec<_> = status
        .teams
        .iter()
        .map(|team| (team.name.as_str(), team.state))
        .collect();
    let expected = [
        ("Data Science", TeamState::New),
        ("Engineering", TeamState::Existing),
        ("Marketing", TeamState::New),
        ("Sales", TeamState::Existing),
        ("Support", TeamState::Existing),
    ];
    assert_eq!(
        teams, expected,
        "team names have no prefix, and groups without it are no teams"
    );

    for (handle, state, reason) in [
        ("jane.doe", MatchState::Proposed, "Proposed"),
        ("mona.idris", MatchState::Proposed, "Proposed"),
        ("maria.garcia", MatchState::Proposed, "Proposed"),
        ("maria.garcia2", MatchState::Proposed, "Proposed"),
        ("grace.hill", MatchState::Proposed, "Proposed"),
        ("peter.both", MatchState::Proposed, "Proposed"),
        ("paula.present", MatchState::Proposed, "Proposed"),
        ("diego.doubtful", MatchState::Review, "SeveralTeams"),
        ("john.smith", MatchState::Review, "NeedsDecision"),
        ("sina.shared", MatchState::Unmatched, "NoEmployee"),
        ("walter.noemail", MatchState::Review, "NeedsDecision"),
        ("nick.newcomer", MatchState::Unmatched, "NoEmployee"),
        ("stan.staged", MatchState::OutOfScope, "NotStarted"),
        ("leo.leaver", MatchState::OutOfScope, "DepartedWithoutEmployee"),
        ("lena.leaver", MatchState::Proposed, "Proposed"),
        ("sam.suspended", MatchState::Proposed, "Proposed"),
        ("iris.lower", MatchState::Proposed, "Proposed"),
        ("ivan.upper", MatchState::Proposed, "Proposed"),
    ] {
        assert_eq!(
            (world.state(handle).await, world.reason(handle).await.as_str()),
            (state, reason),
            "{handle}"
        );
    }
    let matches = world.matches().await;
    for handle in ["nora.nogroup", "nate.vpn"] {
        assert!(
            !matches.contains_key(&world.match_name(handle)),
            "{handle} is in no team group"
        );
    }

    let mona = world.match_status("mona.idris").await;
    let changes: Vec<_> = mona
        .changes
        .iter()
        .map(|change| {
            (
                serde_json::to_value(change.field).unwrap(),
                change.from.as_deref(),
                change.to.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            (json!("title"), None, Some("Data Scientist")),
            (json!("team"), Some("Default"), Some("Data Science")),
        ]
    );
    assert_eq!(mona.proposal.as_ref().unwrap().kind, ProposalKind::Auto);
    assert!(mona.proposal.unwrap().reasons.contains(&"same email".to_owned()));
    let diego = world.match_status("diego.doubtful").await;
    assert_eq!(
        diego.person.unwrap().team.as_deref(),
        Some("Marketing or Support")
    );

    let people = status.people.unwrap();
    let parts = people.matched + people.review + people.unmatched + people.ignored + people.conflicts;
    assert_eq!((people.total, parts + people.out_of_scope), (60, 60));
    assert_eq!(status.plan.unwrap().create_teams, 2);
    assert_eq!(world.writes(), Vec::<String>::new());
    world.wait_for_event("ReviewReady").await;
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_sync_shows_its_progress() {
    let slow = okta::Settings {
        latency: Duration::from_millis(300),
        max_page: Some(5),
        ..okta::Settings::default()
    };
    let world = World::prepared_with(Company::acme(), slow).await;
    world.activate(json!({})).await;
    let integration = world
        .wait_for("progress", |integration| {
            integration
                .status
                .as_ref()
                .is_some_and(|status| status.progress.is_some())
        })
        .await;
    let status = integration.status.unwrap();
    assert_eq!(status.phase, Some(Phase::Syncing));
    assert!(matches!(
        status.progress.unwrap().step,
        Step::ReadingPeople | Step::ReadingMembers | Step::ReadingGroups
    ));
    let status = world.wait_for_phase(Phase::Review).await;
    assert_eq!(status.progress, None);
    assert_eq!(status.people.unwrap().total, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_made_before_activation_takes_effect() {
    let world = World::prepared().await;
    let name = world.match_name("jane.doe");
    let manifest = world.match_manifest("jane.doe", json!({ "decision": "Ignore" }));
    let api = world.api::<EmployeeMatch>();
    api.patch(&name, &PatchParams::apply("flux"), &Patch::Apply(manifest))
        .await
        .unwrap();
    world.activate(json!({})).await;
    world.wait_for_phase(Phase::Review).await;

    assert_eq!(world.state("jane.doe").await, MatchState::Ignored);
    let object = api.get(&name).await.unwrap();
    assert_eq!(object.spec.decision, Decision::Ignore);
    assert_eq!(object.metadata.labels.unwrap()[INTEGRATION_LABEL], NAME);
    assert_eq!(object.metadata.owner_references.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_everyone_includes_people_without_a_team_group() {
    let world = World::in_review(json!({ "okta": { "people": "Everyone" } })).await;
    assert_eq!(world.status().await.people.unwrap().total, 62);
    let nora = world.match_status("nora.nogroup").await;
    assert_eq!(nora.state, Some(MatchState::Proposed));
    assert_eq!(
        nora.person.unwrap().team,
        None,
        "a person without a team group keeps their team"
    );
}
