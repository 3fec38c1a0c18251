use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    sync::Arc,
};

use super::{
    Delta, Departure, Employee, EmployeeId, GroupId, Person, PersonId, RecordKind, SettingsId,
    SharedSettings, Team, TeamGroup, TeamId, Unreadable, UnreadableRecords, digest::Digest, person,
};

/// A list that was read to its last page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete<T>(T);

impl<T> Complete<T> {
    /// The caller guarantees that `value` holds all pages.
    pub fn from_all_pages(value: T) -> Self {
        Self(value)
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Complete<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Okta's half of a snapshot: all people and all team groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    pub(super) people: BTreeMap<PersonId, Person>,
    pub(super) groups: BTreeMap<GroupId, TeamGroup>,
    /// Members whom Okta's search for users does not show.
    pub(super) hidden: BTreeSet<PersonId>,
    /// Groups whose name has the prefix in it, but which are no team groups; by name.
    pub(super) lookalikes: BTreeMap<GroupId, String>,
    pub(super) unreadable: UnreadableRecords,
}

impl Directory {
    /// Okta's pages can shift while they are read, so a record may be listed twice.
    pub fn new(people: Complete<Vec<Person>>, groups: Complete<Vec<TeamGroup>>) -> Self {
        let people: BTreeMap<_, _> = people
            .into_inner()
            .into_iter()
            .map(|p| (p.id.clone(), p))
            .collect();
        let mut groups: BTreeMap<_, _> = groups
            .into_inner()
            .into_iter()
            .map(|g| (g.id.clone(), g))
            .collect();
        let mut hidden = BTreeSet::new();
        for group in groups.values_mut() {
            let members = std::mem::take(&mut group.members).into_iter();
            group.members = members.map(|id| intern(&people, id)).collect();
            hidden.extend(unknown(&people, group));
        }
        Self {
            people,
            groups,
            hidden,
            lookalikes: BTreeMap::new(),
            unreadable: UnreadableRecords::default(),
        }
    }

    /// Adds the groups whose name has the prefix in it, but which are no team groups.
    pub fn with_lookalikes(mut self, groups: impl IntoIterator<Item = (GroupId, String)>) -> Self {
        self.lookalikes.extend(groups);
        self
    }

    /// Adds the records that cannot be read. Of a group without a readable name, `groups` has the members. A person
    /// or group is unreadable only if no list has a readable record.
    pub fn with_unreadable(mut self, records: impl IntoIterator<Item = Unreadable>) -> Self {
        let records = records
            .into_iter()
            .filter(|record| match (record.kind, &record.id) {
                (RecordKind::User, Some(id)) => !self.people.contains_key(&id.as_str().into()),
                _ => true,
            });
        self.unreadable.extend(records);
        self.hidden
            .retain(|id| self.unreadable.get(RecordKind::User, id.as_str()).is_none());
        self
    }

    /// Adds the records of hidden people, which a list of members had.
    pub fn with_members(mut self, people: impl IntoIterator<Item = Person>) -> Self {
        for person in people {
            if self.hidden.contains(&person.id) {
                self.people.entry(person.id.clone()).or_insert(person);
            }
        }
        self
    }

    /// Marks people of a saved directory as hidden.
    pub fn with_hidden(mut self, hidden: impl IntoIterator<Item = PersonId>) -> Self {
        self.hidden.extend(hidden);
        self
    }

    /// Members whom Okta's search for users does not show, since its index lags behind or the token's role hides
    /// them. `people` has those whose records a list of members had.
    pub fn hidden(&self) -> &BTreeSet<PersonId> {
        &self.hidden
    }

    /// Groups whose name has the prefix in it, but which are no team groups; by name.
    pub fn lookalikes(&self) -> &BTreeMap<GroupId, String> {
        &self.lookalikes
    }

    /// Records of users, groups and members that cannot be read.
    pub fn unreadable(&self) -> &UnreadableRecords {
        &self.unreadable
    }

    pub fn people(&self) -> &BTreeMap<PersonId, Person> {
        &self.people
    }

    pub fn groups(&self) -> &BTreeMap<GroupId, TeamGroup> {
        &self.groups
    }
}

/// The members of a group who are not among `people`.
pub(super) fn unknown(
    people: &BTreeMap<PersonId, Person>,
    group: &TeamGroup,
) -> impl Iterator<Item = PersonId> {
    let members = group.members.iter();
    members.filter(|id| !people.contains_key(*id)).cloned()
}

/// Returns the equal ID of `list`, so that both share their memory.
fn intern<I: Ord + Clone, T>(list: &BTreeMap<I, T>, id: I) -> I {
    match list.get_key_value(&id) {
        Some((same, _)) => same.clone(),
        None => id,
    }
}

/// All records of both services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Shared with the task that saves it to disk; copied on write.
    directory: Arc<Directory>,
    /// People whom Okta, asked by id, no longer has.
    deleted: BTreeSet<PersonId>,
    /// The last known names of people whom Okta's lists lack.
    former_names: BTreeMap<PersonId, String>,
    employees: BTreeMap<EmployeeId, Employee>,
    teams: BTreeMap<TeamId, Team>,
    settings: BTreeMap<SettingsId, SharedSettings>,
    /// Insightful's records that cannot be read.
    unreadable: UnreadableRecords,
    organization: Option<String>,
}

