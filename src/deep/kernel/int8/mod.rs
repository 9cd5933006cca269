//! Products of bytes, u8 × i8 → i32, exact: activations by weights (Banner et al. 2018, section 5; Jacob et al. 2018).
//!
//! [`Weights`] are packed once, in the order of computation; [`gemm`] packs activations as it goes and multiplies;
//! [`fold_zero_points`] makes Σ (a − z)(w − z′) of Σ a w.

mod gemm;
#[cfg(not(miri))]
pub mod measure;
mod tile;
mod weights;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use gemm::{fold_zero_points, gemm, multiply_block, naive};
pub use tile::Instructions;
pub use weights::Weights;

/// Rows of a tile.
pub const ROWS: usize = 8;

/// Columns of a tile.
pub const COLUMNS: usize = 32;
