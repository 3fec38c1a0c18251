//! What is left out of a person's sync although everything else of the person is written.

use crate::{
    api::Field,
    model::{EmployeeId, Person, Snapshot},
};

/// A field that is not written as Okta has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omission {
    /// Okta has only a part of the name, or none: it would shorten the employee's.
    NameIncomplete { employee: EmployeeId },
    /// A deactivated employee has the person's email.
    EmailHeld { employee: EmployeeId, by: EmployeeId },
    /// Another employee has the former email, which would be restored.
    FormerEmailTaken { employee: EmployeeId },
    /// Insightful made another value of what was written, and would do so again.
    StoredDifferently {
        employee: EmployeeId,
        field: Field,
        stored: String,
    },
}

impl Omission {
    /// What is not written and why, and what to do about it. `person` is the one whose employee it is.
    pub fn message(&self, person: Option<&Person>, snapshot: &Snapshot) -> String {
        let named = |id: &EmployeeId| snapshot.named_employee(id);
        match self {
            Self::NameIncomplete { employee } => {
                let lacks = match person.map(Person::name_parts) {
                    Some([Some(_), _]) => "no last name",
                    Some([None, Some(_)]) => "no first name",
                    _ => "neither first nor last name",
                };
                format!(
                    "{} keeps the name: Okta has {lacks} for this person, and a missing part shortens nobody's name; add it in Okta, or correct the name in Insightful",
                    named(employee)
                )
            }
            Self::EmailHeld { employee, by } => format!(
                "{} keeps the email: the deactivated {} has this person's; to free it, change the email of that record in Insightful or delete the record there",
                named(employee),
                named(by)
            ),
            Self::FormerEmailTaken { employee } => format!(
                "{} keeps the email: another employee has, or gets, the former one",
                named(employee)
            ),
            Self::StoredDifferently {
                employee,
                field,
                stored,
            } => format!(
                "Insightful stored the {field} of {} as {stored:?}, and it is not written again until Okta's changes",
                named(employee)
            ),
        }
    }
}