/// Insightful's half of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workforce {
    /// Includes deactivated employees.
    pub employees: Complete<Vec<Employee>>,
    pub teams: Complete<Vec<Team>>,
    pub settings: Complete<Vec<SharedSettings>>,
    /// The records of the three lists that cannot be read.
    pub unreadable: UnreadableRecords,
    /// Insightful's id of the organisation; None if neither the records nor the token tell.
    pub organization: Option<String>,
}

impl Snapshot {
    pub fn new(directory: impl Into<Arc<Directory>>, workforce: Workforce) -> Self {
        let mut snapshot = Self {
            directory: directory.into(),
            deleted: BTreeSet::new(),
            former_names: BTreeMap::new(),
            employees: BTreeMap::new(),
            teams: BTreeMap::new(),
            settings: BTreeMap::new(),
            unreadable: UnreadableRecords::default(),
            organization: None,
        };
        snapshot.replace_workforce(workforce);
        snapshot
    }

    /// Updates Okta's half. Returns whether anything changed: a delta overlaps with earlier reads.
    pub fn apply(&mut self, delta: Delta) -> bool {
        delta.would_change(&self.directory) && {
            delta.apply_to(Arc::make_mut(&mut self.directory));
            true
        }
    }

    pub fn replace_workforce(&mut self, workforce: Workforce) {
        let Workforce {
            employees,
            teams,
            settings,
            unreadable,
            organization,
        } = workforce;
        self.organization = organization;
        self.unreadable = unreadable;
        self.teams = teams
            .into_inner()
            .into_iter()
            .map(|t| (t.id.clone(), t))
            .collect();
        self.settings = settings
            .into_inner()
            .into_iter()
            .map(|s| (s.id.clone(), s))
            .collect();
        self.employees = employees
            .into_inner()
            .into_iter()
            .map(|mut e| {
                e.team = intern(&self.teams, e.team);
                e.settings = e.settings.map(|settings| intern(&self.settings, settings));
                (e.id.clone(), e)
            })
            .collect();
    }

    pub fn replace_employee(&mut self, employee: Employee) {
        self.unreadable.remove(RecordKind::Employee, employee.id.as_str());
        self.employees.insert(employee.id.clone(), employee);
    }

    /// The employees who differ in a later list, or are missing from it.
    pub fn changed_employees(&self, later: &[Employee]) -> BTreeSet<EmployeeId> {
        let later: BTreeMap<&EmployeeId, &Employee> =
            later.iter().map(|employee| (&employee.id, employee)).collect();
        let synced = |employee: &Employee| {
            let Employee {
                name,
                email,
                team,
                deactivated,
                ..
            } = employee.clone();
            (name, email, team, deactivated)
        };
        let is_changed = |now: &&Employee| {
            let later = later.get(&now.id);
            later.is_none_or(|later| synced(later) != synced(now))
        };
        let changed = self.employees.values().filter(is_changed);
        changed.map(|employee| employee.id.clone()).collect()
    }

    pub fn replace_team(&mut self, team: Team) {
        self.unreadable.remove(RecordKind::Team, team.id.as_str());
        self.teams.insert(team.id.clone(), team);
    }

    pub fn replace_person(&mut self, person: Person) {
        if self.directory.people.get(&person.id) != Some(&person) {
            let directory = Arc::make_mut(&mut self.directory);
            directory.unreadable.remove(RecordKind::User, person.id.as_str());
            directory.people.insert(person.id.clone(), person);
        }
    }

    /// Takes the people whom Okta, asked by id, no longer has. Whoever it lists exists.
    pub fn set_deleted(&mut self, deleted: impl IntoIterator<Item = PersonId>) {
        let Directory {
            people, unreadable, ..
        } = self.directory.as_ref();
        let is_listed = |id: &PersonId| {
            people.contains_key(id) || unreadable.get(RecordKind::User, id.as_str()).is_some()
        };
        self.deleted = deleted.into_iter().filter(|id| !is_listed(id)).collect();
    }

    /// Takes the names under which messages show people whom Okta's lists lack.
    pub fn set_former_names(&mut self, names: BTreeMap<PersonId, String>) {
        self.former_names = names;
    }

    pub fn digest(&self) -> Digest {
        let Self {
            directory,
            deleted,
            former_names: _,
            employees,
            teams,
            settings,
            unreadable,
            organization,
        } = self;
        let Directory {
            people,
            groups,
            hidden: _,
            lookalikes,
            unreadable: of_okta,
        } = directory.as_ref();
        let okta = (people, groups, deleted, lookalikes, of_okta);
        Digest::of(&(okta, employees, teams, settings, unreadable, organization))
    }

    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub fn people(&self) -> &BTreeMap<PersonId, Person> {
        self.directory.people()
    }

