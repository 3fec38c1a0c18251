//! What the operator must have read before it is ready, and what keeps it from that.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::runtime::watcher;
use parking_lot::Mutex;

use crate::http::clip;

/// The longest reason that is told, in characters.
const MAX_REASON_CHARS: usize = 300;

/// One watch.
#[derive(Debug)]
pub struct InitialList {
    /// In words for people.
    what: String,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Nothing has come yet.
    Pending,
    /// It could not be read, for this reason.
    Failing(String),
    /// Its first list has come whole. What comes later is the watch's own matter: it begins anew by itself.
    Complete,
}

impl InitialList {
    /// One that has delivered nothing yet, of `kind` in `namespace`, or in all.
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

    /// The same stream; this takes note of what comes.
    pub fn observe<K>(
        self: Arc<Self>,
        stream: impl Stream<Item = watcher::Result<watcher::Event<K>>>,
    ) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> {
        stream.inspect(move |item| self.handle_item(item))
    }

    fn handle_item<K>(&self, item: &watcher::Result<watcher::Event<K>>) {
        let mut state = self.state.lock();
        match (&*state, item) {
            (State::Complete, _) => {}
            (_, Ok(watcher::Event::InitDone)) => *state = State::Complete,
            (_, Err(error)) => {
                let reason = clip(&error.to_string(), MAX_REASON_CHARS);
                tracing::warn!(reason, "cannot read the {} yet", self.what);
                *state = State::Failing(reason);
            }
            (_, Ok(_)) => {}
        }
    }

    /// What is pending, and why; None once it has delivered.
    fn pending(&self) -> Option<String> {
        let state = self.state.lock();
        match &*state {
            State::Pending => Some(format!("{}: not read yet", self.what)),
            State::Failing(reason) => Some(format!(
                "{}: {reason}. Are the definitions installed, and do the operator's roles allow it?",
                self.what
            )),
            State::Complete => None,
        }
    }
}

/// What is pending of all of these; empty when the operator is ready.
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
    fn what_is_missing_is_named_with_its_reason_until_it_comes() {
        let list = InitialList::new("OktaIntegrations", Some("people"));
        let lists = [list.clone()];
        assert_eq!(
            pending(&lists),
            ["OktaIntegrations of namespace people: not read yet"]
        );
        list.handle_item(&Item::Err(watcher::Error::NoResourceVersion));
        let [text] = &pending(&lists)[..] else { panic!() };
        assert!(
            text.contains("no metadata.resourceVersion") && text.contains("roles"),
            "{text}"
        );
        list.handle_item(&Item::Ok(watcher::Event::Init));
        assert_eq!(pending(&lists).len(), 1, "a list that has begun is not whole");
        list.handle_item(&Item::Ok(watcher::Event::InitDone));
        assert_eq!(pending(&lists), Vec::<String>::new());
        list.handle_item(&Item::Err(watcher::Error::NoResourceVersion));
        assert_eq!(pending(&lists), Vec::<String>::new(), "it begins anew by itself");
    }
}
