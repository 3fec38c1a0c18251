//! Measures the matching engine on generated hard directories.
//!
//! `cargo run --release --example evaluate_matching` prints the tables that
//! stand in `src/matching/README.md`, and fails if a goal is missed.

mod directory;
mod measure;

use std::process::ExitCode;

use clap::Parser;

/// Measures the matching engine on generated hard directories.
#[derive(Parser)]
struct Arguments {
    /// The first seed; each seed is another company in another style.
    #[arg(long, default_value_t = 1001)]
    seed: u64,
    /// Number of companies.
    #[arg(long, default_value_t = 40)]
    companies: u64,
    /// From one seed to the next: 2 from an odd seed leaves out the styles that
    /// the engine was tuned on.
    #[arg(long, default_value_t = 2)]
    step: u64,
    /// People of the largest company; the others are smaller, down to a hundredth.
    #[arg(long, default_value_t = 4000)]
    size: usize,
    /// Shows what is missed of a class.
    #[arg(long)]
    missed: Option<String>,
    /// Shows true employees outside the first three.
    #[arg(long)]
    lost: bool,
    /// Prints this many points of the curve of calibration instead.
    #[arg(long)]
    curve: Option<usize>,
    /// How many pairs to show.
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
        // From large to small, a hundredth at the least.
        let parts = usize::try_from(company % 10).unwrap_or(0);
        let size = (arguments.size * (10 - parts) / 10).max(arguments.size / 100);
        let size = if parts == 9 { arguments.size / 100 } else { size };
        let case = directory::Case::generate(arguments.seed + company * arguments.step, size);
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
