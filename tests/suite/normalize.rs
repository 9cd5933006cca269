//! Normalisation: the reference against central differences, constants against closed forms and samples, half precision by hand.

use implicit_bias::deep::normalize::{Accumulator, HalfPrecision, Reference, Statistic};
use implicit_bias::math::random::Stream;
use std::f64::consts::PI;

const ALL: [Statistic; 5] = [Statistic::L2, Statistic::L1, Statistic::Linf, Statistic::Top(5), Statistic::Range];

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn gradients_are_those_of_central_differences() {
    let stream = &mut Stream::new(0, &["normalize"]);
    for (statistic, eps) in ALL.into_iter().flat_map(|s| [(s, 0.0), (s, 0.3)]) {
        let (x, g) = (stream.normals(24), stream.normals(24));
        let (gamma, beta, layer) = (1.3, -0.4, Reference::published(statistic, 24, eps));
        let loss = |x: &[f64], gamma: f64, beta: f64| dot(&layer.forward(x, gamma, beta), &g);
        let found = layer.pullback(&x, gamma, &g);
        let h = 1e-6;
        let slope = |f: &dyn Fn(f64) -> f64| (f(h) - f(-h)) / (2.0 * h);
        let input = |i: usize| {
            slope(&|h| {
                let mut moved = x.clone();
                moved[i] += h;
                loss(&moved, gamma, beta)
            })
        };
        let pairs = (0..24).map(|i| (found.input[i], input(i))).chain([
            (found.scale, slope(&|h| loss(&x, gamma + h, beta))),
            (found.shift, slope(&|h| loss(&x, gamma, beta + h))),
        ]);
        for (i, (a, b)) in pairs.enumerate() {
            assert!((a - b).abs() < 1e-7, "{statistic:?}, ε = {eps}, entry {i}: {a}, differences {b}");
        }
    }
}

#[test]
fn extremes_that_tie_share_the_gradient() {
    let d = [3.0, -3.0, 1.0, 3.0, -2.0, -2.0];
    let third = 1.0 / 3.0;
    assert_eq!(Statistic::Linf.gradient(&d), [third, -third, 0.0, third, 0.0, 0.0]);
    assert_eq!(Statistic::Range.gradient(&d), [0.5, -1.0, 0.0, 0.5, 0.0, 0.0]);
    // Three take part whole, two share the fourth place.
    assert_eq!(Statistic::Top(4).gradient(&d), [0.25, -0.25, 0.0, 0.25, -0.125, -0.125]);
    // All are homogeneous of degree one: Euler's identity, with ties and with k beyond n.
    for statistic in ALL.into_iter().chain([Statistic::Top(9)]) {
        let (value, euler) = (statistic.value(&d), dot(&statistic.gradient(&d), &d));
        assert!((value - euler).abs() < 1e-15 * value, "{statistic:?}: {value} {euler}");
    }
}

#[test]
fn constants_are_exact() {
    // Range: integrals that were evaluated independently.
    for (n, published) in [(16, 0.2831), (64, 0.2133), (256, 0.1769), (1024, 0.1539), (4096, 0.1379), (16384, 0.1259)] {
        let found = Statistic::Range.exact(n);
        assert!((found - published).abs() < 5e-5, "range {n}: {found}");
    }
    // The mean of all n sizes is L1, for which there is a closed form.
    for n in [8, 16, 100] {
        let [all, l1] = [Statistic::Top(n), Statistic::L1].map(|s| s.moments(n)[0]);
        assert!((all - l1).abs() < 1e-11, "{n}: {all} {l1}");
    }
    for n in [8, 64, 16384] {
        assert_eq!(Statistic::Top(1).exact(n), Statistic::Linf.exact(n));
    }
    // Efficiency of L1.
    let ratio = |s: Statistic| s.moments(1 << 14)[1] * s.exact(1 << 14);
    assert!(((ratio(Statistic::L2) / ratio(Statistic::L1)).powi(2) - 1.0 / (PI - 2.0)).abs() < 1e-3);
}

#[test]
fn range_has_the_second_moment_of_samples_and_l2_is_least_noisy() {
    // Range of 8 normal numbers: mean 2.8472 and standard deviation 0.8198, the d₂ and d₃ of control charts.
    let [mean, deviation] = Statistic::Range.moments(8);
    assert!((mean - 2.8472).abs() < 5e-5 && (deviation - 0.8198).abs() < 5e-5, "{mean} {deviation}");
    let noise = |s: Statistic, n| s.moments(n)[1] * s.exact(n);
    for (n, other) in
        [8, 256].into_iter().flat_map(|n| [Statistic::L1, Statistic::Linf, Statistic::Range].map(|s| (n, s)))
    {
        assert!(noise(Statistic::L2, n) < noise(other, n), "{other:?}, n = {n}");
    }
}

#[test]
fn half_precision_by_hand() {
    let arithmetic = |accumulator, squares| HalfPrecision { accumulator, squares };
    let [sequential, pairwise, single] =
        [Accumulator::Sequential, Accumulator::Pairwise, Accumulator::Single].map(|a| arithmetic(a, true));
    // 2048 + 1 rounds to 2048: a sequential sum of ones stops there.
    let ones = vec![1.0; 4096];
    assert_eq!([sequential, pairwise, single].map(|a| a.square(Statistic::L1, 1.0, &ones, 0.0)), [0.25, 1.0, 1.0]);
    // 300² is beyond 65504, 10^−4 squared below 3·10^−8; a sum of 300s overflows, their means do not.
    for (x, kept) in [(300.0, f32::INFINITY), (1e-4, 0.0)] {
        let (numbers, size) = (vec![x; 4096], if x > 1.0 { 9e4 } else { 1e-8 });
        for a in [sequential, pairwise, single] {
            assert_eq!(a.square(Statistic::L2, 1.0, &numbers, 0.0), kept, "{a:?}, {x}");
        }
        let near = |found: f32| (found / size - 1.0).abs() < 2e-3;
        assert!(near(arithmetic(Accumulator::Single, false).square(Statistic::L2, 1.0, &numbers, 0.0)));
        assert!(near(pairwise.square(Statistic::L1, 1.0, &numbers, 0.0)));
    }
    assert_eq!(sequential.square(Statistic::L1, 1.0, &vec![300.0; 4096], 0.0), f32::INFINITY);
    // Extremes need no sum; the mean is taken off first.
    let x = [1.0, 2.0, 6.0, -1.0];
    let found = [Statistic::Range, Statistic::Linf, Statistic::Top(2)].map(|s| pairwise.square(s, 1.0, &x, 2.0));
    assert_eq!(found, [49.0, 16.0, 12.25]);
}