    /// The name of a person; of one whom Okta's lists lack, the last known one.
    pub fn name_of(&self, person: &PersonId) -> Option<String> {
        let present = self.people().get(person).map(Person::display_name);
        present.or_else(|| self.former_names.get(person).cloned())
    }

    /// A person by name and id, for messages.
    pub fn named_person(&self, person: &PersonId) -> String {
        person::named(person, self.name_of(person).as_deref())
    }

    /// An employee by name and id, for messages.
    pub fn named_employee(&self, employee: &EmployeeId) -> String {
        let present = self.employees.get(employee).map(Employee::named);
        present.unwrap_or_else(|| format!("employee {employee}"))
    }

    /// Whether Okta, asked by id, no longer has the person. Being missing from its lists is no evidence of that.
    pub fn is_deleted(&self, person: &PersonId) -> bool {
        self.deleted.contains(person)
    }

    /// Why a person departed: by their record or, if Okta has none, by decision.
    pub fn departure(
        &self,
        person: &PersonId,
        suspended_means_departed: bool,
        by_decision: bool,
    ) -> Option<Departure> {
        match self.people().get(person) {
            Some(person) => person.departure(suspended_means_departed),
            // Okta has a record, and what it says is unknown.
            None if self.unreadable_person(person).is_some() => None,
            None => by_decision.then(|| Departure::by_decision(person)),
        }
    }

    pub fn groups(&self) -> &BTreeMap<GroupId, TeamGroup> {
        self.directory.groups()
    }

    pub fn employees(&self) -> &BTreeMap<EmployeeId, Employee> {
        &self.employees
    }

    pub fn teams(&self) -> &BTreeMap<TeamId, Team> {
        &self.teams
    }

    pub fn settings(&self) -> &BTreeMap<SettingsId, SharedSettings> {
        &self.settings
    }

    /// All records of both services that cannot be read. Each is there: it is neither missing nor gone.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.directory.unreadable.iter().chain(self.unreadable.iter())
    }

    pub fn unreadable_of(&self, kind: RecordKind) -> impl Iterator<Item = &Unreadable> {
        self.unreadable().filter(move |record| record.kind == kind)
    }

    pub fn unreadable_person(&self, id: &PersonId) -> Option<&Unreadable> {
        self.directory.unreadable.get(RecordKind::User, id.as_str())
    }

    pub fn unreadable_group(&self, id: &GroupId) -> Option<&Unreadable> {
        self.directory.unreadable.get(RecordKind::Group, id.as_str())
    }

    pub fn unreadable_employee(&self, id: &EmployeeId) -> Option<&Unreadable> {
        self.unreadable.get(RecordKind::Employee, id.as_str())
    }

    /// Whether Insightful has the employee, readable or not.
    pub fn has_employee(&self, id: &EmployeeId) -> bool {
        self.employees.contains_key(id) || self.unreadable_employee(id).is_some()
    }

    /// Whether Insightful has the team, readable or not.
    pub fn has_team(&self, id: &TeamId) -> bool {
        self.teams.contains_key(id) || self.unreadable.get(RecordKind::Team, id.as_str()).is_some()
    }

    /// Insightful's id of the organisation that the employees belong to.
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn employees_are_changed_if_a_synced_field_differs_or_they_are_missing() {
        let employee = |id: &str| Employee {
            id: id.into(),
            name: "Jane Doe".into(),
            email: "jane@acme.com".into(),
            identifier: "jane@acme.com".into(),
            team: "Sales".into(),
            settings: None,
            deactivated: false,
            created_at: None,
        };
        let workforce = Workforce {
            employees: Complete::from_all_pages(["e1", "e2"].map(employee).to_vec()),
            teams: Complete::from_all_pages(vec![]),
            settings: Complete::from_all_pages(vec![]),
            unreadable: UnreadableRecords::default(),
            organization: None,
        };
        let directory = Directory::new(Complete::from_all_pages(vec![]), Complete::from_all_pages(vec![]));
        let snapshot = Snapshot::new(directory, workforce);
        type Change = fn(&mut Employee);
        let cases: [(Change, bool); 6] = [
            (|_| {}, false),
            (|e| e.identifier = "other".into(), false),
            (|e| e.name = "Jane Roe".into(), true),
            (|e| e.email.clear(), true),
            (|e| e.team = "Support".into(), true),
            (|e| e.deactivated = true, true),
        ];
        for (change, is_changed) in cases {
            let mut later = vec![employee("e1"), employee("e2"), employee("e3")];
            change(&mut later[1]);
            let changed = snapshot.changed_employees(&later);
            assert_eq!(changed.contains(&"e2".into()), is_changed, "{:?}", later[1]);
            assert!(!changed.contains(&"e1".into()) && !changed.contains(&"e3".into()));
        }
        assert_eq!(
            snapshot.changed_employees(&[employee("e1")]),
            ["e2".into()].into()
        );
    }
}
