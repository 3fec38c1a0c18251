//! The command line of `kubectl insightful`. The doc comments are the help text.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

/// Review matches between Okta and Insightful, and finalize what is synced, with your own access to the cluster.
#[derive(Parser)]
#[command(name = "kubectl-insightful", bin_name = "kubectl insightful", version, about)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) connection: Connection,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Args)]
pub(super) struct Connection {
    /// Context of the kubeconfig to use.
    #[arg(long, global = true, value_name = "CONTEXT")]
    pub context: Option<String>,
    /// Namespace of the integration. Without it, the context's is used.
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Kubeconfig to use. Without it, KUBECONFIG is used, or ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show how an integration stands and what to do next.
    Status(Name),
    /// Open the review screen in a browser.
    Review(Review),
    /// Show what would be written, by kind, deactivations first.
    Plan(Name),
    /// Decide about a person.
    Decide(Decide),
    /// Show the plan, then allow the operator to write it.
    Finalize(Approve),
    /// Show the plan that is held, then approve exactly that plan.
    Approve(Approve),
    /// Write people and their candidates to a file.
    Export(Export),
    /// Make the decisions of a file: of CSV, JSON or manifests that `export` wrote.
    Import(Import),
    /// Print a completion script for a shell.
    Completion(Completion),
}

#[derive(Args)]
pub(super) struct Name {
    /// Name of the OktaIntegration. Not needed if the namespace has one.
    pub name: Option<String>,
}

#[derive(Args)]
pub(super) struct Review {
    #[command(flatten)]
    pub name: Name,
    /// Print the people who need a decision instead, with all candidates.
    #[arg(long, conflicts_with_all = ["git", "no_browser"])]
    pub text: bool,
    /// Write decisions to FILE as manifests for Git, and send none to the cluster.
    #[arg(long, value_name = "FILE")]
    pub git: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "git")]
    pub overwrite: bool,
    /// Print the address of the screen and open no browser.
    #[arg(long)]
    pub no_browser: bool,
}

#[derive(Args)]
pub(super) struct Decide {
    /// The person: a name, an email or an Okta id.
    pub person: String,
    /// What to decide.
    pub action: Action,
    /// The employees: names, emails or Insightful ids. With `match`, the first takes the email.
    #[arg(value_name = "EMPLOYEE")]
    pub employees: Vec<String>,
    /// Why, in your own words. It is shown where the decision is shown.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Name of the OktaIntegration. Not needed if the namespace has one.
    #[arg(long, value_name = "NAME")]
    pub integration: Option<String>,
    /// Decide without asking, also if another person has the employee, or a manifest holds the decision.
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Action {
    /// The person is this employee.
    Match,
    /// The person has no employee: invite them.
    Create,
    /// The person is not synced.
    Ignore,
    /// The person has left, though Okta cannot say so any more.
    Deactivate,
    /// Matching decides again, as if nobody had decided.
    Reset,
    /// The employee is not the person.
    Reject,
}

#[derive(Args)]
pub(super) struct Approve {
    #[command(flatten)]
    pub name: Name,
    /// Refuse unless the plan has this hash.
    #[arg(long, value_name = "HASH")]
    pub plan: Option<String>,
    /// Send without asking.
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Args)]
#[command(group(ArgGroup::new("format").required(true).args(["csv", "json", "decisions"])))]
pub(super) struct Export {
    /// Write a table for a spreadsheet; `-` prints it.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write a list for programs; `-` prints it.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write EmployeeMatch manifests in which to decide, for Git; `-` prints them.
    #[arg(long, value_name = "FILE")]
    pub decisions: Option<PathBuf>,
    /// Write all people, not only those who need a decision.
    #[arg(long)]
    pub all: bool,
    /// Replace the file if it exists.
    #[arg(long)]
    pub overwrite: bool,
    /// Name of the OktaIntegration. Not needed if the namespace has one.
    #[arg(long, value_name = "NAME")]
    pub integration: Option<String>,
}

#[derive(Args)]
pub(super) struct Import {
    /// The file, by its ending: .csv, .json, .yaml or .yml.
    pub file: PathBuf,
    /// Name of the OktaIntegration. Not needed if the namespace has one.
    #[arg(long, value_name = "NAME")]
    pub integration: Option<String>,
    /// Show what would be decided, and decide nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Decide without asking, also if a manifest holds the decision.
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Args)]
pub(super) struct Completion {
    /// The shell.
    pub shell: clap_complete::Shell,
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
