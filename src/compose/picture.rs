//! Borrowed planar pictures.

/// One plane of 8-bit samples, borrowed.
#[derive(Clone, Copy)]
pub struct PlaneRef<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

/// One plane of 8-bit samples to draw on.
pub struct PlaneMut<'a> {
    data: &'a mut [u8],
    width: usize,
    height: usize,
    stride: usize,
}

fn spans(len: usize, width: usize, height: usize, stride: usize) -> bool {
    let rows = height.checked_sub(1).and_then(|rows| rows.checked_mul(stride));
    width > 0 && stride >= width && rows.and_then(|bytes| bytes.checked_add(width)).is_some_and(|need| need <= len)
}

impl<'a> PlaneRef<'a> {
    /// A plane of `width` by `height` samples whose rows start `stride` bytes apart. `None` unless `data` has room for
    /// it and neither size is zero; the last row needs only its samples, not the whole stride.
    pub fn new(data: &'a [u8], width: usize, height: usize, stride: usize) -> Option<Self> {
        spans(data.len(), width, height, stride).then_some(Self { data, width, height, stride })
    }

    /// Samples in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row `y` without padding; empty below the last row.
    pub fn row(&self, y: usize) -> &'a [u8] {
        if y >= self.height {
            return &[];
        }
        let start = y * self.stride;
        self.data.get(start..start + self.width).unwrap_or(&[])
    }

    /// All samples, the rows this many apart.
    pub(crate) fn samples(&self) -> (&'a [u8], usize) {
        (self.data, self.stride)
    }

    /// The rows from top to bottom, without padding.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let plane = *self;
        (0..plane.height).map(move |y| plane.row(y))
    }
}

impl<'a> PlaneMut<'a> {
    /// As [`PlaneRef::new`].
    pub fn new(data: &'a mut [u8], width: usize, height: usize, stride: usize) -> Option<Self> {
        spans(data.len(), width, height, stride).then_some(Self { data, width, height, stride })
    }

    /// Samples in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Rows `y` and `y + 1`, without padding; each is empty below the last row.
    pub(super) fn row_pair_mut(&mut self, y: usize) -> (&mut [u8], &mut [u8]) {
        if y + 1 >= self.height {
            return (self.row_mut(y), &mut []);
        }
        let (upper, lower) = self.data.split_at_mut((y + 1) * self.stride);
        (&mut upper[y * self.stride..][..self.width], &mut lower[..self.width])
    }

    /// The samples from `x` on in row `y`, as many as asked for; `None` if there are not that many.
    #[inline(always)]
    pub(super) fn run_mut<const N: usize>(&mut self, x: usize, y: usize) -> Option<&mut [u8; N]> {
        if y >= self.height || x + N > self.width {
            return None;
        }
        self.data.get_mut(y * self.stride + x..)?.first_chunk_mut()
    }

    /// Row `y` without padding; empty below the last row.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        if y >= self.height {
            return &mut [];
        }
        let start = y * self.stride;
        self.data.get_mut(start..start + self.width).unwrap_or(&mut [])
    }
}

/// A planar 4:2:0 picture: luma, and chroma at half the size in both directions, rounded up.
#[derive(Clone, Copy)]
pub struct I420Ref<'a> {
    /// Luma.
    pub y: PlaneRef<'a>,
    /// Blue difference.
    pub u: PlaneRef<'a>,
    /// Red difference.
    pub v: PlaneRef<'a>,
}

/// A planar 4:2:0 picture to draw on.
pub struct I420Mut<'a> {
    /// Luma.
    pub y: PlaneMut<'a>,
    /// Blue difference.
    pub u: PlaneMut<'a>,
    /// Red difference.
    pub v: PlaneMut<'a>,
}

/// One plane of samples of 9 to 16 bits, each in the low bits of a word of the machine's byte order, borrowed.
#[derive(Clone, Copy)]
pub struct PlaneRef16<'a> {
    data: &'a [u16],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> PlaneRef16<'a> {
    /// As [`PlaneRef::new`], with a `stride` in samples, which is half of FFmpeg's line size in bytes.
    pub fn new(data: &'a [u16], width: usize, height: usize, stride: usize) -> Option<Self> {
        spans(data.len(), width, height, stride).then_some(Self { data, width, height, stride })
    }

    /// Samples in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row `y` without padding; empty below the last row.
    pub fn row(&self, y: usize) -> &'a [u16] {
        if y >= self.height {
            return &[];
        }
        let start = y * self.stride;
        self.data.get(start..start + self.width).unwrap_or(&[])
    }
}

/// A planar 4:2:0 picture of more than 8 bits.
#[derive(Clone, Copy)]
pub struct I420Ref16<'a> {
    /// Luma.
    pub y: PlaneRef16<'a>,
    /// Blue difference.
    pub u: PlaneRef16<'a>,
    /// Red difference.
    pub v: PlaneRef16<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_never_reaches_beyond_its_bytes() {
        let bytes = [0u8; 10];
        assert!(PlaneRef::new(&bytes, 4, 2, 6).is_some(), "the last row needs no padding");
        assert!(PlaneRef::new(&bytes, 5, 2, 6).is_none());
        assert!(PlaneRef::new(&bytes, 4, 2, 3).is_none(), "a stride under the width");
        assert!(PlaneRef::new(&bytes, 0, 2, 6).is_none());
        assert!(PlaneRef::new(&bytes, 1, 0, 1).is_none());
        assert!(PlaneRef::new(&bytes, 1, usize::MAX, 2).is_none(), "no overflow");
        let plane = PlaneRef::new(&bytes, 4, 2, 6).expect("fits");
        assert_eq!(plane.rows().map(<[u8]>::len).collect::<Vec<_>>(), [4, 4]);
        assert!(plane.row(2).is_empty());
    }
}
