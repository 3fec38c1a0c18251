//! All that the tour is played on: control plane, emulators, operator.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sandbox::{
    company::Company,
    control_plane::{
        self, ControlPlane, Options, Program,
        kept_process::{Ending, KeptProcess},
    },
    insightful::Insightful,
    okta::{self, Okta},
    webhook::Webhook,
};
use serde_json::Value;

use super::typed::{Terminal, workspace};
use super::{Failure, Screen};

/// How long the tour waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same for a company of another size, whose syncs wait for Insightful's limit of calls.
const MORE_PATIENCE: Duration = Duration::from_secs(180);

const POLL: Duration = Duration::from_millis(100);

/// The namespace of the integration, and the integration's name.
pub const NAMESPACE: &str = "people";
pub const NAME: &str = "acme";

/// The release of the chart, its namespace and its ServiceAccount.
pub const RELEASE: &str = "okta-insightful-operator";

/// See the module. Everything ends when this is dropped.
pub struct Stage {
    // The fields are dropped in this order: the operator before what it talks to.
    operator: Option<KeptProcess>,
    pub company: Company,
    pub is_acme: bool,
    pub okta: Okta,
    pub insightful: Insightful,
    pub webhook: Webhook,
    pub terminal: Terminal,
    pub plane: ControlPlane,
    /// For what is known to take longer.
    pub more_patience: Duration,
    binary: PathBuf,
    syncs: u32,
}

