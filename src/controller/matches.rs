//! The EmployeeMatches of one integration: list, create, write the status.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;

use crate::{
    api::{
        self, EmployeeMatch, EmployeeMatchStatus, FIELD_MANAGER, INTEGRATION_LABEL, OktaIntegration,
        match_name,
    },
    decisions::{Record, Records},
    remainder::Announcements,
    snapshot::PersonId,
};

/// How many objects a list takes at a time.
const PAGE: u32 = 500;

/// How many objects are written at a time.
const PARALLEL_WRITES: usize = 16;

/// The EmployeeMatches of one integration, as the API server last gave them.
pub struct Matches {
    api: Api<EmployeeMatch>,
    integration: String,
    objects: BTreeMap<PersonId, EmployeeMatch>,
    /// The owner reference and label that each object gets.
    metadata: serde_json::Value,
}

impl Matches {
    /// Lists them all. Objects under another name than the one that their
    /// person's has are not ours.
    ///
    /// # Errors
    /// The API server's.
    pub async fn list(client: &Client, integration: &OktaIntegration) -> Result<Self, kube::Error> {
        let namespace = integration.namespace().unwrap_or_default();
        let name = integration.name_any();
        let api: Api<EmployeeMatch> = Api::namespaced(client.clone(), &namespace);
        let mut params = ListParams::default()
            .fields(&format!("spec.integrationRef.name={name}"))
            .limit(PAGE);
        let mut objects = BTreeMap::new();
        loop {
            let page = api.list(&params).await?;
            let next = page.metadata.continue_.filter(|next| !next.is_empty());
            for object in page.items {
                if object.name_any() == match_name(&name, &object.spec.okta_user_id) {
                    objects.insert(object.spec.okta_user_id.as_str().into(), object);
                }
            }
            match next {
                Some(next) => params = params.continue_token(&next),
                None => break,
            }
        }
        let owner = integration.owner_ref(&());
        let metadata = json!({ "labels": { INTEGRATION_LABEL: name }, "ownerReferences": [owner] });
        Ok(Self {
            api,
            integration: name,
            objects,
            metadata,
        })
    }

    /// What the cluster remembers of each person.
    pub fn records(&self) -> Records {
        self.objects
            .iter()
            .map(|(id, object)| (id.clone(), Record::from(object)))
            .collect()
    }

    /// What the statuses announce, as they stand.
    pub fn announcements(&self) -> Announcements {
        let announced = self.objects.iter();
        announced
            .map(|(id, object)| (id.clone(), object.into()))
            .collect()
    }

    /// One person's object.
    pub fn get(&self, person: &PersonId) -> Option<&EmployeeMatch> {
        self.objects.get(person)
    }

    /// Creates what is missing, and gives label and owner to what was made by
    /// others. Gives how many were written.
    ///
    /// # Errors
    /// The API server's first.
    pub async fn ensure(&mut self, people: impl Iterator<Item = &PersonId>) -> Result<usize, kube::Error> {
        let missing: Vec<PersonId> = people
            .filter(|id| !self.objects.get(*id).is_some_and(|object| self.is_owned(object)))
            .cloned()
            .collect();
        let writes = missing.into_iter().map(|id| {
            let name = match_name(&self.integration, id.as_str());
            let mut metadata = self.metadata.clone();
            metadata["name"] = json!(name);
            let object = json!({
                "apiVersion": EmployeeMatch::api_version(&()),
                "kind": EmployeeMatch::kind(&()),
                "metadata": metadata,
                "spec": { "integrationRef": { "name": self.integration }, "oktaUserId": id.as_str() },
            });
            let api = self.api.clone();
            async move {
                let params = PatchParams::apply(FIELD_MANAGER);
                api.patch(&name, &params, &Patch::Apply(object))
                    .await
                    .map(|object| (id, object))
            }
        });
        let written: Vec<(PersonId, EmployeeMatch)> = stream::iter(writes.collect::<Vec<_>>())
            .buffer_unordered(PARALLEL_WRITES)
            .try_collect()
            .await?;
        let count = written.len();
        self.objects.extend(written);
        Ok(count)
    }

    fn is_owned(&self, object: &EmployeeMatch) -> bool {
        let owners = object.owner_references();
        let uid = self.metadata["ownerReferences"][0]["uid"].as_str();
        object.labels().get(INTEGRATION_LABEL) == Some(&self.integration)
            && owners.iter().any(|owner| Some(owner.uid.as_str()) == uid)
    }

    /// Writes one status, if it says anything new.
    ///
    /// # Errors
    /// The API server's.
    pub async fn write_status(
        &mut self,
        person: &PersonId,
        status: EmployeeMatchStatus,
    ) -> Result<bool, kube::Error> {
        let Some(object) = self
            .objects
            .get(person)
            .filter(|object| object.status.as_ref() != Some(&status))
        else {
            return Ok(false);
        };
        let written = patch_status(&self.api, object, &status).await?;
        self.objects.insert(person.clone(), written);
        Ok(true)
    }

    /// Writes the statuses that say anything new, many at a time. Gives how many
    /// were written. One whose object was changed meanwhile is passed over: the
    /// change itself is looked at next.
    ///
    /// # Errors
    /// The API server's first.
    pub async fn write_statuses(
        &mut self,
        statuses: BTreeMap<PersonId, EmployeeMatchStatus>,
        mut on_progress: impl FnMut(usize, usize),
    ) -> Result<usize, kube::Error> {
        let changed: Vec<(PersonId, &EmployeeMatch, EmployeeMatchStatus)> = statuses
            .into_iter()
            .filter_map(|(id, status)| {
                let object = self.objects.get(&id)?;
                (object.status.as_ref() != Some(&status)).then_some((id, object, status))
            })
            .collect();
        let total = changed.len();
        let api = &self.api;
        let writes = changed.into_iter().map(|(id, object, status)| async move {
            match patch_status(api, object, &status).await {
                Ok(object) => Ok(Some((id, object))),
                Err(error) if is_conflict(&error) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let mut writes = stream::iter(writes.collect::<Vec<_>>()).buffer_unordered(PARALLEL_WRITES);
        let mut written = Vec::with_capacity(total);
        while let Some(object) = writes.try_next().await? {
            written.extend(object);
            on_progress(written.len(), total);
        }
        drop(writes);
        let count = written.len();
        self.objects.extend(written);
        Ok(count)
    }
}

/// Whether somebody else changed the object since it was read.
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Writes a status over the very version of the object that it was made for:
/// neither a decision made meanwhile nor another replica's record is overlooked.
async fn patch_status(
    api: &Api<EmployeeMatch>,
    object: &EmployeeMatch,
    status: &EmployeeMatchStatus,
) -> Result<EmployeeMatch, kube::Error> {
    let name = object.name_any();
    let patch = json!({
        "apiVersion": EmployeeMatch::api_version(&()),
        "kind": EmployeeMatch::kind(&()),
        "metadata": { "name": name, "resourceVersion": object.resource_version() },
        "status": status,
    });
    // The whole status is ours: whoever else wrote a field of it has no say.
    api.patch_status(
        &name,
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(patch),
    )
    .await
}

/// The integration that an EmployeeMatch's metadata names, if it does.
pub fn integration_of(metadata: &impl ResourceExt) -> Option<String> {
    metadata
        .labels()
        .get(api::INTEGRATION_LABEL)
        .cloned()
        .or_else(|| {
            let owners = metadata.owner_references().iter();
            owners
                .filter(|owner| owner.kind == OktaIntegration::kind(&()))
                .map(|owner| owner.name.clone())
                .next()
        })
}
