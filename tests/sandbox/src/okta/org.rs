//! The org's state, and what administrators do to it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::company::records::{self, User};
use crate::company::{Company, GROUP_PREFIX, okta_id};

/// Users, groups and memberships. Changes set the time stamps that the real service sets.
///
/// A person is named by id, login or the login's local part; a group by id or name, with the prefix or without.
/// Naming one that does not exist panics: the test is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Org {
    /// Users by id.
    pub users: BTreeMap<String, Value>,
    /// Groups by id.
    pub groups: BTreeMap<String, Value>,
    /// Ids of the members of each group, by group id.
    pub members: BTreeMap<String, BTreeSet<String>>,
    pub(super) clock_offset: SignedDuration,
}

impl Org {
    pub(super) fn new(company: &Company, clock_offset: SignedDuration) -> Self {
        let by_id = |list: &[Value]| {
            let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
            list.iter().map(|value| (id(value), value.clone())).collect()
        };
        let groups: BTreeMap<String, Value> = by_id(&company.groups);
        let members = groups.keys().map(|group| {
            let ids = company.members.get(group).cloned().unwrap_or_default();
            (group.clone(), ids.into_iter().collect())
        });
        Self {
            users: by_id(&company.users),
            members: members.collect(),
            groups,
            clock_offset,
        }
    }

