//! `/metrics`, `/healthz` and `/readyz`.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

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
pub async fn serve(address: SocketAddr, ctx: Arc<Context>) -> io::Result<()> {
    let listener = listen(address).await?;
    let routes = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(ctx);
    axum::serve(listener, routes).await
}

/// Listens on an address. `[::]` usually accepts IPv4 too.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) => match ipv4_fallback(address, &error) {
            Some(other) => TcpListener::bind(other).await,
            None => Err(error),
        },
        listener => listener,
    }
}

/// `0.0.0.0` in place of `[::]` on a kernel without IPv6.
fn ipv4_fallback(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let is_taken = matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    );
    (address.ip() == Ipv6Addr::UNSPECIFIED && !is_taken)
        .then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into())
}

/// Fails if the main loop or a reconcile is stuck.
async fn alive(State(ctx): State<Arc<Context>>) -> (StatusCode, String) {
    probe_response(ctx.liveness.stuck())
}

/// Fails until the resources have been listed. A standby is ready too.
async fn ready(State(ctx): State<Arc<Context>>) -> (StatusCode, String) {
    probe_response(ctx.not_ready())
}

fn probe_response(problems: Vec<String>) -> (StatusCode, String) {
    if problems.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
    }
}

async fn metrics(
    State(ctx): State<Arc<Context>>,
) -> Result<([(HeaderName, &'static str); 1], String), StatusCode> {
    let text = ctx
        .metrics
        .text(ctx.leadership.term().is_some(), ctx.not_ready().is_empty())
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, metrics::FORMAT)], text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unspecified_address_listens_on_each_family_of_the_kernel() {
        let everywhere = listen("[::]:0".parse().unwrap()).await.unwrap();
        let bound = everywhere.local_addr().unwrap();
        let mut addresses: Vec<SocketAddr> = vec![(Ipv4Addr::LOCALHOST, bound.port()).into()];
        if bound.is_ipv6() {
            addresses.push((Ipv6Addr::LOCALHOST, bound.port()).into());
        }
        for address in addresses {
            let connection = tokio::net::TcpStream::connect(address).await;
            assert!(connection.is_ok(), "{address}: {connection:?}");
        }
        // An address in use has no fallback.
        let taken = listen(bound).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn without_ipv6_the_unspecified_address_is_that_of_ipv4() {
        // EAFNOSUPPORT and EADDRNOTAVAIL.
        let missing = [97, 99].map(io::Error::from_raw_os_error);
        for error in &missing {
            for (asked, other) in [
                ("[::]:8080", Some("0.0.0.0:8080")),
                ("[::1]:8080", None),
                ("[fd00::1]:8080", None),
                ("0.0.0.0:8080", None),
                ("127.0.0.1:8080", None),
            ] {
                let other = other.map(|address| address.parse().unwrap());
                assert_eq!(
                    ipv4_fallback(asked.parse().unwrap(), error),
                    other,
                    "{asked}: {error}"
                );
            }
        }
        for kind in [io::ErrorKind::AddrInUse, io::ErrorKind::PermissionDenied] {
            assert_eq!(ipv4_fallback("[::]:80".parse().unwrap(), &kind.into()), None);
        }
    }

    #[test]
    fn each_problem_is_a_line_of_the_response() {
        assert_eq!(probe_response(vec![]), (StatusCode::OK, "ok\n".to_owned()));
        let problems = vec!["a is stuck".to_owned(), "b is stuck".to_owned()];
        let expected = (
            StatusCode::SERVICE_UNAVAILABLE,
            "a is stuck\nb is stuck\n".to_owned(),
        );
        assert_eq!(probe_response(problems), expected);
    }
}
