//! A bar that fills from the left to the right.

use super::inset::mixed;
use super::{I420Mut, PlaneMut, code_values};
use crate::text::{Area, Rgba};

/// Draws a bar at `area`, whose numbers are even, of which the part `filled` (0 to 1) has `color`, and the rest `ground`. Its
/// end is exact between pixels. What lies outside of the canvas is left out.
pub(crate) fn draw_bar(target: &mut I420Mut<'_>, area: Area, filled: f64, color: [u8; 3], ground: Option<Rgba>) {
    let values = code_values(color);
    let rest = ground.map(|ground| (code_values([ground.r, ground.g, ground.b]), ground.a));
    for (part, (plane, by)) in [(&mut target.y, 1), (&mut target.u, 2), (&mut target.v, 2)].into_iter().enumerate() {
        let rest = rest.map(|(values, alpha)| (values[part], alpha));
        let end = filled.clamp(0.0, 1.0) * f64::from(area.width) / f64::from(by);
        draw_plane(plane, area, by, end, (values[part], rest));
    }
}

fn draw_plane(target: &mut PlaneMut<'_>, area: Area, by: i32, end: f64, (value, rest): (u8, Option<(u8, u8)>)) {
    let within = |at: i64, size: usize| at.clamp(0, size as i64) as usize;
    let (left, top) = (i64::from(area.x / by), i64::from(area.y / by));
    let (width, height) = (i64::from(area.width) / i64::from(by), i64::from(area.height) / i64::from(by));
    let columns = within(left, target.width())..within(left + width, target.width());
    for y in within(top, target.height())..within(top + height, target.height()) {
        let row = target.row_mut(y);
        for x in columns.clone() {
            // How much of this sample is filled, in 255 parts.
            let cover = ((end - (x as i64 - left) as f64).clamp(0.0, 1.0) * 255.0).round() as u8;
            let under = rest.map_or(row[x], |(rest, alpha)| mixed(row[x], rest, alpha));
            row[x] = mixed(under, value, cover);
        }
    }
}
