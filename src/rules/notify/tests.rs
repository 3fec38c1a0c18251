//! Tables of statuses, the notices that are due, and what is remembered of them.

use serde_json::json;

use super::*;
use crate::rules::example::Example;

const HASH: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const ABOUT: About<'_> = About {
    namespace: "people",
    name: "acme",
    uid: "0b6e7c1e",
};

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

/// A spec with a webhook for these events; all if there are none. The interval is 15 minutes.
fn spec(events: &[&str]) -> OktaIntegrationSpec {
    let mut webhook = json!({ "urlSecretRef": { "name": "chat", "key": "url" } });
    if !events.is_empty() {
        webhook["events"] = json!(events);
    }
    let mut spec = Example::new().spec;
    spec.notify = serde_json::from_value(json!({ "webhook": webhook })).unwrap();
    spec
}

/// An integration in sync for ever, whose webhook knows of nothing.
fn in_sync() -> OktaIntegrationStatus {
    let mut status = OktaIntegrationStatus {
        phase: Some(Phase::InSync),
        people: Some(PeopleCounts::default()),
        last_sync_time: Some(Time(minute(0))),
        notifications: Some(Notifications::default()),
        ..OktaIntegrationStatus::default()
    };
    set(&mut status, READY, true, "InSync", "", 0);
    status
}

fn set(
    status: &mut OktaIntegrationStatus,
    type_: &'static str,
    holds: bool,
    reason: &str,
    message: &str,
    since: i64,
) {
    let fact = Fact::new(type_, holds, reason, message);
    let condition = conditions::merge(&[], vec![fact], Some(1), minute(since)).remove(0);
    status.conditions.retain(|other| other.type_ != type_);
    status.conditions.push(condition);
}

fn held_by(status: &mut OktaIntegrationStatus, plan: &str, reason: &str) {
    status.phase = Some(Phase::Held);
    let summary = json!({
        "hash": plan, "createTeams": 0, "createEmployees": 0, "updates": 1, "teamMoves": 0, "emailChanges": 0,
        "deactivations": 0, "relinks": 0, "restores": 0,
    });
    status.plan = serde_json::from_value(summary).unwrap();
    set(
        status,
        HELD,
        true,
        reason,
        "nothing is written: 7 deactivations",
        0,
    );
}

fn fails(status: &mut OktaIntegrationStatus, reason: &str, needs_action: bool, since: i64) {
    status.phase = Some(Phase::Failed);
    set(status, READY, false, reason, "Okta does not respond", since);
    set(
        status,
        OKTA_CONNECTED,
        false,
        reason,
        "Okta does not respond",
        since,
    );
    set(status, STALLED, needs_action, reason, "", since);
}

fn wait(status: &mut OktaIntegrationStatus, people: i32, sync: i64) {
    status.people = Some(PeopleCounts {
        waiting: people,
        review: people,
        ..PeopleCounts::default()
    });
    status.last_sync_time = Some(Time(minute(sync)));
    let message = format!("{people} need a decision");
    set(
        status,
        REVIEW_REQUIRED,
        people > 0,
        "DecisionsPending",
        &message,
        sync,
    );
}

fn events(notices: &[Notice]) -> Vec<WebhookEvent> {
    notices.iter().map(Notice::event).collect()
}

/// Steps of an integration's life, as the webhook hears of them.
struct Receiver {
    spec: OktaIntegrationSpec,
    status: OktaIntegrationStatus,
    is_down: bool,
}

impl Receiver {
    fn new(events: &[&str]) -> Self {
        Self {
            spec: spec(events),
            status: in_sync(),
            is_down: false,
        }
    }

    /// Changes the status as a cycle does, and delivers what is due then.
    fn after(&mut self, now: i64, change: impl FnOnce(&mut OktaIntegrationStatus)) -> Vec<WebhookEvent> {
        let mut status = self.status.clone();
        change(&mut status);
        status.notifications = remembered(&self.spec, &self.status, &status);
        self.status = status;
        let notices = due(&self.spec, &self.status, minute(now));
        if self.is_down {
            return Vec::new();
        }
        self.status = report(&self.spec, &self.status, &notices, None, minute(now));
        assert_eq!(
            due(&self.spec, &self.status, minute(now)),
            [],
            "everything is sent once"
        );
        events(&notices)
    }
}

