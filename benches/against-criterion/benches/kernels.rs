//! The kernels under criterion, with its defaults.

use against_criterion::KERNELS;
use criterion::{Criterion, criterion_group, criterion_main};

fn kernels(criterion: &mut Criterion) {
    for kernel in KERNELS {
        let mut work = (kernel.setup)();
        let mut index = 0;
        criterion.bench_function(kernel.name, |bencher| {
            bencher.iter(|| {
                index += 1;
                work(index)
            });
        });
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
