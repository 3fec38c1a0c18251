//! Helpers for work on all cores.

use std::cmp::Ordering;

use rayon::prelude::*;

/// Number of results of [`par_map_in_order`] that are in memory at a time.
const CHUNK_SIZE: usize = 8000;

/// Applies a function to each number below `count` and returns the results in
/// order. The function's second argument is a buffer that it may use.
pub(super) fn par_map_indices<T: Send>(
    count: usize,
    of: impl Fn(u32, &mut Vec<u32>) -> T + Send + Sync,
) -> Vec<T> {
    (0..number(count))
        .into_par_iter()
        .map_init(Vec::new, |scratch, at| of(at, scratch))
        .collect()
}

/// Sorts and removes duplicates.
pub(super) fn par_sort_dedup<I: Send>(list: &mut Vec<I>, order: impl Fn(&I, &I) -> Ordering + Sync) {
    list.par_sort_unstable_by(&order);
    list.dedup_by(|a, b| order(a, b) == Ordering::Equal);
}

/// Applies a function to each item and returns the results in order.
pub(super) fn par_map<'l, I: Sync, T: Send>(list: &'l [I], of: impl Fn(&'l I) -> T + Send + Sync) -> Vec<T> {
    list.par_iter().map(of).collect()
}

/// Applies `of` to each item in parallel, and `take` to the results one by one in order.
pub(super) fn par_map_in_order<I: Sync, T: Send>(
    list: &[I],
    of: impl Fn(&I) -> T + Send + Sync,
    mut take: impl FnMut(&I, T) + Send,
) {
    let mut done: (&[I], Vec<T>) = Default::default();
    for next in list.chunks(CHUNK_SIZE).chain([[].as_slice()]) {
        let (some, results) = done;
        let take = || {
            some.iter()
                .zip(results)
                .for_each(|(one, result)| take(one, result))
        };
        let ((), results) = rayon::join(take, || par_map(next, &of));
        done = (next, results);
    }
}

/// Converts an index to the type in which indices are stored.
pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
