//! Types `backup.md`: saves an integration, restores it in a new cluster, and continues there.

use std::time::Duration;

use okta_insightful_operator::api::{MatchState, Phase, TeamStatus, conditions};
use sandbox::control_plane::{ControlPlane, Options};
use serde_json::json;

use crate::{
    commands::Desk,
    pages::{DOCS, commands, page, section},
    world::{World, install_chart, run_command, spawn},
};

/// Types the commands of one section.
fn type_section(desk: &Desk<'_>, title: &str) -> Vec<String> {
    let path = format!("{DOCS}/backup.md");
    let commands = commands(section(&page(&path), title)).into_iter();
    let outputs: Vec<_> = commands
        .map(|command| tokio::task::block_in_place(|| desk.type_in(&path, &command)))
        .collect();
    assert!(!outputs.is_empty(), "{title}");
    outputs
}

/// Moves to an empty cluster with the operator installed, where both services are the same as before.
async fn new_cluster(old: World) -> World {
    let plane: &'static ControlPlane =
        Box::leak(Box::new(ControlPlane::start(&Options::default()).await.unwrap()));
    let kubeconfig = install_chart(plane).await;
    let program = env!("CARGO_BIN_EXE_okta-insightful-operator");
    let port = crate::world::free_port();
    let mut run = run_command(old.plane, program.as_ref(), &[&old.namespace], port).await;
    run.env("KUBECONFIG", kubeconfig);
    World {
        client: plane.admin_client().await.unwrap(),
        operator: Some(spawn(plane, &run)),
        plane,
        ..old
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_moves_to_a_new_cluster_with_its_decisions_and_previous_values() {
    let mut world = World::in_sync().await;
    let ignored = json!({ "decision": "Ignore", "employeeIds": [], "note": "an agency's" });
    world.decide("chen.xiu", ignored).await;
    world.wait_for_state("chen.xiu", MatchState::Ignored).await;
    world.sync().await;
    let liz = world.company.employee("elizabeth.taylor").to_owned();
    let teams = world.status().await.teams;
    let saved = world.matches().await;
    assert_eq!(
        world.insightful.snapshot().employee(&liz)["name"],
        "Elizabeth Taylor"
    );

    let old_desk = Desk::new(&world);
    old_desk.log_in_as("admin").await;
    type_section(&old_desk, "Save");
    type_section(&old_desk, "Stop the old cluster");
    let backup = old_desk.read("backup.yaml");
    drop(old_desk);
    assert!(backup.contains("ownerReferences:") && backup.contains("suspend: true"));
    assert_eq!(world.status().await.phase, Some(Phase::Suspended));

    // While nobody reads Okta, somebody is promoted.
    world
        .okta
        .edit(|org| org.set_title("amir.haddad", Some("Captain")));
    world.insightful.journal().clear();
    let old_operator = world.operator.take();
    let world = new_cluster(world).await;
    let mut desk = Desk::new(&world);
    desk.write("backup.yaml", &backup);
    type_section(&desk, "Restore");

    let message = world
        .wait_for_condition(conditions::HELD, "True", "NotReviewed")
        .await;
    assert!(message.contains("or restored"), "{message}");
    world.wait_for_phase(Phase::Held).await;
    world.sync().await;
    assert_eq!(world.writes(), Vec::<String>::new(), "nobody has looked yet");
    let restored = world.matches().await;
    assert_eq!(restored.len(), saved.len());
    for (name, restored) in &restored {
        let saved = &saved[name];
        assert_eq!(restored.spec, saved.spec, "{name}");
        let (restored, saved) = (restored.status.as_ref(), saved.status.as_ref());
        assert_eq!(
            restored.and_then(|status| status.applied.as_ref()),
            saved.and_then(|status| status.applied.as_ref()),
            "{name}"
        );
    }
    let ids = |teams: &[TeamStatus]| {
        let ids = teams
            .iter()
            .map(|team| (team.group_id.clone(), team.team_id.clone()));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&world.status().await.teams), ids(&teams));

    let finish = commands(&page(&format!("{DOCS}/finish.md")));
    let approve = finish
        .iter()
        .find(|command| command.contains("approvedPlan"))
        .unwrap();
    tokio::task::block_in_place(|| desk.type_in("finish.md", approve));
    world.wait_for_phase(Phase::InSync).await;
    let amir = world.company.employee("amir.haddad").to_owned();
    assert_eq!(world.writes(), [format!("PUT /api/v1/employee/{amir} 200")]);

    // An undo in the new cluster restores what was replaced in the old one, and leaves nothing of it in the status.
    desk.name = world.match_name("elizabeth.taylor");
    let undo = commands(&page(&format!("{DOCS}/undo.md")));
    let ignore = undo.iter().find(|command| command.contains("Ignore")).unwrap();
    tokio::task::block_in_place(|| desk.type_in("undo.md", ignore));
    world.wait_until_unmatched("elizabeth.taylor").await;
    assert_eq!(world.insightful.snapshot().employee(&liz)["name"], "Liz Taylor");

    world.idle_sync_writes_nothing().await;
    // The garbage collector has had the time to look for the old integration.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.matches().await.len(), saved.len());
    drop(old_operator);
}
