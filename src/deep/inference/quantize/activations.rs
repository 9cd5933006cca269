use super::{Recipe, affine};
use crate::deep::inference::{Graph, Program, Site, SiteKind};
use crate::deep::quantize::{Affine, Spread, allocate};
use crate::error::{InputError, Result};
use multiversion::multiversion;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The most pictures of a calibration: they go through the network at once.
const MOST: usize = 256;

/// What the activations of a network are like, before their rectifier: range and moments of every tensor and channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration(pub(super) BTreeMap<String, Seen>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub tensor: ([f32; 2], Spread),
    pub channels: Vec<([f32; 2], Spread)>,
}

fn seen(values: &[f32]) -> ([f32; 2], Spread) {
    let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    ([low, high], Spread::of(values))
}

/// The values of one channel of a site.
pub(super) fn channel(site: &Site, values: &[f32], c: usize) -> Vec<f32> {
    values.iter().skip(c).step_by(site.channels).copied().collect()
}

impl Calibration {
    /// From a batch of inputs, at most 256.
    ///
    /// # Errors
    /// No inputs or too many, layers that do not fit, or activations that are not finite.
    pub fn new(graph: &Graph, inputs: &[f32]) -> Result<Self> {
        let count = inputs.len() / graph.input.iter().product::<usize>().max(1);
        if !(1..=MOST).contains(&count) {
            let allowed = format!("1 to {MOST}");
            return Err(InputError::value("pictures to calibrate with", count, &allowed, "Give a sample of them."));
        }
        let (mut found, mut bad) = (BTreeMap::new(), None);
        Program::unfused(graph)?.run_with(inputs, &mut |site, values| {
            if site.activation.is_none() {
                let channels = (0..site.channels).map(|c| seen(&channel(site, values, c))).collect();
                let tensor = seen(values);
                bad = bad.take().or_else(|| (!tensor.1.standard.is_finite()).then(|| site.name.clone()));
                found.insert(site.name.clone(), Seen { tensor, channels });
            }
        })?;
        match bad {
            Some(name) => {
                Err(InputError::new(format!("activations of `{name}` are not finite. Check weights and data")))
            }
            None => Ok(Self(found)),
        }
    }

    /// The least and the largest number at a site, before its rectifier.
    pub fn range(&self, site: &str) -> Option<[f32; 2]> {
        self.0.get(site).map(|seen| seen.tensor.0)
    }
}

/// What became of the activations at a site.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationReport {
    /// The layer.
    pub name: String,
    /// Bits: mean over the channels.
    pub bits: f64,
    /// Least and largest value that any channel can take.
    pub clip: [f32; 2],
}

/// What one channel's activations become: multiples of a scale, from the lowest to the highest.
#[derive(Debug, Clone, Copy)]
struct Channel {
    scale: f32,
    low: f32,
    high: f32,
    bits: u32,
}

impl Channel {
    /// The nearest value of a quantiser.
    fn rounded(affine: Affine) -> Self {
        let [low, high] = [0, affine.top()].map(|q| (q - affine.zero_point) as f32);
        Self { scale: affine.scale, low, high, bits: affine.bits }
    }

    /// Always the same, where a channel has no bits.
    fn fixed(value: f32) -> Self {
        let (scale, times) = if value == 0.0 { (1.0, 0.0) } else { (value, 1.0) };
        Self { scale, low: times, high: times, bits: 0 }
    }
}

/// A site's channels, number by number.
#[derive(Debug, Clone)]
struct Channels {
    scale: Vec<f32>,
    low: Vec<f32>,
    high: Vec<f32>,
    bits: u32,
}

impl Channels {
    fn new(channels: &[Channel]) -> Self {
        let of = |f: fn(&Channel) -> f32| channels.iter().map(f).collect();
        let bits = channels.iter().map(|c| c.bits).sum();
        Self { scale: of(|c| c.scale), low: of(|c| c.low), high: of(|c| c.high), bits }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn round(values: &mut [f32], Channels { scale, low, high, .. }: &Channels) {
    for values in values.chunks_exact_mut(scale.len()) {
        for (x, ((s, low), high)) in values.iter_mut().zip(scale.iter().zip(low).zip(high)) {
            *x = (*x / s).round_ties_even().max(*low).min(*high) * s;
        }
    }
}

/// A network whose activations are rounded at every site but the last.
#[derive(Debug, Clone)]
pub struct Quantized {
    program: Program,
    /// Of each site what its channels become, where they change.
    sites: Vec<Option<Channels>>,
}

impl Quantized {
    /// Prepares a network whose weights are rounded already.
    ///
    /// # Errors
    /// Layers that do not fit one another.
    pub fn new(graph: &Graph, calibration: &Calibration, recipe: &Recipe) -> Result<Self> {
        let program = Program::new(graph)?;
        let all = program.sites();
        let last = all.len() - 1;
        let quantizers = |(i, site): (usize, &&Site)| {
            let bits = recipe.activation_bits.filter(|_| i < last)?;
            let edge = site.kind == SiteKind::Input;
            let bits = if edge { bits.max(recipe.edge_bits) } else { bits };
            Some(of_site(site, calibration.0.get(&site.name)?, bits, recipe.allocate_activations && !edge, recipe))
        };
        let sites = all.iter().enumerate().map(quantizers).collect();
        Ok(Self { sites, program })
    }

    /// The outputs for a batch of inputs, as those of [`Program::run`].
    ///
    /// # Errors
    /// As there.
    pub fn run(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        let mut at = 0;
        self.program.run_with(inputs, &mut |_, values| {
            if let Some(channels) = &self.sites[at] {
                values.par_chunks_mut(channels.scale.len() * 1024).for_each(|values| round(values, channels));
            }
            at += 1;
        })
    }

    /// One line a site that is rounded.
    pub fn reports(&self) -> Vec<ActivationReport> {
        let report = |(site, channels): (&&Site, &Option<Channels>)| {
            let channels = channels.as_ref()?;
            let limits =
                |of: &[f32]| -> Vec<f32> { of.iter().zip(&channels.scale).map(|(times, s)| times * s).collect() };
            let (low, high) = (limits(&channels.low), limits(&channels.high));
            let clip = [low.into_iter().fold(0f32, f32::min), high.into_iter().fold(0f32, f32::max)];
            let bits = f64::from(channels.bits) / channels.scale.len() as f64;
            Some(ActivationReport { name: site.name.clone(), bits, clip })
        };
        self.program.sites().iter().zip(&self.sites).filter_map(report).collect()
    }
}

fn of_site(site: &Site, seen: &Seen, bits: u32, divided: bool, recipe: &Recipe) -> Channels {
    let units = if recipe.per_channel { &seen.channels[..] } else { std::slice::from_ref(&seen.tensor) };
    let limits = site.activation.map(crate::deep::inference::Activation::limits);
    let bits = if divided {
        let widths: Vec<f64> = units.iter().map(|(_, spread)| spread.scale(spread.prior())).collect();
        allocate(&widths, f64::from(bits), recipe.exponent)
    } else {
        vec![bits; units.len()]
    };
    let one = |((range, spread), bits): (&([f32; 2], Spread), &u32)| {
        let (low, high) = limits.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        let range = range.map(|x| x.clamp(low, high));
        match bits {
            0 => Channel::fixed((spread.mean as f32).clamp(low, high)),
            bits => Channel::rounded(affine(recipe.activation_clip, range, spread, *bits, limits.is_some())),
        }
    };
    let made: Vec<_> = units.iter().zip(&bits).map(one).collect();
    Channels::new(&if recipe.per_channel { made } else { vec![made[0]; site.channels] })
}
