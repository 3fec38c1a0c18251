//! Which integration is to be looked at because an EmployeeMatch changed.

use std::{collections::HashMap, sync::Arc};

use futures::{Stream, StreamExt, stream};
use kube::{
    Api, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        reflector::{ObjectRef, Store},
        watcher::{self, Event},
    },
};

use super::{matches::integration_of, watches::Watch};
use crate::api::{EmployeeMatch, FIELD_MANAGER, OktaIntegration};

/// What is watched: no more than metadata comes over the wire.
pub type Metadata = PartialObjectMeta<EmployeeMatch>;

/// Each integration of which an EmployeeMatch's spec was changed, or that lost
/// one. What the operator itself writes causes nothing. Only metadata is
/// watched, so that memory does not grow with what stands in the statuses.
/// `watch` takes note of when the first list has come.
pub fn of_matches(
    api: Api<Metadata>,
    integrations: Store<OktaIntegration>,
    watch: Arc<Watch>,
) -> impl Stream<Item = ObjectRef<OktaIntegration>> {
    let mut seen = Seen::default();
    watch
        .observe(watcher::watcher(api, watcher::Config::default()).default_backoff())
        .flat_map(move |event| {
            let touched = match event {
                Ok(event) => seen.touched_by(event),
                Err(error) => {
                    tracing::warn!(%error, "the watch on EmployeeMatches broke off; it is begun anew");
                    Vec::new()
                }
            };
            let concerned: Vec<_> = touched
                .iter()
                .flat_map(|object| concerned(object, &integrations))
                .collect();
            stream::iter(concerned)
        })
}

/// The integration that the object names; where it names none, since it comes
/// from Git, every integration of the namespace.
fn concerned(object: &Metadata, integrations: &Store<OktaIntegration>) -> Vec<ObjectRef<OktaIntegration>> {
    let namespace = object.namespace().unwrap_or_default();
    match integration_of(object) {
        Some(name) => vec![ObjectRef::new(&name).within(&namespace)],
        None => integrations
            .state_filter(|integration| integration.namespace().as_deref() == Some(namespace.as_str()))
            .iter()
            .map(|integration| ObjectRef::from_obj(integration.as_ref()))
            .collect(),
    }
}

/// The generation of each object, to tell a changed spec from a changed status.
#[derive(Default)]
struct Seen {
    generations: HashMap<(String, String), Option<i64>>,
    /// While a list is read anew: those that were there before and have not come yet.
    unlisted: HashMap<(String, String), Option<i64>>,
}

impl Seen {
    fn touched_by(&mut self, event: Event<Metadata>) -> Vec<Metadata> {
        match event {
            Event::Init => {
                self.unlisted = std::mem::take(&mut self.generations);
                Vec::new()
            }
            Event::InitApply(object) => {
                let key = key(&object);
                let before = self.unlisted.remove(&key);
                let generation = object.metadata.generation;
                self.generations.insert(key, generation);
                // The first list may come after the first look at an integration,
                // with a decision that was made in between.
                let touched = match before {
                    Some(before) => before != generation,
                    None => !is_only_ours(&object),
                };
                touched.then_some(object).into_iter().collect()
            }
            Event::InitDone => {
                self.unlisted.clear();
                Vec::new()
            }
            Event::Apply(object) => {
                let generation = object.metadata.generation;
                match self.generations.insert(key(&object), generation) {
                    Some(before) if before == generation => Vec::new(),
                    None if is_only_ours(&object) => Vec::new(),
                    _ => vec![object],
                }
            }
            Event::Delete(object) => {
                self.generations.remove(&key(&object));
                vec![object]
            }
        }
    }
}

fn key(object: &Metadata) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn is_only_ours(object: &Metadata) -> bool {
    object
        .managed_fields()
        .iter()
        .all(|fields| fields.manager.as_deref() == Some(FIELD_MANAGER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, generation: i64, manager: &str) -> Metadata {
        let metadata = serde_json::json!({
            "name": name, "generation": generation, "managedFields": [{ "manager": manager }],
        });
        serde_json::from_value(serde_json::json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn a_changed_spec_touches_and_a_changed_status_does_not() {
        let mut seen = Seen::default();
        let mut touches = |event| seen.touched_by(event).len();
        assert_eq!(touches(Event::Init), 0);
        assert_eq!(touches(Event::InitApply(object("a", 1, FIELD_MANAGER))), 0);
        assert_eq!(
            touches(Event::InitApply(object("z", 2, "kubectl"))),
            1,
            "decided before the first list"
        );
        assert_eq!(touches(Event::InitDone), 0);
        assert_eq!(touches(Event::Apply(object("a", 1, FIELD_MANAGER))), 0, "status");
        assert_eq!(touches(Event::Apply(object("a", 2, "kubectl"))), 1, "decision");
        assert_eq!(
            touches(Event::Apply(object("b", 1, FIELD_MANAGER))),
            0,
            "made by us"
        );
        assert_eq!(touches(Event::Apply(object("c", 1, "flux"))), 1, "made by Git");
        assert_eq!(touches(Event::Delete(object("c", 1, "flux"))), 1);
        assert_eq!(touches(Event::Init), 0);
        assert_eq!(
            touches(Event::InitApply(object("a", 3, "kubectl"))),
            1,
            "changed while the watch was down"
        );
        assert_eq!(touches(Event::InitDone), 0);
    }
}
