//! A real Kubernetes control plane on this machine: unmodified etcd, API server and controller manager, with RBAC and
//! verified certificates. There are no nodes, so pods do not run; everything else works as in a cluster, including
//! garbage collection and the deletion of namespaces.
//!
//! Tests share [`ControlPlane::shared`]; [`ControlPlane::start`] starts another one. Both end with the process that
//! started them: see [`child_process`].

pub mod child_process;
mod cluster;
mod commands;
mod credentials;
mod error;
mod programs;
mod version;

use std::fmt;
use std::fs::Permissions;
use std::mem;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{Api, Client};
use parking_lot::Mutex;
use tempfile::TempDir;

use self::child_process::{ChildProcess, Ending};
use self::credentials::{Credentials, Identity, certificate_user, write_kubeconfig};
pub(crate) use self::programs::target_directory;
pub use self::{
    cluster::client,
    error::Error,
    programs::{Program, default_kubernetes_version, kubernetes_version},
    version::{KubernetesVersion, select_kubernetes},
};

/// A start takes seconds, but longer while the machine compiles.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
const LOG_TAIL_LINES: usize = 20;

/// A free port may be taken before the API server binds it.
const MAX_PORT_ATTEMPTS: usize = 5;

const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
                           clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller";

#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The parent of the control plane's directory; by default the directory for temporary files.
    pub parent: Option<PathBuf>,
    /// Additional arguments of kube-apiserver, such as `--event-ttl=5m`. They override the sandbox's arguments.
    pub api_server_arguments: Vec<String>,
}

/// A running control plane. It is independent of tokio runtimes, so that tests with their own runtimes can share it.
/// Dropping it stops its programs and removes its directory.
pub struct ControlPlane {
    // Fields are dropped in this order: clients before servers.
    controller_manager: Mutex<ChildProcess>,
    api_server: ChildProcess,
    etcd: ChildProcess,
    directory: TempDir,
    url: String,
    admin_kubeconfig: PathBuf,
    admin: Identity,
    authority: String,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready. This takes seconds, or minutes if its programs must be
    /// built first; the progress is printed on standard error.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let wanted = [
            Program::Etcd,
            Program::KubeApiserver,
            Program::KubeControllerManager,
            Program::Kubectl,
        ];
        provide(&wanted).await?;
        let mut builder = tempfile::Builder::new();
        let builder = builder
            .prefix("sandbox-")
            .permissions(Permissions::from_mode(0o700));
        let directory = match &options.parent {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        }
        .map_err(Error::io("create a temporary directory"))?;
        let place = directory.path();
        let credentials = Credentials::new()?;
        let write = |name: &str, content: &str| {
            std::fs::write(place.join(name), content).map_err(Error::io(format!("write {name}")))
        };
        write("authority.pem", &credentials.authority)?;
        write("server.pem", &credentials.server.certificate)?;
        write("server.key", &credentials.server.key)?;
        write("tokens.key", &credentials.tokens.serialize_pem())?;
        write("tokens.pub", &credentials.tokens.public_key_pem())?;

        let mut etcd = start_etcd(place)?;
        let (api_server, url) = start_api_server(place, options, &credentials, &mut etcd).await?;
        let admin_kubeconfig = place.join("admin.kubeconfig");
        let mut controller_manager = start_controller_manager(place, &admin_kubeconfig)?;
        let accounts: Api<ServiceAccount> = Api::namespaced(client(&admin_kubeconfig).await?, "default");
        until_ready(
            async || accounts.get("default").await.is_ok(),
            &mut [(Program::KubeControllerManager, &mut controller_manager)],
        )
        .await?;

        Ok(Self {
            controller_manager: Mutex::new(controller_manager),
            api_server,
            etcd,
            directory,
            url,
            admin_kubeconfig,
            admin: credentials.admin,
            authority: credentials.authority,
        })
    }

    /// The shared control plane of this process, started by the first call. Blocks the thread until it is ready, and
    /// needs no runtime. Panics if it cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            // The caller's thread may be inside a runtime.
            let start = || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(Error::io("start a runtime"))?;
                runtime.block_on(Self::start(&Options::default()))
            };
            let started = thread::scope(|scope| scope.spawn(start).join());
            match started {
                Ok(result) => result.map_err(|error| with_causes(&error)),
                Err(_) => Err("the thread that started it panicked".to_owned()),
            }
        });
        match shared {
            Ok(shared) => shared,
            Err(error) => panic!("no control plane: {error}"),
        }
    }

    /// The URL of the API server, such as `https://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A self-contained kubeconfig of the admin (group `system:masters`).
    #[must_use]
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    /// A directory that only this user can access and that is removed with the control plane. It contains the logs,
    /// `<program>.log`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process ids of etcd, kube-apiserver and kube-controller-manager.
    #[must_use]
    pub fn pids(&self) -> [u32; 3] {
        let controller_manager = self.controller_manager.lock();
        [self.etcd.pid(), self.api_server.pid(), controller_manager.pid()]
    }

    /// Stops the programs and removes the directory.
    pub async fn stop(self) -> Result<(), Error> {
        let Self {
            controller_manager,
            api_server,
            etcd,
            directory,
            ..
        } = self;
        let controller_manager = controller_manager.into_inner();
        for process in [controller_manager, api_server, etcd] {
            process
                .stop()
                .await
                .map_err(Error::io("stop the control plane"))?;
        }
        let place = directory.path().display().to_string();
        match directory.close() {
            // etcd's supervisor has removed it already.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(format!("remove {place}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// The garbage collector looks for new kinds when it starts, and then only every 30 seconds.
    async fn restart_controller_manager(&self) -> Result<(), Error> {
        let new = start_controller_manager(self.directory(), &self.admin_kubeconfig)?;
        let old = {
            let mut current = self.controller_manager.lock();
            mem::replace(&mut *current, new)
        };
        old.stop()
            .await
            .map_err(Error::io("stop kube-controller-manager"))?;
        Ok(())
    }

    fn api_server_failed(&self, what: &str) -> Error {
        failed(Program::KubeApiserver, &self.api_server, what)
    }
}

impl fmt::Debug for ControlPlane {
    /// Omits the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane")
            .field("url", &self.url)
            .field("directory", &self.directory)
            .finish()
    }
}

