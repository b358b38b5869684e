//! Music files, decoded by symphonia: every sample frame of the sound, and none that an encoder or a container put
//! around it.
//!
//! What an encoder adds at both ends is cut away by the LAME header of an MP3, the granules of an Ogg, and `iTunSMPB` or
//! the edit list of an M4A. What is damaged is silence of the same length, streams that are joined or chained follow
//! each other without a gap, and headers that lie about the length are not believed. FFmpeg decodes what is refused
//! here.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_ALAC;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::{MetadataOptions, RawValue};
use symphonia::core::packet::Packet;
use symphonia::default::{codecs, formats, meta};

use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, SoundPlanes};

/// Channels that sound has at most.
const MOST_CHANNELS: usize = 8;
/// Sample frames of one packet at most: the longest of FLAC's blocks. What promises more only wants memory.
const LONGEST_PACKET: u64 = 65_536;
/// A gap in the stream's own clock that is believed, in seconds; a longer one is a clock that was set anew.
const LONGEST_GAP: u64 = 10;
/// Faults of a container in a row that are read over before the rest of the file is given up.
const MOST_FAULTS: usize = 64;
/// Streams that are chained in one file at most.
const MOST_CHAINED: usize = 1_000;
/// Sample frames that an encoder adds at the end at most. More than that beyond the told end is sound.
const MOST_PADDING: u64 = 4 * 1_152;

/// The containers that are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MusicKind {
    Wav,
    Mp3,
    Flac,
    Ogg,
    M4a,
}

impl MusicKind {
    /// The kind of a file that FFmpeg's demuxer `container` knows, with one stream of `codec`.
    pub(super) fn of(container: &str, codec: &str) -> Option<Self> {
        match (container.split(',').next()?, codec) {
            ("wav", codec) if codec.starts_with("pcm_") => Some(Self::Wav),
            ("mp3", "mp3") => Some(Self::Mp3),
            ("flac", "flac") => Some(Self::Flac),
            ("ogg", "vorbis" | "flac") => Some(Self::Ogg),
            ("mov", "aac" | "alac") => Some(Self::M4a),
            _ => None,
        }
    }

    /// The reader of this container alone, and of the tags before it.
    fn probe(self) -> Probe {
        let mut probe = Probe::default();
        match self {
            Self::Wav => probe.register_format::<formats::WavReader<'_>>(),
            Self::Mp3 => probe.register_format::<formats::MpaReader<'_>>(),
            Self::Flac => probe.register_format::<formats::FlacReader<'_>>(),
            Self::Ogg => probe.register_format::<formats::OggReader<'_>>(),
            Self::M4a => probe.register_format::<formats::IsoMp4Reader<'_>>(),
        }
        if matches!(self, Self::Mp3 | Self::Flac) {
            probe.register_metadata::<meta::Id3v2Reader<'_>>();
        }
        probe
    }

    /// Whether packets carry a clock of their own that shows where one is missing.
    fn has_clock(self) -> bool {
        matches!(self, Self::Flac | Self::Ogg)
    }
}

/// What is known of a music file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Music {
    kind: MusicKind,
    /// Sample frames a second at the start.
    pub(super) rate: u32,
    /// Sample frames before the sound, as decoded: an encoder's delay.
    skip: u64,
    /// Sample frames of the sound.
    pub(super) length: u64,
}

/// What FFmpeg found in the same file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) rate: u32,
    pub(super) channels: u32,
    /// Sample frames before the sound and in it, where an edit list tells.
    pub(super) edit: Option<(u64, u64)>,
}

/// Reads a music file from end to end without decoding more than its first packets. `None` where FFmpeg should read it:
/// it is refused here, or the two do not agree on what it is (HE-AAC has twice the rate that its header says).
///
/// # Errors
/// `CANCELED`.
pub(super) fn probe_music(
    path: &Path,
    kind: MusicKind,
    expected: Expected,
    interrupt: &Interrupt,
) -> Result<Option<(Music, Vec<String>)>> {
    let canceled = || Error::new(ErrorKind::Canceled, "the job was cancelled while a source was read");
    let found = measure(path, kind, expected, interrupt);
    if interrupt.is_set() {
        return Err(canceled());
    }
    Ok(found.map_err(|error| tracing::debug!(%error, "symphonia does not read it")).ok().flatten())
}

