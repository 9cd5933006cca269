use super::Found;
use crate::deep::normalize::{Statistic, centred};
use crate::math::random::Stream;

/// Mean, standard deviation, and the standard errors of both, from central moments.
fn summary(values: &[f64]) -> [f64; 4] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let moment = |p: i32| values.iter().map(|v| (v - mean).powi(p)).sum::<f64>() / n;
    let (variance, fourth) = (moment(2), moment(4));
    let spread = (variance * n / (n - 1.0)).sqrt();
    [mean, spread, spread / n.sqrt(), spread * ((fourth / (variance * variance) - 1.0) / (4.0 * n)).sqrt()]
}

/// `samples` times the statistic of `n` normal numbers, times the exact constant: its mean is then 1.
pub fn run(statistic: Statistic, n: usize, samples: usize, stream: &mut Stream) -> Found {
    let [expectation, deviation] = statistic.moments(n);
    let constant = 1.0 / expectation;
    let values: Vec<f64> = (0..samples).map(|_| constant * statistic.value(&centred(&stream.normals(n)))).collect();
    let [mean, spread, standard_error, spread_error] = summary(&values);
    let predicted_spread = constant * deviation;
    let [l2, l2_deviation] = Statistic::L2.moments(n);
    let efficiency = |spread: f64| (l2_deviation / l2 / spread).powi(2);
    let estimate = |factor: f64| mean * factor / constant;
    let metrics = vec![
        ("constant", constant),
        ("predicted", 1.0),
        ("measured", mean),
        ("standard_error", standard_error),
        ("standard_errors", (mean - 1.0).abs() / standard_error),
        ("published", estimate(statistic.published(n))),
        ("limit", estimate(statistic.limit(n))),
        ("code", estimate(statistic.code(n))),
        ("spread", spread),
        ("predicted_spread", predicted_spread),
        ("spread_errors", (spread - predicted_spread).abs() / spread_error),
        ("efficiency", efficiency(spread / mean)),
        ("predicted_efficiency", efficiency(predicted_spread)),
    ];
    Found { metrics, ..Found::default() }
}
