//! EmployeeMatches that are not used, by the rule in [`rules::records`](crate::rules::records).

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Resource, ResourceExt};
use uuid::Uuid;

use super::{
    cached::{CachedMatch, owner, uid, version},
    watched::Watched,
};
use crate::{
    api::{EmployeeMatch, match_name},
    model::PersonId,
    rules::{
        records::{self, Unusable, WhyUnusable},
        resolve::Record,
    },
};

/// An object as the watch delivered it.
pub enum Reading {
    Used(Box<EmployeeMatch>),
    NotUsed(Box<UnusableObject>),
}

/// An object that is not used.
#[derive(Clone, Debug)]
pub struct UnusableObject {
    pub(super) uid: Uuid,
    pub(super) version: u64,
    pub(super) owner: Option<Uuid>,
    pub(super) reference: ObjectReference,
    /// None if nothing tells.
    pub person: Option<PersonId>,
    pub unusable: Unusable,
    /// What is legible of the record, if the object has the right name but cannot be read.
    pub salvaged: Option<Record>,
    /// The right name, and what the status builds on, of an object with the wrong name.
    pub(super) misnamed: Option<(String, CachedMatch)>,
    /// Whether an Event has said that the object cannot be read.
    pub(super) is_reported: bool,
}

impl Watched {
    /// Reads the object, and tells whether it is used.
    pub fn reading(self) -> Reading {
        let person = self.person().map(PersonId::from);
        let name = self.name_any();
        let right_name = self
            .integration()
            .zip(self.person())
            .map(|(integration, person)| match_name(integration, person));
        let mut object = UnusableObject {
            uid: uid(&self),
            version: version(&self),
            owner: owner(&self),
            reference: ObjectReference {
                api_version: Some(EmployeeMatch::api_version(&()).into_owned()),
                kind: Some(EmployeeMatch::kind(&()).into_owned()),
                ..self.object_ref(&())
            },
            person,
            unusable: Unusable {
                name: name.clone(),
                why: WhyUnusable::WrongName,
                employees: Vec::new(),
            },
            salvaged: None,
            misnamed: None,
            is_reported: false,
        };
        match self.read() {
            Ok(read) => match records::wrong_name(&read) {
                None => return Reading::Used(Box::new(read)),
                Some(unusable) => {
                    object.unusable = unusable;
                    object.misnamed = right_name.map(|right| (right, CachedMatch::of(&read)));
                }
            },
            Err(error) => {
                let (unusable, record) =
                    records::unreadable(&name, error.to_string(), self.spec(), self.raw_status());
                object.unusable = unusable;
                // One that does not tell its person may have the right name.
                object.salvaged = (right_name.is_none_or(|right| right == name)).then_some(record);
            }
        }
        Reading::NotUsed(Box::new(object))
    }
}
