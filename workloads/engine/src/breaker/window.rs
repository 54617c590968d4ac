//! The latencies of recent calls, and from which one on a call counts as slow.
//!
//! A ring rather than a moving average: the spikes that are to be found would drag an average along, while the median stays
//! where it is as long as fewer than half of the calls are slow; and the ring knows exactly how many were.

use crate::atomic::AtomicU32;
use crate::atomic::Ordering::Relaxed;

/// What counts as slow, and how much of it is too much. Latencies in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// A call is slow above so many times the median.
    pub(super) factor: u32,
    /// Nothing below is slow, however quick the others are.
    pub(super) floor: u32,
    /// Everything above is slow, however slow the others are. Holds alone until enough calls are known.
    pub(super) ceiling: u32,
    /// So many slow calls in the window are too many.
    pub(super) slow: usize,
}

/// The last `N` latencies, `N` a power of two. Threads record without waiting for each other. What is read meanwhile may be
/// a mixture of rounds, which for a median of recent calls is as good.
pub(super) struct Window<const N: usize> {
    limits: Limits,
    /// Nanoseconds, at most the 4.3 s that fit; 0 where there is none yet.
    latencies: [AtomicU32; N],
    /// How many were recorded; wraps around, which a power of two goes through without a jump.
    recorded: AtomicU32,
    threshold: AtomicU32,
}

impl<const N: usize> Window<N> {
    /// How often the threshold follows the median: twice per window.
    const PERIOD: u32 = (N / 2) as u32;

    pub(super) fn empty(limits: Limits) -> Self {
        let latencies = std::array::from_fn(|_| AtomicU32::new(0));
        Self { limits, latencies, recorded: AtomicU32::new(0), threshold: AtomicU32::new(limits.ceiling) }
    }

    /// Records a latency, in nanoseconds; whether it is slow and there are too many such now.
    #[inline]
    pub(super) fn record(&self, latency: u64) -> bool {
        let latency = u32::try_from(latency).unwrap_or(u32::MAX).max(1);
        let number = self.recorded.fetch_add(1, Relaxed);
        self.latencies[number as usize % N].store(latency, Relaxed);
        if number % Self::PERIOD == Self::PERIOD - 1 {
            self.adapt();
        }
        let threshold = self.threshold.load(Relaxed);
        latency > threshold && self.slower_than(threshold) >= self.limits.slow
    }

    /// Whether a probe that took so many nanoseconds was too slow. Only the ceiling decides: a service that has become slower
    /// for good must be let in, for the threshold to learn it.
    pub(super) fn is_beyond(&self, latency: u64) -> bool {
        latency > u64::from(self.limits.ceiling)
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.latencies.iter().for_each(|latency| latency.store(0, Relaxed));
        self.threshold.store(self.limits.ceiling, Relaxed);
    }

    #[cold]
    fn slower_than(&self, threshold: u32) -> usize {
        self.latencies.iter().filter(|latency| latency.load(Relaxed) > threshold).count()
    }

    /// Sets the threshold by the median, once a quarter of the window is filled.
    #[cold]
    fn adapt(&self) {
        let mut known = [0; N];
        let mut count = 0;
        for latency in self.latencies.iter().map(|latency| latency.load(Relaxed)).filter(|&latency| latency > 0) {
            known[count] = latency;
            count += 1;
        }
        if count < N.div_ceil(4) {
            return;
        }
        let (_, &mut median, _) = known[..count].select_nth_unstable(count / 2);
        let Limits { factor, floor, ceiling, .. } = self.limits;
        self.threshold.store(median.saturating_mul(factor).clamp(floor, ceiling), Relaxed);
    }

    /// Nanoseconds above which a call is slow now.
    #[cfg(test)]
    pub(super) fn threshold(&self) -> u32 {
        self.threshold.load(Relaxed)
    }
}
