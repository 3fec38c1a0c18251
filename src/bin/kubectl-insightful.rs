//! `kubectl insightful`: arguments in, exit code out.

use std::process::ExitCode;

use okta_insightful_operator::{model::text::shown, plugin};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match plugin::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match plugin::run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                eprintln!("kubectl-insightful: {}", shown(line));
            }
            ExitCode::FAILURE
        }
    }
}
