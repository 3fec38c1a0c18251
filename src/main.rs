//! The program: arguments in, exit code out.

use std::process::ExitCode;

use okta_insightful_operator::{cli, model::text::shown};

/// Returns the memory that a full sync of a large company needed; see Cargo.toml.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match cli::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    cli::run(arguments).await.unwrap_or_else(|error| {
        eprintln!("okta-insightful-operator: {}", shown(&error.to_string()));
        ExitCode::FAILURE
    })
}
