//! The store that jobs see: chunks, slides and sounds by key, checked, over any backend.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::local::LocalBackend;
use super::memory::MemoryBackend;
use super::{Lease, StoreBackend, chunk_file, sound_file};
use crate::encode::EncodedChunk;
use crate::error::Result;
use crate::output::EncodedSound;
use crate::plan::{ChunkKey, Plan};

/// Finished chunks, slides and sounds, found by key. Cheap to clone; the clones are the same store.
///
/// Every entry has its length and a checksum in it. They are checked whenever it is read, and one that is damaged is
/// dropped and rendered again.
#[derive(Debug, Clone)]
pub struct ChunkStore {
    backend: Arc<dyn StoreBackend>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Chunk,
    Slide,
    Sound,
}

impl Entry {
    fn name(self, key: &ChunkKey) -> String {
        match self {
            Self::Chunk => format!("{key}.chunk"),
            Self::Slide => format!("{key}.slide"),
            Self::Sound => format!("{key}.sound"),
        }
    }
}

impl ChunkStore {
    /// The store in `folder`, which is made if it is missing. Several processes may share it: entries come into being by
    /// a rename.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self::with_backend(Arc::new(LocalBackend::open(folder.into(), None)?)))
    }

    /// The store in `folder`, kept below about `max_bytes`: what was used least recently is removed, except for what a
    /// running job has a [lease](Self::lease) on. All that share it should give the same limit.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_bounded(folder: impl Into<PathBuf>, max_bytes: u64) -> Result<Self> {
        Ok(Self::with_backend(Arc::new(LocalBackend::open(folder.into(), Some(max_bytes))?)))
    }

    /// A store in memory, for tests and for jobs that are small: it keeps everything until its last clone is dropped.
    pub fn in_memory() -> Self {
        Self::with_backend(Arc::new(MemoryBackend::default()))
    }

    /// A store over another place.
    pub fn with_backend(backend: Arc<dyn StoreBackend>) -> Self {
        Self { backend }
    }

    /// Keeps what has these keys, now or later, in a bounded store until the lease is dropped or its process ends. The
    /// keys of a plan are [`Plan::keys`].
    ///
    /// [`Engine::render`](crate::Engine::render) takes one by itself; who calls the stages one by one takes one for as
    /// long as the plan is worked on.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if the folder cannot be written; what another backend reports.
    pub fn lease<'k>(&self, keys: impl IntoIterator<Item = &'k ChunkKey>) -> Result<Lease> {
        self.backend.lease(&mut keys.into_iter())
    }

    /// The folder of a local store.
    pub fn folder(&self) -> Option<&Path> {
        self.backend.folder()
    }

    /// The chunk of `key`; `None` if there is none, or if it is damaged, in which case it is dropped.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it is there but cannot be read; what another backend reports.
    pub fn get(&self, key: &ChunkKey) -> Result<Option<EncodedChunk>> {
        self.read(Entry::Chunk, key, |bytes| chunk_file::read(&bytes))
    }

    /// The slide of `key`, a JPEG; `None` if there is none, or if it is damaged, in which case it is dropped.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_slide(&self, key: &ChunkKey) -> Result<Option<Vec<u8>>> {
        self.read(Entry::Slide, key, Some)
    }

    /// The sound of `key`; `None` if there is none, or if it is damaged, in which case it is dropped.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn get_sound(&self, key: &ChunkKey) -> Result<Option<EncodedSound>> {
        self.read(Entry::Sound, key, |bytes| sound_file::read(&bytes))
    }

    fn read<T>(&self, entry: Entry, key: &ChunkKey, read: impl FnOnce(Vec<u8>) -> Option<T>) -> Result<Option<T>> {
        let name = entry.name(key);
        let Some(bytes) = self.backend.get(&name)? else { return Ok(None) };
        let found = unsealed(bytes).and_then(read);
        if found.is_none() {
            tracing::warn!(%name, "a damaged entry is dropped and will be rendered again");
            if let Err(error) = self.backend.remove(&name) {
                // It is not used, and the next put takes its place.
                tracing::warn!(%name, %error, "a damaged entry cannot be removed");
            }
        }
        Ok(found)
    }

    /// Keeps `chunk` under `key`. Readers see it whole or not at all.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it cannot be written, such as on a full disk; what another backend reports.
    pub fn put(&self, key: &ChunkKey, chunk: &EncodedChunk) -> Result<()> {
        self.backend.put(&Entry::Chunk.name(key), sealed(chunk_file::write(chunk)))
    }

    /// Keeps the JPEG of a slide under `key`. Readers see it whole or not at all.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_slide(&self, key: &ChunkKey, jpeg: &[u8]) -> Result<()> {
        self.backend.put(&Entry::Slide.name(key), sealed(jpeg.to_vec()))
    }

    /// Keeps `sound` under `key`. Readers see it whole or not at all.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn put_sound(&self, key: &ChunkKey, sound: &EncodedSound) -> Result<()> {
        self.backend.put(&Entry::Sound.name(key), sealed(sound_file::write(sound)))
    }

    /// Whether there is a chunk or a slide of `key`; it may turn out to be damaged when it is read.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if that cannot be told; what another backend reports.
    pub fn contains(&self, key: &ChunkKey) -> Result<bool> {
        Ok(self.has(Entry::Chunk, key)? || self.has(Entry::Slide, key)?)
    }

    /// Whether there is a sound of `key`.
    ///
    /// # Errors
    /// As [`contains`](Self::contains).
    pub(crate) fn has_sound(&self, key: &ChunkKey) -> Result<bool> {
        self.has(Entry::Sound, key)
    }

    fn has(&self, entry: Entry, key: &ChunkKey) -> Result<bool> {
        self.backend.contains(&entry.name(key))
    }

    /// The units of `plan` that are still to be rendered, by the numbers that
    /// [`Engine::render_chunk`](crate::Engine::render_chunk) takes. Entries are looked for and not read.
    ///
    /// # Errors
    /// As [`contains`](Self::contains).
    pub fn missing(&self, plan: &Plan) -> Result<Vec<usize>> {
        let chunks = plan.chunks().iter().map(|chunk| (Entry::Chunk, &chunk.key));
        let slides = plan.slides().iter().map(|slide| (Entry::Slide, &slide.key));
        let mut missing = Vec::new();
        for (unit, (entry, key)) in chunks.chain(slides).enumerate() {
            if !self.has(entry, key)? {
                missing.push(unit);
            }
        }
        Ok(missing)
    }

    /// What the store is called in errors.
    pub(crate) fn describe(&self) -> String {
        self.backend.describe()
    }
}

