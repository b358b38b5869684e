//! Where a looped track starts over.

use crate::plan::SAMPLE_RATE;

/// Sample frames over which the end of a pass and the start of the next one are crossfaded: 20 ms.
pub(super) const SEAM: usize = SAMPLE_RATE as usize / 50;
/// Sample frames on each side that a join is compared with.
const AROUND: usize = 64;

/// Puts `head`, the start of the next pass, behind the end of a pass. A loop that was made to loop goes on smoothly, and
/// keeps its beat to the sample; where the join would click, both are crossfaded with equal power, and the pass is
/// shorter by [`SEAM`]. Both are interleaved stereo; nothing is crossfaded in tracks that are not `long`.
pub(super) fn join(end: &mut Vec<f32>, head: &[f32], long: bool) {
    if !long || head.len() < 2 * SEAM || end.len() < 2 * SEAM || is_smooth(end, head) {
        end.extend_from_slice(head);
        return;
    }
    let start = end.len() - 2 * SEAM;
    let frames = end[start..].as_chunks_mut::<2>().0.iter_mut().zip(head.as_chunks::<2>().0);
    for (n, (last, first)) in frames.enumerate() {
        let angle = std::f64::consts::FRAC_PI_2 * (n as f64 + 0.5) / SEAM as f64;
        let (rise, fall) = (libm::sin(angle) as f32, libm::cos(angle) as f32);
        last[0] = last[0] * fall + first[0] * rise;
        last[1] = last[1] * fall + first[1] * rise;
    }
    end.extend_from_slice(&head[2 * SEAM..]);
}

/// Whether the waveform bends no more at the join than near it: a jump and a kink are both heard as clicks.
fn is_smooth(end: &[f32], head: &[f32]) -> bool {
    let around = 2 * AROUND;
    if end.len() < around || head.len() < around {
        return false;
    }
    (0..2).all(|channel| {
        let side = |samples: &[f32]| -> Vec<f32> { samples.iter().skip(channel).step_by(2).copied().collect() };
        let all: Vec<f32> = [side(&end[end.len() - around..]), side(&head[..around])].concat();
        let bends: Vec<f32> = all.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).collect();
        // The two bends that have samples of both sides.
        let (left, rest) = bends.split_at(AROUND - 2);
        let (across, right) = rest.split_at(2);
        let usual = left.iter().chain(right).fold(0.0f32, |most, &bend| most.max(bend));
        // Below -80 dBFS nobody hears it.
        across.iter().all(|&bend| bend <= 2.0 * usual + 1e-4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `frames` of a tone of `hertz`, from sample frame `from` on.
    fn tone(hertz: f32, from: usize, frames: usize) -> Vec<f32> {
        let value = |n: usize| 0.5 * (std::f32::consts::TAU * hertz * n as f32 / 48_000.0).sin();
        (from..from + frames).flat_map(|n| [value(n), value(n)]).collect()
    }

    #[test]
    fn a_loop_that_fits_is_left_as_it_is() {
        let (mut end, head) = (tone(400.0, 0, 4_800), tone(400.0, 0, 2_000));
        let expected = [end.clone(), head.clone()].concat();
        join(&mut end, &head, true);
        assert!(end == expected);
    }

    #[test]
    fn a_loop_that_does_not_fit_is_crossfaded_without_a_click() {
        // It ends a quarter of a period off: at its highest point.
        let (mut end, head) = (tone(400.0, 0, 4_830), tone(400.0, 0, 2_000));
        join(&mut end, &head, true);
        assert_eq!(end.len(), 2 * (4_830 + 2_000 - SEAM));
        let steepest = end.chunks_exact(2).map(|frame| frame[0]).collect::<Vec<_>>();
        let steepest = steepest.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0f32, f32::max);
        assert!(steepest < 0.04, "a tone of 400 Hz at half scale has steps of 0.026: {steepest}");
    }
}
