//! The exposed metrics match the documentation, are valid for Prometheus, and have
//! labels from closed lists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{CHART, promtool::promtool, run::run, scrape::Scrape, world::NAME};

/// The maximum number of series in a scrape with one integration.
const MAX_SERIES: usize = 900;

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_accepts_every_scrape() {
    let run = run().await;
    assert_eq!(
        run.format,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let directory = tempfile::tempdir().unwrap();
    for (minute, (chapter, text)) in run.scrapes.iter().enumerate() {
        // promtool needs a timestamp in each line.
        let timed: String = text
            .lines()
            .map(|line| match line.starts_with('#') {
                true => format!("{line}\n"),
                false => format!("{line} {}\n", 1_700_000_000 + 60 * minute),
            })
            .collect();
        fs::write(directory.path().join("scrape"), timed).unwrap();
        let arguments = ["tsdb", "create-blocks-from", "openmetrics", "scrape", "blocks"];
        let (is_valid, output) = promtool(directory.path(), &arguments).await;
        assert!(is_valid, "{chapter}: {output}");
    }
    // promtool rejects an invalid file.
    fs::write(
        directory.path().join("scrape"),
        "# TYPE a gauge\na{b=} 1 1700000000\n# EOF\n",
    )
    .unwrap();
    let arguments = ["tsdb", "create-blocks-from", "openmetrics", "scrape", "blocks"];
    let (is_valid, output) = promtool(directory.path(), &arguments).await;
    assert!(!is_valid, "{output}");
}

/// Returns type and labels of each metric in `docs/metrics.md`.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = fs::read_to_string(Path::new(CHART).join("docs/metrics.md")).unwrap();
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| `okta_insightful_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split([',', ' ']).filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.trim_matches('`').to_owned()).collect();
        (
            cells[1].trim_matches('`').to_owned(),
            (cells[2].to_owned(), labels),
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_documented_metrics_are_exposed() {
    let run = run().await;
    let mut exposed: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for (chapter, text) in &run.scrapes {
        let scrape = Scrape::read(text);
        for (name, family) in &scrape.families {
            assert!(family.help.len() > 10, "{name} has no help");
            let known = exposed.entry(name.clone()).or_default();
            known.0.clone_from(&family.type_);
        }
        for sample in &scrape.samples {
            let family = scrape.family_of(sample);
            let family = family.unwrap_or_else(|| panic!("{chapter}: {} has no family", sample.series));
            let labels = sample.labels.keys().filter(|label| *label != "le").cloned();
            exposed.get_mut(family).unwrap().1.extend(labels);
        }
    }
    let documented = documented();
    let names = |map: &BTreeMap<String, _>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&exposed), names(&documented));
    for (name, known) in &exposed {
        assert_eq!(known, &documented[name], "{name}: docs/metrics.md differs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_come_from_closed_lists() {
    let run = run().await;
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (chapter, text) in &run.scrapes {
        let scrape = Scrape::read(text);
        assert!(
            scrape.samples.len() < MAX_SERIES,
            "{chapter}: {} series",
            scrape.samples.len()
        );
        for sample in &scrape.samples {
            for (label, value) in &sample.labels {
                values.entry(label.clone()).or_default().insert(value.clone());
            }
        }
    }
    let of = |label: &str| values[label].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("namespace"), [run.namespace.as_str()]);
    assert_eq!(of("integration"), [NAME]);
    assert_eq!(of("version"), [env!("CARGO_PKG_VERSION")]);
    let reasons = crate::CONDITIONS_PAGE.replace(['|', '`', ','], " ");
    let reasons: BTreeSet<&str> = reasons.split_whitespace().collect();
    for reason in of("reason").into_iter().chain(of("type")) {
        assert!(reasons.contains(reason), "{reason} is not in docs/conditions.md");
    }
    for (label, values) in &values {
        let is_free = [
            "namespace",
            "integration",
            "version",
            "reason",
            "type",
            "le",
            "commit",
        ]
        .contains(&label.as_str());
        for value in values {
            let is_word = value
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            assert!(is_free || (is_word && value.len() <= 24), "{label}={value}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_the_run_are_counted() {
    let run = run().await;
    let last = Scrape::read(&run.scrapes.last().unwrap().1);
    let value = |wanted: &str| {
        let found = last
            .samples
            .iter()
            .find(|sample| sample.series == format!("okta_insightful_{wanted}"));
        found.unwrap_or_else(|| panic!("no {wanted}")).value
    };
    for counter in [
        r#"changes_total{kind="create_employee",result="applied"}"#,
        r#"changes_total{kind="create_team",result="applied"}"#,
        r#"changes_total{kind="update_employee",result="applied"}"#,
        r#"changes_total{kind="update_employee",result="failed"}"#,
        r#"changes_total{kind="deactivate_employee",result="applied"}"#,
        r#"applies_total{result="partial"}"#,
        r#"applies_total{result="complete"}"#,
        r#"syncs_total{kind="full",result="failed"}"#,
        r#"syncs_total{kind="decision",result="complete"}"#,
        r#"service_waits_seconds_total{service="okta",cause="backoff"}"#,
        r#"service_calls_total{service="insightful",operation="update_employee",outcome="refused",status="422"}"#,
        r#"step_duration_seconds_count{step="read_okta"}"#,
        r#"step_duration_seconds_count{step="read_insightful"}"#,
        r#"step_duration_seconds_count{step="assess"}"#,
        r#"step_duration_seconds_count{step="write_matches"}"#,
        r#"step_duration_seconds_count{step="apply"}"#,
        "leader",
        "ready",
    ] {
        assert!(value(counter) > 0.0, "{counter}");
    }
    // The first refused call ended the read.
    let refused = last.samples.iter().filter(|sample| {
        let label = |name: &str| sample.labels.get(name).map(String::as_str);
        (label("service"), label("status")) == (Some("okta"), Some("401"))
    });
    assert!(refused.map(|sample| sample.value).sum::<f64>() > 0.0);
    assert_eq!(value("reconciles_in_flight"), 0.0);
    let held = Scrape::read(&run.scrapes[1].1);
    let held: Vec<_> = held
        .samples
        .iter()
        .filter(|sample| sample.name.ends_with("_plan_held"))
        .collect();
    assert_eq!(held[0].value, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_integration_has_no_metrics() {
    let run = run().await;
    assert!(run.after_deletion.contains("okta_insightful_build_info"));
    let integration = format!("integration=\"{NAME}\"");
    assert!(
        !run.after_deletion.contains(&integration),
        "{}",
        run.after_deletion
    );
}
