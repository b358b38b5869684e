//! Pictures of a clip with somebody else in the place of who is seen.

use std::sync::Arc;

use super::engine::Shared;
use super::mender::copy;
use super::{no_memory, not_working};
use crate::compose::rgb_of;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::VideoFrame;
use crate::performer::{FrameTransform, MAX_LEAD_IN, RgbFrame, ShotTransform, paste, paste_rgba};
use crate::plan::Plan;
use crate::request::Request;
use crate::timeline::Performer;
use crate::units::CanvasSize;

/// The longest identity of a transform, in bytes.
const IDENTITY_BYTES: usize = 256;

/// A transform with what a plan calls it.
pub(super) type Transforms = Vec<(Performer, Arc<dyn FrameTransform>)>;

impl Shared {
    /// Who is put in the place of who is seen; `None` if nobody is.
    ///
    /// # Errors
    /// `PERFORMER_UNAVAILABLE` if the engine has no model, or none of the one whose content it is.
    pub(super) fn performer(&self, request: &Request) -> Result<Option<Performer>> {
        if request.performer.as_deref() == Some("none") {
            return Ok(None);
        }
        let author = request.influencer_id.clone().or_else(|| request.social_account_id.clone()).unwrap_or_default();
        let transform = self.transform(&author)?;
        let (identity, lead_in) = (transform.identity(), transform.lead_in());
        if identity.is_empty() || identity.len() > IDENTITY_BYTES || lead_in > MAX_LEAD_IN {
            let message = "the performer's model has no identity, too long a one, or too long a lead-in";
            return Err(Error::new(ErrorKind::PerformerUnavailable, message).at_pointer("/performer"));
        }
        Ok(Some(Performer { author, identity, lead_in }))
    }

    fn transform(&self, author: &str) -> Result<Arc<dyn FrameTransform>> {
        let missing = |message: &str| {
            Error::new(ErrorKind::PerformerUnavailable, message)
                .at_pointer("/performer")
                .suggest("give the engine a model, or keep who is seen with `performer`: `none`")
        };
        let performers = self.performers.as_ref();
        let performers = performers
            .ok_or_else(|| missing("the engine has no model that puts the influencer in the place of who is seen"))?;
        performers.performer(author)?.ok_or_else(|| missing("there is no model of the influencer"))
    }

    /// The transforms of a plan.
    ///
    /// # Errors
    /// `PERFORMER_UNAVAILABLE` if one is not there, or is another one here.
    pub(super) fn transforms(&self, plan: &Plan) -> Result<Transforms> {
        let mut known = Transforms::new();
        for performer in plan.performers() {
            if known.iter().any(|(known, _)| known == performer) {
                continue;
            }
            let transform = self.transform(&performer.author)?;
            if (transform.identity(), transform.lead_in()) != (performer.identity.clone(), performer.lead_in) {
                let message = "the performer's model is not the one that the plan was made with";
                let error = Error::new(ErrorKind::PerformerUnavailable, message);
                return Err(error.suggest("plan the job again, or use the same models everywhere"));
            }
            known.push((performer.clone(), transform));
        }
        Ok(known)
    }
}

/// The transform of `performer`.
pub(super) fn transform_of<'t>(known: &'t Transforms, performer: &Performer) -> Result<&'t dyn FrameTransform> {
    let found = known.iter().find(|(known, _)| known == performer);
    found.map(|(_, transform)| &**transform).ok_or_else(not_working)
}

/// Shows a clip's pictures to a transform, from some before those that are wanted on.
pub(super) struct Performing {
    shot: Box<dyn ShotTransform>,
    /// The clip's frame that it is shown next, and the first one that is wanted.
    next: u64,
    first: u64,
    picture: VideoFrame,
    /// How many frames that are wanted were changed.
    changed: u32,
}

impl Performing {
    /// For the clip's frames from `first` on.
    pub(super) fn new(transform: &dyn FrameTransform, performer: &Performer, first: u64) -> Result<Self> {
        let picture = VideoFrame::empty().map_err(no_memory)?;
        Ok(Self { shot: transform.begin()?, next: first_shown(performer, first), first, picture, changed: 0 })
    }

    /// The clip's frame that it has to be shown before the one at `frame` is there; `None` if it is.
    pub(super) fn wants(&self, frame: u64) -> Option<u64> {
        (self.next <= frame).then_some(self.next)
    }

    /// Shows it the clip's picture `own`, the one that it wants.
    pub(super) fn show(&mut self, own: &VideoFrame) -> Result<()> {
        let rgb = rgb_of(own.planes().ok_or_else(not_working)?)?;
        let parts = self.shot.next(RgbFrame { width: own.width(), height: own.height(), rgb: &rgb })?;
        let is_wanted = self.next >= self.first;
        self.next += 1;
        if !is_wanted {
            return Ok(());
        }
        copy(own, &mut self.picture)?;
        self.changed += u32::from(!parts.is_empty());
        for part in &parts {
            if !part.is_whole() {
                return Err(not_whole());
            }
            paste(&mut self.picture.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?, part);
        }
        Ok(())
    }

    /// The last picture that it was shown, with what it makes of it.
    pub(super) fn picture(&self) -> &VideoFrame {
        &self.picture
    }

    /// How many of the frames that it has given were changed.
    pub(super) fn changed(&self) -> u32 {
        self.changed
    }
}

/// The clip's frame from which on a transform is shown its pictures so that it knows enough at `first`.
pub(super) fn first_shown(performer: &Performer, first: u64) -> u64 {
    first.saturating_sub(performer.lead_in)
}

/// Changes the picture of a slide, premultiplied RGBA.
pub(super) fn perform_still(transform: &dyn FrameTransform, rgba: &mut [u8], size: CanvasSize) -> Result<()> {
    let rgb: Vec<u8> = rgba.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    let frame = RgbFrame { width: size.width(), height: size.height(), rgb: &rgb };
    for part in transform.begin()?.next(frame)? {
        if !part.is_whole() {
            return Err(not_whole());
        }
        paste_rgba(rgba, size.width() as usize, &part);
    }
    Ok(())
}

fn not_whole() -> Error {
    Error::new(ErrorKind::Internal, "the performer's model gave a part whose bytes are not as many as its pixels")
}
