//! Decisions in files: manifests for Git, and tables.

use std::fs;

use crate::{
    decisions::{BEFORE, wait_until_staged},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn with_git_nothing_is_sent_and_the_file_makes_exactly_these_decisions() {
    let world = World::acme().await;
    let reviewer = world.account("reviewer", "reviewer").await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("decisions.yaml");
    let screen = world
        .screen_with(&reviewer, &["--git", file.to_str().unwrap()])
        .await;
    let page = screen.open().await;
    page.click("#r-00uAda .opener").await;
    page.click("#r-00uAda label[for=c-00uAda-2]").await;
    page.fill("#o-00uAda", "see \"the list\": yes # really").await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    page.click("#r-00uBen button:text(Match)").await;
    wait_until_staged(&page, "00uBen").await;
    page.wait_until_open("00uCleo").await;
    page.press(&["x"]).await;
    wait_until_staged(&page, "00uCleo").await;
    assert!(!file.exists());
    page.click("#staged button:text(Write)").await;
    page.wait_for_notice(&format!("3 decisions written to {}.", file.display()))
        .await;

    // Later ones are added, and one that is undone is removed.
    page.wait_until_open("00uDan").await;
    page.press(&["i"]).await;
    page.wait_for_text("#staged", "1 not saved").await;
    page.click("#staged button:text(Write)").await;
    page.wait_for_notice("1 decision written").await;
    page.goto(&screen.url("/unsaved")).await;
    page.follow("form:has([value='00uBen']) button").await;
    page.wait_for_notice("Ben Brown: the decision is removed from the file.")
        .await;
    assert_eq!(world.decisions().await, BEFORE, "nothing is sent");
    page.assert_sound().await;

    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("00uBen"), "{text}");
    for _ in 0..2 {
        world
            .plane
            .kubectl_as(&reviewer.kubeconfig, &["apply", "-f", file.to_str().unwrap()])
            .await
            .unwrap();
    }
    let mut expected = vec![
        "00uAda Match wAdam; \"see \\\"the list\\\": yes # really\"",
        "00uCleo Auto; not wCleo",
        "00uDan Ignore",
    ];
    expected.extend(BEFORE);
    assert_eq!(world.decisions().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_loses_no_decision() {
    let world = World::acme().await;
    let reviewer = world.account("reviewer", "reviewer").await;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("decisions");
    fs::create_dir(&place).unwrap();
    let file = place.join("decisions.yaml");
    let screen = world
        .screen_with(&reviewer, &["--git", file.to_str().unwrap()])
        .await;
    let page = screen.open().await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    fs::remove_dir(&place).unwrap();
    page.click("#staged button:text(Write)").await;
    page.wait_for_notice("cannot write").await;
    page.goto(&screen.url("/unsaved")).await;
    page.wait_for_text("#staged", "1 not saved").await;
    fs::create_dir(&place).unwrap();
    page.click("#staged button:text(Write)").await;
    page.wait_for_notice("1 decision written").await;
    assert!(fs::read_to_string(&file).unwrap().contains("wAda"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_exported_filled_in_and_imported() {
    let world = World::acme().await;
    let (_, screen, page) = world.review().await;
    page.fill("#text", "a").await;
    page.follow("button:text(Filter)").await;
    let table: String = page
        .eval("fetch(document.querySelector('a[download]').href).then((answer) => answer.text())")
        .await;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let place = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let shown = page.texts(".row h3").await;
    let exported: Vec<&str> = rows.iter().map(|row| &row[place("person")]).collect();
    assert_eq!(exported, shown, "the table is the list that is shown");

    // Filled in, as in a spreadsheet.
    let filled = |decision: &str| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&columns).unwrap();
        for row in &rows {
            let mut row: Vec<String> = row.iter().map(str::to_owned).collect();
            match row[place("okta_user_id")].as_str() {
                "00uAda" => {
                    row[place("decision")] = decision.to_owned();
                    row[place("employee_ids")] = "wAlan".to_owned();
                }
                "00uDan" => row[place("decision")] = "ignore".to_owned(),
                _ => {}
            }
            writer.write_record(&row).unwrap();
        }
        writer.into_inner().unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    let import = async |name: &str, content: &[u8]| {
        let file = directory.path().join(name);
        fs::write(&file, content).unwrap();
        page.goto(&screen.url("/import")).await;
        page.choose_file("#table", &file).await;
        page.follow("button:text(Stage its decisions)").await;
    };
    import("wrong.csv", &filled("Perhaps")).await;
    page.wait_for_text("[role=alert]", "Perhaps is not a decision")
        .await;
    page.wait_for_text("#staged", "Everything is saved").await;
    import(
        "latin.csv",
        b"okta_user_id,decision,employee_ids,note\n00uAda,Ignore,,Ren\xe9e\n",
    )
    .await;
    page.wait_for_text("[role=alert]", "The file is not UTF-8").await;
    import("unchanged.csv", table.as_bytes()).await;
    page.wait_for_notice("The table changes no decision.").await;
    import("right.csv", &filled("Match")).await;
    page.wait_for_notice("2 decisions of the table staged.").await;
    assert_eq!(world.decisions().await, BEFORE, "nothing is sent before Save");
    page.click("#staged button.main").await;
    page.wait_for_notice("2 decisions saved.").await;
    assert_eq!(world.decision("00uAda").await, "Match wAlan");
    assert_eq!(world.decision("00uDan").await, "Ignore");
    page.assert_sound().await;
}
