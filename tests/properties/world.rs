//! The world of a story: Okta, Insightful, and the records in the cluster. A cycle does the same as the
//! controller's, with the same rules and without I/O, and can end at any step of its apply, as if the process
//! had crashed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use okta_insightful_operator::{
    api::{
        AppliedField, Decision, EmployeeCounts, EmployeeMatchStatus, Field, GuardStatus, OktaIntegrationSpec,
        OktaIntegrationStatus, Pending, PendingOperation, Reviewed, SuspendedPolicy,
    },
    model::{
        Complete, Directory, Employee, EmployeeId, EmployeeUpdate, OktaStatus, Person, PersonId,
        SharedSettings, Snapshot, Team, TeamGroup, TeamId, Workforce,
    },
    rules::{
        approval::{self, Announced, Announcements},
        assessment::{Assessment, bindings},
        guard::{self, Circumstances, Verdict},
        pending::{self, Deferred},
        plan::{
            Creation, Deactivation, MatchInForce, NewTeam, NotRestored, Plan, PlanStep, Restore,
            RestoreWrite, TeamTarget, Update, fields, is_ours, unmatch,
        },
        record::{self, Overwrite},
        resolve::{self, Record, Records},
        status::{
            self, ApplySummary, Cycle, IntegrationMeta, MatchStatuses, SyncTimes, SyncedCycle, WriteFailures,
        },
        teams::{Binding, Bindings},
    },
};

use crate::story::{
    AGENCY, Decided, ForeignEdit, GROUPS, Happening, OTHER_TEAMS, OktaEdit, Story, exclusions, named,
};

/// The time of every event: no plan depends on it.
pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The values of an employee that others wrote last: unmatching everybody must restore them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theirs {
    pub name: String,
    pub email: String,
    pub team: TeamId,
}

