//! Walking a copied stack.

use framehop::{CacheNative, FrameAddress, MayAllocateDuringUnwind, Unwinder as _};

use super::{AddressSpace, Frame, Registers};
use crate::profile::symbols::careful;

/// The most frames that fit into the largest copy of a stack; whoever gets further runs in a circle.
const MOST_FRAMES: usize = 8192;

/// A copy of a stack's inner end, from where the stack pointer stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// What stood on the stack.
    pub bytes: Vec<u8>,
    /// Whether the copy is as long as was asked for: then the stack may go on behind it.
    pub full: bool,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// At the thread's root.
    Root,
    /// At the end of the copy; the stack goes on.
    CutOff,
    /// Somewhere: a table is missing, wrong, or asks for what framehop does not follow.
    Broken,
}

/// Walks stacks, and remembers the way from each address.
#[derive(Default)]
pub struct Unwinder {
    cache: CacheNative<MayAllocateDuringUnwind>,
}

impl Unwinder {
    /// The places in code that a thread was in and returns to, innermost first, and how the walk ended.
    pub fn walk(&mut self, space: &AddressSpace, registers: Registers, stack: &Stack) -> (Vec<Frame>, End) {
        let mut native = registers.native(space.usual.max_known_code_address());
        let mut beyond = false;
        let mut read = |address: u64| {
            let at = address.wrapping_sub(registers.stack);
            let word = usize::try_from(at).ok().and_then(|at| stack.bytes.get(at..)?.first_chunk());
            beyond |= word.is_none() && address >= registers.stack;
            word.map(|bytes| u64::from_ne_bytes(*bytes)).ok_or(())
        };
        let mut frames = Vec::new();
        let mut address = FrameAddress::from_instruction_pointer(registers.code);
        let mut end = End::Broken;
        while frames.len() < MOST_FRAMES {
            let lookup = address.address_for_lookup();
            let frame = space.locate(lookup);
            frames.push(frame);
            let unwinder = space.unwinder_at(lookup);
            // After a panic the walk is broken, and the cache is made anew.
            let next = careful(|| unwinder.unwind_frame(address, &mut native, &mut self.cache, &mut read));
            match next.map(|next| next.map(|next| next.map(returns))) {
                Some(Ok(Some(Some(next)))) => address = next,
                // Where nothing is known of the code, a zero frame pointer looks like the root and proves nothing.
                Some(Ok(None)) if frame != Frame::Unknown => {
                    end = End::Root;
                    break;
                }
                _ => break,
            }
        }
        if end == End::Broken && beyond && stack.full {
            end = End::CutOff;
        }
        if end != End::Root {
            // framehop remembers a guess where a table's rule could not be followed, and would guess again where it can.
            self.cache = CacheNative::default();
        }
        (frames, end)
    }
}

fn returns(address: u64) -> Option<FrameAddress> {
    FrameAddress::from_return_address(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_stack_ends_where_it_begins() {
        let registers = Registers::sampled(|_| Some(0x1000)).unwrap();
        let (frames, end) =
            Unwinder::default().walk(&AddressSpace::default(), registers, &Stack { bytes: vec![], full: false });
        assert_eq!((frames, end), (vec![Frame::Unknown], End::Broken));
    }

    #[test]
    fn a_copy_that_ends_too_early_is_told_from_a_walk_that_went_wrong() {
        let registers = Registers::sampled(|_| Some(0x1000)).unwrap();
        let walk = |full| {
            let stack = Stack { bytes: vec![0x20; 16], full };
            Unwinder::default().walk(&AddressSpace::default(), registers, &stack).1
        };
        assert_eq!((walk(true), walk(false)), (End::CutOff, End::Broken));
    }
}
