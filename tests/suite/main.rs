//! Integration tests, one binary. Each test checks a theorem, an identity, an independent reference or a user's path.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod binary;
mod bit_kernel;
mod clipping;
mod common;
#[cfg(feature = "deep")]
mod deep;
mod dft;
mod export;
mod faults;
mod fetch;
mod fit;
mod flow;
mod flow_ends;
mod flow_limits;
mod golden;
mod house;
mod inference;
mod int8_kernel;
mod integer;
mod integer_network;
mod interval;
mod landscape;
mod networks;
mod nnls;
mod normalize;
mod oracle;
mod packed;
mod pages;
mod polish;
mod post_training;
mod program;
mod readme;
mod real_data;
mod resume;
mod rounding;
mod security;
mod shard;
mod simplex;
mod solvers;
mod specs;
mod verify;
