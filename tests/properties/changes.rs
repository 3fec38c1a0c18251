//! A delta leads to the same state and the same plan as a full read, whatever changes in Okta and in whatever
//! order full reads, deltas, failed reads and restarts come. The real client reads the emulator over HTTP,
//! and [`SyncedState`] takes the results as it does in the operator.
//!
//! The org's clock advances between events, so that changes lie before, in and after the overlap of two
//! reads.

use std::sync::Arc;

use jiff::SignedDuration;
use okta_insightful_operator::{
    api::OktaIntegrationSpec,
    http::RetryPolicy,
    insightful::{employee, shared_settings, team},
    model::{Complete, Directory, Snapshot, SyncedState, Unreadable, Workforce},
    okta::{OktaClient, OktaConfig, Progress},
    rules::{assessment::Assessment, plan::Plan, resolve::Records, teams::Bindings},
};
use proptest::{collection::vec, prelude::*, sample::select};
use sandbox::{
    company::{Company, GROUP_PREFIX},
    faults::{Kind, Match},
    okta::{self, Okta, Org},
};
use url::Url;

const STATUSES: [&str; 6] = [
    "ACTIVE",
    "SUSPENDED",
    "DEPROVISIONED",
    "STAGED",
    "LOCKED_OUT",
    "PROVISIONED",
];

/// An event. People and groups are numbers, taken modulo their count.
#[derive(Clone, Debug)]
enum Event {
    Joins(usize),
    IsRenamed(usize, u8),
    HasTitle(usize, u8),
    HasEmail(usize, u8),
    HasStatus(usize, &'static str),
    /// Changes only the status and its time.
    IsLocked(usize),
    EntersGroup(usize, usize),
    LeavesGroup(usize, usize),
    GroupIsMade(u8),
    GroupIsRenamed(usize, u8),
    /// Only the case of the prefix changes, so that it no longer counts.
    GroupLosesPrefixByCase(usize),
    /// No delta shows this and the next two.
    IsDeleted(usize),
    GroupIsDeleted(usize),
    GroupLosesPrefix(usize),
    /// A read of the changes.
    Delta,
    /// A full read.
    Full,
    /// A delta whose read fails at this path.
    FailedDelta(&'static str),
    /// The operator restarts with its stored directory.
    Restart,
    /// Insightful's credentials change.
    ServicesChange,
}

fn people() -> impl Strategy<Value = usize> {
    0..40_usize
}

fn visible() -> impl Strategy<Value = Event> {
    let group = 0..8_usize;
    prop_oneof![
        people().prop_map(Event::Joins),
        (people(), any::<u8>()).prop_map(|(who, to)| Event::IsRenamed(who, to)),
        (people(), any::<u8>()).prop_map(|(who, to)| Event::HasTitle(who, to)),
        (people(), any::<u8>()).prop_map(|(who, to)| Event::HasEmail(who, to)),
        (people(), select(&STATUSES[..])).prop_map(|(who, status)| Event::HasStatus(who, status)),
        people().prop_map(Event::IsLocked),
        (people(), group.clone()).prop_map(|(who, group)| Event::EntersGroup(who, group)),
        (people(), group.clone()).prop_map(|(who, group)| Event::LeavesGroup(who, group)),
        any::<u8>().prop_map(Event::GroupIsMade),
        (group.clone(), any::<u8>()).prop_map(|(group, to)| Event::GroupIsRenamed(group, to)),
        group.prop_map(Event::GroupLosesPrefixByCase),
    ]
}

fn invisible() -> impl Strategy<Value = Event> {
    let group = 0..8_usize;
    prop_oneof![
        people().prop_map(Event::IsDeleted),
        group.clone().prop_map(Event::GroupIsDeleted),
        group.prop_map(Event::GroupLosesPrefix),
    ]
}

fn read() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Delta),
        1 => Just(Event::Full),
        1 => Just(Event::Restart),
        1 => Just(Event::ServicesChange),
        1 => select(&["/api/v1/users", "/api/v1/groups", "/api/v1/groups/*/users"][..]).prop_map(Event::FailedDelta),
    ]
}

/// The minutes before each event: two reads overlap by five.
fn minutes() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0..4_i64, 4..30_i64]
}

fn pick<'a>(keys: impl ExactSizeIterator<Item = &'a String>, number: usize) -> String {
    let most = keys.len().max(1);
    keys.into_iter().nth(number % most).cloned().unwrap()
}

fn groups(org: &Org) -> Vec<String> {
    let teams = org.groups.iter().filter(|(_, group)| {
        let name = group["profile"]["name"].as_str().unwrap();
        name.starts_with(GROUP_PREFIX)
    });
    teams.map(|(id, _)| id.clone()).collect()
}