fn measure(
    path: &Path,
    kind: MusicKind,
    expected: Expected,
    interrupt: &Interrupt,
) -> Result<Option<(Music, Vec<String>)>> {
    let whole = Music { kind, rate: expected.rate, skip: 0, length: u64::MAX };
    let mut reader = MusicReader::open(path, whole, interrupt)?;
    // Before the pass over all packets: is it what FFmpeg says, and can it be decoded?
    while reader.planes.iter().all(Vec::is_empty) {
        if !reader.next()? {
            return Ok(None);
        }
    }
    if reader.rate != expected.rate || reader.planes.len() != expected.channels as usize {
        return Ok(None);
    }
    let mut reader = MusicReader::open(path, whole, interrupt)?;
    // Of an MP3 without a LAME header the length is only estimated.
    let (told, delay) = (reader.told.filter(|_| kind != MusicKind::Mp3 || reader.delay.is_some()), reader.delay);
    let smpb = reader.smpb;
    let total = reader.count()?;
    let seconds = |frames: u64| frames as f64 / f64::from(expected.rate.max(1));
    let mut notes = Vec::new();
    let trim = match kind {
        MusicKind::M4a => smpb.or(expected.edit),
        // The demuxer's packets start at the encoder's delay before zero.
        MusicKind::Mp3 => told.zip(delay).map(|(told, delay)| (delay, told)),
        _ => None,
    };
    let (skip, length) = match trim {
        Some((skip, length)) if skip < total => {
            let there = total - skip;
            // Files that were joined have more than the first one's header says.
            (skip, if there > length.saturating_add(MOST_PADDING) { there } else { length.min(there) })
        }
        _ => (0, total),
    };
    if length == 0 {
        return Ok(None);
    }
    // An edit list may leave out more than padding.
    let there = if kind == MusicKind::M4a { total } else { length };
    match told.filter(|&told| told > 0 && told.abs_diff(there) > u64::from(expected.rate) / 10) {
        Some(told) if told > there => {
            notes.push(format!("cut short: {:.3} s of {:.3} s are there", seconds(there), seconds(told)));
        }
        Some(told) => notes.push(format!(
            "its header tells of {:.3} s of sound, and {:.3} s are there: all of it is used",
            seconds(told),
            seconds(there)
        )),
        None => {}
    }
    if reader.chained > 0 {
        notes.push(format!("{} streams are chained: they follow each other", reader.chained + 1));
    }
    if reader.jumps > 0 {
        notes.push(format!("its clock is set anew {} times: what follows is used without a gap", reader.jumps));
    }
    if reader.missing > 0 {
        notes.push(format!("{} of its packets are missing or damaged: they are silence", reader.missing));
    }
    if kind == MusicKind::Mp3 && starts_with_garbage(path) {
        notes.push("what is before its first frame is no sound: skipped".to_owned());
    }
    Ok(Some((Music { kind, rate: expected.rate, skip, length }, notes)))
}

/// Whether an MP3 has something that is neither a tag nor a frame at its start.
fn starts_with_garbage(path: &Path) -> bool {
    let read = || -> std::io::Result<bool> {
        let mut file = File::open(path)?;
        let mut head = [0; 10];
        file.read_exact(&mut head)?;
        if head.starts_with(b"ID3") {
            // Seven bits of each byte (ID3v2.4, 3.1), and a footer where its flag is set.
            let size = head[6..].iter().fold(0u64, |size, &byte| size << 7 | u64::from(byte & 0x7f));
            let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
            file.seek(SeekFrom::Start(10 + size + footer))?;
            file.read_exact(&mut head[..2])?;
        }
        Ok(head[0] != 0xff || head[1] & 0xe0 != 0xe0)
    };
    read().unwrap_or(false)
}

/// Decodes a music file from its first sample frame on, block by block.
pub(crate) struct MusicReader {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    kind: MusicKind,
    track: u32,
    interrupt: Interrupt,
    path: std::path::PathBuf,
    /// Sample frames that the container says there are, and those of its encoder's delay.
    told: Option<u64>,
    delay: Option<u64>,
    /// Sample frames before and of the sound by `iTunSMPB`.
    smpb: Option<(u64, u64)>,
    /// Sample frames to leave out from here on, and those of the sound that are to come.
    skip: u64,
    left: u64,
    /// Where the stream's clock is expected next, once it is known.
    clock: Option<i64>,
    rate: u32,
    mask: u64,
    planes: Vec<Vec<f32>>,
    /// Silence to hand out before anything else, in sample frames, with the packet that follows it.
    gap: u64,
    held: Option<Packet>,
    faults: usize,
    chained: usize,
    jumps: usize,
    missing: usize,
    ended: bool,
}

/// What comes next in a stream.
enum Step {
    /// A packet of so many sample frames.
    Packet(Packet),
    /// Packets that are missing: so many sample frames of silence.
    Gap(u64),
    End,
}

