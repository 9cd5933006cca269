//! Networks: gradients, homogeneity, the convolution by its definition, both domains, curvature, induced regularisers.

use crate::common::*;
use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::network::{BinProduct, Convolutional, FullyConnected, Network, SharedScale};
use implicit_bias::linear::solver::{Status, StepRule};
use implicit_bias::linear::{Architecture, Task};
use implicit_bias::math::dft::{Bins, UnitaryDft};
use implicit_bias::math::gram::Gram;
use implicit_bias::math::random::Stream;
use nalgebra::DMatrix;

#[test]
fn gradients_are_central_differences_of_the_log_loss() {
    let mut stream = Stream::new(1, &["gradients"]);
    for mut case in cases() {
        let (name, network) = (&case.name, &mut *case.network);
        let mut rows = gaussian_rows(5, network.features(), &mut stream);
        for loss in LOSSES {
            let w = parameters(network, 0.8, &mut stream);
            let (mut m, mut a, mut dual) = ([0.0; 5], [0.0; 5], vec![f64::NAN; network.features()]);
            let log_slope = rows.weigh(&predictor(network, &w), loss.log_slope(), &mut m, &mut a, &mut dual);
            // ∇ log 𝓛 = −(𝓛'/𝓛) Jᵀ r.
            let ratio = (log_slope - loss.log_loss(&m)).exp();
            let exact: Vec<f64> = pullback(network, &w, &dual).iter().map(|g| -ratio * g).collect();
            let mut at = |k: usize, t: f64| {
                let mut moved = w.clone();
                moved[k] += t;
                loss.log_loss(&margins(&rows, &predictor(network, &moved)))
            };
            let h = 1e-3;
            let difference = |k| (8.0 * (at(k, h) - at(k, -h)) - at(k, 2.0 * h) + at(k, -2.0 * h)) / (12.0 * h);
            let estimate: Vec<f64> = (0..w.len()).map(difference).collect();
            // Truncation is h⁴ = 1e-12 times a fifth derivative, rounding eps/h = 2e-13.
            let off = relative(&estimate, &exact);
            assert!(off < 1e-8, "{name}, {loss:?}: off by {off:.1e}");
        }
    }
}

#[test]
fn networks_are_homogeneous() {
    let mut stream = Stream::new(2, &["homogeneous"]);
    for mut case in cases() {
        let network = &mut *case.network;
        let (w, degree) = (parameters(network, 1.0, &mut stream), network.degree() as i32);
        let (beta, r) = (predictor(network, &w), stream.normals(network.features()));
        for c in [-1.0, 0.3, 2.0, 7.5] {
            let scaled: Vec<f64> = w.iter().map(|w| c * w).collect();
            let wanted: Vec<f64> = beta.iter().map(|b| f64::powi(c, degree) * b).collect();
            assert!(relative(&predictor(network, &scaled), &wanted) < 1e-13, "{} at {c}", case.name);
        }
        // Euler: ⟨w, Jᵀ r⟩ = L ⟨r, P(w)⟩.
        let (left, right) = (dot(&w, &pullback(network, &w, &r)), degree as f64 * dot(&r, &beta));
        assert!((left - right).abs() < 1e-12 * norm(&r) * norm(&beta), "{}: {left}, {right}", case.name);
    }
}

/// The output for x by the paper's definition, one loop an index.
fn by_definition([h, w]: [usize; 2], layers: &[&[f64]], x: &[f64]) -> f64 {
    let (last, hidden) = layers.split_last().unwrap();
    let mut signal = x.to_vec();
    for kernel in hidden {
        let mut out = vec![0.0; h * w];
        for (r, c, i, j) in (0..h * w * h * w).map(|k| (k / w / h / w, k / h / w % w, k / w % h, k % w)) {
            out[r * w + c] += kernel[i * w + j] * signal[(r + i) % h * w + (c + j) % w] / ((h * w) as f64).sqrt();
        }
        signal = out;
    }
    dot(&signal, last)
}

#[test]
fn convolutions_are_the_papers() {
    let mut stream = Stream::new(3, &["convolution"]);
    for ([h, w], shape) in [([1, 1], vec![1]), ([1, 2], vec![2]), ([1, 9], vec![9]), ([1, 12], vec![12])]
        .into_iter()
        .chain([[3, 4], [5, 3], [4, 4], [1, 6], [6, 1]].map(|s| (s, s.to_vec())))
    {
        for depth in 1..=4 {
            let mut network = Convolutional::new(&shape, depth);
            let parameters = stream.normals(network.parameters());
            let (beta, layers) = (predictor(&mut network, &parameters), parameters.chunks(h * w).collect::<Vec<_>>());
            for _ in 0..3 {
                let x = stream.normals(h * w);
                let (found, wanted) = (dot(&x, &beta), by_definition([h, w], &layers, &x));
                assert!((found - wanted).abs() < 1e-13 * norm(&x) * norm(&beta).max(1.0), "{shape:?} depth {depth}");
            }
        }
    }
}

