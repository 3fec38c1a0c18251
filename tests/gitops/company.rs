//! A company with one person, Jane, who is in sync or has a pending change.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use okta_insightful_operator::{
    api::{Applied, EmployeeCounts, EmployeeMatchStatus, GuardStatus, OktaIntegrationSpec, Reviewed},
    model::{
        Complete, Directory, Employee, OktaStatus, OtherNames, Person, PersonId, SharedSettings, Snapshot,
        Team, TeamGroup, Workforce,
    },
    rules::{
        assessment::Assessment,
        guard::{self, Circumstances, Verdict},
        resolve::{Record, Records},
        status::{
            Disconnected, MatchStatuses, PreviousMatchStatus, SyncTimes, SyncedCycle, WriteFailure,
            WriteFailures,
        },
        teams::Bindings,
    },
};
use serde_json::json;

pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The observed generation of every status.
pub const GENERATION: i64 = 7;

pub struct Company {
    pub spec: OktaIntegrationSpec,
    pub snapshot: Snapshot,
    pub records: Records,
    pub assessment: Assessment,
    pub verdict: Verdict,
    pub guard: GuardStatus,
    pub failures: WriteFailures,
}

impl Company {
    /// A company in which Jane's employee has this name.
    pub fn new(name: &str, finalized: bool) -> Self {
        let secret = |name: &str| json!({ "secretRef": { "name": name, "key": "token" } });
        let spec = json!({
            "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": secret("okta") } },
            "insightful": { "apiToken": secret("insightful") },
            "guard": { "maxNameChanges": "100%" },
            "finalized": finalized,
        });
        let spec: OktaIntegrationSpec = serde_json::from_value(spec).unwrap();
        let jane = Person {
            id: "jane".into(),
            login: "jane@acme.com".into(),
            given_name: Some("Jane".into()),
            family_name: Some("Doe".into()),
            email: Some("jane@acme.com".into()),
            other_names: OtherNames::default(),
            second_email: None,
            title: None,
            employee_number: None,
            status: OktaStatus::Active,
            transitioning_to: None,
            created: None,
            last_updated: None,
            attributes: Box::default(),
        };
        let group = TeamGroup {
            id: "g1".into(),
            name: "OKTA_INSGRP_Sales".into(),
            members: [PersonId::from("jane")].into(),
        };
        let employee = Employee {
            id: "e1".into(),
            name: name.into(),
            email: "jane@acme.com".into(),
            identifier: "jane@acme.com".into(),
            team: "Sales".into(),
            settings: None,
            deactivated: false,
            created_at: None,
        };
        let team = |name: &str| Team {
            id: name.into(),
            name: name.into(),
            default: name == "Default",
        };
        let settings = SharedSettings {
            id: "Standard".into(),
            name: "Standard".into(),
            default: true,
        };
        let snapshot = Snapshot::new(
            Directory::new(
                Complete::from_all_pages(vec![jane]),
                Complete::from_all_pages(vec![group]),
            ),
            Workforce {
                employees: Complete::from_all_pages(vec![employee]),
                teams: Complete::from_all_pages(vec![team("Default"), team("Sales")]),
                settings: Complete::from_all_pages(vec![settings]),
                unreadable: Default::default(),
                organization: None,
            },
        );
        let record = Record {
            applied: Some(Applied {
                employee_ids: vec!["e1".into()],
                time: Time(NOW),
                created: false,
                fields: vec![],
            }),
            ..Record::default()
        };
        let records = Records::from([(PersonId::from("jane"), record)]);
        let assessment = Assessment::of(&snapshot, &spec, &records, &Bindings::default());
        let guard = GuardStatus {
            reviewed: Some(Reviewed::now("uid", &spec, &snapshot)),
            ..GuardStatus::default()
        };
        let circumstances = Circumstances {
            uid: "uid",
            spec: &spec,
            snapshot: &snapshot,
            records: &records,
            memory: &guard,
            applying: None,
            now: NOW,
        };
        let verdict = guard::judge(&assessment, &circumstances);
        Self {
            spec,
            snapshot,
            records,
            assessment,
            verdict,
            guard,
            failures: WriteFailures::new(),
        }
    }

    /// The same after Insightful refused Jane's change.
    pub fn refused(mut self) -> Self {
        let failure = WriteFailure {
            reason: "WriteRefused".into(),
            message: "422: no such team".into(),
        };
        self.failures.insert("jane".into(), failure);
        self
    }

    pub fn synced<'a>(&'a self, disconnected: Option<&'a Disconnected>) -> SyncedCycle<'a> {
        SyncedCycle {
            snapshot: &self.snapshot,
            assessment: &self.assessment,
            records: &self.records,
            employees: EmployeeCounts::default(),
            unusable: &[],
            verdict: &self.verdict,
            guard: &self.guard,
            applying: None,
            applied: None,
            failures: &self.failures,
            disconnected,
            times: SyncTimes::default(),
            history: None,
        }
    }

    /// Returns the status of Jane's match.
    pub fn status_of_jane(&self) -> EmployeeMatchStatus {
        let id = PersonId::from("jane");
        let record = &self.records[&id];
        let statuses = MatchStatuses {
            snapshot: &self.snapshot,
            spec: &self.spec,
            assessment: &self.assessment,
            verdict: &self.verdict,
            failures: &self.failures,
            read_at: NOW,
            now: NOW,
        };
        statuses.of(&id, record, &PreviousMatchStatus::default(), Some(GENERATION))
    }
}