use WebhookEvent::{Applied, Failed, Held, ReviewRequired};

#[test]
fn a_status_without_news_causes_no_message() {
    assert_eq!(due(&spec(&[]), &in_sync(), minute(100)), []);
    let mut without_webhook = spec(&[]);
    without_webhook.notify = None;
    let mut status = in_sync();
    wait(&mut status, 3, 1);
    status.last_applied_plan = Some(HASH.into());
    assert_eq!(remembered(&without_webhook, &status, &status), None);
    status.notifications = None;
    assert_eq!(due(&without_webhook, &status, minute(100)), []);
}

#[test]
fn an_applied_plan_is_reported_once() {
    let mut receiver = Receiver::new(&[]);
    let apply = |plan: &'static str| {
        move |status: &mut OktaIntegrationStatus| status.last_applied_plan = Some(plan.into())
    };
    assert_eq!(receiver.after(1, apply("a")), [Applied]);
    assert_eq!(receiver.after(2, |_| ()), []);
    assert_eq!(receiver.after(3, apply("b")), [Applied]);
    // A plan that was applied before there was a webhook is no news, one that is applied in the same cycle is.
    let mut receiver = Receiver::new(&[]);
    receiver.status.notifications = None;
    receiver.status.last_applied_plan = Some("a".into());
    assert_eq!(receiver.after(1, |_| ()), []);
    receiver.status.notifications = None;
    assert_eq!(receiver.after(2, apply("b")), [Applied]);
}

#[test]
fn a_held_plan_is_reported_once_for_each_hash_and_reason() {
    let mut receiver = Receiver::new(&[]);
    for (now, plan, reason, expected) in [
        (1, "a", "TooManyDeactivations", vec![Held]),
        (2, "a", "TooManyDeactivations", vec![]),
        (3, "a", "PeopleMissing", vec![Held]),
        (4, "a", "TooManyDeactivations", vec![Held]),
        // Each change in Okta makes another plan.
        (5, "b", "TooManyDeactivations", vec![]),
        (58, "c", "TooManyDeactivations", vec![]),
        (59, "c", "TooManyDeactivations", vec![Held]),
        (60, "d", "TooManyDeactivations", vec![]),
        (200, "c", "TooManyDeactivations", vec![]),
        (201, "d", "TooManyDeactivations", vec![Held]),
    ] {
        let heard = receiver.after(now, |status| held_by(status, plan, reason));
        assert_eq!(heard, expected, "minute {now}");
    }
    // While a service cannot be read, the plan is still the one that was reported.
    let hold = |plan: &'static str| {
        move |status: &mut OktaIntegrationStatus| held_by(status, plan, "TooManyDeactivations")
    };
    let fail = |status: &mut OktaIntegrationStatus| fails(status, "Unavailable", false, 202);
    assert_eq!(receiver.after(202, fail), []);
    assert_eq!(receiver.after(203, hold("d")), []);
    assert_eq!(receiver.after(204, fail), []);
    assert_eq!(receiver.after(205, hold("e")), [], "the hold did not end");
    // Once it was let through, the next one is news, and the same one is not.
    let apply = |status: &mut OktaIntegrationStatus| {
        status.phase = Some(Phase::InSync);
        set(status, HELD, false, "WithinGuard", "", 206);
    };
    assert_eq!(receiver.after(206, apply), []);
    assert_eq!(receiver.after(207, hold("d")), []);
    assert_eq!(receiver.after(208, hold("f")), [Held]);
    assert_eq!(receiver.after(209, hold("g")), []);
    // Before the finish a plan is only going to be held.
    let mut receiver = Receiver::new(&[]);
    let heard = receiver.after(1, |status| {
        held_by(status, "a", "PeopleMissing");
        status.phase = Some(Phase::Review);
        set(status, HELD, false, "PeopleMissing", "the plan will be held", 1);
    });
    assert_eq!(heard, []);
}

