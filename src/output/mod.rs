//! The finished files: MP4, thumbnail, description, and their atomic publication.

mod container;
mod mp4;
mod publish;
mod sound;
mod thumbnail;

pub use container::{
    AssetKind, AudioReport, Container, OutputAsset, PerformerReport, Preview, Report, ShownCaption, SourceReport,
    StageTime, Status,
};
pub(crate) use mp4::write_mp4;
pub(crate) use publish::{Staging, write_file};
pub(crate) use sound::{EncodedSound, SoundPacket, encode_sound};
pub(crate) use thumbnail::make_thumbnail;
