//! The walk in a random potential against simulation, dense algebra, detailed balance and closed forms.

use implicit_bias::deep::landscape::{FractionalNoise, LANES, Potential, Relaxation, Walk};
use implicit_bias::math::random::Stream;
use implicit_bias::math::sums::jackknife;

const WALK: Walk = Walk { stages: 8, tail: 1e-6 };

fn brownian(amplitude: f64, t: f64, seed: u64) -> Potential {
    Potential::brownian(amplitude, WALK.height(t), 1 << 20, &mut Stream::new(seed, &["potential"]))
}

/// Site and probability.
fn distribution(walk: Walk, potential: &Potential, t: f64) -> Vec<(isize, f64)> {
    let found = walk.distribution(potential, t);
    found.probability.iter().zip(found.first..).map(|(p, x)| (x, p[0])).collect()
}

fn potential_at(potential: &Potential, x: isize) -> f64 {
    match x {
        0 => 0.0,
        1.. => potential.right[x as usize - 1],
        _ => potential.left[-x as usize - 1],
    }
}

fn assert_mean(name: &str, values: &[f64], expected: f64) {
    let samples: Vec<Vec<f64>> = values.iter().map(|v| vec![*v]).collect();
    let (mean, error) = jackknife(&samples, |m| m[0]);
    assert!((mean - expected).abs() <= 5.0 * error, "{name}: {mean} ± {error}, not {expected}");
}

#[test]
fn position_is_that_of_simulated_walkers() {
    let (potential, t) = (brownian(1.0, 40.0, 3), 40.0);
    let exact = distribution(WALK, &potential, t);
    let stream = &mut Stream::new(4, &["events"]);
    let waiting = |stream: &mut Stream| -(1.0 - stream.uniform()).ln();
    let ends: Vec<isize> = (0..20_000)
        .map(|_| {
            let mut left: f64 = (0..WALK.stages).map(|_| waiting(stream) * t / f64::from(WALK.stages)).sum();
            let mut x = 0;
            loop {
                let here = potential_at(&potential, x);
                let [up, down] = [x + 1, x - 1].map(|to| ((here - potential_at(&potential, to)) / 2.0).exp());
                left -= waiting(stream) / (up + down);
                if left < 0.0 {
                    return x;
                }
                x += if stream.uniform() * (up + down) < up { 1 } else { -1 };
            }
        })
        .collect();
    for power in 1..=2 {
        let moment: f64 = exact.iter().map(|(x, p)| (x.unsigned_abs() as f64).powi(power) * p).sum();
        let values: Vec<f64> = ends.iter().map(|x| (x.unsigned_abs() as f64).powi(power)).collect();
        assert_mean(&format!("E|x|^{power}"), &values, moment);
    }
    let likely: Vec<_> = exact.iter().filter(|(_, p)| *p > 0.01).collect();
    assert!(likely.len() > 5, "{likely:?}");
    for (site, p) in likely {
        let there: Vec<f64> = ends.iter().map(|x| f64::from(x == site)).collect();
        assert_mean(&format!("P(x = {site})"), &there, *p);
    }
}

#[test]
fn flat_potential_is_free_diffusion() {
    let flat = Potential::brownian(0.0, 1.0, 4000, &mut Stream::new(0, &[]));
    let times = [1e-2, 1.0, 1e2, 1e4];
    for (t, m) in times.iter().zip(&WALK.moments(&[flat.clone(), flat], &times)[1]) {
        assert!((m.square / (2.0 * t) - 1.0).abs() < 1e-9 && m.stopped < 1e-30, "t = {t}: {m:?}");
    }
}

#[test]
fn probability_is_conserved_at_any_time_and_lanes_are_independent() {
    let potentials: Vec<Potential> = (0..11).map(|seed| brownian(1.5, 1e30, seed)).collect();
    let times = [1.0, 1e3, 1e8, 1e30];
    let together = WALK.moments(&potentials, &times);
    for (potential, moments) in potentials.iter().zip(&together) {
        for (t, m) in times.iter().zip(moments) {
            let alone = distribution(WALK, potential, *t);
            let total: f64 = alone.iter().map(|(_, p)| p).sum();
            assert!((total - 1.0).abs() < 1e-11, "t = {t}: 1 + {:e}", total - 1.0);
            let distance: f64 = alone.iter().map(|(x, p)| x.unsigned_abs() as f64 * p).sum();
            assert!((distance - m.distance).abs() <= 1e-12 * distance, "t = {t}: {distance} {m:?}");
        }
    }
}

/// Reflecting walls: the rates of a box, and exp(−V)/Z in it.
fn box_of(sites: usize, s: f64, stream: &mut Stream) -> ([Vec<[f64; LANES]>; 2], Vec<[f64; LANES]>) {
    let mut v = vec![[0.0; LANES]; sites];
    (1..sites).for_each(|x| v[x] = v[x - 1].map(|v| v + 2.0 * stream.normal()));
    let rate = |from: usize, to: usize| std::array::from_fn(|l| s * ((v[from][l] - v[to][l]) / 2.0).exp());
    let up = (0..sites).map(|x| if x + 1 < sites { rate(x, x + 1) } else { [0.0; LANES] }).collect();
    let down = (0..sites).map(|x| if x > 0 { rate(x, x - 1) } else { [0.0; LANES] }).collect();
    let total: [f64; LANES] = std::array::from_fn(|l| v.iter().map(|v| (-v[l]).exp()).sum());
    let gibbs = v.iter().map(|v| std::array::from_fn(|l| (-v[l]).exp() / total[l])).collect();
    ([up, down], gibbs)
}

