//! Entries as objects of a bucket, through the crate `object_store`.

use std::future::Future;
use std::sync::{Arc, mpsc};

use object_store::path::Path;
use object_store::{Error as ObjectError, ObjectStore, ObjectStoreExt as _};
use tokio::runtime::{Builder, Runtime};

use super::StoreBackend;
use crate::error::{Error, ErrorKind, Result};

/// Keeps entries in a bucket, or whatever else the crate [`object_store`] speaks to, so that many machines share them.
///
/// Depend on `object_store` too, in the version that [`remix_engine::store::object_store`](object_store) is, and turn on the
/// features of your provider (`aws`, `gcp`, `azure`): this crate turns on none.
///
/// - An entry is one object, `<prefix>/<key>.chunk`, `.slide` or `.sound`, of usually one or two megabytes, written by one request.
///   Such a put is atomic at all providers.
/// - Nothing is evicted from here, and a lease holds nothing. Give the bucket a *lifecycle rule* that removes objects some
///   days after they were made, and more days than a job can take: a chunk that goes between `generate_visuals` and
///   `assemble` ends the job with `NOT_FOUND`, and rendering it again heals it.
/// - Requests are retried by `object_store`, as its `RetryConfig` says. That and the timeouts of its `ClientOptions` bound
///   how long a cancelled job may take to end.
/// - Requests run on one thread with a runtime of its own. The calls of a [`ChunkStore`](super::ChunkStore) may so be made on
///   any thread, in a runtime or not. Inside of async code they block, as the engine itself does.
///
/// Errors: what a later try cannot heal (refused credentials, a provider that lacks an operation) is `INTERNAL`, as an
/// installation that lacks something; all else is `OUTPUT_FAILED`, which is retryable.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use remix_engine::store::object_store::memory::InMemory;
/// use remix_engine::store::{ChunkStore, ObjectStoreBackend};
///
/// // Or `AmazonS3Builder::from_env().with_bucket_name("chunks").build()`, with the feature `aws`.
/// let bucket = Arc::new(InMemory::new());
/// let store = ChunkStore::with_backend(Arc::new(ObjectStoreBackend::new(bucket, "remix/chunks")?));
/// # assert_eq!(store.folder(), None);
/// # Ok::<(), remix_engine::Error>(())
/// ```
#[derive(Debug)]
pub struct ObjectStoreBackend {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Of our own. A runtime of the caller's whose thread waits for us would never come to the request. `None` only while
    /// it is dropped.
    runtime: Option<Runtime>,
}

impl ObjectStoreBackend {
    /// The objects below `prefix` in `store`; an empty prefix stands for all of it.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if the system gives no thread.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("remix-store").enable_all().build();
        let runtime = runtime.map_err(|error| {
            Error::new(ErrorKind::LimitExceeded, "the system gives no thread for the store")
                .caused_by(error)
                .suggest("raise the limit of threads of this process")
        })?;
        Ok(Self { store, prefix: Path::from(prefix), runtime: Some(runtime) })
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    /// Runs one request on the runtime and waits for it. Not by `block_on`, which panics on a thread that belongs to a
    /// runtime already.
    fn run<T, F>(&self, doing: &str, name: &str, request: F) -> Result<Option<T>>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let lost = || Error::new(ErrorKind::Internal, format!("the request of {} got lost", self.describe()));
        let runtime = self.runtime.as_ref().ok_or_else(lost)?;
        let (answer, answered) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Somebody waits, unless their thread was torn down.
            let _ = answer.send(request.await);
        });
        match answered.recv().map_err(|_| lost())? {
            Ok(found) => Ok(Some(found)),
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(doing, name, error)),
        }
    }

    fn failed(&self, doing: &str, name: &str, error: ObjectError) -> Error {
        let message = format!("{doing} the entry {name} in {} failed", self.describe());
        let (kind, suggestion) = match &error {
            ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. } => {
                (ErrorKind::Internal, "check the bucket, the credentials of this process and what they allow")
            }
            ObjectError::NotSupported { .. }
            | ObjectError::NotImplemented { .. }
            | ObjectError::InvalidPath { .. }
            | ObjectError::UnknownConfigurationKey { .. } => {
                (ErrorKind::Internal, "check how the object store is set up")
            }
            _ => (ErrorKind::OutputFailed, "check the network and the provider, and run the job again"),
        };
        Error::new(kind, message).caused_by(error).suggest(suggestion)
    }
}

impl Drop for ObjectStoreBackend {
    fn drop(&mut self) {
        // Waiting for its thread would panic on a thread of another runtime. No request is under way: they borrow `self`.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl StoreBackend for ObjectStoreBackend {
    fn describe(&self) -> String {
        match self.prefix.as_ref() {
            "" => self.store.to_string(),
            prefix => format!("{} below {prefix}", self.store),
        }
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        let request = async move { store.get(&path).await?.bytes().await };
        Ok(self.run("reading", name, request)?.map(Vec::from))
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        let put = self.run("writing", name, async move { store.put(&path, bytes.into()).await })?;
        // Providers say so of a bucket that is not there.
        put.map(drop).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("{} does not exist", self.describe()))
                .suggest("make the bucket, or check its name and region")
        })
    }

    fn contains(&self, name: &str) -> Result<bool> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        Ok(self.run("looking for", name, async move { store.head(&path).await })?.is_some())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        self.run("removing", name, async move { store.delete(&path).await }).map(drop)
    }
}
