//! What rounding keeps: the mean, and zero.

use super::Found;
use crate::deep::quantize::Affine;
use crate::math::random::Stream;

/// Numbers over the values' range, rounded to nearest and `draws` times at random; and a sum of `draws` numbers of a tenth of a step.
pub fn stochastic(bits: u32, draws: usize, stream: &mut Stream) -> Found {
    let grid = Affine::of_range(-1.0, 1.0, bits);
    let step = f64::from(grid.scale);
    let mut average = |x: f32| {
        let mut one = || f64::from(grid.dequantize(grid.quantize_stochastically(x, stream.uniform() as f32)));
        (0..draws).map(|_| one()).sum::<f64>() / draws as f64
    };
    let mut errors = 0f64;
    let row = |i: i32| {
        // Inside the range of the values, which differs from [−1, 1] by up to half a step, and never on a value.
        let [low, high] = [0, grid.top()].map(|q| grid.dequantize(q));
        let x = low + (high - low) * (i as f32 + 0.3) / 97.0;
        let steps = f64::from(x) / step;
        let part = steps - steps.floor();
        let found = average(x) / step - steps;
        errors = errors.max(found.abs() / (part * (1.0 - part) / draws as f64).sqrt());
        let nearest = f64::from(grid.round(x)) / step - steps;
        vec![("x", f64::from(x)), ("mean_error", found), ("nearest_error", nearest)]
    };
    let trace: Vec<_> = (0..97).map(row).collect();
    let largest = trace.iter().map(|r| r[2].1.abs()).fold(0.0, f64::max);
    let tenth = grid.scale / 10.0;
    let metrics = vec![
        ("standard_errors", errors),
        ("largest_error", largest),
        ("kept", average(tenth) / f64::from(tenth)),
        ("kept_nearest", f64::from(grid.round(tenth)) / f64::from(tenth)),
    ];
    Found { metrics, trace, ..Found::default() }
}

/// Random ranges [−a, b]: the error at zero, and the largest of 101 numbers over the range, in steps; without a zero point the values
/// start at −a instead.
pub fn exact_zero(bits: u32, draws: usize, zero_point: bool, stream: &mut Stream) -> Found {
    let mut zero = vec![];
    let mut largest = 0f64;
    for _ in 0..draws {
        let [low, high] = [-1.0, 1.0].map(|sign| (sign * (2.0 * stream.normal()).exp()) as f32);
        let affine = Affine::of_range(low, high, bits);
        let step = f64::from(affine.scale);
        let round = |x: f32| match zero_point {
            true => f64::from(affine.round(x)),
            false => f64::from(low) + step * (f64::from(x - low) / step).round(),
        };
        zero.push(round(0.0).abs() / step);
        let error = |i: u8| {
            let x = low + (high - low) * f32::from(i) / 100.0;
            (round(x) - f64::from(x)).abs() / step
        };
        largest = (0..=100).map(error).fold(largest, f64::max);
    }
    let metrics = vec![
        ("zero_error", zero.iter().copied().fold(0.0, f64::max)),
        ("mean_zero_error", zero.iter().sum::<f64>() / zero.len() as f64),
        ("largest_error", largest),
    ];
    Found { metrics, ..Found::default() }
}
