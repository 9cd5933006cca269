//! Networks at test time, in f32: what a post-training quantiser takes apart.
//!
//! A [`Graph`] holds layers and their weights in PyTorch's order; [`Graph::visit_weights`] shows and changes them. A
//! [`Program`] is the same ready to run, and shows the activations at every [`Site`]. [`Description`] reads a graph from TOML
//! and safetensors.

mod convolve;
mod depthwise;
mod description;
mod entry;
mod fold;
mod graph;
mod groups;
mod preparation;
mod program;
pub mod quantize;
mod window;

pub use description::Description;
pub use graph::{Activation, BatchNorm, Convolution, Graph, Layer, Linear, Weights};
pub use groups::{Groups, Rule};
pub use preparation::Preparation;
pub(in crate::deep) use program::transpose;
pub use program::{Program, Site, SiteKind};
pub use window::Window;
