use super::Found;
use crate::deep::normalize::{HalfPrecision, Statistic, centred};
use crate::math::random::Stream;
use crate::math::sums::max;

/// Standard deviations from 10^−7 to 10^5, so many to a decade.
const DECADE: usize = 8;
/// What counts as right.
const TOLERANCE: f64 = 0.05;

/// The scale of the same numbers times σ, in half precision and in 64 bits, for every σ.
pub fn run(statistic: Statistic, n: usize, arithmetic: HalfPrecision, stream: &mut Stream) -> Found {
    let (numbers, factor) = (stream.normals(n), statistic.published(n));
    let sigma = |i: usize| 10f64.powf(i as f64 / DECADE as f64 - 7.0);
    let error = |i: usize| {
        let x: Vec<f32> = numbers.iter().map(|z| (sigma(i) * z) as f32).collect();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let mean = wide.iter().sum::<f64>() / n as f64;
        let exact = factor * statistic.value(&centred(&wide));
        let found = f64::from(arithmetic.square(statistic, factor as f32, &x, mean as f32)).sqrt();
        // 1 where it vanished or overflowed; the relative error where that is small.
        if found.is_finite() { (found - exact).abs() / found.max(exact) } else { 1.0 }
    };
    let errors: Vec<f64> = (0..=12 * DECADE).map(error).collect();
    let one = 7 * DECADE;
    let good = |i: &usize| errors[*i] < TOLERANCE;
    let ends = [(0..=one).rev().take_while(good).last(), (one..errors.len()).take_while(good).last()];
    let [first, last] = ends.map(|i| i.map_or(f64::NAN, sigma));
    let metrics = vec![
        ("first_scale", first),
        ("last_scale", last),
        ("error_at_one", errors[one]),
        ("error_inside", max(&errors[3 * DECADE..=11 * DECADE])),
    ];
    let row = |i: usize| (i as u64, [[f64::NAN; 4].to_vec(), vec![sigma(i), errors[i]]].concat());
    Found { metrics, trace: (0..errors.len()).map(row).collect(), steps: errors.len() as u64 - 1 }
}