impl Stage {
    /// Starts all but the operator, which needs the chart first.
    pub async fn build(screen: Screen, company: Company, is_acme: bool) -> Result<Self, Failure> {
        let people = company.users.len();
        let binary = build_operator(screen).await?;
        control_plane::provide(&Program::ALL).await?;
        let begin = Instant::now();
        let plane = ControlPlane::start(&Options::default()).await?;
        screen.checked(&format!(
            "Kubernetes {}: etcd, API server and controller manager, ready in {:.1} s",
            control_plane::kubernetes_version(),
            begin.elapsed().as_secs_f32()
        ));

        let okta = Okta::start_with(
            &company,
            okta::Settings {
                // Eight pages, so that there is progress to see.
                latency: Duration::from_millis(700),
                max_page: Some(people.div_ceil(8).min(200)),
                ..okta::Settings::default()
            },
        );
        screen.checked(&format!(
            "an Okta org with {people} people at {}, slow on purpose",
            okta.url()
        ));
        let insightful = Insightful::start(&company);
        let employees = company.employees.len();
        screen.checked(&format!(
            "an Insightful account with {employees} employees at {}",
            insightful.url()
        ));
        let webhook = Webhook::start();
        screen.checked("a webhook that takes notifications");

        let directory = plane.directory().join("desk");
        std::fs::create_dir(&directory).map_err(Failure::io("make a working directory"))?;
        let kubeconfig = directory.join("kubeconfig");
        std::fs::copy(plane.admin_kubeconfig(), &kubeconfig).map_err(Failure::io("copy the kubeconfig"))?;
        let terminal = Terminal {
            screen,
            directory,
            kubeconfig,
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
            more_patience: Duration::ZERO,
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
        let operator = KeptProcess::spawn(&command, log, &Ending::default())
            .map_err(Failure::io("start the operator"))?;
        self.operator = Some(operator);
        Ok(())
    }

    /// The end of the operator's log.
    pub fn log_tail(&self) -> Option<String> {
        self.operator.as_ref().map(|operator| operator.log_tail(15))
    }

    /// The operator's log.
    pub fn log(&self) -> Option<&Path> {
        self.operator.as_ref().map(KeptProcess::log)
    }

    /// The integration as it is.
    pub async fn integration(&self) -> Result<Value, Failure> {
        self.terminal.json(&["get", "oi", NAME]).await
    }

    /// The match of an Okta user as it is.
    pub async fn match_of(&self, user: &str) -> Result<Value, Failure> {
        let selector = format!("spec.oktaUserId={user}");
        let list = self
            .terminal
            .json(&["get", "em", "--field-selector", &selector])
            .await?;
        Ok(list["items"][0].clone())
    }

    /// Every match as it is.
    pub async fn matches(&self) -> Result<Vec<Value>, Failure> {
        let mut list = self.terminal.json(&["get", "em"]).await?;
        match list["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// Waits until the integration is as wanted.
    pub async fn wait_for(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        let begin = Instant::now();
        loop {
            let seen = self.integration().await?;
            if is_so(&seen) {
                return Ok(seen);
            }
            self.must_go_on(what, begin, &seen["status"])?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until a person's match is as wanted.
    pub async fn wait_for_match(
        &mut self,
        user: &str,
        what: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        let begin = Instant::now();
        loop {
            let seen = self.match_of(user).await?;
            if is_so(&seen) {
                return Ok(seen);
            }
            self.must_go_on(what, begin, &seen)?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks for a sync now, as a person does, and waits until it has been answered.
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

    /// Waits until there is an event with this reason about an object of this name.
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
            self.must_go_on(&format!("the event {reason}"), begin, &events)?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the webhook has a message, and gives all.
    pub async fn wait_for_message(&mut self) -> Result<Vec<Value>, Failure> {
        let begin = Instant::now();
        loop {
            let messages = self.webhook.received();
            if !messages.is_empty() {
                return Ok(messages);
            }
            self.must_go_on("a message to the webhook", begin, &Value::Null)?;
            tokio::time::sleep(POLL).await;
        }
    }

    fn must_go_on(&mut self, what: &str, begin: Instant, seen: &Value) -> Result<(), Failure> {
        if let Some(operator) = &mut self.operator
            && operator.has_exited()
        {
            return Err(Failure::Expectation(format!(
                "the operator ended by itself while the tour waited for {what}"
            )));
        }
        let retry_policy = if self.is_acme { PATIENCE } else { MORE_PATIENCE };
        if begin.elapsed() < retry_policy + self.more_patience {
            return Ok(());
        }
        Err(Failure::TooLate {
            what: what.to_owned(),
            seconds: begin.elapsed().as_secs(),
            seen: serde_yaml::to_string(seen).unwrap_or_else(|_| seen.to_string()),
        })
    }

    /// Ends everything, in order, and removes the directory.
    pub async fn stop(self) -> Result<(), Failure> {
        let Self { operator, plane, .. } = self;
        if let Some(operator) = operator {
            operator.stop().await.map_err(Failure::io("stop the operator"))?;
        }
        plane.stop().await?;
        Ok(())
    }
}

/// Builds the operator beside this program, in the same profile; nothing is
/// built when it is up to date. Gives its path.
async fn build_operator(screen: Screen) -> Result<PathBuf, Failure> {
    let unknown = || Failure::Expectation("this program does not lie in a directory of cargo's".to_owned());
    let this = std::env::current_exe().map_err(Failure::io("find this program"))?;
    let place = this.parent().ok_or_else(unknown)?;
    let target = place.parent().ok_or_else(unknown)?;
    let profile = match place.file_name().and_then(OsStr::to_str) {
        Some("debug") => "dev",
        Some(name) => name,
        None => return Err(unknown()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    screen.say("The operator is built, where it is not up to date:");
    // Both packages together, so that their dependencies have the same features
    // as in every other build, and nothing is compiled twice.
    let packages = ["-p", "sandbox", "-p", RELEASE, "--bins"];
    let mut command = tokio::process::Command::new(cargo);
    command
        .arg("build")
        .args(packages)
        .args(["--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(workspace())
        .kill_on_drop(true);
    // What `cargo run` tells this program would make build scripts run anew.
    for (name, _) in std::env::vars_os() {
        let told = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ];
        if name
            .to_str()
            .is_some_and(|name| told.iter().any(|told| name.starts_with(told)))
        {
            command.env_remove(name);
        }
    }
    let status = command.status().await.map_err(Failure::io("run cargo"))?;
    let binary = place.join(RELEASE);
    if status.success() && binary.is_file() {
        screen.checked("the operator is built");
        Ok(binary)
    } else {
        Err(Failure::Expectation(format!(
            "the operator could not be built: see above, or try `cargo build {}`",
            packages.join(" ")
        )))
    }
}