/// Builds the missing programs, as [`ControlPlane::start`] and [`ControlPlane::helm`] would.
pub async fn provide(wanted: &[Program]) -> Result<(), Error> {
    let wanted = wanted.to_vec();
    tokio::task::spawn_blocking(move || programs::provide(&wanted))
        .await
        .map_err(|error| Error::io("provide the control plane's programs")(error.into()))?
}

fn start_etcd(place: &Path) -> Result<ChildProcess, Error> {
    let mut command = Command::new(Program::Etcd.path()?);
    command.current_dir(place).args([
        "--data-dir=etcd",
        // A socket in this directory, since another process could take a port.
        "--listen-client-urls=unix://etcd.sock:0",
        "--advertise-client-urls=unix://etcd.sock:0",
        "--listen-peer-urls=unix://etcd-peer.sock:0",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]);
    spawn(Program::Etcd, &command, place, Some(place))
}

/// Starts the API server, waits until it is ready, and writes the admin's kubeconfig. Returns the process and the URL.
async fn start_api_server(
    place: &Path,
    options: &Options,
    credentials: &Credentials,
    etcd: &mut ChildProcess,
) -> Result<(ChildProcess, String), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let port = free_port()?;
        let url = format!("https://127.0.0.1:{port}");
        let kubeconfig = place.join("admin.kubeconfig");
        let user = certificate_user(&credentials.admin);
        write_kubeconfig(&kubeconfig, &url, &credentials.authority, "default", &user)?;
        let client = client(&kubeconfig).await?;

        let mut command = Command::new(Program::KubeApiserver.path()?);
        command
            .current_dir(place)
            .args([
                "--etcd-servers=unix://etcd.sock:0",
                "--bind-address=127.0.0.1",
                // Otherwise it requires a default route, which a laptop may lack.
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                "--tls-cert-file=server.pem",
                "--tls-private-key-file=server.key",
                "--client-ca-file=authority.pem",
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=tokens.pub",
                "--service-account-signing-key-file=tokens.key",
                "--service-cluster-ip-range=10.0.0.0/24",
                // Parallel tests are one user, whose share of the default limits would be too small.
                "--max-requests-inflight=4000",
                "--max-mutating-requests-inflight=2000",
                "--profiling=false",
            ])
            .arg(format!("--secure-port={port}"))
            .args(&options.api_server_arguments);
        let mut api_server = spawn(Program::KubeApiserver, &command, place, None)?;

        let ready = until_ready(
            || is_serving(&client),
            &mut [
                (Program::Etcd, &mut *etcd),
                (Program::KubeApiserver, &mut api_server),
            ],
        )
        .await;
        match ready {
            Ok(()) => return Ok((api_server, url)),
            Err(Error::Program { tail, .. })
                if tries < MAX_PORT_ATTEMPTS && tail.contains("address already in use") => {}
            Err(error) => return Err(error),
        }
    }
}

fn start_controller_manager(place: &Path, kubeconfig: &Path) -> Result<ChildProcess, Error> {
    let mut command = Command::new(Program::KubeControllerManager.path()?);
    command
        .current_dir(place)
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .arg(format!("--controllers={CONTROLLERS}"))
        .args([
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--concurrent-gc-syncs=5",
            "--concurrent-namespace-syncs=5",
            "--profiling=false",
        ]);
    spawn(Program::KubeControllerManager, &command, place, None)
}

/// Without grace, since the state of these programs is not needed any more.
fn spawn(
    program: Program,
    command: &Command,
    place: &Path,
    remove: Option<&Path>,
) -> Result<ChildProcess, Error> {
    let ending = Ending {
        grace: Duration::ZERO,
        remove: remove.map(Path::to_owned),
    };
    ChildProcess::spawn(command, place.join(format!("{}.log", program.name())), &ending)
        .map_err(Error::io(format!("start {}", program.name())))
}

async fn is_serving(client: &Client) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else {
        return false;
    };
    client.request_text(request).await.is_ok()
        && Api::<Namespace>::all(client.clone()).get("default").await.is_ok()
}

/// Waits for `is_ready`. Fails if one of the programs exits; a timeout is an error of the last one.
async fn until_ready(
    is_ready: impl AsyncFn() -> bool,
    running: &mut [(Program, &mut ChildProcess)],
) -> Result<(), Error> {
    let begin = Instant::now();
    loop {
        for (program, process) in &mut *running {
            if let Some(status) = process
                .exit_status()
                .map_err(Error::io("watch the control plane"))?
            {
                return Err(failed(*program, process, &format!("exited ({status})")));
            }
        }
        if is_ready().await {
            return Ok(());
        }
        if begin.elapsed() > READY_TIMEOUT
            && let Some((program, process)) = running.last()
        {
            return Err(failed(
                *program,
                process,
                &format!("is not ready after {} s", READY_TIMEOUT.as_secs()),
            ));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn failed(program: Program, process: &ChildProcess, what: &str) -> Error {
    Error::Program {
        program: program.name(),
        what: what.to_owned(),
        tail: process.log_tail(LOG_TAIL_LINES),
    }
}

fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("find a free port"))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
