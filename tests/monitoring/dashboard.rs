//! The dashboard: each panel shows data of a real run, evaluated by Prometheus'
//! engine. `cargo test --test monitoring panels -- --nocapture` prints it.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::{CHART, promtool::evaluate, run::run, scrape::Scrape, world::NAME};

fn dashboard() -> Value {
    let text = fs::read_to_string(Path::new(CHART).join("files/monitoring/dashboard.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Selects the pods of the releases that the variable `release` has: `*-<ReplicaSet>-<pod>`, or `*-<pod>` if the name is
/// long. Without the label `pod`, releases cannot be distinguished.
const OF_RELEASE: &str = r#"{pod=~"$release-[a-z0-9]+(-[a-z0-9]+)?|""#;

/// Returns all panels except rows, with their queries.
fn panels(dashboard: &Value) -> Vec<(&str, Vec<&str>)> {
    let all = dashboard["panels"].as_array().unwrap().iter();
    let panels = all.filter(|panel| panel["type"] != "row");
    panels
        .map(|panel| {
            let targets = panel["targets"].as_array().unwrap().iter();
            let queries = targets.map(|target| target["expr"].as_str().unwrap()).collect();
            (panel["title"].as_str().unwrap(), queries)
        })
        .collect()
}

/// Fills in Grafana's variables and the time.
fn filled_in(query: &str, moment: i64) -> String {
    query
        .replace("time()", &moment.to_string())
        .replace("$__rate_interval", "30m")
        .replace("$release", ".*")
        .replace("$namespace", ".*")
        .replace("$integration", ".*")
}

#[tokio::test(flavor = "multi_thread")]
async fn all_panels_show_data_of_a_real_run() {
    let run = run().await;
    let dashboard = dashboard();
    let panels = panels(&dashboard);
    let queries: Vec<&str> = panels.iter().flat_map(|(_, queries)| queries.clone()).collect();
    assert!(
        queries.iter().all(|query| !filled_in(query, 0).contains('$')),
        "{queries:?}"
    );
    let scrapes: Vec<Scrape> = run.scrapes.iter().map(|(_, text)| Scrape::read(text)).collect();
    // Failures and plans only exist after some of the chapters: each query has to
    // show data after at least one.
    let mut shown: Vec<Vec<(String, f64)>> = vec![Vec::new(); queries.len()];
    let mut chapters = vec![""; queries.len()];
    for last in (0..scrapes.len()).rev() {
        let open: Vec<usize> = (0..queries.len())
            .filter(|index| shown[*index].is_empty())
            .collect();
        let asked: Vec<String> = open
            .iter()
            .map(|index| filled_in(queries[*index], run.moments[last]))
            .collect();
        for (index, samples) in open.into_iter().zip(evaluate(&scrapes[..=last], &asked).await) {
            shown[index] = samples;
            chapters[index] = run.scrapes[last].0;
        }
    }
    let mut index = 0;
    for (title, queries) in &panels {
        println!("\n{title}");
        for query in queries {
            assert!(!shown[index].is_empty(), "{title} shows nothing: {query}");
            println!("  after “{}”:", chapters[index]);
            for (labels, value) in &shown[index] {
                let labels = labels.replace(&run.namespace, "people");
                println!("    {labels} {}", (value * 1000.0).round() / 1000.0);
            }
            index += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_on_the_dashboard_or_in_an_alert() {
    let run = run().await;
    let dashboard = dashboard().to_string();
    let alerts = fs::read_to_string(Path::new(CHART).join("files/monitoring/alerts.yaml")).unwrap();
    let scrape = Scrape::read(&run.scrapes[0].1);
    let unused: BTreeSet<&str> = scrape
        .families
        .keys()
        .map(String::as_str)
        .filter(|name| !dashboard.contains(*name) && !alerts.contains(*name))
        .collect();
    // For ad-hoc queries.
    let for_queries = [
        "okta_insightful_applies",
        "okta_insightful_integration_finalized",
        "okta_insightful_integration_last_apply_timestamp_seconds",
        "okta_insightful_integration_teams",
        "okta_insightful_reconcile_duration_seconds",
        "okta_insightful_sync_duration_seconds",
        "okta_insightful_tasks",
    ];
    assert_eq!(unused, BTreeSet::from(for_queries));
}

#[test]
fn panels_do_not_overlap_and_filter_by_namespace_and_integration() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let at = |field: &str| panel["gridPos"][field].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies over another", panel["title"]);
            }
        }
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().unwrap().len() > 10, "{panel}");
        }
    }
    let text = dashboard.to_string();
    for query in panels(&dashboard).into_iter().flat_map(|(_, queries)| queries) {
        if query.contains("okta_insightful_integration_") || query.contains("rate_limit") {
            assert!(
                query.contains("$namespace") && query.contains("$integration"),
                "{query}"
            );
        }
    }
    for query in panels(&dashboard).into_iter().flat_map(|(_, queries)| queries) {
        let series = query.matches("okta_insightful_").count();
        assert_eq!(query.matches(OF_RELEASE).count(), series, "{query}");
    }
    assert!(!text.contains(NAME), "no integration is hard-coded");
}

/// Two releases in one Prometheus, the name of one the beginning of the other's.
#[tokio::test(flavor = "multi_thread")]
async fn a_panel_shows_the_selected_release_only() {
    let scrape = [
        ("operator-7c9f8b6d5-x2k4q", 1),
        ("operator-two-6b5d9c8f7-m8w3p", 2),
    ]
    .map(|(pod, leaders)| format!("okta_insightful_leader{{pod=\"{pod}\"}} {leaders}\n"))
    .concat();
    let scrape = Scrape::read(&format!("# TYPE okta_insightful_leader gauge\n{scrape}# EOF\n"));
    let query = format!("sum(okta_insightful_leader{OF_RELEASE}}})");
    let selected = ["operator", "operator-two", "(operator|operator-two)", ".*"];
    let queries = selected.map(|release| query.replace("$release", release));
    let shown = evaluate(&[scrape], &queries).await;
    let shown: Vec<f64> = shown.iter().map(|samples| samples[0].1).collect();
    assert_eq!(shown, [1.0, 2.0, 3.0, 3.0]);
}