#[test]
fn training_commutes_with_the_transform() {
    for (shape, depth) in [(&[16][..], 2), (&[15], 3), (&[4, 6], 2), (&[3, 5], 3)] {
        let rules = [StepRule::Constant { eta: 0.01 }, StepRule::Smooth { eta: f64::INFINITY, safety: 1.0 }];
        for (rule, loss) in rules.into_iter().flat_map(|r| LOSSES.map(|l| (r, l))) {
            let data = gaussian(shape, 6, None, 5).unwrap();
            let run = |architecture| {
                let Task { mut rows, mut network, frame } = Task::new(&data, architecture, depth, 1);
                let mut w = Task::new(&data, architecture, depth, 1).initial(0.4, 3);
                let start = w.clone();
                let mut losses = vec![];
                let see = |s: &implicit_bias::linear::solver::State| losses.push(s.log_loss());
                let end = descend((&mut rows, &mut *network, loss), &mut w, rule, 1000, see);
                assert_eq!((end.status, end.steps), (Status::MaxSteps, 1000));
                let layers = |w: &[f64]| w.chunks(data.features()).flat_map(|l| frame.signal(l)).collect::<Vec<_>>();
                (layers(&start), layers(&w), losses)
            };
            let (fourier, signal) = (run(Architecture::Convolutional), run(Architecture::ConvolutionalSignal));
            let place = format!("{shape:?} depth {depth} {rule:?} {loss:?}");
            assert!(relative(&fourier.0, &signal.0) < 1e-14 && relative(&signal.1, &signal.0) > 0.1, "{place}: start");
            let off = relative(&fourier.1, &signal.1);
            assert!(off < 1e-12, "{place}: parameters differ by {off:.1e}");
            assert!(relative(&fourier.2, &signal.2) < 1e-12, "{place}: losses differ");
        }
    }
}

#[test]
fn what_the_flow_conserves_drifts_in_proportion_to_the_step() {
    let mut tested = 0;
    for mut case in cases().into_iter().filter(|c| c.network.degree() > 1) {
        let (name, network) = (&case.name, &mut *case.network);
        let mut stream = Stream::new(4, &["conserved", name]);
        let mut rows = gaussian_rows(4, network.features(), &mut stream);
        let start = parameters(network, 0.7, &mut stream);
        let before = network.conserved(&start);
        assert!(!before.is_empty() && norm(&before) > 1e-3, "{name} conserves nothing");
        let mut drift = |eta: f64, steps: u64| {
            let mut w = start.clone();
            descend((&mut rows, network, LOSSES[0]), &mut w, StepRule::Constant { eta }, steps, |_| {});
            assert!(relative(&w, &start) > 0.02, "{name} has hardly moved: {}", relative(&w, &start));
            relative(&network.conserved(&w), &before)
        };
        let (coarse, fine) = (drift(1e-3, 400), drift(1e-4, 4000));
        assert!(fine < 1e-2 && (7.0..14.0).contains(&(coarse / fine)), "{name}: drifts {coarse:.1e}, {fine:.1e}");
        tested += 1;
    }
    assert!(tested > 30);
}

