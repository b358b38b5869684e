//! A slide as bytes: its JPEG, and a checksum behind it.

/// The slide as bytes.
pub(super) fn write(jpeg: &[u8]) -> Vec<u8> {
    [jpeg, blake3::hash(jpeg).as_bytes()].concat()
}

/// The JPEG in `bytes`; `None` if they are damaged.
pub(super) fn read(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let length = bytes.len().checked_sub(blake3::OUT_LEN)?;
    let (jpeg, hash) = bytes.split_at(length);
    if blake3::hash(jpeg).as_bytes() != hash {
        return None;
    }
    bytes.truncate(length);
    Some(bytes)
}
