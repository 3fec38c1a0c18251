//! What the next apply writes, by kind: what harms most comes first.

use std::collections::BTreeMap;

use super::{Company, PersonView};
use crate::{
    api::{Field, FieldChange, TeamState, TeamStatus},
    model::text::{counted, folded},
};

/// A change of one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub okta_user_id: String,
    pub person: String,
    /// The employee, by name if that differs from the person's, or by id if it is not the person's first.
    pub employee: Option<String>,
    /// Empty if there was no value, or it is unknown.
    pub from: String,
    pub to: String,
}

/// The changes of a plan. Each change of a match stands in exactly one list, except for those of an invitation, which is
/// one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    pub deactivations: Vec<Line>,
    /// Matches that end; `to` names the employee.
    pub unmatched: Vec<Line>,
    pub emails: Vec<Line>,
    /// By the present team and the next one.
    pub moves: BTreeMap<(String, String), Vec<Line>>,
    /// `to` is the email, and the team.
    pub invitations: Vec<Line>,
    pub activations: Vec<Line>,
    pub names: Vec<Line>,
    pub titles: Vec<Line>,
    pub new_teams: Vec<String>,
}

impl Planned {
    pub fn of(company: &Company) -> Self {
        let mut planned = Self::default();
        for person in company.people() {
            planned.add(person);
        }
        let status = company.integration.status.as_ref();
        let teams = status.map_or(&[][..], |status| status.teams.as_slice());
        let is_new = |team: &&TeamStatus| team.state == TeamState::New;
        planned.new_teams = teams
            .iter()
            .filter(is_new)
            .map(|team| team.name.clone())
            .collect();
        planned.sort();
        planned
    }

    fn add(&mut self, person: PersonView<'_>) {
        if person.is_invited() {
            let to = |field| {
                let change = person.changes().iter().find(|change| change.field == field);
                change.and_then(|change| change.to.as_deref())
            };
            let email = to(Field::Email).or(person.email()).unwrap_or_default();
            let to = match to(Field::Team) {
                Some(team) => format!("{email}, team {team}"),
                None => email.to_owned(),
            };
            self.invitations.push(line(person, None, "", &to));
            return;
        }
        for change in person.changes() {
            let value = |value: &Option<String>| value.clone().unwrap_or_default();
            let line = line(person, Some(change), &value(&change.from), &value(&change.to));
            match change.field {
                Field::Active if change.deactivates() => self.deactivations.push(line),
                Field::Active => self.activations.push(line),
                Field::Email => self.emails.push(line),
                Field::Team => self
                    .moves
                    .entry((line.from.clone(), line.to.clone()))
                    .or_default()
                    .push(line),
                Field::Name => self.names.push(line),
                Field::Title | Field::Settings => self.titles.push(line),
            }
        }
        for employee in person.unmatching() {
            self.unmatched.push(line(person, None, "", employee));
        }
    }

    fn sort(&mut self) {
        let by_name = |lines: &mut Vec<Line>| {
            lines.sort_by_cached_key(|line| (folded(&line.person), line.okta_user_id.clone()));
        };
        for lines in [
            &mut self.deactivations,
            &mut self.unmatched,
            &mut self.emails,
            &mut self.invitations,
            &mut self.activations,
            &mut self.names,
            &mut self.titles,
        ] {
            by_name(lines);
        }
        self.moves.values_mut().for_each(by_name);
        self.new_teams.sort_by_cached_key(|team| folded(team));
    }

    /// The changes of people by kind: what harms most comes first.
    pub fn lists(&self) -> Vec<List<'_>> {
        let moves = self.moves.values().flatten().collect();
        let lists: [(&str, &str, &str, Vec<&Line>); 8] = [
            (
                "deactivations",
                "deactivation",
                "deactivations",
                self.deactivations.iter().collect(),
            ),
            (
                "unmatched",
                "match to unmatch",
                "matches to unmatch",
                self.unmatched.iter().collect(),
            ),
            (
                "emails",
                "email change",
                "email changes",
                self.emails.iter().collect(),
            ),
            ("moves", "team move", "team moves", moves),
            (
                "invitations",
                "invitation",
                "invitations",
                self.invitations.iter().collect(),
            ),
            (
                "activations",
                "activation",
                "activations",
                self.activations.iter().collect(),
            ),
            (
                "names",
                "changed name",
                "changed names",
                self.names.iter().collect(),
            ),
            (
                "titles",
                "changed title",
                "changed titles",
                self.titles.iter().collect(),
            ),
        ];
        let lists = lists.into_iter().filter(|(.., lines)| !lines.is_empty());
        lists
            .map(|(anchor, one, many, lines)| List {
                anchor,
                one,
                many,
                lines,
            })
            .collect()
    }

    pub fn is_empty(&self) -> bool {
        self.new_teams.is_empty() && self.lists().is_empty()
    }

    /// Every change as one text, to find what changed between two looks at a plan.
    pub fn texts(&self) -> Vec<String> {
        let lists = self.lists();
        let lines = lists
            .iter()
            .flat_map(|list| list.lines.iter().map(|line| list.text(line)));
        let teams = self.new_teams.iter().map(|team| format!("new team: {team}"));
        lines.chain(teams).collect()
    }
}

