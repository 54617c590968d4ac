//! The hand-over between threads: a bounded lock-free ring.

use crossbeam_queue::ArrayQueue;
use perfplan_harness::{Size, Suite, amount};

use crate::tape::Tape;

const OPERATIONS: usize = amount(200);

/// Places in every ring of the engine, as the plan sets it.
pub(crate) const RING: usize = 1_024;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("ultra_low_latency/single_enqueue_dequeue", enqueue_dequeue)
        .about("an iteration is 200 operations: a message is put into a lock-free ring of 1024 and taken out again")
        .operations(OPERATIONS as u64);
}

/// What is handed over.
#[derive(Clone, Copy, Debug)]
struct Message {
    id: u64,
    quantity: u64,
}

fn enqueue_dequeue(size: Size) -> impl FnMut(u64) -> u64 {
    let messages = Tape::record(size.pick(256, 1_024, 65_536), 10, |random| Message {
        id: random.word(),
        quantity: u64::from(random.below(1_000)),
    });
    let ring = ArrayQueue::new(RING);
    move |index| {
        let mut sum = 0_u64;
        for message in messages.window(index, OPERATIONS) {
            // The ring is empty, so there is room; were there none, the sum would tell.
            let refused = ring.push(*message).is_err();
            if let Some(taken) = ring.pop() {
                sum = sum.rotate_left(1).wrapping_add(taken.id ^ taken.quantity ^ u64::from(refused));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(enqueue_dequeue);
    }
}
