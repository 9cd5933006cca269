//! A trained Binarized Neural Network as bits and integers (Hubara et al. 2016, sections 2 and 4).
//!
//! Sums of ±1 are XNOR and popcount; batch normalisation and sign are one integer threshold a channel; the 8-bit pictures
//! p enter as 2p − 255, eight planes of ±1. Only the last layer's scores are f32. The outputs are those of the network in
//! f32, because that computes with integers below 2²⁴, which f32 holds exactly, up to the comparisons.

#[cfg(feature = "deep")]
mod convert;
mod file;
pub mod measure;
mod network;
mod threshold;

pub use network::{Connection, PackedNetwork, TrainedLayer};
pub use threshold::Affine;
