//! Measures time and memory of matching on hard directories.
//!
//! `cargo run --release --example benchmark_matching` prints the table of README.md
//! and fails if the largest directory takes too long. Each size runs in a process of
//! its own, so that peak memory is measured for each.

#[expect(dead_code, reason = "the evaluation reads all of it")]
mod companies;
mod directory;

use std::{
    process::{Command, ExitCode},
    time::Instant,
};

use okta_insightful_operator::api::ProposalKind;

/// The allocator of the operator, with the settings of `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Numbers of people.
const SIZES: [usize; 4] = [1_000, 10_000, 50_000, 100_000];
/// Time that the largest directory may take.
const MAX_SECONDS: f64 = 5.0;

/// Returns a field of `/proc/self/status` in MiB, or 0 if it is missing.
fn memory_mib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|text| {
            text.strip_prefix(field)?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .unwrap_or(0)
        / 1024
}

/// Returns the processor time used so far, in seconds. Unlike elapsed time, it does
/// not depend on other load.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Fields 14 and 15 of proc(5), in hundredths of a second.
    ticks
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn measure(size: usize, seed: u64) {
    let case = directory::Case::from(companies::Family::Hard.generate(seed, size));
    let evidence = case.evidence();
    let before = memory_mib("VmRSS:");
    let (start, cpu_start) = (Instant::now(), cpu_seconds());
    let proposals = directory::proposals(&evidence);
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu_start);
    let (mut automatic, mut wrong, mut created, mut wrongly_created) = (0, 0, 0, 0);
    let (mut not_automatic, mut in_first_three) = (0, 0);
    for (person, proposal) in &proposals {
        let record = case.truths[person.as_str()].records.first();
        if proposal.kind == ProposalKind::Create {
            created += 1;
            wrongly_created += usize::from(record.is_some());
        }
        if let (Some(record), true) = (record, proposal.kind != ProposalKind::Auto) {
            let shown = &proposal.candidates[..proposal.candidates.len().min(3)];
            not_automatic += 1;
            in_first_three += u32::from(shown.iter().any(|one| one.employee.as_str() == record));
        }
        if let (ProposalKind::Auto, Some(best)) = (proposal.kind, proposal.best()) {
            let records = &case.truths[person.as_str()].records;
            automatic += 1;
            wrong += usize::from(!records.iter().any(|record| record == best.employee.as_str()));
        }
    }
    println!(
        "{size} {} {seconds:.2} {cpu:.2} {before} {} {automatic} {wrong} {:.3} {created} {wrongly_created}",
        evidence.employees.len(),
        memory_mib("VmHWM:").saturating_sub(before),
        f64::from(in_first_three) / f64::from(not_automatic.max(1)),
    );
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, size, seed] = &arguments[..] {
        let (Ok(size), Ok(seed)) = (size.parse(), seed.parse()) else {
            return ExitCode::FAILURE;
        };
        measure(size, seed);
        return ExitCode::SUCCESS;
    }
    let Ok(own) = std::env::current_exe() else {
        return ExitCode::FAILURE;
    };
    let mut slowest = 0.0_f64;
    println!(
        "| people | company | employees | seconds | processor seconds | peak memory of matching, MiB | directories, MiB | automatic | false | in first 3 | created, wrongly |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for size in SIZES {
        for (name, seed) in [
            ("many languages", 1021_u64),
            ("one language", 1003),
            ("few names", 1005),
        ] {
            let Ok(output) = Command::new(&own)
                .args([size.to_string(), seed.to_string()])
                .output()
            else {
                return ExitCode::FAILURE;
            };
            let line = String::from_utf8_lossy(&output.stdout).into_owned();
            let [
                people,
                employees,
                seconds,
                cpu,
                before,
                peak,
                automatic,
                wrong,
                first_three,
                created,
                wrongly,
            ] = line.split_whitespace().collect::<Vec<_>>()[..]
            else {
                eprintln!("{}", String::from_utf8_lossy(&output.stderr));
                return ExitCode::FAILURE;
            };
            println!(
                "| {people} | {name} | {employees} | {seconds} | {cpu} | {peak} | {before} | {automatic} | {wrong} | {first_three} | {created}, {wrongly} |"
            );
            slowest = slowest.max(seconds.parse().unwrap_or(f64::INFINITY));
        }
    }
    if slowest > MAX_SECONDS {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
