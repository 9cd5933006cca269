//! How to divide cells or bits among channels.

use super::{Found, mean};
use crate::deep::quantize::{Grid, Prior, TWO_THIRDS, allocate, allocation_gain};
use crate::math::random::Stream;

/// The error of a standard normal channel with this many cells and the best clip for them.
fn clipped(cells: f64) -> f64 {
    let bits = cells.log2();
    Prior::Gauss.mse(Prior::Gauss.multiplier(bits, false), bits, false)
}

/// Σ σ²·noise(cells), over all cells' divisions in two, for three noises: the paper's 1/cells², what is left with the best clip, and
/// the mid-rise quantiser on a sample.
pub fn two_channels(deviations: [f64; 2], cells: u32, draws: usize, stream: &mut Stream) -> Found {
    let x = stream.normals(draws);
    let mut errors = 0f64;
    let simulated: Vec<f64> = (1..cells)
        .map(|cells| {
            let alpha = Prior::Gauss.multiplier(f64::from(cells).log2(), false);
            let [found, error] = mean(x.iter().map(|x| (x - Grid::MidRise.round(*x, alpha, cells)).powi(2)));
            errors = errors.max((found - Grid::MidRise.mse(Prior::Gauss, alpha, cells)).abs() / error);
            found
        })
        .collect();
    let squares = deviations.map(|s| s * s);
    let total = |noise: &dyn Fn(u32) -> f64, first: u32| squares[0] * noise(first) + squares[1] * noise(cells - first);
    let noises: [(&str, &dyn Fn(u32) -> f64); 3] = [
        ("model", &|b| f64::from(b).powi(-2)),
        ("clipped", &|b| clipped(f64::from(b))),
        ("simulated", &|b| simulated[b as usize - 1]),
    ];
    let share = |first: u32| f64::from(first) / f64::from(cells);
    let best = |noise: &dyn Fn(u32) -> f64| {
        (1..cells).min_by(|a, b| total(noise, *a).total_cmp(&total(noise, *b))).map_or(f64::NAN, share)
    };
    // Each in parts of its value at equal halves.
    let row = |first: u32| {
        let relative = noises.map(|(name, noise)| (name, total(noise, first) / total(noise, cells / 2)));
        [vec![("share", share(first))], relative.to_vec()].concat()
    };
    let powers = deviations.map(|s| s.powf(TWO_THIRDS));
    let metrics = vec![
        ("share", powers[0] / (powers[0] + powers[1])),
        ("model_share", best(noises[0].1)),
        ("clipped_share", best(noises[1].1)),
        ("standard_errors", errors),
    ];
    Found { metrics, trace: (1..cells).map(row).collect(), ..Found::default() }
}

/// How many times less the error is than with as many cells, or bits, for each.
pub fn many_channels(
    channels: usize,
    log_deviation: f64,
    bits: f64,
    exponent: f64,
    draws: usize,
    stream: &mut Stream,
) -> Found {
    let scales: Vec<f64> = stream.normals(channels).iter().map(|z| (log_deviation * z).exp()).collect();
    let sum = |noise: &dyn Fn(usize) -> f64| scales.iter().enumerate().map(|(i, s)| s * s * noise(i)).sum::<f64>();
    let uniform = 2f64.powf(bits);
    // Real cells, the same total.
    let powers: Vec<f64> = scales.iter().map(|s| s.powf(exponent)).collect();
    let unit = uniform * channels as f64 / powers.iter().sum::<f64>();
    let cells_gain = sum(&|_| uniform.powi(-2)) / sum(&|i| (powers[i] * unit).powi(-2));
    // Whole bits, the same mean; the channels without cells have the noise of one cell.
    let [naive, given] = [0.0, exponent].map(|p| allocate(&scales, bits, p));
    let over = |noise: &dyn Fn(u32) -> f64| sum(&|i| noise(naive[i])) / sum(&|i| noise(given[i]));
    let noise: Vec<f64> = (0..=8).map(|b| clipped(2f64.powi(b))).collect();
    let z = stream.normals(draws * channels);
    let measured = |bits: &[u32]| {
        sum(&|i| {
            let alpha = Prior::Gauss.multiplier(f64::from(bits[i]), false);
            mean(z[i * draws..][..draws].iter().map(|x| (x - Grid::MidRise.round(*x, alpha, 1 << bits[i])).powi(2)))[0]
        })
    };
    let formula = allocation_gain(&scales);
    let metrics = vec![
        ("gain_formula", formula),
        ("formula_deviation", (cells_gain / formula - 1.0).abs()),
        ("cells_gain", cells_gain),
        ("bits_gain", over(&|b| 4f64.powi(-(b as i32)))),
        ("clipped_gain", over(&|b| noise[b as usize])),
        ("measured_gain", measured(&naive) / measured(&given)),
    ];
    Found { metrics, ..Found::default() }
}
