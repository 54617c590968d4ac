//! What an engine asks of its allocator: small and short-lived, mixed and long-lived, growing, and freed by another thread.
//!
//! There is no before and after here: the program's allocator and its settings are what differs, from variant to variant.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use perfplan_harness::{Size, Suite, amount};

use crate::tape::{Random, Tape};

const OPERATIONS: usize = amount(100);

/// Parcels of one hand-over. Waking the other thread costs some tens of microseconds, which has to be little beside the work.
const PARCELS: usize = amount(2_000);

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("allocation/orders", orders)
        .about("100 orders of two to four strings and vectors each are decoded, 16 alive at a time")
        .operations(OPERATIONS as u64);
    suite
        .case("allocation/lifetimes", lifetimes)
        .about("100 of thousands of long-lived buffers of 16 bytes to 8 KB are replaced by buffers of other sizes")
        .operations(OPERATIONS as u64);
    suite
        .case("allocation/growth", growth)
        .about("100 vectors grow from nothing to 16 bytes to 8 KB, word by word")
        .operations(OPERATIONS as u64);
    suite
        .case("allocation/handover", handover)
        .about("2000 buffers of 16 bytes to 8 KB are made in one thread and freed in another")
        .operations(PARCELS as u64)
        .threads(2);
}

/// Bytes from 16 to 8 KB, each power of two as likely as any other.
fn bytes(random: &mut Random) -> usize {
    let order = 4 + random.below(9);
    (1 << order) + random.below(1 << order) as usize
}

/// A buffer of so many bytes, written at both ends.
fn filled(bytes: usize, mark: u8) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(bytes);
    buffer.extend_from_slice(&[mark; 16]);
    buffer.resize(bytes, 0);
    buffer[bytes - 1] = mark;
    buffer
}

/// Both ends, so that a mixed-up buffer shows.
fn ends(buffer: &[u8]) -> u64 {
    let end = |byte: Option<&u8>| byte.map_or(0, |&byte| u64::from(byte));
    end(buffer.first()) << 32 | end(buffer.last()) << 24 | buffer.len() as u64
}

/// An order as it comes: text that is decoded.
struct Wire {
    client: String,
    instrument: String,
    legs: usize,
    note: Option<String>,
    /// The place among those alive that it takes.
    place: u8,
}

impl Wire {
    fn random(random: &mut Random) -> Self {
        let note = (random.below(4) == 0).then(|| 64 + random.below(448));
        Self {
            client: text(random, 8, 40),
            instrument: text(random, 4, 12),
            legs: 1 + random.below(8) as usize,
            note: note.map(|length| text(random, length, length + 1)),
            place: random.below(16) as u8,
        }
    }
}

fn text(random: &mut Random, shortest: u32, longest: u32) -> String {
    let length = shortest + random.below(longest - shortest);
    (0..length).map(|_| char::from(b'A' + random.below(26) as u8)).collect()
}

/// An order that owns all it consists of.
struct Order {
    client: String,
    instrument: String,
    legs: Vec<[u64; 2]>,
    note: Option<String>,
}

impl Order {
    #[inline(never)]
    fn decode(wire: &Wire) -> Self {
        let legs = (0..wire.legs as u64).map(|leg| [leg, leg + wire.client.len() as u64]).collect();
        Self { client: wire.client.clone(), instrument: wire.instrument.clone(), legs, note: wire.note.clone() }
    }

    fn digest(&self) -> u64 {
        let legs = self.legs.last().map_or(0, |leg| leg[0] + leg[1]);
        let note = self.note.as_ref().map_or(0, |note| ends(note.as_bytes()));
        ends(self.client.as_bytes()) ^ ends(self.instrument.as_bytes()).rotate_left(16) ^ legs << 48 ^ note << 8
    }
}

fn orders(size: Size) -> impl FnMut(u64) -> u64 {
    let wires = Tape::record(size.pick(512, 2_048, 16_384), 28, Wire::random);
    move |index| {
        let mut alive: [Option<Order>; 16] = [const { None }; 16];
        let mut sum = 0_u64;
        for wire in wires.window(index, OPERATIONS) {
            let left = alive[usize::from(wire.place)].replace(Order::decode(wire));
            sum = sum.rotate_left(3).wrapping_add(left.map_or(1, |order| order.digest()));
        }
        sum
    }
}

/// A buffer that is to be.
struct Wanted {
    bytes: usize,
    mark: u8,
    place: u32,
}

fn wanted(size: Size, places: u32) -> Tape<Wanted> {
    Tape::record(size.pick(2_048, 16_384, 65_536), 29, |random| Wanted {
        bytes: bytes(random),
        mark: random.word() as u8,
        place: random.below(places),
    })
}

