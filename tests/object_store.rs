//! A store in a bucket, through the crate `object_store`.

mod support;

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path as FilePath;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::Stream;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use remix_engine::Control;
use remix_engine::plan::ChunkKey;
use remix_engine::store::{ChunkStore, ObjectStoreBackend};
use serde_json::json;
use support::{Project, engine, engine_with, left_in, render_as as render};

fn store_in(bucket: Arc<dyn ObjectStore>, prefix: &str) -> ChunkStore {
    ChunkStore::with_backend(Arc::new(ObjectStoreBackend::new(bucket, prefix).expect("a backend")))
}

/// The engine has one bucket with all other machines: what one has rendered the other finds, and nothing changes a byte.
#[test]
fn machines_share_a_bucket() {
    let project = Project::small();
    let (_, cold) = render(&engine(2), &project, "cold");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let local = LocalFileSystem::new_with_prefix(folder.path()).expect("a store");
    let buckets: [Arc<dyn ObjectStore>; 2] = [Arc::new(InMemory::new()), Arc::new(local)];
    for (number, bucket) in buckets.into_iter().enumerate() {
        let machine = || engine_with(&store_in(Arc::clone(&bucket), "remix/chunks"));
        let (first, video) = render(&machine(), &project, &format!("first-{number}"));
        assert!(first.report.chunks_reused == 0 && video == cold);
        let (second, video) = render(&machine(), &project, &format!("second-{number}"));
        let figures = (second.report.chunks_rendered, second.report.chunks_reused);
        assert!(figures == (0, first.report.chunks_rendered) && video == cold);
    }
    let is_a = |object: &std::path::Path, kind: &str| object.extension().is_some_and(|extension| extension == kind);
    let (objects, others): (Vec<_>, Vec<_>) =
        left_in(&folder.path().join("remix/chunks")).into_iter().partition(|object| is_a(object, "chunk"));
    assert!(objects.len() >= 2 && others.len() == 1 && is_a(&others[0], "sound"), "{objects:?} {others:?}");

    // One is damaged, another cut: both are rendered again.
    fs::write(&objects[0], b"RXCHUNK1 and nothing else").expect("can be written");
    let length = fs::metadata(&objects[1]).expect("is there").len();
    fs::File::options().write(true).open(&objects[1]).and_then(|file| file.set_len(length - 7)).expect("can be cut");
    let local = LocalFileSystem::new_with_prefix(folder.path()).expect("a store");
    let (third, video) = render(&engine_with(&store_in(Arc::new(local), "remix/chunks")), &project, "third");
    assert!(third.report.chunks_rendered == 2 && video == cold);
}

#[test]
fn a_chunk_that_the_bucket_expired_is_named() {
    let project = Project::small();
    let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (engine, store, control) = (engine(2), store_in(Arc::clone(&bucket), "a"), Control::new());
    let plan = engine.plan(&project.request(), &control).expect("can be planned").remove(0);
    engine.generate_visuals(&plan, &store, &control).expect("can be rendered");
    let key = plan.keys().next().expect("has chunks");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(bucket.delete(&Path::from(format!("a/{key}.chunk")))).expect("is there");
    let error =
        engine.assemble(&plan, &store, &project.folder().join("assembled.mp4"), &control).expect_err("one is gone");
    assert_eq!(error.code(), "NOT_FOUND");
    assert!(error.message().contains(key.as_str()) && error.message().contains("InMemory below a"), "{error}");
}

/// Fails as it is told to.
#[derive(Debug)]
struct Failing {
    bucket: InMemory,
    reads: AtomicBool,
    writes: AtomicBool,
    error: fn() -> Error,
}

impl Failing {
    fn new(reads: bool, writes: bool, error: fn() -> Error) -> Arc<Self> {
        Arc::new(Self { bucket: InMemory::new(), reads: reads.into(), writes: writes.into(), error })
    }

    fn check(&self, fails: &AtomicBool) -> object_store::Result<()> {
        if fails.load(Ordering::Relaxed) { Err((self.error)()) } else { Ok(()) }
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the failing bucket")
    }
}

type Items<T> = Pin<Box<dyn Stream<Item = object_store::Result<T>> + Send + 'static>>;

#[async_trait::async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, options: PutOptions) -> object_store::Result<PutResult> {
        self.check(&self.writes)?;
        self.bucket.put_opts(at, bytes, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.bucket.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.check(&self.reads)?;
        self.bucket.get_opts(at, options).await
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> object_store::Result<Vec<bytes::Bytes>> {
        self.bucket.get_ranges(at, ranges).await
    }

    fn delete_stream(&self, at: Items<Path>) -> Items<Path> {
        self.bucket.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> Items<ObjectMeta> {
        self.bucket.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.bucket.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.bucket.copy_opts(from, to, options).await
    }
}

fn unreachable_network() -> Error {
    Error::Generic { store: "S3", source: "connection refused".into() }
}

fn refused() -> Error {
    Error::PermissionDenied { path: "chunks".to_owned(), source: "403".into() }
}

fn nothing_in(out: &FilePath) -> bool {
    left_in(out).is_empty()
}

#[test]
fn a_bucket_that_fails_ends_the_job_and_nothing_is_published() {
    let project = Project::small();
    let cases: [(_, _, fn() -> Error, _, _, _); 4] = [
        (true, false, unreachable_network, "OUTPUT_FAILED", true, "reading"),
        (false, true, unreachable_network, "OUTPUT_FAILED", true, "writing"),
        (true, false, refused, "INTERNAL", false, "reading"),
        (false, true, refused, "INTERNAL", false, "writing"),
    ];
    for (reads, writes, fault, code, retryable, doing) in cases {
        let bucket = Failing::new(reads, writes, fault);
        let engine = engine_with(&store_in(bucket.clone(), "chunks"));
        let out = project.out().join("failing");
        let error = engine.render(&project.request(), &out).expect_err("fails");
        assert_eq!((error.code(), error.is_retryable()), (code, retryable), "{error:?}");
        assert!(error.message().starts_with(doing) && error.message().contains("the failing bucket below chunks"));
        assert!(error.suggestion().is_some() && error.report().contains("stage: generating_visuals"), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
        assert!(nothing_in(&out), "{:?}", left_in(&out));
        // It comes back, and the same engine goes on.
        bucket.reads.store(false, Ordering::Relaxed);
        bucket.writes.store(false, Ordering::Relaxed);
        engine.render(&project.request(), &out).expect("can be rendered");
        fs::remove_dir_all(&out).expect("is there");
    }
}

/// Uses a store and drops it, wherever that is.
fn use_and_drop() {
    let store = store_in(Arc::new(InMemory::new()), "");
    let key: ChunkKey = serde_json::from_value(json!("0f".repeat(32))).expect("a key");
    assert!(!store.contains(&key).expect("is asked"));
    store.put_slide(&key, b"jpeg").expect("is kept");
    assert_eq!(store.get_slide(&key).expect("is read"), Some(b"jpeg".to_vec()));
}

#[test]
fn outside_of_a_runtime_it_works() {
    use_and_drop();
}

#[tokio::test(flavor = "current_thread")]
async fn inside_of_a_small_runtime_it_works() {
    use_and_drop();
    tokio::task::spawn_blocking(use_and_drop).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn inside_of_a_large_runtime_it_works() {
    tokio::spawn(async { use_and_drop() }).await.expect("no panic");
    tokio::task::block_in_place(use_and_drop);
}
