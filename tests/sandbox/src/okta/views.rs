//! Records in responses: with the org's links, and with the requested fields only.

use serde_json::{Map, Value, json};

use crate::server::Call;

/// A user in a list, which has only the `self` link.
pub(super) fn listed_user(user: &Value, url: &str) -> Value {
    let mut user = user.clone();
    let id = user["id"].as_str().unwrap_or_default();
    user["_links"] = json!({"self": {"href": format!("{url}/api/v1/users/{id}")}});
    user
}

/// A single user, with the links that the status allows.
pub(super) fn single_user(user: &Value, url: &str) -> Value {
    let mut user = listed_user(user, url);
    let id = user["id"].as_str().unwrap_or_default();
    let base = format!("{url}/api/v1/users/{id}");
    let mut links = Map::new();
    links.insert("self".to_owned(), json!({"href": base}));
    let type_id = user["type"]["id"].as_str().unwrap_or_default();
    links.insert(
        "type".to_owned(),
        json!({"href": format!("{url}/api/v1/meta/types/user/{type_id}")}),
    );
    let actions: &[(&str, &str)] = match user["status"].as_str() {
        Some("STAGED" | "DEPROVISIONED") => &[("activate", "lifecycle/activate")],
        Some("SUSPENDED") => &[
            ("unsuspend", "lifecycle/unsuspend"),
            ("deactivate", "lifecycle/deactivate"),
        ],
        Some("LOCKED_OUT") => &[
            ("unlock", "lifecycle/unlock"),
            ("deactivate", "lifecycle/deactivate"),
        ],
        _ => &[
            ("suspend", "lifecycle/suspend"),
            ("deactivate", "lifecycle/deactivate"),
            ("resetPassword", "lifecycle/reset_password"),
            ("expirePassword", "lifecycle/expire_password"),
            ("forgotPassword", "credentials/forgot_password"),
            ("changePassword", "credentials/change_password"),
            ("changeRecoveryQuestion", "credentials/change_recovery_question"),
        ],
    };
    for (name, path) in actions {
        links.insert(
            (*name).to_owned(),
            json!({"href": format!("{base}/{path}"), "method": "POST"}),
        );
    }
    user["_links"] = Value::Object(links);
    user
}

/// A group, with its links.
pub(super) fn group(group: &Value, url: &str) -> Value {
    let mut group = group.clone();
    let id = group["id"].as_str().unwrap_or_default().to_owned();
    let logo = |size: &str| json!({"name": size, "href": format!("{url}/img/logos/groups/okta-{size}.png"), "type": "image/png"});
    let mut links = json!({
        "logo": [logo("medium"), logo("large")],
        "users": {"href": format!("{url}/api/v1/groups/{id}/users")},
        "apps": {"href": format!("{url}/api/v1/groups/{id}/apps")},
    });
    if let Some(source) = group["_links"].get("source") {
        links["source"] = source.clone();
    }
    group["_links"] = links;
    group
}

/// Removes what the request omits by `Content-Type: …; okta-response=…`.
pub(super) fn trim(user: &mut Value, call: &Call) {
    let Some(user) = user.as_object_mut() else { return };
    for omission in omissions(call) {
        match omission {
            "omitCredentials" => {
                user.remove("credentials");
            }
            "omitTransitioningToStatus" => {
                user.remove("transitioningToStatus");
            }
            "omitCredentialsLinks" => {
                if let Some(links) = user.get_mut("_links").and_then(Value::as_object_mut) {
                    let credential = [
                        "resetPassword",
                        "changePassword",
                        "changeRecoveryQuestion",
                        "forgotPassword",
                        "resetFactors",
                        "unlock",
                    ];
                    links.retain(|name, _| !credential.contains(&name.as_str()));
                }
            }
            _ => {}
        }
    }
}

fn omissions(call: &Call) -> Vec<&str> {
    let content_type = call.header("content-type").unwrap_or_default();
    content_type
        .split(';')
        .filter_map(|parameter| parameter.trim().strip_prefix("okta-response="))
        .flat_map(|list| list.trim_matches('"').split(','))
        .map(str::trim)
        .collect()
}

/// The fields of a request with `fields=status,profile:(firstName,email)`.
pub(super) struct Projection {
    top: Vec<String>,
    profile: Vec<String>,
}

impl Projection {
    /// Parses the parameter; None if its parentheses do not match.
    pub fn read(text: &str) -> Option<Self> {
        let mut projection = Self {
            top: vec!["id".to_owned()],
            profile: Vec::new(),
        };
        let mut top = text.to_owned();
        if let Some(start) = top.find("profile:(") {
            let inner = start + "profile:(".len();
            let end = inner + top[inner..].find(')')?;
            projection.profile = names(&top[inner..end]);
            top.replace_range(start..=end, "");
        }
        if top.contains(['(', ')', ':']) {
            return None;
        }
        projection.top.extend(names(&top));
        Some(projection)
    }

    pub fn apply(&self, user: &mut Value) {
        let Some(user) = user.as_object_mut() else { return };
        let whole_profile = self.top.iter().any(|name| name == "profile");
        user.retain(|name, _| self.top.contains(name) || (name == "profile" && !self.profile.is_empty()));
        if let Some(profile) = user.get_mut("profile").and_then(Value::as_object_mut)
            && !whole_profile
        {
            profile.retain(|name, _| self.profile.contains(name));
        }
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