fn group(org: &Org, number: usize) -> Option<String> {
    let groups = groups(org);
    (!groups.is_empty()).then(|| pick(groups.iter(), number))
}

/// Makes an event happen in the org; a read changes nothing there.
fn happens(org: &mut Org, event: &Event) {
    let who = |org: &Org, number| pick(org.users.keys(), number);
    match *event {
        Event::Joins(number) => {
            let handle = format!("joiner{number}.{}", org.users.len());
            let id = org.add_user(&handle, "Jo", "Joiner");
            if let Some(group) = group(org, number) {
                org.add_member(&group, &id);
            }
        }
        Event::IsRenamed(number, to) => org.rename_user(&who(org, number), "Re", &format!("Named{to}")),
        Event::HasTitle(number, to) => {
            org.set_title(&who(org, number), (to > 9).then(|| format!("T{to}")).as_deref());
        }
        Event::HasEmail(number, to) => org.set_email(&who(org, number), &format!("mail{to}@acme.com")),
        Event::HasStatus(number, status) => org.set_status(&who(org, number), status),
        Event::IsLocked(number) => {
            let (now, who) = (org.now(), who(org, number));
            let user = org.user_mut(&who);
            user["status"] = "LOCKED_OUT".into();
            user["statusChanged"] = now.into();
        }
        Event::EntersGroup(number, of) => {
            if let Some(group) = group(org, of) {
                org.add_member(&group, &who(org, number));
            }
        }
        Event::LeavesGroup(number, of) => {
            if let Some(group) = group(org, of) {
                let members: Vec<String> = org.members[&group].iter().cloned().collect();
                if !members.is_empty() {
                    org.remove_member(&group, &pick(members.iter(), number));
                }
            }
        }
        Event::GroupIsMade(name) => {
            let group = org.add_group(&format!("{GROUP_PREFIX}Team {name}"));
            let first = who(org, usize::from(name));
            org.add_member(&group, &first);
        }
        Event::GroupIsRenamed(number, to) => {
            if let Some(group) = group(org, number) {
                org.rename_group(&group, &format!("{GROUP_PREFIX}Renamed {to}"));
            }
        }
        Event::GroupLosesPrefixByCase(number) => {
            if let Some(group) = group(org, number) {
                org.rename_group(&group, &format!("{}Lower", GROUP_PREFIX.to_lowercase()));
            }
        }
        Event::IsDeleted(number) if org.users.len() > 1 => org.delete_user(&who(org, number)),
        Event::GroupIsDeleted(number) => {
            if let Some(group) = group(org, number) {
                org.delete_group(&group);
            }
        }
        Event::GroupLosesPrefix(number) => {
            if let Some(group) = group(org, number) {
                org.rename_group(&group, "Somebody else's");
            }
        }
        Event::IsDeleted(_)
        | Event::Delta
        | Event::Full
        | Event::FailedDelta(_)
        | Event::Restart
        | Event::ServicesChange => {}
    }
}

fn quiet(_: Progress) {}

/// An org and a client that follows it.
struct Follower {
    okta: Okta,
    client: OktaClient,
    workforce: Workforce,
    known: SyncedState,
}

impl Follower {
    async fn of(company: &Company) -> Self {
        let settings = okta::Settings {
            max_page: Some(6),
            limits: okta::Limits {
                users: 1_000_000,
                groups: 1_000_000,
                ..okta::Limits::default()
            },
            ..okta::Settings::default()
        };
        let okta = Okta::start_with(company, settings);
        let mut config = OktaConfig::new(Url::parse(&okta.url()).unwrap(), okta.token());
        config.allow_http_loopback = true;
        config.retry_policy = RetryPolicy {
            max_attempts: 1,
            ..RetryPolicy::default()
        };
        let client = OktaClient::new(config).unwrap();
        let workforce = Workforce {
            employees: read_all(&company.employees, employee),
            teams: read_all(&company.teams, team),
            settings: read_all(&company.shared_settings, shared_settings),
            unreadable: Default::default(),
            organization: None,
        };
        let (directory, mark) = client.directory(GROUP_PREFIX, &quiet).await.unwrap();
        let mut known = SyncedState::default();
        known.replace(Snapshot::new(directory, workforce.clone()), mark);
        Self {
            known,
            okta,
            client,
            workforce,
        }
    }

