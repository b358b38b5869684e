//! Filling of holes from their edges.

use multiversion::multiversion;

/// Spreads what is known over what is not, as smoothly as can be: from means of ever larger squares down to single samples
/// (pull and push, Gortler and others, "The Lumigraph", 1996), each smoothed.
pub(super) fn spread(values: &mut [f32], known: &[bool], width: usize) {
    if width == 0 || values.is_empty() || !known.contains(&false) || !known.contains(&true) {
        return;
    }
    let (mut means, is_known) = pulled(values, known, width);
    let across = width.div_ceil(2);
    if means.len() < values.len() {
        spread(&mut means, &is_known, across);
    }
    // Stretches of a row that are not known.
    let mut holes: Vec<Hole> = Vec::new();
    for (row, known) in known.chunks_exact(width).enumerate() {
        let mut x = 0;
        while let Some(start) = known[x..].iter().position(|known| !known).map(|skipped| x + skipped) {
            x = known[start..].iter().position(|known| *known).map_or(width, |length| start + length);
            holes.push(Hole { row, start, end: x });
        }
    }
    push(&means, across, &holes, values, width);
    smooth(&holes, values, width);
}

/// Values of a row that are not known.
struct Hole {
    row: usize,
    start: usize,
    end: usize,
}

/// The means of what is known in squares of four, and in which of them there is any.
fn pulled(values: &[f32], known: &[bool], width: usize) -> (Vec<f32>, Vec<bool>) {
    let across = width.div_ceil(2);
    let down = (values.len() / width).div_ceil(2);
    let (mut means, mut is_known) = (vec![0.0f32; across * down], vec![false; across * down]);
    let mut counts = vec![0u8; across];
    // What is known, and how many it is; even, so that all are pairs.
    let (mut shown, mut ones) = (vec![0.0f32; 2 * across], vec![0u8; 2 * across]);
    let squares = means.chunks_exact_mut(across).zip(is_known.chunks_exact_mut(across));
    let pairs = values.chunks(2 * width).zip(known.chunks(2 * width));
    for ((sums, is_known), (values, known)) in squares.zip(pairs) {
        counts.fill(0);
        for (values, known) in values.chunks_exact(width).zip(known.chunks_exact(width)) {
            show_known(values, known, &mut shown, &mut ones);
            add_pairs(&shown, &ones, sums, &mut counts);
        }
        for ((sum, &count), is_known) in sums.iter_mut().zip(&counts).zip(is_known) {
            *sum /= f32::from(count.max(1));
            *is_known = count > 0;
        }
    }
    (means, is_known)
}

#[multiversion(targets = "simd")]
fn show_known(values: &[f32], known: &[bool], shown: &mut [f32], ones: &mut [u8]) {
    for ((shown, one), (value, &known)) in shown.iter_mut().zip(ones).zip(values.iter().zip(known)) {
        (*shown, *one) = (if known { *value } else { 0.0 }, u8::from(known));
    }
}

#[multiversion(targets = "simd")]
fn add_pairs(shown: &[f32], ones: &[u8], sums: &mut [f32], counts: &mut [u8]) {
    for (sum, pair) in sums.iter_mut().zip(shown.chunks_exact(2)) {
        *sum = *sum + pair[0] + pair[1];
    }
    for (count, pair) in counts.iter_mut().zip(ones.chunks_exact(2)) {
        *count += pair[0] + pair[1];
    }
}

/// Fills holes between the four nearest of the means, in rows of `across`.
fn push(means: &[f32], across: usize, holes: &[Hole], values: &mut [f32], width: usize) {
    let down = means.len() / across;
    // The two rows of means that were wanted last, between those beside each other.
    let mut lines = [(usize::MAX, vec![0.0; 2 * across]), (usize::MAX, vec![0.0; 2 * across])];
    for part in holes.chunk_by(|one, other| one.row == other.row) {
        let y = part[0].row;
        let near = y / 2;
        let beside = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(down - 1) };
        for (row, other) in [(near, beside), (beside, near)] {
            if lines.iter().all(|(known, _)| *known != row) {
                let old = usize::from(lines[0].0 == other);
                lines[old].0 = row;
                between(&means[row * across..][..across], &mut lines[old].1);
            }
        }
        let line = |row: usize| &lines[usize::from(lines[0].0 != row)].1;
        for Hole { start, end, .. } in part {
            let both = line(near)[*start..*end].iter().zip(&line(beside)[*start..*end]);
            for (value, (near, beside)) in values[y * width..][*start..*end].iter_mut().zip(both) {
                *value = 0.75 * near + 0.25 * beside;
            }
        }
    }
}

/// Twice as many values as there are means: each between one and the next.
#[multiversion(targets = "simd")]
fn between(means: &[f32], line: &mut [f32]) {
    let last = means.len() - 1;
    let pair = |before: f32, mean: f32, after: f32| [0.75 * mean + 0.25 * before, 0.75 * mean + 0.25 * after];
    for (pair_of, means) in line[2..].chunks_exact_mut(2).zip(means.windows(3)) {
        pair_of.copy_from_slice(&pair(means[0], means[1], means[2]));
    }
    for at in [0, last] {
        let (before, after) = (means[at.saturating_sub(1)], means[(at + 1).min(last)]);
        line[2 * at..2 * at + 2].copy_from_slice(&pair(before, means[at], after));
    }
}