#[test]
fn long_times_in_a_box_give_the_gibbs_measure() {
    let ([up, down], gibbs) = box_of(40, 1e40, &mut Stream::new(5, &["box"]));
    let mut p = vec![[0.0; LANES]; 40];
    p[17] = [1.0; LANES];
    Relaxation::new(&up, &down).apply(&mut p);
    let pairs = || p.iter().zip(&gibbs).flat_map(|(p, g)| p.iter().zip(g));
    let smallest = pairs().map(|(_, g)| *g).fold(1.0, f64::min);
    let largest = pairs().map(|(p, g)| (p / g - 1.0).abs()).fold(0.0, f64::max);
    assert!(largest < 1e-10 && smallest < 1e-12, "relative error {largest:e}, least probability {smallest:e}");
}

#[test]
fn relaxation_solves_the_dense_system() {
    let (sites, stream) = (12, &mut Stream::new(6, &["dense"]));
    let ([up, down], _) = box_of(sites, 3.0, stream);
    let start: Vec<[f64; LANES]> = (0..sites).map(|_| std::array::from_fn(|_| stream.uniform())).collect();
    let mut p = start.clone();
    Relaxation::new(&up, &down).apply(&mut p);
    for l in 0..LANES {
        for x in 0..sites {
            let from_below = if x > 0 { up[x - 1][l] * p[x - 1][l] } else { 0.0 };
            let from_above = if x + 1 < sites { down[x + 1][l] * p[x + 1][l] } else { 0.0 };
            let gone = (1.0 + up[x][l] + down[x][l]) * p[x][l];
            let residual = gone - from_below - from_above - start[x][l];
            assert!(residual.abs() < 1e-12 * gone, "lane {l}, site {x}: {residual:e}");
        }
    }
}

#[test]
fn walls_stop_no_more_than_the_bound() {
    let loose = Walk { stages: 8, tail: 1e-2 };
    let potentials: Vec<Potential> = (0..200).map(|seed| brownian(1.0, 1e6, seed)).collect();
    let times = [1e1, 1e3, 1e6];
    let moments = loose.moments(&potentials, &times);
    let stopped: Vec<f64> = moments.iter().flatten().map(|m| m.stopped).collect();
    let most = stopped.iter().fold(0.0, |a: f64, b| a.max(*b));
    assert!(most <= loose.tail && most > loose.tail / 30.0, "{most:e} of {:e} is stopped", loose.tail);
    for potential in &potentials[..20] {
        let [far, near] = [WALK, loose].map(|walk| distribution(walk, potential, 1e6));
        let at = |x: isize| near.iter().find(|n| n.0 == x).map_or(0.0, |n| n.1);
        let variation: f64 = far.iter().map(|(x, p)| (p - at(*x)).abs()).sum::<f64>() / 2.0;
        assert!(variation <= loose.tail && far.len() > near.len(), "{variation:e}");
    }
}

#[test]
fn fractional_noise_has_its_covariance() {
    let (length, draws) = (64, 8000);
    for hurst in [0.25, 0.5, 0.9] {
        let (mut noise, stream) = (FractionalNoise::new(hurst, length), &mut Stream::new(7, &["noise"]));
        let samples: Vec<Vec<f64>> = (0..draws).map(|_| noise.sample(stream)).collect();
        let power = |n: usize| (n as f64).powf(2.0 * hurst);
        for lag in [0, 1, 5, 63] {
            let products: Vec<f64> = samples.iter().map(|s| s[0] * s[lag]).collect();
            let expected = (power(lag + 1) - 2.0 * power(lag) + power(lag.abs_diff(1))) / 2.0;
            assert_mean(&format!("H = {hurst}, lag {lag}"), &products, expected);
        }
        let squares: Vec<f64> = samples.iter().map(|s| s.iter().sum::<f64>().powi(2)).collect();
        assert_mean(&format!("H = {hurst}, sum"), &squares, power(length));
        // Both sides of a potential are one path.
        let across = (0..draws).map(|_| {
            let potential = Potential::fractional(2.0, &mut noise, stream);
            (potential.right[31] - potential.left[31]).powi(2) / 4.0
        });
        assert_mean(&format!("H = {hurst}, across"), &across.collect::<Vec<_>>(), power(64));
    }
}

/// The limit law of Sinai's walk has the density (2/π) Σ (−1)^k/(2k+1) exp(−(2k+1)²π²|b|/8) (Golosov 1984, Kesten 1986).
#[test]
fn valleys_have_the_moments_of_the_limit_law() {
    use std::f64::consts::PI;
    let sum = |power: i32| (0..200).map(|k| f64::from(1 - 2 * (k % 2)) / f64::from(2 * k + 1).powi(power)).sum::<f64>();
    let (first, second) = (256.0 / PI.powi(5) * sum(5), 4096.0 / PI.powi(7) * sum(7));
    assert!((first - 5.0 / 6.0).abs() < 1e-12 && (second - 61.0 / 45.0).abs() < 1e-12);
    // On the integers the lowest site is 0.583 = −ζ(1/2)/√(2π) steps too high on average, and a height overshot by as much.
    let (depth, overshoot) = (60.0, 1.165);
    let scaled: Vec<f64> = (0..6000)
        .map(|seed| {
            let potential = Potential::brownian(1.0, depth + 40.0, 1 << 20, &mut Stream::new(seed, &["valley"]));
            potential.valley(depth).unsigned_abs() as f64 / (depth + overshoot).powi(2)
        })
        .collect();
    assert_mean("E|b|", &scaled, first);
    assert_mean("E b²", &scaled.iter().map(|b| b * b).collect::<Vec<_>>(), second);
}
