//! Activate and sync: nothing is written to Insightful, everything is shown.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{
    Decision, EmployeeMatch, INTEGRATION_LABEL, MatchState, Phase, ProposalKind, Step, TeamState, match_name,
};
use sandbox::{company::Company, okta};
use serde_json::json;

use crate::world::{NAME, World};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_in_scope_is_shown_and_nothing_is_written() {
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
        "the prefix is never visible, and other groups are no teams"
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
    for outside in ["nora.nogroup", "nate.vpn"] {
        assert!(
            !matches.contains_key(&world.match_name(outside)),
            "{outside} is in no team group"
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
async fn progress_is_visible_while_it_takes_long() {
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
async fn a_decision_made_in_git_before_the_activation_counts() {
    let world = World::prepared().await;
    let id = world.okta.snapshot().user_id("jane.doe");
    let name = match_name(NAME, &id);
    let manifest = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "EmployeeMatch",
        "metadata": { "name": name },
        "spec": { "integrationRef": { "name": NAME }, "oktaUserId": id, "decision": "Ignore" },
    });
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
async fn everyone_can_be_in_scope() {
    let world = World::in_review(json!({ "okta": { "people": "Everyone" } })).await;
    assert_eq!(world.status().await.people.unwrap().total, 62);
    let nora = world.match_status("nora.nogroup").await;
    assert_eq!(nora.state, Some(MatchState::Proposed));
    assert_eq!(
        nora.person.unwrap().team,
        None,
        "without a team group the team stays what it is"
    );
}
