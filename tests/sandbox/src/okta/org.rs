//! The state of the org, and the actions of its administrators.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::company::records::{self, User};
use crate::company::{Company, GROUP_PREFIX, okta_id};

/// Users, groups and memberships. Changes set the same timestamps as the real service.
///
/// Users are looked up by id, login or the login's local part, and groups by id or by name with or without the prefix.
/// Methods panic if there is no such user or group.
#[derive(Clone, Debug, PartialEq)]
pub struct Org {
    /// Users by id.
    pub users: BTreeMap<String, Value>,
    /// Groups by id.
    pub groups: BTreeMap<String, Value>,
    /// The ids of the members by group id.
    pub members: BTreeMap<String, BTreeSet<String>>,
    pub(super) clock_offset: SignedDuration,
}

impl Org {
    pub(super) fn new(company: &Company, clock_offset: SignedDuration) -> Self {
        let groups = records::by_id(&company.groups);
        let members = groups.keys().map(|group| {
            let ids = company.members.get(group).cloned().unwrap_or_default();
            (group.clone(), ids.into_iter().collect())
        });
        Self {
            users: records::by_id(&company.users),
            members: members.collect(),
            groups,
            clock_offset,
        }
    }

    /// The service's current time, in the format of records.
    pub fn now(&self) -> String {
        format!("{:.3}", self.clock())
    }

    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::now() + self.clock_offset
    }

    #[track_caller]
    pub fn user_id(&self, who: &str) -> String {
        match self.find_user(who) {
            Some(id) => id.to_owned(),
            None => panic!("the org has no user {who:?}"),
        }
    }

    /// Looks up a user as `GET /users/{id}` does: by id, login, or an unambiguous short name.
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
            // An ambiguous name finds nobody.
            found
                .next()
                .filter(|_| found.next().is_none())
                .map(|(id, _)| id.as_str())
        };
        let who = who.to_lowercase();
        logins(&|login| login == who).or_else(|| logins(&|login| login.split('@').next() == Some(&who)))
    }

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

    #[track_caller]
    pub fn user(&self, who: &str) -> &Value {
        &self.users[&self.user_id(who)]
    }

    /// A user's record. Changes do not set timestamps.
    #[track_caller]
    pub fn user_mut(&mut self, who: &str) -> &mut Value {
        let id = self.user_id(who);
        self.users.entry(id).or_default()
    }

    /// A group's record. Changes do not set timestamps.
    #[track_caller]
    pub fn group_mut(&mut self, name: &str) -> &mut Value {
        let id = self.group_id(name);
        self.groups.entry(id).or_default()
    }

    /// Sets an attribute of a user's profile. `Value::Null` does not remove the attribute.
    #[track_caller]
    pub fn set_profile(&mut self, who: &str, attribute: &str, value: impl Into<Value>) {
        let now = self.now();
        let user = self.user_mut(who);
        user["profile"][attribute] = value.into();
        user["lastUpdated"] = now.into();
    }

    /// Removes an attribute from a user's profile.
    #[track_caller]
    pub fn remove_profile(&mut self, who: &str, attribute: &str) {
        let now = self.now();
        let user = self.user_mut(who);
        if let Some(profile) = user["profile"].as_object_mut() {
            profile.remove(attribute);
        }
        user["lastUpdated"] = now.into();
    }

    #[track_caller]
    pub fn rename_user(&mut self, who: &str, first: &str, last: &str) {
        self.set_profile(who, "firstName", first);
        self.set_profile(who, "lastName", last);
    }

    /// Changes a user's email, but not the login.
    #[track_caller]
    pub fn set_email(&mut self, who: &str, email: &str) {
        self.set_profile(who, "email", email);
    }

    #[track_caller]
    pub fn set_title(&mut self, who: &str, title: Option<&str>) {
        self.set_profile(who, "title", title.map_or(Value::Null, Value::from));
    }

    /// Changes a user's status, for example to `DEPROVISIONED`, but not the memberships.
    #[track_caller]
    pub fn set_status(&mut self, who: &str, status: &str) {
        let now = self.now();
        let user = self.user_mut(who);
        if status == "ACTIVE" && (user["activated"].is_null() || user["status"] == "DEPROVISIONED") {
            user["activated"] = now.clone().into();
        }
        user["status"] = status.into();
        if let Some(user) = user.as_object_mut() {
            user.remove("transitioningToStatus");
        }
        user["statusChanged"] = now.clone().into();
        user["lastUpdated"] = now.into();
    }

    /// Begins to reactivate a deactivated user: the status stays until Okta has done it.
    #[track_caller]
    pub fn begin_reactivation(&mut self, who: &str) {
        self.user_mut(who)["transitioningToStatus"] = "PROVISIONED".into();
    }

    /// Adds an ACTIVE user with the login and email `handle@acme.com`, and returns the id.
    pub fn add_user(&mut self, handle: &str, first: &str, last: &str) -> String {
        // Differs from the id of a deleted user with the same handle.
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

    /// Deletes a deactivated user, as Okta requires, and the memberships.
    #[track_caller]
    pub fn purge_user(&mut self, who: &str) {
        assert_eq!(
            self.user(who)["status"],
            "DEPROVISIONED",
            "Okta deactivates a user first"
        );
        self.delete_user(who);
    }

    /// Deletes a user, whatever the status, and the memberships.
    #[track_caller]
    pub fn delete_user(&mut self, who: &str) {
        let id = self.user_id(who);
        let groups: Vec<_> = self.groups_of(&id);
        for group in groups {
            self.remove_member(&group, &id);
        }
        self.users.remove(&id);
    }

    /// The ids of a user's groups.
    #[track_caller]
    pub fn groups_of(&self, who: &str) -> Vec<String> {
        let id = self.user_id(who);
        let mine = self.members.iter().filter(|(_, members)| members.contains(&id));
        mine.map(|(group, _)| group.clone()).collect()
    }

    #[track_caller]
    pub fn add_member(&mut self, group: &str, who: &str) {
        let (group, user) = (self.group_id(group), self.user_id(who));
        if self.members.entry(group.clone()).or_default().insert(user) {
            self.members_changed(&group);
        }
    }

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

    /// Adds an empty OKTA_GROUP with exactly this name, and returns the id.
    pub fn add_group(&mut self, name: &str) -> String {
        let now = self.now();
        let id = okta_id("00g", &format!("{name} added {now}"));
        let mut group = records::group(&id, name, "OKTA_GROUP", &now);
        group["created"] = json!(now);
        self.groups.insert(id.clone(), group);
        self.members.insert(id.clone(), BTreeSet::new());
        id
    }

    /// Renames a group to exactly this name.
    #[track_caller]
    pub fn rename_group(&mut self, group: &str, name: &str) {
        let now = self.now();
        let group = self.group_mut(group);
        group["profile"]["name"] = name.into();
        group["lastUpdated"] = now.into();
    }

    /// Deletes a group, but not its members.
    #[track_caller]
    pub fn delete_group(&mut self, group: &str) {
        let id = self.group_id(group);
        self.groups.remove(&id);
        self.members.remove(&id);
    }
}
