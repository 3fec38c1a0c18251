//! Keeps the status of an integration below etcd's request limit (1.5 MiB), however many teams
//! there are.

use crate::api::{OktaIntegrationStatus, TeamState, TeamStatus};

/// The size of all teams, in bytes of JSON. Leaves room for the longest spec and the metadata.
const MAX_TEAMS_SIZE: usize = 1_000_000;

/// The lengths in bytes to which names and messages are cut; the first pair that suffices is used.
const CUTS: [(usize, usize); 3] = [(128, 128), (64, 64), (32, 0)];

/// Makes the teams fit. Cuts names and messages first, but never ids, which bind groups to teams. If
/// that does not suffice, leaves out teams and counts them: first those of missing groups, then those
/// that can be found again by name.
pub fn fit(status: &mut OktaIntegrationStatus) {
    status.teams_omitted = 0;
    let mut cuts = CUTS.iter();
    while size(&status.teams) > MAX_TEAMS_SIZE {
        let Some((name, message)) = cuts.next() else {
            leave_out(status);
            return;
        };
        for team in &mut status.teams {
            cut(&mut team.name, *name);
            if let Some(text) = &mut team.message {
                cut(text, *message);
            }
            team.message.take_if(|text| text.is_empty());
        }
    }
}

/// Whether `shown` is the name, or the name as [`fit`] cuts it.
pub fn shows(shown: &str, name: &str) -> bool {
    let is_cut = |(longest, _): &(usize, usize)| {
        let mut name = name.to_owned();
        cut(&mut name, *longest);
        name == shown
    };
    shown == name || CUTS.iter().any(is_cut)
}

/// Leaves out teams, last those whose creation is recorded only here.
fn leave_out(status: &mut OktaIntegrationStatus) {
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

fn cut(text: &mut String, longest: usize) {
    if longest == 0 {
        text.clear();
    } else if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest - '…'.len_utf8()));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use serde_json::json;

    use super::*;
    use crate::{
        api::{
            CycleResult, HistoryEntry, OktaIntegration, Pending, PendingOperation, PeopleCounts, PlanSummary,
            SyncKind,
        },
        rules::assessment::bindings,
    };

    /// The request limit of etcd.
    const ETCD: usize = 1_572_864;

    const HASH: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn team(number: usize, name: &str) -> TeamStatus {
        let since = Time(Timestamp::UNIX_EPOCH);
        let pending = number.is_multiple_of(2).then_some(Pending {
            operation: PendingOperation::CreateTeam,
            since,
        });
        TeamStatus {
            name: format!("{number:05} {name}"),
            group_id: format!("00g{number:017}"),
            team_id: pending.is_none().then(|| format!("w{number:014}")),
            state: match number % 4 {
                0 | 2 => TeamState::New,
                1 => TeamState::Created,
                _ => TeamState::Existing,
            },
            members: 100_000,
            group_missing: false,
            message: Some("two teams in Insightful have this name: rename or delete one of them".into()),
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
            "teams": { "precedence": vec!["n".repeat(253); 1000] },
        }))
        .unwrap();
        let mut object = OktaIntegration::new("acme", spec);
        object.status = Some(status);
        // The field managers take up to 50 kB: the list of teams is one field.
        serde_json::to_vec(&object).unwrap().len() + 50_000
    }

    #[test]
    fn five_thousand_teams_fit_with_the_longest_names() {
        let typical = status(5000, "Engineering Copenhagen");
        let mut fitted = typical.clone();
        fitted.teams.iter_mut().for_each(|team| team.message = None);
        let before = fitted.clone();
        fit(&mut fitted);
        assert_eq!(fitted, before, "teams that fit are not cut");

        let long = status(5000, &"漢".repeat(250));
        assert!(stored(long.clone()) > ETCD);
        let mut fitted = long.clone();
        fit(&mut fitted);
        let size = stored(fitted.clone());
        assert!(size < ETCD - 100_000, "{size}");
        assert_eq!((fitted.teams.len(), fitted.teams_omitted), (5000, 0));
        assert!(fitted.teams[0].name.starts_with("00000 漢") && fitted.teams[0].name.ends_with('…'));
        assert_eq!(bindings(&fitted), bindings(&long), "ids are never cut");
        for (fitted, long) in fitted.teams.iter().zip(&long.teams) {
            assert!(shows(&fitted.name, &long.name), "{}", fitted.name);
        }
        assert!(!shows(&fitted.teams[0].name, &long.teams[1].name));
        assert!(shows("Sales", "Sales") && !shows("Sales", "Sales EMEA") && !shows("Sales…", "Sales EMEA"));
    }

    #[test]
    fn teams_that_are_recorded_elsewhere_are_left_out() {
        let mut fitted = status(8000, "x");
        fit(&mut fitted);
        assert!(stored(fitted.clone()) < ETCD);
        let omitted = usize::try_from(fitted.teams_omitted).unwrap();
        assert_eq!(fitted.teams.len() + omitted, 8000);
        assert!(omitted > 0);
        let kept = fitted.teams.iter().filter(|team| team.pending.is_some()).count();
        assert_eq!(kept, 4000);
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
