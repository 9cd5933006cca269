use super::{Clip, Moments, Recipe, affine};
use crate::deep::inference::Graph;
use crate::deep::quantize::{Affine, NearestPlane, Spread, allocate};
use crate::math::sums::cosine;
use rayon::prelude::*;

/// What became of a layer's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerReport {
    /// The layer.
    pub name: String,
    /// Its weights.
    pub weights: usize,
    /// Bits of a weight: mean, least and most over the output channels.
    pub bits: [f64; 3],
    /// The least and largest value that any channel can take.
    pub clip: [f32; 2],
    /// Mean square error, over the mean square.
    pub relative_mse: f64,
    /// Cosine of the angle to the weights as they were.
    pub cosine: f64,
    /// Bytes of its integers, the scale (4) and zero point (2) of each quantiser, and its bias in 32 bits.
    pub bytes: usize,
}

/// Rounds the weights of a network whose batch normalisations are folded, where there are moments such that outputs change
/// least; the reports are in the order of the layers.
pub fn quantize_weights(graph: &mut Graph, recipe: &Recipe, moments: Option<&Moments>) -> Vec<LayerReport> {
    let (mut reports, mut layers, mut at) = (vec![], 0, 0);
    let Some(bits) = recipe.weight_bits else { return reports };
    graph.visit_weights(&mut |_| layers += 1);
    graph.visit_weights(&mut |w| {
        let edge = at == 0 || at + 1 == layers;
        at += 1;
        let bits = if edge { bits.max(recipe.edge_bits) } else { bits };
        let before = w.values.to_vec();
        let units = if recipe.per_channel { w.outputs } else { 1 };
        let divided = recipe.allocate_weights && !edge;
        let planes = moments.and_then(|m| m.of(w.name)).unwrap_or_default();
        let planes: Vec<NearestPlane> = planes.par_iter().map(|m| NearestPlane::new(m)).collect();
        let rounder = Rounder { filters: w.outputs, weights: w.values.len() / w.outputs, planes: &planes };
        let (bits, clip) = round(w.values, units, bits, divided, recipe, &rounder);
        recipe.correction.apply(&before, w.values, w.outputs);
        let error: f64 = before.iter().zip(&*w.values).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let square: f64 = before.iter().map(|a| f64::from(*a).powi(2)).sum();
        let part = w.values.len() / units;
        let stored: usize = bits.iter().map(|b| *b as usize * part).sum();
        let mean = bits.iter().sum::<u32>() as f64 / units as f64;
        reports.push(LayerReport {
            name: w.name.into(),
            weights: w.values.len(),
            bits: [mean, extreme(&bits, u32::min), extreme(&bits, u32::max)],
            clip,
            relative_mse: if square > 0.0 { error / square } else { 0.0 },
            cosine: cosine(&before, w.values),
            bytes: stored.div_ceil(8) + 6 * units + 4 * w.bias.as_ref().map_or(0, Vec::len),
        });
    });
    reports
}

fn extreme(bits: &[u32], f: fn(u32, u32) -> u32) -> f64 {
    bits.iter().copied().reduce(f).map_or(f64::NAN, f64::from)
}

/// Rounds the filters of a layer.
struct Rounder<'a> {
    filters: usize,
    /// Of a filter.
    weights: usize,
    /// One a group of filters; none to round each weight to its nearest value.
    planes: &'a [NearestPlane],
}

impl Rounder<'_> {
    /// Filters from `first` on, rounded, and the error that this rounding makes small.
    fn round(&self, first: usize, values: &[f32], affine: Affine) -> (Vec<f32>, f64) {
        if self.planes.is_empty() {
            let rounded: Vec<f32> = values.iter().map(|x| affine.round(*x)).collect();
            let error = values.iter().zip(&rounded).map(|(x, q)| f64::from(x - q).powi(2)).sum();
            return (rounded, error);
        }
        let plane = |f: usize| &self.planes[(first + f) * self.planes.len() / self.filters];
        let filters = values.chunks(self.weights).enumerate();
        let (rounded, errors): (Vec<_>, Vec<_>) = filters.map(|(f, w)| plane(f).round(w, |x| affine.round(x))).unzip();
        (rounded.concat(), errors.iter().sum())
    }

    /// The quantiser for the range from `low` to `high`, or for the fraction of it where the error is least.
    fn least_error(&self, first: usize, values: &[f32], [low, high]: [f32; 2], bits: u32) -> Affine {
        let fractions = if self.planes.is_empty() { (1..=100, 100.0) } else { (8..=20, 20.0) };
        let tried = fractions.0.map(|k: u8| {
            let part = f32::from(k) / fractions.1;
            let affine = Affine::of_range(part * low, part * high, bits);
            (affine, self.round(first, values, affine).1)
        });
        tried.min_by(|a, b| a.1.total_cmp(&b.1)).map_or_else(|| Affine::of_range(low, high, bits), |best| best.0)
    }
}

/// Rounds equal parts of `values`, and gives the bits of each and the least and largest value of all.
fn round(
    values: &mut [f32],
    units: usize,
    bits: u32,
    divided: bool,
    recipe: &Recipe,
    rounder: &Rounder,
) -> (Vec<u32>, [f32; 2]) {
    let part = (values.len() / units).max(1);
    let spreads: Vec<Spread> = values.chunks(part).map(Spread::of).collect();
    let bits = if divided {
        let widths: Vec<f64> = spreads.iter().map(|s| s.standard).collect();
        allocate(&widths, f64::from(bits), recipe.exponent)
    } else {
        vec![bits; units]
    };
    let unit = |((unit, values), (spread, bits)): ((usize, &mut [f32]), (&Spread, &u32))| {
        if *bits == 0 {
            values.fill(0.0);
            return [0.0; 2];
        }
        let first = unit * part / rounder.weights;
        let range = values.iter().fold([0f32; 2], |[l, h], x| [l.min(*x), h.max(*x)]);
        let affine = match recipe.weight_clip {
            Clip::LeastError => rounder.least_error(first, values, range, *bits),
            clip => affine(clip, range, spread, *bits, false),
        };
        values.copy_from_slice(&rounder.round(first, values, affine).0);
        [affine.dequantize(0), affine.dequantize(affine.top())]
    };
    let clips = values.par_chunks_mut(part).enumerate().zip(spreads.par_iter().zip(&bits)).map(unit);
    let clip = clips.reduce(|| [0f32; 2], |[l, h], [a, b]| [l.min(a), h.max(b)]);
    (bits, clip)
}
