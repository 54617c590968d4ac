//! Memory of the system's allocator, and the table of call stacks in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use crate::Checksum;
use crate::protocol::Site;

/// An array that grows, of plain values.
struct Array<T: Copy> {
    start: *mut T,
    len: usize,
    room: usize,
}

// SAFETY: it owns its memory as a vector does.
unsafe impl<T: Copy + Send> Send for Array<T> {}

impl<T: Copy> Array<T> {
    const fn new() -> Self {
        Self { start: ptr::null_mut(), len: 0, room: 0 }
    }

    /// `len` times the same value; `None` without memory.
    fn filled(value: T, len: usize) -> Option<Self> {
        let mut array = Self::new();
        array.reserve(len)?;
        // SAFETY: there is room for so many, and plain values need no dropping.
        (0..len).for_each(|at| unsafe { array.start.add(at).write(value) });
        array.len = len;
        Some(array)
    }

    /// Makes room for so many more; `None` without memory, and nothing has changed.
    fn reserve(&mut self, more: usize) -> Option<()> {
        let needed = self.len.checked_add(more)?;
        if needed <= self.room {
            return Some(());
        }
        let room = needed.max(2 * self.room).max(64);
        let layout = Layout::array::<T>(room).ok()?;
        // SAFETY: the size is not zero, since no `T` here is of size zero; what is grown came from here, with that layout.
        let start = unsafe {
            match Layout::array::<T>(self.room) {
                Ok(before) if self.room > 0 => System.realloc(self.start.cast(), before, layout.size()),
                _ => System.alloc(layout),
            }
        };
        if start.is_null() {
            return None;
        }
        (self.start, self.room) = (start.cast(), room);
        Some(())
    }

    /// Adds values at the end; `None` without memory.
    fn extend(&mut self, values: &[T]) -> Option<()> {
        self.reserve(values.len())?;
        // SAFETY: there is room for so many, and a slice given cannot lie in memory that this owns alone.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.start.add(self.len), values.len()) };
        self.len += values.len();
        Some(())
    }

    fn as_slice(&self) -> &[T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: so many values were written there.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: as above, and it is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl<T: Copy> Drop for Array<T> {
    fn drop(&mut self) {
        if let Ok(layout) = Layout::array::<T>(self.room)
            && self.room > 0
        {
            // SAFETY: this came from here, with that layout.
            unsafe { System.dealloc(self.start.cast(), layout) };
        }
    }
}

/// One call stack and what was allocated through it.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    calls: u64,
    bytes: u64,
    /// Where its addresses begin among all.
    begin: usize,
    depth: usize,
}

/// Call stacks, each once: open addressing, at most half full.
pub(super) struct Table {
    addresses: Array<u64>,
    entries: Array<Entry>,
    /// Numbers of entries from 1, by hash; 0 is free. Its length is a power of two.
    index: Array<u32>,
    lost: u64,
}

impl Table {
    pub(super) const fn new() -> Self {
        Self { addresses: Array::new(), entries: Array::new(), index: Array::new(), lost: 0 }
    }

    /// How many allocations there was no memory for.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// The `most` stacks with the most bytes, in no particular order. Others are summed up in one site without a stack.
    pub(super) fn sites(&self, most: usize) -> Vec<Site> {
        let mut entries: Vec<&Entry> = self.entries.as_slice().iter().collect();
        entries.sort_unstable_by(|a, b| (b.bytes, b.calls, self.stack(b)).cmp(&(a.bytes, a.calls, self.stack(a))));
        let (largest, others) = entries.split_at(most.min(entries.len()));
        let mut sites: Vec<Site> = largest.iter().map(|entry| self.site(entry)).collect();
        if !others.is_empty() {
            let sum = |of: fn(&Entry) -> u64| others.iter().map(|entry| of(entry)).fold(0, u64::saturating_add);
            sites.push(Site { calls: sum(|entry| entry.calls), bytes: sum(|entry| entry.bytes), stack: Vec::new() });
        }
        sites
    }

    fn site(&self, entry: &Entry) -> Site {
        Site { calls: entry.calls, bytes: entry.bytes, stack: self.stack(entry).to_vec() }
    }

