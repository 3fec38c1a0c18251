//! The list endpoints: filters, order and pages.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::{Value, json};

use super::answer::Refused;
use super::pages::Place;
use super::query::{self, Dialect};
use super::views::{self, Projection};
use super::{Org, State};
use crate::server::{Answer, Call};

const USERS_LIMIT: usize = 200;
const USERS_Q_LIMIT: usize = 10;
const GROUPS_LIMIT: usize = 10_000;
const GROUPS_Q_LIMIT: usize = 300;
const MEMBERS_LIMIT: usize = 1000;

impl State {
    pub(super) fn users(&mut self, call: &Call) -> Result<Answer, Refused> {
        one_of(call, &["search", "filter", "q"])?;
        let projection = match call.param("fields") {
            None => None,
            Some(fields) => {
                let read = Projection::read(fields);
                Some(read.ok_or_else(|| Refused::validation("fields", "parentheses do not match"))?)
            }
        };
        let org = self.listed();
        let q = call.param("q").map(str::to_lowercase);
        let expression = self.expression(call, Dialect::UserSearch, Dialect::UserFilter)?;
        let hidden = self.settings.hidden.clone();
        let sees_users = self.settings.sees_users;
        let is_hidden = |user: &Value| user["id"].as_str().is_some_and(|id| hidden.contains(id));
        let wanted = |user: &Value| {
            sees_users
                && !is_hidden(user)
                && match (&expression, &q) {
                    (Some((dialect, expression)), _) => expression.meets(*dialect, user),
                    (None, Some(q)) => user["status"] != "DEPROVISIONED" && named(user, q),
                    (None, None) => user["status"] != "DEPROVISIONED",
                }
        };
        let default = if q.is_some() { USERS_Q_LIMIT } else { USERS_LIMIT };
        let limit = limit(call, default, USERS_LIMIT)?;
        let paged = q.is_none();
        let (users, next) = self.page(call, &org, org_users, wanted, limit, paged)?;
        let users = users.into_iter().map(|user| {
            let mut user = views::listed_user(user, &self.url);
            views::trim(&mut user, call);
            if let Some(projection) = &projection {
                projection.apply(&mut user);
            }
            user
        });
        Ok(self.list(call, users.collect(), next))
    }

    pub(super) fn groups(&mut self, call: &Call) -> Result<Answer, Refused> {
        one_of(call, &["search", "filter", "q"])?;
        let org = self.listed();
        let q = call.param("q").map(str::to_lowercase);
        let expression = self.expression(call, Dialect::GroupSearch, Dialect::GroupFilter)?;
        let wanted = |group: &Value| match (&expression, &q) {
            (Some((dialect, expression)), _) => expression.meets(*dialect, group),
            (None, Some(q)) => starts(&group["profile"]["name"], q),
            (None, None) => true,
        };
        let most = if q.is_some() { GROUPS_Q_LIMIT } else { GROUPS_LIMIT };
        let limit = limit(call, most, GROUPS_LIMIT)?.min(most);
        let paged = q.is_none();
        let (groups, next) = self.page(call, &org, org_groups, wanted, limit, paged)?;
        let stats = call
            .param("expand")
            .is_some_and(|expand| expand.split(',').any(|part| part == "stats"));
        let groups = groups.into_iter().map(|group| {
            let mut answer = views::group(group, &self.url);
            if stats {
                let members = group["id"].as_str().and_then(|id| org.members.get(id));
                answer["_embedded"] = json!({"stats": {
                    "usersCount": members.map_or(0, BTreeSet::len),
                    "appsCount": 0,
                    "groupPushMappingsCount": 0,
                }});
            }
            answer
        });
        let mut answer = self.list(call, groups.collect(), next);
        if !paged {
            answer.this = None;
        }
        Ok(answer)
    }

    pub(super) fn members(&mut self, group: &str, call: &Call) -> Result<Answer, Refused> {
        let org = self.listed();
        let members = org
            .members
            .get(group)
            .ok_or_else(|| Refused::not_found(group, "UserGroup"))?;
        let limit = self.capped(limit(call, MEMBERS_LIMIT, MEMBERS_LIMIT)?);
        let after = self.after(call)?.map(|place| place.id);
        let following = members.range::<str, _>((
            after.as_deref().map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        ));
        let mut users: Vec<_> = following
            .filter_map(|id| org.users.get(id))
            .filter(|_| self.settings.sees_users)
            .take(limit + 1)
            .collect();
        let next = self.next(call, &mut users, limit, |_| String::new());
        let users = users.into_iter().map(|user| views::listed_user(user, &self.url));
        Ok(self.list(call, users.collect(), next))
    }

    fn expression(
        &self,
        call: &Call,
        search: Dialect,
        filter: Dialect,
    ) -> Result<Option<(Dialect, query::Expression)>, Refused> {
        for (parameter, dialect) in [("search", search), ("filter", filter)] {
            if let Some(text) = call.param(parameter) {
                let parsed = query::parse(dialect, text, &self.settings.custom_attributes);
                return parsed
                    .map(|expression| Some((dialect, expression)))
                    .map_err(|error| {
                        let summary = "Invalid search criteria.".to_owned();
                        Refused(400, "E0000031", summary, vec![error.to_string()])
                    });
            }
        }
        Ok(None)
    }

