//! Clipping, allocation of bits, correction of weights: published numbers, identities, sampled references.

use implicit_bias::deep::quantize::{Affine, Correction, Grid, Prior, Spread, TWO_THIRDS, allocate, allocation_gain};
use implicit_bias::experiment::kinds::Kind;
use implicit_bias::math::random::Stream;

/// α/b of Laplace and α/σ of Gauss for 0 to 9 bits: the authors' comments have 8 decimals; one-sided is the next row.
const MULTIPLIERS: [[f64; 2]; 9] = [
    [1.04990889, 0.76577507],
    [1.86281686, 1.23990527],
    [2.83068299, 1.71063517],
    [3.89722946, 2.15159274],
    [5.02864014, 2.55913646],
    [6.20476633, 2.93620061],
    [7.41312621, 3.28691422],
    [8.64561998, 3.61511422],
    [9.89675977, 3.92403549],
];

/// n numbers of scale 1.
fn draw(prior: Prior, n: usize, stream: &mut Stream) -> Vec<f64> {
    let mut one = || match prior {
        Prior::Gauss => stream.normal(),
        Prior::Laplace => -stream.sign() * (1.0 - stream.uniform()).ln(),
    };
    (0..n).map(|_| one()).collect()
}

#[test]
fn multipliers_are_those_published_and_least() {
    for (bits, row) in MULTIPLIERS.iter().enumerate() {
        for (prior, published) in Prior::ALL.into_iter().zip(row) {
            let bits = bits as f64;
            let alpha = prior.multiplier(bits, false);
            assert!((alpha - published).abs() <= 5.1e-9, "{prior:?} {bits}: {alpha}");
            assert_eq!(prior.multiplier(bits, true), prior.multiplier(bits + 1.0, false));
            for one_sided in [false, true] {
                let alpha = prior.multiplier(bits, one_sided);
                let [below, least, above] = [-1e-4, 0.0, 1e-4].map(|h| prior.mse(alpha + h, bits, one_sided));
                let slope = (above - below) / 2e-4;
                assert!(least < below && least < above && slope.abs() < 1e-8, "{prior:?} {bits}: slope {slope}");
            }
        }
    }
    assert!((Prior::Laplace.mse(5.02864014, 4.0, false) - 0.046021).abs() < 5e-7);
    assert!((Prior::Gauss.mse(2.55913646, 4.0, false) - 0.010493).abs() < 5e-7);
}

#[test]
fn grids_agree_with_max_and_with_samples() {
    // Max 1960, table II: values, distance, error.
    for (cells, distance, error) in [(4, 0.9957, 0.1188), (8, 0.5860, 0.03744), (16, 0.3352, 0.01154)] {
        let alpha = Grid::MidRise.optimum(Prior::Gauss, cells);
        let found = [2.0 * alpha / f64::from(cells), Grid::MidRise.mse(Prior::Gauss, alpha, cells)];
        assert!((found[0] - distance).abs() < 5.1e-5 && (found[1] - error).abs() < 5.1e-5, "{cells}: {found:?}");
    }
    let stream = &mut Stream::new(0, &["clipping"]);
    for prior in Prior::ALL {
        let x = draw(prior, 100_000, stream);
        for (grid, cells, alpha) in
            [Grid::MidRise, Grid::MidTread].into_iter().flat_map(|g| [(g, 4, 1.7), (g, 5, 2.0), (g, 16, 0.9)])
        {
            let squares: Vec<f64> = x.iter().map(|x| (x - grid.round(*x, alpha, cells)).powi(2)).collect();
            let mean = squares.iter().sum::<f64>() / x.len() as f64;
            let spread = squares.iter().map(|s| (s - mean).powi(2)).sum::<f64>().sqrt() / x.len() as f64;
            let exact = grid.mse(prior, alpha, cells);
            assert!((mean - exact).abs() < 5.0 * spread, "{prior:?} {grid:?} {cells}: {mean} {exact} ± {spread}");
        }
        // Many cells: both tend to the formula, from above and from below, and differ by the order of a cell.
        let [formula, rise, tread] =
            [prior.mse(3.0, 12.0, false), Grid::MidRise.mse(prior, 3.0, 4096), Grid::MidTread.mse(prior, 3.0, 4096)];
        assert!(tread < formula && formula < rise && rise - tread < 5e-3 * formula, "{tread} {formula} {rise}");
    }
    let values = |grid: Grid, cells| [-9.0, -0.3, 0.3, 9.0].map(|x| grid.round(x, 1.0, cells));
    assert_eq!(values(Grid::MidRise, 4), [-0.75, -0.25, 0.25, 0.75]);
    assert_eq!(values(Grid::MidTread, 4), [-1.0, -0.5, 0.5, 1.0]);
    assert!((Grid::MidRise.round(0.3, 1.0, 3).abs() + Grid::MidTread.round(0.3, 1.0, 3) - 1.0 / 3.0).abs() < 1e-15);
}

