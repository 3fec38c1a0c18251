//! Tables: an approved plan with every kind of write, an event after it was begun, and whether the next plan
//! is its remainder.

use super::*;
use crate::{
    api::{Applied, Approval, Decision},
    model::{OktaStatus, TeamGroup},
    rules::{
        assessment::bindings,
        example::{Example, request},
        guard::{Ruling, Verdict},
        status::{MatchStatuses, PreviousMatchStatus, WriteFailures, team_statuses},
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A new team, an invitation with a title, an update with a team move, a restore with its unmatch, a
/// deactivation, and a match that needs no write.
fn every_kind() -> Example {
    let mut example = Example::new();
    example.spec.approval = Approval::EveryPlan;
    example.person("ann", "Ann", "Doe", "Sales").title = None;
    example.employee("e-ann", "A. Doe", "ann@acme.com");
    example.matched("ann", &["e-ann"]);
    example.person("bob", "Bob", "Roe", "Sales");
    example.record("bob").decision = Decision::Create;
    example.person("cat", "Cat", "Poe", "Sales").status = OktaStatus::Deprovisioned;
    example.employee("e-cat", "Cat Poe", "cat@acme.com");
    example.in_force("cat", "e-cat", &[]);
    example.person("dan", "Dan", "Coe", "Sales");
    example.employee("e-dan", "Dan Coe", "dan@acme.com");
    let written = [
        (Field::Name, Some("D. Coe"), "Dan Coe"),
        (Field::Email, Some("d@old.com"), "dan@acme.com"),
    ];
    example.in_force("dan", "e-dan", &written);
    example.record("dan").decision = Decision::Ignore;
    example.team("Support");
    for id in ["eve", "fay"] {
        let person = example.person(id, id, "Moe", "Support");
        person.title = None;
        example
            .employee(
                &format!("e-{id}"),
                &format!("{id} Moe"),
                &format!("{id}@acme.com"),
            )
            .team = "Support".into();
    }
    example.matched("eve", &["e-eve"]);
    example.in_force("fay", "e-fay", &[]);
    example
}

/// An approved plan that was begun, and the world that it was made for.
struct Begun {
    example: Example,
    status: OktaIntegrationStatus,
    /// The matches' statuses, and the generations of their specs.
    statuses: BTreeMap<PersonId, (EmployeeMatchStatus, i64)>,
}

impl Begun {
    fn of(mut example: Example) -> Self {
        let assessment = example.assess();
        if example.spec.approval == Approval::EveryPlan {
            example.spec.approved_plan = Some(assessment.plan.hash());
        }
        let verdict = judge(&example, &assessment, None);
        let cleared = verdict.cleared().expect("an approved plan is cleared");
        let teams = team_statuses(&example.snapshot(), &assessment);
        let new = assessment.plan.teams.iter();
        let pending = new.map(|team| (team.group.clone(), request(&team.name, None)));
        let status = begun(
            OktaIntegrationStatus::default(),
            teams,
            &pending.collect(),
            cleared,
            example.guard.clone(),
            NOW,
        );
        let statuses = statuses(&example, &assessment);
        Self {
            example,
            status,
            statuses,
        }
    }

    fn announcements(&self) -> Announcements {
        let statuses = self.statuses.iter();
        statuses
            .map(|(id, (status, generation))| (id.clone(), Announced::by(status, Some(*generation))))
            .collect()
    }

    /// The ruling on the next plan, or its clearance.
    fn verdict(&self) -> &'static str {
        let Example { spec, records, .. } = &self.example;
        let snapshot = self.example.snapshot();
        let assessment = Assessment::of(&snapshot, spec, records, &bindings(&self.status));
        let applying = of(&self.status, spec, &assessment, &self.announcements());
        match judge(&self.example, &assessment, applying).ruling {
            Ruling::Cleared(cleared) => match cleared.clearance() {
                Clearance::WithinGuard => "within the guard",
                Clearance::Approved(_) => "approved",
                Clearance::Resumed(of) => {
                    assert_eq!(Some(of), self.example.spec.approved_plan.as_ref());
                    "remainder"
                }
            },
            Ruling::Held => "held",
            Ruling::NotFinalized => "not finalized",
        }
    }

    fn employee(&mut self, id: &str) -> &mut crate::model::Employee {
        let id = EmployeeId::from(id);
        let mut employees = self.example.employees.iter_mut();
        employees.find(|employee| employee.id == id).unwrap()
    }

    /// The status of a match, to edit.
    fn status_of(&mut self, person: &str) -> &mut EmployeeMatchStatus {
        &mut self.statuses.get_mut(&person.into()).unwrap().0
    }

    /// Bob's invitation has taken effect.
    fn bob_is_invited(&mut self) {
        self.example.team("Sales");
        self.example.employee("new", "Bob Roe", "bob@acme.com").team = "Sales".into();
    }

    /// Bob's invitation has taken effect, and its response is on record.
    fn bob_is_known(&mut self) {
        self.bob_is_invited();
        let applied = Applied {
            employee_ids: vec!["new".into()],
            time: Time(NOW),
            created: true,
            fields: vec![],
        };
        self.example.record("bob").applied = Some(applied.clone());
        self.status_of("bob").applied = Some(applied);
    }

    /// Bob's invitation is on record, and its response is not.
    fn bob_is_pending(&mut self) {
        let pending = request("Bob Roe", Some("bob@acme.com"));
        self.example.record("bob").pending = Some(pending.clone());
        self.status_of("bob").pending = Some(pending);
    }

    fn restored(&mut self) {
        self.employee("e-dan").name = "D. Coe".into();
        self.employee("e-dan").email = "d@old.com".into();
    }
}

fn judge(example: &Example, assessment: &Assessment, applying: Option<&Applying>) -> Verdict {
    example.judge(assessment, applying, NOW)
}

/// The statuses that the preview writes.
fn statuses(example: &Example, assessment: &Assessment) -> BTreeMap<PersonId, (EmployeeMatchStatus, i64)> {
    let statuses = MatchStatuses {
        snapshot: &example.snapshot(),
        spec: &example.spec,
        assessment,
        verdict: &judge(example, assessment, None),
        failures: &WriteFailures::new(),
        read_at: NOW,
        now: NOW,
    };
    let ids = assessment.resolved.keys();
    ids.map(|id| {
        let record = example.records.get(id).cloned().unwrap_or_default();
        let status = statuses.of(id, &record, &PreviousMatchStatus::default(), Some(1));
        (id.clone(), (status, 1))
    })
    .collect()
}

#[test]
fn the_example_has_every_kind_of_write() {
    let plan = every_kind().assess().plan;
    let kinds = [
        plan.teams.len(),
        plan.creations.len(),
        plan.updates.len(),
        plan.restores.len(),
        plan.deactivations.len(),
        plan.unmatches.len(),
    ];
    assert_eq!(kinds, [1; 6]);
    assert_eq!(plan.matches.len(), 2, "ann's, and eve's, who needs no write");
}

#[test]
fn the_remainder_of_an_approved_plan_needs_no_other_approval() {
    type Happens = fn(&mut Begun);
    let cases: [(&str, Happens); 15] = [
        ("nothing", |_| ()),
        ("the team is created", |b| b.example.team("Sales")),
        ("ann is written", |b| {
            b.example.team("Sales");
            b.employee("e-ann").name = "Ann Doe".into();
            b.employee("e-ann").team = "Sales".into();
        }),
        ("ann is written, but for her team", |b| {
            b.employee("e-ann").name = "Ann Doe".into();
        }),
        ("bob's invitation is sent", Begun::bob_is_pending),
        ("bob is invited, and the response is lost", |b| {
            b.bob_is_invited();
            b.bob_is_pending();
        }),
        ("bob is invited, and his title is not set", Begun::bob_is_known),
        ("the name of dan's employee is restored", |b| {
            b.employee("e-dan").name = "D. Coe".into();
        }),
        ("dan's employee is restored, and not unmatched", Begun::restored),
        ("dan is unmatched", |b| {
            b.restored();
            b.example.record("dan").applied = None;
        }),
        ("cat is deactivated", |b| b.employee("e-cat").deactivated = true),
        ("eve's match is in force", |b| {
            b.example.in_force("eve", "e-eve", &[])
        }),
        ("all but cat is done", |b| {
            b.bob_is_known();
            let title = AppliedTitle("Engineer");
            b.example.record("bob").applied.as_mut().unwrap().fields = title.fields("new");
            b.employee("e-ann").name = "Ann Doe".into();
            b.employee("e-ann").team = "Sales".into();
            b.restored();
            b.example.record("dan").applied = None;
        }),
        ("ann, who is not written yet, is ignored", |b| {
            b.example.matched("ann", &[]);
            b.example.record("ann").decision = Decision::Ignore;
            b.statuses.get_mut(&"ann".into()).unwrap().1 = 2;
        }),
        ("ann no longer has a name", |b| {
            b.example.people[0].given_name = None;
            b.example.people[0].family_name = None;
        }),
    ];
    for (case, happens) in cases {
        let mut begun = Begun::of(every_kind());
        happens(&mut begun);
        assert_eq!(begun.verdict(), "remainder", "{case}");
    }
}

/// A title on record.
struct AppliedTitle(&'static str);

impl AppliedTitle {
    fn fields(&self, employee: &str) -> Vec<crate::api::AppliedField> {
        let employee = EmployeeId::from(employee);
        vec![crate::rules::record::image(
            &employee,
            Field::Title,
            None,
            self.0.into(),
        )]
    }
}

#[test]
fn a_plan_with_a_write_that_the_admin_did_not_see_is_held() {
    type Happens = fn(&mut Begun);
    let cases: [(&str, Happens, &str); 22] = [
        (
            "ann gets another name",
            |b| b.example.people[0].family_name = Some("Dow".into()),
            "held",
        ),
        (
            "ann gets a title too",
            |b| b.example.people[0].title = Some("Lead".into()),
            "held",
        ),
        (
            "ann's employee was renamed by somebody",
            |b| b.employee("e-ann").name = "Ann D.".into(),
            "held",
        ),
        (
            "fay gets a title",
            |b| b.example.people[5].title = Some("Lead".into()),
            "held",
        ),
        (
            "fay departs",
            |b| b.example.people[5].status = OktaStatus::Deprovisioned,
            "held",
        ),
        (
            "fay's match is unmatched",
            |b| b.example.record("fay").decision = Decision::Ignore,
            "held",
        ),
        (
            "dan's match has one more employee to unmatch",
            |b| {
                let applied = b.example.record("dan").applied.as_mut().unwrap();
                applied.employee_ids.push("e-more".into());
            },
            "held",
        ),
        (
            "ann is matched to another employee, whom she equals",
            |b| {
                b.employee("e-ann").email = "somebody@acme.com".into();
                b.example.employee("e-other", "Ann Doe", "ann@acme.com");
                b.example.matched("ann", &["e-other"]);
            },
            "held",
        ),
        (
            "the decision about bob was changed and says the same",
            |b| b.statuses.get_mut(&"bob".into()).unwrap().1 = 2,
            "held",
        ),
        (
            "the decision about dan, who is only unmatched, was changed",
            |b| {
                b.restored();
                b.statuses.get_mut(&"dan".into()).unwrap().1 = 2;
            },
            "held",
        ),
        (
            "the decision about eve, who needs no write, was changed",
            |b| b.statuses.get_mut(&"eve".into()).unwrap().1 = 2,
            "held",
        ),
        (
            "eve waited for a decision",
            |b| b.status_of("eve").state = Some(MatchState::Review),
            "held",
        ),
        (
            "bob is matched with an employee that nobody invited",
            |b| {
                b.bob_is_invited();
                b.example.matched("bob", &["new"]);
            },
            "held",
        ),
        (
            "bob's invitation was not announced",
            |b| b.status_of("bob").changes.clear(),
            "held",
        ),
        (
            "bob would get other shared settings",
            |b| {
                let applying = b.status.applying.as_mut().unwrap();
                applying.shared_settings = Some("Strict".into());
            },
            "held",
        ),
        (
            "ann's status is gone",
            |b| {
                b.statuses.remove(&"ann".into());
            },
            "held",
        ),
        (
            "there is one more new team",
            |b| {
                b.example.person("gus", "Gus", "Low", "Legal");
                b.example.record("gus").decision = Decision::Ignore;
            },
            "held",
        ),
        (
            "the new team was not to be created",
            |b| b.status.teams.iter_mut().for_each(|team| team.pending = None),
            "held",
        ),
        (
            "another plan is approved",
            |b| b.example.spec.approved_plan = Some("sha256:other".into()),
            "held",
        ),
        (
            "no plan is approved",
            |b| b.example.spec.approved_plan = None,
            "held",
        ),
        (
            "the integration is no longer finalized",
            |b| b.example.spec.finalized = false,
            "not finalized",
        ),
        (
            "Okta's response lacks many people",
            |b| {
                for id in ["hal", "ida", "jim"] {
                    b.example.in_force(id, &format!("e-{id}"), &[]);
                    b.example.employee(&format!("e-{id}"), id, id);
                }
            },
            "held",
        ),
    ];
    for (case, happens, verdict) in cases {
        let mut begun = Begun::of(every_kind());
        // Part of it is written, so that the next plan is not the approved one itself.
        begun.employee("e-cat").deactivated = true;
        assert_eq!(begun.verdict(), "remainder", "{case}");
        happens(&mut begun);
        assert_eq!(begun.verdict(), verdict, "{case}");
    }
}

#[test]
fn a_plan_that_needs_no_approval_is_not_put_on_record() {
    let mut example = every_kind();
    example.spec.approval = Approval::Guarded;
    let begun = Begun::of(example);
    assert_eq!(begun.status.applying, None);
    assert!(begun.status.teams.iter().any(|team| team.pending.is_some()));
    assert_eq!(begun.verdict(), "within the guard");
}

#[test]
fn a_plan_is_announced_if_the_statuses_show_exactly_its_writes() {
    type Happens = fn(&mut Begun);
    let cases: [(&str, Happens, bool); 5] = [
        ("nothing", |_| (), true),
        (
            "a change is missing",
            |b| b.status_of("ann").changes.truncate(1),
            false,
        ),
        (
            "fay's status still has what was planned before",
            |b| b.status_of("fay").changes = b.status_of("ann").changes.clone(),
            false,
        ),
        (
            "an unmatch is missing",
            |b| b.status_of("dan").unmatching.clear(),
            false,
        ),
        (
            "a decision was changed in the meantime",
            |b| b.statuses.get_mut(&"fay".into()).unwrap().1 = 2,
            false,
        ),
    ];
    for (case, happens, expected) in cases {
        let mut begun = Begun::of(every_kind());
        let assessment = begun.example.assess();
        happens(&mut begun);
        assert_eq!(
            is_announced(&assessment, &begun.announcements()),
            expected,
            "{case}"
        );
    }
}

#[test]
fn a_plan_with_thousands_of_teams_is_recorded_and_resumed() {
    let mut example = every_kind();
    for number in 0..4000 {
        example.groups.push(TeamGroup {
            id: format!("00g{number:017}").as_str().into(),
            name: format!("P_{number:05} Copenhagen"),
            members: BTreeSet::new(),
        });
    }
    let mut begun = Begun::of(example);
    let stored = serde_json::to_vec(&begun.status).unwrap().len();
    assert!(stored < 1_200_000, "what etcd takes with all the rest: {stored}");
    assert_eq!(begun.status.teams_omitted, 0);
    begun.employee("e-cat").deactivated = true;
    assert_eq!(begun.verdict(), "remainder");
    begun.example.groups.last_mut().unwrap().name = "P_Another".into();
    assert_eq!(begun.verdict(), "held", "a name that the admin did not see");
}