impl Theirs {
    fn of(employee: &Employee) -> Self {
        Self {
            name: employee.name.clone(),
            email: employee.email.clone(),
            team: employee.team.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub spec: OktaIntegrationSpec,
    pub people: BTreeMap<PersonId, Person>,
    /// People whom Okta, asked by id, no longer has.
    deleted: BTreeSet<PersonId>,
    pub members: BTreeMap<usize, BTreeSet<PersonId>>,
    pub employees: BTreeMap<EmployeeId, Employee>,
    pub teams: BTreeMap<TeamId, Team>,
    /// Insightful's id of the organisation.
    organization: String,
    /// The integration's uid.
    uid: String,
    pub records: Records,
    pub status: OktaIntegrationStatus,
    /// The statuses of the matches as of the last preview.
    pub statuses: BTreeMap<PersonId, EmployeeMatchStatus>,
    /// How often each decision was changed.
    generations: BTreeMap<PersonId, i64>,
    /// See [`Theirs`].
    pub theirs: BTreeMap<EmployeeId, Theirs>,
    /// Employees whose former email somebody else had when they were unmatched: it is not restored later.
    pub not_restored: BTreeSet<EmployeeId>,
    /// Whether Insightful stores names in capitals.
    pub capitals: bool,
    /// The records as of the last backup.
    backup: Records,
    /// Requests without a response that take effect after the next cycle.
    late: Vec<Late>,
    /// A counter for unique ids and values.
    fresh: usize,
}

/// A request that takes effect after the process that sent it crashed.
#[derive(Clone, Debug)]
enum Late {
    Team(Team),
    Employee(PersonId, Employee),
}

/// The process crashed.
struct Crashed;

impl World {
    /// The world on the day of the installation.
    pub fn of(story: &Story) -> Self {
        let team = |name: &str| Team {
            id: name.into(),
            name: name.into(),
            default: name == "Default",
        };
        let teams = OTHER_TEAMS
            .into_iter()
            .map(team)
            .chain(story.teams.iter().cloned());
        let mut world = Self {
            spec: story.spec.clone(),
            people: BTreeMap::new(),
            deleted: BTreeSet::new(),
            members: (0..GROUPS.len()).map(|group| (group, BTreeSet::new())).collect(),
            employees: story
                .employees
                .iter()
                .map(|e| (e.id.clone(), e.clone()))
                .collect(),
            teams: teams.map(|team| (team.id.clone(), team)).collect(),
            organization: "acme".to_owned(),
            uid: "0b6e7c1e-3f0e-4d59-9a0a-7f6f3f8a2d11".to_owned(),
            records: Records::new(),
            status: OktaIntegrationStatus::default(),
            statuses: BTreeMap::new(),
            generations: BTreeMap::new(),
            theirs: story
                .employees
                .iter()
                .map(|e| (e.id.clone(), Theirs::of(e)))
                .collect(),
            not_restored: BTreeSet::new(),
            capitals: story.capitals,
            backup: Records::new(),
            late: Vec::new(),
            fresh: 0,
        };
        for (person, groups) in &story.people {
            world.okta_says(person.clone(), groups);
        }
        world
    }

    /// The world at the end of the story.
    pub fn after(story: &Story) -> Self {
        let mut world = Self::of(story);
        for happening in &story.happenings {
            world.happens(happening);
        }
        world
    }

    /// Makes an event happen. Returns the plan if it is a cycle.
    pub fn happens(&mut self, happening: &Happening) -> Option<Plan> {
        match happening {
            Happening::Cycle(steps) => return Some(self.cycle(*steps)),
            Happening::Okta(who, person, groups) => {
                let mut person = Person::clone(person);
                named(&mut person, *who);
                self.okta_says(person, groups);
            }
            Happening::Edit(who, of, new, groups) => {
                let id = PersonId::from(format!("p{who}"));
                let person = self.people.get_mut(&id)?;
                match of {
                    OktaEdit::Name => {
                        person.given_name = new.given_name.clone();
                        person.family_name = new.family_name.clone();
                    }
                    OktaEdit::Email => person.email = new.email.clone(),
                    OktaEdit::Title => person.title = new.title.clone(),
                    OktaEdit::Groups => self.is_in(&id, groups),
                    OktaEdit::Agency => person.attributes = new.attributes.clone(),
                }
            }
            Happening::Vanishes(who) | Happening::IsDeleted(who) => {
                let id = PersonId::from(format!("p{who}"));
                self.is_in(&id, &[]);
                self.people.remove(&id);
                if matches!(happening, Happening::IsDeleted(_)) {
                    self.deleted.insert(id);
                }
            }
            Happening::Returns(who) => {
                let former = PersonId::from(format!("p{who}"));
                let mut new = self.people.get(&former)?.clone();
                named(&mut new, who + 5);
                let is_member = |(group, members): (&usize, &BTreeSet<PersonId>)| {
                    members.contains(&former).then_some(*group)
                };
                let groups: Vec<usize> = self.members.iter().filter_map(is_member).collect();
                self.people.get_mut(&former)?.status = OktaStatus::Deprovisioned;
                self.okta_says(new, &groups);
            }
            Happening::OtherOrg => self.other_org(),
            Happening::OtherOrganization => self.other_organization(),
            Happening::MovesComputer(employee) => self.moves_computer(*employee),
            Happening::IsRemoved(employee) => {
                let id = self.employee(*employee);
                if self.employees.len() > 1 {
                    self.employees.remove(&id);
                    self.theirs.remove(&id);
                }
            }
            Happening::MatchIsDeleted(who) => {
                let id = PersonId::from(format!("p{who}"));
                if let Some(record) = self.records.remove(&id) {
                    self.forget(&record);
                }
                self.statuses.remove(&id);
            }
            Happening::Backup => self.backup = self.records.clone(),
            Happening::RestoresBackup => self.is_restored(),
            Happening::Decide(who, decided) => self.decide(*who, decided),
            Happening::Foreign(employee, edit) => self.somebody_edits(*employee, *edit),
            Happening::Excludes(are_set) => self.spec.okta.exclude = exclusions(*are_set),
        }
        None
    }

    fn other_org(&mut self) {
        self.fresh += 1;
        let new = |id: &PersonId| PersonId::from(format!("{id}-{}", self.fresh));
        let people = self.people.values().map(|person| Person {
            id: new(&person.id),
            ..person.clone()
        });
        let people = people.map(|person| (person.id.clone(), person)).collect();
        let members = self
            .members
            .iter()
            .map(|(group, members)| (*group, members.iter().map(new).collect()));
        let members = members.collect();
        // Okta says of each of the former ids that it does not exist.
        self.deleted
            .extend(std::mem::replace(&mut self.people, people).into_keys());
        self.members = members;
        self.spec.okta.org_url = format!("https://org{}.okta.com", self.fresh);
    }

    fn other_organization(&mut self) {
        self.fresh += 1;
        self.organization = format!("organization{}", self.fresh);
        self.late.clear();
        let new = |id: &str| format!("{id}-{}", self.fresh);
        let teams = self.teams.values().map(|team| Team {
            id: new(team.id.as_str()).into(),
            ..team.clone()
        });
        self.teams = teams.map(|team| (team.id.clone(), team)).collect();
        let employees = self.employees.values().map(|employee| Employee {
            id: new(employee.id.as_str()).into(),
            team: new(employee.team.as_str()).into(),
            ..employee.clone()
        });
        self.employees = employees
            .map(|employee| (employee.id.clone(), employee))
            .collect();
        let theirs = self.employees.iter();
        self.theirs = theirs
            .map(|(id, employee)| (id.clone(), Theirs::of(employee)))
            .collect();
    }

    fn moves_computer(&mut self, number: usize) {
        self.fresh += 1;
        let id = self.employee(number);
        let Some(former) = self.employees.get_mut(&id).filter(|former| !former.deactivated) else {
            return;
        };
        let new = Employee {
            id: format!("m{}", self.fresh).into(),
            email: String::new(),
            identifier: format!("DESKTOP-{}", self.fresh),
            ..former.clone()
        };
        former.deactivated = true;
        self.theirs.insert(new.id.clone(), Theirs::of(&new));
        self.employees.insert(new.id.clone(), new);
    }

    /// The objects are created again from the backup: with another uid, and without statuses.
    fn is_restored(&mut self) {
        // Nobody restores a cluster within the minutes in which a request can still take effect.
        self.late_effects();
        self.fresh += 1;
        self.uid = format!("restored{}", self.fresh);
        self.status = OktaIntegrationStatus::default();
        self.statuses.clear();
        self.generations.clear();
        let records = self.backup.iter().map(|(id, record)| {
            let record = Record {
                applied: None,
                pending: None,
                state: None,
                ..record.clone()
            };
            (id.clone(), record)
        });
        let records = records.collect();
        for record in std::mem::replace(&mut self.records, records).values() {
            self.forget(record);
        }
    }

    /// Nobody knows any more what an employee held before the match of this record.
    fn forget(&mut self, record: &Record) {
        for field in record.applied.iter().flat_map(|applied| &applied.fields) {
            let id = EmployeeId::from(field.employee_id.as_str());
            if let Some(employee) = self.employees.get(&id) {
                self.theirs.insert(id, Theirs::of(employee));
            }
        }
    }

    fn okta_says(&mut self, person: Person, groups: &[usize]) {
        self.is_in(&person.id, groups);
        self.deleted.remove(&person.id);
        self.people.insert(person.id.clone(), person);
    }

    fn is_in(&mut self, person: &PersonId, groups: &[usize]) {
        for (group, members) in &mut self.members {
            if groups.contains(group) {
                members.insert(person.clone());
            } else {
                members.remove(person);
            }
        }
    }

    /// Decides as the API server allows: see the CEL rules of EmployeeMatch.
    fn decide(&mut self, who: usize, decided: &Decided) {
        let mut employees: Vec<EmployeeId> = Vec::new();
        for number in &decided.employees {
            let employee = self.employee(*number);
            if !employees.contains(&employee) {
                employees.push(employee);
            }
        }
        if decided.decision != Decision::Match {
            employees.clear();
        }
        let rejected = decided.rejected.iter().map(|number| self.employee(*number));
        let rejected = rejected
            .filter(|employee| !employees.contains(employee))
            .collect();
        let id = PersonId::from(format!("p{who}"));
        *self.generations.entry(id.clone()).or_default() += 1;
        let record = self.records.entry(id).or_default();
        record.decision = decided.decision;
        record.employee_ids = employees;
        record.rejected = rejected;
    }

    /// An employee by number; sometimes one that Insightful does not have.
    fn employee(&self, number: usize) -> EmployeeId {
        let ids: Vec<&EmployeeId> = self.employees.keys().collect();
        match number % 32 {
            0 => "nobody".into(),
            _ => ids[number % ids.len()].clone(),
        }
    }

    fn somebody_edits(&mut self, number: usize, edit: ForeignEdit) {
        self.fresh += 1;
        let id = self.employee(number);
        let person = match edit {
            ForeignEdit::HandOn(who) => self.people.get(&format!("p{who}").as_str().into()).cloned(),
            _ => None,
        };
        let email = person.as_ref().and_then(|person| person.email.clone());
        let is_free = |email: &String| {
            !self
                .employees
                .values()
                .any(|other| other.email.eq_ignore_ascii_case(email))
        };
        let email = email.filter(is_free);
        let (Some(employee), Some(theirs)) = (self.employees.get_mut(&id), self.theirs.get_mut(&id)) else {
            return;
        };
        match edit {
            ForeignEdit::Name => {
                employee.name = format!("Name {}", self.fresh);
                theirs.name = employee.name.clone();
            }
            ForeignEdit::Email => {
                employee.email = format!("{}@elsewhere.com", self.fresh);
                theirs.email = employee.email.clone();
                self.not_restored.remove(&id);
            }
            ForeignEdit::NoEmail => {
                employee.email.clear();
                theirs.email.clear();
                self.not_restored.remove(&id);
            }
            ForeignEdit::Team(team) => {
                let team = self.teams.values().find(|known| known.name == OTHER_TEAMS[team]);
                employee.team = team.unwrap().id.clone();
                theirs.team = employee.team.clone();
            }
            ForeignEdit::Deactivate => employee.deactivated = true,
            ForeignEdit::HandOn(_) => {
                let name = person.and_then(|person| person.full_name());
                if let Some(name) = name.filter(|name| !name.eq_ignore_ascii_case(&employee.name)) {
                    theirs.name = name.clone();
                    employee.name = name;
                }
                if let Some(email) = email {
                    theirs.email = email.clone();
                    employee.email = email;
                    self.not_restored.remove(&id);
                }
            }
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_in(|_| {})
    }

    /// The snapshot of the same facts with each list in another order.
    pub fn reversed_snapshot(&self) -> Snapshot {
        self.snapshot_in(|lists| {
            lists.0.reverse();
            lists.1.reverse();
            lists.2.reverse();
            lists.3.reverse();
        })
    }

    fn snapshot_in(
        &self,
        order: impl Fn(&mut (Vec<Person>, Vec<TeamGroup>, Vec<Employee>, Vec<Team>)),
    ) -> Snapshot {
        let groups = self.members.iter().map(|(number, members)| TeamGroup {
            id: format!("g{number}").into(),
            name: format!("P_{}", GROUPS[*number]),
            members: members.clone(),
        });
        // A group without members is left out, so that not every story has two groups of the same name.
        let groups = groups.filter(|group| !group.members.is_empty());
        let mut lists = (
            self.people.values().cloned().collect(),
            groups.collect(),
            self.employees.values().cloned().collect(),
            self.teams.values().cloned().collect(),
        );
        order(&mut lists);
        let settings = SharedSettings {
            id: "Standard".into(),
            name: "Standard".into(),
            default: true,
        };
        let mut snapshot = Snapshot::new(
            Directory::new(
                Complete::from_all_pages(lists.0),
                Complete::from_all_pages(lists.1),
            ),
            Workforce {
                employees: Complete::from_all_pages(lists.2),
                teams: Complete::from_all_pages(lists.3),
                settings: Complete::from_all_pages(vec![settings]),
                unreadable: Default::default(),
                organization: Some(self.organization.clone()),
            },
        );
        snapshot.set_deleted(self.deleted.iter().cloned());
        let mut names = resolve::former_names(&snapshot, &self.records);
        names.extend(self.statuses.iter().filter_map(|(id, status)| {
            let is_missing = !self.people.contains_key(id);
            Some((
                id.clone(),
                status.person.as_ref().filter(|_| is_missing)?.name.clone(),
            ))
        }));
        snapshot.set_former_names(names);
        snapshot
    }

    /// Whether the rule excludes a person.
    pub fn excludes(&self, id: &PersonId) -> bool {
        let person = self.people.get(id);
        !self.spec.okta.exclude.is_empty()
            && person.is_some_and(|person| person.attribute(AGENCY).next().is_some())
    }

    /// Whether an invitation of this email was sent, and its outcome is not known yet.
    fn is_invited(&self, email: &str) -> bool {
        let pending = self.records.values().filter_map(|record| record.pending.as_ref());
        let mut emails = pending.filter_map(|pending| pending.email.as_deref());
        emails.any(|invited| invited.eq_ignore_ascii_case(email))
    }

    /// Every field on record.
    pub fn fields_on_record(&self) -> impl Iterator<Item = &AppliedField> {
        let applied = self.records.values().filter_map(|record| record.applied.as_ref());
        applied.flat_map(|applied| &applied.fields)
    }

    /// Whether a field on record can still be restored.
    pub fn holds(&self, field: &AppliedField) -> bool {
        let Some(employee) = self.employees.get(&field.employee_id.as_str().into()) else {
            return false;
        };
        let now = match field.field {
            Field::Name => &employee.name,
            Field::Email => &employee.email,
            Field::Team => employee.team.as_str(),
            Field::Title | Field::Active | Field::Settings => return true,
        };
        let is_now = |value: &str| fields::is_same(field.field, value, now);
        !field.before.as_deref().is_some_and(is_now) && is_ours(field, now)
    }

    pub fn assess(&self) -> Assessment {
        self.assess_with(&bindings(&self.status))
    }

    fn assess_with(&self, bindings: &Bindings) -> Assessment {
        let spent = self.guard().spent_plan;
        Assessment::of(&self.snapshot(), &self.spec, &self.records, bindings).after(spent.as_ref())
    }

    /// What the guard remembers.
    pub fn guard(&self) -> GuardStatus {
        GuardStatus::recall(&self.status, &self.spec)
    }

    /// What the guard remembers at the beginning of a cycle.
    pub fn recall(&mut self) {
        let mut guard = self.guard();
        guard.count_matches(self.records.len());
        self.status.guard = Some(guard);
    }

    pub fn judge(&self, assessment: &Assessment) -> Verdict {
        let circumstances = Circumstances {
            uid: &self.uid,
            spec: &self.spec,
            snapshot: &self.snapshot(),
            records: &self.records,
            memory: &self.guard(),
            applying: None,
            now: NOW,
        };
        guard::judge(assessment, &circumstances)
    }

    pub fn review(&self) -> Reviewed {
        Reviewed::now(&self.uid, &self.spec, &self.snapshot())
    }

    /// The announcements of the last preview, with what an apply has put on record since.
    pub fn announcements(&self) -> Announcements {
        let statuses = self.statuses.iter().map(|(id, status)| {
            let record = &self.records[id];
            let mut status = status.clone();
            status.applied = record.applied.clone();
            status.pending = record.pending.clone();
            (id.clone(), Announced::by(&status, Some(self.generation(id))))
        });
        statuses.collect()
    }

    fn generation(&self, person: &PersonId) -> i64 {
        self.generations.get(person).copied().unwrap_or_default()
    }

    /// Writes the EmployeeMatches and their statuses.
    fn preview(&mut self, assessment: &Assessment) {
        let snapshot = self.snapshot();
        let failures = WriteFailures::new();
        let verdict = self.judge(assessment);
        for id in assessment.resolved.keys() {
            let generation = Some(self.generation(id));
            let record = self.records.entry(id.clone()).or_default();
            let previous = self.statuses.remove(id).unwrap_or_default();
            let statuses = MatchStatuses {
                snapshot: &snapshot,
                spec: &self.spec,
                assessment,
                verdict: &verdict,
                failures: &failures,
                read_at: NOW,
                now: NOW,
            };
            let status = statuses.of(id, record, &(&previous).into(), generation);
            record.state = status.state;
            record.applied = status.applied.clone();
            self.statuses.insert(id.clone(), status);
        }
    }

    /// The person who works here and whose record the employee of somebody else is by its email, or by its name.
    pub fn reached(&self, holder: &PersonId, employee: &EmployeeId) -> Option<&PersonId> {
        let employee = &self.employees[employee];
        let suspended_departs = self.spec.okta.suspended == SuspendedPolicy::Deactivate;
        let name = |person: &Person| person.full_name().map(|name| name.to_lowercase());
        let now = employee.name.to_lowercase();
        let has_name = |holder: &Person| name(holder).as_ref() == Some(&now);
        let written = self
            .records
            .get(holder)
            .and_then(|record| record.applied.as_ref());
        let mut written = written.into_iter().flat_map(|applied| &applied.fields);
        let is_own_name = self.people.get(holder).is_some_and(has_name)
            || written.any(|field| field.field == Field::Name && is_ours(field, &employee.name));
        let is_reached = |person: &&Person| {
            let email = person
                .email
                .as_ref()
                .map(|email| email.to_lowercase())
                .filter(|email| !email.is_empty());
            let has_rejected = self.records.get(&person.id);
            person.id != *holder
                && person.departure(suspended_departs).is_none()
                && !has_rejected.is_some_and(|record| record.rejected.contains(&employee.id))
                && (email == Some(employee.email.to_lowercase())
                    || (!is_own_name && name(person) == Some(now.clone())))
        };
        self.people.values().find(is_reached).map(|person| &person.id)
    }

    /// Runs a cycle whose plan is approved, and returns the plan. With `steps`, the process crashes after
    /// that many steps of the apply.
    pub fn cycle(&mut self, steps: Option<usize>) -> Plan {
        self.recall();
        let decisions = self.decisions();
        let mut bindings = bindings(&self.status);
        let mut assessment = self.assess_with(&bindings);
        self.preview(&assessment);
        assessment = self.assess_with(&bindings);
        let plan = Plan::clone(&assessment.plan);
        self.spec.approved_plan = Some(plan.hash());
        let verdict = self.judge(&assessment);
        let cleared = verdict.cleared().expect("an approved plan is cleared");
        // Without a late effect, the time in which a request can take effect has passed.
        let passed = if self.late.is_empty() {
            pending::OUTCOME_WAIT * 2
        } else {
            Duration::ZERO
        };
        let deferred = Deferred::of(&plan, &self.records, &bindings, NOW + passed);
        let is_deferred = deferred.until.is_some();
        let mut done = None;
        let mut guard = self.guard();
        guard.begin(cleared, &verdict, self.review());
        if !plan.is_empty() {
            let teams = status::team_statuses(&self.snapshot(), &assessment);
            assert!(approval::is_announced(&assessment, &self.announcements()));
            let sent = plan
                .teams
                .iter()
                .filter(|team| !deferred.teams.contains(&team.group));
            bindings.pending.extend(sent.map(|team| {
                let request = request(PendingOperation::CreateTeam, &team.name, None);
                (team.group.clone(), request)
            }));
            let pending = &bindings.pending;
            self.status = approval::begun(self.status.clone(), teams, pending, cleared, guard.clone(), NOW);
            let mut apply = Apply {
                bindings: &mut bindings,
                steps: steps.unwrap_or(usize::MAX),
                deferred,
                world: self,
            };
            let ended = apply.plan(cleared.clone().into_inner());
            assert_eq!(self.decisions(), decisions, "a cycle changes no decision");
            if ended.is_err() {
                return plan;
            }
            done = Some(ApplySummary {
                plan: plan.hash(),
                completed: !is_deferred,
                ..ApplySummary::default()
            });
            if !is_deferred {
                guard.complete(&plan.hash(), &verdict);
            }
            self.status.guard = Some(guard.clone());
            assessment = self.assess_with(&bindings);
            self.preview(&assessment);
        }
        let guard = guard.shown(
            &verdict,
            self.records.len(),
            assessment.plan.is_empty(),
            None,
            NOW,
        );
        self.report(&assessment, &guard, done.as_ref());
        self.late_effects();
        plan
    }

    fn late_effects(&mut self) {
        for late in std::mem::take(&mut self.late) {
            match late {
                Late::Team(team) => {
                    self.teams.insert(team.id.clone(), team);
                }
                Late::Employee(_, employee) => {
                    let mut others = self.employees.values();
                    if others.all(|other| !other.email.eq_ignore_ascii_case(&employee.email)) {
                        self.theirs.insert(employee.id.clone(), Theirs::of(&employee));
                        self.employees.insert(employee.id.clone(), employee);
                    }
                }
            }
        }
    }

    fn decisions(&self) -> BTreeMap<PersonId, (Decision, Vec<EmployeeId>, BTreeSet<EmployeeId>)> {
        let decided = self
            .records
            .iter()
            .filter(|(_, record)| record.decision != Decision::Auto || !record.rejected.is_empty());
        let decision = |record: &Record| {
            (
                record.decision,
                record.employee_ids.clone(),
                record.rejected.clone(),
            )
        };
        decided
            .map(|(id, record)| (id.clone(), decision(record)))
            .collect()
    }

    /// Runs cycles until the plan is empty.
    ///
    /// A plan can make room for another one: an email becomes free, or an unmatched employee fits another
    /// person. But a person in sync stays in sync while nothing else happens, so that each further plan syncs
    /// at least one more.
    pub fn cycle_until_in_sync(&mut self) {
        let most = self.people.len().max(self.records.len()) + 3;
        for _ in 0..=most {
            if self.cycle(None).is_empty() {
                return;
            }
        }
        panic!(
            "still not in sync after {most} plans: next is {:#?}",
            self.assess().plan
        );
    }

    fn report(&mut self, assessment: &Assessment, guard: &GuardStatus, applied: Option<&ApplySummary>) {
        let cycle = Cycle::Synced(SyncedCycle {
            snapshot: &self.snapshot(),
            assessment,
            records: &self.records,
            employees: EmployeeCounts::default(),
            unusable: &[],
            verdict: &Verdict::default(),
            guard,
            applying: None,
            applied,
            failures: &WriteFailures::new(),
            disconnected: None,
            times: SyncTimes::default(),
            history: None,
        });
        let meta = IntegrationMeta {
            namespace: "people",
            name: "acme",
            generation: Some(1),
            sync_request: None,
        };
        self.status = status::integration_status(&self.status, &self.spec, meta, &cycle, NOW);
    }
}

/// A request that is about to be sent.
fn request(operation: PendingOperation, name: &str, email: Option<&str>) -> Pending {
    pending::request(operation, name, email, NOW, pending::OUTCOME_WAIT)
}

/// Does the same as the controller's apply. The process can crash between any two writes, of a record or to
/// Insightful.
struct Apply<'a> {
    world: &'a mut World,
    bindings: &'a mut Bindings,
    deferred: Deferred,
    steps: usize,
}

impl Apply<'_> {
    fn plan(&mut self, plan: Plan) -> Result<(), Crashed> {
        let Deferred { teams, people, .. } = self.deferred.clone();
        let goes_on = |person: &PersonId| !people.contains(person);
        for step in plan.into_steps() {
            match step {
                PlanStep::PutIntoForce(matches) => {
                    for (person, in_force) in matches.into_iter().filter(|(person, _)| goes_on(person)) {
                        self.put_into_force(&person, in_force)?;
                    }
                }
                PlanStep::CreateTeam(team) if !teams.contains(&team.group) => self.create_team(team)?,
                PlanStep::Create(creation) if goes_on(&creation.person) => self.create(creation)?,
                PlanStep::Update(update) if goes_on(&update.person) => self.update(update)?,
                PlanStep::Restore(restore) if goes_on(&restore.person) => self.restore(restore)?,
                PlanStep::Deactivate(deactivation) if goes_on(&deactivation.person) => {
                    self.deactivate(deactivation)?;
                }
                PlanStep::Unmatch(person, employees) if goes_on(&person) => {
                    self.unmatch(&person, &employees)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn create_team(&mut self, NewTeam { group, name }: NewTeam) -> Result<(), Crashed> {
        let id = TeamId::from(self.fresh("t"));
        let is_same = |late: &Late| matches!(late, Late::Team(team) if team.name == name);
        let known = self.world.teams.values().any(|known| known.name == name);
        assert!(
            !known && !self.world.late.iter().any(is_same),
            "a second team {name}"
        );
        let created = Team {
            id: id.clone(),
            name,
            default: false,
        };
        if self.step().is_err() {
            self.world.late.push(Late::Team(created));
            return Err(Crashed);
        }
        self.world.teams.insert(id.clone(), created);
        let binding = Binding {
            team: id,
            created: true,
        };
        self.bindings.pending.remove(&group);
        self.bindings.bound.insert(group, binding);
        Ok(())
    }

    fn create(&mut self, creation: Creation) -> Result<(), Crashed> {
        let Creation {
            person,
            name,
            email,
            team,
            settings,
            title,
            ..
        } = creation;
        let team = self.team_id(&team).expect("the team was created before");
        self.edit(&person, |record| {
            record.pending = Some(request(PendingOperation::CreateEmployee, &name, Some(&email)));
        })?;
        let is_same = |late: &Late| matches!(late, Late::Employee(invited, _) if *invited == person);
        assert!(
            !self.world.late.iter().any(is_same),
            "a second invitation of {person}"
        );
        let created = Employee {
            id: self.fresh("n").into(),
            name: self.stored(name),
            identifier: email.clone(),
            email,
            team,
            settings: Some(settings),
            deactivated: false,
            created_at: Some(NOW.as_millisecond()),
        };
        self.check_email_is_free(&created.id, &created.email);
        if self.step().is_err() {
            self.world.late.push(Late::Employee(person, created));
            return Err(Crashed);
        }
        let employee = created.id.clone();
        self.world.theirs.insert(employee.clone(), Theirs::of(&created));
        self.world.employees.insert(employee.clone(), created);
        self.edit(&person, |record| {
            record.pending = None;
            record.applied = Some(record::invited(record.applied.take(), &employee, NOW));
        })?;
        let Some(title) = title else { return Ok(()) };
        self.update(Update::of_title(person, employee, title))
    }

    fn update(&mut self, update: Update) -> Result<(), Crashed> {
        let (person, employee) = (update.person.clone(), update.employee.clone());
        let overwrite = Overwrite::of(update, |target| self.team_id(target));
        let overwrite = overwrite.expect("the team was created before");
        self.record(&person, overwrite.images.clone())?;
        self.put(&employee, overwrite.body.clone())?;
        let effect = overwrite.answered(&self.world.employees[&employee]);
        if effect.is_none() {
            return Ok(());
        }
        self.edit(&person, |record| {
            record.applied = record.applied.take().map(|applied| effect.on(applied));
        })
    }

    fn restore(&mut self, restore: Restore) -> Result<(), Crashed> {
        let employee = restore.employee.clone();
        let RestoreWrite {
            body,
            restored: _,
            not_restored,
        } = RestoreWrite::of(restore, &self.world.employees[&employee]);
        if not_restored.contains(&(Field::Email, NotRestored::EmailTaken)) {
            let of_email =
                |field: &&AppliedField| field.field == Field::Email && field.employee_id == employee.as_str();
            let email = self.world.fields_on_record().find(of_email).unwrap();
            let before = email.before.as_ref().unwrap();
            let is_free = self.holder(&employee, before).is_none() && !self.world.is_invited(before);
            assert!(!is_free, "{before} is free");
            self.world.not_restored.insert(employee.clone());
        }
        if not_restored.contains(&(Field::Email, NotRestored::Empty)) {
            self.world.not_restored.insert(employee.clone());
        }
        if body == EmployeeUpdate::default() {
            return Ok(());
        }
        self.put(&employee, body)
    }

    fn stored(&self, name: String) -> String {
        if self.world.capitals {
            name.to_uppercase()
        } else {
            name
        }
    }

    fn deactivate(&mut self, deactivation: Deactivation) -> Result<(), Crashed> {
        let Deactivation {
            person,
            employee,
            evidence,
        } = deactivation;
        assert_eq!(evidence.person(), &person);
        assert_eq!(
            evidence.is_by_decision(),
            !self.world.people.contains_key(&person)
        );
        let reached = self.world.reached(&person, &employee);
        assert_eq!(reached, None, "{employee} of {person} is deactivated");
        let image = record::image(&employee, Field::Active, Some("true".into()), "false".into());
        self.record(&person, vec![image])?;
        self.step()?;
        self.world.employees.get_mut(&employee).unwrap().deactivated = true;
        Ok(())
    }

    fn put(&mut self, id: &EmployeeId, body: EmployeeUpdate) -> Result<(), Crashed> {
        self.step()?;
        if let Some(email) = &body.email {
            self.check_email_is_free(id, email);
        }
        let is_empty = |text: &Option<String>| text.as_deref() == Some("");
        assert!(
            !is_empty(&body.name) && !is_empty(&body.email),
            "{id} gets an empty value"
        );
        let name = body.name.map(|name| self.stored(name));
        let team_is_there = body
            .team
            .as_ref()
            .is_none_or(|team| self.world.teams.contains_key(team));
        assert!(team_is_there, "{id} is moved to a team that does not exist");
        let employee = self.world.employees.get_mut(id).unwrap();
        employee.name = name.unwrap_or_else(|| employee.name.clone());
        employee.email = body.email.unwrap_or_else(|| employee.email.clone());
        employee.team = body.team.unwrap_or_else(|| employee.team.clone());
        Ok(())
    }

    /// Insightful refuses an email that another employee has: no plan may ask for that.
    fn check_email_is_free(&self, id: &EmployeeId, email: &str) {
        let holder = self.holder(id, email);
        assert!(holder.is_none(), "{id} gets {email}, which {holder:?} has");
    }

    /// The holder of an email, of all but one employee.
    fn holder(&self, except: &EmployeeId, email: &str) -> Option<&Employee> {
        let mut others = self.world.employees.values().filter(|other| other.id != *except);
        others.find(|other| other.email.eq_ignore_ascii_case(email))
    }

    fn put_into_force(&mut self, person: &PersonId, in_force: MatchInForce) -> Result<(), Crashed> {
        let pending = self
            .world
            .records
            .get(person)
            .and_then(|record| record.pending.as_ref());
        let adopted = pending::is_adopted(pending, &in_force.employees, self.world.employees.values());
        self.edit(person, |record| {
            record.pending.take_if(|_| adopted);
            let created = adopted && record.decision != Decision::Match;
            let on_record = record.applied.take();
            record.applied = Some(record::before_write(
                on_record,
                Some(in_force),
                created,
                Vec::new(),
                NOW,
            ));
        })
    }

    fn record(&mut self, person: &PersonId, images: Vec<AppliedField>) -> Result<(), Crashed> {
        if images.is_empty() {
            return Ok(());
        }
        self.edit(person, |record| {
            let on_record = record.applied.take();
            record.applied = Some(record::before_write(on_record, None, false, images, NOW));
        })
    }

    fn unmatch(&mut self, person: &PersonId, employees: &BTreeSet<EmployeeId>) -> Result<(), Crashed> {
        self.edit(person, |record| {
            record.applied = unmatch::without_employees(record.applied.take(), employees);
        })?;
        if let Some(status) = self.world.statuses.get_mut(person) {
            status.unmatched = unmatch::last_unmatched(status.unmatched.take(), employees, NOW);
        }
        Ok(())
    }

    fn edit(&mut self, person: &PersonId, edit: impl FnOnce(&mut Record)) -> Result<(), Crashed> {
        self.step()?;
        edit(self.world.records.entry(person.clone()).or_default());
        Ok(())
    }

    fn step(&mut self) -> Result<(), Crashed> {
        self.steps = self.steps.checked_sub(1).ok_or(Crashed)?;
        Ok(())
    }

    fn fresh(&mut self, kind: &str) -> String {
        self.world.fresh += 1;
        format!("{kind}{}", self.world.fresh)
    }

    fn team_id(&self, target: &TeamTarget) -> Option<TeamId> {
        match target {
            TeamTarget::Existing(id) => Some(id.clone()),
            TeamTarget::Created(group) => Some(self.bindings.bound.get(group)?.team.clone()),
        }
    }
}