    /// One more allocation through this stack.
    pub(super) fn note(&mut self, stack: &[u64], bytes: u64) {
        match self.place(stack) {
            Some(at) => {
                let entry = &mut self.entries.as_mut_slice()[at];
                entry.calls += 1;
                entry.bytes += bytes;
            }
            None => self.lost += 1,
        }
    }

    fn stack(&self, entry: &Entry) -> &[u64] {
        &self.addresses.as_slice()[entry.begin..entry.begin + entry.depth]
    }

    /// Where the stack's entry is, a new one if there was none; `None` without memory.
    fn place(&mut self, stack: &[u64]) -> Option<usize> {
        if 2 * (self.entries.len + 1) > self.index.len {
            self.widen()?;
        }
        let hash = hash(stack);
        let mut slot = self.slot(hash);
        loop {
            let number = self.index.as_slice()[slot];
            let Some(at) = (number as usize).checked_sub(1) else { break };
            let entry = self.entries.as_slice()[at];
            if entry.hash == hash && self.stack(&entry) == stack {
                return Some(at);
            }
            slot = (slot + 1) % self.index.len;
        }
        let entry = Entry { hash, calls: 0, bytes: 0, begin: self.addresses.len, depth: stack.len() };
        self.addresses.extend(stack)?;
        self.entries.extend(&[entry])?;
        self.index.as_mut_slice()[slot] = u32::try_from(self.entries.len).ok()?;
        Some(self.entries.len - 1)
    }

    /// The slot that a hash belongs to; the high bits are the good ones.
    fn slot(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.index.len - 1)
    }

    /// Doubles the index.
    fn widen(&mut self) -> Option<()> {
        self.index = Array::filled(0, (2 * self.index.len).max(1024))?;
        for at in 0..self.entries.len {
            let mut slot = self.slot(self.entries.as_slice()[at].hash);
            while self.index.as_slice()[slot] != 0 {
                slot = (slot + 1) % self.index.len;
            }
            self.index.as_mut_slice()[slot] = u32::try_from(at + 1).ok()?;
        }
        Some(())
    }
}

fn hash(stack: &[u64]) -> u64 {
    let mut checksum = Checksum::default();
    stack.iter().for_each(|address| checksum.add(*address));
    checksum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stack_stands_once_with_its_sums_however_many_there_are() {
        let mut table = Table::new();
        for round in 1..=3 {
            for stack in 0..5_000_u64 {
                table.note(&[stack % 7, stack, 42][..(stack % 3 + 1) as usize], round);
            }
        }
        let sites = table.sites(usize::MAX);
        // Of each three stacks one is only its number modulo 7: seven of those.
        assert_eq!(sites.len(), 5_000 - 5_000_usize.div_ceil(3) + 7);
        assert_eq!(sites.iter().map(|site| site.calls).sum::<u64>(), 15_000);
        assert_eq!(sites.iter().map(|site| site.bytes).sum::<u64>(), 30_000);
        assert!(sites.contains(&Site { calls: 3, bytes: 6, stack: vec![4_997 % 7, 4_997, 42] }));
        assert_eq!(table.lost(), 0);
    }

    #[test]
    fn an_empty_stack_is_a_stack() {
        let mut table = Table::new();
        table.note(&[], 8);
        table.note(&[], 8);
        assert_eq!(table.sites(1), [Site { calls: 2, bytes: 16, stack: vec![] }]);
    }

    #[test]
    fn beyond_the_most_the_largest_stand_alone_and_the_others_are_one() {
        let mut table = Table::new();
        for stack in 1..=1_000_u64 {
            table.note(&[stack, 42], stack);
        }
        let sites = table.sites(10);
        let largest: Vec<u64> = sites[..10].iter().map(|site| site.bytes).collect();
        assert_eq!(largest, (991..=1_000).rev().collect::<Vec<_>>());
        assert_eq!(sites[10..], [Site { calls: 990, bytes: 990 * 991 / 2, stack: vec![] }]);
        assert_eq!(table.sites(1_000).len(), 1_000, "as many as may be need no sum");
    }
}