#[test]
fn a_tensor_is_clipped_about_its_mean_by_the_likelier_prior() {
    let stream = &mut Stream::new(1, &["clipping"]);
    for (prior, ratio) in [(Prior::Gauss, 1.2533), (Prior::Laplace, 2f64.sqrt())] {
        let x: Vec<f32> = draw(prior, 20_000, stream).iter().map(|x| (3.0 * x - 0.7) as f32).collect();
        let spread = Spread::of(&x);
        assert!((spread.standard / spread.absolute - ratio).abs() < 0.03 && spread.prior() == prior, "{spread:?}");
        let [low, high] = spread.clip(prior, 4, false);
        assert!((f64::midpoint(low, high) - spread.mean).abs() < 1e-12 && (spread.mean + 0.7).abs() < 0.1);
        assert_eq!(spread.clip(prior, 4, true)[0], 0.0);
        let one_sided = spread.scale(prior) * prior.multiplier(4.0, true);
        assert_eq!(spread.clip(prior, 4, true)[1], one_sided, "the mean is negative");
        // Four bits with the clip have less error than with the whole range.
        let error = |q: Affine| x.iter().map(|x| f64::from(x - q.round(*x)).powi(2)).sum::<f64>();
        assert!(error(Affine::of_range(low as f32, high as f32, 4)) < 0.7 * error(Affine::of_values(&x, 4)));
    }
    assert_eq!(Spread::of(&[]), Spread { mean: 0.0, absolute: 0.0, standard: 0.0 });
    assert_eq!(Spread::of(&[2.0; 3]).clip(Prior::Gauss, 2, true), [0.0, 2.0]);
}

#[test]
fn bits_meet_the_budget_and_follow_the_power_law() {
    let stream = &mut Stream::new(2, &["clipping"]);
    for channels in [1, 2, 3, 7, 64, 257] {
        let scales: Vec<f64> = stream.normals(channels).iter().map(|z| (1.5 * z).exp()).collect();
        for (mean, exponent) in
            [0.0, 0.4, 1.0, 2.5, 4.0, 7.9, 8.0].into_iter().flat_map(|m| [(m, TWO_THIRDS), (m, 1.0)])
        {
            let bits = allocate(&scales, mean, exponent);
            assert_eq!(bits.iter().sum::<u32>() as usize, (mean * channels as f64).round() as usize, "{mean}");
            assert!(bits.iter().all(|b| *b <= 8));
            // log₂ cells is within half a bit of p·log₂ scale plus a constant, unless clamped.
            let offsets = bits.iter().zip(&scales).map(|(b, s)| (*b, f64::from(*b) - exponent * s.log2()));
            let most = offsets.clone().filter(|o| o.0 > 0).map(|o| o.1).fold(f64::NEG_INFINITY, f64::max);
            let least = offsets.filter(|o| o.0 < 8).map(|o| o.1).fold(f64::INFINITY, f64::min);
            assert!(most - least <= 1.0 + 1e-9, "{mean} bits, {channels} channels: {least} to {most}");
        }
    }
    assert_eq!(allocate(&[1.0; 5], 2.5, TWO_THIRDS), [3, 3, 3, 2, 2]);
    assert_eq!(allocate(&[0.0, 1.0, 1e-30], 4.0, TWO_THIRDS), [0, 8, 4]);
    assert_eq!(allocate(&[3.0, 1.0], 20.0, TWO_THIRDS), [8, 8]);
    assert!(allocate(&[], 4.0, TWO_THIRDS).is_empty());
    // Two channels by hand: shares 2/3 and 1/3 of 2^{3/2} and 1; equal channels gain nothing.
    let two: f64 = allocation_gain(&[8f64.sqrt(), 1.0]);
    assert!((two - (9.0 / 2.0) / 1.5f64.powi(3)).abs() < 1e-14 && (allocation_gain(&[0.3; 9]) - 1.0).abs() < 1e-14);
}

