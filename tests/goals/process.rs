//! Memory and CPU time of a process.

use std::time::Duration;

/// A value of `/proc/<pid>/status` that is in kB, in MB.
pub fn memory(pid: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kilobytes = status.lines().find_map(|text| {
        text.strip_prefix(line)?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    kilobytes.unwrap() / 1024
}

/// CPU time of all threads so far.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Fields 14 and 15 (utime and stime) of proc_pid_stat(5), in ticks of 10 ms.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
    let ticks: u64 = fields.take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
