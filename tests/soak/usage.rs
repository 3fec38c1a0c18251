//! Resource usage of the operator's process.

use std::{fmt, fs, time::Duration};

/// The usage at one moment, with the cycles and changes until then.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    at: Duration,
    cycles: u64,
    changes: u64,
    /// Resident memory, KiB.
    resident: u64,
    files: u64,
    threads: u64,
    tasks: u64,
    /// CPU time so far, in ticks of 10 ms.
    cpu_ticks: u64,
}

impl Usage {
    /// The header of the table.
    pub const HEADER: &str = "| seconds | cycles | changes | resident MiB | open files | threads | tasks | CPU s |\n|--:|--:|--:|--:|--:|--:|--:|--:|";
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            cycles,
            changes,
            resident,
            files,
            threads,
            tasks,
            cpu_ticks,
        } = self;
        write!(
            f,
            "| {} | {cycles} | {changes} | {}.{} | {files} | {threads} | {tasks} | {}.{:02} |",
            at.as_secs(),
            resident / 1024,
            resident % 1024 * 10 / 1024,
            cpu_ticks / 100,
            cpu_ticks % 100,
        )
    }
}

/// Reads the usage from `/proc` and from the operator's metrics.
pub async fn operators_usage((pid, port): (u32, u16), at: Duration, cycles: u64, changes: u64) -> Usage {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/metrics");
    let metrics = client.get(url).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let tasks = metrics
        .lines()
        .find_map(|line| line.strip_prefix("okta_insightful_tasks "));
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Fields 14 and 15 (utime and stime) of proc_pid_stat(5); the name of the program may have spaces.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(2);
    Usage {
        at,
        cycles,
        changes,
        resident: line("VmRSS:"),
        files: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64,
        threads: line("Threads:"),
        tasks: tasks.unwrap().parse().unwrap(),
        cpu_ticks: fields.map(|field| field.parse::<u64>().unwrap()).sum(),
    }
}

type CountOf = fn(&Usage) -> u64;

/// Compares the end with the mean of the second quarter. Returns what has grown too much.
pub fn growth(used: &[Usage], last: &Usage, max_percent: u64) -> Vec<String> {
    let baseline = &used[used.len() / 4..(used.len() / 2).max(used.len() / 4 + 1).min(used.len())];
    if baseline.is_empty() {
        return vec!["the run is too short to measure growth".to_owned()];
    }
    let mut grown = Vec::new();
    // The name, the value and the growth that is always allowed.
    let measures: [(&str, CountOf, u64); 4] = [
        ("resident KiB", |usage| usage.resident, 4096),
        ("open files", |usage| usage.files, 8),
        ("threads", |usage| usage.threads, 2),
        ("tasks", |usage| usage.tasks, 8),
    ];
    for (what, of, slack) in measures {
        let before = baseline.iter().map(of).sum::<u64>() / baseline.len() as u64;
        let now = of(last);
        println!("{what}: {before} in the second quarter, {now} at the end");
        if now > before + before * max_percent / 100 + slack {
            grown.push(format!("{what} grew from {before} to {now}"));
        }
    }
    grown
}