    /// Makes an event happen. Returns whether the known state must now equal Okta's.
    async fn handle(&mut self, minutes: i64, event: &Event) -> bool {
        self.okta
            .configure(|settings| settings.clock_offset += SignedDuration::from_mins(minutes));
        self.okta.edit(|org| happens(org, event));
        match event {
            Event::Delta => {
                let delta = self.changes().await.unwrap();
                self.known.apply(delta, Some(self.workforce.clone()));
                true
            }
            Event::Full => {
                let (directory, mark) = self.client.directory(GROUP_PREFIX, &quiet).await.unwrap();
                let snapshot = Snapshot::new(directory, self.workforce.clone());
                self.known.replace(snapshot, mark);
                true
            }
            Event::FailedDelta(path) => {
                let standing = self
                    .okta
                    .faults()
                    .always(Match::get(path), Kind::Status(503, None));
                let read = self.changes().await;
                standing.remove();
                // If no group changed, no members are read.
                match read {
                    Ok(delta) => {
                        assert_eq!(*path, "/api/v1/groups/*/users");
                        self.known.apply(delta, Some(self.workforce.clone()));
                        true
                    }
                    Err(_) => false,
                }
            }
            Event::Restart => {
                let (mark, directory) = self.known.delta_base().unwrap();
                self.known = SyncedState::resumed(directory.clone(), mark);
                false
            }
            Event::ServicesChange => {
                self.known.discard_workforce();
                false
            }
            _ => false,
        }
    }

    /// The known state; after a restart, the stored directory with the present workforce.
    fn snapshot(&self) -> Snapshot {
        let directory = Arc::clone(self.known.directory().unwrap());
        let snapshot = self.known.snapshot().cloned();
        snapshot.unwrap_or_else(|| Snapshot::new(directory, self.workforce.clone()))
    }

    async fn changes(
        &self,
    ) -> Result<okta_insightful_operator::model::Delta, okta_insightful_operator::okta::OktaError> {
        let (mark, known) = self.known.delta_base().unwrap();
        self.client.changes(GROUP_PREFIX, mark, known, &quiet).await
    }

    /// The result of a full read.
    async fn truth(&self) -> Snapshot {
        let (directory, _): (Directory, _) = self.client.directory(GROUP_PREFIX, &quiet).await.unwrap();
        Snapshot::new(directory, self.workforce.clone())
    }
}

fn read_all<T>(
    records: &[serde_json::Value],
    read: fn(serde_json::Value) -> Result<T, Unreadable>,
) -> Complete<Vec<T>> {
    let all = records.iter().map(|record| read(record.clone()).unwrap());
    Complete::from_all_pages(all.collect())
}

fn plan(snapshot: &Snapshot) -> Plan {
    let spec: OktaIntegrationSpec = serde_json::from_value(serde_json::json!({
        "okta": { "orgUrl": "https://acme.okta.com",
            "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } } },
        "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
        "finalized": true,
    }))
    .unwrap();
    Arc::unwrap_or_clone(Assessment::of(snapshot, &spec, &Records::new(), &Bindings::default()).plan)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn deltas_and_full_reads_lead_to_the_same(
        seed in 0..8_u64,
        events in vec((minutes(), prop_oneof![2 => visible(), 1 => read()]), 1..30),
    ) {
        runtime().block_on(async {
            let mut follower = Follower::of(&Company::generate(20, seed)).await;
            for (minutes, event) in events.iter().chain([&(7, Event::Delta)]) {
                if follower.handle(*minutes, event).await {
                    let truth = follower.truth().await;
                    assert_eq!(follower.snapshot(), truth, "after {event:?}");
                    assert_eq!(plan(&follower.snapshot()), plan(&truth));
                }
            }
        });
    }

    #[test]
    fn changes_that_no_delta_shows_wait_for_a_full_read_and_deactivate_nobody(
        seed in 0..8_u64,
        events in vec((minutes(), prop_oneof![2 => invisible(), 1 => read()]), 1..30),
    ) {
        runtime().block_on(async {
            let mut follower = Follower::of(&Company::generate(20, seed)).await;
            let deactivations = plan(&follower.snapshot()).deactivations.into_iter();
            let deactivated: Vec<_> = deactivations.map(|one| one.person).collect();
            let before = follower.snapshot().people().clone();
            for (minutes, event) in events.iter().chain([&(7, Event::Delta), &(7, Event::Full)]) {
                let had = follower.snapshot().people().len();
                let read = follower.handle(*minutes, event).await;
                if read && !matches!(event, Event::Full) {
                    assert_eq!(follower.snapshot().people().len(), had, "no delta removes a person");
                }
                for (id, person) in follower.snapshot().people() {
                    assert_eq!(person, &before[id]);
                }
                for one in plan(&follower.snapshot()).deactivations {
                    assert!(deactivated.contains(&one.person), "{one:?}");
                }
            }
            assert_eq!(follower.snapshot(), follower.truth().await);
        });
    }
}
