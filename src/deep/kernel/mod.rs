//! Products of ±1 by XNOR and popcount: ⟨a, b⟩ = n − 2 |a ⊕ b| for rows of n bits (Hubara et al. 2016, section 4).
//!
//! [`BitMatrix`] holds bits, [`Panels`] holds them in the order of computation, [`gemm`] multiplies, [`Layer`] convolves.
//! Products of bytes are in [`int8`]. Unsafe code of the crate is in the files `x86` and `neon`, in the dispatch in `tile`,
//! in calls of the `gemm` crate in `product` and `reference`, and in a setting of the allocator in `memory`.

mod bits;
mod gemm;
pub mod int8;
mod layer;
#[cfg(not(miri))]
pub mod measure;
#[cfg(feature = "deep")]
mod memory;
#[cfg(target_arch = "aarch64")]
mod neon;
mod panels;
mod product;
#[cfg(not(miri))]
pub mod reference;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use bits::BitMatrix;
pub use gemm::gemm;
pub use layer::{Layer, LayerShape};
#[cfg(feature = "deep")]
pub use memory::keep_freed_memory;
pub use panels::Panels;
pub use product::{Rows, product};
pub use tile::Instructions;

/// Rows of a tile.
pub const ROWS: usize = 8;

/// Columns of a tile.
pub const COLUMNS: usize = 32;
