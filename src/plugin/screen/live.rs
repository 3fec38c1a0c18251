//! Tells an open page that something changed.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, stream};

use super::Screen;

/// Many objects change at once after a sync: a page is told once.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

pub async fn live(State(screen): State<Arc<Screen>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = screen.watched.changes();
    let events = stream::unfold(changes, |mut changes| async move {
        changes.changed().await.ok()?;
        tokio::time::sleep(MIN_INTERVAL).await;
        let version = *changes.borrow_and_update();
        let event = Event::default().event("changed").data(version.to_string());
        Some((Ok(event), changes))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
