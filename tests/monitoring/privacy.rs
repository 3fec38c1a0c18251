//! No secret appears anywhere, and no person in info logs, metrics and traces.

use crate::run::run;

/// Returns the words that the text contains, ignoring case.
fn found<'a>(words: &'a [String], text: &str) -> Vec<&'a str> {
    let text = text.to_lowercase();
    let words = words.iter().map(String::as_str);
    words.filter(|word| text.contains(&word.to_lowercase())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_log_event_status_metric_or_trace() {
    let run = run().await;
    assert_eq!(run.secrets.len(), 6);
    let traces = format!("{:?}", run.traces);
    let metrics: String = run.scrapes.iter().map(|(_, text)| text.as_str()).collect();
    for (place, text, at_least) in [
        ("info log", &run.info_log, 5_000),
        ("debug log", &run.debug_log, 50_000),
        ("events", &run.events, 5_000),
        ("statuses", &run.statuses, 50_000),
        ("metrics", &metrics, 50_000),
        ("traces", &traces, 20_000),
    ] {
        assert!(text.len() > at_least, "{place} has only {} bytes", text.len());
        assert_eq!(found(&run.secrets, text), Vec::<&str>::new(), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_person_is_in_the_info_log_a_metric_or_a_trace() {
    let run = run().await;
    assert!(run.people.len() > 150, "{}", run.people.len());
    // The search finds people where they may appear.
    assert!(found(&run.people, &run.statuses).len() > 100);
    assert!(!found(&run.people, &run.events).is_empty());
    let traces = format!("{:?}", run.traces);
    for (place, text) in [("info log", &run.info_log), ("traces", &traces)] {
        assert_eq!(found(&run.people, text), Vec::<&str>::new(), "{place}");
    }
    for (chapter, text) in &run.scrapes {
        assert_eq!(found(&run.people, text), Vec::<&str>::new(), "metrics: {chapter}");
    }
}
