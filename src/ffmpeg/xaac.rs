//! libxaac's AAC-LC encoder.

use std::ffi::c_void;
use std::fmt;
use std::mem::zeroed;
use std::ptr;

use libxaac_sys as ffi;

/// Why libxaac refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XaacError {
    call: &'static str,
    code: i32,
}

impl XaacError {
    fn check(call: &'static str, code: i32) -> Result<(), Self> {
        if code == ffi::IA_NO_ERROR as i32 { Ok(()) } else { Err(Self { call, code }) }
    }
}

impl fmt::Display for XaacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: libxaac's code {:#x}", self.call, self.code)
    }
}

impl std::error::Error for XaacError {}

/// The most that a packet may have, in bytes a channel: as much as the standard allows (ISO 14496-3, 4.5.3.1: 6144 bits).
/// With less the encoder does not keep to it, and fails.
const LARGEST: i32 = 768;
/// A code of our own, where the library gave none.
const NONE: i32 = -1;

/// Blocks that are smaller are not worth looking at, in bytes.
const GIVEN_BACK: usize = 1 << 20;

/// An open encoder of stereo, for 16-bit samples. Its packets are raw: without ADTS headers.
pub(crate) struct XaacEncoder {
    /// What the library was told and tells; it keeps no address of it between calls.
    shared: Box<ffi::ixheaace_user_config_struct>,
    config: Vec<u8>,
}

impl XaacEncoder {
    /// Samples of a channel in a packet.
    pub(crate) const FRAME_SIZE: usize = 1_024;

    /// Opens it for `sample_rate` sample frames a second at a constant `bit_rate` in bits a second.
    pub(crate) fn open(sample_rate: u32, bit_rate: u32) -> Result<Self, XaacError> {
        let wrong = XaacError { call: "ixheaace_create (out of range)", code: NONE };
        let (rate, bits) =
            (i32::try_from(sample_rate).map_err(|_| wrong)?, i32::try_from(bit_rate).map_err(|_| wrong)?);
        // SAFETY: plain data of numbers and pointers, for which all zero is a value.
        let mut shared: Box<ffi::ixheaace_user_config_struct> = Box::new(unsafe { zeroed() });
        let input = &mut shared.input_config;
        input.ui_pcm_wd_sz = 16;
        input.aot = ffi::AOT_AAC_LC as i32;
        input.frame_length = Self::FRAME_SIZE as i32;
        input.i_channels = 2;
        input.i_samp_freq = sample_rate;
        input.i_native_samp_freq = rate;
        input.i_bitrate = bits;
        input.i_use_es = 1;
        input.aac_config.bitreservoir_size = LARGEST;
        // `use_tns` stays off: on six clips the noise-to-mask ratio is the same within 0.2 dB, echoes before attacks are too
        // (short blocks are what keeps those away), and it takes a seventh of the time. `full_bandwidth`, whatever its name,
        // would cut off all above 12 kHz; without it that is 20 kHz. `inv_quant` is not for AAC-LC.
        shared.output_config.malloc_xheaace = Some(allocate);
        shared.output_config.free_xheaace = Some(release);
        let (input, output) = parts(&mut shared);
        // SAFETY: both point to structures of the types that the call takes, which live across it.
        XaacError::check("ixheaace_create", unsafe { ffi::ixheaace_create(input, output) })?;
        let mut encoder = Self { shared, config: Vec::new() };
        if usize::try_from(encoder.shared.output_config.input_size) != Ok(4 * Self::FRAME_SIZE) {
            return Err(XaacError {
                call: "ixheaace_create (another frame size)",
                code: encoder.shared.output_config.input_size,
            });
        }
        encoder.config = encoder.output();
        encoder.give_back_zeros();
        Ok(encoder)
    }