#[test]
fn correction_restores_the_moments_of_each_channel() {
    let stream = &mut Stream::new(3, &["clipping"]);
    let weights: Vec<f32> =
        stream.normals(600).iter().enumerate().map(|(i, z)| (0.1 * (i / 100) as f64 + z) as f32).collect();
    let coarse = Affine::of_values(&weights, 2);
    let rounded: Vec<f32> = weights.iter().map(|w| coarse.round(*w)).collect();
    for (variance, mean) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut q = rounded.clone();
        Correction { variance, mean }.apply(&weights, &mut q, 6);
        for c in 0..6 {
            let [w, before, after] = [&weights, &rounded, &q].map(|v| Spread::of(&v[100 * c..][..100]));
            let expected =
                [if mean { w.mean } else { before.mean }, if variance { w.standard } else { before.standard }];
            let found = [after.mean, after.standard];
            assert!(expected.iter().zip(found).all(|(a, b)| (a - b).abs() < 1e-7), "{expected:?} {found:?}");
        }
        assert!(variance || mean || q == rounded);
    }
    let mut flat = [0.5; 4];
    Correction { variance: true, mean: true }.apply(&[0.1, 0.2, 0.3, 0.4], &mut flat, 1);
    assert_eq!(flat, [0.25; 4]);
}

#[test]
fn configurations_are_refused_by_field() {
    let cases: [(&str, &[&str]); 9] = [
        (r#"identity = "multiplier", prior = "gauss", one_sided = false, bits = 17, published = []"#, &["bits", "17"]),
        (r#"identity = "multiplier", prior = "gauss", one_sided = false, bits = 1, published = [1]"#, &["published"]),
        (r#"identity = "clipping-noise", prior = "cauchy", bits = 2, draws = 9"#, &["cauchy", "laplace"]),
        (r#"identity = "clipping-noise", prior = "gauss", bits = 0, draws = 9"#, &["bits", "is 0,"]),
        (r#"identity = "two-channels", deviations = [1.0, -1.0], cells = 9, draws = 9"#, &["deviations", "is -1,"]),
        (r#"identity = "bias-correction", channels = 2, fan_in = 9, bits = 2, correction = { men = true }"#, &["men"]),
        (r#"identity = "angle", weights = 9, bits = 2, reading = "sign""#, &["sign", "magnitude"]),
        (r#"identity = "ternary", weights = 0"#, &["weights", "is 0,"]),
        (r#"identity = "exact-zero", bits = 2, draws = 9"#, &["zero_point", "missing"]),
    ];
    for (check, words) in cases {
        let table = format!("seed = 0\ncheck = {{ {check} }}").parse().unwrap();
        let message = Kind::QuantizerIdentity.check(&table).unwrap_err().to_string();
        assert!(words.iter().chain(&["run.check"]).all(|w| message.contains(w)), "{check}: {message}");
    }
}
