//! The same work for each of many, on all cores.

use std::cmp::Ordering;

use rayon::prelude::*;

/// How many results wait to be taken in turn.
const PORTION: usize = 8000;

/// Applies a function to each number below `count`, on all cores; the results
/// are in order, so that cores do not matter. The list that the function is
/// given is for its own use.
pub(super) fn for_all<T: Send>(count: usize, of: impl Fn(u32, &mut Vec<u32>) -> T + Send + Sync) -> Vec<T> {
    (0..number(count))
        .into_par_iter()
        .map_init(Vec::new, |scratch, at| of(at, scratch))
        .collect()
}

/// Sorts on all cores, and drops what is equal to what stands before it.
pub(super) fn sort<I: Send>(list: &mut Vec<I>, order: impl Fn(&I, &I) -> Ordering + Sync) {
    list.par_sort_unstable_by(&order);
    list.dedup_by(|a, b| order(a, b) == Ordering::Equal);
}

/// The same with each of a list.
pub(super) fn for_each<'l, I: Sync, T: Send>(list: &'l [I], of: impl Fn(&'l I) -> T + Send + Sync) -> Vec<T> {
    list.par_iter().map(of).collect()
}

/// Does one part of the work with each of a list on all cores, and what needs
/// the order one by one at the same time.
pub(super) fn for_each_in_turn<I: Sync, T: Send>(
    list: &[I],
    of: impl Fn(&I) -> T + Send + Sync,
    mut take: impl FnMut(&I, T) + Send,
) {
    let mut done: (&[I], Vec<T>) = Default::default();
    for next in list.chunks(PORTION).chain([[].as_slice()]) {
        let (some, results) = done;
        let take = || {
            some.iter()
                .zip(results)
                .for_each(|(one, result)| take(one, result))
        };
        let ((), results) = rayon::join(take, || for_each(next, &of));
        done = (next, results);
    }
}

/// A place in a list as the number that lists are kept in.
pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