/// Makes each value in a hole the mean of those around it, again and again.
fn smooth(holes: &[Hole], values: &mut [f32], width: usize) {
    /// Sweeps at each size; what is left after them is less than a code value.
    const SWEEPS: usize = 4;
    let height = values.len() / width;
    let mut old: Vec<f32> = Vec::with_capacity(width + 2);
    for _ in 0..SWEEPS {
        for &Hole { row: y, start, end } in holes {
            let (before, rest) = values.split_at_mut(y * width);
            let (row, after) = rest.split_at_mut(width);
            // From what the row was before the sweep: many samples at once. At the picture's edge one is its own neighbour.
            old.clear();
            old.push(row[start.saturating_sub(1)]);
            old.extend_from_slice(&row[start..end]);
            old.push(row[end.min(width - 1)]);
            let own = &old[1..];
            let above = if y > 0 { &before[(y - 1) * width + start..] } else { own };
            let below = if y + 1 < height { &after[start..] } else { own };
            means_around(&old, above, below, &mut row[start..end]);
        }
    }
}

/// The mean of the samples on all four sides; those to the left and to the right are in `row`, which has one more at each end.
#[multiversion(targets = "simd")]
fn means_around(row: &[f32], above: &[f32], below: &[f32], into: &mut [f32]) {
    let beside = row.iter().zip(&row[2..]).zip(above.iter().zip(below));
    for (value, ((left, right), (above, below))) in into.iter_mut().zip(beside) {
        *value = (left + right + above + below) * 0.25;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, sample by sample.
    fn plainly(values: &mut [f32], known: &[bool], width: usize) {
        let height = values.len() / width;
        let (across, down) = (width.div_ceil(2), height.div_ceil(2));
        let unknown = || (0..known.len()).filter(|&at| !known[at]);
        let mut means = vec![0.0; across * down];
        let mut counts = vec![0; across * down];
        for at in (0..known.len()).filter(|&at| known[at]) {
            let square = at / width / 2 * across + at % width / 2;
            means[square] += values[at];
            counts[square] += 1;
        }
        means.iter_mut().zip(&counts).for_each(|(mean, &count)| *mean /= (count as f32).max(1.0));
        let is_known: Vec<bool> = counts.iter().map(|&count| count > 0).collect();
        if is_known.contains(&false) {
            plainly(&mut means, &is_known, across);
        }
        let side = |at: usize, most: usize| match at % 2 {
            0 => (at / 2).saturating_sub(1),
            _ => (at / 2 + 1).min(most - 1),
        };
        for at in unknown() {
            let (x, y) = (at % width, at / width);
            let line = |row: usize| 0.75 * means[row * across + x / 2] + 0.25 * means[row * across + side(x, across)];
            values[at] = 0.75 * line(y / 2) + 0.25 * line(side(y, down));
        }
        for _ in 0..4 {
            for y in 0..height {
                let old = values[y * width..][..width].to_vec();
                for x in (0..width).filter(|x| !known[y * width + x]) {
                    let above = if y > 0 { values[(y - 1) * width + x] } else { old[x] };
                    let below = if y + 1 < height { values[(y + 1) * width + x] } else { old[x] };
                    let around = old[x.saturating_sub(1)] + old[(x + 1).min(width - 1)] + above + below;
                    values[y * width + x] = around * 0.25;
                }
            }
        }
    }

    #[test]
    fn many_samples_at_once_are_what_each_is() {
        for (width, height, share) in
            [(33, 21, 3), (32, 20, 7), (64, 5, 2), (2, 9, 2), (1, 8, 3), (7, 1, 2), (50, 40, 90)]
        {
            let values: Vec<f32> = (0..width * height).map(|at| (at * 7_919 % 251) as f32).collect();
            let known: Vec<bool> = (0..values.len()).map(|at| (at / 3 * 31 + 5) % share == 0 || at == 0).collect();
            let (mut found, mut plain) = (values.clone(), values);
            spread(&mut found, &known, width);
            plainly(&mut plain, &known, width);
            assert_eq!(found, plain, "{width} x {height}, one in {share}");
        }
    }

    #[test]
    fn what_is_spread_lies_between_its_edges() {
        let width = 33;
        let truth: Vec<f32> = (0..width * 21).map(|at| (at % width) as f32 * 2.0 + (at / width) as f32).collect();
        let known: Vec<bool> =
            (0..truth.len()).map(|at| !((6..27).contains(&(at % width)) && (5..16).contains(&(at / width)))).collect();
        let mut values: Vec<f32> =
            truth.iter().zip(&known).map(|(&value, &known)| if known { value } else { 900.0 }).collect();
        spread(&mut values, &known, width);
        let worst = values.iter().zip(&truth).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(worst < 1.5, "{worst}");
    }
}
