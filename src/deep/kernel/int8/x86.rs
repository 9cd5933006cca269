//! Tiles on x86-64. Panels hold four bytes a word, so that a register of b is four entries of each of its columns, and one
//! word of a, in all lanes, meets them.

#![allow(unsafe_code)]

use super::{COLUMNS, ROWS};
use std::arch::x86_64::*;

/// Sixteen columns a register, two registers a row: sixteen sums, two registers of b, one of a. VPDPBUSD multiplies u8 by i8
/// and adds four products to a sum of 32 bits, without saturation in between.
#[target_feature(enable = "avx512f,avx512vnni")]
pub fn avx512_vnni(a: &[u32], b: &[u32], c: &mut [i32], stride: usize) {
    for row in c.chunks(stride).take(ROWS) {
        for at in [&row[0], &row[COLUMNS / 2]] {
            // otherwise the end waits for the lines it writes to
            _mm_prefetch::<_MM_HINT_ET0>(std::ptr::from_ref(at).cast());
        }
    }
    let ((a, _), (b, _)) = (a.as_chunks::<ROWS>(), b.as_chunks::<COLUMNS>());
    let mut sums = [[_mm512_setzero_si512(); 2]; ROWS];
    for (a, b) in a.iter().zip(b) {
        let (b, _) = b.as_chunks::<16>();
        // SAFETY: each reference is to 512 bits, and an unaligned load needs no more.
        let b = unsafe { [_mm512_loadu_si512(b[0].as_ptr().cast()), _mm512_loadu_si512(b[1].as_ptr().cast())] };
        for i in 0..ROWS {
            let a = _mm512_set1_epi32(a[i] as i32);
            sums[i] = [_mm512_dpbusd_epi32(sums[i][0], a, b[0]), _mm512_dpbusd_epi32(sums[i][1], a, b[1])];
        }
    }
    for i in 0..ROWS {
        for j in 0..2 {
            let out = &mut c[stride * i + 16 * j..][..16];
            // SAFETY: `out` is 16 numbers of 32 bits, and an unaligned store needs no more.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sums[i][j]) };
        }
    }
}

/// Rows and columns of a strip: eight sums in eight registers, and room for the rest among sixteen.
const STRIP: (usize, usize) = (4, 16);

/// A tile in strips of four rows and sixteen columns, eight columns a register: `$split` prepares a register of a or b, and
/// `$dot` adds the products of two that were prepared to sums.
macro_rules! tile_of_strips {
    ($name:ident, $features:literal, $split_a:expr, $split_b:expr, $dot:expr) => {
        #[target_feature(enable = $features)]
        pub fn $name(a: &[u32], b: &[u32], c: &mut [i32], stride: usize) {
            let ((a, _), (b, _)) = (a.as_chunks::<ROWS>(), b.as_chunks::<COLUMNS>());
            for i0 in (0..ROWS).step_by(STRIP.0) {
                for j0 in (0..COLUMNS).step_by(STRIP.1) {
                    let mut sums = [[_mm256_setzero_si256(); 2]; STRIP.0];
                    for (a, b) in a.iter().zip(b) {
                        let (a, b) = (&a[i0..][..STRIP.0], &b[j0..][..STRIP.1]);
                        let b = [$split_b(load8(&b[..8])), $split_b(load8(&b[8..]))];
                        for i in 0..STRIP.0 {
                            let a = $split_a(_mm256_set1_epi32(a[i] as i32));
                            sums[i] = [$dot(sums[i][0], a, b[0]), $dot(sums[i][1], a, b[1])];
                        }
                    }
                    for i in 0..STRIP.0 {
                        for j in 0..2 {
                            let out = &mut c[stride * (i0 + i) + j0 + 8 * j..][..8];
                            // SAFETY: `out` is 8 numbers of 32 bits, and an unaligned store needs no more.
                            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), sums[i][j]) };
                        }
                    }
                }
            }
        }
    };
}

tile_of_strips!(avx_vnni, "avx2,avxvnni", |a| a, |b| b, _mm256_dpbusd_avx_epi32);
tile_of_strips!(avx512_vnni_256, "avx2,avx512vnni,avx512vl", |a| a, |b| b, _mm256_dpbusd_epi32);
tile_of_strips!(avx2, "avx2", split_unsigned, split_signed, add_products);

/// The even and the odd bytes of an unsigned register, as numbers of 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn split_unsigned(a: __m256i) -> [__m256i; 2] {
    [_mm256_and_si256(a, _mm256_set1_epi16(0xFF)), _mm256_srli_epi16::<8>(a)]
}

/// The even and the odd bytes of a signed register, as numbers of 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn split_signed(b: __m256i) -> [__m256i; 2] {
    [_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b)), _mm256_srai_epi16::<8>(b)]
}

/// Two products a lane, even bytes and then odd ones, exact in 32 bits. (VPMADDUBSW would saturate: 2 · 255 · 128 > 2¹⁵.)
#[inline]
#[target_feature(enable = "avx2")]
fn add_products(sums: __m256i, [a0, a1]: [__m256i; 2], [b0, b1]: [__m256i; 2]) -> __m256i {
    _mm256_add_epi32(_mm256_add_epi32(sums, _mm256_madd_epi16(a0, b0)), _mm256_madd_epi16(a1, b1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load8(x: &[u32]) -> __m256i {
    let x = &x[..8];
    // SAFETY: the slice has 256 bits, and an unaligned load needs no more.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}
