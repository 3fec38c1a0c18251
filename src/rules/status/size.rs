//! Keeps the status of an integration below etcd's request limit (1.5 MiB), however many teams
//! there are.

use crate::api::{OktaIntegrationStatus, TeamState, TeamStatus};

/// The size of all teams, in bytes of JSON. Leaves room for the longest spec and the metadata.
const MAX_TEAMS_SIZE: usize = 1_000_000;

/// Leaves out the teams that do not fit, and counts them: first those of missing groups, last those whose
/// creation or binding is recorded only here. The others are found again by name.
pub fn fit(status: &mut OktaIntegrationStatus) {
    status.teams_omitted = 0;
    if size(&status.teams) <= MAX_TEAMS_SIZE {
        return;
    }
    let all = status.teams.len();
    let mut teams = std::mem::take(&mut status.teams);
    teams.sort_by_key(|team| {
        let is_only_here = team.pending.is_some() || team.state == TeamState::Created;
        (team.group_missing, !is_only_here)
    });
    let mut left = MAX_TEAMS_SIZE;
    status.teams = teams
        .into_iter()
        .take_while(|team| {
            let size = size(std::slice::from_ref(team));
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        })
        .collect();
    let by_name = |a: &TeamStatus, b: &TeamStatus| (&a.name, &a.group_id).cmp(&(&b.name, &b.group_id));
    status.teams.sort_by(by_name);
    status.teams_omitted = i32::try_from(all - status.teams.len()).unwrap_or(i32::MAX);
}

fn size(teams: &[TeamStatus]) -> usize {
    let json = |team| serde_json::to_string(team).map_or(0, |json| json.len());
    // Each team has a comma.
    teams.iter().map(|team| json(team) + 1).sum()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use serde_json::json;

    use super::*;
    use crate::api::{
        CycleResult, HistoryEntry, OktaIntegration, Pending, PendingOperation, PeopleCounts, PlanSummary,
        SyncKind,
    };

    /// The request limit of etcd.
    const ETCD: usize = 1_572_864;

    const HASH: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn team(number: usize, name: &str) -> TeamStatus {
        let since = Time(Timestamp::UNIX_EPOCH);
        let name = format!("{number:05} {name}");
        let pending = number.is_multiple_of(2).then_some(Pending {
            operation: PendingOperation::CreateTeam,
            until: since.clone(),
            since,
            name: Some(name.clone()),
            email: None,
        });
        TeamStatus {
            name,
            group_id: format!("00g{number:017}"),
            team_id: pending.is_none().then(|| format!("w{number:014}")),
            state: match number % 4 {
                0 | 2 => TeamState::New,
                1 => TeamState::Created,
                _ => TeamState::Existing,
            },
            members: 100_000,
            group_missing: false,
            message: None,
            pending,
        }
    }

    /// Returns a status of the greatest size, with this number of teams.
    fn status(teams: usize, name: &str) -> OktaIntegrationStatus {
        let since = Time(Timestamp::UNIX_EPOCH);
        let condition = |number| Condition {
            type_: format!("Condition{number}"),
            status: "False".into(),
            reason: "TooManyDeactivations".into(),
            message: "m".repeat(4096),
            observed_generation: Some(1),
            last_transition_time: since.clone(),
        };
        let entry = HistoryEntry {
            start_time: since.clone(),
            duration: std::time::Duration::from_secs(1).into(),
            kind: SyncKind::Full,
            result: CycleResult::PartlyApplied,
            plan: HASH.into(),
            writes: 100_000,
            failed: 100_000,
        };
        OktaIntegrationStatus {
            conditions: (0..9).map(condition).collect(),
            teams: (0..teams).map(|number| team(number, name)).collect(),
            people: Some(PeopleCounts::default()),
            plan: Some(PlanSummary::default()),
            history: vec![entry; 10],
            ..OktaIntegrationStatus::default()
        }
    }

    /// Returns the size of the stored object, with the longest spec.
    fn stored(status: OktaIntegrationStatus) -> usize {
        let spec = serde_json::from_value(json!({
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
            "teams": {
                "precedence": vec!["n".repeat(253); 1000],
                "bindings": vec![json!({ "group": "n".repeat(255), "team": "n".repeat(253) }); 300],
            },
        }))
        .unwrap();
        let mut object = OktaIntegration::new("acme", spec);
        object.status = Some(status);
        // The field managers take up to 50 kB: the list of teams is one field.
        serde_json::to_vec(&object).unwrap().len() + 50_000
    }

    #[test]
    fn five_thousand_teams_fit() {
        let typical = status(5000, "Engineering Copenhagen");
        let mut fitted = typical.clone();
        fit(&mut fitted);
        assert_eq!(fitted, typical);
        let size = stored(fitted);
        assert!(size < ETCD - 100_000, "{size}");
    }

    #[test]
    fn the_longest_names_fit_too() {
        let long = status(5000, &"漢".repeat(250));
        assert!(stored(long.clone()) > ETCD);
        let mut fitted = long.clone();
        fit(&mut fitted);
        assert!(stored(fitted.clone()) < ETCD);
        assert!(fitted.teams_omitted > 0);
        assert!(
            fitted.teams.iter().all(|team| long.teams.contains(team)),
            "ids and names are never cut"
        );
    }

    #[test]
    fn teams_that_are_recorded_elsewhere_are_left_out() {
        let mut fitted = status(7000, "x");
        fit(&mut fitted);
        assert!(stored(fitted.clone()) < ETCD);
        let omitted = usize::try_from(fitted.teams_omitted).unwrap();
        assert_eq!(fitted.teams.len() + omitted, 7000);
        assert!(omitted > 0);
        let kept = fitted.teams.iter().filter(|team| team.pending.is_some()).count();
        assert_eq!(kept, 3500);
        assert!(fitted.teams.is_sorted_by_key(|team| &team.name));
        fit(&mut fitted);
        assert_eq!(fitted.teams_omitted, 0, "the count is of this call alone");
    }

    #[test]
    fn teams_of_missing_groups_are_left_out_first() {
        let mut fitted = status(8000, "x");
        for team in fitted.teams.iter_mut().take(2000) {
            team.group_missing = true;
        }
        fit(&mut fitted);
        assert!(fitted.teams_omitted > 0);
        let kept = |missing| {
            fitted
                .teams
                .iter()
                .filter(|team| team.group_missing == missing)
                .count()
        };
        assert!(
            kept(true) == 0 || kept(false) == 6000,
            "{} {}",
            kept(true),
            kept(false)
        );
    }
}