/// With a checksum behind it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

/// What is before the checksum; `None` if they do not belong together.
fn unsealed(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let length = bytes.len().checked_sub(blake3::OUT_LEN)?;
    let (body, hash) = bytes.split_at(length);
    if blake3::hash(body).as_bytes() != hash {
        return None;
    }
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::EncodedPicture;

    fn key(digit: char) -> ChunkKey {
        ChunkKey::try_from(digit.to_string().repeat(64)).expect("a key")
    }

    fn chunk() -> EncodedChunk {
        let picture = EncodedPicture { frame: 0, is_key: true, data: vec![7; 500] };
        EncodedChunk {
            extradata: vec![1, 2, 3],
            reorder_depth: 1,
            pictures: vec![picture],
            concealed: Default::default(),
            performed: 0,
        }
    }

    /// What every backend must do, and what the store does over each of them.
    fn keeps_to_the_contract(store: &ChunkStore) {
        let (one, two) = (key('1'), key('2'));
        assert!(!store.contains(&one).expect("is asked") && store.get(&one).expect("is asked").is_none());
        assert!(store.get_slide(&two).expect("is asked").is_none());
        store.put(&one, &chunk()).expect("is kept");
        store.put(&one, &chunk()).expect("is kept once more");
        store.put_slide(&two, b"a jpeg").expect("is kept");
        assert_eq!(store.get(&one).expect("is read"), Some(chunk()));
        assert_eq!(store.get_slide(&two).expect("is read"), Some(b"a jpeg".to_vec()));
        assert!(store.contains(&one).expect("is asked") && store.contains(&two).expect("is asked"));
        assert!(!store.contains(&key('3')).expect("is asked"));
        drop(store.lease([&one, &two]).expect("is leased"));
        store.backend.remove("nothing").expect("what is not there is removed already");

        for (entry, key) in [(Entry::Chunk, &one), (Entry::Slide, &two)] {
            let name = entry.name(key);
            let whole = store.backend.get(&name).expect("is read").expect("is there");
            let flipped = [&whole[..1], &[whole[1] ^ 1], &whole[2..]].concat();
            for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), flipped, [&whole[..], &[0]].concat()] {
                store.backend.put(&name, damaged).expect("is written");
                let found = match entry {
                    Entry::Chunk => store.get(key).expect("is asked").is_some(),
                    Entry::Slide => store.get_slide(key).expect("is asked").is_some(),
                    Entry::Sound => store.get_sound(key).expect("is asked").is_some(),
                };
                assert!(!found && !store.contains(key).expect("is asked"), "{name}: it is dropped");
            }
        }
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_noticed() {
        let bytes = sealed(b"what an entry holds".to_vec());
        assert_eq!(unsealed(bytes.clone()).as_deref(), Some(&b"what an entry holds"[..]));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(unsealed(damaged), None, "byte {at}");
            assert_eq!(unsealed(bytes[..at].to_vec()), None, "cut at {at}");
        }
    }

    #[test]
    fn memory_keeps_to_the_contract() {
        keeps_to_the_contract(&ChunkStore::in_memory());
    }

    #[test]
    fn folders_keep_to_the_contract() {
        let folder = tempfile::tempdir().expect("a folder");
        keeps_to_the_contract(&ChunkStore::open(folder.path()).expect("a store"));
        keeps_to_the_contract(&ChunkStore::open_bounded(folder.path().join("bounded"), 1 << 20).expect("a store"));
    }

    #[cfg(feature = "object-store")]
    #[test]
    fn buckets_keep_to_the_contract() {
        use object_store::{memory::InMemory, prefix::PrefixStore};

        use crate::store::ObjectStoreBackend;

        let bucket: Arc<dyn object_store::ObjectStore> = Arc::new(InMemory::new());
        for prefix in ["", "remix", "remix/chunks/"] {
            let backend = ObjectStoreBackend::new(Arc::clone(&bucket), prefix).expect("a backend");
            keeps_to_the_contract(&ChunkStore::with_backend(Arc::new(backend)));
        }
        let below = Arc::new(PrefixStore::new(bucket, "other"));
        let backend = ObjectStoreBackend::new(below, "").expect("a backend");
        keeps_to_the_contract(&ChunkStore::with_backend(Arc::new(backend)));
    }
}
