//! Least squares as weights on the observations, and how well a sum is known whose parts have known errors.

use super::interval::Estimate;
use super::student::normal_point;

/// What counts as zero, relative to the largest entry: designs are made of ones and zeros, so what is singular is so exactly.
const NOTHING: f64 = 1e-9;

/// For each combination of coefficients in `wanted`, the weights with which the observations sum up to its ordinary
/// least-squares estimate; `None` where the design can't tell that combination from others.
///
/// `design` has a row per observation and a column per coefficient, `wanted` a row per combination and the same columns; the
/// weights come in the order of the observations. A combination l is estimable when l = X'w for some w; of these the one with
/// the smallest sum of squares is X (X'X)^- l, whatever generalised inverse is taken (Searle 1971, Linear Models, 5.4).
#[must_use]
pub fn least_squares(design: &[Vec<f64>], wanted: &[Vec<f64>]) -> Vec<Option<Vec<f64>>> {
    let columns = design.first().map_or(0, Vec::len);
    let products = |i: usize, j: usize| design.iter().map(|row| row[i] * row[j]).sum::<f64>();
    let rows = (0..columns).map(|i| {
        let normal = (0..columns).map(|j| products(i, j));
        normal.chain(wanted.iter().map(|combination| combination[i])).collect()
    });
    let mut system: Vec<Vec<f64>> = rows.collect();
    let pivots = eliminate(&mut system, columns);
    let each = wanted.iter().enumerate().map(|(at, combination)| {
        let mut solution = vec![0.0; columns];
        pivots.iter().enumerate().for_each(|(row, column)| solution[*column] = system[row][columns + at]);
        let weights: Vec<f64> = design.iter().map(|row| dot(row, &solution)).collect();
        let told = |column: usize| design.iter().zip(&weights).map(|(row, weight)| row[column] * weight).sum::<f64>();
        let estimable = (0..columns).all(|column| (told(column) - combination[column]).abs() < 1e-6);
        estimable.then_some(weights)
    });
    each.collect()
}

/// Gauss and Jordan: reduces the first `columns` columns to a unit matrix as far as they are independent, and returns the
/// column that each of the leading rows stands for.
fn eliminate(system: &mut [Vec<f64>], columns: usize) -> Vec<usize> {
    let largest = system.iter().flat_map(|row| &row[..columns]).fold(0.0_f64, |most, x| most.max(x.abs()));
    let mut pivots = Vec::new();
    for column in 0..columns {
        let row = pivots.len();
        let best = (row..system.len()).max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs()));
        let Some(best) = best.filter(|best| system[*best][column].abs() > NOTHING * largest) else { continue };
        system.swap(row, best);
        let divisor = system[row][column];
        system[row].iter_mut().for_each(|x| *x /= divisor);
        let leading = system[row].clone();
        for (_, other) in system.iter_mut().enumerate().filter(|(at, other)| *at != row && other[column] != 0.0) {
            let factor = other[column];
            other.iter_mut().zip(&leading).for_each(|(x, lead)| *x -= factor * lead);
        }
        pivots.push(column);
    }
    pivots
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The standard error behind an interval that misses the truth with chance `alpha` and was made from a distribution near to a
/// normal one: half its length over the normal quantile. Of an interval from few values, which is longer, it makes the error
/// too large rather than too small.
#[must_use]
pub fn standard_error(low: f64, high: f64, alpha: f64) -> f64 {
    0.5 * (high - low) / normal_point(0.5 * alpha)
}

/// The interval of a mean whose standard error is known, from `n` values, that misses the truth with chance `alpha`.
#[must_use]
pub fn normal_interval(mean: f64, se: f64, n: usize, alpha: f64) -> Estimate {
    Estimate::student(mean, se, f64::INFINITY, n, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn the_weights_of_a_straight_line_are_the_textbooks() {
        // Slope through x = 0, 1, 2, 3: (x - 1.5) / 5.
        let design: Vec<Vec<f64>> = (0..4).map(|x| vec![1.0, f64::from(x)]).collect();
        let found = least_squares(&design, &[vec![0.0, 1.0], vec![1.0, 1.5]]);
        assert!(close(found[0].as_ref().unwrap(), &[-0.3, -0.1, 0.1, 0.3]), "{found:?}");
        assert!(close(found[1].as_ref().unwrap(), &[0.25; 4]), "{found:?}");
    }

    #[test]
    fn what_two_columns_share_can_be_told_and_their_parts_cannot() {
        // Coefficients b and c are always seen together.
        let design = vec![vec![1.0, 0.0, 0.0], vec![1.0, 1.0, 1.0]];
        let found = least_squares(&design, &[vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0], vec![0.0, 1.0, 1.0]]);
        assert_eq!((&found[0], &found[1]), (&None, &None));
        assert!(close(found[2].as_ref().unwrap(), &[-1.0, 1.0]));
    }

    #[test]
    fn data_without_noise_give_back_what_they_were_made_of() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let columns = rng.usize(1..8);
            let truth: Vec<f64> = (0..columns).map(|_| rng.f64() - 0.5).collect();
            let row = |rng: &mut fastrand::Rng| (0..columns).map(|_| f64::from(u8::from(rng.bool()))).collect();
            let design: Vec<Vec<f64>> = (0..rng.usize(1..30)).map(|_| row(&mut rng)).collect();
            let values: Vec<f64> = design.iter().map(|row| dot(row, &truth)).collect();
            let unit = |at: usize| (0..columns).map(|column| f64::from(u8::from(column == at))).collect();
            let wanted: Vec<Vec<f64>> = (0..columns).map(unit).collect();
            for (at, weights) in least_squares(&design, &wanted).iter().enumerate() {
                let Some(weights) = weights else { continue };
                assert!((dot(weights, &values) - truth[at]).abs() < 1e-6, "{at} of {truth:?} from {design:?}");
            }
        }
    }

    #[test]
    fn an_interval_and_its_standard_error_are_two_ways_to_say_the_same() {
        for alpha in [0.5, 0.05, 1e-3, 1e-9] {
            let interval = normal_interval(0.3, 0.02, 40, alpha);
            assert!((standard_error(interval.low, interval.high, alpha) - 0.02).abs() < 1e-12);
        }
        assert!((normal_interval(0.0, 1.0, 2, 0.05).high - 1.959_963_984_540_054).abs() < 1e-9);
        assert_eq!(normal_interval(0.5, 0.0, 2, 0.05).half_width(), 0.0);
    }
}
