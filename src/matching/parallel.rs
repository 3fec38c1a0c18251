//! The same work for each of many, on all cores.

use std::num::NonZero;

/// Applies a function to each number below `count`, on all cores; the results
/// are in order, so that cores do not matter.
pub(super) fn for_all<T: Send>(count: usize, of: impl Fn(u32, &mut Vec<u32>) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    // A thread is worth some thousand comparisons.
    let parts = cores.min(count / 500 + 1);
    let run = |part: usize| {
        let mut scratch = Vec::new();
        let (from, to) = (count * part / parts, count * (part + 1) / parts);
        (from..to)
            .map(|at| of(number(at), &mut scratch))
            .collect::<Vec<T>>()
    };
    if parts == 1 {
        return run(0);
    }
    let run = &run;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..parts).map(|part| scope.spawn(move || run(part))).collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// A place in a list as the number that lists are kept in.
pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