impl MusicReader {
    /// # Errors
    /// `SOURCE_UNREADABLE` or `SOURCE_UNSUPPORTED` if symphonia cannot read it.
    pub(crate) fn open(path: &Path, music: Music, interrupt: &Interrupt) -> Result<Self> {
        let source = Source::open(path, interrupt)?;
        let _working = interrupt.pulse().enter(path, None);
        let mut format = guarded(|| {
            let stream = MediaSourceStream::new(Box::new(source), Default::default());
            let options = FormatOptions::default();
            music.kind.probe().probe(&Hint::new(), stream, options, MetadataOptions::default())
        })?;
        let mut opened = Opened::first(format.as_ref())?;
        let smpb = smpb(format.metadata().current());
        Ok(Self {
            decoder: opened.decoder()?,
            kind: music.kind,
            track: opened.track,
            interrupt: interrupt.clone(),
            path: path.to_owned(),
            told: opened.told,
            delay: opened.delay,
            smpb,
            skip: music.skip,
            left: music.length,
            clock: None,
            rate: opened.rate,
            mask: opened.mask,
            planes: Vec::new(),
            gap: 0,
            held: None,
            faults: 0,
            chained: 0,
            jumps: 0,
            missing: 0,
            ended: false,
            format,
        })
    }

    /// Decodes the next block, which [`Self::block`] has then; it may be empty. `false` at the end of the sound.
    ///
    /// # Errors
    /// `CANCELED`; `SOURCE_UNREADABLE` if the decoder fails in a way that cannot be read over.
    pub(crate) fn next(&mut self) -> Result<bool> {
        self.planes.iter_mut().for_each(Vec::clear);
        if self.left == 0 || self.ended {
            return Ok(false);
        }
        if self.interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while sound was read"));
        }
        let (trim_start, trim_end) = match self.step()? {
            Step::End => return Ok(false),
            Step::Gap(frames) => {
                self.silence(frames);
                (0, 0)
            }
            Step::Packet(packet) => {
                let length = frames_of(&packet);
                match guarded(|| decode(self.decoder.as_mut(), &packet, &mut self.planes)) {
                    Ok((rate, mask)) => (self.rate, self.mask) = (rate, mask),
                    Err(error) if error.kind() == ErrorKind::Internal => return Err(error),
                    Err(_) => {
                        self.missing += 1;
                        self.silence(length);
                    }
                }
                // The end of an MP3 is where the probe found it.
                let trim_end = if self.kind == MusicKind::Mp3 { 0 } else { packet.trim_end.get() };
                (if self.kind == MusicKind::Mp3 { 0 } else { packet.trim_start.get() }, trim_end)
            }
        };
        let frames = self.planes.first().map_or(0, Vec::len) as u64;
        let start = trim_start.saturating_add(self.skip).min(frames);
        self.skip -= self.skip.min(start.saturating_sub(trim_start));
        let end = frames.saturating_sub(trim_end).max(start).min(start.saturating_add(self.left));
        self.left -= end - start;
        for plane in &mut self.planes {
            plane.truncate(end as usize);
            plane.drain(..start as usize);
        }
        Ok(true)
    }

    /// The block that was decoded.
    pub(crate) fn block(&self) -> SoundPlanes<'_> {
        SoundPlanes { rate: self.rate, mask: self.mask, channels: &self.planes }
    }

    /// Packets that were missing or damaged so far.
    pub(crate) fn missing(&self) -> usize {
        self.missing
    }

    fn silence(&mut self, frames: u64) {
        if self.planes.is_empty() {
            self.planes = vec![Vec::new(); 2];
        }
        for plane in &mut self.planes {
            plane.clear();
            plane.resize(frames.min(LONGEST_PACKET) as usize, 0.0);
        }
    }

    /// Goes over all packets without decoding them, and gives how many sample frames there are.
    fn count(&mut self) -> Result<u64> {
        let mut total = 0u64;
        let mut last = None;
        loop {
            let frames = match self.step()? {
                Step::End => break,
                Step::Gap(frames) => frames,
                Step::Packet(packet) => {
                    let frames = frames_of(&packet);
                    let trimmed = packet.trim_start.get().saturating_add(packet.trim_end.get());
                    let kept = if self.kind == MusicKind::Mp3 { frames } else { frames.saturating_sub(trimmed) };
                    last = Some((packet, kept));
                    kept
                }
            };
            total = total.saturating_add(frames);
        }
        // The last packet of a WAV that breaks off is shorter than it says.
        if let Some((packet, kept)) = last.filter(|_| self.kind == MusicKind::Wav)
            && guarded(|| decode(self.decoder.as_mut(), &packet, &mut self.planes)).is_ok()
        {
            total = total - kept + kept.min(self.planes.first().map_or(0, Vec::len) as u64);
        }
        Ok(total)
    }

    /// The next step; faults of the container are read over.
    fn step(&mut self) -> Result<Step> {
        if self.gap > 0 {
            let frames = self.gap.min(LONGEST_PACKET);
            self.gap -= frames;
            return Ok(Step::Gap(frames));
        }
        if let Some(packet) = self.held.take() {
            return Ok(Step::Packet(packet));
        }
        while !self.ended {
            let _working = self.interrupt.pulse().enter(&self.path, None);
            let next = catch_unwind(AssertUnwindSafe(|| self.format.next_packet())).map_err(|_| panicked())?;
            if self.interrupt.is_set() {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while sound was read"));
            }
            match next {
                Ok(Some(packet)) if packet.data.is_empty() && self.kind == MusicKind::Wav => self.ended = true,
                Ok(Some(packet)) if packet.track_id != self.track => {}
                Ok(Some(packet)) => {
                    self.faults = 0;
                    return Ok(self.place(packet));
                }
                Ok(None) => self.ended = true,
                Err(Fault::ResetRequired) if self.chained < MOST_CHAINED => {
                    let mut opened = Opened::first(self.format.as_ref())?;
                    self.decoder = opened.decoder()?;
                    self.track = opened.track;
                    self.chained += 1;
                    self.clock = None;
                    // Each of them says how long it is by itself.
                    self.told = None;
                }
                Err(Fault::DecodeError(_)) if self.faults < MOST_FAULTS => self.faults += 1,
                // What was read so far is the sound.
                Err(_) => self.ended = true,
            }
        }
        Ok(Step::End)
    }

    /// Puts a packet where the stream's clock has it.
    fn place(&mut self, packet: Packet) -> Step {
        let length = frames_of(&packet);
        if self.kind.has_clock() {
            let at = packet.pts.get();
            let expected = self.clock.replace(at.saturating_add_unsigned(length)).unwrap_or(at);
            let gap = u64::try_from(at.saturating_sub(expected)).unwrap_or(0);
            // Vorbis packets overlap by up to one block.
            let slack = if self.kind == MusicKind::Ogg { 8_192 } else { 0 };
            if gap > LONGEST_GAP * u64::from(self.rate) || at < expected.saturating_sub_unsigned(slack) {
                self.jumps += 1;
            } else if gap > slack {
                self.missing += 1;
                self.gap = gap;
                self.held = Some(packet);
                let frames = self.gap.min(LONGEST_PACKET);
                self.gap -= frames;
                return Step::Gap(frames);
            }
        }
        Step::Packet(packet)
    }
}

