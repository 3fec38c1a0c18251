//! What the tour runs on: the control plane, the emulators and the operator.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sandbox::{
    company::Company,
    control_plane::{
        self, ControlPlane, Options, Program,
        child_process::{ChildProcess, Ending},
    },
    insightful::Insightful,
    okta::{self, Okta},
    webhook::Webhook,
};
use serde_json::Value;

use super::typed::{Terminal, workspace};
use super::{Failure, Screen};

/// How long the tour waits for an expected state.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The same for a generated company, whose syncs wait for Insightful's rate limit.
const GENERATED_TIMEOUT: Duration = Duration::from_secs(180);

const POLL: Duration = Duration::from_millis(100);

/// The namespace and the name of the integration.
pub const NAMESPACE: &str = "people";
pub const NAME: &str = "acme";

/// The release of the chart, its namespace and its ServiceAccount.
pub const RELEASE: &str = "okta-insightful-operator";

/// Everything is stopped when this is dropped.
pub struct Stage {
    // Fields are dropped in this order: the operator before the servers that it calls.
    operator: Option<ChildProcess>,
    pub company: Company,
    pub is_acme: bool,
    pub okta: Okta,
    pub insightful: Insightful,
    pub webhook: Webhook,
    pub terminal: Terminal,
    pub plane: ControlPlane,
    /// Added to the timeout.
    pub extra_timeout: Duration,
    binary: PathBuf,
    syncs: u32,
}

impl Stage {
    /// Starts everything but the operator, which needs the chart to be installed first.
    pub async fn build(screen: Screen, company: Company, is_acme: bool) -> Result<Self, Failure> {
        let people = company.users.len();
        // At the same time, since each of them leaves a core idle now and then.
        let (binary, ()) = tokio::try_join!(build_operator(screen), async {
            Ok(control_plane::provide(&Program::ALL).await?)
        })?;
        let begin = Instant::now();
        let plane = ControlPlane::start(&Options::default()).await?;
        screen.checked(&format!(
            "Kubernetes {} is ready after {:.1} s: etcd, API server and controller manager",
            plane.version().await?,
            begin.elapsed().as_secs_f32()
        ));

        let okta = Okta::start_with(
            &company,
            okta::Settings {
                // Eight slow pages, so that the progress can be seen.
                latency: Duration::from_millis(700),
                max_page: Some(people.div_ceil(8).min(200)),
                ..okta::Settings::default()
            },
        );
        screen.checked(&format!(
            "an Okta org with {people} people, slowed down for the tour: {}",
            okta.url()
        ));
        let insightful = Insightful::start(&company);
        let employees = company.employees.len();
        screen.checked(&format!(
            "an Insightful account with {employees} employees: {}",
            insightful.url()
        ));
        let webhook = Webhook::start();
        screen.checked("a webhook that receives notifications");

        let directory = plane.directory().join("desk");
        std::fs::create_dir(&directory).map_err(Failure::io("create a working directory"))?;
        let kubeconfig = directory.join("kubeconfig");
        std::fs::copy(plane.admin_kubeconfig(), &kubeconfig).map_err(Failure::io("copy the kubeconfig"))?;
        let terminal = Terminal {
            screen,
            directory,
            kubeconfig,
            programs: binary.parent().map(Path::to_path_buf).unwrap_or_default(),
        };
        Ok(Self {
            operator: None,
            company,
            is_acme,
            okta,
            insightful,
            webhook,
            terminal,
            plane,
            extra_timeout: Duration::ZERO,
            binary,
            syncs: 0,
        })
    }

    /// Starts the operator with the token of the chart's ServiceAccount.
    pub async fn start_operator(&mut self) -> Result<(), Failure> {
        let kubeconfig = self.plane.service_account_kubeconfig(RELEASE, RELEASE).await?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(Failure::io("find a free port"))?
            .port();
        let mut command = Command::new(&self.binary);
        command
            .args(["run", "--allow-http-loopback", "--metrics-address"])
            .arg(format!("127.0.0.1:{port}"))
            .env("KUBECONFIG", kubeconfig);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        let log = self.plane.directory().join("operator.log");
        let operator = ChildProcess::spawn(&command, log, &Ending::default())
            .map_err(Failure::io("start the operator"))?;
        self.operator = Some(operator);
        Ok(())
    }

    pub fn log_tail(&self) -> Option<String> {
        self.operator.as_ref().map(|operator| operator.log_tail(15))
    }

    pub fn log(&self) -> Option<&Path> {
        self.operator.as_ref().map(ChildProcess::log)
    }

    pub async fn integration(&self) -> Result<Value, Failure> {
        self.terminal.json(&["get", "oi", NAME]).await
    }

    /// The EmployeeMatch of an Okta user.
    pub async fn match_of(&self, user: &str) -> Result<Value, Failure> {
        let selector = format!("spec.oktaUserId={user}");
        let list = self
            .terminal
            .json(&["get", "em", "--field-selector", &selector])
            .await?;
        Ok(list["items"][0].clone())
    }

