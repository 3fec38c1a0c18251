//! `/metrics`, `/healthz` and `/readyz`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use tokio::net::TcpListener;

use super::{Context, metrics};

/// Serves until the program ends.
///
/// # Errors
/// Why the address cannot be listened on.
pub async fn serve(address: SocketAddr, ctx: Arc<Context>) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let routes = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(ctx);
    axum::serve(listener, routes).await
}

/// Alive means: nothing stands still for longer than all that it waits for can take.
async fn alive(State(ctx): State<Arc<Context>>) -> (StatusCode, String) {
    verdict(ctx.pulse.stuck())
}

/// Ready means: the resources can be read. A standby is ready too.
async fn ready(State(ctx): State<Arc<Context>>) -> (StatusCode, String) {
    verdict(ctx.missing())
}

fn verdict(wrong: Vec<String>) -> (StatusCode, String) {
    if wrong.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n") + "\n")
    }
}

async fn metrics(
    State(ctx): State<Arc<Context>>,
) -> Result<([(HeaderName, &'static str); 1], String), StatusCode> {
    let text = ctx
        .metrics
        .text(ctx.leadership.term().is_some(), ctx.missing().is_empty())
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, metrics::FORMAT)], text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_line_by_line() {
        assert_eq!(verdict(vec![]), (StatusCode::OK, "ok\n".to_owned()));
        let wrong = vec!["a stands still".to_owned(), "b stands still".to_owned()];
        let said = (
            StatusCode::SERVICE_UNAVAILABLE,
            "a stands still\nb stands still\n".to_owned(),
        );
        assert_eq!(verdict(wrong), said);
    }
}
