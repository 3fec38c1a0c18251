//! Binds the loopback addresses, opens the browser, and ends after a while without requests.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::watch};

use super::{
    Screen, bulk, decisions, files, lists, live, person, plan,
    security::{self, Access},
    watched::Watched,
};
use crate::{
    model::text::counted,
    plugin::{PluginError, cluster::Cluster, terminal},
    review::sitting::Sitting,
};

/// How long the screen waits for a request before it ends.
const MAX_IDLE: Duration = Duration::from_secs(30 * 60);
const IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// A table of 10,000 people is about 10 MB.
const MAX_BODY_BYTES: usize = 64 << 20;

/// How often another port is tried when the IPv6 address of a free IPv4 port is taken.
const MAX_PORTS: usize = 10;

/// Why the screen cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    #[error("cannot listen on 127.0.0.1: {0}")]
    Bind(io::Error),
    #[error("the system has no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("the watch of the cluster ended")]
    Watch,
    #[error("the screen failed: {0}")]
    Serve(io::Error),
}

/// Serves the screen until Ctrl-C, or until nobody has asked for anything for half an hour.
pub async fn serve(
    cluster: Cluster,
    name: String,
    git: Option<PathBuf>,
    opens_browser: bool,
) -> Result<(), PluginError> {
    let me = cluster.who_am_i().await?;
    let may_finalize = cluster.may_finalize(&name).await?;
    let watched = Watched::new(&cluster, &name).await.ok_or(ScreenError::Watch)?;
    let (listeners, port) = bind().await.map_err(ScreenError::Bind)?;
    let access = Access::new(port).map_err(ScreenError::from)?;
    let address = access.address();
    let screen = Arc::new(Screen {
        cluster,
        name,
        me,
        may_finalize,
        git,
        access,
        watched,
        sitting: Mutex::new(Sitting::default()),
        notice: Mutex::new(None),
        look: Mutex::new(None),
        last_request: Mutex::new(Instant::now()),
    });
    terminal::line(format_args!("The review screen: {address}"))?;
    terminal::line("It works once and on this machine only. Ctrl-C ends it.")?;
    if opens_browser && open::that_detached(&address).is_err() {
        terminal::line("No browser could be opened: open the address yourself.")?;
    }
    let (stop, stopped) = watch::channel(false);
    let servers = listeners.into_iter().map(|listener| {
        let (router, mut stopped) = (router(screen.clone()), stopped.clone());
        let server = axum::serve(listener, router);
        let stopped = async move {
            // An error means that nobody can stop it any more, because everything ends.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        async move { server.with_graceful_shutdown(stopped).await }
    });
    let servers = futures::future::try_join_all(servers);
    tokio::select! {
        served = servers => served.map(drop).map_err(ScreenError::Serve)?,
        _ = tokio::signal::ctrl_c() => {}
        () = idle(&screen) => terminal::line("Nobody has used the screen for half an hour.")?,
    }
    // An open page holds a connection, so the servers are not waited for.
    stop.send_replace(true);
    say_what_is_unsaved(&screen)
}

/// Listens on both loopback addresses, where the machine has both.
async fn bind() -> io::Result<(Vec<TcpListener>, u16)> {
    let mut last = None;
    for _ in 0..MAX_PORTS {
        let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let port = v4.local_addr()?.port();
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
            Ok(v6) => return Ok((vec![v4, v6], port)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(error),
            // There is no IPv6 on this machine.
            Err(_) => return Ok((vec![v4], port)),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrInUse)))
}

fn router(screen: Arc<Screen>) -> Router {
    Router::new()
        .route("/", get(lists::matches))
        .route("/employees", get(lists::employees))
        .route("/people", get(lists::people))
        .route("/people/{id}", get(person::person))
        .route("/plan", get(plan::plan))
        .route("/plan/seen", post(plan::seen))
        .route("/finish", post(plan::finish))
        .route("/approve", post(plan::approve))
        .route("/decide", post(decisions::decide))
        .route("/save", post(decisions::save))
        .route("/discard", post(decisions::discard))
        .route("/unsaved", get(decisions::unsaved))
        .route("/take-back", post(decisions::take_back))
        .route("/resolve", post(decisions::resolve))
        .route("/sheet", post(bulk::sheet))
        .route("/bulk", post(bulk::stage))
        .route("/export.csv", get(files::export))
        .route("/import", get(files::import_form).post(files::import))
        .route("/live", get(live::live))
        .route("/review.css", get(styles))
        .route("/review.js", get(script))
        // Browsers ask for it.
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(screen.clone(), security::guard))
        .with_state(screen)
}

async fn styles() -> impl IntoResponse {
    let content_type = [(CONTENT_TYPE, "text/css; charset=utf-8")];
    (content_type, include_str!("templates/review.css"))
}

async fn script() -> impl IntoResponse {
    let content_type = [(CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (content_type, include_str!("templates/review.js"))
}

async fn idle(screen: &Screen) {
    loop {
        tokio::time::sleep(IDLE_CHECK_INTERVAL).await;
        if screen.last_request.lock().elapsed() >= MAX_IDLE {
            return;
        }
    }
}

/// Nothing that was decided is lost: the commands that make it are printed.
fn say_what_is_unsaved(screen: &Screen) -> Result<(), PluginError> {
    let sitting = screen.sitting.lock();
    if sitting.staged().is_empty() {
        return Ok(());
    }
    let decisions = counted(sitting.staged().len(), "decision was", "decisions were");
    terminal::line(format_args!("{decisions} not saved. To make them:"))?;
    for (id, staged) in sitting.staged() {
        for command in staged.commands(id, &screen.name, screen.cluster.in_namespace()) {
            terminal::line(crate::model::text::shown(&command))?;
        }
    }
    Ok(())
}
