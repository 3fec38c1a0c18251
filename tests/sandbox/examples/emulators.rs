//! The emulators of Okta and Insightful with a generated company and no effective rate limits, until a signal ends
//! them. `.ci/node` runs it for pods, which reach it through a proxy.

use std::io::{self, Write as _};

use clap::Parser;
use sandbox::{
    company::Company,
    insightful::Insightful,
    okta::{self, Limits, Okta},
};

#[derive(Parser)]
struct Arguments {
    /// The size of the company.
    #[arg(long)]
    people: usize,
    /// The URL of the org, as the operator knows it.
    #[arg(long)]
    okta_url: String,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let company = Company::generate(arguments.people, 1);
    let okta = Okta::start_with(
        &company,
        okta::Settings {
            url: Some(arguments.okta_url),
            limits: Limits {
                users: 1_000_000,
                user: 1_000_000,
                groups: 1_000_000,
                group: 1_000_000,
                ..Limits::default()
            },
            ..okta::Settings::default()
        },
    );
    let insightful = Insightful::start(&company);
    insightful.configure(|settings| settings.limit = 1_000_000);
    // One line: `read` in a shell.
    let mut out = io::stdout();
    writeln!(
        out,
        "{} {} {} {}",
        okta.url().trim_start_matches("http://"),
        okta.token(),
        insightful
            .url()
            .trim_start_matches("http://")
            .trim_end_matches("/api/v1"),
        insightful.token()
    )?;
    out.flush()?;
    std::future::pending().await
}