/// Sample frames of a packet before anything is left out.
fn frames_of(packet: &Packet) -> u64 {
    packet.block_dur().get().min(LONGEST_PACKET)
}

/// A track that can be decoded.
struct Opened {
    parameters: AudioCodecParameters,
    track: u32,
    told: Option<u64>,
    delay: Option<u64>,
    rate: u32,
    mask: u64,
}

impl Opened {
    /// The first track with sound.
    fn first(format: &dyn FormatReader) -> Result<Self> {
        let unsupported = |what: &str| Error::new(ErrorKind::SourceUnsupported, what.to_owned());
        let track = format.first_track_known_codec(TrackType::Audio).ok_or_else(|| unsupported("it has no sound"))?;
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
            return Err(unsupported("its sound is not described"));
        };
        let rate = parameters.sample_rate.ok_or_else(|| unsupported("its sound has no rate"))?;
        // Packets are counted in sample frames.
        if track.time_base.is_some_and(|base| base.numer.get() != 1 || base.denom.get() != rate) {
            return Err(unsupported("its clock does not count sample frames"));
        }
        let channels = parameters.channels.as_ref().map_or(0, Channels::count);
        if channels > MOST_CHANNELS {
            return Err(unsupported("it has too many channels"));
        }
        // The magic cookie begins with the frames of a packet, for which the decoder takes memory.
        let cookie = parameters.extra_data.as_deref().and_then(|data| data.first_chunk::<4>());
        let promised = cookie.filter(|_| parameters.codec == CODEC_ID_ALAC).map(|&bytes| u32::from_be_bytes(bytes));
        if promised.is_some_and(|frames| u64::from(frames) > LONGEST_PACKET) {
            return Err(unsupported("its packets are too long"));
        }
        Ok(Self {
            track: track.id,
            told: track.num_frames,
            delay: track.delay.map(u64::from),
            rate,
            mask: parameters.channels.as_ref().map_or(0, mask_of),
            parameters: parameters.clone(),
        })
    }

    fn decoder(&mut self) -> Result<Box<dyn AudioDecoder>> {
        let mut registry = symphonia::core::codecs::registry::CodecRegistry::new();
        registry.register_audio_decoder::<codecs::AacDecoder>();
        registry.register_audio_decoder::<codecs::AlacDecoder>();
        registry.register_audio_decoder::<codecs::FlacDecoder>();
        registry.register_audio_decoder::<codecs::MpaDecoder>();
        registry.register_audio_decoder::<codecs::PcmDecoder>();
        registry.register_audio_decoder::<codecs::VorbisDecoder>();
        // What is left out at the ends is decided here, where joined files are known.
        let options = AudioDecoderOptions::default().gapless(false);
        guarded(|| registry.make_audio_decoder(&self.parameters, &options))
    }
}

