use serde::Serialize;

use super::{SettingsId, TeamId};

/// The fields of an employee to overwrite; None leaves a field as it is. Serializes to the request body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EmployeeUpdate {
    /// First and last name in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Does not change the employee's `identifier`, which is the first email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The job title, which no response shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(rename = "teamId", skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}

/// An employee to invite; all fields are required. Serializes to the request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewEmployee {
    /// First and last name in one.
    pub name: String,
    /// The address that the invitation is sent to.
    pub email: String,
    #[serde(rename = "teamId")]
    pub team: TeamId,
    #[serde(rename = "sharedSettingsId")]
    pub settings: SettingsId,
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