    /// The service's time, which is ours plus the configured offset, as it is written in records.
    pub fn now(&self) -> String {
        format!("{:.3}", self.clock())
    }

    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::now() + self.clock_offset
    }

    /// The id of a person.
    #[track_caller]
    pub fn user_id(&self, who: &str) -> String {
        match self.find_user(who) {
            Some(id) => id.to_owned(),
            None => panic!("the org has no user {who:?}"),
        }
    }

    /// As `GET /users/{id}` finds a person: by id, login, or short name where that is unambiguous.
    pub(super) fn find_user(&self, who: &str) -> Option<&str> {
        if let Some((id, _)) = self.users.get_key_value(who) {
            return Some(id);
        }
        let logins = |wanted: &dyn Fn(&str) -> bool| {
            let mut found = self.users.iter().filter(|(_, user)| {
                user["profile"]["login"]
                    .as_str()
                    .is_some_and(|login| wanted(&login.to_lowercase()))
            });
            // Ambiguous is as good as unknown.
            found
                .next()
                .filter(|_| found.next().is_none())
                .map(|(id, _)| id.as_str())
        };
        let who = who.to_lowercase();
        logins(&|login| login == who).or_else(|| logins(&|login| login.split('@').next() == Some(&who)))
    }

    /// The id of a group.
    #[track_caller]
    pub fn group_id(&self, name: &str) -> String {
        let found = self.groups.iter().find(|(id, group)| {
            let full = group["profile"]["name"].as_str().unwrap_or_default();
            *id == name || full == name || full.strip_prefix(GROUP_PREFIX) == Some(name)
        });
        match found {
            Some((id, _)) => id.clone(),
            None => panic!("the org has no group {name:?}"),
        }
    }

    /// A user's record.
    #[track_caller]
    pub fn user(&self, who: &str) -> &Value {
        &self.users[&self.user_id(who)]
    }

    /// A user's record to change freely; no time stamp is set.
    #[track_caller]
    pub fn user_mut(&mut self, who: &str) -> &mut Value {
        let id = self.user_id(who);
        self.users.entry(id).or_default()
    }

    /// A group's record to change freely; no time stamp is set.
    #[track_caller]
    pub fn group_mut(&mut self, name: &str) -> &mut Value {
        let id = self.group_id(name);
        self.groups.entry(id).or_default()
    }

    /// Sets one attribute of a user's profile; `Value::Null` keeps the attribute with null.
    #[track_caller]
    pub fn set_profile(&mut self, who: &str, attribute: &str, value: impl Into<Value>) {
        let now = self.now();
        let user = self.user_mut(who);
        user["profile"][attribute] = value.into();
        user["lastUpdated"] = now.into();
    }

    /// Takes one attribute out of a user's profile.
    #[track_caller]
    pub fn remove_profile(&mut self, who: &str, attribute: &str) {
        let now = self.now();
        let user = self.user_mut(who);
        if let Some(profile) = user["profile"].as_object_mut() {
            profile.remove(attribute);
        }
        user["lastUpdated"] = now.into();
    }

    /// Changes a person's first and last name.
    #[track_caller]
    pub fn rename_user(&mut self, who: &str, first: &str, last: &str) {
        self.set_profile(who, "firstName", first);
        self.set_profile(who, "lastName", last);
    }

    /// Changes a person's email, not the login.
    #[track_caller]
    pub fn set_email(&mut self, who: &str, email: &str) {
        self.set_profile(who, "email", email);
    }

    /// Changes a person's title; `None` makes it null.
    #[track_caller]
    pub fn set_title(&mut self, who: &str, title: Option<&str>) {
        self.set_profile(who, "title", title.map_or(Value::Null, Value::from));
    }

    /// Changes a person's status, for example to `DEPROVISIONED`. Memberships stay.
    #[track_caller]
    pub fn set_status(&mut self, who: &str, status: &str) {
        let now = self.now();
        let user = self.user_mut(who);
        if status == "ACTIVE" && (user["activated"].is_null() || user["status"] == "DEPROVISIONED") {
            user["activated"] = now.clone().into();
        }
        user["status"] = status.into();
        user["statusChanged"] = now.clone().into();
        user["lastUpdated"] = now.into();
    }

    /// Adds an ACTIVE person whose login and email are `handle@acme.com`, and gives the id.
    pub fn add_user(&mut self, handle: &str, first: &str, last: &str) -> String {
        // A person of the same handle who was deleted had another id.
        let id = okta_id("00u", &format!("{handle} added {}", self.now()));
        let email = format!("{handle}@acme.com");
        let now = self.now();
        let mut user = records::user(&User {
            id: id.clone(),
            login: email.clone(),
            given: first,
            family: last,
            email: Some(&email),
            title: None,
            status: "ACTIVE",
            updated: &now,
        });
        user["created"] = now.clone().into();
        user["activated"] = now.clone().into();
        user["passwordChanged"] = now.into();
        self.users.insert(id.clone(), user);
        id
    }

    /// Deletes a person with the memberships.
    #[track_caller]
    pub fn delete_user(&mut self, who: &str) {
        let id = self.user_id(who);
        let groups: Vec<_> = self.groups_of(&id);
        for group in groups {
            self.remove_member(&group, &id);
        }
        self.users.remove(&id);
    }

    /// Ids of the groups that a person is in.
    #[track_caller]
    pub fn groups_of(&self, who: &str) -> Vec<String> {
        let id = self.user_id(who);
        let mine = self.members.iter().filter(|(_, members)| members.contains(&id));
        mine.map(|(group, _)| group.clone()).collect()
    }

    /// Puts a person into a group.
    #[track_caller]
    pub fn add_member(&mut self, group: &str, who: &str) {
        let (group, user) = (self.group_id(group), self.user_id(who));
        if self.members.entry(group.clone()).or_default().insert(user) {
            self.members_changed(&group);
        }
    }

    /// Takes a person out of a group.
    #[track_caller]
    pub fn remove_member(&mut self, group: &str, who: &str) {
        let (group, user) = (self.group_id(group), self.user_id(who));
        if self.members.entry(group.clone()).or_default().remove(&user) {
            self.members_changed(&group);
        }
    }

    fn members_changed(&mut self, group: &str) {
        let now = self.now();
        self.group_mut(group)["lastMembershipUpdated"] = now.into();
    }

    /// Adds an empty OKTA_GROUP of exactly this name, and gives the id.
    pub fn add_group(&mut self, name: &str) -> String {
        let now = self.now();
        let id = okta_id("00g", &format!("{name} added {now}"));
        let mut group = records::group(&id, name, "OKTA_GROUP", &now);
        group["created"] = json!(now);
        self.groups.insert(id.clone(), group);
        self.members.insert(id.clone(), BTreeSet::new());
        id
    }

    /// Gives a group exactly this name.
    #[track_caller]
    pub fn rename_group(&mut self, group: &str, name: &str) {
        let now = self.now();
        let group = self.group_mut(group);
        group["profile"]["name"] = name.into();
        group["lastUpdated"] = now.into();
    }

    /// Deletes a group; its members stay.
    #[track_caller]
    pub fn delete_group(&mut self, group: &str) {
        let id = self.group_id(group);
        self.groups.remove(&id);
        self.members.remove(&id);
    }
}