/// Speaker positions as WAVEFORMATEXTENSIBLE has them; 0 for others.
fn mask_of(channels: &Channels) -> u64 {
    match channels {
        Channels::Positioned(position) if position.bits() < 1 << 18 => position.bits(),
        _ => 0,
    }
}

/// Decodes `packet` into `planes`, and gives rate and speaker positions.
fn decode(
    decoder: &mut dyn AudioDecoder,
    packet: &Packet,
    planes: &mut Vec<Vec<f32>>,
) -> symphonia::core::errors::Result<(u32, u64)> {
    let buffer = decoder.decode(packet)?;
    if buffer.num_planes() > MOST_CHANNELS || buffer.frames() as u64 > LONGEST_PACKET {
        return Err(Fault::LimitError("too many channels or samples in a packet"));
    }
    buffer.copy_to_vecs_planar(planes);
    planes.truncate(buffer.num_planes());
    // Damaged floats would stay in every filter after them.
    for sample in planes.iter_mut().flatten() {
        if !sample.is_finite() {
            *sample = 0.0;
        }
    }
    Ok((buffer.spec().rate(), mask_of(buffer.spec().channels())))
}

/// iTunes' gapless comment: hexadecimal words, of which the second is the encoder's delay, the third its padding and the
/// fourth the length of the sound, in sample frames.
fn smpb(metadata: Option<&symphonia::core::meta::MetadataRevision>) -> Option<(u64, u64)> {
    let tags = metadata?.media.tags.iter();
    let text = tags
        .filter(|tag| tag.raw.key.ends_with("iTunSMPB"))
        .find_map(|tag| if let RawValue::String(text) = &tag.raw.value { Some(text.clone()) } else { None })?;
    let words: Vec<u64> = text.split_whitespace().map_while(|word| u64::from_str_radix(word, 16).ok()).collect();
    let (delay, length) = (*words.get(1)?, *words.get(3)?);
    // As players do: more than this is no encoder's delay.
    (delay < 16_384 && length > 0).then_some((delay, length))
}

/// Runs a call of symphonia's; what it reports, and a panic, become errors.
fn guarded<T>(call: impl FnOnce() -> symphonia::core::errors::Result<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(call)).map_err(|_| panicked())?;
    result.map_err(|fault| {
        let kind = match fault {
            Fault::IoError(_) => ErrorKind::SourceUnreadable,
            _ => ErrorKind::SourceUnsupported,
        };
        Error::new(kind, "its sound cannot be decoded").caused_by(fault)
    })
}

fn panicked() -> Error {
    Error::new(ErrorKind::Internal, "a decoder of music failed")
}

/// A file that ends reading when the job is cancelled, or when more is read than any honest file needs.
struct Source {
    file: File,
    length: u64,
    /// Bytes that may still be read.
    budget: u64,
    interrupt: Interrupt,
}

impl Source {
    fn open(path: &Path, interrupt: &Interrupt) -> Result<Self> {
        let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata.len())));
        let (file, length) = opened.map_err(|error| {
            Error::new(ErrorKind::SourceUnreadable, format!("{} cannot be read", path.display())).caused_by(error)
        })?;
        let budget = length.saturating_mul(4).saturating_add(64 << 20);
        Ok(Self { file, length, budget, interrupt: interrupt.clone() })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.interrupt.is_set() || self.budget == 0 {
            return Err(std::io::Error::other("reading was stopped"));
        }
        let read = self.file.read(buffer)?;
        self.budget = self.budget.saturating_sub(read as u64);
        Ok(read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
