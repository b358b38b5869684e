//! Which worker renders which chunk.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Contiguous runs of chunks, one for each worker, so that each decodes forward without seeking. A worker without work
/// takes the back half of the longest run that is left: then it seeks once, and no core is idle while work is left.
///
/// Which worker renders a chunk does not change a byte of it.
pub(super) struct RunQueue {
    runs: Mutex<Vec<VecDeque<usize>>>,
    cost: Vec<u64>,
}

impl RunQueue {
    /// Splits chunks of the predicted costs `cost` into `workers` runs of about the same cost.
    pub(super) fn new(cost: Vec<u64>, workers: usize) -> Self {
        let workers = workers.max(1);
        let total: u128 = cost.iter().map(|&cost| u128::from(cost)).sum();
        let mut runs = vec![VecDeque::new(); workers];
        let mut done = 0u128;
        for (chunk, &cost) in cost.iter().enumerate() {
            // A chunk belongs to the run in which its middle lies.
            let middle = done + u128::from(cost) / 2;
            let run = (middle * workers as u128).checked_div(total).unwrap_or(0).min(workers as u128 - 1);
            runs[run as usize].push_back(chunk);
            done += u128::from(cost);
        }
        Self { runs: Mutex::new(runs), cost }
    }

    /// The next chunk for `worker`; `None` when nothing is left.
    pub(super) fn take(&self, worker: usize) -> Option<usize> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = worker.min(runs.len() - 1);
        if runs[worker].is_empty() {
            let left = |run: &VecDeque<usize>| run.iter().map(|&chunk| self.cost[chunk]).sum::<u64>();
            let victim = (0..runs.len()).max_by_key(|&run| (left(&runs[run]), std::cmp::Reverse(run)))?;
            let keep = runs[victim].len() / 2;
            runs[worker] = runs[victim].split_off(keep);
        }
        runs[worker].pop_front()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_are_contiguous_and_balanced() {
        let queue = RunQueue::new(vec![1, 1, 4, 1, 1, 1, 3], 2);
        let runs = queue.runs.lock().expect("not poisoned").clone();
        assert_eq!(runs, [VecDeque::from([0, 1, 2]), VecDeque::from([3, 4, 5, 6])]);
    }

    #[test]
    fn an_idle_worker_takes_the_back_half() {
        let queue = RunQueue::new(vec![1; 8], 2);
        let slow = queue.take(0);
        assert_eq!(slow, Some(0));
        let fast: Vec<_> = (0..4).filter_map(|_| queue.take(1)).collect();
        assert_eq!(fast, [4, 5, 6, 7]);
        assert_eq!(queue.take(1), Some(2), "chunks 1, 2, 3 are left; the back half starts at 2");
        assert_eq!([queue.take(0), queue.take(1), queue.take(0)], [Some(1), Some(3), None]);
    }

    proptest! {
        #[test]
        fn every_chunk_is_taken_once(
            cost in prop::collection::vec(0u64..1000, 0..60), workers in 1usize..9,
            turns in prop::collection::vec(0usize..9, 300),
        ) {
            let chunks = cost.len();
            let queue = RunQueue::new(cost, workers);
            let mut taken: Vec<usize> = turns.iter().filter_map(|turn| queue.take(turn % workers)).collect();
            taken.sort_unstable();
            prop_assert_eq!(taken, (0..chunks).collect::<Vec<_>>());
        }
    }
}
