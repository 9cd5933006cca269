//! Sums that neither overflow nor underflow, norms, angles and order statistics.

/// log Σ exp(aᵢ); −∞ for an empty slice.
pub fn log_sum_exp(a: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = a.clone().fold(f64::NEG_INFINITY, f64::max);
    if max.is_finite() { max + a.map(|x| (x - max).exp()).sum::<f64>().ln() } else { max }
}

/// exp(aᵢ)/Σ exp(a), exact to rounding however large the aᵢ are.
pub fn softmax(a: &[f64]) -> Vec<f64> {
    let largest = max(a);
    let weights: Vec<f64> = a.iter().map(|x| (x - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// ‖a‖₂, scaled so that squares stay in range.
pub fn norm(a: &[f64]) -> f64 {
    let max = a.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if max == 0.0 || !max.is_finite() {
        return max;
    }
    max * a.iter().map(|x| (x / max) * (x / max)).sum::<f64>().sqrt()
}

/// a/‖a‖₂ (a itself where its norm is zero).
pub fn direction(a: &[f64]) -> Vec<f64> {
    let n = norm(a);
    a.iter().map(|x| if n > 0.0 { x / n } else { *x }).collect()
}

/// ⟨a, b⟩/(‖a‖ ‖b‖) of two lists of 32-bit numbers.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The angle between two vectors in radians as 2·asin(‖â − b̂‖/2), which keeps its digits near zero where acos loses half.
pub fn angle(a: &[f64], b: &[f64]) -> f64 {
    let difference: Vec<f64> = direction(a).iter().zip(direction(b)).map(|(x, y)| x - y).collect();
    2.0 * (norm(&difference) / 2.0).min(1.0).asin()
}

/// The smallest entry; +∞ for an empty slice.
pub fn min(a: &[f64]) -> f64 {
    a.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The largest entry; −∞ for an empty slice.
pub fn max(a: &[f64]) -> f64 {
    a.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Where the largest entry is: the first one where several are, 0 for an empty slice.
pub fn largest(a: &[f32]) -> usize {
    (1..a.len()).fold(0, |best, i| if a[i] > a[best] { i } else { best })
}

/// The `q`-quantile (0 ≤ q ≤ 1) with linear interpolation; NaN for an empty slice.
pub fn quantile(a: &[f64], q: f64) -> f64 {
    let mut sorted = a.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q * last as f64;
    let low = position.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (position - low as f64) * (sorted[high] - sorted[low])
}

/// The median.
pub fn median(a: &[f64]) -> f64 {
    quantile(a, 0.5)
}

/// The correlation of y with x; NaN with fewer than two distinct values of either.
pub fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let product = slope(x, y) * slope(y, x);
    product.sqrt().copysign(slope(x, y))
}

/// Least-squares slope of y against x; NaN with fewer than two distinct x.
pub fn slope(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sxy: f64 = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum();
    let sxx: f64 = x.iter().map(|a| (a - mx) * (a - mx)).sum();
    sxy / sxx
}

/// f of the means of samples (n ≥ 2 vectors), and its standard error by the jackknife: f with each sample left out in turn.
pub fn jackknife(samples: &[Vec<f64>], f: impl Fn(&[f64]) -> f64) -> (f64, f64) {
    let n = samples.len() as f64;
    let mut sums = vec![0.0; samples.first().map_or(0, Vec::len)];
    samples.iter().for_each(|s| sums.iter_mut().zip(s).for_each(|(sum, v)| *sum += v));
    let whole = f(&sums.iter().map(|s| s / n).collect::<Vec<_>>());
    let without = |s: &Vec<f64>| f(&sums.iter().zip(s).map(|(sum, v)| (sum - v) / (n - 1.0)).collect::<Vec<_>>());
    let left_out: Vec<f64> = samples.iter().map(without).collect();
    let mean = left_out.iter().sum::<f64>() / n;
    let squares: f64 = left_out.iter().map(|v| (v - mean).powi(2)).sum();
    (whole, (squares * (n - 1.0) / n).sqrt())
}