#[test]
fn people_who_newly_wait_are_reported_at_most_once_an_hour() {
    let mut receiver = Receiver::new(&[]);
    for (step, sync, people, expected) in [
        (1, 0, 10, vec![ReviewRequired]),
        (2, 0, 10, vec![]),
        // Decisions between two syncs, and one that is taken back.
        (3, 0, 9, vec![]),
        (4, 0, 10, vec![]),
        (5, 0, 11, vec![]),
        // The syncs of the next minutes find one person after the other.
        (6, 1, 11, vec![]),
        (7, 2, 12, vec![]),
        (8, 54, 20, vec![]),
        // The first one after an hour reports what has risen since.
        (9, 55, 21, vec![ReviewRequired]),
        (10, 56, 22, vec![]),
        (11, 115, 21, vec![]),
        (12, 116, 2, vec![]),
        (13, 117, 3, vec![ReviewRequired]),
        // Nobody waits, and then somebody does.
        (14, 177, 0, vec![]),
        (15, 178, 1, vec![ReviewRequired]),
    ] {
        let heard = receiver.after(step, |status| wait(status, people, sync));
        assert_eq!(heard, expected, "step {step}");
    }
    let heard = receiver.after(16, |status| {
        wait(status, 5, 300);
        status.phase = Some(Phase::Suspended);
    });
    assert_eq!(heard, [], "nothing is synced, and nobody has to decide");
}

#[test]
fn a_failure_is_reported_once_for_each_cause_until_syncing_succeeds() {
    let mut receiver = Receiver::new(&[]);
    let fail = |reason: &'static str, needs_action, since| {
        move |status: &mut OktaIntegrationStatus| fails(status, reason, needs_action, since)
    };
    let recover = |status: &mut OktaIntegrationStatus| {
        status.phase = Some(Phase::InSync);
        for (type_, holds) in [(READY, true), (OKTA_CONNECTED, true), (STALLED, false)] {
            set(status, type_, holds, "InSync", "", 0);
        }
    };
    // A failure that the operator retries is reported once it lasts longer than an interval.
    assert_eq!(receiver.after(100, fail("Unavailable", false, 100)), []);
    assert_eq!(receiver.after(115, |_| ()), []);
    assert_eq!(receiver.after(116, |_| ()), [Failed]);
    assert_eq!(receiver.after(130, |_| ()), []);
    // Another cause of the same outage, and the first one again.
    assert_eq!(receiver.after(131, fail("Unreachable", false, 100)), [Failed]);
    assert_eq!(receiver.after(132, fail("Unavailable", false, 100)), []);
    // Reading again is no success.
    assert_eq!(
        receiver.after(133, |status| status.phase = Some(Phase::Syncing)),
        []
    );
    assert_eq!(receiver.after(134, fail("Unavailable", false, 100)), []);
    assert_eq!(
        receiver.after(135, |status| status.phase = Some(Phase::Suspended)),
        []
    );
    assert_eq!(receiver.after(136, fail("Unavailable", false, 100)), []);
    // A success is.
    assert_eq!(receiver.after(140, recover), []);
    assert_eq!(receiver.after(141, fail("Unavailable", false, 141)), []);
    assert_eq!(receiver.after(160, |_| ()), [Failed]);
    // What needs somebody is reported at once.
    assert_eq!(receiver.after(170, recover), []);
    assert_eq!(receiver.after(171, fail("TokenRefused", true, 171)), [Failed]);
    assert_eq!(receiver.after(172, |_| ()), []);
    assert_eq!(receiver.after(173, recover), []);
    assert_eq!(receiver.after(174, fail("TokenRefused", true, 174)), [Failed]);
    // A short outage while a plan has been held for long.
    let mut receiver = Receiver::new(&["Failed"]);
    receiver.after(1, |status| {
        held_by(status, "a", "PeopleMissing");
        set(status, READY, false, "Held", "", 1);
    });
    let heard = receiver.after(200, |status| {
        fails(status, "Unavailable", false, 200);
        set(status, READY, false, "Unavailable", "", 1);
    });
    assert_eq!(heard, []);
}

