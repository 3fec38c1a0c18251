//! What the system says of a process.

use std::time::Duration;

/// A line of `/proc/<pid>/status`, in MB.
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

/// Processor time so far, of all threads.
pub fn work(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Fields 14 and 15 of proc(5), in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
    let hundredths: u64 = fields.take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(hundredths * 10)
}
