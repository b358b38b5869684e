//! Random picks that a retry repeats.

/// Which item of a pool of `len` variant `variant` (from 0) of content `id` takes; `None` from an empty pool.
///
/// The pool is shuffled by a hash of `id` and the pool's name, and variants take the items in turn, so that they differ
/// as long as the pool allows and a retry picks the same.
pub(crate) fn pick(id: &str, pool: &str, len: usize, variant: u8) -> Option<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by_key(|&item| {
        let mut hasher = blake3::Hasher::new_derive_key("remix-engine 2026 pick of a pool");
        // Lengths keep ("ab", "c") apart from ("a", "bc").
        for part in [id.as_bytes(), pool.as_bytes(), &(item as u64).to_le_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        (*hasher.finalize().as_bytes(), item)
    });
    order.get(usize::from(variant) % len.max(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_picks_the_same_and_variants_differ() {
        let picks = |id: &str| (0..5).map(|variant| pick(id, "music", 5, variant)).collect::<Vec<_>>();
        assert_eq!(picks("cnt_demo"), picks("cnt_demo"));
        let mut all: Vec<_> = picks("cnt_demo").into_iter().flatten().collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4], "five variants of a pool of five take all");
        assert_eq!(pick("x", "music", 0, 0), None);
        assert_eq!(pick("x", "music", 2, 0), pick("x", "music", 2, 2), "a small pool starts over");
    }

    #[test]
    fn ids_spread_over_the_pool() {
        let mut counts = [0usize; 4];
        for n in 0..1000 {
            counts[pick(&format!("cnt_{n}"), "reaction", 4, 0).expect("not empty")] += 1;
        }
        assert!(counts.iter().all(|count| (200..300).contains(count)), "{counts:?}");
    }
}
