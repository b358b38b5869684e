//! A chunk as bytes: a header, the pictures' sizes and times, which of the sources' were damaged, and the pictures' data.

use crate::encode::{EncodedChunk, EncodedPicture};

/// The form's name and version.
const MAGIC: [u8; 8] = *b"RXCHUNK4";
/// No chunk has more pictures: the planner cuts far below it.
const MAX_PICTURES: u32 = 100_000;

/// The chunk as bytes. Numbers are little-endian `u32`.
pub(super) fn write(chunk: &EncodedChunk) -> Vec<u8> {
    let data: usize = chunk.pictures.iter().map(|picture| picture.data.len() + 12).sum();
    let mut bytes = Vec::with_capacity(MAGIC.len() + 20 + 8 * chunk.concealed.len() + chunk.extradata.len() + data);
    bytes.extend_from_slice(&MAGIC);
    let number = |bytes: &mut Vec<u8>, value: usize| {
        bytes.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
    };
    number(&mut bytes, chunk.extradata.len());
    number(&mut bytes, chunk.reorder_depth as usize);
    number(&mut bytes, chunk.pictures.len());
    number(&mut bytes, chunk.concealed.len());
    number(&mut bytes, chunk.performed as usize);
    for picture in &chunk.pictures {
        number(&mut bytes, picture.frame as usize);
        number(&mut bytes, usize::from(picture.is_key));
        number(&mut bytes, picture.data.len());
    }
    for &(clip, picture) in &chunk.concealed {
        number(&mut bytes, clip as usize);
        number(&mut bytes, picture as usize);
    }
    bytes.extend_from_slice(&chunk.extradata);
    for picture in &chunk.pictures {
        bytes.extend_from_slice(&picture.data);
    }
    bytes
}

/// The chunk in `bytes`; `None` if they are none, or of another version.
pub(super) fn read(bytes: &[u8]) -> Option<EncodedChunk> {
    let mut rest = bytes.strip_prefix(&MAGIC)?;
    let mut number = || {
        let (head, tail) = rest.split_first_chunk::<4>()?;
        rest = tail;
        Some(u32::from_le_bytes(*head))
    };
    let extradata = number()? as usize;
    let reorder_depth = number()?;
    let count = number().filter(|&count| count <= MAX_PICTURES)?;
    let damaged = number().filter(|&count| count <= MAX_PICTURES)?;
    let performed = number()?;
    let mut table = Vec::with_capacity(count as usize);
    for _ in 0..count {
        table.push((number()?, number()? != 0, number()? as usize));
    }
    let concealed = (0..damaged).map(|_| Some((number()?, number()?))).collect::<Option<_>>()?;
    let mut take = |length: usize| {
        let (head, tail) = rest.split_at_checked(length)?;
        rest = tail;
        Some(head.to_vec())
    };
    let extradata = take(extradata)?;
    let pictures = table
        .into_iter()
        .map(|(frame, is_key, length)| Some(EncodedPicture { frame, is_key, data: take(length)? }))
        .collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(EncodedChunk { extradata, reorder_depth, pictures, concealed, performed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> EncodedChunk {
        let picture = |frame, is_key, length| EncodedPicture { frame, is_key, data: vec![frame as u8; length] };
        EncodedChunk {
            extradata: vec![0, 0, 1, 0x67, 9],
            reorder_depth: 2,
            pictures: vec![picture(0, true, 40), picture(2, false, 7), picture(1, false, 0)],
            concealed: [(0, 7), (1, 70_000)].into(),
            performed: 3,
        }
    }

    #[test]
    fn a_chunk_survives_the_way_to_bytes_and_back() {
        assert_eq!(read(&write(&sample())), Some(sample()));
    }

    #[test]
    fn what_is_cut_or_of_another_version_is_none() {
        let bytes = write(&sample());
        for at in 0..bytes.len() {
            assert_eq!(read(&bytes[..at]), None, "cut at {at}");
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(read(&[b"RXCHUNK2", &bytes[8..]].concat()), None);
    }
}
