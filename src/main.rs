//! The program: arguments in, exit code out.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use okta_insightful_operator::{
    api,
    cli::{ProgramError, Source, check, plan, record},
    controller::{self, LeaseName, Settings},
    services::AllowedAddresses,
    telemetry::{LogFormat, Telemetry},
};

/// `plan` found something to change, as `terraform plan -detailed-exitcode` has it.
const CHANGES: u8 = 2;

/// Keeps people and teams in Insightful in step with Okta.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator against the cluster of KUBECONFIG, or the one it runs in.
    Run(Run),
    /// Show what would happen. Exit code: 0 nothing to change, 2 changes, 1 error.
    Plan(Plan),
    /// Read both services and keep what they answered in a directory.
    Record(Record),
    /// Look whether the cluster has what the operator needs, and whether a
    /// replica leads. Exit code: 0 all is well, 1 something is not.
    Check(Check),
    /// Print the CustomResourceDefinitions.
    Crd(Crd),
}

#[derive(clap::Args)]
struct Crd {
    /// Print the page of all fields instead, as it stands in the chart's docs.
    #[arg(long, hide = true)]
    reference: bool,
}

#[derive(clap::Args)]
struct Addresses {
    /// Let services be on this machine without TLS: for tests and the demo.
    #[arg(long, env = "ALLOW_HTTP_LOOPBACK")]
    allow_http_loopback: bool,
    /// A custom Okta domain to allow beside okta.com, oktapreview.com,
    /// okta-emea.com and okta-gov.com; repeatable.
    #[arg(
        long = "okta-domain",
        env = "OKTA_DOMAIN",
        value_delimiter = ',',
        value_name = "DOMAIN"
    )]
    okta_domains: Vec<String>,
}

impl From<Addresses> for AllowedAddresses {
    fn from(
        Addresses {
            allow_http_loopback,
            okta_domains,
        }: Addresses,
    ) -> Self {
        Self {
            http_loopback: allow_http_loopback,
            okta_domains,
        }
    }
}

#[derive(clap::Args)]
struct Run {
    #[command(flatten)]
    addresses: Addresses,
    /// A namespace to watch; repeatable. Without it, all are watched.
    #[arg(
        long = "watch-namespace",
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    watch_namespaces: Vec<String>,
    /// Where /metrics, /healthz and /readyz are served. `[::]` is every address,
    /// of IPv6 and IPv4, or of IPv4 alone where there is no IPv6.
    #[arg(
        long,
        env = "METRICS_ADDRESS",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    metrics_address: SocketAddr,
    /// The Lease by which the replica that writes is elected. Without it, this
    /// is taken for the only replica.
    #[arg(long, env = "LEASE", value_name = "NAMESPACE/NAME", value_parser = namespaced_name)]
    lease: Option<(String, String)>,
    /// A directory in which what Okta said is kept, so that after a restart only
    /// what changed is read. It holds names, addresses and memberships, and no
    /// token; it can be lost at any time. Without it, a restart reads everything.
    #[arg(long, env = "STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// How log lines are written; what is logged is set by RUST_LOG.
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,
}

/// Where the integration comes from.
#[derive(clap::Args)]
struct Live {
    /// An integration in the cluster of KUBECONFIG, with its Secrets and decisions.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = namespaced_name)]
    cluster: Option<(String, String)>,
    /// A manifest with an OktaIntegration; the tokens are taken from
    /// OKTA_API_TOKEN and INSIGHTFUL_API_TOKEN.
    #[arg(long, value_name = "FILE")]
    integration: Option<PathBuf>,
    /// Manifests with EmployeeMatches: the decisions.
    #[arg(long, value_name = "FILE", requires = "integration")]
    matches: Option<PathBuf>,
}

impl Live {
    fn source(self) -> Option<Source> {
        let Self {
            cluster,
            integration,
            matches,
        } = self;
        match (cluster, integration) {
            (Some((namespace, name)), _) => Some(Source::Cluster { namespace, name }),
            (None, Some(integration)) => Some(Source::File { integration, matches }),
            (None, None) => None,
        }
    }
}

fn namespaced_name(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("must be NAMESPACE/NAME, such as people/acme".to_owned()),
    }
}