#[test]
fn curvature_bounds_bound_and_are_exact_at_degree_two() {
    let mut stream = Stream::new(5, &["curvature"]);
    for mut case in cases() {
        let (name, network) = (&case.name, &mut *case.network);
        let (d, n) = (network.features(), network.parameters());
        for _ in 0..3 {
            let (w, r) = (parameters(network, 1.0, &mut stream), stream.normals(d));
            let unit = |n: usize, k: usize| (0..n).map(|j| if j == k { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
            let jacobian: Vec<f64> = (0..d).flat_map(|k| pullback(network, &w, &unit(d, k))).collect();
            let spectral = |m: DMatrix<f64>| m.svd(false, false).singular_values.max();
            let first = spectral(DMatrix::from_vec(n, d, jacobian)).powi(2);
            let h = 1e-4;
            let column = |k: usize| {
                let moved = |t: f64| w.iter().zip(unit(n, k)).map(|(w, u)| w + t * u).collect::<Vec<_>>();
                let (up, down) = (pullback(network, &moved(h), &r), pullback(network, &moved(-h), &r));
                up.iter().zip(down).map(|(u, d)| (u - d) / (2.0 * h)).collect::<Vec<_>>()
            };
            let second = spectral(DMatrix::from_vec(n, n, (0..n).flat_map(column).collect()));
            let bound = network.curvature(&w, &r).unwrap();
            for (what, bound, value) in [("‖J‖²", bound.first, first), ("‖∇²⟨r, P⟩‖", bound.second, second)]
            {
                // 1e-6 for the differences; at degree one there is no second derivative.
                assert!(bound.is_finite() && bound >= value * (1.0 - 1e-6) - 1e-9, "{name}: {what} {value} > {bound}");
                let exact = network.degree() == 2 && !name.starts_with("fully");
                assert!(!exact || bound <= value * (1.0 + 1e-6), "{name}: {what} is {value}, the bound {bound}");
            }
        }
    }
}

#[test]
fn gram_matrices_are_products_of_pullbacks() {
    let (mut stream, mut gram) = (Stream::new(9, &["gram"]), Gram::default());
    for mut case in cases() {
        let network = &mut *case.network;
        let rows = gaussian_rows(9, network.features(), &mut stream);
        let w = parameters(network, 1.0, &mut stream);
        for active in [&[4][..], &[0, 3, 8], &[0, 1, 2, 3, 4, 5, 6, 7, 8]] {
            let gradients: Vec<_> = active.iter().map(|&i| pullback(network, &w, rows.row(i))).collect();
            network.gram(&w, &rows, active, &mut gram);
            assert_eq!(gram.size(), active.len(), "{}", case.name);
            for (i, j) in (0..active.len()).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                let off = (gram.at(i, j) - dot(&gradients[i], &gradients[j])).abs();
                assert!(off < 1e-13 * norm(&gradients[i]) * norm(&gradients[j]), "{} ({i}, {j}): {off}", case.name);
            }
        }
    }
}

#[test]
fn no_parameters_are_cheaper_than_the_induced_regulariser() {
    let mut stream = Stream::new(6, &["regularizer"]);
    for mut case in cases() {
        let regularizer = case.network.regularizer().unwrap();
        let degree = case.network.degree() as f64;
        for _ in 0..100 {
            let w = parameters(&*case.network, 1.0, &mut stream);
            let beta = predictor(&mut *case.network, &w);
            let least = degree * regularizer.value(&case.coordinates(&beta)).powf(2.0 / degree);
            assert!(dot(&w, &w) >= least * (1.0 - 1e-12) && least > 0.0, "{}: ‖w‖² below {least}", case.name);
        }
    }
}

#[test]
fn balanced_parameters_cost_the_induced_regulariser() {
    let mut stream = Stream::new(7, &["regularizer"]);
    let mut check = |network: &mut dyn Network, build: &dyn Fn(&[f64]) -> Vec<f64>| {
        let beta = stream.normals(network.features());
        let (w, degree) = (build(&beta), network.degree() as f64);
        let regularizer = network.regularizer().unwrap();
        assert!(relative(&predictor(network, &w), &beta) < 1e-13, "{} {degree}: P(w) ≠ β", regularizer.name());
        let ratio = dot(&w, &w) / (degree * regularizer.value(&beta).powf(2.0 / degree));
        assert!((ratio - 1.0).abs() < 1e-13, "{} {degree}: ratio {ratio}", regularizer.name());
    };
    for depth in 1..=5 {
        for bins in [UnitaryDft::new(&[9]).bins(), UnitaryDft::new(&[4, 6]).bins(), Bins::signal(7)] {
            check(&mut BinProduct::new(bins, depth), &|beta| balanced_product(bins, depth, beta));
        }
        check(&mut FullyConnected::new(6, depth, 3), &|beta| balanced_fully_connected(depth, 3, beta));
        check(&mut SharedScale::new(8, depth), &|beta| balanced_groups(depth, beta));
    }
}

#[test]
fn the_pass_over_the_data_in_blocks_is_the_sum_over_samples() {
    // 300 × 500 numbers are enough to be cut into blocks.
    let mut stream = Stream::new(8, &["blocks"]);
    let (n, d) = (300, 500);
    let mut rows = gaussian_rows(n, d, &mut stream);
    let beta: Vec<f64> = stream.normals(d).iter().map(|b| 3.0 * b).collect();
    for loss in LOSSES {
        let (mut m, mut a, mut dual) = (vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; d]);
        let slope = rows.weigh(&beta, loss.log_slope(), &mut m, &mut a, &mut dual);
        let (mut sums, mut total) = (vec![0.0; d], 0.0);
        let top = a.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (i, m) in m.iter().enumerate() {
            assert!((m - dot(rows.row(i), &beta)).abs() < 1e-12 * norm(&beta) * norm(rows.row(i)));
            let weight = (loss.log_slope()(*m) - top).exp();
            total += weight;
            sums.iter_mut().zip(rows.row(i)).for_each(|(s, z)| *s += weight * z);
        }
        let wanted: Vec<f64> = sums.iter().map(|s| s / total).collect();
        assert!(relative(&dual, &wanted) < 1e-12 && (slope - top - total.ln()).abs() < 1e-12 * slope.abs());
    }
}
