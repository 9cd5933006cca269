//! Mutated specs and data files: an answer or an error, never a panic, in bounded time, and no file outside the output folder.
//!
//! `cargo test` takes a sample of a few seconds; all of it is
//! `cargo test --release --test mutate -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod data;
mod harness;
mod mutation;
mod network;
mod spec;

#[test]
fn a_sample_of_specs() {
    harness::run("specs", 2_000, spec::corpus(), spec::check);
}

#[test]
fn a_sample_of_data_files() {
    harness::run("data files", 5_000, data::corpus(), data::check);
}

#[test]
fn a_sample_of_networks() {
    harness::run("networks", 2_000, network::corpus(), network::check);
}

#[test]
#[ignore = "minutes: cargo test --release --test mutate -- --ignored --nocapture"]
fn a_million_networks() {
    harness::run("networks", 1_000_000, network::corpus(), network::check);
}

#[test]
#[ignore = "minutes: cargo test --release --test mutate -- --ignored --nocapture"]
fn a_million_specs() {
    harness::run("specs", 1_000_000, spec::corpus(), spec::check);
}

#[test]
#[ignore = "minutes: cargo test --release --test mutate -- --ignored --nocapture"]
fn a_million_data_files() {
    harness::run("data files", 1_000_000, data::corpus(), data::check);
}
