use crate::error::{InputError, Result};
use rayon::ThreadPoolBuilder;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for every item, `workers` at a time, each in a pool of `threads` of its own: a worker of one shared pool would
/// begin another item while it waits within the first. The first error ends it.
pub fn side_by_side<T: Sync>(
    items: &[T],
    (workers, threads): (usize, usize),
    work: impl Fn(&T) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let cannot = |e| InputError::new(format!("cannot start {threads} threads: {e}. Use fewer with --jobs N"));
        let pool = pool.map_err(cannot)?;
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(e) = pool.install(|| work(item)) {
                next.store(items.len(), Ordering::Relaxed);
                return Err(e);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..workers.min(items.len())).map(|_| scope.spawn(worker)).collect();
        started.into_iter().try_for_each(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
