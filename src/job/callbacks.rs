//! What callers bring to a remix: where posts are, and what their texts shall say.

use std::path::PathBuf;

use crate::burnt::FoundOverlay;
use crate::error::Result;
use crate::request::Brief;

/// The files of somebody's post.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourcePost {
    /// A video.
    Video(PathBuf),
    /// The pictures of a slideshow, in order.
    Slides(Vec<PathBuf>),
}

/// Finds the files of a post by its id. Without one, the request's own `source.src` or `source.slides` are the post's.
pub trait PostResolver: Send + Sync {
    /// The post with this id, 1 to 32 digits; `None` if there is none, which is `INVALID_TIKTOK_ID`.
    ///
    /// # Errors
    /// What keeps it from being fetched, as the job's error.
    fn resolve(&self, id: &str) -> Result<Option<SourcePost>>;
}

/// Who the new words are for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adaptation {
    /// What the content shall say.
    pub brief: Brief,
    /// The language of the new words, a BCP 47 tag; `None` for that of the old ones.
    pub language: Option<String>,
    /// The account or influencer that they are for.
    pub author: String,
    /// Of slides the id of the source's slide that the texts are on.
    pub slide: Option<String>,
}

/// Writes new words for the texts of a post: a language model, or a person.
pub trait TextAdapter: Send + Sync {
    /// New words for each of `overlays`, those of a video or of one slide, in their order: `None` to leave one as it is, an empty text to take it out. Those for
    /// which the request has words of its own are asked for as well; the request's are kept.
    ///
    /// # Errors
    /// What keeps it from working, as the job's error.
    fn adapt(&self, overlays: &[FoundOverlay], about: &Adaptation) -> Result<Vec<Option<String>>>;
}