#[test]
fn refused_writes_are_reported_when_they_last() {
    let mut receiver = Receiver::new(&[]);
    let refuse = |status: &mut OktaIntegrationStatus| {
        status.phase = Some(Phase::Failed);
        set(
            status,
            READY,
            false,
            "WritesRefused",
            "1 person could not be written",
            10,
        );
        set(status, STALLED, false, "WritesRefused", "", 10);
    };
    assert_eq!(receiver.after(10, refuse), []);
    assert_eq!(receiver.after(30, |_| ()), [Failed]);
    assert_eq!(receiver.after(31, |_| ()), []);
}

#[test]
fn while_the_receiver_is_down_the_newest_of_each_event_waits() {
    let mut receiver = Receiver::new(&[]);
    receiver.is_down = true;
    receiver.after(1, |status| held_by(status, "a", "PeopleMissing"));
    receiver.after(2, |status| {
        status.last_applied_plan = Some("a".into());
        status.phase = Some(Phase::InSync);
        set(status, HELD, false, "WithinGuard", "", 2);
        wait(status, 4, 2);
    });
    receiver.after(3, |status| status.last_applied_plan = Some("b".into()));
    receiver.after(4, |status| held_by(status, "c", "PeopleMissing"));
    receiver.is_down = false;
    assert_eq!(receiver.after(5, |_| ()), [Applied, Held, ReviewRequired]);
    let memory = receiver.status.notifications.unwrap();
    assert_eq!(memory.applied_plan.as_deref(), Some("b"));
    assert_eq!(memory.held.unwrap().plan, "c");
}

#[test]
fn only_chosen_events_are_sent_and_a_later_choice_reports_what_still_holds() {
    let mut receiver = Receiver::new(&["Failed"]);
    let heard = receiver.after(1, |status| {
        held_by(status, "a", "PeopleMissing");
        wait(status, 3, 1);
        status.last_applied_plan = Some("z".into());
    });
    assert_eq!(heard, []);
    receiver.spec = spec(&[]);
    assert_eq!(receiver.after(2, |_| ()), [Held, ReviewRequired]);
}

#[test]
fn the_condition_follows_from_what_was_sent() {
    let spec = spec(&[]);
    let shown = |status: &OktaIntegrationStatus| {
        conditions::find(&status.conditions, NOTIFIED)
            .map(|condition| (condition.status.clone(), condition.message.clone()))
    };
    let mut status = in_sync();
    assert_eq!(shown(&report(&spec, &status, &[], None, minute(1))), None);
    status.last_applied_plan = Some(HASH.into());
    let notices = due(&spec, &status, minute(1));
    let failed = report(&spec, &status, &[], Some("HTTP 500"), minute(1));
    assert_eq!(shown(&failed), Some(("False".into(), "HTTP 500".into())));
    assert_eq!(due(&spec, &failed, minute(1)), notices);
    assert_eq!(
        report(&spec, &failed, &[], Some("HTTP 500"), minute(2)),
        failed,
        "no attempt changes the status"
    );
    let accepted = report(&spec, &failed, &notices, None, minute(3));
    let message = format!("the webhook accepted the last message: Applied, about plan {HASH}");
    assert_eq!(shown(&accepted), Some(("True".into(), message)));
    assert_eq!(report(&spec, &accepted, &[], None, minute(4)), accepted);
    // A failed message that is over does not stay.
    let mut over = in_sync();
    held_by(&mut over, "a", "PeopleMissing");
    let mut over = report(&spec, &over, &[], Some("HTTP 500"), minute(1));
    assert_eq!(
        report(&spec, &over, &[], None, minute(2)),
        over,
        "it is still due"
    );
    over.phase = Some(Phase::InSync);
    assert_eq!(shown(&report(&spec, &over, &[], None, minute(2))), None);
}

