//! The command line. The doc comments are the help text.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use super::{Source, plan::Show};
use crate::{
    controller::LeaseName, rules::pending::OUTCOME_WAIT, services::AllowedAddresses, telemetry::LogFormat,
};

/// Keeps people and teams in Insightful in step with Okta.
#[derive(Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run the operator, in the cluster of KUBECONFIG or the one it runs in.
    Run(Run),
    /// Show what a sync would change. Exit code: 0 no changes, 2 changes, 1 error.
    Plan(Plan),
    /// Save what Okta and Insightful return to a directory.
    Record(Record),
    /// Check the operator's permissions, resource definitions and leader. Exit code: 0 all checks passed, 1 a check
    /// failed.
    Check(Check),
    /// Print the CustomResourceDefinitions as YAML.
    Crd(Crd),
}

#[derive(Args)]
pub(super) struct Addresses {
    /// Allow http:// URLs to this machine (localhost, 127.0.0.1, ::1), for tests and the demo.
    #[arg(long, env = "ALLOW_HTTP_LOOPBACK")]
    allow_http_loopback: bool,
    /// Custom Okta domain to allow, in addition to okta.com, oktapreview.com, okta-emea.com, okta-gov.com and
    /// okta.mil; repeatable.
    #[arg(
        long = "okta-domain",
        env = "OKTA_DOMAIN",
        value_delimiter = ',',
        value_name = "DOMAIN"
    )]
    okta_domains: Vec<String>,
}

impl From<Addresses> for AllowedAddresses {
    fn from(addresses: Addresses) -> Self {
        let Addresses {
            allow_http_loopback,
            okta_domains,
        } = addresses;
        Self {
            http_loopback: allow_http_loopback,
            okta_domains,
        }
    }
}

#[derive(Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub addresses: Addresses,
    /// Namespace to watch; repeatable. Without it, all namespaces are watched.
    #[arg(
        long = "watch-namespace",
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    pub watch_namespaces: Vec<String>,
    /// Address and port to serve /metrics, /healthz and /readyz on. `[::]` stands for all IPv6 and IPv4 addresses,
    /// or for all IPv4 addresses where IPv6 is unavailable.
    #[arg(
        long,
        env = "METRICS_ADDRESS",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub metrics_address: SocketAddr,
    /// Lease for leader election: only the replica that holds it writes. Without it, the operator assumes that no
    /// other replica runs.
    #[arg(long, env = "LEASE", value_name = "NAMESPACE/NAME", value_parser = lease)]
    pub lease: Option<LeaseName>,
    /// Directory to cache what was read from Okta, so that only changes are read after a restart. The cache holds
    /// names, email addresses and group memberships, but no tokens, and can be deleted at any time. Without it,
    /// each start begins with a full sync.
    #[arg(long, env = "STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// How long an invitation or a new team without a response is looked for in Insightful before it is sent again.
    /// Such a request can take effect as long as a proxy or Insightful itself works on it.
    #[arg(long, env = "OUTCOME_WAIT", default_value_t = OUTCOME_WAIT.into(), value_name = "DURATION")]
    pub outcome_wait: kube::core::Duration,
    /// Format of the log lines. RUST_LOG sets their levels, `info,kube_runtime=error` by default. The lines of target
    /// `audit`, one for each write to Insightful, are always written unless it names `audit` itself.
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Add the values before and after each write, and Insightful's errors, to the audit lines. They then contain names
    /// and emails of people.
    #[arg(long, env = "AUDIT_VALUES")]
    pub audit_values: bool,
}

/// Where the integration comes from.
#[derive(Args)]
pub(super) struct Live {
    /// OktaIntegration in the cluster of KUBECONFIG, used with its Secrets and its EmployeeMatches.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = namespaced_name)]
    cluster: Option<(String, String)>,
    /// File with an OktaIntegration. OKTA_API_TOKEN, or OKTA_PRIVATE_KEY for a service app, and
    /// INSIGHTFUL_API_TOKEN hold the credentials.
    #[arg(long, value_name = "FILE")]
    integration: Option<PathBuf>,
    /// File with EmployeeMatches, whose decisions are applied.
    #[arg(long, value_name = "FILE", requires = "integration")]
    matches: Option<PathBuf>,
}

impl Live {
    pub fn source(self) -> Option<Source> {
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

#[derive(Args)]
#[command(group(ArgGroup::new("source").required(true).args(["from", "cluster", "integration"])))]
pub(super) struct Plan {
    /// Directory that `record` wrote. Neither Okta nor Insightful is called.
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub live: Live,
    /// Output format.
    #[arg(short, long, default_value = "table")]
    pub output: Output,
    /// People to list in the table.
    #[arg(long, default_value = "changes")]
    pub show: Show,
    /// List only people whose name, email or Okta id contains TEXT; case is ignored.
    #[arg(long, value_name = "TEXT")]
    pub person: Option<String>,
    /// Also write the people who wait for somebody to FILE, as EmployeeMatch manifests in which to decide, with all
    /// candidates. As written, the file changes no decision.
    #[arg(long, value_name = "FILE")]
    pub write_decisions: Option<PathBuf>,
    /// Write all people to the file, also those who are matched with confidence.
    #[arg(long, requires = "write_decisions")]
    pub all: bool,
    /// Replace the file if it exists.
    #[arg(long, requires = "write_decisions")]
    pub overwrite: bool,
    #[command(flatten)]
    pub addresses: Addresses,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Output {
    /// Tables for people.
    Table,
    /// One JSON object.
    Json,
}

#[derive(Args)]
#[command(group(ArgGroup::new("source").required(true).args(["cluster", "integration"])))]
pub(super) struct Record {
    /// Directory to write. It must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub live: Live,
    /// Replace names and addresses by pseudonyms. Equal words get equal pseudonyms.
    #[arg(long)]
    pub anonymise: bool,
    #[command(flatten)]
    pub addresses: Addresses,
}

#[derive(Args)]
pub(super) struct Check {
    /// Namespace that the operator watches; repeatable. Without it, permissions in all namespaces are checked.
    #[arg(
        long = "watch-namespace",
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    pub watch_namespaces: Vec<String>,
    /// Lease for leader election. Its holder gets 30 s to renew it. Without it, the leader is not checked.
    #[arg(long, env = "LEASE", value_name = "NAMESPACE/NAME", value_parser = lease)]
    pub lease: Option<LeaseName>,
}

#[derive(Args)]
pub(super) struct Crd {
    /// Print the reference of all fields, as in the chart's docs, instead.
    #[arg(long, hide = true)]
    pub reference: bool,
}

fn namespaced_name(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("must be NAMESPACE/NAME, such as people/acme".to_owned()),
    }
}

fn lease(text: &str) -> Result<LeaseName, String> {
    let (namespace, name) = namespaced_name(text)?;
    Ok(LeaseName { namespace, name })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_valid() {
        Arguments::command().debug_assert();
    }
}
