use serde::Serialize;

use super::TeamId;

/// What to overwrite of an employee; None leaves the field as it is. Its JSON is the body that Insightful takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EmployeeUpdate {
    /// First and last name in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The email. The employee's `identifier` keeps the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The job title. No response shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The one team.
    #[serde(rename = "teamId", skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_names_only_what_changes() {
        let update = EmployeeUpdate {
            team: Some("wautlmuhdnndn7f".into()),
            ..EmployeeUpdate::default()
        };
        assert_eq!(
            serde_json::to_value(update).unwrap(),
            json!({"teamId": "wautlmuhdnndn7f"})
        );
    }
}
