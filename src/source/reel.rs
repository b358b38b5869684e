//! Pictures of a clip that is shown again and again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::keep;
use crate::error::Result;
use crate::ffmpeg::VideoFrame;

/// Working pictures of one clip by their numbers in the source, for all who read it in the same way: what one of them has decoded of a
/// clip that loops is decoded no more.
///
/// Only what a reader gives before it meets a fault is kept: such a picture is the same wherever decoding began.
pub(crate) struct Reel {
    /// It never holds more pictures.
    most: usize,
    pictures: Mutex<BTreeMap<u32, VideoFrame>>,
}

impl Reel {
    /// For so many pictures at most.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, pictures: Mutex::default() }
    }

    pub(super) fn get(&self, number: u32) -> Result<Option<VideoFrame>> {
        let pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.get(&number).map(keep).transpose()
    }

    /// Without room for one more it is not kept.
    pub(super) fn put(&self, number: u32, picture: &VideoFrame) {
        let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        if pictures.len() < self.most
            && !pictures.contains_key(&number)
            && let Ok(picture) = keep(picture)
        {
            pictures.insert(number, picture);
        }
    }
}