#[test]
fn an_id_is_the_same_for_each_attempt_and_differs_between_messages() {
    let mut status = in_sync();
    let id = |status: &OktaIntegrationStatus, uid: &str| due(&spec(&[]), status, minute(1000))[0].id(uid);
    let mut ids = Vec::new();
    for change in [
        |status: &mut OktaIntegrationStatus| status.last_applied_plan = Some("a".into()),
        |status: &mut OktaIntegrationStatus| status.last_applied_plan = Some("b".into()),
        |status: &mut OktaIntegrationStatus| {
            status.last_applied_plan = None;
            held_by(status, "a", "PeopleMissing");
        },
        |status: &mut OktaIntegrationStatus| held_by(status, "a", "NotReviewed"),
        |status: &mut OktaIntegrationStatus| {
            status.phase = Some(Phase::InSync);
            wait(status, 1, 1);
        },
        |status: &mut OktaIntegrationStatus| wait(status, 2, 2),
        |status: &mut OktaIntegrationStatus| {
            wait(status, 0, 3);
            fails(status, "Unavailable", false, 1);
        },
        |status: &mut OktaIntegrationStatus| fails(status, "Unavailable", false, 2),
    ] {
        change(&mut status);
        let read_again: OktaIntegrationStatus =
            serde_json::from_value(serde_json::to_value(&status).unwrap()).unwrap();
        assert_eq!(id(&status, "uid"), id(&read_again, "uid"));
        ids.extend([id(&status, "uid"), id(&status, "other")]);
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

fn notices(details: &str) -> [Notice; 4] {
    [
        Notice::Applied {
            plan: HASH.into(),
            writes: 1,
            waiting: 0,
        },
        Notice::Held {
            plan: PlanSummary {
                hash: HASH.into(),
                total: 9,
                deactivations: 1,
                updates: 8,
                ..PlanSummary::default()
            },
            reason: "TooManyDeactivations".into(),
        },
        Notice::ReviewRequired {
            people: PeopleCounts {
                waiting: 1,
                review: 1,
                ..PeopleCounts::default()
            },
            message: "1 person needs a decision (1 Review). To review them: kubectl insightful review acme -n people".into(),
            sync_time: None,
            reported: None,
        },
        Notice::Failed {
            reason: "Unavailable".into(),
            message: details.into(),
            since: Time(minute(0)),
        },
    ]
}

#[test]
fn a_text_counts_in_singular_and_plural() {
    let text = |notice: &Notice| {
        notice.body(WebhookFormat::Json, ABOUT)["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let prefix = format!("OktaIntegration people/acme: plan {HASH} is applied");
    for (writes, waiting, expected) in [
        (1, 1, "1 change written to Insightful. 1 person needs a decision."),
        (2, 0, "2 changes written to Insightful. 0 people need a decision."),
    ] {
        let plan = HASH.to_owned();
        assert_eq!(
            text(&Notice::Applied {
                plan,
                writes,
                waiting
            }),
            format!("{prefix}, {expected}")
        );
    }
    let [.., review, _] = notices("");
    assert!(text(&review).starts_with("OktaIntegration people/acme: 1 person needs a decision (1 Review)."));
}

#[test]
fn a_json_body_names_what_is_there() {
    let [applied, held, review, failed] =
        notices("Jane *Doe* <!channel>").map(|notice| notice.body(WebhookFormat::Json, ABOUT));
    assert_eq!(applied["event"], "Applied");
    assert_eq!((&applied["plan"], &applied["writes"]), (&json!(HASH), &json!(1)));
    assert_eq!(
        applied["integration"],
        json!({ "namespace": "people", "name": "acme" })
    );
    assert_eq!((&held["plan"], &held["changes"]), (&json!(HASH), &json!(9)));
    let text = held["text"].as_str().unwrap();
    let expected = "is held (TooManyDeactivations): 1 deactivation, 8 updates. While it is held";
    assert!(text.contains(expected), "{text}");
    assert_eq!(failed["message"], "Jane *Doe* <!channel>");
    let text = failed["text"].as_str().unwrap();
    assert!(!text.contains("Jane"), "a text can be shown as it is: {text}");
    assert_eq!(
        review["people"],
        json!({ "review": 1, "unmatched": 0, "conflicts": 0 })
    );
    assert_eq!(
        (&failed["event"], &failed["reason"]),
        (&json!("Failed"), &json!("Unavailable"))
    );
}

#[test]
fn a_text_names_the_command_to_run_in_every_format() {
    let approve = "kubectl insightful approve acme -n people";
    let describe = "kubectl describe oi acme -n people";
    let mut notices: Vec<Notice> = notices("").into();
    let Notice::Held { plan, .. } = notices[1].clone() else {
        panic!("{notices:?}")
    };
    notices.push(Notice::Held {
        plan,
        reason: "AnotherIntegrationWrites".into(),
    });
    let commands: [&[&str]; 5] = [
        &[],
        &[describe, approve],
        &["kubectl insightful review acme -n people"],
        &[describe],
        // No approval lets it through.
        &[describe],
    ];
    for (notice, commands) in notices.iter().zip(commands) {
        for format in [
            WebhookFormat::Json,
            WebhookFormat::Slack,
            WebhookFormat::Teams,
            WebhookFormat::GoogleChat,
        ] {
            let body = notice.body(format, ABOUT).to_string();
            let named = |command: &&&str| body.contains(**command);
            let all = [approve, describe, "kubectl insightful review acme -n people"];
            let found: Vec<&str> = all.iter().filter(named).copied().collect();
            assert_eq!(found.len(), commands.len(), "{format:?}: {body}");
            assert!(
                commands.iter().all(|command| found.contains(command)),
                "{format:?}: {body}"
            );
        }
    }
}

#[test]
fn answers_to_writes_which_can_name_people_are_left_out() {
    for (reason, is_shown) in [
        ("Unavailable", true),
        ("TooManyFailures", false),
        ("OutcomeUnknown", false),
    ] {
        let notice = Notice::Failed {
            reason: reason.into(),
            message: "Jane Doe is not liked".into(),
            since: Time(minute(0)),
        };
        for format in [
            WebhookFormat::Json,
            WebhookFormat::Slack,
            WebhookFormat::Teams,
            WebhookFormat::GoogleChat,
        ] {
            let body = notice.body(format, ABOUT).to_string();
            assert_eq!(body.contains("Jane"), is_shown, "{format:?} {reason}");
        }
    }
}

#[test]
fn every_body_stays_within_the_receivers_limits() {
    for details in ["x", "<", "&", "é", "😀", "\u{7}", "\""] {
        let details = details.repeat(40_000);
        for notice in notices(&details) {
            let [json, slack, teams, chat] = [
                WebhookFormat::Json,
                WebhookFormat::Slack,
                WebhookFormat::Teams,
                WebhookFormat::GoogleChat,
            ]
            .map(|format| notice.body(format, ABOUT));
            assert!(teams.to_string().len() <= 28 * 1024 && chat.to_string().len() <= 32_000);
            assert!(json.to_string().len() < 28 * 1024);
            for block in slack["blocks"].as_array().unwrap() {
                let text = block["text"]["text"].as_str().unwrap();
                assert!(
                    (1..=3000).contains(&text.encode_utf16().count()),
                    "{}",
                    text.len()
                );
            }
        }
    }
}

#[test]
fn an_escaped_text_is_cut_between_characters() {
    assert_eq!(format::escaped("a<b>&c", 100), "a&lt;b&gt;&amp;c");
    assert_eq!(format::escaped("a<<", 6), "a&lt;…");
    assert_eq!(format::escaped("a<<", 5), "a…");
}