/// The buffers stay from one iteration to the next, and the heap grows old as in a program that runs for days. So a result
/// tells of the buffers that came, not of those that went.
fn lifetimes(size: Size) -> impl FnMut(u64) -> u64 {
    let places: u32 = size.pick(256, 4_096, 65_536);
    let wanted = wanted(size, places);
    let mut random = Random::seeded(30);
    let mut buffers: Vec<Vec<u8>> = (0..places).map(|_| filled(bytes(&mut random), 0)).collect();
    move |index| {
        let mut sum = 0_u64;
        for wanted in wanted.window(index, OPERATIONS) {
            let buffer = &mut buffers[wanted.place as usize];
            *buffer = filled(wanted.bytes, wanted.mark);
            sum = sum.rotate_left(3).wrapping_add(ends(buffer));
        }
        sum
    }
}

fn growth(size: Size) -> impl FnMut(u64) -> u64 {
    let wanted = wanted(size, 1);
    move |index| {
        let mut sum = 0_u64;
        for wanted in wanted.window(index, OPERATIONS) {
            let mut words = Vec::new();
            for word in 0..wanted.bytes as u64 / 8 {
                words.push(word ^ u64::from(wanted.mark));
            }
            sum = sum.rotate_left(3).wrapping_add(words.last().map_or(0, |&last| last << 16 | words.len() as u64));
        }
        sum
    }
}

/// A thread that reads and frees what it is given.
struct Reader {
    parcels: Option<SyncSender<Vec<Vec<u8>>>>,
    /// The sum of what was read, and the empty vector to be used again.
    answers: Receiver<(u64, Vec<Vec<u8>>)>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start() -> Self {
        let (parcels, incoming) = mpsc::sync_channel::<Vec<Vec<u8>>>(1);
        let (outgoing, answers) = mpsc::sync_channel(1);
        let thread = thread::spawn(move || {
            for mut parcels in incoming {
                let sum = parcels.drain(..).fold(0_u64, |sum, parcel| sum.rotate_left(3).wrapping_add(ends(&parcel)));
                if outgoing.send((sum, parcels)).is_err() {
                    return;
                }
            }
        });
        Self { parcels: Some(parcels), answers, thread: Some(thread) }
    }

    /// Hands all over, and waits until they are read and freed.
    ///
    /// # Panics
    /// Where the thread has panicked.
    fn read(&self, parcels: Vec<Vec<u8>>) -> (u64, Vec<Vec<u8>>) {
        let sent = self.parcels.as_ref().is_some_and(|thread| thread.send(parcels).is_ok());
        match self.answers.recv() {
            Ok(answer) if sent => answer,
            _ => panic!("the reading thread has ended; its message stands above"),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // The thread ends when nobody can send any more.
        self.parcels = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told by `read` already.
            let _ = thread.join();
        }
    }
}

fn handover(size: Size) -> impl FnMut(u64) -> u64 {
    let wanted = wanted(size, 1);
    let (reader, mut parcels) = (Reader::start(), Vec::with_capacity(PARCELS));
    move |index| {
        parcels.extend(wanted.window(index, PARCELS).map(|wanted| filled(wanted.bytes, wanted.mark)));
        let (sum, empty) = reader.read(std::mem::take(&mut parcels));
        parcels = empty;
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn sizes_spread_over_all_powers_of_two() {
        let mut random = Random::seeded(31);
        let mut counts = [0; 16];
        for _ in 0..9_000 {
            counts[bytes(&mut random).ilog2() as usize] += 1;
        }
        assert!(counts[4..13].iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        assert_eq!(counts.iter().sum::<u32>() - counts[4..13].iter().sum::<u32>(), 0);
    }

    #[test]
    fn an_order_owns_what_its_wire_said() {
        let wire = Wire { client: "C".into(), instrument: "I".into(), legs: 3, note: Some("N".into()), place: 0 };
        let order = Order::decode(&wire);
        assert_eq!((order.client.as_str(), order.instrument.as_str(), order.note.as_deref()), ("C", "I", Some("N")));
        assert_eq!(order.legs, [[0, 1], [1, 2], [2, 3]]);
        let other = |change: fn(&mut Order)| {
            let mut order = Order::decode(&wire);
            change(&mut order);
            order.digest()
        };
        let changed = [
            other(|order| order.client.push('x')),
            other(|order| order.instrument.push('x')),
            other(|order| order.legs.clear()),
            other(|order| order.note = None),
        ];
        assert!(!changed.contains(&order.digest()));
    }

    #[test]
    fn the_reader_sees_every_parcel_frees_it_and_ends_with_its_owner() {
        let reader = Reader::start();
        let (sum, empty) = reader.read(vec![filled(16, 1), filled(100, 2)]);
        assert_eq!(sum, ends(&[1; 16]).rotate_left(3).wrapping_add(ends(&filled(100, 2))));
        assert!(empty.is_empty() && empty.capacity() >= 2);
        assert_ne!(sum, reader.read(vec![filled(16, 1), filled(101, 2)]).0);
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(orders);
        contract::results_depend_on_the_index_alone(lifetimes);
        contract::results_depend_on_the_index_alone(growth);
        contract::results_depend_on_the_index_alone(handover);
    }
}