    /// A page of the records that `wanted` selects, in the requested order, and the URL of the next page.
    fn page<'a>(
        &mut self,
        call: &Call,
        org: &'a Org,
        records: fn(&'a Org, Option<&str>) -> Box<dyn Iterator<Item = &'a Value> + 'a>,
        wanted: impl Fn(&Value) -> bool,
        limit: usize,
        paged: bool,
    ) -> Result<(Vec<&'a Value>, Option<String>), Refused> {
        let limit = self.capped(limit);
        let after = if paged { self.after(call)? } else { None };
        // As documented, only searches are sorted; otherwise the parameter is ignored.
        let sort_by = call.param("sortBy").filter(|_| call.param("search").is_some());
        let key = |record: &Value| match sort_by {
            Some(attribute) => text(&query::attribute_of(record, attribute)),
            None => String::new(),
        };
        let mut found: Vec<_> = if sort_by.is_some() {
            let descending = call
                .param("sortOrder")
                .is_some_and(|order| order.eq_ignore_ascii_case("desc"));
            let mut all: Vec<_> = records(org, None)
                .filter(|record| wanted(record))
                .map(|record| (place(record, key), record))
                .collect();
            all.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            if descending {
                all.reverse();
            }
            let before = |at: &Place, after: &Place| if descending { at >= after } else { at <= after };
            let start = after.map_or(0, |after| all.partition_point(|(at, _)| before(at, &after)));
            all.into_iter()
                .skip(start)
                .map(|(_, record)| record)
                .take(limit + 1)
                .collect()
        } else {
            let after = after.map(|place| place.id);
            records(org, after.as_deref())
                .filter(|record| wanted(record))
                .take(limit + 1)
                .collect()
        };
        if paged {
            let next = self.next(call, &mut found, limit, key);
            return Ok((found, next));
        }
        found.truncate(limit);
        Ok((found, None))
    }

    fn capped(&self, limit: usize) -> usize {
        self.settings
            .max_page
            .map_or(limit, |most| limit.min(most.max(1)))
    }

    fn after(&mut self, call: &Call) -> Result<Option<Place>, Refused> {
        match call.param("after") {
            None => Ok(None),
            Some(cursor) => {
                if self.expiries > 0 {
                    self.expiries -= 1;
                    self.cursors.forget();
                }
                let place = self.cursors.place(&same_query(call), cursor);
                place.map(Some).ok_or_else(|| {
                    let (code, summary) = match call.param("search") {
                        Some(_) => ("E0000031", "Invalid search criteria."),
                        None => ("E0000029", "Invalid paging request."),
                    };
                    let causes = vec!["Invalid cursor.".to_owned()];
                    Refused(400, code, summary.to_owned(), causes)
                })
            }
        }
    }

    /// Removes the record beyond the page, if any, and returns the URL of the next page.
    fn next(
        &mut self,
        call: &Call,
        found: &mut Vec<&Value>,
        limit: usize,
        key: impl Fn(&Value) -> String,
    ) -> Option<String> {
        let more = found.len() > limit || (self.settings.trailing_page && found.len() == limit);
        found.truncate(limit);
        let last = found.last().filter(|_| more)?;
        let cursor = self.cursors.issue(&same_query(call), place(last, &key));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("after", &cursor);
        query.extend_pairs(call.query.iter().filter(|(name, _)| name != "after"));
        Some(format!("{}{}?{}", self.url, call.path, query.finish()))
    }

    fn list(&self, call: &Call, records: Vec<Value>, next: Option<String>) -> Answer {
        let mut answer = Answer::new(200, Value::Array(records));
        answer.this = Some(format!("{}{}", self.url, call.target));
        answer.next = next;
        answer
    }
}

fn org_users<'a>(org: &'a Org, after: Option<&str>) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    Box::new(
        org.users
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(_, user)| user),
    )
}

fn org_groups<'a>(org: &'a Org, after: Option<&str>) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    Box::new(
        org.groups
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(_, group)| group),
    )
}

fn place(record: &Value, key: impl Fn(&Value) -> String) -> Place {
    Place {
        key: key(record),
        id: text(&record["id"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn starts(value: &Value, lower: &str) -> bool {
    value
        .as_str()
        .is_some_and(|value| value.to_lowercase().starts_with(lower))
}

fn named(user: &Value, q: &str) -> bool {
    ["firstName", "lastName", "email"]
        .iter()
        .any(|name| starts(&user["profile"][name], q))
}

/// The query that a cursor belongs to: the path and all parameters except those of paging.
fn same_query(call: &Call) -> String {
    let paging = ["after", "limit"];
    let mut parameters: Vec<_> = call
        .query
        .iter()
        .filter(|(name, _)| !paging.contains(&name.as_str()))
        .collect();
    parameters.sort();
    format!("{} {parameters:?}", call.path)
}

fn one_of(call: &Call, parameters: &[&str]) -> Result<(), Refused> {
    let given: Vec<_> = parameters
        .iter()
        .filter(|name| call.param(name).is_some())
        .collect();
    match given[..] {
        [] | [_] => Ok(()),
        _ => Err(Refused::validation(
            given[1],
            "only one of search, filter and q can be given",
        )),
    }
}

/// The requested page size. More than the documented maximum is an error.
fn limit(call: &Call, default: usize, most: usize) -> Result<usize, Refused> {
    let Some(text) = call.param("limit") else {
        return Ok(default);
    };
    match text.parse() {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Refused::validation(
            "limit",
            &format!("must be a number from 1 to {most}"),
        )),
    }
}
