//! Turns a *request* ("a ugc-remix of this app demo, this hook, these reaction clips and music") into finished 9:16
//! media that can be posted: MP4, thumbnail, and a description as JSON.
//!
//! A [`Request`](request::Request) goes in, a [`Container`](output::Container) comes out; between them stand four
//! stages, each of which can be run by itself, in another process, on another machine:
//!
//! | stage | function | in → out |
//! |---|---|---|
//! | `planning` | [`Engine::plan`] | `Request` → [`Plan`](plan::Plan): sources probed, every default resolved, chunks and keys |
//! | `generating_visuals` | [`Engine::generate_visuals`], or [`Engine::render_chunk`] one by one | `Plan` → chunks in a [`ChunkStore`](store::ChunkStore) |
//! | `assembling` | [`Engine::assemble`] | chunks stitched by stream copy, sound mixed and encoded once |
//! | `finalizing` | [`Engine::finalize`] | thumbnail, `container.json`, all published by one rename |
//!
//! [`Engine::render`] runs all four; [`Engine::submit`] does so from async code.
//!
//! ```
//! use remix_engine::{Control, Engine, EngineOptions, request::Request};
//!
//! let engine = Engine::new(EngineOptions::default())?;
//! let request = Request::from_path("fixtures/ugc-remix".as_ref())?;
//! let plans = engine.plan(&request, &Control::new())?;
//! let shots: Vec<_> = plans[0].shots().iter().map(|shot| (shot.name.as_str(), shot.frames.len())).collect();
//! assert_eq!(shots, [("reaction", 120), ("app-demo", 360)]);
//! # Ok::<(), remix_engine::Error>(())
//! ```
//!
//! # The one idea
//!
//! A video is a list of *chunks*, and a chunk is a pure function of what it shows. The plan cuts the output's frame
//! clock at every shot and every two seconds; each chunk is a closed GOP, rendered by an encoder of its own with one
//! thread, and found by a hash of everything that can change a byte of it. So chunks can be rendered on any number of
//! threads and machines and give the same bytes, and the finished video is the chunks one after the other.
//!
//! # The types
//!
//! - Inputs: [`Request`](request::Request), or a [`Plan`](plan::Plan) that was made before.
//! - Shared by all jobs: [`Engine`] with its [`EngineOptions`], [`FontBook`](text::FontBook) and
//!   [`Limits`](limits::Limits).
//! - Steering one job: [`Control`] with [`Cancel`] and [`Progress`]; [`Job`] in async code.
//! - Results: [`Container`](output::Container), and [`Error`] with a stable [`code`](Error::code).
//!
//! # The rooms
//!
//! The modules are the path that the data takes. Each knows those above it; only `job` knows all; only `ffmpeg`, which
//! is private, has `unsafe`.
//!
//! | module | what it does |
//! |---|---|
//! | [`units`] | time, size and level as types that do not mix |
//! | [`error`] | the error, its kinds and codes |
//! | [`limits`] | the largest size, duration and count of everything |
//! | [`request`] | what the caller asked for; validation, all findings at once |
//! | [`formats`] | request → timeline, one file per format |
//! | [`timeline`] | which pictures and sounds lie where |
//! | [`plan`] | timeline and probes → frames, chunks, keys |
//! | [`source`] | one input, told truthfully: probing, and pictures on the output's clock, upright and in BT.709 |
//! | [`text`] | fonts, shaping, emoji, strokes → a positioned picture |
//! | [`compose`] | pictures and overlays → one finished frame |
//! | [`performer`] | somebody else in the place of who is seen |
//! | [`burnt`] | the text that is burnt into a source: where, when, what, in which style |
//! | `audio` | all sounds → one mix on one sample clock, ducked, and as loud as it should be |
//! | [`encode`] | H.264 chunks, JPEG |
//! | [`store`] | finished chunks by key: in a folder, in memory, in a bucket |
//! | [`inspect`] | what a finished file is, measured, and what is wrong with it |
//! | [`output`] | MP4, thumbnail, description, atomic publication |
//! | [`job`] | the four stages, workers, progress, cancelling |
//!
//! The library opens no sockets, prints nothing and keeps no state outside of its values, but for FFmpeg's log level and the
//! threshold of the C library's allocator, which [`Engine::new`] sets; with the feature `object-store` the bucket that it is
//! given may do the first. Spans and events go through [`tracing`](https://docs.rs/tracing).

#![deny(unsafe_code)]

mod audio;
pub mod burnt;
pub mod compose;
pub mod encode;
pub mod error;
#[allow(unsafe_code, reason = "the one folder that calls FFmpeg; see its documentation")]
mod ffmpeg;
pub mod formats;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod inspect;
pub mod job;
pub mod limits;
pub mod output;
pub mod performer;
pub mod plan;
pub mod request;
pub mod source;
pub mod store;
pub mod text;
pub mod timeline;
pub mod units;

pub use error::{Error, ErrorKind, Failure, Finding, Result, Stage};
pub use job::{
    Adaptation, Cancel, Control, Engine, EngineOptions, Estimate, Existing, Job, PostResolver, Progress, SourcePost,
    TextAdapter,
};

/// The README's examples are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
