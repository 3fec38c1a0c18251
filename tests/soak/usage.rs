//! What the operator's process uses, as Linux counts it.

use std::{fmt, fs, time::Duration};

/// At one moment.
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
    /// Time of the processors so far, hundredths of a second.
    worked: u64,
}

impl Usage {
    /// The head of the table.
    pub const HEAD: &str = "| seconds | cycles | changes | resident MiB | open files | threads | tasks | worked, s |\n|--:|--:|--:|--:|--:|--:|--:|--:|";
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
            worked,
        } = self;
        write!(
            f,
            "| {} | {cycles} | {changes} | {}.{} | {files} | {threads} | {tasks} | {}.{:02} |",
            at.as_secs(),
            resident / 1024,
            resident % 1024 * 10 / 1024,
            worked / 100,
            worked % 100,
        )
    }
}

/// Looks at an operator's process, and asks it at its port for metrics.
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
    // Fields 14 and 15 of proc(5); the program's name before them may hold spaces.
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
        worked: fields.map(|field| field.parse::<u64>().unwrap()).sum(),
    }
}

type CountOf = fn(&Usage) -> u64;

/// What grew: the end against the mean of the second quarter, when all is warm.
pub fn growth(used: &[Usage], last: &Usage, tolerated_percent: u64) -> Vec<String> {
    let warm = &used[used.len() / 4..(used.len() / 2).max(used.len() / 4 + 1).min(used.len())];
    if warm.is_empty() {
        return vec!["the run was too short to say what grows".to_owned()];
    }
    let mut grown = Vec::new();
    // What is counted, how, and how much more or less of it means nothing.
    let measures: [(&str, CountOf, u64); 4] = [
        ("resident KiB", |usage| usage.resident, 4096),
        ("open files", |usage| usage.files, 8),
        ("threads", |usage| usage.threads, 2),
        ("tasks", |usage| usage.tasks, 8),
    ];
    for (what, of, slack) in measures {
        let before = warm.iter().map(of).sum::<u64>() / warm.len() as u64;
        let now = of(last);
        println!("{what}: {before} when warm, {now} at the end");
        if now > before + before * tolerated_percent / 100 + slack {
            grown.push(format!("{what} grew from {before} to {now}"));
        }
    }
    grown
}
