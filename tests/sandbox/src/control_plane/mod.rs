//! A real Kubernetes control plane on this machine: the stock etcd, API server
//! and controller manager, with RBAC on and every certificate verified. There
//! are no nodes, so pods do not run; everything else is what a cluster does,
//! garbage collection and namespace deletion included.
//!
//! [`ControlPlane::shared`] is the one for tests, [`ControlPlane::start`] gives
//! one to own. Either ends with the process that started it, whatever ends
//! that: see [`kept_process`].

mod cluster;
mod commands;
mod credentials;
mod error;
pub mod kept_process;
mod programs;

use std::fmt;
use std::fs::Permissions;
use std::mem;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{Api, Client};
use tempfile::TempDir;

use self::credentials::{Credentials, Identity, certificate_user, write_kubeconfig};
use self::kept_process::{Ending, KeptProcess};
pub(crate) use self::programs::target_directory;
pub use self::{
    cluster::client,
    error::Error,
    programs::{Program, kubernetes_version},
};

/// A start takes seconds; this is for a machine that builds Rust meanwhile.
const READY: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
const TAIL: usize = 20;

/// A port is free when it is chosen and may be taken when it is bound.
const PORTS_TRIED: usize = 5;

const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
                           clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller";

/// What may differ from one control plane to the next.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where its directory is made; the system's directory for temporary files
    /// by default.
    pub parent: Option<PathBuf>,
    /// More arguments of kube-apiserver, such as `--event-ttl=5m`; they win
    /// over the sandbox's own.
    pub api_server_arguments: Vec<String>,
}

/// A running control plane. It belongs to no tokio runtime, so one can serve
/// tests that each have their own. Dropping it ends its programs and removes
/// its directory.
pub struct ControlPlane {
    // The fields are dropped in this order: clients before servers.
    controller_manager: Mutex<KeptProcess>,
    api_server: KeptProcess,
    etcd: KeptProcess,
    directory: TempDir,
    url: String,
    admin_kubeconfig: PathBuf,
    admin: Identity,
    authority: String,
}

impl ControlPlane {
    /// Starts one and waits until it is ready, which takes seconds; minutes,
    /// with word on standard error, when its programs have to be built first.
    ///
    /// # Errors
    /// When a program is missing and cannot be built, or ends or does not get
    /// ready: with the end of its log.
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
        .map_err(Error::io("make a temporary directory"))?;
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

