//! The same work for each of many, on all cores.

use std::{
    num::NonZero,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::sync_channel,
    },
};

/// What a core takes at a time: enough to be worth taking, and so little that
/// no core waits long for another.
const PORTION: usize = 1000;

/// Applies a function to each number below `count`, on all cores; the results
/// are in order, so that cores do not matter. The list that the function is
/// given is for its own use.
pub(super) fn for_all<T: Send>(count: usize, of: impl Fn(u32, &mut Vec<u32>) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let portions = count.div_ceil(PORTION);
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut done, mut scratch) = (Vec::new(), Vec::new());
        loop {
            let portion = next.fetch_add(1, Ordering::Relaxed);
            if portion >= portions {
                return done;
            }
            let range = portion * PORTION..((portion + 1) * PORTION).min(count);
            let results: Vec<T> = range.map(|at| of(number(at), &mut scratch)).collect();
            done.push((portion, results));
        }
    };
    let mut done: Vec<(usize, Vec<T>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores.min(portions)).map(|_| scope.spawn(work)).collect();
        let own = work();
        others
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .chain(own)
            .collect()
    });
    done.sort_unstable_by_key(|(portion, _)| *portion);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

/// The same with each of a list.
pub(super) fn for_each<'l, I: Sync, T: Send>(list: &'l [I], of: impl Fn(&'l I) -> T + Sync) -> Vec<T> {
    for_all(list.len(), |at, _| of(&list[at as usize]))
}

/// Does one part of the work with each of a list on all cores, and what needs
/// the order on this thread at the same time. Few results wait in between.
pub(super) fn for_each_in_turn<I: Sync, T: Send>(
    list: &[I],
    of: impl Fn(&I) -> T + Send + Sync,
    mut take: impl FnMut(&I, T),
) {
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(1);
        scope.spawn(move || {
            for some in list.chunks(8 * PORTION) {
                // Nobody takes them any more if what takes them panicked.
                if send.send((some, for_each(some, &of))).is_err() {
                    return;
                }
            }
        });
        for (some, results) in receive {
            for (one, result) in some.iter().zip(results) {
                take(one, result);
            }
        }
    });
}

/// A place in a list as the number that lists are kept in.
pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