    /// Gives pages of the library's memory that are all zero back to the system, where they are zero until they are written
    /// to. Its tables are made for every profile that it has, 58 MB, and it fills all of them with zeros; AAC-LC uses a few
    /// megabytes.
    fn give_back_zeros(&self) {
        // SAFETY: sysconf has no preconditions.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4_096).max(1);
        for table in &self.shared.output_config.mem_info_table {
            let (start, size) = (table.mem_ptr.addr(), table.ui_size as usize);
            if table.mem_ptr.is_null() || size < GIVEN_BACK {
                continue;
            }
            let first = start.next_multiple_of(page);
            let mut zeros: Option<(usize, usize)> = None;
            for at in (first..(start + size).saturating_sub(page - 1)).step_by(page) {
                // SAFETY: a whole page inside of the library's block, which nobody writes to between its calls.
                let bytes = unsafe { std::slice::from_raw_parts(table.mem_ptr.with_addr(at).cast::<u8>(), page) };
                // In parts that the compiler makes vectors of: it is 58 MB.
                let is_zero = bytes.chunks(64).all(|part| part.iter().fold(0, |all, &byte| all | byte) == 0);
                zeros = match (zeros, is_zero) {
                    (Some((from, _)), true) => Some((from, at + page)),
                    (None, true) => Some((at, at + page)),
                    (Some(range), false) => {
                        give_back(table.mem_ptr, range);
                        None
                    }
                    (None, false) => None,
                };
            }
            if let Some(range) = zeros {
                give_back(table.mem_ptr, range);
            }
        }
    }

    /// The AudioSpecificConfig (ISO 14496-3, 1.6.2.1).
    pub(crate) fn config(&self) -> &[u8] {
        &self.config
    }

    /// Encodes [`Self::FRAME_SIZE`] interleaved sample frames, neither more nor less, into one packet.
    pub(crate) fn encode(&mut self, samples: &[i16]) -> Result<Vec<u8>, XaacError> {
        let table = &self.shared.output_config.mem_info_table[ffi::IA_MEMTYPE_INPUT as usize];
        let buffer = table.mem_ptr.cast::<i16>();
        if samples.len() != 2 * Self::FRAME_SIZE || buffer.is_null() {
            return Err(XaacError { call: "ixheaace_process (another frame size)", code: NONE });
        }
        // SAFETY: the library's buffer has room for `input_size` bytes, which is as many as `samples` has, and is aligned for
        // its samples.
        unsafe { ptr::copy_nonoverlapping(samples.as_ptr(), buffer, samples.len()) };
        let object = self.shared.output_config.pv_ia_process_api_obj;
        let (input, output) = parts(&mut self.shared);
        // SAFETY: the object was made by `ixheaace_create` with the same two structures.
        XaacError::check("ixheaace_process", unsafe { ffi::ixheaace_process(object, input, output) })?;
        Ok(self.output())
    }

    /// What the last call gave.
    fn output(&self) -> Vec<u8> {
        let output = &self.shared.output_config;
        let from = output.mem_info_table[ffi::IA_MEMTYPE_OUTPUT as usize].mem_ptr.cast::<u8>();
        match usize::try_from(output.i_out_bytes) {
            // SAFETY: the library wrote as many bytes to its buffer, which lives as long as the encoder.
            Ok(count) if !from.is_null() => unsafe { std::slice::from_raw_parts(from, count) }.to_vec(),
            _ => Vec::new(),
        }
    }
}

impl Drop for XaacEncoder {
    fn drop(&mut self) {
        let (_, output) = parts(&mut self.shared);
        // SAFETY: made by `ixheaace_create` with this structure, and not used again.
        let code = unsafe { ffi::ixheaace_delete(output) };
        if let Err(error) = XaacError::check("ixheaace_delete", code) {
            tracing::warn!(%error, "an AAC encoder was not closed");
        }
    }
}

/// Gives the whole pages from `from` to `to`, which are zero, inside of the block at `block`, back to the system.
fn give_back(block: *mut c_void, (from, to): (usize, usize)) {
    // SAFETY: whole pages of a block of `calloc`, which is private memory, and nothing else is on them; reading them gives
    // zeros afterwards, as it did before. If the system refuses, nothing has changed.
    unsafe { libc::madvise(block.with_addr(from), to - from, libc::MADV_DONTNEED) };
}

fn parts(shared: &mut ffi::ixheaace_user_config_struct) -> (*mut c_void, *mut c_void) {
    (ptr::from_mut(&mut shared.input_config).cast(), ptr::from_mut(&mut shared.output_config).cast())
}

/// Memory of `size` bytes, all zero, so that nothing of it is ever what somebody else left.
unsafe extern "C" fn allocate(size: u32, alignment: u32) -> *mut c_void {
    // What calloc gives is aligned for every basic type.
    if alignment as usize > align_of::<libc::max_align_t>() {
        return ptr::null_mut();
    }
    // SAFETY: no preconditions.
    unsafe { libc::calloc(1, size as usize) }
}

unsafe extern "C" fn release(memory: *mut c_void) {
    // SAFETY: the library gives back what `allocate` gave, once.
    unsafe { libc::free(memory) }
}