    /// The one control plane of this process, started at the first call; it
    /// ends with the process. Blocks the thread until it is ready, and needs
    /// no runtime.
    ///
    /// # Panics
    /// When it cannot be started: a test that needs it has nothing else to say.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            // Not on the caller's thread, which may be inside a runtime.
            let start = || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(Error::io("make a runtime"))?;
                runtime.block_on(Self::start(&Options::default()))
            };
            let started = thread::scope(|scope| scope.spawn(start).join());
            match started {
                Ok(result) => result.map_err(|error| with_causes(&error)),
                Err(_) => Err("the thread that starts it panicked".to_owned()),
            }
        });
        match shared {
            Ok(shared) => shared,
            Err(error) => panic!("no control plane: {error}"),
        }
    }

    /// Where the API server listens, such as `https://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig of the admin (group `system:masters`), which needs no
    /// other file.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    /// A directory, open to this user only, that is removed when the control
    /// plane ends: for its logs (`<program>.log`) and whatever belongs to it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process ids of etcd, kube-apiserver and kube-controller-manager.
    #[must_use]
    pub fn pids(&self) -> [u32; 3] {
        let controller_manager = self
            .controller_manager
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        [self.etcd.pid(), self.api_server.pid(), controller_manager.pid()]
    }

    /// Ends all its programs and removes its directory.
    ///
    /// # Errors
    /// When the directory cannot be removed.
    pub async fn stop(self) -> Result<(), Error> {
        let Self {
            controller_manager,
            api_server,
            etcd,
            directory,
            ..
        } = self;
        let controller_manager = controller_manager
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for process in [controller_manager, api_server, etcd] {
            process
                .stop()
                .await
                .map_err(Error::io("stop the control plane"))?;
        }
        let place = directory.path().display().to_string();
        match directory.close() {
            // etcd's keeper was first.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(format!("remove {place}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// The garbage collector looks for new kinds only every half a minute, but
    /// also when it starts.
    async fn restart_controller_manager(&self) -> Result<(), Error> {
        let new = start_controller_manager(self.directory(), &self.admin_kubeconfig)?;
        let old = {
            let mut current = self
                .controller_manager
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
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
    /// Leaves the keys out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane")
            .field("url", &self.url)
            .field("directory", &self.directory)
            .finish()
    }
}

/// Builds those of these programs that are not there yet, as
/// [`ControlPlane::start`] and [`ControlPlane::helm`] would: to have the wait
/// behind oneself.
///
/// # Errors
/// When programs are missing and Go is missing or too old, or a build fails.
pub async fn provide(wanted: &[Program]) -> Result<(), Error> {
    let wanted = wanted.to_vec();
    tokio::task::spawn_blocking(move || programs::provide(&wanted))
        .await
        .map_err(|error| Error::io("provide the control plane's programs")(error.into()))?
}

fn start_etcd(place: &Path) -> Result<KeptProcess, Error> {
    let mut command = Command::new(Program::Etcd.path()?);
    command.current_dir(place).args([
        "--data-dir=etcd",
        // A socket in this directory: no port to lose to another process.
        "--listen-client-urls=unix://etcd.sock:0",
        "--advertise-client-urls=unix://etcd.sock:0",
        "--listen-peer-urls=unix://etcd-peer.sock:0",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]);
    spawn(Program::Etcd, &command, place, Some(place))
}

/// Gives the API server, ready, and its URL; the admin's kubeconfig is written.
async fn start_api_server(
    place: &Path,
    options: &Options,
    credentials: &Credentials,
    etcd: &mut KeptProcess,
) -> Result<(KeptProcess, String), Error> {
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
                // Else it looks for a default route, which a laptop may not have.
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
                // Tests in parallel are one user to it; its share of the defaults is small.
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
                if tries < PORTS_TRIED && tail.contains("address already in use") => {}
            Err(error) => return Err(error),
        }
    }
}

fn start_controller_manager(place: &Path, kubeconfig: &Path) -> Result<KeptProcess, Error> {
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

/// Nothing that these programs would do before they end is of use: no grace.
fn spawn(
    program: Program,
    command: &Command,
    place: &Path,
    remove: Option<&Path>,
) -> Result<KeptProcess, Error> {
    let ending = Ending {
        grace: Duration::ZERO,
        remove: remove.map(Path::to_owned),
    };
    KeptProcess::spawn(command, place.join(format!("{}.log", program.name())), &ending)
        .map_err(Error::io(format!("start {}", program.name())))
}

async fn is_serving(client: &Client) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else {
        return false;
    };
    client.request_text(request).await.is_ok()
        && Api::<Namespace>::all(client.clone()).get("default").await.is_ok()
}

/// Waits for `is_ready`, as long as these programs run; the last one is the
/// one that has to get ready.
async fn until_ready(
    is_ready: impl AsyncFn() -> bool,
    running: &mut [(Program, &mut KeptProcess)],
) -> Result<(), Error> {
    let begin = Instant::now();
    loop {
        for (program, process) in &mut *running {
            if let Some(status) = process
                .exit_status()
                .map_err(Error::io("watch the control plane"))?
            {
                return Err(failed(*program, process, &format!("ended by itself ({status})")));
            }
        }
        if is_ready().await {
            return Ok(());
        }
        if begin.elapsed() > READY
            && let Some((program, process)) = running.last()
        {
            return Err(failed(
                *program,
                process,
                &format!("is not ready after {} s", READY.as_secs()),
            ));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn failed(program: Program, process: &KeptProcess, what: &str) -> Error {
    Error::Program {
        program: program.name(),
        what: what.to_owned(),
        tail: process.log_tail(TAIL),
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
