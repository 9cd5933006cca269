//! Layers on integers: bytes in, sums of 32 bits, bytes out (Jacob et al. 2018; Banner et al. 2018, section 5).
//!
//! With activations x = s(q − z), u8, and weights ŵ = s_f w, i8 with a scale for each filter, a sum is
//! Σ x ŵ + b = s s_f (Σ (q − z) w + B), B = b/(s s_f) rounded: an integer in the bracket, exact, and one multiplication.
//! [`Layer::integers`] are the brackets, [`Layer::floats`] the products, computed in f64 and rounded to f32, and
//! [`Layer::bytes`] what the next layer's quantiser makes of them. So a simulation of quantisation in floats that is exact
//! gives the same numbers. A [`Network`] is made of such layers, with pooling and sums of branches on bytes.

mod depthwise;
mod layer;
mod network;
mod quantize;
mod shape;

pub use layer::Layer;
pub use network::Network;
pub use quantize::{quantize, quantize_layer, quantize_weights};
pub use shape::Shape;
