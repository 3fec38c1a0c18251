//! Readiness: the operator is ready once each of its watches has delivered a complete list.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::runtime::watcher;
use parking_lot::Mutex;

use crate::http::{clip, cluster};

const MAX_REASON_CHARS: usize = 300;

/// The first list of one watch.
#[derive(Debug)]
pub struct InitialList {
    /// In words for people.
    what: String,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Pending,
    Failing(String),
    /// Final: the watch recovers from later errors by itself.
    Complete,
}

impl InitialList {
    /// The list of `kind` in `namespace`, or in all.
    pub fn new(kind: &str, namespace: Option<&str>) -> Arc<Self> {
        let what = match namespace {
            Some(namespace) => format!("{kind} of namespace {namespace}"),
            None => format!("{kind} of all namespaces"),
        };
        Arc::new(Self {
            what,
            state: Mutex::new(State::Pending),
        })
    }

    /// Passes a watch's items through and follows the state of its first list.
    pub fn observe<K>(
        self: Arc<Self>,
        stream: impl Stream<Item = watcher::Result<watcher::Event<K>>>,
    ) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> {
        stream.inspect(move |item| self.handle_item(item))
    }

    fn handle_item<K>(&self, item: &watcher::Result<watcher::Event<K>>) {
        let mut state = self.state.lock();
        match (&*state, item) {
            (State::Complete, Err(error)) => {
                let reason = cluster::watch_message(error);
                // The API server ends a watch that it has no history for; the watch then lists again.
                if matches!(error, watcher::Error::WatchError(status) if status.code == 410) {
                    tracing::debug!(reason, "the watch of {} begins again", self.what);
                } else {
                    tracing::warn!(reason, "the watch of {} failed and will be retried", self.what);
                }
            }
            (_, Ok(watcher::Event::InitDone)) => *state = State::Complete,
            (_, Err(error)) => {
                let reason = clip(&cluster::watch_message(error), MAX_REASON_CHARS);
                tracing::warn!(reason, "cannot list the {} yet", self.what);
                *state = State::Failing(reason);
            }
            (_, Ok(_)) => {}
        }
    }

    /// Why the list is not complete; None once it is.
    fn pending(&self) -> Option<String> {
        match &*self.state.lock() {
            State::Pending => Some(format!("{}: not listed yet", self.what)),
            State::Failing(reason) => Some(format!(
                "{}: {reason}. Check that the CRDs are installed and that the operator's roles allow it.",
                self.what
            )),
            State::Complete => None,
        }
    }
}

/// The incomplete lists, with the reasons; empty when the operator is ready.
pub fn pending(lists: &[Arc<InitialList>]) -> Vec<String> {
    lists.iter().filter_map(|list| list.pending()).collect()
}

#[cfg(test)]
mod tests {
    use kube::core::PartialObjectMeta;

    use super::*;
    use crate::api::EmployeeMatch;

    type Item = watcher::Result<watcher::Event<PartialObjectMeta<EmployeeMatch>>>;

    #[test]
    fn an_incomplete_list_is_reported_with_its_reason() {
        let list = InitialList::new("OktaIntegrations", Some("people"));
        let lists = [list.clone()];
        assert_eq!(
            pending(&lists),
            ["OktaIntegrations of namespace people: not listed yet"]
        );
        list.handle_item(&Item::Err(watcher::Error::NoResourceVersion));
        let [text] = &pending(&lists)[..] else { panic!() };
        assert!(
            text.contains("no metadata.resourceVersion") && text.contains("roles"),
            "{text}"
        );
        list.handle_item(&Item::Ok(watcher::Event::Init));
        assert_eq!(pending(&lists).len(), 1, "a started list is not complete");
        list.handle_item(&Item::Ok(watcher::Event::InitDone));
        assert_eq!(pending(&lists), Vec::<String>::new());
        list.handle_item(&Item::Err(watcher::Error::NoResourceVersion));
        assert_eq!(
            pending(&lists),
            Vec::<String>::new(),
            "the watch recovers by itself"
        );
    }
}
