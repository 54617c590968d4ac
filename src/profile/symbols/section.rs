//! The bytes of sections.

use std::borrow::Cow;
use std::io::Read;
use std::ops::{Deref, Range};
use std::sync::Arc;

use flate2::read::ZlibDecoder;
use object::{CompressionFormat, Object, ObjectSection};

use super::Image;

/// The most that a section is unpacked to, bytes: more is a damaged header.
const MOST_UNPACKED: u64 = 16 << 30;

/// A section's bytes, in the image that they belong to or unpacked from it.
#[derive(Clone, Debug)]
pub enum Bytes {
    /// As they are in the file.
    Part(Arc<Image>, Range<usize>),
    /// Unpacked.
    Unpacked(Arc<[u8]>),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Unpacked(Arc::default())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Part(image, range) => &image.data()[range.clone()],
            Self::Unpacked(bytes) => bytes,
        }
    }
}

impl Image {
    /// The bytes of a section, unpacked; `None` where it is missing, empty, or packed in a way that is not known.
    #[must_use]
    pub fn section(self: &Arc<Self>, name: &str) -> Option<Bytes> {
        let object = self.object()?;
        let section = object.section_by_name(name)?;
        let range = section.compressed_file_range().ok().filter(|range| range.uncompressed_size > 0)?;
        if range.format != CompressionFormat::None {
            return Some(Bytes::Unpacked(unpacked(&section)?.into()));
        }
        let start = usize::try_from(range.offset).ok()?;
        let end = start.checked_add(usize::try_from(range.compressed_size).ok()?)?;
        self.data().get(start..end)?;
        Some(Bytes::Part(Arc::clone(self), start..end))
    }
}

/// A section's bytes: borrowed where they are not packed, empty where they can't be had.
pub(super) fn content<'data>(object: &object::File<'data>, name: &str) -> Cow<'data, [u8]> {
    let Some(section) = object.section_by_name(name) else { return Cow::default() };
    match section.compressed_data() {
        Ok(data) if data.format == CompressionFormat::None => Cow::Borrowed(data.data),
        _ => unpacked(&section).map(Cow::Owned).unwrap_or_default(),
    }
}

fn unpacked<'data>(section: &impl ObjectSection<'data>) -> Option<Vec<u8>> {
    let data = section.compressed_data().ok()?;
    if data.format != CompressionFormat::Zlib || data.uncompressed_size > MOST_UNPACKED {
        return None;
    }
    let mut bytes = Vec::new();
    ZlibDecoder::new(data.data).take(data.uncompressed_size).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == data.uncompressed_size).then_some(bytes)
}
