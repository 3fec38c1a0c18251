//! `/metrics`, `/healthz` and `/readyz`.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;

use super::Context;

/// Serves until the program ends.
///
/// # Errors
/// Why the address cannot be listened on.
pub async fn serve(address: SocketAddr, ctx: Arc<Context>) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(ctx);
    axum::serve(listener, routes).await
}

/// Ready means: the resources can be read.
async fn ready(State(ctx): State<Arc<Context>>) -> (StatusCode, &'static str) {
    if ctx.is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the resources have not been read yet: are the CRDs installed, and does the RBAC allow it?",
        )
    }
}

async fn metrics(State(ctx): State<Arc<Context>>) -> Result<String, StatusCode> {
    ctx.metrics.text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
