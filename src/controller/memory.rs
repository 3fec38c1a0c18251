//! Warns when the process nearly has the memory that its container may have. The kernel kills it at the limit, when it can
//! log nothing any more.

use std::{fs, thread, time::Duration};

/// Large companies are read at a hundred megabytes a second.
const INTERVAL: Duration = Duration::from_millis(100);
/// The same while less than half of the limit is in use.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);

/// The limits of cgroups v2 and v1, as a container sees its own.
const LIMIT_FILES: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// Without a limit, cgroups v1 has one of 8 EiB.
const UNLIMITED_BYTES: u64 = 1 << 60;

/// Watches the memory on a thread of its own, if there is a limit, until the process ends.
pub fn watch() {
    let texts = LIMIT_FILES.iter().map(fs::read_to_string);
    let Some(limit) = texts.filter_map(Result::ok).find_map(|text| limit(&text)) else {
        return;
    };
    // Not a task: the runtime is busy when memory grows.
    let watch = move || {
        let mut was_near = false;
        loop {
            let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
            let Some(resident) = resident(&status) else { return };
            let is_near = is_near(resident, limit, was_near);
            if is_near && !was_near {
                tracing::warn!(
                    resident_mib = resident >> 20,
                    limit_mib = limit >> 20,
                    "memory nearly reaches the limit, at which the kernel kills the operator: raise \
                     `resources.limits.memory` of the chart. All decisions are in the cluster"
                );
            }
            was_near = is_near;
            let is_far = resident < limit / 2;
            thread::sleep(if is_far { IDLE_INTERVAL } else { INTERVAL });
        }
    };
    drop(thread::Builder::new().name("memory".to_owned()).spawn(watch));
}

/// The limit in bytes, from a file of the cgroup; None if there is none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < UNLIMITED_BYTES)
}

/// The resident memory in bytes, from `/proc/self/status`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// From 90% of the limit, until less than 80%.
fn is_near(resident: u64, limit: u64, was_near: bool) -> bool {
    let percent = if was_near { 80 } else { 90 };
    resident >= limit / 100 * percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_a_number_that_means_one() {
        assert_eq!(limit("536870912\n"), Some(512 << 20));
        for none in ["max\n", "9223372036854771712\n", ""] {
            assert_eq!(limit(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_resident_memory_is_read_from_the_status() {
        let status = "Name:\toperator\nVmHWM:\t    9000 kB\nVmRSS:\t    8192 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(8 << 20));
        assert_eq!(resident("Name:\toperator\n"), None);
    }

    #[test]
    fn a_warning_is_given_once_until_memory_has_shrunk() {
        for (resident, was_near, expected) in [
            (89, false, false),
            (90, false, true),
            (85, true, true),
            (85, false, false),
            (79, true, false),
        ] {
            assert_eq!(
                is_near(resident << 20, 100 << 20, was_near),
                expected,
                "{resident}"
            );
        }
    }
}
