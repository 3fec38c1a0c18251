//! Each cycle is a trace, and each log line of a cycle has its id.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    collector::{attribute, spans},
    run::run,
    world::NAME,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_is_a_trace_with_its_steps_and_calls() {
    let run = run().await;
    let all: Vec<_> = spans(&run.traces).collect();
    let names: BTreeSet<&str> = all.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "cycle",
        "assess",
        "write_matches",
        "apply",
        "list_users",
        "list_members",
        "list_employees",
        "create_employee",
        "update_employee",
        "deactivate_employee",
    ] {
        assert!(names.contains(name), "no {name} in {names:?}");
    }
    let cycles: Vec<_> = all.iter().filter(|span| span.name == "cycle").collect();
    let mut ids = BTreeSet::new();
    for cycle in &cycles {
        assert_eq!(attribute(cycle, "namespace"), Some(run.namespace.as_str()));
        assert_eq!(attribute(cycle, "integration"), Some(NAME));
        assert!(attribute(cycle, "result").is_some(), "{cycle:?}");
        assert!(
            cycle.parent_span_id.is_empty(),
            "a cycle is the root of its trace"
        );
        ids.insert(attribute(cycle, "cycle").unwrap());
    }
    assert_eq!(ids.len(), cycles.len(), "each cycle has a unique id");
    for call in all.iter().filter(|span| span.name == "update_employee") {
        assert_eq!(attribute(call, "service"), Some("insightful"));
        let cycle = cycles.iter().find(|cycle| cycle.trace_id == call.trace_id);
        assert!(cycle.is_some(), "a call is part of its cycle's trace");
    }
    // The exporter sets the service name.
    let resource = run.traces[0].resource_spans[0].resource.as_ref().unwrap();
    let service = resource
        .attributes
        .iter()
        .find(|attribute| attribute.key == "service.name");
    assert!(
        format!("{service:?}").contains("okta-insightful-operator"),
        "{service:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_log_line_of_a_cycle_has_its_id() {
    let run = run().await;
    let mut in_a_cycle = 0;
    for line in run.info_log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let target = line["target"].as_str().unwrap();
        let stages = ["read", "preview", "apply", "instrument"];
        let is_of_a_cycle = stages
            .iter()
            .any(|stage| target.ends_with(&format!("controller::{stage}")));
        if !is_of_a_cycle {
            continue;
        }
        in_a_cycle += 1;
        let spans = line["spans"].as_array().unwrap();
        let cycle = spans.iter().find(|span| span["name"] == "cycle");
        let cycle = cycle.unwrap_or_else(|| panic!("no cycle: {line}"));
        assert_eq!(cycle["namespace"], run.namespace.as_str());
        assert_eq!(cycle["integration"], NAME);
        assert_eq!(cycle["cycle"].as_str().unwrap().len(), 16, "{line}");
    }
    assert!(in_a_cycle > 10, "{in_a_cycle}");
}
