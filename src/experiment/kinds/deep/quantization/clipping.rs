//! Where to clip: the analysis, the quantisers themselves, and samples.

use super::{Found, draw, mean};
use crate::deep::quantize::{Affine, Grid, Prior, Spread};
use crate::math::quadrature::{composite, gauss_legendre, sum};
use crate::math::random::Stream;
use std::f64::consts::PI;

/// The multiplier, and how far it is from solving its equation, from what is published, and from what a doubled last term gives.
pub fn multiplier(prior: Prior, one_sided: bool, bits: u32, published: &[f64]) -> Found {
    let m = f64::from(bits);
    let alpha = prior.multiplier(m, one_sided);
    let noise = prior.mse(alpha, m, one_sided);
    let density = |x: f64| match prior {
        Prior::Laplace => 0.5 * (-x).exp(),
        Prior::Gauss => (-0.5 * x * x).exp() / (2.0 * PI).sqrt(),
    };
    let nodes = composite(&gauss_legendre(16), 32, [alpha, alpha + 40.0]);
    let [first, second] = [1, 2].map(|p| sum(&nodes, |x| 2.0 * (x - alpha).powi(p) * density(x)));
    // The error by quadrature, and half of its derivative by α: −E(|x| − α)₊ + α/(3·4^M), in parts of the last term.
    let (sides, cells) = if one_sided { (0.5, 3.0 * 4f64.powf(m + 1.0)) } else { (1.0, 3.0 * 4f64.powf(m)) };
    let by_quadrature = sides * (second + alpha * alpha / cells);
    // Twice the last term is its value for half a bit less.
    let doubled = prior.multiplier(m - 0.5, one_sided);
    let metrics = vec![
        ("multiplier", alpha),
        ("noise", noise),
        ("residual", (first * cells / alpha - 1.0).abs()),
        ("tail_deviation", (by_quadrature / noise - 1.0).abs()),
        ("published_deviation", published.get(bits as usize).map_or(f64::NAN, |p| (alpha - p).abs())),
        ("doubled", doubled),
        ("doubled_excess", prior.mse(doubled, m, one_sided) / noise - 1.0),
    ];
    Found { metrics, ..Found::default() }
}

/// The error of both grids against the clip, by the analysis and on one sample.
pub fn noise(prior: Prior, bits: u32, draws: usize, stream: &mut Stream) -> Found {
    let (m, cells) = (f64::from(bits), 1 << bits);
    let x = draw(prior, draws, stream);
    let alpha = prior.multiplier(m, false);
    let mut errors = 0f64;
    let mut simulated = |grid: Grid, clip: f64| {
        let [found, error] = mean(x.iter().map(|x| (x - grid.round(*x, clip, cells)).powi(2)));
        errors = errors.max((found - grid.mse(prior, clip, cells)).abs() / error);
        found
    };
    let clips = (1..=40).map(|i| 2.0 * alpha * f64::from(i) / 40.0).filter(|clip| *clip > 0.3 * alpha);
    let row = |clip: f64| {
        vec![
            ("clip", clip),
            ("analysis", prior.mse(clip, m, false)),
            ("mid_rise", simulated(Grid::MidRise, clip)),
            ("mid_tread", simulated(Grid::MidTread, clip)),
        ]
    };
    let trace = clips.map(row).collect();
    let best = |grid: Grid| {
        let optimum = grid.optimum(prior, cells);
        let least = grid.mse(prior, optimum, cells);
        [optimum, least, grid.mse(prior, alpha, cells) / least - 1.0]
    };
    let (rise, tread) = (best(Grid::MidRise), best(Grid::MidTread));
    let metrics = vec![
        ("multiplier", alpha),
        ("noise", prior.mse(alpha, m, false)),
        ("rise_optimum", rise[0]),
        ("rise_noise", rise[1]),
        ("rise_excess", rise[2]),
        ("tread_optimum", tread[0]),
        ("tread_noise", tread[1]),
        ("tread_excess", tread[2]),
        ("standard_errors", errors),
    ];
    Found { metrics, trace, ..Found::default() }
}

/// The affine quantiser on the range of the sample, and on the clip of the prior that the sample chooses.
pub fn gain(prior: Prior, bits: u32, draws: usize, stream: &mut Stream) -> Found {
    let x: Vec<f32> = draw(prior, draws, stream).into_iter().map(|x| x as f32).collect();
    let spread = Spread::of(&x);
    let chosen = spread.prior();
    let [low, high] = spread.clip(chosen, bits, false).map(|end| end as f32);
    let error = |q: Affine| mean(x.iter().map(|x| f64::from(x - q.round(*x)).powi(2)))[0];
    // What the analysis says of a range that leaves nothing out.
    let m = f64::from(bits);
    let [least, greatest] = x.iter().fold([0f32; 2], |[l, h], x| [l.min(*x), h.max(*x)]).map(f64::from);
    let whole = ((greatest - least) / 2.0).powi(2) / (3.0 * 4f64.powf(m));
    let metrics = vec![
        ("gain", error(Affine::of_values(&x, bits)) / error(Affine::of_range(low, high, bits))),
        ("predicted_gain", whole / prior.mse(prior.multiplier(m, false), m, false)),
        ("prior_found", f64::from(u8::from(chosen == prior))),
    ];
    Found { metrics, ..Found::default() }
}
