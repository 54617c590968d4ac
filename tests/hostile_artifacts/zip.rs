//! Archives made by hand: no writer makes bad ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

pub(crate) const STORED: u16 = 0;
pub(crate) const DEFLATED: u16 = 8;
/// The flag of an entry whose sizes are told behind its data.
pub(crate) const SIZES_LATER: u16 = 1 << 3;
/// What Unix says of a plain file, where archives have it.
pub(crate) const PLAIN_FILE: u32 = 0o100_644 << 16;

/// What a header says of an entry: its own, or the directory's.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) checksum: u32,
    pub(crate) packed: u32,
    pub(crate) size: u32,
    pub(crate) extra: Vec<u8>,
}

/// An entry, with all that can be said wrongly of it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) own: Header,
    pub(crate) listed: Header,
    pub(crate) data: Vec<u8>,
    pub(crate) attributes: u32,
    /// Where the directory says that it is; `None` where it is there.
    pub(crate) offset: Option<u32>,
}

impl Entry {
    /// A file as it is, and as well packed as it can be.
    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        Self::packed(name, DEFLATED, content, encoder.finish().unwrap())
    }

    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        Self::packed(name, STORED, content, content.to_vec())
    }

    fn packed(name: &str, method: u16, content: &[u8], data: Vec<u8>) -> Self {
        let header = Header {
            name: name.as_bytes().to_vec(),
            flags: 0,
            method,
            checksum: rawzip::crc32(content),
            packed: u32::try_from(data.len()).unwrap(),
            size: u32::try_from(content.len()).unwrap(),
            extra: Vec::new(),
        };
        Self { own: header.clone(), listed: header, data, attributes: PLAIN_FILE, offset: None }
    }

    /// The same with both headers changed alike.
    pub(crate) fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.own);
        change(&mut self.listed);
        self
    }

    /// The same with only the directory's word changed.
    pub(crate) fn listed(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.listed);
        self
    }
}

/// The parts of an archive, to be put together wrongly.
#[derive(Clone)]
pub(crate) struct Archive {
    pub(crate) entries: Vec<u8>,
    pub(crate) directory: Vec<u8>,
    pub(crate) count: u16,
    pub(crate) comment: Vec<u8>,
    /// What lies between the directory and the record of the end.
    pub(crate) between: Vec<u8>,
}

impl Archive {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let (mut written, mut directory) = (Vec::new(), Vec::new());
        for entry in entries {
            let here = u32::try_from(written.len()).unwrap();
            written.extend(own(&entry.own));
            written.extend(&entry.data);
            if entry.own.flags & SIZES_LATER != 0 {
                let Header { checksum, packed, size, .. } = entry.listed;
                written.extend(b"PK\x07\x08");
                [checksum, packed, size].iter().for_each(|value| written.extend(value.to_le_bytes()));
            }
            directory.extend(listed(entry, entry.offset.unwrap_or(here)));
        }
        let count = u16::try_from(entries.len()).unwrap();
        Self { entries: written, directory, count, comment: Vec::new(), between: Vec::new() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&*self.entries, &*self.directory, &*self.between].concat();
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        [self.count, self.count].iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        let (size, at) = (self.directory.len() + self.between.len(), self.entries.len());
        [size, at].iter().for_each(|value| bytes.extend(u32::try_from(*value).unwrap().to_le_bytes()));
        bytes.extend(u16::try_from(self.comment.len()).unwrap().to_le_bytes());
        bytes.extend(&self.comment);
        bytes
    }
}

fn own(header: &Header) -> Vec<u8> {
    let later = header.flags & SIZES_LATER != 0;
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend(told(header, later));
    bytes.extend(&header.name);
    bytes.extend(&header.extra);
    bytes
}

fn listed(entry: &Entry, offset: u32) -> Vec<u8> {
    // Made by version 2.0 on Unix.
    let mut bytes = b"PK\x01\x02\x14\x03\x14\0".to_vec();
    bytes.extend(told(&entry.listed, false));
    bytes.extend([0; 6]);
    bytes.extend(entry.attributes.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend(&entry.listed.name);
    bytes.extend(&entry.listed.extra);
    bytes
}

/// What both kinds of headers have: from the flags on to the lengths of what follows.
fn told(header: &Header, later: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    [header.flags, header.method, 0, 0x5821].iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    let sizes = if later { [0; 3] } else { [header.checksum, header.packed, header.size] };
    sizes.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    let lengths = [header.name.len(), header.extra.len()];
    lengths.iter().for_each(|value| bytes.extend(u16::try_from(*value).unwrap().to_le_bytes()));
    bytes
}

/// An archive of these entries.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    Archive::of(entries).bytes()
}
