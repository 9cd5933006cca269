#!/usr/bin/env bash
# The kernels of bits and of bytes under Miri: the unsafe code of the sets of instructions that Miri interprets (AVX2,
# AVX-512 VPOPCNTDQ and, as an aarch64 machine, NEON) and the portable code, as a crate of its own, without the rest. Five
# minutes. Not part of .ci/run: needs a nightly toolchain, rustup component add --toolchain nightly miri rust-src
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD crate=target/miri-kernel
mkdir -p "$crate"
cat > "$crate/Cargo.toml" <<'END'
[package]
name = "implicit-bias"
edition = "2024"
[lib]
path = "lib.rs"
[[test]]
name = "kernel"
path = "kernel.rs"
[dependencies]
gemm = "0.19"
multiversion = "0.8"
rayon = "1.12"
[features]
deep = []
[workspace]
END
printf 'pub mod deep {\n    #[path = "%s"]\n    pub mod kernel;\n}\n' "$root/src/deep/kernel/mod.rs" > "$crate/lib.rs"
for test in bit_kernel int8_kernel; do
    printf '#[path = "%s"]\nmod %s;\n' "$root/tests/suite/$test.rs" "$test"
done > "$crate/kernel.rs"
# rayon's queues keep integers as pointers and threads alive at the end
export MIRIFLAGS="-Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks -Zmiri-disable-isolation"
export RAYON_NUM_THREADS=1
cd "$crate"
for features in +avx512f,+avx512vpopcntdq +avx2 ""; do
    echo "== target features: ${features:-none}"
    RUSTFLAGS="-C target-feature=$features" cargo +nightly miri test --quiet --test kernel -- small_product
done
echo "== NEON, as an aarch64 machine that Miri plays"
cargo +nightly miri test --quiet --target aarch64-unknown-linux-gnu --test kernel -- small_product
