//! The program: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use okta_insightful_operator::cli::{self, Arguments};

/// Returns the memory that a full sync of a large company needed; see Cargo.toml.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(Arguments::parse()).await.unwrap_or_else(|error| {
        eprintln!("okta-insightful-operator: {error}");
        ExitCode::FAILURE
    })
}