    pub async fn matches(&self) -> Result<Vec<Value>, Failure> {
        let mut list = self.terminal.json(&["get", "em"]).await?;
        match list["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// Waits until the integration meets the condition.
    pub async fn wait_for(&mut self, what: &str, is_met: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        let begin = Instant::now();
        loop {
            let seen = self.integration().await?;
            if is_met(&seen) {
                return Ok(seen);
            }
            self.check_timeout(what, begin, &seen["status"])?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the EmployeeMatch of an Okta user meets the condition.
    pub async fn wait_for_match(
        &mut self,
        user: &str,
        what: &str,
        is_met: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        let begin = Instant::now();
        loop {
            let seen = self.match_of(user).await?;
            if is_met(&seen) {
                return Ok(seen);
            }
            self.check_timeout(what, begin, &seen)?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Requests a sync by the annotation, and waits until it is complete.
    pub async fn sync(&mut self) -> Result<Value, Failure> {
        self.syncs += 1;
        let request = format!("tour-{}", self.syncs);
        let annotation = format!("integrations.insightful.io/sync-requested-at={request}");
        let arguments = ["annotate", "oi", NAME, &annotation, "--overwrite"];
        self.terminal.show(&arguments, 1).await?;
        self.wait_for("the sync", |integration| {
            let status = &integration["status"];
            status["lastHandledSyncRequest"] == request.as_str() && status["progress"].is_null()
        })
        .await
    }

    /// Waits for an Event with this reason on the object.
    pub async fn wait_for_event(&mut self, object: &str, reason: &str) -> Result<(), Failure> {
        let begin = Instant::now();
        let selector = format!("reason={reason},involvedObject.name={object}");
        loop {
            let events = self
                .terminal
                .json(&["get", "events", "--field-selector", &selector])
                .await?;
            if events["items"] != Value::Array(Vec::new()) {
                return Ok(());
            }
            self.check_timeout(&format!("the event {reason}"), begin, &events)?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the webhook has received a message about this event, and returns all messages.
    pub async fn wait_for_message(&mut self, event: &str) -> Result<Vec<Value>, Failure> {
        let begin = Instant::now();
        loop {
            let messages = self.webhook.received();
            if messages.iter().any(|message| message["event"] == event) {
                return Ok(messages);
            }
            let what = format!("a message to the webhook about {event}");
            self.check_timeout(&what, begin, &Value::Array(messages))?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Fails if the operator has exited or the timeout has passed.
    fn check_timeout(&mut self, what: &str, begin: Instant, seen: &Value) -> Result<(), Failure> {
        if let Some(operator) = &mut self.operator
            && operator.has_exited()
        {
            return Err(Failure::Expectation(format!(
                "the operator exited while the tour was waiting for {what}"
            )));
        }
        let timeout = if self.is_acme { TIMEOUT } else { GENERATED_TIMEOUT };
        if begin.elapsed() < timeout + self.extra_timeout {
            return Ok(());
        }
        Err(Failure::Timeout {
            what: what.to_owned(),
            seconds: begin.elapsed().as_secs(),
            seen: serde_yaml::to_string(seen).unwrap_or_else(|_| seen.to_string()),
        })
    }

    /// Stops everything in order and removes the directory.
    pub async fn stop(self) -> Result<(), Failure> {
        let Self { operator, plane, .. } = self;
        if let Some(operator) = operator {
            operator.stop().await.map_err(Failure::io("stop the operator"))?;
        }
        plane.stop().await?;
        Ok(())
    }
}

/// Builds the operator in the profile of this program, and returns its path.
async fn build_operator(screen: Screen) -> Result<PathBuf, Failure> {
    let unknown = || Failure::Expectation("this program is not in a target directory of cargo".to_owned());
    let this = std::env::current_exe().map_err(Failure::io("find this program"))?;
    let place = this.parent().ok_or_else(unknown)?;
    let target = place.parent().ok_or_else(unknown)?;
    let profile = match place.file_name().and_then(OsStr::to_str) {
        Some("debug") => "dev",
        Some(name) => name,
        None => return Err(unknown()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    screen.say("Building the operator, unless it is up to date:");
    // With both packages, dependencies have the same features as in other builds and are not compiled twice.
    let packages = ["-p", "sandbox", "-p", RELEASE, "--bins"];
    let mut command = tokio::process::Command::new(cargo);
    command
        .arg("build")
        .args(packages)
        .args(["--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(workspace())
        .kill_on_drop(true);
    // The variables that `cargo run` sets would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let prefixes = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ];
        if name
            .to_str()
            .is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        {
            command.env_remove(name);
        }
    }
    let status = command.status().await.map_err(Failure::io("run cargo"))?;
    let binary = place.join(RELEASE);
    if status.success() && binary.is_file() {
        screen.checked("the operator is up to date");
        Ok(binary)
    } else {
        Err(Failure::Expectation(format!(
            "cannot build the operator: see the errors above, or run `cargo build {}`",
            packages.join(" ")
        )))
    }
}
