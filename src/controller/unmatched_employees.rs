//! Writes the UnmatchedEmployees of one integration: a view for people, from which the operator reads nothing. What
//! exists is listed with each full sync; in between, the operator's own writes are all that changes it.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams, PatchParams},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    error::ReconcileError,
    match_store::{WritePermits, owner, uid},
    metrics::CycleStep,
    progress::Reporter,
    scope::Scope,
    status,
    watched::Watched,
};
use crate::{
    api::{
        FIELD_MANAGER, INTEGRATION_LABEL, Step, UnmatchedEmployee, UnmatchedEmployeeStatus,
        unmatched_employee_name,
    },
    http::apply_patch::apply_patch,
    model::{EmployeeId, digest::Digest},
    rules::unreadable::read,
};

/// Concurrent writes for one integration.
const MAX_WRITES_PER_INTEGRATION: usize = 16;

/// Objects in one page of a list.
const PAGE: u32 = 500;

/// The objects that exist, by name.
#[derive(Default)]
pub struct UnmatchedState {
    known: BTreeMap<String, Known>,
    /// The full sync with which they were listed; None before the first list and after a write failed.
    listed_in: Option<Timestamp>,
}

impl UnmatchedState {
    /// Whether the objects are still as they were left. They are listed again if this full sync is a new one.
    ///
    /// # Errors
    /// The API server's.
    pub async fn is_intact(
        &mut self,
        scope: &Scope<'_>,
        permits: WritePermits,
        last_full_sync: Option<Timestamp>,
    ) -> Result<bool, ReconcileError> {
        if self.listed_in.is_none() || self.listed_in == last_full_sync {
            return Ok(self.listed_in.is_some());
        }
        let left = std::mem::take(&mut self.known);
        self.list(&Objects::new(scope, permits), last_full_sync).await?;
        Ok(self.known == left)
    }

    /// Lists the objects unless they were listed in this full sync.
    async fn list(
        &mut self,
        objects: &Objects,
        last_full_sync: Option<Timestamp>,
    ) -> Result<(), ReconcileError> {
        if self.listed_in.is_none() || self.listed_in != last_full_sync {
            let listed = objects.list().await;
            self.known = listed.map_err(ReconcileError::during("listing UnmatchedEmployees"))?;
            self.listed_in = last_full_sync;
        }
        Ok(())
    }
}

/// An object that exists.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    /// Digest of the status; None if the object has none that can be read.
    status: Option<Digest>,
    /// Whether it has our label and belongs to the integration: one restored from a backup does not.
    is_owned: bool,
}

/// Creates, updates and deletes objects, so that those of `wanted` exist and no others.
///
/// # Errors
/// The first error of the API server: the next cycle lists the objects again and writes the rest. Lost leadership.
pub async fn write_unmatched_employees(
    scope: &Scope<'_>,
    state: &mut UnmatchedState,
    permits: WritePermits,
    wanted: &BTreeMap<EmployeeId, UnmatchedEmployeeStatus>,
    last_full_sync: Option<Timestamp>,
) -> Result<(), ReconcileError> {
    let writing = write(scope, state, permits, wanted, last_full_sync);
    scope.step(CycleStep::WriteUnmatchedEmployees, writing).await
}

async fn write(
    scope: &Scope<'_>,
    state: &mut UnmatchedState,
    permits: WritePermits,
    wanted: &BTreeMap<EmployeeId, UnmatchedEmployeeStatus>,
    last_full_sync: Option<Timestamp>,
) -> Result<(), ReconcileError> {
    let objects = Objects::new(scope, permits);
    state.list(&objects, last_full_sync).await?;
    scope.check_leadership()?;
    let changes = changes(&objects.integration, &state.known, wanted);
    if changes.is_empty() {
        return Ok(());
    }
    let reporter = Reporter::new(*scope);
    let (total, mut done) = (changes.len(), 0);
    let writes = changes.into_iter().map(|(name, change)| {
        let objects = &objects;
        async move {
            let known = objects.carry_out(&name, change).await?;
            Ok::<_, kube::Error>((name, known))
        }
    });
    let writing = async {
        let mut writes = stream::iter(writes).buffer_unordered(MAX_WRITES_PER_INTEGRATION);
        while let Some((name, known)) = writes.try_next().await? {
            match known {
                Some(known) => state.known.insert(name, known),
                None => state.known.remove(&name),
            };
            done += 1;
            reporter.at(Step::WritingUnmatchedEmployees, done, Some(total));
        }
        Ok::<(), kube::Error>(())
    };
    let written = reporter.during(writing).await;
    if written.is_err() {
        state.listed_in = None;
    }
    written.map_err(ReconcileError::during("writing UnmatchedEmployees"))?;
    tracing::info!(written = total, "wrote UnmatchedEmployees");
    Ok(())
}

/// What is done to one object.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    Create(EmployeeId, UnmatchedEmployeeStatus),
    Update(UnmatchedEmployeeStatus),
    Delete,
}

