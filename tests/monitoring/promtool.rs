//! promtool: Prometheus' parser, engine and rules without a server.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use sandbox::control_plane::{Program, provide};
use serde_json::json;

use crate::scrape::Scrape;

/// Runs promtool in a directory. Returns whether it succeeded, and its output.
pub async fn promtool(directory: &Path, arguments: &[&str]) -> (bool, String) {
    provide(&[Program::Promtool]).await.unwrap();
    let output = Command::new(Program::Promtool.path().unwrap())
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), text.concat())
}

/// Evaluates queries over these scrapes, as if made one minute apart, at the time
/// of the last. Returns labels and value of each sample.
pub async fn evaluate(scrapes: &[Scrape], queries: &[String]) -> Vec<Vec<(String, f64)>> {
    let mut series: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (minute, scrape) in scrapes.iter().enumerate() {
        for sample in &scrape.samples {
            let values = series.entry(&sample.series).or_default();
            values.resize(minute, "_".to_owned());
            values.push(sample.value.to_string());
        }
        // A series that is gone becomes stale.
        for values in series.values_mut() {
            values.resize(minute + 1, "stale".to_owned());
        }
    }
    let last = scrapes.len() - 1;
    let input: Vec<_> = series
        .into_iter()
        .map(|(series, values)| json!({ "series": series, "values": values.join(" ") }))
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let mut results = Vec::new();
    for query in queries {
        // A test that expects no samples makes promtool print those that exist.
        let test = json!({
            "evaluation_interval": "1m",
            "tests": [{
                "interval": "1m",
                "input_series": input,
                "promql_expr_test": [{ "expr": query, "eval_time": format!("{last}m"), "exp_samples": [] }],
            }],
        });
        fs::write(directory.path().join("test.yaml"), test.to_string()).unwrap();
        let (is_empty, output) = promtool(directory.path(), &["test", "rules", "test.yaml"]).await;
        let got = output.split_once("got:");
        assert!(is_empty || got.is_some(), "{query}: {output}");
        results.push(got.map(|(_, got)| samples(got)).unwrap_or_default());
    }
    results
}

/// Parses samples as printed by promtool, such as `{a="b"} 4E+00, {a="c"} 5E+00`.
fn samples(text: &str) -> Vec<(String, f64)> {
    let line = text.lines().next().unwrap_or_default();
    let parts = line.split('{').skip(1);
    parts
        .map(|part| {
            let (labels, value) = part.rsplit_once("} ").unwrap();
            let value = value.trim().trim_end_matches(',');
            (format!("{{{labels}}}"), value.parse().unwrap())
        })
        .collect()
}
