//! How an integration stands, and what to do next.

use jiff::Timestamp;

use crate::{
    api::{
        OktaIntegration, OktaIntegrationStatus, Phase, PlanSummary, TeamState,
        conditions::{HELD, READY},
    },
    model::text::counted,
};

/// The number of changes, those of each kind, and the plan's hash.
pub fn plan_in_words(summary: &PlanSummary) -> String {
    let PlanSummary {
        hash,
        total,
        create_teams,
        create_employees,
        updates,
        team_moves,
        email_changes,
        name_changes,
        title_changes,
        invitations,
        deactivations,
        relinks,
        restores,
    } = summary;
    let parts = |parts: &[(i32, &str, &str)]| {
        let parts = parts.iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, one, many)| counted(*count, one, many))
            .collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!(" ({})", parts.join(", ")),
        }
    };
    let updated = [
        (*team_moves, "team move", "team moves"),
        (*email_changes, "email change", "email changes"),
        (*name_changes, "name change", "name changes"),
        (*title_changes, "title change", "title changes"),
    ];
    let kinds = [
        (create_teams, "team to create", "teams to create", String::new()),
        (
            create_employees,
            "person to invite",
            "people to invite",
            parts(&[(*invitations, "without a decision", "without a decision")]),
        ),
        (
            updates,
            "employee to update",
            "employees to update",
            parts(&updated),
        ),
        (
            deactivations,
            "employee to deactivate",
            "employees to deactivate",
            String::new(),
        ),
        (relinks, "match to unmatch", "matches to unmatch", String::new()),
        (
            restores,
            "employee to restore",
            "employees to restore",
            String::new(),
        ),
    ];
    let kinds: Vec<String> = kinds
        .into_iter()
        .filter(|(count, ..)| **count > 0)
        .map(|(count, one, many, detail)| counted(*count, one, many) + &detail)
        .collect();
    let changes = match kinds.is_empty() {
        true => "No changes.".to_owned(),
        // A match may end without a field to restore.
        false if *total == 0 => format!("Nothing to write: {}.", kinds.join(", ")),
        false => format!("{}: {}.", counted(*total, "change", "changes"), kinds.join(", ")),
    };
    format!("{changes}\nPlan {hash}")
}

/// What an approval of a plan lets happen, such as `write 340 changes`.
pub fn effect_in_words(plan: &PlanSummary) -> String {
    match (plan.total, plan.relinks) {
        (0, relinks @ 1..) => format!("end {}", counted(relinks, "match", "matches")),
        (0, _) => "write nothing".to_owned(),
        (1, _) => "write 1 change".to_owned(),
        (total, _) => format!("write {} changes", thousands(total)),
    }
}