/// Returns the changes, by name, that turn the objects that exist into those of `wanted`.
fn changes(
    integration: &str,
    known: &BTreeMap<String, Known>,
    wanted: &BTreeMap<EmployeeId, UnmatchedEmployeeStatus>,
) -> BTreeMap<String, Change> {
    let deletions = known.keys().map(|name| (name.clone(), Change::Delete));
    let mut changes: BTreeMap<String, Change> = deletions.collect();
    for (id, status) in wanted {
        let name = unmatched_employee_name(integration, id.as_str());
        match known.get(&name) {
            Some(known) if known.is_owned && known.status == Some(Digest::of(status)) => {
                changes.remove(&name)
            }
            Some(known) if known.is_owned => changes.insert(name, Change::Update(status.clone())),
            _ => changes.insert(name, Change::Create(id.clone(), status.clone())),
        };
    }
    changes
}

/// The objects of one integration on the API server.
struct Objects {
    api: Api<UnmatchedEmployee>,
    /// For lists, in which an object that cannot be read must not hide the others.
    raw: Api<Watched<UnmatchedEmployee>>,
    permits: WritePermits,
    integration: String,
    owner: Uuid,
    /// The owner reference and label of each object.
    metadata: Value,
}

impl Objects {
    fn new(scope: &Scope<'_>, permits: WritePermits) -> Self {
        let (client, namespace) = (scope.ctx.client.clone(), scope.namespace());
        let integration = scope.integration.name_any();
        let owner = scope.integration.owner_ref(&());
        Self {
            raw: Api::namespaced(client.clone(), &namespace),
            api: Api::namespaced(client, &namespace),
            permits,
            owner: uid(scope.integration),
            metadata: json!({ "labels": { INTEGRATION_LABEL: integration }, "ownerReferences": [owner] }),
            integration,
        }
    }

    async fn list(&self) -> Result<BTreeMap<String, Known>, kube::Error> {
        let of_this = format!("spec.integrationRef.name={}", self.integration);
        let mut page = ListParams::default().fields(&of_this).limit(PAGE);
        let mut known = BTreeMap::new();
        loop {
            let list = self.raw.list(&page).await?;
            known.extend(list.items.iter().map(|object| {
                let status = read::<Option<UnmatchedEmployeeStatus>>("status", object.raw_status());
                let known = Known {
                    status: status.ok().flatten().map(|status| Digest::of(&status)),
                    is_owned: owner(object) == Some(self.owner)
                        && object.labels().get(INTEGRATION_LABEL) == Some(&self.integration),
                };
                (object.name_any(), known)
            }));
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => return Ok(known),
            }
        }
    }

    /// Returns the object as it is then; None if it is deleted.
    async fn carry_out(&self, name: &str, change: Change) -> Result<Option<Known>, kube::Error> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await;
        let status = match change {
            Change::Delete => {
                return match self.api.delete(name, &DeleteParams::background()).await {
                    Ok(_) => Ok(None),
                    Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(None),
                    Err(error) => Err(error),
                };
            }
            Change::Create(id, status) => {
                self.create(name, &id).await?;
                status
            }
            Change::Update(status) => status,
        };
        status::write(&self.api, json!({ "name": name }), &status).await?;
        Ok(Some(Known {
            status: Some(Digest::of(&status)),
            is_owned: true,
        }))
    }

    async fn create(&self, name: &str, employee: &EmployeeId) -> Result<(), kube::Error> {
        let mut metadata = self.metadata.clone();
        metadata["name"] = json!(name);
        let object = json!({
            "apiVersion": UnmatchedEmployee::api_version(&()),
            "kind": UnmatchedEmployee::kind(&()),
            "metadata": metadata,
            "spec": { "integrationRef": { "name": self.integration }, "employeeId": employee.as_str() },
        });
        let params = PatchParams::apply(FIELD_MANAGER);
        self.api.patch(name, &params, &apply_patch(&object)?).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(name: &str) -> UnmatchedEmployeeStatus {
        let status = json!({ "employee": {
            "id": "e", "name": name, "email": "", "active": true, "deactivated": false,
        } });
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn only_what_differs_is_changed() {
        let name = |id| unmatched_employee_name("acme", id);
        let same = Known {
            status: Some(Digest::of(&status("Ann"))),
            is_owned: true,
        };
        let restored = Known {
            is_owned: false,
            ..same
        };
        let unreadable = Known { status: None, ..same };
        let known = BTreeMap::from([
            (name("same"), same),
            (name("renamed"), same),
            (name("unreadable"), unreadable),
            (name("restored"), restored),
            (name("matched"), same),
            ("by-hand".to_owned(), same),
        ]);
        let wanted = [
            ("same", "Ann"),
            ("renamed", "Bob"),
            ("unreadable", "Cid"),
            ("new", "Dan"),
            ("restored", "Ann"),
        ];
        let wanted = wanted.map(|(id, name)| (EmployeeId::from(id), status(name)));
        let expected = [
            (name("renamed"), Change::Update(status("Bob"))),
            (name("unreadable"), Change::Update(status("Cid"))),
            (name("new"), Change::Create("new".into(), status("Dan"))),
            (name("restored"), Change::Create("restored".into(), status("Ann"))),
            (name("matched"), Change::Delete),
            ("by-hand".to_owned(), Change::Delete),
        ];
        assert_eq!(changes("acme", &known, &wanted.into()), expected.into());
    }
}
