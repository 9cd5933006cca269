use std::collections::HashSet;

/// The share of distinct sign patterns among the k × k kernels that read one input map, mean over the input maps.
///
/// `weights` is [outputs, inputs, kernel, kernel], as convolutions store it. Hubara et al. 2016 report 42 % on
/// their CIFAR-10 network; what random signs give is in experiments/hubara2016.
pub fn unique_filters(weights: &[f32], outputs: usize, inputs: usize, kernel: usize) -> f64 {
    share(weights, [outputs, inputs, kernel * kernel], |_| false)
}

/// The same, a pattern and its inverse counted as one: ⟨a, −w⟩ = −⟨a, w⟩ costs nothing more.
pub fn unique_filters_up_to_sign(weights: &[f32], outputs: usize, inputs: usize, kernel: usize) -> f64 {
    share(weights, [outputs, inputs, kernel * kernel], |first| !first)
}

fn share(weights: &[f32], [outputs, inputs, size]: [usize; 3], flip: impl Fn(bool) -> bool) -> f64 {
    let pattern = |o: usize, i: usize| -> Vec<bool> {
        let kernel = &weights[(o * inputs + i) * size..][..size];
        let flip = flip(kernel[0] >= 0.0);
        kernel.iter().map(|w| (*w >= 0.0) != flip).collect()
    };
    let distinct = |i: usize| (0..outputs).map(|o| pattern(o, i)).collect::<HashSet<_>>().len();
    (0..inputs).map(distinct).sum::<usize>() as f64 / (inputs * outputs) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_counted_by_input_map() {
        // Input map 0: w, w, −w; input map 1: three different patterns, the last two inverse to each other.
        let (w, a, b) = ([1.0, -1.0, 2.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]);
        let minus = |v: [f32; 4]| v.map(|x| if x >= 0.0 { -1.0 } else { 1.0 });
        let weights = [w, a, w, b, minus(w), minus(b)].concat();
        assert!((unique_filters(&weights, 3, 2, 2) - 5.0 / 6.0).abs() < 1e-15);
        assert!((unique_filters_up_to_sign(&weights, 3, 2, 2) - 0.5).abs() < 1e-15);
    }
}
