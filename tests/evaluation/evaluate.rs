//! Measures the quality of matching on generated directories.
//!
//! `cargo run --release --example evaluate_matching` prints the tables of README.md
//! and fails if a goal is missed.

mod companies;
mod directory;
mod measure;

use std::process::ExitCode;

use clap::Parser;

/// Measures the quality of matching on generated directories
#[derive(Parser)]
struct Arguments {
    /// How the companies come to be
    #[arg(long, default_value = "hard")]
    family: companies::Family,
    /// First seed; each seed is a company in a different style
    #[arg(long, default_value_t = 1001)]
    seed: u64,
    /// Number of companies
    #[arg(long, default_value_t = 40)]
    companies: u64,
    /// Step between seeds; 2 from an odd seed omits the styles that matching was tuned on
    #[arg(long, default_value_t = 2)]
    step: u64,
    /// Number of people of the largest company; the smallest has a hundredth of it
    #[arg(long, default_value_t = 4000)]
    size: usize,
    /// Show decidable pairs of this class that are not automatic
    #[arg(long)]
    missed: Option<String>,
    /// Show pairs whose employee is not among the first three candidates
    #[arg(long)]
    lost: bool,
    /// Print this many points of the calibration curve instead of the tables
    #[arg(long)]
    curve: Option<usize>,
    /// Maximum number of pairs to show
    #[arg(long, default_value_t = 20)]
    notes: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let watch = measure::Watch {
        missed: arguments.missed,
        lost: arguments.lost,
        wrong: true,
    };
    let mut measured = measure::Measured::default();
    for company in 0..arguments.companies {
        let parts = usize::try_from(company % 10).unwrap_or(0);
        let size = (arguments.size * (10 - parts) / 10).max(arguments.size / 100);
        let size = if parts == 9 { arguments.size / 100 } else { size };
        let seed = arguments.seed + company * arguments.step;
        let case = arguments.family.generate(seed, size).into();
        measured.measure(&case, &watch);
    }
    if let Some(points) = arguments.curve {
        println!("{}", measured.curve(points));
        return ExitCode::SUCCESS;
    }
    for note in measured.notes.iter().take(arguments.notes) {
        println!("{note}");
    }
    println!("{}", measured.tables());
    match measured.shortfall() {
        None => ExitCode::SUCCESS,
        Some(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}