/// Such as `2,920`.
pub fn thousands(count: impl Into<i64>) -> String {
    let count: i64 = count.into();
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Such as `3 minutes ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    let (count, one, many) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute", "minutes"),
        3600..86_400 => (seconds / 3600, "hour", "hours"),
        _ => (seconds / 86_400, "day", "days"),
    };
    format!("{} ago", counted(count, one, many))
}

/// A step for whoever runs the integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    pub text: String,
    /// The command that does it.
    pub command: Option<String>,
}

/// Returns what to do next, the most urgent first. `in_namespace` is ` -n NAMESPACE`, or empty if that is the current
/// one.
pub fn next_steps(integration: &OktaIntegration, in_namespace: &str) -> Vec<NextStep> {
    let name = integration.metadata.name.as_deref().unwrap_or_default();
    let command = |verb: &str| Some(format!("kubectl insightful {verb} {name}{in_namespace}"));
    let mut steps = Vec::new();
    let mut add = |text: String, command: Option<String>| steps.push(NextStep { text, command });
    let Some(status) = &integration.status else {
        add(
            "Wait for the first sync: the operator has not seen this integration.".to_owned(),
            None,
        );
        return steps;
    };
    let condition = |kind: &str| status.conditions.iter().find(|condition| condition.type_ == kind);
    if integration.spec.suspend {
        add(
            "Syncing is suspended: set spec.suspend to false to resume.".to_owned(),
            Some(format!(
                "kubectl patch oi {name}{in_namespace} --type=merge -p '{{\"spec\":{{\"suspend\":false}}}}'"
            )),
        );
        return steps;
    }
    if status.phase == Some(Phase::Failed)
        && let Some(ready) = condition(READY)
    {
        add(format!("Correct what stops syncing: {}", ready.message), None);
    }
    let waiting = status.people.map_or(0, |people| people.waiting);
    if waiting > 0 {
        let people = counted(
            waiting,
            "person who needs a decision",
            "people who need a decision",
        );
        add(format!("Review {people}."), command("review"));
    }
    let effect = status.plan.as_ref().map(effect_in_words).unwrap_or_default();
    let is_held = condition(HELD).is_some_and(|held| held.status == "True");
    if !integration.spec.finalized && status.plan.is_some() {
        add(
            format!("Look at the plan ({effect}), then finalize."),
            command("finalize"),
        );
    } else if is_held {
        add(
            format!("Look at the plan ({effect}), which waits for an approval."),
            command("approve"),
        );
    } else if status.plan.is_none() && status.phase != Some(Phase::Failed) {
        add("Wait for the first sync to end.".to_owned(), None);
    }
    steps
}

/// The number of teams by state, in words.
pub fn teams_in_words(integration: &OktaIntegration) -> String {
    let teams = integration
        .status
        .as_ref()
        .map_or(&[][..], |status| status.teams.as_slice());
    let count = |states: &[TeamState]| teams.iter().filter(|team| states.contains(&team.state)).count();
    let parts = [
        (count(&[TeamState::Existing, TeamState::Created]), "existing"),
        (count(&[TeamState::New]), "new"),
        (count(&[TeamState::Conflict]), "in conflict"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The most groups that are listed.
const MAX_IGNORED: usize = 5;

/// The groups that look as if they were meant to be team groups, each with the reason why they are not.
pub fn ignored_groups(status: &OktaIntegrationStatus) -> Vec<String> {
    let all = status.ignored_groups.len() + usize::try_from(status.ignored_groups_omitted).unwrap_or(0);
    let listed = status.ignored_groups.iter().take(MAX_IGNORED);
    let listed = listed.map(|group| format!("{:?} is no team group: {}", group.name, group.reason));
    let more = all.saturating_sub(MAX_IGNORED);
    let more = (more > 0).then(|| format!("{more} more are in status.ignoredGroups"));
    listed.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::example::integration;

    #[test]
    fn counts_and_times_are_in_words() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ] {
            assert_eq!(thousands(count), text);
        }
        let then = Timestamp::UNIX_EPOCH;
        for (seconds, text) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7199, "1 hour ago"),
            (172_800, "2 days ago"),
        ] {
            let now = then
                .checked_add(jiff::SignedDuration::from_secs(seconds))
                .unwrap();
            assert_eq!(ago(then, now), text);
        }
    }

    #[test]
    fn groups_that_look_meant_are_listed_up_to_a_few() {
        let status = |groups: usize, omitted: i32| -> OktaIntegrationStatus {
            let group =
                |place| json!({ "name": format!("p_{place}"), "groupId": "g", "reason": "the prefix is P_" });
            let groups: Vec<_> = (0..groups).map(group).collect();
            serde_json::from_value(json!({ "ignoredGroups": groups, "ignoredGroupsOmitted": omitted }))
                .unwrap()
        };
        let first = r#""p_0" is no team group: the prefix is P_"#;
        for (groups, omitted, lines, last) in [
            (0, 0, 0, None),
            (1, 0, 1, Some(first)),
            (5, 0, 5, Some(r#""p_4" is no team group: the prefix is P_"#)),
            (20, 7, 6, Some("22 more are in status.ignoredGroups")),
        ] {
            let listed = ignored_groups(&status(groups, omitted));
            assert_eq!(listed.len(), lines, "{listed:?}");
            assert_eq!(listed.last().map(String::as_str), last);
            assert!(listed.first().is_none_or(|listed| listed == first));
        }
    }

    #[test]
    fn the_next_steps_follow_from_the_status() {
        let steps = |finalized: bool, status: serde_json::Value| -> Vec<String> {
            let mut integration = integration(status);
            integration.spec.finalized = finalized;
            let steps = next_steps(&integration, " -n people");
            steps
                .into_iter()
                .map(|step| step.command.unwrap_or(step.text))
                .collect()
        };
        let plan = json!({ "hash": "sha256:1", "total": 3, "createTeams": 0, "createEmployees": 0, "updates": 3,
            "teamMoves": 0, "emailChanges": 0, "deactivations": 0, "relinks": 0, "restores": 0 });
        let people = |waiting: i32| {
            json!({ "total": 5, "waiting": waiting, "matched": 5 - waiting, "review": waiting, "unmatched": 0,
            "ignored": 0, "conflicts": 0, "outOfScope": 0 })
        };
        let held = json!([{ "type": "Held", "status": "True", "reason": "GuardExceeded", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z" }]);
        let command = |verb: &str| format!("kubectl insightful {verb} acme -n people");
        assert_eq!(
            steps(false, json!({ "plan": plan, "people": people(2) })),
            [command("review"), command("finalize")]
        );
        assert_eq!(steps(true, json!({ "plan": plan, "people": people(0) })), [""; 0]);
        assert_eq!(
            steps(
                true,
                json!({ "plan": plan, "people": people(0), "conditions": held })
            ),
            [command("approve")]
        );
        assert_eq!(steps(false, json!({})), ["Wait for the first sync to end."]);
    }
}
