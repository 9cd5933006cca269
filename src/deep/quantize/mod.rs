//! From real numbers to few bits.

mod affine;
mod allocate;
mod binarize;
mod correct;
mod grid;
mod nearest_plane;
mod power_of_two;
mod prior;
mod spread;
mod unique_filters;

pub use affine::Affine;
pub use allocate::{TWO_THIRDS, allocate, allocation_gain};
pub use binarize::{binarize, binarize_stochastically, hard_sigmoid, sign};
pub use correct::Correction;
pub use grid::Grid;
pub use nearest_plane::NearestPlane;
pub use power_of_two::ap2;
pub use prior::Prior;
pub use spread::Spread;
pub use unique_filters::{unique_filters, unique_filters_up_to_sign};