/// The changes of one kind.
#[derive(Clone, Debug)]
pub struct List<'a> {
    /// A word for links.
    pub anchor: &'static str,
    /// The noun, for one and for several.
    pub one: &'static str,
    pub many: &'static str,
    pub lines: Vec<&'a Line>,
}

impl List<'_> {
    /// Such as `3 team moves`.
    pub fn title(&self) -> String {
        counted(self.lines.len(), self.one, self.many)
    }

    /// A change of this kind as one text.
    pub fn text(&self, line: &Line) -> String {
        format!("{}: {}", self.one, line.in_words())
    }
}

impl Line {
    /// Such as `Jane Doe: a@old.com → a@acme.com`.
    pub fn in_words(&self) -> String {
        let Self {
            person,
            employee,
            from,
            to,
            ..
        } = self;
        let employee = employee
            .as_ref()
            .map(|employee| format!(" ({employee})"))
            .unwrap_or_default();
        match from.is_empty() {
            true => format!("{person}{employee}: {to}"),
            false => format!("{person}{employee}: {from} → {to}"),
        }
    }
}

fn line(person: PersonView<'_>, change: Option<&FieldChange>, from: &str, to: &str) -> Line {
    let shown = person.employee().map(|employee| employee.name.clone());
    let other = change.and_then(|change| change.employee_id.as_ref());
    let employee = match other {
        Some(id) => Some(format!("employee {id}")),
        None => shown.filter(|name| name != person.name()),
    };
    let word = |value: &str| match (change.map(|change| change.field), value) {
        (Some(Field::Active), "true") => "active".to_owned(),
        (Some(Field::Active), "false") => "deactivated".to_owned(),
        _ => value.to_owned(),
    };
    Line {
        okta_user_id: person.id().to_owned(),
        person: person.name().to_owned(),
        employee,
        from: word(from),
        to: word(to),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::review::example::{company, person, with};

    #[test]
    fn every_change_stands_in_one_list() {
        let changing = |id: &str, name: &str, changes: Value| {
            with(person(id, name, "Proposed", Some(id), 99), |status| {
                status["changes"] = changes;
            })
        };
        let invited = json!([
            { "field": "name", "to": "Dora" }, { "field": "email", "to": "dora@acme.com" },
            { "field": "team", "to": "Sales" }, { "field": "settings", "to": "Default" },
            { "field": "active", "to": "true" },
        ]);
        let unmatching = with(person("00u6", "Finn", "Ignored", None, 0), |status| {
            status["unmatching"] = json!(["w6"]);
            status["changes"] =
                json!([{ "employeeId": "w6", "field": "email", "from": "f@acme.com", "to": "f@old.com" }]);
        });
        let company = company(
            vec![
                changing(
                    "00u1",
                    "Ann",
                    json!([{ "field": "active", "from": "true", "to": "false" }]),
                ),
                changing(
                    "00u2",
                    "Bob",
                    json!([{ "field": "team", "from": "Default", "to": "Sales" }]),
                ),
                changing(
                    "00u3",
                    "Al",
                    json!([
                        { "field": "team", "from": "Default", "to": "Sales" },
                        { "field": "title", "to": "SRE" },
                        { "field": "name", "from": "A.", "to": "Al" },
                    ]),
                ),
                changing("00u4", "Dora", invited),
                changing(
                    "00u5",
                    "Eve",
                    json!([{ "field": "active", "from": "false", "to": "true" }]),
                ),
                unmatching,
            ],
            vec![],
        );
        let planned = Planned::of(&company);
        assert_eq!(
            planned.texts(),
            [
                "deactivation: Ann: active → deactivated",
                "match to unmatch: Finn: w6",
                "email change: Finn (employee w6): f@acme.com → f@old.com",
                "team move: Al: Default → Sales",
                "team move: Bob: Default → Sales",
                "invitation: Dora: dora@acme.com, team Sales",
                "activation: Eve: deactivated → active",
                "changed name: Al: A. → Al",
                "changed title: Al: SRE",
            ]
        );
    }
}