#[derive(clap::Args)]
#[command(group(ArgGroup::new("source").required(true).args(["from", "cluster", "integration"])))]
struct Plan {
    /// A recording, as `record` writes it.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    #[command(flatten)]
    live: Live,
    /// What to print.
    #[arg(short, long, default_value = "table")]
    output: Output,
    /// Which people the table shows.
    #[arg(long, default_value = "changes")]
    show: plan::Show,
    /// Only people whose name, email or Okta id holds this.
    #[arg(long, value_name = "TEXT")]
    person: Option<String>,
    /// Write EmployeeMatch manifests with the proposals as decisions, for a pull request.
    #[arg(long, value_name = "FILE")]
    write_decisions: Option<PathBuf>,
    #[command(flatten)]
    addresses: Addresses,
}

#[derive(clap::Args)]
struct Check {
    /// A namespace that the operator watches; repeatable. Without it, all.
    #[arg(
        long = "watch-namespace",
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    watch_namespaces: Vec<String>,
    /// The Lease by which the replica that writes is elected. Without it, it is
    /// not looked whether one leads.
    #[arg(long, env = "LEASE", value_name = "NAMESPACE/NAME", value_parser = namespaced_name)]
    lease: Option<(String, String)>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Table,
    Json,
}

#[derive(clap::Args)]
#[command(group(ArgGroup::new("source").required(true).args(["cluster", "integration"])))]
struct Record {
    /// The directory to write; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    live: Live,
    /// Replace names and addresses, each everywhere by the same other one.
    #[arg(long)]
    anonymise: bool,
    #[command(flatten)]
    addresses: Addresses,
}

/// Gives back what a large company's read and thinking took; see Cargo.toml.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => run(arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Plan(arguments) => show_plan(arguments).await.map_err(|error| error.to_string()),
        Command::Record(arguments) => keep_record(arguments).await.map_err(|error| error.to_string()),
        Command::Check(arguments) => look(arguments).await.map_err(|error| error.to_string()),
        Command::Crd(arguments) => print_definitions(arguments).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|message| {
        eprintln!("okta-insightful-operator: {message}");
        ExitCode::FAILURE
    })
}

async fn run(arguments: Run) -> Result<(), String> {
    let Run {
        addresses,
        watch_namespaces,
        metrics_address,
        lease,
        state_dir,
        log_format,
    } = arguments;
    let telemetry = Telemetry::begin(log_format).map_err(|error| error.to_string())?;
    let settings = Settings {
        allowed: addresses.into(),
        namespaces: watch_namespaces,
        metrics_address,
        lease: lease.map(|(namespace, name)| LeaseName { namespace, name }),
        state_dir,
    };
    let result = controller::run(settings).await;
    telemetry.end().await;
    result.map_err(|error| error.to_string())
}

async fn show_plan(arguments: Plan) -> Result<ExitCode, ProgramError> {
    let Plan {
        from,
        live,
        output,
        show,
        person,
        write_decisions,
        addresses,
    } = arguments;
    let allowed = addresses.into();
    let source = live.source();
    let from = match (&from, &source) {
        (Some(dir), _) => plan::From::Recording(dir),
        (None, Some(source)) => plan::From::Live(source, &allowed),
        // The argument group requires one of them.
        (None, None) => plan::From::Recording(Path::new(".")),
    };
    let mut planned = plan::plan(from).await?;
    if let Some(text) = person {
        planned.report.only(&text);
    }
    if let Some(file) = write_decisions {
        let name = planned
            .integration
            .as_deref()
            .ok_or(ProgramError::NoIntegration)?;
        std::fs::write(file, planned.report.decisions(name)?)?;
    }
    match output {
        Output::Table => planned.report.print(show)?,
        Output::Json => println!("{}", serde_json::to_string_pretty(&planned.report)?),
    }
    Ok(if planned.changes {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    })
}

async fn keep_record(arguments: Record) -> Result<ExitCode, ProgramError> {
    let Record {
        out,
        live,
        anonymise,
        addresses,
    } = arguments;
    if let Some(source) = live.source() {
        println!(
            "{}",
            record::record(&source, &addresses.into(), &out, anonymise).await?
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn look(arguments: Check) -> Result<ExitCode, check::CheckError> {
    let Check {
        watch_namespaces,
        lease,
    } = arguments;
    let lease = lease.map(|(namespace, name)| LeaseName { namespace, name });
    let findings = check::check(&watch_namespaces, lease.as_ref()).await?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(match findings.iter().all(|finding| finding.problem.is_none()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn print_definitions(Crd { reference }: Crd) -> Result<(), String> {
    if reference {
        print!("{}", api::reference().map_err(|error| error.to_string())?);
        return Ok(());
    }
    for (_, yaml) in api::definitions().map_err(|error| error.to_string())? {
        print!("---\n{yaml}");
    }
    Ok(())
}
