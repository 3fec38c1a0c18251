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

/// Listens on an address. `[::]` takes IPv4 too, as the kernel usually has it.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) => match instead(address, &error) {
            Some(other) => TcpListener::bind(other).await,
            None => Err(error),
        },
        listener => listener,
    }
}

/// Every address of IPv4 in place of every address of both, where the kernel was
/// started without IPv6: it then has no such sockets, or no such address.
fn instead(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let is_taken = matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    );
    (address.ip() == Ipv6Addr::UNSPECIFIED && !is_taken)
        .then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into())
}

/// Alive means: nothing stands still for longer than all that it waits for can take.
async fn alive(State(ctx): State<Arc<Context>>) -> (StatusCode, String) {
    verdict(ctx.liveness.stuck())
}

/// Ready means: the resources can be read. A standby is ready too.
async fn ready(State(ctx): State<Arc<Context>>) -> (StatusCode, String) {
    verdict(ctx.not_ready())
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
        .text(ctx.leadership.term().is_some(), ctx.not_ready().is_empty())
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, metrics::FORMAT)], text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_address_is_of_both_families_or_of_the_one_there_is() {
        let everywhere = listen("[::]:0".parse().unwrap()).await.unwrap();
        let bound = everywhere.local_addr().unwrap();
        let mut addresses: Vec<SocketAddr> = vec![(Ipv4Addr::LOCALHOST, bound.port()).into()];
        if bound.is_ipv6() {
            addresses.push((Ipv6Addr::LOCALHOST, bound.port()).into());
        }
        for address in addresses {
            let answer = tokio::net::TcpStream::connect(address).await;
            assert!(answer.is_ok(), "{address}: {answer:?}");
        }
        // An address that is taken is not listened on elsewhere.
        let taken = listen(bound).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn without_ipv6_every_address_is_that_of_ipv4() {
        // What Linux says: the family is not supported, or there is no such address.
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
                assert_eq!(instead(asked.parse().unwrap(), error), other, "{asked}: {error}");
            }
        }
        for kind in [io::ErrorKind::AddrInUse, io::ErrorKind::PermissionDenied] {
            assert_eq!(instead("[::]:80".parse().unwrap(), &kind.into()), None);
        }
    }

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
