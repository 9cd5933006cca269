use crate::deep::quantize::Affine;
use rayon::prelude::*;

/// Numbers as bytes.
///
/// # Panics
/// If the quantiser has more than eight bits.
pub fn quantize(values: &[f32], quantizer: Affine) -> Vec<u8> {
    assert!(quantizer.bits <= 8, "a byte has eight bits");
    values.par_iter().map(|x| quantizer.quantize(*x) as u8).collect()
}

/// Weights of so many filters, filter by filter, as signed bytes from −127 to 127, with a scale for each filter: the
/// largest modulus is 127 steps, the nearest integer is taken, ties to even. A filter of zeros has scale 1.
pub fn quantize_weights(values: &[f32], filters: usize) -> (Vec<i8>, Vec<f32>) {
    quantize_layer(values, &vec![0.0; filters], 1.0)
}

/// The same for a layer whose inputs have this scale: a filter whose weights are next to nothing beside its bias has so large a
/// scale that the bias has at most 2³⁰ steps.
pub fn quantize_layer(weights: &[f32], bias: &[f32], input: f32) -> (Vec<i8>, Vec<f32>) {
    let filter = |(values, bias): (&[f32], &f32)| -> (Vec<i8>, f32) {
        let scale = values.iter().fold(0f32, |l, w| l.max(w.abs())) / 127.0;
        let scale = scale.max(bias.abs() / (input * (1 << 30) as f32));
        let scale = if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
        (values.iter().map(|w| (w / scale).round_ties_even().clamp(-127.0, 127.0) as i8).collect(), scale)
    };
    let size = (weights.len() / bias.len().max(1)).max(1);
    let (bytes, scales): (Vec<_>, _) = weights.chunks(size).zip(bias).map(filter).unzip();
    (bytes.concat(), scales)
}
